"""What a person may see: the one place through which every read and write on behalf of a person goes.

Each function gives a SQL condition on the table it is named for; `card_for` and its like fetch one row
through it. What does not exist and what one may not see are both `NotFound`.
"""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, and_, or_, select, true

from gateway.domain.errors import NotFound, Refused
from gateway.domain.ids import is_id
from gateway.domain.people import Actor, Role
from gateway.store.tables import calls as calls_table
from gateway.store.tables import cards as cards_table
from gateway.store.tables import contact_people, operator_teams, queues, recording_talkers, teams
from gateway.store.tables import contacts as contacts_table
from gateway.store.tables import leads as leads_table
from gateway.store.tables import operators as operators_table
from gateway.store.tables import recordings as recordings_table
from gateway.store.tables_conversations import attachments as attachments_table
from gateway.store.tables_conversations import messages as messages_table
from gateway.store.tables_conversations import suggestions as suggestions_table
from gateway.store.tables_conversations import tasks as tasks_table
from gateway.store.tables_conversations import templates as templates_table
from gateway.store.tables_conversations import threads as threads_table

Condition = ColumnElement[bool]


def require(actor: Actor, role: Role) -> None:
    """Raises `Refused` unless the actor has at least this role."""
    if actor.role.rank < role.rank:
        raise Refused(f"this needs the role {role}")


def require_person(actor: Actor) -> None:
    """Raises `Refused` for a program."""
    if actor.operator_id is None:
        raise Refused("only a person does this")


def may_use_team(actor: Actor, team_id: str) -> bool:
    """Whether the actor belongs to the team, or to all."""
    return actor.sees_all or team_id in actor.teams


def cards(actor: Actor) -> Condition:
    """Cards of his teams, and those of the contacts that he is offered or holds."""
    if actor.sees_all:
        return true()
    return or_(cards_table.c.team_id.in_(actor.teams), cards_table.c.id.in_(_cards_in_hand(actor)))


def _cards_in_hand(actor: Actor) -> Select[Any]:
    return select(contact_people.c.card_id).where(
        contact_people.c.operator_id == actor.id, contact_people.c.card_id.is_not(None)
    )


def calls(actor: Actor) -> Condition:
    """A supervisor: the calls of his teams. An operator: his own, those in hand, those of cards he sees."""
    if actor.sees_all:
        return true()
    if actor.role is Role.SUPERVISOR:
        return calls_table.c.team_id.in_(actor.teams)
    return or_(
        calls_table.c.operator_id == actor.id,
        calls_table.c.id.in_(_calls_in_hand(actor)),
        calls_table.c.card_id.in_(select(cards_table.c.id).where(cards(actor))),
    )


def _calls_in_hand(actor: Actor) -> Select[Any]:
    return (
        select(contacts_table.c.call_id)
        .join(contact_people, contact_people.c.contact_id == contacts_table.c.id)
        .where(contact_people.c.operator_id == actor.id)
    )


def recordings(actor: Actor) -> Condition:
    """Recordings of the calls that he sees, and those in which he talked; without a call admins' alone."""
    if actor.sees_all:
        return true()
    seen = recordings_table.c.call_id.in_(select(calls_table.c.id).where(calls(actor)))
    return or_(seen, recordings_table.c.id.in_(_talked_in(actor)))


def listening(actor: Actor) -> Condition:
    """Of those the ones he may listen to. A supervisor: all. An operator: of calls in which he talked, and of
    the call and the card of a contact that he holds, as long as he holds it."""
    if actor.sees_all:
        return true()
    if actor.role is Role.SUPERVISOR:
        return recordings(actor)
    held = (
        select(contacts_table.c.call_id, contacts_table.c.card_id)
        .join(contact_people, contact_people.c.contact_id == contacts_table.c.id)
        .where(contact_people.c.operator_id == actor.id, contacts_table.c.operator_id == actor.id)
        .subquery()
    )
    his = or_(
        calls_table.c.operator_id == actor.id,
        calls_table.c.id.in_(select(held.c.call_id).where(held.c.call_id.is_not(None))),
        calls_table.c.card_id.in_(select(held.c.card_id).where(held.c.card_id.is_not(None))),
    )
    return or_(
        recordings_table.c.id.in_(_talked_in(actor)),
        recordings_table.c.call_id.in_(select(calls_table.c.id).where(his)),
    )


