"""Settings of a connector of kind "asterisk": one PBX."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from config.problems import Finding, Wrong
from config.rules import rule
from config.secret import Secret
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
    Seconds,
    is_loopback,
)


def _cdr_database(value: Secret) -> Secret:
    if not re.match(r"[a-z]+\+[a-z]+://", value.reveal()):
        raise Wrong(
            "this is no address of a database", 'write "postgresql+asyncpg://user:password@host/name"'
        )
    return value


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
    cdr: AbsolutePath | None = None
    """File of call detail records (`/var/log/asterisk/cdr-csv/Master.csv`), as this machine sees it: calls
    that passed while the link or we were down are found in it. See catch-up.md."""
    cdr_database: Annotated[Secret, _cdr_database] | None = None
    """The same in a database, by its address: `postgresql+asyncpg://user:password@host/name`. Other databases
    need their asynchronous driver for SQLAlchemy installed beside Perezvon."""
    cdr_table: Label = "cdr"
    """The table in it."""
    cel: AbsolutePath | None = None
    """File of channel events (`/var/log/asterisk/cel-custom/Master.csv`) in the columns of Asterisk's sample:
    tells what call detail records do not, such as who refused and what was transferred."""
    queue_log: AbsolutePath | None = None
    """File of the queues' log (`/var/log/asterisk/queue_log`): tells who of the queue answered and when."""
    catch_up_s: Seconds = 86400.0
    """How far back records are looked through at the first start."""
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

    @rule("cdr", "cdr_database")
    def _one_cdr(cdr: str | None, cdr_database: Secret | None) -> Iterator[Finding]:
        if cdr and cdr_database:
            yield Finding("cdr_database", "cdr is given as well", "keep the one that is complete")

    @rule("cdr", "cdr_database", "cel", "queue_log")
    def _queue_log_alone(
        cdr: str | None, cdr_database: Secret | None, cel: str | None, queue_log: str | None
    ) -> Iterator[Finding]:
        if queue_log and not (cdr or cdr_database or cel):
            yield Finding("queue_log", "finds no calls by itself", "give cdr, cdr_database or cel as well")

    @rule("trunks")
    def _knows_outside(trunks: tuple[str, ...]) -> Iterator[Finding]:
        if not trunks:
            yield Finding(
                "trunks",
                "no channel of the outside world is named, so calls from outside look like internal ones",
                'name them, for instance trunks = ["PJSIP/trunk"]',
                refused=False,
            )
