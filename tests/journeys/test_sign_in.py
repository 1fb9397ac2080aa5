"""Sessions, tokens, and who is kept out."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, select, update

from gateway.app import Service
from gateway.services import people, throttle, tokens
from gateway.services.sessions import hash_of
from gateway.store.tables import login_failures, sessions
from tests.journeys.clients import Client
from tests.journeys.conftest import PASSWORD, on_both

Person = Callable[[str], Awaitable[Client]]
Program = Callable[..., Awaitable[Client]]


@on_both
async def test_a_person_signs_in_is_known_and_signs_out(person: Person) -> None:
    anna = await person("anna")
    me = await anna.get("/me")
    assert me.status == 200
    assert (me.body["login"], me.body["role"], me.body["teams"]) == ("anna", "operator", ["north"])
    assert me.body == anna.me
    assert (await anna.delete("/session")).status == 204
    assert (await anna.get("/me")).status == 401


async def test_the_cookie_is_out_of_reach_of_scripts_and_its_token_nowhere_in_the_database(
    service: Service, person: Person, visitor: Callable[[], Client]
) -> None:
    client = visitor()
    await person("anna")
    answer = await client.post("/session", {"login": "Anna ", "password": PASSWORD})
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie
    token = cookie.split("=")[1].split(";")[0]
    stored = await service.store.read(lambda tx: list(tx.scalars(select(sessions.c.token_hash))))
    assert hash_of(token) in stored
    assert token not in stored


async def test_a_new_sign_in_gives_a_new_session_and_ends_the_former_of_that_browser(person: Person) -> None:
    anna = await person("anna")
    former = {c.key: c.value for c in anna.http.cookie_jar}
    await anna.sign_in("anna", PASSWORD)
    assert {c.key: c.value for c in anna.http.cookie_jar} != former
    anna.http.cookie_jar.clear()
    assert (await anna.get("/me", cookies=former)).status == 401


async def test_wrong_password_and_unknown_login_answer_the_same(
    staff: None, visitor: Callable[[], Client]
) -> None:
    wrong = await visitor().post("/session", {"login": "anna", "password": "not this one"})
    unknown = await visitor().post("/session", {"login": "nobody", "password": "not this one"})
    assert wrong.status == unknown.status == 401
    assert {**wrong.body, "request_id": ""} == {**unknown.body, "request_id": ""}


@on_both
async def test_guessing_at_one_login_is_delayed_whatever_comes_at_once(
    service: Service, staff: None, visitor: Callable[[], Client]
) -> None:
    guesses = [visitor().post("/session", {"login": "anna", "password": f"guess {n}"}) for n in range(30)]
    statuses = [answer.status for answer in await asyncio.gather(*guesses)]
    assert statuses.count(401) <= throttle.PER_LOGIN.free
    assert statuses.count(429) == 30 - statuses.count(401)
    # The delay earned is a second, which a busy machine may have spent by now.
    await service.store.write(_delay_goes_on)
    right = await visitor().sign_in("anna", PASSWORD)
    assert right.status == 429
    assert int(right.headers["Retry-After"]) >= 1
    await service.store.write(_let_time_pass)
    assert (await visitor().sign_in("anna", PASSWORD)).status == 200


def _delay_goes_on(tx: Connection) -> None:
    later = datetime.now(UTC) + timedelta(seconds=30)
    tx.execute(update(login_failures).values(blocked_until=later))


def _let_time_pass(tx: Connection) -> None:
    tx.execute(update(login_failures).values(blocked_until=datetime.now(UTC)))


async def test_guessing_at_many_logins_is_delayed_by_address(
    service: Service, staff: None, visitor: Callable[[], Client]
) -> None:
    client = visitor()
    for number in range(throttle.PER_ADDRESS.free):
        answer = await client.post("/session", {"login": f"person{number}", "password": "guessing"})
        assert answer.status == 401
    assert (await client.sign_in("anna", PASSWORD)).status == 429


async def test_an_office_that_signs_in_at_once_has_not_failed(
    service: Service, staff: None, visitor: Callable[[], Client]
) -> None:
    many = [visitor().sign_in(login, PASSWORD) for login in ("anna", "olga", "boris", "pavel", "admin") * 6]
    assert {answer.status for answer in await asyncio.gather(*many)} == {200}


async def test_a_session_ends_by_idleness_and_by_age(service: Service, person: Person) -> None:
    idle, old = await person("anna"), await person("boris")

    def age(tx: Connection) -> None:
        now = datetime.now(UTC)
        of = sessions.c.operator_id
        tx.execute(update(sessions).where(of == idle.me["id"]).values(seen_at=now - timedelta(hours=12)))
        tx.execute(update(sessions).where(of == old.me["id"]).values(expires_at=now))

    await service.store.write(age)
    assert (await idle.get("/me")).status == 401
    assert (await old.get("/me")).status == 401


async def test_work_keeps_a_session_alive(service: Service, person: Person) -> None:
    anna = await person("anna")
    earlier = datetime.now(UTC) - timedelta(hours=11)
    await service.store.write(lambda tx: tx.execute(update(sessions).values(seen_at=earlier)) and None)
    await anna.get("/me")
    seen = await service.store.read(lambda tx: tx.scalar(select(sessions.c.seen_at)))
    assert seen is not None
    assert datetime.now(UTC) - seen < timedelta(minutes=1)


async def test_a_change_without_the_csrf_token_or_from_another_site_is_refused(person: Person) -> None:
    anna = await person("anna")
    body = {"state": "available"}
    path = "/operators/me/presence"
    for wrong in (
        {"X-CSRF-Token": ""},
        {"X-CSRF-Token": "guess"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ):
        answer = await anna.put(path, body, headers=wrong)
        assert answer.status == 403, wrong
    assert (await anna.put(path, body, headers={"Origin": anna.service.address})).status == 200


async def test_another_site_cannot_sign_a_browser_in(staff: None, visitor: Callable[[], Client]) -> None:
    body = {"login": "anna", "password": PASSWORD}
    answer = await visitor().post("/session", body, headers={"Origin": "https://evil.example"})
    assert answer.status == 403


async def test_a_program_comes_by_its_token_within_its_role_and_scopes(program: Program, staff: None) -> None:
    everything = await program("admin")
    assert (await everything.get("/audit")).status == 200
    assert (await everything.get("/me")).body["scopes"] is None
    narrow = await program("admin", "cards:read")
    assert (await narrow.get("/cards")).status == 200
    refused = await narrow.post("/cards", {"name": "x"})
    assert refused.status == 403
    assert "cards:write" in refused.body["detail"]
    assert (await narrow.get("/audit")).status == 403
    writer = await program("admin", "cards:write")
    assert (await writer.get("/cards")).status == 200


async def test_a_program_sees_the_teams_of_its_token_only(program: Program, staff: None) -> None:
    admin = await program("admin")
    card = await admin.made("/cards", {"name": "Nina", "team": "north"})
    assert (await (await program("operator", team="north")).get(f"/cards/{card['id']}")).status == 200
    assert (await (await program("operator", team="south")).get(f"/cards/{card['id']}")).status == 404


async def test_expired_revoked_and_invented_tokens_are_refused(
    service: Service, program: Program, visitor: Callable[[], Client]
) -> None:
    revoked = await program("admin")
    assert (await revoked.get("/me")).status == 200
    await tokens.revoke(service.store, people.CONSOLE, "script")
    assert (await revoked.get("/me")).status == 401
    expired = await program("admin", days=1e-9)
    assert (await expired.get("/me")).status == 401
    stranger = visitor()
    for header in ("Bearer pz_invented", "Bearer ", "Basic YTpi"):
        assert (await stranger.get("/me", headers={"Authorization": header})).status == 401


async def test_a_person_changes_his_own_password_and_ends_his_other_sessions(
    person: Person, visitor: Callable[[], Client]
) -> None:
    here, elsewhere = await person("anna"), await person("anna")
    without = await here.patch("/me", {"password": "something longer"})
    assert without.fields == {"current_password": "is required to change the password"}
    wrong = await here.patch("/me", {"password": "something longer", "current_password": "no"})
    assert wrong.status == 422
    short = await here.patch("/me", {"password": "short", "current_password": PASSWORD})
    assert "password" in short.fields
    done = await here.patch("/me", {"password": "something longer", "current_password": PASSWORD})
    assert done.status == 200
    assert (await here.get("/me")).status == 200
    assert (await elsewhere.get("/me")).status == 401
    assert (await visitor().sign_in("anna", PASSWORD)).status == 401
    assert (await visitor().sign_in("anna", "something longer")).status == 200


async def test_signing_out_of_the_last_session_is_going_offline(person: Person) -> None:
    olga, one, two = await person("olga"), await person("anna"), await person("anna")
    await one.put("/operators/me/presence", {"state": "available"})
    await one.delete("/session")
    path = f"/operators/{one.me['id']}"
    assert (await olga.get(path)).body["presence"]["state"] == "available"
    await two.delete("/session")
    assert (await olga.get(path)).body["presence"]["state"] == "offline"
