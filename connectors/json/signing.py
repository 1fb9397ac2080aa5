"""The signature of both ways, that of Perezvon's outgoing webhooks: `Perezvon-Signature: t=UNIX,v1=HEX`.

HEX is HMAC-SHA256 of `"{t}.{body}"` under the shared secret; `t` may be 300 s off, so that what was read on
the way is of no use later.
"""

import hashlib
import hmac
import re

HEADER = "Perezvon-Signature"
TOLERANCE_S = 300
_SHAPE = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})")


def signature(secret: str, body: bytes, at_s: int) -> str:
    """The header's value for `body` at that time (seconds since 1970)."""
    return f"t={at_s},v1={_digest(secret, body, at_s)}"


def is_signed(secret: str, header: str, body: bytes, now_s: float) -> bool:
    """Whether the header was made with the secret for this body, not long ago."""
    found = _SHAPE.fullmatch(header)
    if found is None:
        return False
    at_s = int(found[1])
    same = hmac.compare_digest(found[2], _digest(secret, body, at_s))
    return same and abs(now_s - at_s) <= TOLERANCE_S


def _digest(secret: str, body: bytes, at_s: int) -> str:
    return hmac.new(secret.encode(), b"%d." % at_s + body, hashlib.sha256).hexdigest()
