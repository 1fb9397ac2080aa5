"""Conversations of the team north for the test of every route, made through the channel `shop`."""

import asyncio
import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from sqlalchemy import Connection, func, select, update

from config.secret import Secret
from config.settings import ConnectorSettings, Settings
from connectors.json.settings import JsonSettings
from connectors.json.signing import HEADER, signature
from gateway.app import Service
from gateway.store.tables import contacts
from gateway.store.tables_conversations import messages, raw_updates, suggestions, threads
from tests.journeys.clients import Client

SECRET = "a secret that nobody guesses"
_VERBS = ("accept", "decline", "take", "transfer", "defer", "close")


def with_shop(settings: Settings) -> Settings:
    """The settings with the channel, whose receiver is never there."""
    shop: ConnectorSettings = JsonSettings(
        kind="json", name="shop", queue="north", secret=Secret(SECRET), webhook="http://127.0.0.1:9/"
    )
    return replace(settings, connectors=(*settings.connectors, shop))


async def things(service: Service, admin: Client, phone: str) -> dict[str, str]:
    """Noun, or path of the route, → the id of a thing that it can be asked about."""
    await _at_work(admin)
    own = {"phone": phone, "email": "one@example.org"}
    await _post(admin, _says("42", **own), *(_says(verb) for verb in _VERBS), {"type": "x", "chat": "1"})
    await _post(admin, _says("43"), _says("44"))
    await _until(service, 1 + len(_VERBS) + 2)
    await _post(admin, _says("43", phone=phone), _says("44", email=own["email"]))
    await _until(service, 1 + len(_VERBS) + 4)
    by_key = await service.store.read(_threads)
    made = {f"/contacts/{{id}}/{verb}": by_key[verb][1] for verb in _VERBS}
    thread = by_key["42"][0]
    for name in ("messages", "DELETE /messages/{id}", "/messages/{id}/retry"):
        later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
        sent = await admin.post(f"/threads/{thread}/messages", {"text": "tomorrow", "send_at": later})
        assert sent.status == 202, sent.body
        made[name] = sent.body["id"]
    failed = update(messages).where(messages.c.id == made["/messages/{id}/retry"])
    await service.store.write(lambda tx: tx.execute(failed.values(status="failed")) and None)
    template = await admin.made("/templates", {"name": "Hello", "text": "Hello", "team": "north"})
    file = await admin.post("/attachments", data=upload())
    assert file.status == 201, file.body
    pairs = await service.store.read(lambda tx: list(tx.scalars(select(suggestions.c.id))))
    assert len(pairs) == 2
    bad = await service.store.read(
        lambda tx: tx.scalar(select(raw_updates.c.id).where(raw_updates.c.state == "poison"))
    )
    return made | {
        "threads": thread,
        "templates": template["id"],
        "attachments": file.body["id"],
        "/suggestions/{id}/accept": pairs[0],
        "/suggestions/{id}/dismiss": pairs[1],
        "suggestions": pairs[0],
        "poison": f"update-{bad}",
    }


async def _at_work(admin: Client) -> None:
    """The admin takes contacts of the team."""
    place = {"teams": ["main", "north"], "capacity": {"chat": 100}}
    assert (await admin.patch(f"/operators/{admin.me['id']}", place)).status == 200
    assert (await admin.put("/operators/me/presence", {"state": "available"})).status == 200


def upload() -> Any:
    """A form with a file."""
    form = aiohttp.FormData()
    form.add_field("file", b"%PDF-1.4 a price list", filename="prices.pdf")
    return form


def _says(chat: str, **more: str) -> Any:
    """A message in the chat; each has an id of its own."""
    who = {"id": chat, "name": f"Client {chat}"} | more
    return {"type": "message", "id": f"{chat}-{len(more)}", "chat": chat, "from": who, "text": "hello"}


async def _post(client: Client, *updates: Any) -> None:
    body = json.dumps(updates).encode()
    headers = {HEADER: signature(SECRET, body, int(time.time())), "Content-Type": "application/json"}
    async with client.http.post(f"{client.service.address}/hooks/shop", data=body, headers=headers) as answer:
        assert answer.status == 202, await answer.text()


async def _until(service: Service, count: int) -> None:
    """Return when so many updates were worked on."""
    worked = select(func.count()).where(raw_updates.c.state != "waiting")
    changed = asyncio.Event()
    stop = service.store.on_commit(changed.set)
    try:
        async with asyncio.timeout(10):
            while (await service.store.read(lambda tx: tx.scalar(worked)) or 0) < count:
                changed.clear()
                await asyncio.wait({asyncio.ensure_future(changed.wait())}, timeout=0.2)
    finally:
        stop()


def _threads(tx: Connection) -> dict[str, tuple[str, str]]:
    query = select(threads.c.thread_key, threads.c.id, contacts.c.id.label("contact")).join(
        contacts, contacts.c.thread_id == threads.c.id
    )
    return {row.thread_key: (row.id, row.contact) for row in tx.execute(query)}
