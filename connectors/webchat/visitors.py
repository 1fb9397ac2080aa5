"""Who a visitor is: a random token that only his browser knows, or what the site's own server signed.

A token is never stored: its hash names the conversation, so that neither an id seen at the desk nor one in
the books opens anything.
"""

import hashlib
import re
import secrets
import time
from dataclasses import dataclass
from typing import Any

import jwt

from gateway.domain.errors import Unauthenticated

ALGORITHMS = ["HS256", "HS384", "HS512"]
SESSION_S = 30 * 86_400
LEEWAY_S = 60
_TOKEN = re.compile(r"v\.[A-Za-z0-9_-]{43}")
_CLAIMS = ("name", "email", "phone")


@dataclass(frozen=True, slots=True)
class Visitor:
    """`key` names his conversation; `subject` is the site's own id of him where its server signed it, and
    `name`, `email`, `phone` what it signed besides."""

    key: str
    subject: str | None = None
    name: str = ""
    email: str = ""
    phone: str = ""


def new_token() -> str:
    """A token for a new visitor."""
    return f"v.{secrets.token_urlsafe(32)}"


def session(connector: str, secret: str, signed: str) -> str:
    """A token for whom the site's server signed; raises `Unauthenticated` for what it did not sign.

    The JWT (RFC 7519) needs `sub` and `exp`; `name`, `email` and `phone` are taken over.
    """
    claims = _decoded(secret, signed, audience=None)
    own = {name: str(claims[name])[:200] for name in _CLAIMS if claims.get(name)}
    body = own | {
        "sub": str(claims["sub"]),
        "aud": _audience(connector),
        "exp": int(time.time()) + SESSION_S,
    }
    return jwt.encode(body, secret, algorithm="HS256")


def known(connector: str, secret: str | None, token: str) -> Visitor:
    """Whose token it is; raises `Unauthenticated`."""
    if _TOKEN.fullmatch(token):
        return Visitor("v" + _digest(token))
    if secret is None:
        raise Unauthenticated
    claims = _decoded(secret, token, audience=_audience(connector))
    subject = str(claims["sub"])
    return Visitor("u" + _digest(subject), subject, *(str(claims.get(name, "")) for name in _CLAIMS))


def _decoded(secret: str, token: str, audience: str | None) -> dict[str, Any]:
    required = ["sub", "exp"]
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            secret,
            algorithms=ALGORITHMS,
            audience=audience,
            leeway=LEEWAY_S,
            options={"require": required, "verify_aud": audience is not None},
        )
    except jwt.PyJWTError:
        raise Unauthenticated("the identity is not signed, or expired") from None
    if not 0 < len(str(claims["sub"])) <= 150:
        raise Unauthenticated("sub must have 1 to 150 characters")
    return claims


def _audience(connector: str) -> str:
    return f"perezvon:{connector}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:40]
