"""Settings of a connector of kind "json": a channel for integrators."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from config.problems import Finding, Wrong
from config.rules import rule
from config.settings import ConnectorSettings
from config.values import Host, Password, is_loopback


def _web_address(value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username
        _ = parts.port
    except ValueError:
        usable = False
    if not usable:
        raise Wrong(f"{value!r} is no web address", 'write for instance "https://shop.example.org/perezvon"')
    return value


@dataclass(frozen=True, kw_only=True)
class JsonSettings(ConnectorSettings):
    """Somebody's own program posts messages in, and we post the operators' replies out, both signed."""

    secret: Password
    """Signs both ways: HMAC-SHA256 in the header `Perezvon-Signature`. At least 16 characters."""
    webhook: Annotated[str, _web_address]
    """Where replies are posted. `https` off loopback."""
    idempotent: bool = False
    """Whether the receiver does nothing twice for the same `id`. Then a reply whose answer was lost is posted
    again; otherwise it is shown as `unknown` and a person decides."""
    file_hosts: tuple[Host, ...] = ()
    """Hosts from which attachments of incoming messages may be fetched. Default: that of `webhook` alone, so
    that nobody who has the secret can make us read addresses of our own network."""

    @rule("secret")
    def _is_no_guess(secret: Password) -> Iterator[Finding]:
        if len(secret.reveal()) < 16:
            yield Finding("secret", "is short enough to be guessed", "write at least 16 characters")

    @rule("webhook")
    def _is_read_by_nobody(webhook: str) -> Iterator[Finding]:
        parts = urlsplit(webhook)
        if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
            yield Finding("webhook", f"replies would go to {parts.hostname} in clear", "write https://")
