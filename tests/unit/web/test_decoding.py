"""Bodies and query strings: right ones come through, wrong ones are told field by field."""

import contextlib
import re
from typing import Annotated, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import MultiDict

from gateway.domain.errors import Invalid
from gateway.services.people_input import OperatorCreate
from gateway.services.views.common import Body
from gateway.web.decoding import Malformed, decode_body, decode_query


class Form(Body, frozen=True):
    """A form."""

    name: str
    size: Annotated[int, msgspec.Meta(ge=1)] = 1
    kind: Literal["a", "b"] = "a"
    tags: list[str] = msgspec.field(default_factory=list)


def mistakes(raw: bytes) -> dict[str, str]:
    with pytest.raises(Invalid) as wrong:
        decode_body(raw, Form)
    return {error.field: error.message for error in wrong.value.errors}


def test_a_right_body_comes_through() -> None:
    assert decode_body(b'{"name": "x", "tags": ["t"]}', Form) == Form(name="x", tags=["t"])


def test_every_wrong_missing_and_unknown_field_is_told_at_once() -> None:
    found = mistakes(b'{"size": 0, "kind": "c", "tags": ["t", 7], "colour": "red"}')
    assert found.keys() == {"name", "size", "kind", "tags[1]", "colour"}
    assert found["name"] == "is required"
    assert found["colour"] == "there is no such field"


def test_a_body_that_is_no_object_is_one_mistake() -> None:
    assert mistakes(b"[]").keys() == {""}


@pytest.mark.parametrize("raw", [b"{", b"\xff", b'{"name": "\xff"}', b"[" * 100_000, b'{"name": 1} x'])
def test_what_is_no_json_is_malformed(raw: bytes) -> None:
    with pytest.raises(Malformed):
        decode_body(raw, Form)


@pytest.mark.parametrize("raw", [b'{"name": "a\\u0000"}', b'{"name": "\\\\\\u0000"}'])
def test_the_character_nul_which_no_database_takes_is_refused(raw: bytes) -> None:
    with pytest.raises(Invalid):
        decode_body(raw, Form)


def test_what_only_looks_like_nul_is_taken() -> None:
    assert decode_body(b'{"name": "\\\\u0000"}', Form).name == "\\u0000"


@pytest.mark.parametrize("raw", [b"", b"{}"])
def test_a_route_without_a_body_takes_none_and_an_empty_one(raw: bytes) -> None:
    assert decode_body(raw, None) is None


def test_a_route_without_a_body_refuses_fields() -> None:
    with pytest.raises(Invalid):
        decode_body(b'{"force": true}', None)


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_a_refusal(raw: bytes) -> None:
    with contextlib.suppress(Malformed, Invalid):
        decode_body(raw, OperatorCreate)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
fields = st.sampled_from(["login", "name", "role", "teams", "skills", "capacity", "endpoints", "x"])


@given(st.dictionaries(fields, json_values, max_size=8))
def test_whatever_a_form_holds_it_is_taken_or_its_fields_are_named(body: dict[str, object]) -> None:
    told: list[str] = []
    try:
        decode_body(msgspec.json.encode(body), OperatorCreate)
    except Invalid as wrong:
        told = [re.split(r"[.\[]", error.field)[0] for error in wrong.errors]
    assert {*told} <= {*body, "login", "name", ""}


def test_query_strings_are_read_as_numbers_and_lists() -> None:
    query = MultiDict([("name", "x"), ("size", "3"), ("tags", "a"), ("tags", "b")])
    assert decode_query(query, Form) == Form(name="x", size=3, tags=["a", "b"])


def test_mistakes_of_a_query_string_are_told_by_field() -> None:
    with pytest.raises(Invalid) as wrong:
        decode_query(MultiDict([("size", "many"), ("page", "2")]), Form)
    assert {e.field for e in wrong.value.errors} == {"name", "size", "page"}
