"""Operators, phones, presence, teams, queues: who may do what to whom."""

import asyncio
from collections.abc import Awaitable, Callable

from sqlalchemy import insert

from gateway.app import Service
from gateway.domain.ids import new_id
from gateway.store.tables import connectors
from tests.journeys.clients import Client
from tests.journeys.conftest import PASSWORD, on_both

Person = Callable[[str], Awaitable[Client]]


@on_both
async def test_an_admin_makes_a_person_who_signs_in_with_the_password_told_once(
    person: Person, visitor: Callable[[], Client]
) -> None:
    admin = await person("admin")
    made = await admin.made("/operators", {"login": "Vera", "name": "Вера <b>", "teams": ["north"]})
    assert made["login"] == "vera"
    assert made["teams"] == ["north"]
    vera = visitor()
    assert (await vera.sign_in("vera", made["password"])).status == 200
    assert vera.me["name"] == "Вера <b>"
    shown = (await admin.get(f"/operators/{made['id']}")).body
    assert "password" not in shown
    assert shown["capacity"] == {"voice": 1, "chat": 3, "email": 5, "callback": 1}


async def test_whoever_is_given_no_team_belongs_to_main(person: Person) -> None:
    admin = await person("admin")
    assert (await admin.made("/operators", {"login": "vera", "name": "Vera"}))["teams"] == ["main"]


async def test_every_mistake_of_a_form_is_told_with_its_field(person: Person) -> None:
    admin = await person("admin")
    body = {"login": "with space", "role": "king", "teams": [7], "skills": {"x": 0}, "nickname": "V"}
    answer = await admin.post("/operators", body)
    assert answer.status == 422
    assert answer.fields.keys() == {"login", "name", "role", "teams[0]", "skills[...]", "nickname"}
    unknown = {"login": "vera", "name": "Vera", "teams": ["nowhere"]}
    assert (await admin.post("/operators", unknown)).fields.keys() == {"teams[0]"}
    taken = await admin.post("/operators", {"login": "ANNA", "name": "Another"})
    assert taken.status == 409


async def test_a_supervisor_leads_his_operators_and_nobody_else(person: Person) -> None:
    olga, anna, admin = await person("olga"), await person("anna"), await person("admin")
    path = f"/operators/{anna.me['id']}"
    await admin.made("/skills", {"name": "english"})
    assert (await olga.put(f"{path}/presence", {"state": "paused", "reason": "lunch"})).status == 200
    skilled = await olga.patch(path, {"skills": {"english": 3}})
    assert skilled.body["skills"] == {"english": 3}
    for beyond in ({"role": "admin"}, {"name": "X"}, {"password": "something longer"}, {"active": False}):
        assert (await olga.patch(path, beyond)).status == 403, beyond
    above = f"/operators/{admin.me['id']}"
    assert (await olga.patch(above, {"skills": {}})).status == 404
    await admin.patch(above, {"teams": ["main", "north"]})
    assert (await olga.patch(above, {"skills": {}})).status == 403
    assert (await olga.put(f"{above}/presence", {"state": "offline"})).status == 403
    assert (await olga.patch(f"/operators/{olga.me['id']}", {"skills": {"english": 9}})).status == 403
    assert (await anna.put(f"/operators/{olga.me['id']}/presence", {"state": "offline"})).status == 403


async def test_two_who_change_a_person_at_once_do_not_overwrite_each_other(person: Person) -> None:
    admin, anna = await person("admin"), await person("anna")
    path = f"/operators/{anna.me['id']}"
    read = await admin.get(path)
    tag = {"If-Match": read.headers["ETag"]}
    assert (await admin.patch(path, {"name": "Anna A."}, headers=tag)).status == 200
    late = await admin.patch(path, {"name": "Anna B."}, headers=tag)
    assert late.status == 412
    assert (await admin.get(path)).body["name"] == "Anna A."
    assert (await admin.patch(path, {"name": "x"}, headers={"If-Match": "newest"})).status == 422


@on_both
async def test_the_last_admin_cannot_be_taken_away_even_by_two_at_once(person: Person) -> None:
    admin = await person("admin")
    own = f"/operators/{admin.me['id']}"
    assert (await admin.patch(own, {"role": "operator"})).status == 409
    assert (await admin.patch(own, {"active": False})).status == 409
    olga = await person("olga")
    await admin.patch(f"/operators/{olga.me['id']}", {"role": "admin"})
    both = await asyncio.gather(
        admin.patch(f"/operators/{olga.me['id']}", {"role": "operator"}),
        olga.patch(own, {"role": "operator"}),
    )
    statuses = sorted(answer.status for answer in both)
    assert statuses[0] == 200
    assert statuses[1] in (403, 409)


