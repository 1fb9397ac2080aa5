"""Settings of a connector of kind "asterisk": one PBX."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from config.problems import Finding
from config.rules import rule
from config.settings import ConnectorSettings
from config.values import (
    AbsolutePath,
    Address,
    Channel,
    Context,
    Host,
    Interface,
    Label,
    Mark,
    Network,
    NonEmpty,
    Password,
    Port,
    is_loopback,
)


@dataclass(frozen=True, kw_only=True)
class AsteriskSettings(ConnectorSettings):
    """How one PBX is reached over AMI, and what its channels mean."""

    host: Host = "127.0.0.1"
    """Host of the AMI (manager.conf: bindaddr)."""
    port: Port = 5038
    """TCP port of the AMI (manager.conf: port, or tlsbindaddr's with TLS, usually 5039)."""
    username: Label
    """AMI user: the name of its section in manager.conf."""
    secret: Password
    """The AMI user's secret."""
    tls: bool = False
    """Speak TLS to the AMI. Off by default as on the PBX; without it the secret travels in clear."""
    ca_file: NonEmpty | None = None
    """File with the certificates (PEM) of a private CA. Default: the system's."""
    trunks: tuple[Channel, ...] = ()
    """Channels of the outside world as `tech/name`. A call that comes from one is incoming, one that leaves
    through it is outgoing."""
    interface: Interface = "PJSIP/{extension}"
    """How an operator's phone is dialled; `{extension}` stands for the extension."""
    recordings_dir: AbsolutePath | None = None
    """The folder into which the PBX records (`/var/spool/asterisk/monitor`), as this machine sees it; it is
    only read. Without it recordings come by upload."""
    outbound_context: Annotated[Context | None, Mark.IGNORED] = None
    """Dialplan context for click-to-call."""
    fastagi: Annotated[Address | None, Mark.IGNORED] = None
    """host:port on which the dialplan asks for routing decisions."""
    fastagi_allow: Annotated[tuple[Network, ...], Mark.IGNORED] = ()
    """Peers that may ask; several PBXs are told apart by peer or by `?pbx=`."""

    @rule("tls", "ca_file")
    def _ca_needs_tls(tls: bool, ca_file: str | None) -> Iterator[Finding]:
        if ca_file and not tls:
            yield Finding("ca_file", "is given but tls is off", "set tls = true, or take ca_file away")

    @rule("host", "tls")
    def _secret_in_clear(host: str, tls: bool) -> Iterator[Finding]:
        if not tls and not is_loopback(host):
            yield Finding(
                "tls",
                f"the secret crosses the network to {host} in clear",
                "set tls = true and tlsenable = yes in manager.conf",
                refused=False,
            )

    @rule("trunks")
    def _knows_outside(trunks: tuple[str, ...]) -> Iterator[Finding]:
        if not trunks:
            yield Finding(
                "trunks",
                "no channel of the outside world is named, so calls from outside look like internal ones",
                'name them, for instance trunks = ["PJSIP/trunk"]',
                refused=False,
            )
