"""What an installation must have before it serves: the team of everybody, and what stands in the file."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from config.settings import ConnectorSettings, Queue, Settings
from gateway.domain.ids import new_id
from gateway.domain.ports import LinkState
from gateway.services import teams
from gateway.store.tables import connectors, queues
from gateway.store.upsert import insert_or_skip


def prepare(tx: Connection, settings: Settings) -> None:
    """Bring the database in step with the file; what left the file stays, and is the desk's from then on."""
    now = datetime.now(UTC)
    teams.ensure_main(tx)
    for queue in settings.queues:
        teams.ensure_skills(tx, queue.skills)
        _place_queue(tx, queue, settings.locale.timezone, now)
    _release_queues(tx, [queue.name for queue in settings.queues])
    _place_connectors(tx, settings.connectors, now)


def _place_queue(tx: Connection, queue: Queue, timezone: str, now: datetime) -> None:
    values: dict[str, Any] = {
        "team_id": teams.ensure_team(tx, queue.team),
        "channels": [channel.value for channel in queue.channels],
        "distribution": queue.distribution.value,
        "skills": list(queue.skills),
        "service_level": {
            channel.value: {"target": level.target, "within_s": level.within_s}
            for channel, level in queue.service_level.items()
        },
        "hours": queue.hours or None,
        "timezone": queue.timezone or timezone,
        "pbx_queues": list(queue.pbx_queues),
        "origin": "file",
    }
    fresh = {"id": new_id(), "name": queue.name, "version": 1, "created_at": now, "updated_at": now}
    if not insert_or_skip(tx, queues, fresh | values, on=["name"]):
        tx.execute(update(queues).where(queues.c.name == queue.name).values(**values, updated_at=now))


def _release_queues(tx: Connection, in_file: Sequence[str]) -> None:
    gone = (queues.c.origin == "file", queues.c.name.not_in(in_file))
    tx.execute(update(queues).where(*gone).values(origin="desk"))


def _place_connectors(tx: Connection, attached: Sequence[ConnectorSettings], now: datetime) -> None:
    tx.execute(update(connectors).values(attached=False))
    known = set(tx.scalars(select(connectors.c.name)))
    for connector in attached:
        values: dict[str, Any] = {
            "kind": connector.kind,
            "queue": connector.queue,
            "attached": True,
            "state": LinkState.CONNECTING.value,
            "detail": "",
            "remedy": "",
            "clock_offset_s": None,
            "since": now,
        }
        if connector.name in known:
            tx.execute(update(connectors).where(connectors.c.name == connector.name).values(**values))
        else:
            fresh = {"id": new_id(), "name": connector.name, "created_at": now}
            tx.execute(insert(connectors), fresh | values)
