"""A channel of messages in the office of `conftest`: what clients write, worked on as it comes."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, update

from gateway.domain.identities import Identity
from gateway.domain.ids import new_id
from gateway.domain.messages import (
    ChannelTraits,
    Correspondent,
    Inbound,
    InboundMessage,
    RawUpdate,
)
from gateway.services.inbound_loop import InboundLoop
from gateway.services.raw_intake import RawIntake
from gateway.store.engine import Store
from gateway.store.tables import connectors, operators
from recordings.library import Library
from routing.broadcast import offer_to_all

NAME = "talk"
START = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
_numbers = itertools.count(1)


@dataclass
class Talk:
    """A connector whose updates are ready items, kept by number."""

    store: Store
    folder: Path
    items: dict[bytes, Sequence[Inbound]] = field(default_factory=dict)

    @property
    def intake(self) -> RawIntake:
        return RawIntake(self.store, self.library, NAME)

    @property
    def library(self) -> Library:
        return Library(self.folder)

    async def comes(self, *items: Inbound, external_id: str | None = None, lane: str = "lane") -> None:
        """One update that means these items is stored and worked on."""
        await self.arrives(*items, external_id=external_id, lane=lane)
        await self.settle()

    async def arrives(self, *items: Inbound, external_id: str | None = None, lane: str = "lane") -> None:
        """It is only stored."""
        body = str(next(_numbers)).encode()
        self.items[body] = items
        raw = RawUpdate(external_id or body.decode(), lane, body, START)
        await self.intake.store_raw([raw])

    async def settle(self) -> None:
        """Work on what waits until nothing does."""
        loop = InboundLoop(self.store, {NAME: self.translate}, offer_to_all)
        while await loop.step():
            pass

    def translate(self, body: bytes, received_at: datetime) -> Sequence[Inbound]:
        return self.items[body]


async def attach(store: Store, folder: Path, queue: str | None = "sales", **traits: Any) -> Talk:
    """The connector `talk`, its messages going to the queue."""
    await store.write(_connector, queue, ChannelTraits(**traits))
    return Talk(store, folder)


def _connector(tx: Connection, queue: str | None, traits: ChannelTraits) -> None:
    now = datetime.now(UTC)
    row = {"id": new_id(), "name": NAME, "kind": "talk", "queue": queue, "channel": "chat"}
    state = {"state": "up", "detail": "", "remedy": "", "since": now, "attached": True, "created_at": now}
    tx.execute(connectors.insert(), row | state | {"traits": msgspec.to_builtins(traits)})


async def available(store: Store, *logins: str) -> None:
    """These operators take contacts."""
    named = update(operators).where(operators.c.login.in_(logins))
    await store.write(lambda tx: tx.execute(named.values(presence="available")) and None)


def says(text: str, *, who: str = "ivan", name: str = "Иван", **more: Any) -> InboundMessage:
    """A message of a client, each a second after the one before."""
    number = next(_numbers)
    known: dict[str, Any] = {
        "external_id": f"m{number}",
        "thread_key": who,
        "author": Correspondent(Identity("other", f"talk:{who}"), name),
        "at": START + timedelta(seconds=number),
        "text": text,
    }
    return InboundMessage(**known | more)
