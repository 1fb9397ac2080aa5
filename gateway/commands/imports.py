"""import cards, import undo."""

import argparse
import sys

from config.settings import Settings
from gateway.commands import opening
from gateway.services import imports
from gateway.store.engine import Store


def cards(options: argparse.Namespace) -> int:
    """Bring in a client base; one line of report per line of the file that was not simply taken."""
    text = _decoded(options.file.read_bytes())

    async def work(settings: Settings, store: Store) -> imports.ImportReport:
        country = settings.locale.country
        return await imports.import_cards(store, options.file, text, country, dry_run=options.dry_run)

    report = opening.with_store(options.config, work)
    for line in report.lines:
        print(f"line {line.line}: {line.outcome}: {line.detail}")
    created, known, refused = (report.count(outcome) for outcome in ("created", "known", "refused"))
    would = "would be " if options.dry_run else ""
    print(f"{created} {would}created, {known} known already, {refused} refused")
    if report.batch_id:
        print(f"undo with: perezvon import undo {report.batch_id}")
    return 1 if refused else 0


def _decoded(raw: bytes) -> str:
    # Spreadsheets in Russian offices still write windows-1251.
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        print("the file is no UTF-8; read as windows-1251", file=sys.stderr)
        return raw.decode("cp1251", errors="replace")


def undo(options: argparse.Namespace) -> None:
    """Take the cards of an import out again."""

    async def work(_: Settings, store: Store) -> tuple[int, int]:
        return await imports.undo(store, options.batch)

    gone, kept = opening.with_store(options.config, work)
    print(f"{gone} cards taken out, {kept} kept because they were changed or contacted since")
