"""A PBX's events that are the same in every life of the intake: strangers call, some of them twice."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from gateway.domain.calls import Call, CallEvent, CallEventType, CallState, Direction, Disposition, Party
from gateway.domain.ids import call_id

PBX = "pbx1"
EXTENSION = "101"
START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
AT_ONCE = 40
EVERY_FIFTH_AGAIN = 5


@dataclass(frozen=True, slots=True)
class Contact:
    """One call to the office: its phone rings, and one caller of four gives up."""

    number: str
    rings: CallEvent
    gives_up: CallEvent | None


def contact(order: int) -> Contact:
    """The contact of that order, from 0."""
    uniqueid = f"{int(START.timestamp())}.{order}"
    number = f"+7999{_caller(order):07d}"
    at = START + timedelta(seconds=order)
    call = Call(
        id=call_id(PBX, uniqueid),
        pbx=PBX,
        linkedid=uniqueid,
        direction=Direction.IN,
        state=CallState.RINGING,
        started_at=at,
        from_=Party(number, number, f"Клиент {order}"),
        did="+74951000400",
        rang=(EXTENSION,),
        ringing=(EXTENSION,),
        legs=(uniqueid,),
    )
    rings = CallEvent(CallEventType.RINGING, call, at, EXTENSION)
    if order % 4:
        return Contact(number, rings, None)
    end = at + timedelta(seconds=20)
    ended = replace(
        call, state=CallState.ENDED, ringing=(), disposition=Disposition.ABANDONED, ended_at=end, wait_s=20.0
    )
    return Contact(number, rings, CallEvent(CallEventType.ENDED, ended, end))


def _caller(order: int) -> int:
    # Who calls again had called shortly before: the two may be on their way together.
    return order - 3 if order >= 3 and order % EVERY_FIFTH_AGAIN == 3 else order


def batches(contacts: int) -> Iterator[list[CallEvent]]:
    """All events in their order; a batch holds at most one of each call, so that any batch may come again."""
    for first in range(0, contacts, AT_ONCE):
        now = [contact(order) for order in range(first, min(first + AT_ONCE, contacts))]
        yield [one.rings for one in now]
        yield [one.gives_up for one in now if one.gives_up is not None]
