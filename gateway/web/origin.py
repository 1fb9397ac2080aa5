"""Where requests come from: the browser's Origin, the client's address behind proxies."""

from collections.abc import Sequence
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from aiohttp import web

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_PORTS = {"http": 80, "https": 443}


def is_ours(request: web.Request, public_url: str) -> bool:
    """Whether a browser sent this from our own pages; who is no browser sends neither header."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in ("same-origin", "none"):
        return False
    origin = request.headers.get("Origin")
    return origin is None or same_origin(origin, public_url)


def same_origin(origin: str, public_url: str) -> bool:
    """Whether the two are one scheme, host and port; on loopback its names count as one."""
    try:
        return _parts(origin) == _parts(public_url)
    except ValueError:
        return False


def _parts(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    host = parts.hostname or ""
    return parts.scheme, "loopback" if host in _LOOPBACK else host, parts.port or _PORTS.get(parts.scheme)


def client_address(request: web.Request, trusted: Sequence[str]) -> str:
    """The address of the client: the nearest one in X-Forwarded-For that is no trusted proxy.

    The header is believed only as far as trusted proxies wrote it: anybody could write the rest.
    """
    address = request.remote or ""
    hops = request.headers.getall("X-Forwarded-For", [])
    forwarded = [hop.strip() for hop in ",".join(hops).split(",") if hop.strip()]
    while forwarded and _within(address, trusted):
        address = forwarded.pop()
    return address[:64]


def _within(address: str, networks: Sequence[str]) -> bool:
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    return any(ip in ip_network(network, strict=False) for network in networks)
