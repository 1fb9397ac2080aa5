"""Names as strangers send them: caller names, subjects, nicknames."""

import unicodedata

_MOST = 200
_HIDDEN = frozenset({"anonymous", "unknown", "<unknown>", "restricted", "unavailable", "private", "asterisk"})
# Marks that turn the direction of text around and so can make one name look like another (Unicode TR36).
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean(raw: str | None) -> str:
    """`raw` as one line of plain text of at most 200 characters: no control or direction marks.

    Empty where it says nothing about who it is: hidden callers, and numbers given as names.
    """
    text = unicodedata.normalize("NFC", raw or "")
    text = "".join(c if c.isprintable() else " " for c in text if c not in _BIDI)
    text = " ".join(text.replace('\\"', '"').replace("\\'", "'").split())[:_MOST]
    is_number = not any(c.isalpha() for c in text) and any(c.isdigit() for c in text)
    return "" if is_number or text.lower() in _HIDDEN else text
