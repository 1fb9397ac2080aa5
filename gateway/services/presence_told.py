"""Who looks at a thread or writes in it just now: told, never kept beyond the facts."""

from typing import Any, Literal

from sqlalchemy import Connection, Row

from gateway.domain.people import Actor
from gateway.services import publish, thread_views
from gateway.services.views.threads import Author, ThreadPresence
from gateway.store import facts
from gateway.store import threads as store

FOR_S = 6.0
"""How long it is shown; whoever goes on typing tells again before."""


def client_types(tx: Connection, connector: str, thread_key: str) -> None:
    """The client types in his open thread; nothing without one."""
    thread = store.open_thread(tx, connector, thread_key)
    if thread is not None:
        _tell(tx, thread, "typing", Author(kind="client", id=None, name=thread.client["name"]))


def operator_does(tx: Connection, thread: Row[Any], actor: Actor, what: Literal["typing", "viewing"]) -> None:
    """A colleague types or looks."""
    _tell(tx, thread, what, Author(kind="operator", id=actor.operator_id, name=actor.name))


def _tell(tx: Connection, thread: Row[Any], what: Literal["typing", "viewing"], by: Author) -> None:
    presence = ThreadPresence(
        thread_id=thread.id,
        connector=thread.connector,
        key=thread.thread_key,
        what=what,
        by=by,
        for_s=FOR_S,
    )
    told = publish.thread_presence(presence, thread.team_id, thread_views.involved(tx, thread))
    facts.append(tx, [told])