@on_both
async def test_who_leaves_is_signed_out_and_his_cards_have_a_new_owner(person: Person) -> None:
    admin, anna, olga = await person("admin"), await person("anna"), await person("olga")
    owned = await anna.made("/cards", {"name": "Nina", "owner": anna.me["id"]})
    path = f"/operators/{anna.me['id']}"
    await anna.put(f"{path}/endpoint", {"pbx": "pbx1", "extension": "101"})
    await anna.put(f"{path}/presence", {"state": "available"})
    wrong = await admin.patch(path, {"active": False, "successor": anna.me["id"]})
    assert wrong.fields.keys() == {"successor"}
    assert (await admin.patch(path, {"active": False, "successor": olga.me["id"]})).status == 200
    assert (await anna.get("/me")).status == 401
    card = (await olga.get(f"/cards/{owned['id']}")).body
    assert card["owner"]["id"] == olga.me["id"]
    assert card["version"] == owned["version"] + 1
    left = (await admin.get(path)).body
    assert left["endpoints"] == []
    assert left["presence"]["state"] == "offline"
    assert (await admin.patch(path, {"active": True})).body["active"] is True


async def test_cards_may_be_left_to_a_team(person: Person) -> None:
    admin, anna, boris = await person("admin"), await person("anna"), await person("boris")
    owned = await anna.made("/cards", {"name": "Nina", "owner": anna.me["id"]})
    await admin.patch(f"/operators/{anna.me['id']}", {"active": False, "team": "south"})
    card = (await boris.get(f"/cards/{owned['id']}")).body
    assert (card["owner"], card["team"]) == (None, "south")


@on_both
async def test_signing_in_at_a_phone_signs_out_whoever_was_there(person: Person) -> None:
    anna, olga = await person("anna"), await person("olga")
    phone = {"pbx": "pbx1", "extension": "101"}
    first = await anna.put("/operators/me/endpoint", phone)
    assert first.body["endpoints"] == [{**phone, "interface": None, "kind": "phone"}]
    second = await olga.put("/operators/me/endpoint", phone)
    assert [e["extension"] for e in second.body["endpoints"]] == ["101"]
    assert (await anna.get("/me")).body["endpoints"] == []
    await olga.put("/operators/me/endpoint", {"pbx": "pbx1", "extension": "102"})
    assert [e["extension"] for e in (await olga.get("/me")).body["endpoints"]] == ["102"]
    assert (await olga.delete("/operators/me/endpoint")).body["endpoints"] == []


async def test_a_phone_is_of_a_known_pbx_and_its_name_cannot_carry_commands(
    service: Service, person: Person
) -> None:
    anna = await person("anna")
    for crooked in ("101\r\nAction: Command", "", "1 01", "x" * 33):
        answer = await anna.put("/operators/me/endpoint", {"pbx": "pbx1", "extension": crooked})
        assert answer.fields.keys() == {"extension"}, crooked
    named = await anna.put(
        "/operators/me/endpoint", {"pbx": "pbx1", "extension": "1", "interface": "Local/1@evil"}
    )
    assert named.status == 403
    now = anna.service.store
    await now.write(lambda tx: tx.execute(insert(connectors), _connector("pbx1")) and None)
    answer = await anna.put("/operators/me/endpoint", {"pbx": "pbx9", "extension": "1"})
    assert answer.fields == {"pbx": "one of pbx1"}


def _connector(name: str) -> dict[str, object]:
    from datetime import UTC, datetime

    now = datetime.now(UTC)
    fixed = {"kind": "asterisk", "queue": None, "state": "down", "detail": "no route", "remedy": "check host"}
    return {"id": new_id(), "name": name, **fixed, "since": now, "attached": True, "created_at": now}


async def test_everybody_sees_how_the_connectors_stand(service: Service, person: Person) -> None:
    await service.store.write(lambda tx: tx.execute(insert(connectors), _connector("pbx1")) and None)
    (shown,) = (await (await person("boris")).get("/connectors")).body["items"]
    assert (shown["state"], shown["detail"], shown["remedy"]) == ("down", "no route", "check host")
    assert (await (await person("anna")).get(f"/connectors/{shown['id']}")).body == shown


