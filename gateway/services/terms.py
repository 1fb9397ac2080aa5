"""The words by which a card is found: stems of names and notes, tags, and the suffixes of its numbers.

A fragment of a number is a prefix of one of its suffixes, and a word half typed is a prefix of a stem or of
the word itself, so that one ordered index answers both on either database.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

import snowballstemmer

MIN_DIGITS = 3
_WHOLE_NUMBER = 10
_WORD = re.compile(r"[^\W_]+")
_MAX_TERM = 64
_MAX_WORDS = 200
_russian = snowballstemmer.stemmer("russian")
_english = snowballstemmer.stemmer("english")


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """The stem of a lower-case word: Russian for Cyrillic, English for Latin; ё counts as е."""
    folded = word.replace("ё", "е")
    stemmer = _russian if any("а" <= c <= "я" for c in folded) else _english
    return str(stemmer.stemWord(folded))[:_MAX_TERM]


def words(text: str) -> list[str]:
    """The words of a text in lower case, in order, without marks and punctuation."""
    return [match.replace("ё", "е") for match in _WORD.findall(text.lower())]


def of_text(texts: Iterable[str]) -> set[str]:
    """Index terms of free text: `w:` stem and, because names are typed letter by letter, the word itself."""
    found: set[str] = set()
    for word in words(" ".join(texts))[:_MAX_WORDS]:
        found.update((f"w:{stem(word)}"[:_MAX_TERM], f"w:{word}"[:_MAX_TERM]))
    return found


def of_identity(kind: str, value: str) -> set[str]:
    """Index terms of an identity: `d:` each suffix of a number's digits; else its words and the whole."""
    if kind in ("phone", "whatsapp"):
        digits = value.lstrip("+")
        return {f"d:{digits[i:]}" for i in range(len(digits) - MIN_DIGITS + 1)}
    return of_text([value]) | {f"w:{value.lower()}"[:_MAX_TERM]}


def of_tags(tags: Iterable[str]) -> set[str]:
    """Index terms of tags: `t:` the tag in lower case."""
    return {tag_term(tag) for tag in tags}


def tag_term(tag: str) -> str:
    """The index term of one tag."""
    return f"t:{tag.strip().lower()}"[:_MAX_TERM]


def of_query(query: str) -> list[tuple[str, ...]]:
    """What a card must have for `query`: of each tuple at least one term; one ending in `*` is a prefix.

    Digits typed with spaces, brackets or dashes between them are one fragment of a number.
    """
    text = query.strip().lower()
    digits = re.sub(r"[\s().+\-]", "", text)
    if digits.isdigit() and len(digits) >= MIN_DIGITS:
        return [_number(digits)]
    spoken = words(text)
    return [_word(word, last=position == len(spoken) - 1) for position, word in enumerate(spoken)]


def _number(digits: str) -> tuple[str, ...]:
    # A whole number may begin with a trunk or exit prefix (8 916..., 00 49...) that its E.164 form lacks.
    spellings = [digits, digits.lstrip("0")]
    if len(digits) >= _WHOLE_NUMBER:
        spellings.append(digits[1:])
    return tuple(f"d:{s}*" for s in dict.fromkeys(spellings) if len(s) >= MIN_DIGITS)


def _word(word: str, *, last: bool) -> tuple[str, ...]:
    if word.isdigit() and len(word) >= MIN_DIGITS:
        return _number(word)
    stemmed = f"w:{stem(word)}"[:_MAX_TERM]
    # The last word may not be typed to its end yet.
    return (f"w:{word}"[: _MAX_TERM - 1] + "*", stemmed) if last else (stemmed,)
