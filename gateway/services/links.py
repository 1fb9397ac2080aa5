"""How connectors stand: kept in memory for /readyz, in a row for the desk, told when it changes."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from sqlalchemy import Connection, update

from gateway import metrics
from gateway.domain.facts import Fact
from gateway.domain.ports import LinkReport, LinkState
from gateway.services.views.common import to_json
from gateway.services.views.queues import Connector
from gateway.store import facts
from gateway.store.engine import Store
from gateway.store.tables import connectors
from gateway.supervise import until_stored


@dataclass(frozen=True, slots=True)
class Link:
    """One connector now. `clock_offset_s`: seconds by which its clock is ahead of ours."""

    state: LinkState
    since: datetime
    detail: str = ""
    remedy: str = ""
    clock_offset_s: float | None = None


class Links:
    """What connectors report. `run` writes changes down, the newest of each only."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._links: dict[str, Link] = {}
        self._unwritten: set[str] = set()
        self._changed = asyncio.Event()

    def __call__(self) -> Mapping[str, Link]:
        """Every connector's state now."""
        return dict(self._links)

    def reporter(self, name: str) -> LinkReport:
        """What the connector `name` reports to."""

        def report(
            state: LinkState, detail: str = "", *, remedy: str = "", clock_offset_s: float | None = None
        ) -> None:
            before = self._links.get(name)
            now = datetime.now(UTC)
            since = before.since if before is not None and before.state is state else now
            after = Link(state, since, detail, remedy, clock_offset_s)
            metrics.ami_link_up.labels(name).set(state is LinkState.UP)
            if before is None or replace(before, since=after.since) != after:
                self._links[name] = after
                self._unwritten.add(name)
                self._changed.set()

        return report

    async def run(self) -> None:
        """Write changes to the books for ever."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            while self._unwritten:
                name = self._unwritten.pop()
                link = self._links[name]
                write = partial(self._store.write, _write, name, link)
                await until_stored("the connectors' states", write)


def _write(tx: Connection, name: str, link: Link) -> None:
    row = tx.execute(
        update(connectors)
        .where(connectors.c.name == name)
        .values(
            state=link.state.value,
            detail=link.detail,
            remedy=link.remedy,
            since=link.since,
            clock_offset_s=link.clock_offset_s,
        )
        .returning(connectors)
    ).one_or_none()
    if row is not None:
        facts.append(tx, [Fact("connector.state", to_json(Connector.of(row)))])
