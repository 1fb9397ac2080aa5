"""The words by which a card is found: stems of names and notes, tags, and the suffixes of its numbers.

A fragment of a number is a prefix of one of its suffixes, and a word half typed is a prefix of a stem or of
the word itself, so that one ordered index answers both on either database.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

import snowballstemmer

MIN_DIGITS = 3
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


def of_query(query: str) -> list[str]:
    """The terms that a card must all have for `query`; a term ending in `*` is a prefix.

    Digits typed with spaces, brackets or dashes between them are one fragment; a leading 8 or +7 is dropped
    from a full Russian-style number only by the phone look-up, never here: a fragment is literal.
    """
    text = query.strip().lower()
    digits = re.sub(r"[\s().+\-]", "", text)
    if digits.isdigit() and len(digits) >= MIN_DIGITS:
        return [f"d:{digits}*"]
    found: list[str] = []
    spoken = words(text)
    for position, word in enumerate(spoken):
        if word.isdigit() and len(word) >= MIN_DIGITS:
            found.append(f"d:{word}*")
        elif position == len(spoken) - 1:
            found.append(f"w:{word}*"[:_MAX_TERM])
        else:
            found.append(f"w:{stem(word)}")
    return found
