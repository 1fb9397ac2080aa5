"""The kinds of values that settings hold: annotated types whose checks give the value back or raise."""

import ipaddress
import re
import zoneinfo
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import SplitResult, unquote, urlsplit

import phonenumbers

from config.hours import parse_hours
from config.problems import Wrong
from config.secret import Secret

NOT_BUILT = "not in this version"


class Mark(Enum):
    """What the decoder does with a setting besides reading it."""

    REFUSED = "refused"
    """Not in this version: refused wherever it is given."""
    IGNORED = "ignored"
    """Not in this version: checked, then left unused with a notice."""
    NO_KEY = "no key"
    """Not read from the file at all."""


def _number(low: float, high: float, *, open_low: bool = False) -> Callable[[Any], Any]:
    def check(value: float) -> float:
        if not low <= value <= high or (open_low and value == low):
            span = f"above {low} and at most {high}" if open_low else f"from {low} to {high}"
            raise Wrong(f"{value} is out of range", f"write a number {span}")
        return value

    return check


def _matching(pattern: str, meaning: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise Wrong(f"{value!r} does not fit", f"write {meaning}")
        return value

    return check


def is_loopback(host: str) -> bool:
    """Whether traffic to `host` stays on this machine; names other than localhost are taken as outside."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_wildcard(host: str) -> bool:
    """Whether `host` means every address of this machine."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_unspecified
    except ValueError:
        return False


_HOST = r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252})"


def _host(value: str) -> str:
    if re.fullmatch(_HOST, value):
        return value
    try:
        return str(ipaddress.ip_address(value.strip("[]")))
    except ValueError:
        raise Wrong(f"{value!r} is no host", "write a host name or an IP address, without port") from None


def _address(value: str) -> str:
    host, colon, port = value.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or not 1 <= int(port) <= 65535:
        raise Wrong(f"{value!r} is no address", 'write host:port, for instance "127.0.0.1:9464"')
    _host(host)
    return value


def split_address(address: str) -> tuple[str, int]:
    """Host and port of a checked "host:port"; IPv6 hosts lose their brackets."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def _network(value: str) -> str:
    try:
        return str(ipaddress.ip_network(value, strict=False))
    except ValueError:
        raise Wrong(f"{value!r} is no IP address or network", 'write for instance "10.0.0.0/8"') from None


def _split(value: str) -> SplitResult:
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        raise Wrong("this is no URL", "write scheme://host[:port]") from None
    return parts


def _public_url(value: str) -> str:
    parts = _split(value.rstrip("/"))
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise Wrong(f"{value!r} is no web address", 'write for instance "https://desk.example.org"')
    if parts.path or parts.query or parts.fragment:
        raise Wrong("a path is not supported", "give Perezvon a host name of its own, without a path")
    return value.rstrip("/")


def _present(value: Secret) -> Secret:
    if not value:
        raise Wrong("is empty", "write the password or token, or name a file that holds it")
    return value


_DATABASES = 'write "sqlite+aiosqlite:///var/perezvon.db" or "postgresql+asyncpg://user:password@host/name"'


def _database_url(value: Secret) -> Secret:
    parts = _split(value.reveal())
    if parts.scheme == "sqlite+aiosqlite":
        if parts.netloc or parts.path in ("", "/", "/:memory:"):
            raise Wrong("SQLite needs a file", f"{_DATABASES}; an absolute path takes four slashes")
    elif parts.scheme == "postgresql+asyncpg":
        if not parts.path.strip("/"):
            raise Wrong("no database is named", _DATABASES)
    else:
        raise Wrong(f"{parts.scheme or 'this'!r} is no supported database", _DATABASES)
    return value


def _storage_url(value: str) -> str:
    parts = _split(value)
    if parts.scheme == "s3":
        raise Wrong(f"s3:// is {NOT_BUILT}", 'write "file:///var/lib/perezvon"')
    if parts.scheme != "file" or parts.netloc or not parts.path.strip("/"):
        raise Wrong(
            f"{value!r} is no storage", 'write "file:///var/lib/perezvon", or "file:var/files" from here'
        )
    return value


def storage_folder(url: str) -> Path:
    """The folder that a checked file URL names; a relative one counts from the working directory."""
    return Path(unquote(urlsplit(url).path))


def _time_zone(value: str) -> str:
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise Wrong(f"{value!r} is no time zone", 'write an IANA name such as "Europe/Moscow"') from None
    return value


def _country(value: str) -> str:
    if value not in phonenumbers.SUPPORTED_REGIONS:
        raise Wrong(f"{value!r} is no country", 'write the two capital letters of ISO 3166, such as "RU"')
    return value


def _hours(value: str) -> str:
    parse_hours(value)
    return value


def _interface(value: str) -> str:
    if "{extension}" not in value or not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*/[^\s,&|]+", value):
        raise Wrong(f"{value!r} is no dial string", 'write for instance "PJSIP/{extension}"')
    return value


_NAME = r"[a-z0-9][a-z0-9_-]{0,62}"
_NAME_MEANING = "1 to 63 small letters, digits, - and _, beginning with a letter or digit"

Name = Annotated[str, _matching(_NAME, _NAME_MEANING)]
"""Name of a connector or queue."""
Label = Annotated[str, _matching(r"\S(?:.{0,126}\S)?", "1 to 128 characters without blanks at the ends")]
"""A name that people give: teams, skills, user names."""
NonEmpty = Annotated[str, _matching(r".+", "at least one character")]
Port = Annotated[int, _number(1, 65535)]
Host = Annotated[str, _host]
Address = Annotated[str, _address]
"""host:port."""
OptionalAddress = Annotated[str, lambda value: _address(value) if value else value]
"""host:port, or "" for none."""
Network = Annotated[str, _network]
Password = Annotated[Secret, _present]
PublicUrl = Annotated[str, lambda value: _public_url(value) if value else value]
DatabaseUrl = Annotated[Secret, _database_url]
StorageUrl = Annotated[str, _storage_url]
TimeZone = Annotated[str, _time_zone]
Country = Annotated[str, _country]
Hours = Annotated[str, _hours]
Share = Annotated[float, _number(0, 1, open_low=True)]
"""More than 0, at most 1."""
Seconds = Annotated[float, _number(0, 31_536_000, open_low=True)]
"""More than 0, at most a year."""
Lasting = Annotated[float, _number(0, 8_784, open_low=True)]
"""Hours, more than 0 and at most a year."""
Minutes = Annotated[float, _number(0, 527_040)]
"""Minutes, at most a year."""
Days = Annotated[float, _number(0, 36_525)]
"""Days, at most a century."""
Megabytes = Annotated[float, _number(0, 100_000, open_low=True)]
"""More than 0 and at most 100 GB."""
PbxQueue = Annotated[str, _matching(rf"{_NAME}/[^\s/]{{1,80}}", 'connector/queue, for instance "pbx1/400"')]
Channel = Annotated[str, _matching(r"[A-Za-z][A-Za-z0-9_]*/[^\s,&|]+", 'tech/name, such as "PJSIP/trunk"')]
"""An Asterisk channel's technology and name, without its serial number."""
Context = Annotated[str, _matching(r"[A-Za-z0-9_.-]{1,79}", "letters, digits, dots, - and _")]
Interface = Annotated[str, _interface]
AbsolutePath = Annotated[str, _matching(r"/.*", "an absolute path")]
