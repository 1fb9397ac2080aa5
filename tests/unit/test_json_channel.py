"""The channel for integrators: what updates mean, who signed them, what may be fetched; kinds of packages."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from config.problems import ConfigError
from config.secret import Secret
from connectors import registry
from connectors.json.sender import JsonSender
from connectors.json.settings import JsonSettings
from connectors.json.signing import is_signed, signature
from connectors.json.translator import Translation
from gateway.domain.errors import NeedsAdministrator, OutcomeUnknown, PermanentFailure, TemporaryFailure
from gateway.domain.identities import Identity
from gateway.domain.messages import (
    InboundDeletion,
    InboundEdit,
    InboundMessage,
    InboundReceipt,
    MessageKind,
    MessageStatus,
    OutgoingMessage,
)

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
SETTINGS = JsonSettings(
    kind="json", name="shop", secret=Secret("a long enough secret"), webhook="http://127.0.0.1:9/"
)
translate = Translation("shop", "RU")


def meaning(**update: Any) -> Any:
    (found,) = translate(json.dumps(update).encode(), NOW)
    return found


def test_a_message_names_its_client_with_what_the_integrator_vouches_for() -> None:
    who = {"id": "7", "name": "Нина", "phone": "8 (999) 123-45-67", "email": "Nina@Example.org"}
    at = "2026-11-24T12:00:00+03:00"
    found = meaning(type="message", id="m1", chat="c", text="да", at=at, **{"from": who})
    assert isinstance(found, InboundMessage)
    assert found.author.identity == Identity("other", "shop:7")
    assert found.author.vouched == (Identity("phone", "+79991234567"), Identity("email", "nina@example.org"))
    assert found.at == NOW


def test_an_unknown_kind_of_content_is_a_visible_placeholder() -> None:
    found = meaning(type="message", id="m1", chat="c", kind="hologram", **{"from": {"id": "7"}})
    assert (found.kind, found.text) == (MessageKind.UNKNOWN, "")


def test_edits_deletions_and_receipts_name_their_message() -> None:
    assert meaning(type="edit", message="m1", chat="c", text="x") == InboundEdit("m1", "c", NOW, "x")
    assert meaning(type="delete", message="m1", chat="c") == InboundDeletion(("m1",), "c", NOW)
    receipt = meaning(type="receipt", message="m1", chat="c", status="read", up_to=True)
    assert receipt == InboundReceipt("m1", "c", NOW, MessageStatus.READ, None, up_to=True)


@pytest.mark.parametrize(
    "update",
    [
        {"type": "message", "chat": "c", "from": {"id": "7"}},
        {"type": "message", "chat": "c", "id": "m"},
        {"type": "message", "chat": "c", "id": "m", "from": {"id": "7"}, "at": "2026-11-24T12:00:00"},
        {"type": "receipt", "chat": "c", "message": "m", "status": "sent"},
        {"type": "dance", "chat": "c"},
    ],
)
def test_what_says_too_little_is_not_guessed_at(update: Any) -> None:
    with pytest.raises((KeyError, ValueError)):
        translate(json.dumps(update).encode(), NOW)


@given(body=st.binary(max_size=200), at=st.integers(0, 2**33), off=st.integers(-300, 300))
def test_what_was_signed_is_known_and_nothing_else(body: bytes, at: int, off: int) -> None:
    header = signature("secret", body, at)
    assert is_signed("secret", header, body, at + off)
    assert not is_signed("another", header, body, at)
    assert not is_signed("secret", header, body + b"x", at)
    assert not is_signed("secret", header, body, at + 301)


def test_settings_that_would_leak_or_be_guessed_are_refused() -> None:
    table = {"kind": "json", "name": "shop", "webhook": "http://shop.example.org/", "secret": "short"}
    with pytest.raises(ConfigError) as refused:
        registry.parse_connector(table)
    assert {problem.path.rpartition(".")[2] for problem in refused.value.problems} == {"webhook", "secret"}


@pytest.fixture
async def other_side() -> AsyncIterator[str]:
    async def answer(request: web.Request) -> web.Response:
        match request.path:
            case "/file":
                return web.Response(body=b"x" * 100)
            case "/away":
                raise web.HTTPFound("/file")
            case path:
                return web.json_response({"id": "theirs"}, status=int(path[1:]))

    app = web.Application()
    app.router.add_route("*", "/{any:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        (429, TemporaryFailure),
        (503, TemporaryFailure),
        (401, NeedsAdministrator),
        (410, PermanentFailure),
        (404, PermanentFailure),
        (302, PermanentFailure),
        (500, OutcomeUnknown),
    ],
)
async def test_what_an_answer_means(other_side: str, status: int, failure: type[Exception]) -> None:
    async with JsonSender(replace(SETTINGS, webhook=f"{other_side}/{status}"), str) as sender:
        with pytest.raises(failure):
            await sender.send(OutgoingMessage("m", "c", 1, text="x"))


async def test_the_receivers_own_id_is_kept_and_nobody_there_means_not_taken(other_side: str) -> None:
    async with JsonSender(replace(SETTINGS, webhook=f"{other_side}/200"), str) as sender:
        assert (await sender.send(OutgoingMessage("m", "c", 1, text="x"))).external_id == "theirs"
    async with JsonSender(SETTINGS, str) as sender:
        with pytest.raises(TemporaryFailure):
            await sender.send(OutgoingMessage("m", "c", 1, text="x"))


async def test_files_come_from_allowed_hosts_alone_without_redirects_and_within_limits(
    other_side: str, tmp_path: Path
) -> None:
    async with JsonSender(SETTINGS, str) as sender:
        await sender.fetch(f"{other_side}/file", tmp_path / "a", 100)
        assert (tmp_path / "a").stat().st_size == 100
        for reference in (
            "http://192.168.0.1/file",
            "file:///etc/passwd",
            other_side.replace("127.0.0.1", "localhost") + "/file",
            f"{other_side}/away",
        ):
            with pytest.raises(PermanentFailure):
                await sender.fetch(reference, tmp_path / "b", 100)
        with pytest.raises(PermanentFailure, match="larger"):
            await sender.fetch(f"{other_side}/file", tmp_path / "c", 99)


MINE = registry.Kind(JsonSettings, "somewhere:Mine", "chat")


def test_an_installed_package_brings_its_kind_and_a_broken_one_only_lacks_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    points = EntryPoints(
        [
            EntryPoint("mine", f"{__name__}:MINE", registry.GROUP),
            EntryPoint("broken", "no_such_module:KIND", registry.GROUP),
            EntryPoint("wrong", "json:dumps", registry.GROUP),
        ]
    )
    monkeypatch.setattr(registry, "entry_points", lambda group: points.select(group=group))
    assert registry._installed() == {"mine": MINE}
