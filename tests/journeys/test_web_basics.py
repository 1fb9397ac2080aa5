"""What every answer has: headers, problems, limits; health, the description, the desk's files."""

import asyncio
import io
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from openapi_spec_validator import validate
from sqlalchemy import update

from config.settings import Settings
from gateway import metrics
from gateway.app import Service
from gateway.domain.errors import NeedsAdministrator, StoreUnavailable
from gateway.store.contract import Store
from gateway.store.tables import sessions
from gateway.web import server
from gateway.web.deps import WebDeps
from gateway.web.server import LARGEST_BODY
from tests.journeys.clients import Client
from tests.journeys.conftest import PASSWORD, on_both

Person = Callable[[str], Awaitable[Client]]
Visitor = Callable[[], Client]


async def test_every_answer_tells_browsers_what_to_refuse(visitor: Visitor) -> None:
    for path in ("//", "//healthz", "/me", "//nowhere", "/openapi.json"):
        headers = (await visitor().get(path)).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Request-ID"]
        assert "aiohttp" not in headers["Server"]


async def test_a_refusal_is_a_problem_that_names_its_request(visitor: Visitor) -> None:
    for method, path, status in (
        ("GET", "/nowhere", 404),
        ("PUT", "/cards", 405),
        ("GET", "/me", 401),
        ("POST", "/session", 422),
    ):
        answer = await visitor().ask(method, path, {} if method != "GET" else None)
        assert answer.status == answer.body["status"] == status
        assert answer.headers["Content-Type"].startswith("application/problem+json")
        assert answer.body["request_id"] == answer.headers["X-Request-ID"]
        assert answer.body["type"].startswith("urn:perezvon:problem:")


async def test_a_callers_own_request_id_is_kept_unless_it_is_crooked(visitor: Visitor) -> None:
    given = await visitor().get("//healthz", headers={"X-Request-ID": "trace-17"})
    assert given.headers["X-Request-ID"] == "trace-17"
    crooked = await visitor().get("//healthz", headers={"X-Request-ID": "<script>" * 20})
    assert "<" not in crooked.headers["X-Request-ID"]