def _talked_in(actor: Actor) -> Select[Any]:
    return select(recording_talkers.c.recording_id).where(recording_talkers.c.operator_id == actor.id)


def contacts(actor: Actor) -> Condition:
    """A supervisor: the contacts of his teams. An operator: his own and those offered to him."""
    if actor.sees_all:
        return true()
    if actor.role is Role.SUPERVISOR:
        return contacts_table.c.team_id.in_(actor.teams)
    offered = select(contact_people.c.contact_id).where(contact_people.c.operator_id == actor.id)
    return or_(contacts_table.c.operator_id == actor.id, contacts_table.c.id.in_(offered))


def threads(actor: Actor) -> Condition:
    """Threads of his teams, his own, those in hand, those of cards that he sees."""
    if actor.sees_all:
        return true()
    in_hand = (
        select(contacts_table.c.thread_id)
        .join(contact_people, contact_people.c.contact_id == contacts_table.c.id)
        .where(contact_people.c.operator_id == actor.id, contacts_table.c.thread_id.is_not(None))
    )
    seen = select(cards_table.c.id).where(cards_table.c.id == threads_table.c.card_id, cards(actor))
    return or_(
        threads_table.c.team_id.in_(actor.teams),
        threads_table.c.assignee_id == actor.id,
        threads_table.c.id.in_(in_hand),
        seen.exists(),
    )


def messages(actor: Actor) -> Condition:
    """Messages of the threads that he sees."""
    if actor.sees_all:
        return true()
    own = select(threads_table.c.id).where(threads_table.c.id == messages_table.c.thread_id, threads(actor))
    return own.exists()


def attachments(actor: Actor) -> Condition:
    """Files of the messages that he sees, and those that he uploaded for one to be written."""
    own = attachments_table.c.uploaded_by == actor.id
    waiting = and_(attachments_table.c.message_id.is_(None), own)
    if actor.sees_all:
        return or_(attachments_table.c.message_id.is_not(None), waiting)
    there = select(messages_table.c.id).where(
        messages_table.c.id == attachments_table.c.message_id, messages(actor)
    )
    return or_(waiting, there.exists())


def templates(actor: Actor) -> Condition:
    """Everybody's, and those of his teams."""
    if actor.sees_all:
        return true()
    return or_(templates_table.c.team_id.is_(None), templates_table.c.team_id.in_(actor.teams))


def suggestions(actor: Actor) -> Condition:
    """Suggestions about two cards that he sees both."""
    if actor.sees_all:
        return true()
    seen = select(cards_table.c.id).where(cards(actor))
    return and_(suggestions_table.c.card_id.in_(seen), suggestions_table.c.other_id.in_(seen))


def leads(actor: Actor) -> Condition:
    """Leads on the cards that he sees."""
    if actor.sees_all:
        return true()
    return leads_table.c.card_id.in_(select(cards_table.c.id).where(cards(actor)))


def tasks(actor: Actor) -> Condition:
    """Tasks on the cards that he sees, and those that he is to do."""
    if actor.sees_all:
        return true()
    seen = tasks_table.c.card_id.in_(select(cards_table.c.id).where(cards(actor)))
    return or_(tasks_table.c.assignee_id == actor.id, seen)


def operators(actor: Actor) -> Condition:
    """Colleagues of his teams, and himself."""
    if actor.sees_all:
        return true()
    mates = select(operator_teams.c.operator_id).where(operator_teams.c.team_id.in_(actor.teams))
    return or_(operators_table.c.id == actor.id, operators_table.c.id.in_(mates))


def queues_of(actor: Actor) -> Condition:
    """Queues of his teams."""
    return true() if actor.sees_all else queues.c.team_id.in_(actor.teams)


