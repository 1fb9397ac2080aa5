"""Every key of any TOML text is found at its line."""

import tomllib
from typing import Any

import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from config.lines import key_lines

TRICKY = '''\
# [not.a.table]
title = "a # b [c] = 'd'"  # e = 1

[server]
"quoted key" = 1
'raw "key"' = """
[no.table]
x = 1 \\""" still"""
after = [
    1, "]", # ]
    { inner = 1, deep.er = [ 2 ] },
]
a.b.c = { d = {e = 1}, f = '}' }
raw = \'\'\'it''s
fine\'\'\'

[[connectors]]
name = "a"
[connectors.imap]
host = "h"
[[connectors]]
name = "b"
[[connectors.rules]]
when = 2026-11-24 10:00:00
last = 1
'''


def test_the_lines_of_a_tricky_text_are_right() -> None:
    tomllib.loads(TRICKY)
    found = key_lines(TRICKY)
    expected: dict[tuple[str | int, ...], int] = {
        ("title",): 2,
        ("server",): 4,
        ("server", "quoted key"): 5,
        ("server", 'raw "key"'): 6,
        ("server", "after"): 9,
        ("server", "after", 1): 10,
        ("server", "after", 2, "inner"): 11,
        ("server", "after", 2, "deep", "er"): 11,
        ("server", "a", "b", "c", "d", "e"): 13,
        ("server", "a", "b", "c", "f"): 13,
        ("server", "raw"): 14,
        ("connectors",): 17,
        ("connectors", 0, "name"): 18,
        ("connectors", 0, "imap"): 19,
        ("connectors", 0, "imap", "host"): 20,
        ("connectors", 1): 21,
        ("connectors", 1, "name"): 22,
        ("connectors", 1, "rules", 0, "when"): 24,
        ("connectors", 1, "rules", 0, "last"): 25,
    }
    assert {keys: found.get(keys) for keys in expected} == expected
    assert ("not",) not in found
    assert ("server", "x") not in found


_keys = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)
_scalars = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.integers(-(2**63), 2**63 - 1),
    st.booleans(),
    st.floats(allow_nan=False),
)
_values = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.dictionaries(_keys, _values, max_size=5))
def test_every_key_of_any_text_is_found_and_none_besides(data: dict[str, Any]) -> None:
    text = tomlkit.dumps(data)
    wanted = set(_paths(tomllib.loads(text)))
    found = key_lines(text)
    assert set(found) == wanted
    assert all(1 <= line <= text.count("\n") + 1 for line in found.values())


def _paths(value: object, keys: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    members: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        members = list(value.items())
    elif isinstance(value, list):
        members = list(enumerate(value))
    below = [path for key, member in members for path in _paths(member, (*keys, key))]
    return [keys, *below] if keys else below
