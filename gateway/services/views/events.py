"""What the event socket says: type → shape of `data`. The one list behind OpenAPI and the desk's types."""

from collections.abc import Mapping, Sequence

from gateway.domain.calls import CallEventType
from gateway.services.views.calls import CallChanged, CallView
from gateway.services.views.cards import Card, CardMerged, Lead, TimelineAdded
from gateway.services.views.common import View
from gateway.services.views.contacts import CardOpened, Contact, ContactChanged
from gateway.services.views.people import Me, Operator
from gateway.services.views.queues import Connector, Queue
from gateway.services.views.recordings import Recording
from gateway.services.views.tasks import Task
from gateway.services.views.threads import MessageChanged, ThreadChanged, ThreadPresence


class Hello(View, frozen=True):
    """Data of `hello`: the whole present state as this person may see it."""

    me: Me
    contacts: Sequence[Contact]
    """Those that are not over."""
    calls: Sequence[CallView]
    """Those that have not ended."""
    queues: Sequence[Queue]
    operators: Sequence[Operator]


_CONTACT = (
    "queued",
    "offered",
    "assigned",
    "declined",
    "expired",
    "wrap_up",
    "deferred",
    "transferred",
    "closed",
    "abandoned",
    "rejected",
    "updated",
)

_MESSAGE = ("received", "sent", "status", "edited", "deleted", "updated")

EVENTS: Mapping[str, type[View]] = {
    "hello": Hello,
    "card.opened": CardOpened,
    **{event.value: CallChanged for event in CallEventType},
    **{f"contact.{happened}": ContactChanged for happened in _CONTACT},
    **{f"message.{happened}": MessageChanged for happened in _MESSAGE},
    "thread.updated": ThreadChanged,
    "thread.presence": ThreadPresence,
    "timeline.added": TimelineAdded,
    "card.updated": Card,
    "card.merged": CardMerged,
    "lead.updated": Lead,
    "task.updated": Task,
    "task.due": Task,
    "operator.updated": Operator,
    "presence.changed": Operator,
    "queue.updated": Queue,
    "recording.ready": Recording,
    "connector.state": Connector,
}
