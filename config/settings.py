"""Every setting of the service: one frozen dataclass for each section of perezvon.toml.

The text below a field is what the documentation says of it: meaning, unit, and why its default is what it is.
Values are checked by their annotated types (`config.values`), combinations by the rules of each section.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from config.problems import Finding, Wrong
from config.rules import rule
from config.secret import Secret
from config.values import (
    NOT_BUILT,
    Country,
    DatabaseUrl,
    Days,
    Host,
    Hours,
    Label,
    Lasting,
    Mark,
    Megabytes,
    Minutes,
    Name,
    Network,
    NonEmpty,
    OptionalAddress,
    Password,
    PbxQueue,
    Port,
    PublicUrl,
    Seconds,
    Share,
    StorageUrl,
    TimeZone,
    is_loopback,
    is_wildcard,
)


@dataclass(frozen=True, kw_only=True)
class Server:
    """Where the desk and the API are served."""

    host: Host = "127.0.0.1"
    """Address to listen on. The service speaks plain HTTP, so only loopback by default; a TLS proxy stands in
    front of it."""
    port: Port = 8080
    """TCP port to listen on."""
    public_url: PublicUrl = ""
    """How browsers reach the desk: scheme, host and port without a path. Cookies and the Origin check follow
    it. Default: `http://` with host and port."""
    metrics: OptionalAddress = "127.0.0.1:9464"
    """host:port for Prometheus, apart from the desk since it asks nobody to sign in; `""` turns it off."""
    insecure_http: bool = False
    """Allow plain HTTP off loopback. Passwords and clients' data can then be read on the way; meant for
    closed networks."""
    trusted_proxies: tuple[Network, ...] = ()
    """Addresses or networks of reverse proxies whose `X-Forwarded-For` is believed. None by default: anybody
    could write that header and get round the limit on sign-in attempts."""

    def __post_init__(self) -> None:
        if not self.public_url:
            host = f"[{self.host}]" if ":" in self.host else self.host
            object.__setattr__(self, "public_url", f"http://{host}:{self.port}")

    @rule("host", "insecure_http")
    def _listens_on_loopback(host: str, insecure_http: bool) -> Iterator[Finding]:
        if not is_loopback(host) and not insecure_http:
            yield Finding(
                "host",
                f"plain HTTP would be served off loopback, on {host}",
                "listen on 127.0.0.1 behind a TLS proxy, or set insecure_http = true in a closed network",
            )

    @rule("public_url", "insecure_http")
    def _is_reached_by_tls(public_url: str, insecure_http: bool) -> Iterator[Finding]:
        parts = urlsplit(public_url)
        if parts.scheme == "http" and not insecure_http and not is_loopback(parts.hostname or ""):
            yield Finding(
                "public_url",
                f"{public_url} is plain HTTP off loopback",
                "write https:// with a TLS proxy in front, or set insecure_http = true in a closed network",
            )

    @rule("host", "public_url")
    def _can_be_reached(host: str, public_url: str) -> Iterator[Finding]:
        if is_wildcard(host) and not public_url:
            yield Finding(
                "host", f"{host} is no address for browsers", "set public_url to how browsers reach the desk"
            )


@dataclass(frozen=True, kw_only=True)
class Database:
    """Where everything but files is kept."""

    url: DatabaseUrl = field(default_factory=lambda: Secret("sqlite+aiosqlite:///var/perezvon.db"))
    """`sqlite+aiosqlite:///FILE` (three slashes: from the working directory, four: an absolute path) or
    `postgresql+asyncpg://user:password@host/name`. SQLite by default: it needs no administrator. As it may
    hold a password it counts as a secret."""


class RecordingFormat(StrEnum):
    """How recordings are kept."""

    OPUS = "opus"
    ORIGINAL = "original"


@dataclass(frozen=True, kw_only=True)
class Storage:
    """Where recordings and attachments are kept."""

    url: StorageUrl = "file:var/files"
    """`file:///FOLDER`, or `file:FOLDER` from the working directory. `s3://` is not in this version."""
    recordings_format: RecordingFormat = RecordingFormat.OPUS
    """`opus`: Ogg/Opus, 32 kbit/s, an eighth of the size; needs ffmpeg, without it the file stays as it came.
    `original`: as it came; for browsers that play no Opus in Ogg, such as Safari before 18.4."""
    keep_recordings_days: Days = 0.0
    """Days after which recordings are deleted here, each deletion in the audit log; 0 keeps them for ever.
    What lies on the PBX is not touched."""
    largest_recording_mb: Megabytes = 1000.0
    """Megabytes of the largest file taken by upload: some 17 hours of a mono WAV, more than any call."""
    largest_attachment_mb: Megabytes = 25.0
    """Megabytes of the largest file of a message, sent or received; a channel may allow less. Larger ones
    are refused with a word in their place."""
    encryption_key_file: Annotated[str | None, Mark.REFUSED] = None
    """File with the key that encrypts at rest."""


class Language(StrEnum):
    """Languages of the desk."""

    RU = "ru"
    EN = "en"


@dataclass(frozen=True, kw_only=True)
class Locale:
    """What is usual where the service stands."""

    country: Country = "RU"
    """Country (ISO 3166, two letters) of numbers dialled without a country code."""
    language: Language = Language.RU
    """Language of the desk until a person chooses his own: `ru` or `en`."""
    timezone: TimeZone = "Europe/Moscow"
    """IANA time zone of opening hours and reports. Whatever is stored is UTC."""


class LogLevel(StrEnum):
    """The least grave lines that are written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    """Shape of a log line."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True, kw_only=True)
class Log:
    """What is written on standard error. Secrets are never in it."""

    level: LogLevel = LogLevel.INFO
    """`debug`, `info`, `warning` or `error`. `info` tells of each outage and recovery, not of each call."""
    format: LogFormat = LogFormat.TEXT
    """`text` for people and journalctl, `json` (one object a line) for log collectors."""
    mask_numbers: bool = False
    """Keep only the first two and last two digits of phone numbers. Off by default: whoever looks for a lost
    call needs the number; on where logs leave the company."""


@dataclass(frozen=True, kw_only=True)
class People:
    """Sign-in of operators, supervisors and administrators."""

    session_idle_hours: Lasting = 12.0
    """Hours without a request after which a session ends. Longer than a shift, so nobody is thrown out
    while on a call."""
    session_max_hours: Lasting = 24.0
    """Hours after which a session ends however busy it is; a stolen cookie lives no longer."""

    @rule("session_idle_hours", "session_max_hours")
    def _idle_within_max(session_idle_hours: float, session_max_hours: float) -> Iterator[Finding]:
        if session_idle_hours > session_max_hours:
            yield Finding(
                "session_idle_hours",
                "is longer than session_max_hours, so it would never count",
                "make it at most session_max_hours",
            )


@dataclass(frozen=True, kw_only=True)
class ConnectorSettings:
    """What every connector has; each kind adds its own settings."""

    kind: NonEmpty
    """Which outside system; names the code."""
    name: Name
    """The connector's name in addresses, logs and records. What came in under a name stays under it."""
    queue: Name | None = None
    """Queue of what comes in here and names no other. A queue may be in this file or in the database."""


