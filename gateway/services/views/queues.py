"""Queues with their live figures, and connectors."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sqlalchemy import Row

from gateway.services.views.common import View, at
from gateway.services.views.people import PresenceName

ChannelName = Literal["voice", "email", "chat", "callback"]


class ServiceLevel(View, frozen=True):
    """The promise and how it is kept: `now` is today's share so far, null before any."""

    target: float
    within_s: float
    now: float | None


class QueueToday(View, frozen=True):
    """Totals since midnight in the queue's time zone."""

    contacts: int = 0
    answered: int = 0
    abandoned: int = 0
    wait_s: float | None = None
    """Average wait of the answered ones."""


class QueueFigures(View, frozen=True):
    """What a queue looks like at this moment."""

    waiting: int
    longest_since: str | None
    """Since when the one waiting longest has waited."""
    longest_wait_s: float | None
    operators: Mapping[PresenceName, int]
    """Active operators who serve the queue, by presence."""
    now: Mapping[str, float]
    """Channel → share of today's contacts answered in time."""
    today: QueueToday


class Queue(View, frozen=True):
    """Where contacts wait for operators."""

    id: str
    version: int
    name: str
    team: str
    channels: Sequence[ChannelName]
    distribution: Literal["asterisk", "perezvon"]
    skills: Sequence[str]
    service_level: Mapping[str, ServiceLevel]
    hours: str
    timezone: str | None
    pbx_queues: Sequence[str]
    owned_by_file: bool
    waiting: int
    longest_since: str | None
    longest_wait_s: float | None
    operators: Mapping[PresenceName, int]
    today: QueueToday
    created_at: str
    updated_at: str

    @classmethod
    def of(cls, row: Row[Any], team: str, figures: QueueFigures) -> "Queue":
        """From a row of `queues` and its figures."""
        return cls(
            id=row.id,
            version=row.version,
            name=row.name,
            team=team,
            channels=row.channels,
            distribution=row.distribution,
            skills=row.skills,
            service_level={
                channel: ServiceLevel(**promise, now=figures.now.get(channel))
                for channel, promise in row.service_level.items()
            },
            hours=row.hours or "",
            timezone=row.timezone,
            pbx_queues=row.pbx_queues,
            owned_by_file=row.origin == "file",
            waiting=figures.waiting,
            longest_since=figures.longest_since,
            longest_wait_s=figures.longest_wait_s,
            operators=figures.operators,
            today=figures.today,
            created_at=at(row.created_at),
            updated_at=at(row.updated_at),
        )


class Traits(View, frozen=True):
    """What a channel can do; what it cannot is refused. Sizes in bytes, texts in characters."""

    edit: bool
    delete: bool
    reply: bool
    html: bool
    subject: bool
    attachments: bool
    typing: bool
    longest_text: int
    largest_file: int
    files_per_message: int
    first_contact: bool
    """Whether we may write first, to an address of the kind `identity`."""
    identity: str

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> "Traits":
        """From what was written down when the connector was attached."""
        return cls(**{name: kept[name] for name in cls.__struct_fields__})


class Connector(View, frozen=True):
    """One configured attachment and how it stands; `remedy` says what to mend. `traits` of a channel of
    messages, null for a PBX."""

    id: str
    name: str
    kind: str
    channel: ChannelName
    traits: Traits | None
    queue: str | None
    state: Literal["connecting", "up", "down", "needs_administrator"]
    detail: str
    remedy: str
    since: str
    clock_offset_s: float | None
    owned_by_file: bool
    created_at: str

    @classmethod
    def of(cls, row: Row[Any]) -> "Connector":
        """From a row of `connectors`."""
        return cls(
            id=row.id,
            name=row.name,
            kind=row.kind,
            channel=row.channel or "voice",
            traits=Traits.of(row.traits) if row.traits else None,
            queue=row.queue,
            state=row.state,
            detail=row.detail,
            remedy=row.remedy,
            since=at(row.since),
            clock_offset_s=row.clock_offset_s,
            owned_by_file=True,
            created_at=at(row.created_at),
        )