async def test_what_the_file_owns_is_refused_and_the_rest_is_edited(person: Person) -> None:
    admin = await person("admin")
    in_file = next(q for q in (await admin.get("/queues")).body["items"] if q["name"] == "north")
    assert (in_file["owned_by_file"], in_file["timezone"]) == (True, "Europe/Moscow")
    refused = await admin.patch(f"/queues/{in_file['id']}", {"hours": ""})
    assert refused.status == 409
    assert "file" in refused.body["detail"]
    made = await admin.made("/queues", {"name": "night", "team": "south", "pbx_queues": ["pbx1/900"]})
    assert (made["owned_by_file"], made["timezone"], made["channels"]) == (False, "Europe/Moscow", ["voice"])
    change = {"hours": "Mon-Fri 25:00-26:00", "timezone": "Moon/Crater", "skills": ["german"], "team": "x"}
    wrong = await admin.patch(f"/queues/{made['id']}", change)
    assert wrong.fields.keys() == {"hours", "timezone", "skills[0]", "team"}
    level = {"voice": {"target": 0.8, "within_s": 20}}
    right = await admin.patch(f"/queues/{made['id']}", {"service_level": level})
    assert right.body["service_level"] == {"voice": {**level["voice"], "now": None}}


async def test_teams_and_skills_have_one_name_each_and_main_keeps_its_own(person: Person) -> None:
    admin = await person("admin")
    west = await admin.made("/teams", {"name": "west"})
    assert (await admin.post("/teams", {"name": "West"})).status == 409
    assert (await admin.patch(f"/teams/{west['id']}", {"name": "far west"})).body["name"] == "far west"
    main = next(t for t in (await admin.get("/teams")).body["items"] if t["name"] == "main")
    assert (await admin.patch(f"/teams/{main['id']}", {"name": "all"})).status == 409
    skill = await admin.made("/skills", {"name": "german"})
    queue = await admin.made("/queues", {"name": "de", "skills": ["german"]})
    await admin.patch(f"/skills/{skill['id']}", {"name": "deutsch"})
    assert (await admin.get(f"/queues/{queue['id']}")).body["skills"] == ["deutsch"]


async def test_what_was_done_to_people_stands_in_the_audit_log(person: Person) -> None:
    admin, anna = await person("admin"), await person("anna")
    await admin.patch(f"/operators/{anna.me['id']}", {"role": "supervisor", "password": "something longer"})
    found = (await admin.get("/audit?action=operator.*&limit=1")).body
    (entry,) = found["items"]
    assert entry["action"] == "operator.changed"
    assert entry["actor"]["id"] == admin.me["id"]
    assert (entry["object_kind"], entry["object_id"]) == ("operator", anna.me["id"])
    assert entry["detail"] == {"role": "supervisor", "password": "changed"}
    assert "something longer" not in str((await admin.get("/audit")).body)
    assert PASSWORD not in str((await admin.get("/audit")).body)
    assert found["next_cursor"] is not None
    following = (await admin.get(f"/audit?action=operator.*&cursor={found['next_cursor']}")).body["items"]
    assert entry["id"] not in {other["id"] for other in following}


async def test_lists_come_in_pages_without_gap_or_repetition(person: Person) -> None:
    admin = await person("admin")
    everybody = [o["login"] for o in (await admin.get("/operators")).body["items"]]
    paged, cursor = [], ""
    while cursor is not None:
        page = (await admin.get(f"/operators?limit=2{cursor and '&cursor=' + cursor}")).body
        paged += [o["login"] for o in page["items"]]
        cursor = page["next_cursor"]
    assert paged == everybody
    assert len(paged) == 5
    for wrong in ("limit=0", "limit=201", "limit=x", "cursor=x", "colour=red"):
        answer = await admin.get(f"/operators?{wrong}")
        assert answer.fields.keys() == {wrong.split("=")[0]}, wrong


@on_both
async def test_names_are_found_in_any_case_of_any_alphabet(person: Person) -> None:
    admin = await person("admin")
    await admin.made("/teams", {"name": "Продажи"})
    assert (await admin.post("/teams", {"name": "ПРОДАЖИ"})).status == 409
    made = await admin.made("/operators", {"login": "vera", "name": "Вера Ёлкина", "teams": ["продажи"]})
    assert made["teams"] == ["Продажи"]
    for words in ("вера", "ёлк", "VERA", "100%"):
        found = (await admin.get("/operators", params={"q": words})).body["items"]
        assert [o["id"] for o in found] == ([] if words == "100%" else [made["id"]]), words
