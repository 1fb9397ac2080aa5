"""The web chat's own rules: who a visitor is, what he may post, how often."""

import json
import time
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest

from connectors.webchat import form, requests, visitors
from connectors.webchat.limits import Limit
from connectors.webchat.translator import Translation
from gateway.domain.errors import Invalid, TooMany, Unauthenticated
from gateway.domain.identities import Identity
from gateway.domain.messages import InboundMessage, InboundReceipt, MessageStatus

SECRET = "a secret of at least thirty-two characters"
NOW = datetime(2026, 11, 24, tzinfo=UTC)


def signed(secret: str = SECRET, algorithm: str = "HS256", **claims: Any) -> str:
    body = {"sub": "17", "exp": int(time.time()) + 300} | claims
    return jwt.encode({k: v for k, v in body.items() if v is not None}, secret, algorithm=algorithm)


def test_a_token_names_a_conversation_that_does_not_give_the_token_away() -> None:
    token = visitors.new_token()
    visitor = visitors.known("site", None, token)
    assert token not in visitor.key
    assert visitors.known("site", SECRET, token) == visitor
    assert visitors.known("site", None, visitors.new_token()).key != visitor.key


def test_the_sites_own_server_says_who_somebody_is() -> None:
    session = visitors.session("site", SECRET, signed(name="Нина", email="nina@example.org"))
    visitor = visitors.known("site", SECRET, session)
    assert (visitor.subject, visitor.name, visitor.email) == ("17", "Нина", "nina@example.org")
    again = visitors.known("site", SECRET, visitors.session("site", SECRET, signed()))
    assert again.key == visitor.key


@pytest.mark.parametrize(
    "forged",
    [
        signed(secret="another secret of thirty-two characters"),
        signed(exp=int(time.time()) - 300),
        signed(exp=None),
        signed(sub=None),
        signed(sub=""),
        jwt.encode({"sub": "17", "exp": int(time.time()) + 300}, None, algorithm="none"),  # type: ignore[arg-type]
        "v.short",
        "",
    ],
    # The tokens hold the time: two processes would name their tests differently.
    ids=["secret", "expired", "endless", "nameless", "no name", "unsigned", "short", "empty"],
)
def test_what_nobody_signed_is_nobody(forged: str) -> None:
    with pytest.raises(Unauthenticated):
        visitors.session("site", SECRET, forged)
    with pytest.raises(Unauthenticated):
        visitors.known("site", SECRET, forged)


def test_a_sites_jwt_and_another_chats_session_are_no_session() -> None:
    with pytest.raises(Unauthenticated):
        visitors.known("site", SECRET, signed())
    with pytest.raises(Unauthenticated):
        visitors.known("other", SECRET, visitors.session("site", SECRET, signed()))


@pytest.mark.parametrize(
    "body",
    [
        {"id": "1234-5678"},
        {"id": "x", "text": "short id"},
        {"id": "1234-5678", "text": "x" * 4097},
        {"id": "1234-5678", "text": ["no text"]},
        {"id": "1234-5678", "files": "a"},
        {"id": "1234-5678", "files": ["a"] * 11},
        {"id": "1234-5678", "text": "ok", "told": {"name": "x" * 201}},
        {"id": "1234/5678", "text": "ok"},
    ],
)
def test_what_is_no_message_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        requests.message(body)


def test_campaign_and_page_are_the_origin_and_nothing_that_runs_becomes_a_link() -> None:
    body = {"id": "1234-5678", "text": "a\0b", "page": "https://example.org/?utm_source=ya&utm_campaign=may"}
    said = requests.message(body)
    assert (said["text"], said["campaign"]) == ("ab", "ya / may")
    hostile = requests.message(body | {"page": "javascript:alert(1)", "referrer": "data:text/html,x"})
    assert (hostile["page"], hostile["referrer"]) == (None, None)
    assert requests.origin({"page": "http://[", "utm": {"utm_source": 5}})["campaign"] is None


def translated(update: dict[str, Any]) -> Any:
    (one,) = Translation("site", "RU")(json.dumps(update).encode(), NOW)
    return one


def test_what_is_signed_joins_and_what_is_told_does_not() -> None:
    said = requests.message(
        {"id": "1234-5678", "text": "x", "told": {"name": "Я", "phone": "8 999 123-45-67", "email": "none"}}
    )
    message = translated(said | {"key": "v1"})
    assert isinstance(message, InboundMessage)
    assert message.author.identity == Identity("webchat", "site:v1")
    assert message.author.told == (Identity("phone", "+79991234567"),)
    assert message.author.vouched == ()
    who = {"subject": "17", "name": "Нина", "email": "nina@example.org", "phone": ""}
    message = translated(said | {"key": "u1", "signed": who})
    assert (message.author.identity.value, message.author.name) == ("site:17", "Нина")
    assert message.author.vouched == (Identity("email", "nina@example.org"),)


def test_a_read_mark_reaches_back() -> None:
    mark = translated({"type": "read", "key": "v1", "message": "m1"})
    assert mark == InboundReceipt("m1", "v1", NOW, MessageStatus.READ, up_to=True)


def test_a_form_needs_an_address_that_can_be_used() -> None:
    with pytest.raises(Invalid):
        form.update({"name": "Нина", "phone": "112", "email": "nobody"}, "RU")
    told = form.update({"name": "Нина", "phone": "8 999 123-45-67", "call_me_back": "on"}, "RU")
    message = translated(told)
    assert message.author.identity == Identity("phone", "+79991234567")
    assert "asks to be called back" in message.text


def test_a_limit_lets_a_burst_through_and_then_its_rate() -> None:
    now = 0.0
    limit = Limit(3, 0.5, lambda: now)
    assert [limit.allows("a") for _ in range(4)] == [True, True, True, False]
    assert limit.allows("b")
    now = 2.0
    assert [limit.allows("a"), limit.allows("a")] == [True, False]
    with pytest.raises(TooMany):
        limit.take("a")
