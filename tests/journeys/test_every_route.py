"""Every route against people of another team, lower roles, narrow tokens, other sites and nobody at all.

The cases are made from the route table, so a route that is added without a sample here fails.
"""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from sqlalchemy import Connection, select

from config.settings import Settings
from config.values import storage_folder
from gateway.app import Service
from gateway.demo.sound import wav
from gateway.domain.calls import Call, CallEvent, CallEventType, CallState, Direction, Party
from gateway.domain.ids import call_id, new_id
from gateway.domain.people import Role
from gateway.domain.recordings import Blob
from gateway.services.intake import VoiceIntake
from gateway.store.schema import metadata
from gateway.store.tables import connectors, contacts, recording_peaks, recordings
from gateway.web.routes import Form, Route
from gateway.web.server import build
from gateway.web.table import ROUTES
from recordings.library import Library
from tests.journeys import talking
from tests.journeys.clients import Answer, Client
from tests.journeys.conftest import PASSWORD, on_both

Person = Callable[[str], Awaitable[Client]]

PUBLIC = {
    ("POST", "/api/v1/session"),
    ("GET", "/api/v1/openapi.json"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
}
GLOBAL = ("skills", "connectors")
"""Resources that belong to no team."""
CALLER = "+79991234567"
SILENCE = wav()


@dataclass(frozen=True)
class Things:
    """One of each kind, of the team north."""

    ids: dict[str, str]

    def path(self, route: Route) -> str:
        """The route's path with the thing of its resource in it."""
        noun = route.path.split("/")[1]
        noun = "other_lead" if route.path == "/leads/{id}/reject" else noun
        noun = next((one for one in (route.path, f"{route.method} {route.path}") if one in self.ids), noun)
        path = route.path.replace("{id}", self.ids.get(noun, ""))
        return path.replace("{kind}", "phone").replace("{value}", CALLER.replace("+", "%2B"))


def sample(route: Route, things: Things) -> Any:
    """A body that the route takes; KeyError for a route without one."""
    if route.body is None:
        return None
    samples: dict[tuple[str, str], Any] = {
        ("POST", "/session"): {"login": "anna", "password": PASSWORD},
        ("PATCH", "/me"): {"language": "en"},
        ("POST", "/cards"): {"name": "Somebody new"},
        ("PATCH", "/cards/{id}"): {"note": "changed"},
        ("POST", "/cards/{id}/merge"): {"other_id": things.ids["other_card"]},
        ("POST", "/cards/{id}/identities"): {"kind": "email", "value": "nina@example.org"},
        ("PATCH", "/cards/{id}/identities/{kind}/{value}"): {"label": "work"},
        ("POST", "/cards/{id}/notes"): {"text": "a note"},
        ("POST", "/cards/{id}/leads"): {"note": "wants more"},
        ("PATCH", "/leads/{id}"): {"status": "in_work"},
        ("POST", "/leads/{id}/reject"): {"reason": "too dear"},
        ("PATCH", "/calls/{id}"): {"note": "was angry"},
        ("POST", "/cards/{id}/tasks"): {"text": "call back", "due_at": "2026-12-01T10:00:00Z"},
        ("PATCH", "/tasks/{id}"): {"text": "write"},
        ("POST", "/operators"): {"login": "zoe", "name": "Zoe"},
        ("PATCH", "/operators/{id}"): {"capacity": {"chat": 2}},
        ("PUT", "/operators/{id}/presence"): {"state": "paused"},
        ("PUT", "/operators/{id}/endpoint"): {"pbx": "pbx1", "extension": "199"},
        ("POST", "/teams"): {"name": "west"},
        ("PATCH", "/teams/{id}"): {"name": "far north"},
        ("POST", "/skills"): {"name": "german"},
        ("PATCH", "/skills/{id}"): {"name": "klingon"},
        ("POST", "/queues"): {"name": "fresh"},
        ("PATCH", "/queues/{id}"): {"hours": "Mon-Fri 09:00-18:00"},
        ("POST", "/contacts/{id}/transfer"): {"queue": "north2"},
        ("POST", "/contacts/{id}/defer"): {"until": (datetime.now(UTC) + timedelta(days=1)).isoformat()},
        ("POST", "/contacts/{id}/close"): {"outcome": "sold"},
        ("POST", "/threads/{id}/messages"): {"text": "we are on our way"},
        ("POST", "/cards/{id}/threads"): {"connector": "shop", "to": "shop:42", "text": "good morning"},
        ("POST", "/threads/{id}/assign"): {"queue": "north2"},
        ("POST", "/threads/{id}/read"): {},
        ("POST", "/threads/{id}/typing"): {"what": "viewing"},
        ("POST", "/threads/{id}/draft"): {"text": "so far"},
        ("PATCH", "/messages/{id}"): {"text": "changed"},
        ("POST", "/templates"): {"name": "Greeting", "text": "Hello, {{client.name}}"},
        ("PATCH", "/templates/{id}"): {"text": "Good day"},
    }
    return samples[route.method, route.path]


async def ask(client: Client, route: Route, things: Things) -> Answer:
    """A valid request of the route."""
    if route.body is Form:
        form = talking.upload() if route.path == "/attachments" else upload()
        return await client.ask(route.method, things.path(route), data=form)
    query = {"/cards/lookup": "?kind=phone&value=" + CALLER.replace("+", "%2B")}.get(route.path, "")
    return await client.ask(route.method, things.path(route) + query, sample(route, things))


def upload() -> aiohttp.FormData:
    form = aiohttp.FormData({"pbx": "pbx1", "uniqueid": "1763974800.7"})
    form.add_field("file", SILENCE, filename="q-1763974800.7.wav")
    return form


async def failed_recording(service: Service, call_id: str) -> str:
    """One that can be listened to, tried again and deleted: its file is here, encoding it failed."""
    library = Library(storage_folder(service.settings.storage.url))
    blob = Blob(hashlib.sha256(SILENCE).hexdigest(), "wav", len(SILENCE))
    with library.draft() as folder:
        (folder / "file").write_bytes(SILENCE)
        library.keep(folder / "file", blob)
    made = {"id": new_id(), "pbx": "pbx1", "path": "1.wav", "name": "1.wav", "call_id": call_id, "version": 1}
    made |= {"state": "failed", "failures": 1, "at": datetime.now(UTC), "created_at": datetime.now(UTC)}
    made |= {"original_sha256": blob.sha256, "original_ext": "wav", "original_size": blob.size}
    made |= {"duration_s": 0.0, "channels": 1}

    def add(tx: Connection) -> None:
        tx.execute(recordings.insert(), made)
        tx.execute(recording_peaks.insert(), {"recording_id": made["id"], "data": b""})
        pbx: dict[str, Any] = {"id": new_id(), "name": "pbx1", "kind": "asterisk", "state": "up"}
        pbx |= {"detail": "", "remedy": ""}
        pbx |= {"since": datetime.now(UTC), "attached": False, "created_at": datetime.now(UTC)}
        tx.execute(connectors.insert(), pbx)

    await service.store.write(add)
    return str(made["id"])


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With a channel of messages."""
    return talking.with_shop(settings)


@pytest.fixture
async def things(service: Service, person: Person) -> Things:
    """A call from an unknown number into the queue north made a card, a lead and a contact there."""
    admin = await person("admin")
    anna = await person("anna")
    seat = {"pbx": "pbx1", "extension": "101"}
    assert (await admin.put(f"/operators/{anna.me['id']}/endpoint", seat)).status == 200
    events = ringing("1763974800.1", "401", "101")
    await VoiceIntake(service.store).calls_happened(events)
    (card,) = (await admin.get("/cards")).body["items"]
    other = await admin.made("/cards", {"name": "Other", "team": "north"})
    lead = await admin.made(f"/cards/{other['id']}/leads", {"note": "asked at the fair"})
    due = {"text": "call", "due_at": "2026-12-01T10:00:00Z"}
    task = await admin.made(f"/cards/{other['id']}/tasks", due)
    queue = await admin.made("/queues", {"name": "north2", "team": "north"})
    skill = await admin.made("/skills", {"name": "english"})
    teams = {team["name"]: team["id"] for team in (await admin.get("/teams")).body["items"]}
    contact = await service.store.read(lambda tx: tx.scalar(select(contacts.c.id)))
    assert contact is not None
    return Things(
        await talking.things(service, admin, CALLER)
        | {
            "cards": card["id"],
            "other_card": other["id"],
            "leads": card["leads"][0]["id"],
            "other_lead": lead["id"],
            "calls": events[0].call.id,
            "contacts": contact,
            "tasks": task["id"],
            "operators": anna.me["id"],
            "queues": queue["id"],
            "teams": teams["north"],
            "skills": skill["id"],
            "recordings": await failed_recording(service, events[0].call.id),
            "connectors": "01a20bae-0000-7000-8000-000000000000",
        }
    )


def ringing(uniqueid: str, queue: str, extension: str) -> list[CallEvent]:
    """What a PBX tells of a call that rings an operator out of a queue."""
    now = datetime.now(UTC) - timedelta(seconds=5)
    call = Call(
        id=call_id("pbx1", uniqueid),
        pbx="pbx1",
        linkedid=uniqueid,
        direction=Direction.IN,
        state=CallState.QUEUED,
        started_at=now,
        from_=Party(CALLER, CALLER),
        queue=queue,
        legs=(uniqueid,),
    )
    rings = replace(call, rang=(extension,), ringing=(extension,), state=CallState.RINGING)
    return [
        CallEvent(CallEventType.QUEUED, call, now),
        CallEvent(CallEventType.RINGING, rings, now, extension),
    ]


def everything(tx: Connection) -> dict[str, list[Any]]:
    """All rows that a request may not have changed; what tells of requests themselves is left out."""
    passing = {"sessions", "tokens", "idempotency", "login_failures", "facts", "leases", "work"}
    return {
        table.name: sorted(map(repr, tx.execute(select(table)).all()))
        for table in metadata.sorted_tables
        if table.name not in passing
    }


def with_id(route: Route) -> bool:
    return "{id}" in route.path and route.path.split("/")[1] not in GLOBAL


@on_both
async def test_nobody_of_another_team_sees_or_changes_a_thing(
    service: Service, person: Person, things: Things
) -> None:
    strangers = [(await person("boris"), Role.OPERATOR), (await person("pavel"), Role.SUPERVISOR)]
    before = await service.store.read(everything)
    for route in filter(with_id, ROUTES):
        for stranger, role in strangers:
            assert route.role is not None
            lacks_role = role.rank < route.role.rank
            answer = await ask(stranger, route, things)
            told = (route.method, route.path, role, answer.body)
            assert answer.status == (403 if lacks_role else 404), told
    assert await service.store.read(everything) == before


@on_both
async def test_whoever_may_gets_through_every_route(service: Service, person: Person, things: Things) -> None:
    admin = await person("admin")
    refused = []
    for route in sorted(ROUTES, key=_order):
        if route.path in ("/session", "/connectors/{id}"):
            continue  # the first has tests of its own; none of the second is attached here
        answer = await ask(admin, route, things)
        if answer.status != route.status:
            refused.append((route.method, route.path, answer.status, answer.body))
    assert refused == []


def _order(route: Route) -> tuple[int, str]:
    """Reading first, then changes, deletions last: they take away what the others need."""
    rank = {"GET": 0, "PUT": 1, "PATCH": 1, "POST": 2, "DELETE": 3}[route.method]
    # Longer paths first: what hangs on a thing goes before the thing.
    return (rank, route.path) if rank < 3 else (rank, f"{99 - len(route.path)}")


async def test_no_list_names_what_belongs_to_another_team(person: Person, things: Things) -> None:
    boris, pavel = await person("boris"), await person("pavel")
    hidden = {i for noun, i in things.ids.items() if noun not in GLOBAL}
    for route in (r for r in ROUTES if r.method == "GET" and "{" not in r.path):
        for stranger in (boris, pavel):
            answer = await ask(stranger, route, things)
            named = [i for i in hidden if i in str(answer.body)]
            assert named == [], (route.path, named)


async def test_a_foreign_thing_cannot_be_reached_through_ones_own(person: Person, things: Things) -> None:
    boris = await person("boris")
    own = await boris.made("/cards", {"name": "Mine"})
    assert own["team"] == "south"
    merged = await boris.post(f"/cards/{own['id']}/merge", {"other_id": things.ids["cards"]})
    assert merged.status == 404
    moved = await boris.patch(f"/cards/{own['id']}", {"team": "north"})
    assert moved.fields.keys() == {"team"}


async def test_without_signing_in_only_the_listed_addresses_answer(
    service: Service, person: Person, visitor: Callable[[], Client], things: Things
) -> None:
    stranger = visitor()
    app = build(_deps(service))
    asked = {(r.method, r.resource.canonical) for r in app.router.routes() if r.resource is not None}
    api = {(m, p) for m, p in asked if p.startswith(("/api/", "/healthz", "/readyz")) and m != "HEAD"}
    assert {("GET", "/api/v1/events"), ("PATCH", "/api/v1/cards/{id}")} <= api
    open_to_all = set()
    for method, pattern in api:
        path = pattern.replace("{id}", things.ids["cards"]).replace("{kind}/{value}", "phone/1")
        answer = await stranger.ask(method, "/" + path, {} if method != "GET" else None)
        if answer.status != 401:
            open_to_all.add((method, pattern))
    assert open_to_all == PUBLIC


def _deps(service: Service) -> Any:
    from gateway.web.deps import WebDeps

    return WebDeps(store=service.store, hub=service.hub, settings=service.settings, public_url="http://x")


async def test_a_lower_role_is_refused_and_changes_nothing(
    service: Service, person: Person, things: Things
) -> None:
    before = await service.store.read(everything)
    for login, role in (("anna", Role.OPERATOR), ("olga", Role.SUPERVISOR)):
        client = await person(login)
        before = await service.store.read(everything)
        for route in ROUTES:
            if route.role is not None and role.rank < route.role.rank:
                answer = await ask(client, route, things)
                assert answer.status == 403, (route.method, route.path, login)
    assert await service.store.read(everything) == before


async def test_a_token_without_the_scope_is_refused_everywhere(
    service: Service, program: Callable[..., Awaitable[Client]], things: Things
) -> None:
    client = await program("admin", "recordings:read")
    before = await service.store.read(everything)
    for route in ROUTES:
        if route.scope not in (None, "recordings:read"):
            assert route.scope is not None
            answer = await ask(client, route, things)
            assert answer.status == 403, (route.method, route.path)
            assert route.scope in answer.body["detail"]
    assert await service.store.read(everything) == before


async def test_no_change_is_taken_from_another_site(service: Service, person: Person, things: Things) -> None:
    admin = await person("admin")
    del admin.headers["X-CSRF-Token"]
    before = await service.store.read(everything)
    for route in ROUTES:
        if route.changes_things and route.role is not None:
            assert (await ask(admin, route, things)).status == 403, (route.method, route.path)
    assert await service.store.read(everything) == before


async def test_unknown_ids_and_crooked_ones_answer_404(person: Person, things: Things) -> None:
    admin = await person("admin")
    for wrong in ("01a20bae-0000-7000-8000-000000000000", "17", "..%2f", "%00", "' or 1=1 --"):
        ids = dict.fromkeys(things.ids, wrong) | {"other_card": things.ids["other_card"]}
        for route in (r for r in ROUTES if "{id}" in r.path):
            answer = await ask(admin, route, Things(ids))
            assert answer.status == 404, (route.method, route.path, wrong, answer.body)
