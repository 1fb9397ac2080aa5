"""Identities: addresses at which a client is reached, each in one normal form per kind."""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

import phonenumbers

from gateway.domain.errors import Invalid


class Level(StrEnum):
    """How surely an identity belongs to a card."""

    KNOWN = "known"
    MAYBE = "maybe"


@dataclass(frozen=True, slots=True)
class Identity:
    """(kind, normal form)."""

    kind: str
    value: str


KINDS = ("phone", "email", "telegram", "webchat", "whatsapp", "vk", "max", "viber", "matrix", "xmpp", "other")
_HIDDEN = frozenset(
    {"", "anonymous", "unknown", "<unknown>", "restricted", "unavailable", "private", "asterisk", "s"}
)
_EMAIL = re.compile(r"[^@\s<>\"(),;:\\\[\]]+@[^@\s<>\"(),;:\\\[\]]+\.[^@\s<>\"(),;:\\\[\]]+")
_MAX_LENGTH = 255


def phone(raw: str, country: str) -> str | None:
    """`raw` in E.164, or None where it is no public number: anonymous, short, internal or malformed.

    `country` (ISO 3166) serves numbers written without a country code. Source: libphonenumber; short and
    invalid numbers parse there as well ("112" gives +7112), hence the check of validity.
    """
    text = raw.strip()
    if text.lower() in _HIDDEN or not any(c.isdigit() for c in text):
        return None
    for candidate in _spellings(text, country):
        try:
            number = phonenumbers.parse(candidate, country)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return None


def _spellings(text: str, country: str) -> list[str]:
    # Trunks hand numbers over as 74951234567 or 0049...: neither a national nor a "+" spelling.
    spellings = [text]
    digits = re.sub(r"[\s().\-]", "", text)
    if digits.isdigit() and digits.isascii():
        if digits.startswith("00"):
            spellings.append("+" + digits[2:])
        elif digits.startswith(str(phonenumbers.country_code_for_region(country))) or len(digits) >= 11:
            spellings.append("+" + digits)
    return spellings


def email(raw: str) -> str | None:
    """`raw` as a lower-case address (RFC 5321 mailbox without display name), or None where it is none."""
    text = unicodedata.normalize("NFC", raw.strip()).lower()
    return text if len(text) <= _MAX_LENGTH and _EMAIL.fullmatch(text) else None


def normalise(kind: str, raw: str, country: str) -> Identity:
    """The identity that `raw` spells; raises `Invalid` naming the field and the remedy."""
    if kind not in KINDS:
        raise Invalid.one("kind", f"one of {', '.join(KINDS)}")
    value = _normal_value(kind, raw, country)
    if value is None:
        raise Invalid.one("value", _REMEDIES.get(kind, "1 to 255 printable characters"))
    return Identity(kind, value)


_REMEDIES = {
    "phone": "a full public number, such as +7 495 123-45-67; short and internal numbers are no identities",
    "email": "an address such as anna@example.org",
}


def _normal_value(kind: str, raw: str, country: str) -> str | None:
    match kind:
        case "phone" | "whatsapp":
            return phone(raw, country)
        case "email":
            return email(raw)
        case _:
            text = unicodedata.normalize("NFC", raw.strip())
            return text if 0 < len(text) <= _MAX_LENGTH and text.isprintable() else None


def shown(value: str) -> str:
    """An E.164 number as people write it in international form; anything else as it is."""
    try:
        number = phonenumbers.parse(value)
    except phonenumbers.NumberParseException:
        return value
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
