"""Facts in the words of the contract's events: who may see each stands here and nowhere else."""

from gateway.domain.facts import Fact
from gateway.services.views.calls import CallChanged, CallView
from gateway.services.views.cards import Card, CardMerged, Lead, TimelineAdded, TimelineEntry
from gateway.services.views.common import to_json
from gateway.services.views.contacts import CardOpened, Contact, ContactChanged
from gateway.services.views.recordings import Recording
from gateway.services.views.tasks import Task
from gateway.services.views.threads import Message, MessageChanged, Thread, ThreadChanged, ThreadPresence


def card_updated(card: Card, team_id: str) -> Fact:
    """The card is new or was changed."""
    return Fact("card.updated", to_json(card), team=team_id, card_id=card.id)


def task_updated(task: Task, team_id: str, whose: tuple[str, ...]) -> Fact:
    """A task is new or stands otherwise."""
    return Fact("task.updated", to_json(task), team=team_id, operators=whose, card_id=task.card_id)


def task_due(task: Task, team_id: str, whose: tuple[str, ...]) -> Fact:
    """A task's time has come: told to whoever is to do it, and to the supervisors of its team."""
    return Fact("task.due", to_json(task), team=team_id, operators=whose, card_id=task.card_id)


def card_merged(merged: CardMerged, team_id: str) -> Fact:
    """Two cards became one, or two again."""
    return Fact("card.merged", to_json(merged), team=team_id, card_id=merged.id)


def lead_updated(lead: Lead, team_id: str) -> Fact:
    """A lead was opened or moved on."""
    return Fact("lead.updated", to_json(lead), team=team_id, card_id=lead.card_id)


def timeline_added(entry: TimelineEntry, team_id: str) -> Fact:
    """Something new lies on the card."""
    data = to_json(TimelineAdded(card_id=entry.card_id, entry=entry))
    return Fact("timeline.added", data, team=team_id, card_id=entry.card_id)


def card_opened(pop: CardOpened, operator_ids: tuple[str, ...]) -> Fact:
    """The screen-pop: to these operators and nobody else."""
    card_id = pop.card.id if pop.card else None
    return Fact("card.opened", to_json(pop), operators=operator_ids, private=True, card_id=card_id)


def call_changed(
    event_type: str,
    call: CallView,
    team_id: str,
    involved: tuple[str, ...],
    extension: str | None,
    *,
    merged_into: str | None = None,
) -> Fact:
    """Something happened to a call; the people whose phones ring or who talk see it whatever their team."""
    data = to_json(CallChanged(call=call, extension=extension, merged_into=merged_into))
    return Fact(event_type, data, team=team_id, operators=involved, card_id=call.card_id)


def contact_changed(event_type: str, contact: Contact, team_id: str, involved: tuple[str, ...]) -> Fact:
    """Something happened to a contact."""
    data = to_json(ContactChanged(contact=contact))
    return Fact(event_type, data, team=team_id, operators=involved, card_id=contact.card_id)


def recording_ready(recording: Recording, team_id: str, talkers: tuple[str, ...]) -> Fact:
    """A recording can be played; whoever talked in it is told whatever his team."""
    data = to_json(recording)
    return Fact("recording.ready", data, team=team_id, operators=talkers, card_id=recording.card_id)


def message_changed(
    event_type: str, message: Message, thread: Thread, team_id: str, involved: tuple[str, ...]
) -> Fact:
    """Something happened to a message; whoever is offered or holds its thread sees it whatever his team."""
    data = to_json(MessageChanged(message=message, thread=thread))
    return Fact(event_type, data, team=team_id, operators=involved, card_id=thread.card_id)


def thread_updated(
    thread: Thread, team_id: str, involved: tuple[str, ...], message: Message | None = None
) -> Fact:
    """A thread is new or stands otherwise."""
    data = to_json(ThreadChanged(message=message, thread=thread))
    return Fact("thread.updated", data, team=team_id, operators=involved, card_id=thread.card_id)


def thread_read(thread: Thread, operator_id: str) -> Fact:
    """The thread as its one reader sees it, told to him alone: his other windows follow."""
    data = to_json(ThreadChanged(message=None, thread=thread))
    return Fact("thread.updated", data, operators=(operator_id,), private=True, card_id=thread.card_id)


def thread_presence(presence: ThreadPresence, team_id: str, involved: tuple[str, ...]) -> Fact:
    """Somebody looks at a thread or writes in it."""
    return Fact("thread.presence", to_json(presence), team=team_id, operators=involved)
