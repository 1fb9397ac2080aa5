"""All open event sockets of this node, fed by the feed."""

import asyncio
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
from sqlalchemy import Connection

from config.settings import People
from gateway import metrics
from gateway.domain.errors import StoreUnavailable
from gateway.domain.facts import CommittedFact, Fact
from gateway.domain.people import Actor
from gateway.feed import Feed
from gateway.services import calls, contacts, me, people, queues, sessions, tokens
from gateway.services.sessions import Session
from gateway.services.views.common import to_json
from gateway.services.views.events import Hello
from gateway.services.views.queues import Queue
from gateway.store import facts
from gateway.store.contract import Store
from gateway.store.facts import Position
from gateway.web.audience import Audience
from gateway.web.desk_socket import RESTARTING, SIGNED_OUT, TOO_SLOW, DeskSocket, Frame

TICK_S = 1.0
CHECK_EACH = 60
"""Ticks between two looks at everybody's session."""
SPREAD_S = 5.0
"""Desks come back within so many seconds after a drain, not all at once."""
LEAVING_S = 15.0

_MOVES_QUEUES = ("contact.", "presence.", "operator.")
_UNWRITTEN = str(Position(2**63, 0, 0))
"""Position of what is told without standing in the stream: after everything that does."""


class _Operator(msgspec.Struct):
    id: str


_operator = msgspec.json.Decoder(_Operator)


@dataclass(frozen=True, slots=True)
class _Rights:
    actor: Actor
    session: Session | None


@dataclass(frozen=True, slots=True)
class _State:
    """What one desk may see, as of a position of the feed."""

    position: Position
    hello: bytes