def teams_of(actor: Actor) -> Condition:
    """His teams."""
    return true() if actor.sees_all else teams.c.id.in_(actor.teams)


def card_for(tx: Connection, actor: Actor, card_id: str, *, lock: bool = False) -> Row[Any]:
    """The card, if he may see it; `lock` holds it until the transaction ends. Raises `NotFound`."""
    return _one(tx, cards_table, card_id, and_(cards(actor), cards_table.c.merged_into.is_(None)), lock=lock)


def lead_for(tx: Connection, actor: Actor, lead_id: str, *, lock: bool = False) -> Row[Any]:
    """The lead, if he sees its card. Raises `NotFound`."""
    return _one(tx, leads_table, lead_id, leads(actor), lock=lock)


def task_for(tx: Connection, actor: Actor, task_id: str, *, lock: bool = False) -> Row[Any]:
    """The task, if he may see it. Raises `NotFound`."""
    return _one(tx, tasks_table, task_id, tasks(actor), lock=lock)


def call_for(tx: Connection, actor: Actor, call_id: str, *, lock: bool = False) -> Row[Any]:
    """The call, if he may see it. Raises `NotFound`."""
    return _one(tx, calls_table, call_id, calls(actor), lock=lock)


def contact_for(tx: Connection, actor: Actor, contact_id: str, *, lock: bool = False) -> Row[Any]:
    """The contact, if he may see it. Raises `NotFound`."""
    return _one(tx, contacts_table, contact_id, contacts(actor), lock=lock)


def contact_to_handle(tx: Connection, actor: Actor, contact_id: str) -> Row[Any]:
    """The contact, if he may see it or the thread that it is about: who was too late may learn who was not.
    Raises `NotFound`."""
    about = select(threads_table.c.id).where(threads_table.c.id == contacts_table.c.thread_id, threads(actor))
    seen = or_(contacts(actor), about.exists())
    return _one(tx, contacts_table, contact_id, seen, lock=False)


def thread_for(tx: Connection, actor: Actor, thread_id: str, *, lock: bool = False) -> Row[Any]:
    """The thread, if he may see it. Raises `NotFound`."""
    return _one(tx, threads_table, thread_id, threads(actor), lock=lock)


def message_for(tx: Connection, actor: Actor, message_id: str) -> Row[Any]:
    """The message, if he sees its thread. Raises `NotFound`."""
    return _one(tx, messages_table, message_id, messages(actor), lock=False)


def attachment_for(tx: Connection, actor: Actor, attachment_id: str) -> Row[Any]:
    """The file, if he may see it. Raises `NotFound`."""
    return _one(tx, attachments_table, attachment_id, attachments(actor), lock=False)


def template_for(tx: Connection, actor: Actor, template_id: str, *, lock: bool = False) -> Row[Any]:
    """The template, if he may use it. Raises `NotFound`."""
    return _one(tx, templates_table, template_id, templates(actor), lock=lock)


def suggestion_for(tx: Connection, actor: Actor, suggestion_id: str) -> Row[Any]:
    """The suggestion, if he sees both cards. Raises `NotFound`."""
    return _one(tx, suggestions_table, suggestion_id, suggestions(actor), lock=False)


def operator_for(tx: Connection, actor: Actor, operator_id: str, *, lock: bool = False) -> Row[Any]:
    """The colleague, if they share a team. Raises `NotFound`."""
    return _one(tx, operators_table, operator_id, operators(actor), lock=lock)


def queue_for(tx: Connection, actor: Actor, queue_id: str, *, lock: bool = False) -> Row[Any]:
    """The queue, if it is of his teams. Raises `NotFound`."""
    return _one(tx, queues, queue_id, queues_of(actor), lock=lock)


def _one(tx: Connection, table: Table, row_id: str, condition: Condition, *, lock: bool) -> Row[Any]:
    if not is_id(row_id):
        raise NotFound
    query = select(table).where(table.c.id == row_id, condition)
    row = tx.execute(query.with_for_update(key_share=True) if lock else query).one_or_none()
    if row is None:
        raise NotFound
    return row
