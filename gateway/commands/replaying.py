"""replay."""

import argparse
import os
import sys

from config import log
from connectors import registry
from connectors.asterisk.connector import rules_of
from connectors.asterisk.settings import AsteriskSettings
from gateway import replay as replaying
from gateway.domain.calls import PbxRules
from gateway.domain.errors import NeedsAdministrator


def replay(options: argparse.Namespace) -> None:
    """Print the calls of captured streams."""
    replaying.replay_files(options.files, _rules(options), sys.stdout, sys.stderr)


def _rules(options: argparse.Namespace) -> PbxRules:
    settings = registry.load_settings(options.config, os.environ)
    log.set_up(settings.log)
    attached = [c for c in settings.connectors if isinstance(c, AsteriskSettings)]
    if options.pbx:
        chosen = next((c for c in attached if c.name == options.pbx), None)
        if chosen is None and attached:
            raise NeedsAdministrator(
                f"no connector of kind asterisk is called {options.pbx}",
                remedy=f"one of {', '.join(c.name for c in attached)}",
            )
    elif len(attached) > 1:
        raise NeedsAdministrator(
            "several PBXs are configured",
            remedy=f"say which with --pbx: {', '.join(c.name for c in attached)}",
        )
    else:
        chosen = attached[0] if attached else None
    country = settings.locale.country
    if chosen is None:
        return PbxRules(options.pbx or "pbx1", ("PJSIP/trunk",), country=country)
    return rules_of(chosen, country)