class DeskHub:
    """An observer of the feed. `run` is an endless task: sessions, slow desks, figures of queues."""

    def __init__(self, store: Store, feed: Feed) -> None:
        self._store = store
        self._sockets: set[DeskSocket] = set()
        self._holding: set[DeskSocket] = set()
        self._audience: Audience[DeskSocket] = Audience()
        self._shown: dict[str, Queue] = {}
        self._queues_moved = False
        self._empty = asyncio.Event()
        self._empty.set()
        feed.observe("desks", self._happened, on_gap=self._gap)

    def __len__(self) -> int:
        return len(self._sockets)

    def add(self, socket: DeskSocket) -> None:
        """From this moment it misses nothing: facts are kept for it until `join` has read its state."""
        self._sockets.add(socket)
        self._holding.add(socket)
        self._audience.place(socket)
        self._counted()

    def remove(self, socket: DeskSocket) -> None:
        """It is closed."""
        self._sockets.discard(socket)
        self._holding.discard(socket)
        self._audience.remove(socket)
        self._counted()

    def _counted(self) -> None:
        metrics.desks_connected.set(len(self._sockets))
        if self._sockets:
            self._empty.clear()
        else:
            self._empty.set()

    async def join(self, socket: DeskSocket) -> None:
        """Send `hello` with what the desk may see now, or, its rights unchanged, what was kept back."""
        socket.must_join = False
        found = await self._store.read(_read_state, socket.limits, socket.actor, socket.session, socket.begun)
        if found is None:
            socket.close(SIGNED_OUT, "signed out")
            return
        if socket.must_join or socket not in self._sockets:
            return  # changed again while it was read, or gone
        rights, state = found
        socket.actor, socket.session = rights.actor, rights.session
        self._audience.place(socket)
        self._holding.discard(socket)
        if state is None:
            socket.resume()
        else:
            socket.begin(state.hello, state.position)

    def session_ended(self, token_hash: str) -> None:
        """Close the sockets of this session at once."""
        for socket in self._sockets:
            if socket.session is not None and socket.session.token_hash == token_hash:
                socket.close(SIGNED_OUT, "signed out")

    async def drain(self) -> None:
        """Tell every desk to come back, each at its own moment, and wait until they are gone."""
        for socket in self._sockets:
            hint = msgspec.json.encode({"retry_in_s": round(random.uniform(0, SPREAD_S), 1)})  # noqa: S311
            socket.close(RESTARTING, hint.decode())
        async with asyncio.timeout(LEAVING_S):
            await self._empty.wait()

    def _gap(self) -> None:
        for socket in self._sockets:
            socket.close(RESTARTING, "the database changed hands")

    def _happened(self, batch: Sequence[CommittedFact]) -> None:
        for committed in batch:
            fact = committed.fact
            if fact.type == "operator.updated":
                for socket in self._audience.of_operator(_operator.decode(fact.data).id):
                    self._hold(socket)
            self._queues_moved = self._queues_moved or fact.type.startswith(_MOVES_QUEUES)
            self._tell(committed)

    def _hold(self, socket: DeskSocket) -> None:
        self._holding.add(socket)
        socket.hold()

    def _tell(self, committed: CommittedFact) -> None:
        for socket in self._holding:
            socket.keep(committed)
        readers = [socket for socket in self._audience.of(committed.fact) if socket not in self._holding]
        if readers:
            frame = Frame.of_fact(committed)
            for socket in readers:
                socket.send(frame)

    async def run(self) -> None:
        """For ever, once a second."""
        ticks = 0
        while True:
            await asyncio.sleep(TICK_S)
            ticks += 1
            for socket in self._sockets:
                if socket.is_behind():
                    socket.close(TOO_SLOW, "too slow")
            try:
                if self._queues_moved and self._sockets:
                    await self._show_queues()
                if ticks % CHECK_EACH == 0 and self._sockets:
                    await self._check(list(self._sockets))
            except StoreUnavailable:
                continue  # told by others; the next tick tries again

    async def _show_queues(self) -> None:
        self._queues_moved = False
        for team_id, queue in await self._store.read(queues.everything):
            still = msgspec.structs.replace(queue, longest_wait_s=None)
            if self._shown.get(queue.id) == still:
                continue
            self._shown[queue.id] = still
            fact = Fact("queue.updated", to_json(queue), team=team_id)
            self._tell(CommittedFact(_UNWRITTEN, datetime.now(UTC), fact))

    async def _check(self, checked: list[DeskSocket]) -> None:
        """Close whose session has ended; read anew for whom rights changed without a word."""
        found = await self._store.read(_all_rights, [(s.limits, s.actor, s.session) for s in checked])
        for socket, rights in zip(checked, found, strict=True):
            if rights is None:
                socket.close(SIGNED_OUT, "signed out")
            elif _differ(rights.actor, socket.actor) and socket in self._sockets:
                self._hold(socket)


def _differ(one: Actor, other: Actor) -> bool:
    return (one.role, one.teams, one.scopes) != (other.role, other.teams, other.scopes)


def _rights(tx: Connection, limits: People, actor: Actor, session: Session | None) -> _Rights | None:
    if session is not None:
        again = sessions.again(tx, limits, session)
        return None if again is None else _Rights(again.actor, again)
    program = tokens.again(tx, actor)
    if program is None or not tokens.allows(program, "events:read"):
        return None
    return _Rights(program, None)


def _all_rights(
    tx: Connection, known: Iterable[tuple[People, Actor, Session | None]]
) -> list[_Rights | None]:
    return [_rights(tx, limits, actor, session) for limits, actor, session in known]


def _read_state(
    tx: Connection, limits: People, actor: Actor, session: Session | None, begun: bool
) -> tuple[_Rights, _State | None] | None:
    """Rights and state on one snapshot; no state where the desk has it and its rights did not change."""
    rights = _rights(tx, limits, actor, session)
    if rights is None:
        return None
    if begun and not _differ(rights.actor, actor):
        return rights, None
    hello = Hello(
        me=me.view(tx, rights.actor, rights.session),
        contacts=contacts.present(tx, rights.actor),
        calls=calls.present(tx, rights.actor),
        queues=queues.present(tx, rights.actor),
        operators=people.present(tx, rights.actor),
    )
    return rights, _State(facts.now(tx), to_json(hello))