async def test_bodies_that_are_no_json_or_too_large_or_of_another_type_are_refused(person: Person) -> None:
    anna = await person("anna")
    json_type = {"Content-Type": "application/json"}
    for data, headers, status in (
        (b"{", json_type, 400),
        (io.BytesIO(b'{"name": "' + b"x" * LARGEST_BODY + b'"}'), json_type, 413),
        (b"name=x", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
        (b'{"name": "x"}', {"Content-Type": "text/plain"}, 415),
        (b"[]", json_type, 422),
        (b"[" * 100_000, json_type, 400),
        (b'{"name": "a\\u0000b"}', json_type, 422),
        (b'{"name": "\\ud800"}', json_type, 400),
        (b'{"name": "\xff"}', json_type, 400),
    ):
        answer = await anna.ask("POST", "/cards", data=data, headers=headers)
        assert answer.status == status, (data, answer.body)
    assert (await anna.get("/cards")).body["items"] == []


async def test_crooked_addresses_are_refused_and_break_nothing(person: Person) -> None:
    anna = await person("anna")
    for path in ("/cards?q=%ff", "/cards?q=%ed%a0%80", "/cards?q=%00", "/cards/%ff", "/cards?limit=1e9"):
        answer = await anna.get(path)
        assert answer.status in (200, 404, 422), (path, answer.body)


async def test_text_of_any_kind_comes_back_as_it_went_in(person: Person) -> None:
    anna = await person("anna")
    for name in ('O\'Brien "x" <b>&amp;', "'; drop table cards; --", "a\r\nb: c", "👩‍👩‍👧 Ёлка", "‮abc"):
        made = await anna.made("/cards", {"name": name, "note": name, "fields": {name: name}})
        read = (await anna.get(f"/cards/{made['id']}")).body
        assert (read["name"], read["note"], read["fields"]) == (name, name, {name: name})


async def test_the_description_is_valid_and_names_what_the_contract_names(visitor: Visitor) -> None:
    document = (await visitor().get("/openapi.json")).body
    validate(document)
    assert document["openapi"].startswith("3.1")
    schemas = document["components"]["schemas"]
    contract = "Card Lead Identity Call Contact Operator Queue Team Skill Connector Me TimelineEntry"
    assert {*contract.split(), "AuditEntry", "Problem", "Hello", "CardOpened"} <= schemas.keys()
    assert not [name for name in schemas if name.endswith("View") or "_" in name]
    assert {"id", "state", "disposition", "segments", "estimated"} <= set(schemas["Call"]["required"])
    assert document["x-events"]["card.opened"] == {"$ref": "#/components/schemas/CardOpened"}
    assert document["paths"]["/api/v1/cards/{id}"]["patch"]["x-role"] == "operator"


async def test_what_this_version_does_not_build_is_absent_from_the_description(visitor: Visitor) -> None:
    paths = (await visitor().get("/openapi.json")).body["paths"]
    for absent in ("reports", "webhooks", "crm"):
        assert not [path for path in paths if absent in path]


async def test_the_service_is_ready_and_says_how_its_parts_stand(service: Service, visitor: Visitor) -> None:
    alive, ready = await visitor().get("//healthz"), await visitor().get("//readyz")
    assert (alive.status, alive.body) == (200, {"status": "ok"})
    assert ready.status == 200
    assert ready.body["database"]["state"] == "up"
    service.draining = True
    draining = await visitor().get("//readyz")
    assert (draining.status, draining.body["status"]) == (503, "draining")
    service.draining = False


async def test_while_the_database_is_away_everything_answers_503_and_heals(
    service: Service, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = await person("anna")

    async def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(type(service.store), "read", away)
        patch.setattr(type(service.store), "write", away)
        ready = await anna.get("//readyz")
        assert (ready.status, ready.body["status"]) == (503, "unavailable")
        assert ready.body["database"]["detail"] == "the disk is full"
        refused = await anna.get("/cards")
        assert refused.status == 503
        assert int(refused.headers["Retry-After"]) >= 1
    assert (await anna.get("/cards")).status == 200
    assert (await anna.get("//readyz")).status == 200


async def test_a_full_disk_keeps_nobody_from_reading(
    service: Service, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = await person("anna")
    earlier = datetime.now(UTC) - timedelta(hours=1)
    await service.store.write(lambda tx: tx.execute(update(sessions).values(seen_at=earlier)) and None)

    async def full(*_: object, **__: object) -> None:
        raise StoreUnavailable("the disk is full")

    monkeypatch.setattr(type(service.store), "write", full)
    assert (await anna.get("/cards")).status == 200
    assert (await anna.post("/cards", {"name": "Nina"})).status == 503


async def test_a_fault_of_ours_is_told_by_its_number_and_logged(
    person: Person, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    anna = await person("anna")

    def broken(*_: object) -> None:
        raise KeyError("a secret of the inside")

    monkeypatch.setattr("gateway.services.queues.figures", broken)
    answer = await anna.get("/queues")
    assert answer.status == 500
    assert "secret" not in str(answer.body)
    logged = [r for r in caplog.records if getattr(r, "action", "") == "request_failed"]
    assert [r.__dict__["request_id"] for r in logged] == [answer.body["request_id"]]


async def test_requests_are_counted_by_route_and_never_by_path(person: Person) -> None:
    anna = await person("anna")
    card = await anna.made("/cards", {"name": "Nina"})
    await anna.get(f"/cards/{card['id']}")
    shown = metrics.render().decode()
    assert 'perezvon_http_requests_total{route="/api/v1/cards/{id}",status="200"}' in shown
    assert card["id"] not in shown


async def test_a_taken_port_is_said_with_its_remedy(service: Service, settings: Settings) -> None:
    port = int(service.address.rsplit(":", 1)[1])
    other = replace(settings, server=replace(settings.server, port=port))
    with pytest.raises(NeedsAdministrator) as refused:
        await _listen_on(other, service.store, service)
    assert str(port) in str(refused.value)
    assert "server.port" in refused.value.remedy


async def _listen_on(settings: Settings, store: Store, service: Service) -> None:
    await server.start(WebDeps(store=store, hub=service.hub, settings=settings, public_url="http://x"))


async def test_sixty_requests_at_once_are_all_answered(person: Person) -> None:
    anna = await person("anna")
    answers = await asyncio.gather(*(anna.get("/me") for _ in range(60)))
    assert {answer.status for answer in answers} == {200}


async def test_behind_a_tls_proxy_the_cookie_is_bound_to_the_host(
    settings: Settings, service: Service, staff: None, visitor: Visitor
) -> None:
    deps = WebDeps(
        store=service.store, hub=service.hub, settings=settings, public_url="https://desk.example.org"
    )
    behind = await server.start(deps)
    try:
        client = visitor()
        url = f"{behind.address}/api/v1/session"
        body = {"login": "anna", "password": PASSWORD}
        headers = {"Origin": "https://desk.example.org"}
        async with client.http.post(url, json=body, headers=headers) as response:
            assert response.status == 200
            cookie = response.headers["Set-Cookie"]
            assert cookie.startswith("__Host-perezvon_session=")
            assert "Secure" in cookie
            assert "max-age" in response.headers["Strict-Transport-Security"]
    finally:
        await behind.stop()


@on_both
async def test_crooked_ids_and_moments_are_refused_alike_on_both_databases(person: Person) -> None:
    admin = await person("admin")
    card = await admin.made("/cards", {"name": "Nina"})
    assert (await admin.get("/cards/nope")).status == 404
    assert (await admin.patch(f"/cards/{card['id']}", {"owner": "no-uuid"})).fields.keys() == {"owner"}
    for path in ("/calls", "/audit", "/recordings"):
        answer = await admin.get(f"{path}?since=0001-01-01T00:00:00%2B23:00")
        assert answer.fields.keys() == {"since"}, path


async def test_everything_kept_of_a_client_is_one_document_for_supervisors(person: Person) -> None:
    anna, admin = await person("anna"), await person("admin")
    card = await anna.made("/cards", {"name": "Nina"})
    await anna.made(f"/cards/{card['id']}/notes", {"text": "asked twice"})
    assert (await anna.get(f"/cards/{card['id']}/export")).status == 403
    document = (await admin.get(f"/cards/{card['id']}/export")).body
    assert document["card"]["id"] == card["id"]
    assert "asked twice" in [entry["summary"] for entry in document["timeline"]]
    assert document["complete"]