class QueueChannel(StrEnum):
    """Media that a queue serves."""

    VOICE = "voice"
    EMAIL = "email"
    CHAT = "chat"
    CALLBACK = "callback"


class Distribution(StrEnum):
    """Who chooses the operator of a call."""

    ASTERISK = "asterisk"
    PEREZVON = "perezvon"


def _built(value: Distribution) -> Distribution:
    if value is Distribution.PEREZVON:
        raise Wrong(f'"perezvon" is {NOT_BUILT}', 'write "asterisk": app_queue rings the operators')
    return value


@dataclass(frozen=True, kw_only=True)
class ServiceLevel:
    """A promise to clients: which share is answered within what time."""

    target: Share
    """Share of contacts, more than 0 and at most 1."""
    within_s: Seconds
    """Seconds of working time."""


@dataclass(frozen=True, kw_only=True)
class Queue:
    """A queue in which contacts wait for operators."""

    name: Name
    """The queue's name."""
    channels: tuple[QueueChannel, ...] = (QueueChannel.VOICE,)
    """Media it serves: `voice`, `email`, `chat`, `callback`."""
    distribution: Annotated[Distribution, _built] = Distribution.ASTERISK
    """Who chooses the operator of a call. `asterisk`: app_queue rings, Perezvon accounts. `perezvon` (we
    choose) is not in this version."""
    team: Label = "main"
    """Team to which the queue and the cards made by its contacts belong. `main`: everybody, until teams are
    made."""
    pbx_queues: tuple[PbxQueue, ...] = ()
    """The PBX's queues that feed it, as `connector/queue`. Default: the queue of that name on every PBX."""
    skills: tuple[Label, ...] = ()
    """Skills that an operator needs to serve it."""
    service_level: Mapping[QueueChannel, ServiceLevel] = field(default_factory=dict)
    """A promise for each medium, as `{ voice = { target = 0.8, within_s = 20 } }`: `target` is the share of
    contacts (more than 0, at most 1) answered within `within_s` seconds of working time."""
    hours: Hours = ""
    """Opening hours, such as `Mon-Fri 09:00-18:00; Sat 10:00-14:00`; `""` is always open. Deadlines count
    working time."""
    timezone: TimeZone | None = None
    """IANA time zone of `hours`. Default: that of `[locale]`."""

    @rule("channels", "service_level")
    def _promises_what_it_serves(
        channels: tuple[QueueChannel, ...], service_level: Mapping[QueueChannel, ServiceLevel]
    ) -> Iterator[Finding]:
        for channel in service_level:
            if channel not in channels:
                yield Finding(
                    "service_level",
                    f'promises something for "{channel}", which the queue does not serve',
                    f'add "{channel}" to channels or take the promise away',
                )


@dataclass(frozen=True, kw_only=True)
class Crm:
    """An outside CRM in which cards live as well."""

    kind: NonEmpty
    """`bitrix24`, `amocrm`, `salesforce` or `webhook`."""
    url: NonEmpty
    """Address of its API."""
    token: Password
    """Token for its API."""
    mapping: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the card to fields of the CRM."""


@dataclass(frozen=True, kw_only=True)
class Leads:
    """What happens to leads by itself."""

    task_after_minutes: Minutes = 60.0
    """Minutes after which a lead that is still new becomes a task of its card's owner, or of the team; 0 is
    never."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The whole configuration, read and judged. The bare `Settings()` is what runs without a file."""

    server: Server = Server()
    database: Database = field(default_factory=Database)
    storage: Storage = Storage()
    locale: Locale = Locale()
    log: Log = Log()
    people: People = People()
    leads: Leads = Leads()
    connectors: tuple[ConnectorSettings, ...] = ()
    queues: tuple[Queue, ...] = ()
    crm: Annotated[tuple[Crm, ...], Mark.REFUSED] = ()
    source: Annotated[Path | None, Mark.NO_KEY] = None
    """The file that was read; None where embedded defaults hold."""
    notices: Annotated[tuple[str, ...], Mark.NO_KEY] = ()
    """What is right but worth a word at start, such as settings that this version does not use."""
