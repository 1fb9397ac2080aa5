"""Settings of a connector of kind "webchat"."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from config.problems import Finding, Wrong
from config.rules import rule
from config.settings import ConnectorSettings
from config.values import Megabytes, Password

ASKED = ("name", "email", "phone")


def _origin(value: str) -> str:
    try:
        parts = urlsplit(value)
        bare = parts.scheme in ("http", "https") and value == f"{parts.scheme}://{parts.netloc}"
        usable = bare and bool(parts.hostname) and not parts.username and value == value.lower()
        _ = parts.port
    except ValueError:
        usable = False
    if not usable:
        raise Wrong(f"{value!r} is no origin", 'write scheme and host alone, such as "https://example.org"')
    return value


def _asked(value: str) -> str:
    if value not in ASKED:
        raise Wrong(f"{value!r} cannot be asked for", f"write one of {', '.join(ASKED)}")
    return value


def _text(value: str) -> str:
    if len(value) > 500:
        raise Wrong("is too long for a small window", "write at most 500 characters")
    return value


Text = Annotated[str, _text]


@dataclass(frozen=True, kw_only=True)
class WebchatSettings(ConnectorSettings):
    """The chat on a client's own site."""

    allowed_origins: tuple[Annotated[str, _origin], ...] = ()
    """Sites that may carry the widget and the form. Perezvon's own pages always may."""
    title: Text = ""
    """Heading of the window; default: the widget's own words in the visitor's language."""
    greeting: Text = ""
    """First words to a visitor while the queue is open; default as above."""
    offline: Text = ""
    """First words while the queue is closed or nobody is there; default as above."""
    ask: tuple[Annotated[str, _asked], ...] = ()
    """What a visitor is asked for before his first message: `name`, `email`, `phone`. Phone and email are
    his own words: shown as candidates, never joined by themselves."""
    identity_secret: Password | None = None
    """Shared with the site's own server, which signs a JWT (HS256) about whoever is signed in there. At least
    32 characters."""
    largest_file_mb: Megabytes = 10.0
    """Largest file that a visitor may send, 10^6 bytes."""

    @rule("identity_secret")
    def _is_no_guess(identity_secret: Password | None) -> Iterator[Finding]:
        if identity_secret is not None and len(identity_secret.reveal()) < 32:
            yield Finding("identity_secret", "is short enough to be guessed", "write at least 32 characters")
