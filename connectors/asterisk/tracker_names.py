"""What a channel's name and the numbers on it say: outside world, operator's phone, helper of the PBX."""

import re
from dataclasses import dataclass
from functools import lru_cache

from gateway.domain.calls import PbxRules
from gateway.domain.identities import phone

_NOTHING = frozenset({"", "<unknown>", "unknown", "s", "h", "<null>"})
_SERVICE = frozenset(
    {"Message", "Surrogate", "Snoop", "Announcer", "Recorder", "CBAnn", "CBRec", "AsyncGoto", "Bridge"}
)
_DIALLED = re.compile(r"(?:^|[/:])(\+?[0-9]{2,32})(?=$|[@;/])")
_SUFFIX = re.compile(r"-[0-9a-f]{4,}(?:;[12])?$")
_LONGEST = 128


@dataclass(frozen=True, slots=True)
class Face:
    """What a channel stands for: a person's line (outside or an operator's phone) or a part of the PBX."""

    person: bool
    trunk: bool
    local: bool
    extension: str | None


class Names:
    """Recognises channels by one PBX's rules. Inside and outside are told by the channel, never by a number:
    a caller from outside may well present himself as `102`."""

    def __init__(self, rules: PbxRules) -> None:
        self._trunks = rules.trunks
        self._country = rules.country
        before, _, after = rules.interface.partition("{extension}")
        self._phone = re.compile(re.escape(before) + r"([^/@]+?)" + re.escape(after))

    def face(self, channel: str) -> Face:
        """The face behind a channel name such as `PJSIP/101-0000001a` or `Local/101@agents-00000003;1`."""
        technology, _, rest = channel.partition("/")
        if technology == "Local":
            return Face(person=False, trunk=False, local=True, extension=rest.partition("@")[0] or None)
        if technology in _SERVICE or not rest:
            return Face(person=False, trunk=False, local=False, extension=None)
        if channel.startswith(self._trunks):
            return Face(person=True, trunk=True, local=False, extension=None)
        line = _SUFFIX.sub("", channel)
        match = self._phone.fullmatch(line)
        extension = match[1] if match else line.partition("/")[2].partition("@")[0]
        return Face(person=True, trunk=False, local=False, extension=extension or None)

    def public(self, raw: str | None) -> str | None:
        """`raw` in E.164, or None where it is no public number."""
        return _public(raw, self._country) if raw else None


@lru_cache(maxsize=16384)
def _public(raw: str, country: str) -> str | None:
    return phone(raw, country)


def text(value: str | None) -> str | None:
    """A header's value; None for every spelling of "nothing" that Asterisk has."""
    if value is None or value in _NOTHING:
        return None
    return value[:_LONGEST]


def dialled(dial_string: str | None) -> str | None:
    """The number inside a dial string (`89991234567@trunk`, `trunk/sip:89991234567@host`), if any."""
    match = _DIALLED.search(dial_string) if dial_string else None
    return match[1] if match else None


def half(channel: str) -> str:
    """What the two halves of a Local channel have in common: the name without `;1` or `;2`."""
    return channel[:-2] if channel.endswith((";1", ";2")) else channel
