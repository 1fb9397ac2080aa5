"""What is to be done by a time comes due once, to whoever is to do it; leads let lie become tasks."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from gateway.domain.calls import CallEvent
from gateway.domain.errors import Conflict, Invalid, NotFound, VersionConflict
from gateway.services import cards, due, lead_rules, leads, people, tasks, timeline
from gateway.services.cards import NewCard
from gateway.services.leads import LeadFields, LeadFilters
from gateway.services.people_input import OperatorUpdate
from gateway.services.tasks import NewTask, TaskFields, TaskFilters
from gateway.services.timeline import TimelineWindow
from gateway.services.views.tasks import Task
from gateway.store import work
from gateway.store.tables import leads as leads_table
from gateway.store.tables_conversations import tasks as tasks_table
from tests.services.conftest import COUNTRY, Office

Story = Callable[..., list[CallEvent]]
SOON = timedelta(milliseconds=300)


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
async def card(office: Office) -> str:
    """A card of the sellers."""
    made = await cards.create(office.store, office.actors["anna"], NewCard(name="Nina"), COUNTRY)
    return made.id


@pytest.fixture
async def times(office: Office) -> AsyncIterator[None]:
    """The loop for times."""
    running = asyncio.create_task(due.run(office.store))
    yield
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def _listed(office: Office, login: str, filters: TaskFilters | None = None) -> list[Task]:
    page = await tasks.list_tasks(office.store, office.actors[login], filters or TaskFilters(), 200, None)
    return page.items


async def _until_told(office: Office, count: int) -> list[dict[str, object]]:
    async with asyncio.timeout(10):
        while len(told := await office.told("task.due")) < count:
            committed = asyncio.Event()
            stop = office.store.on_commit(committed.set)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.1):
                    await committed.wait()
            stop()
    return told


async def test_a_task_comes_due_at_its_time_once_to_its_doer_and_his_supervisors(
    office: Office, card: str, times: None
) -> None:
    anna = office.actors["anna"]
    body = NewTask(text="Call back", due_at=now() + SOON, action="call")
    made = await tasks.create(office.store, anna, card, body)
    assert (made.assignee and made.assignee.id, made.overdue, made.card_name) == (anna.id, False, "Nina")
    (told,) = await _until_told(office, 1)
    assert told["id"] == made.id
    (fact,) = await office.facts("task.due")
    assert fact.operators == (anna.id,)
    assert now() >= datetime.fromisoformat(made.due_at)
    (shown,) = await _listed(office, "olga", TaskFilters(due_before=now(), state="open"))
    assert shown.overdue


async def test_a_task_put_off_comes_due_at_its_new_time_alone_and_one_done_never(
    office: Office, card: str, times: None
) -> None:
    anna = office.actors["anna"]
    put_off = await tasks.create(office.store, anna, card, NewTask(text="Later", due_at=now() + SOON))
    done = await tasks.create(office.store, anna, card, NewTask(text="Done", due_at=now() + SOON))
    last = await tasks.create(office.store, anna, card, NewTask(text="Last", due_at=now() + 2 * SOON))
    later = TaskFields(due_at=now() + timedelta(hours=1))
    await tasks.change(office.store, anna, put_off.id, later, None)
    finished = await tasks.change(office.store, anna, done.id, TaskFields(state="done"), None)
    assert finished.done_at is not None
    (told,) = await _until_told(office, 1)
    assert told["id"] == last.id
    with pytest.raises(Conflict):
        await tasks.change(office.store, anna, done.id, TaskFields(text="too late"), None)
    again = await tasks.change(office.store, anna, done.id, TaskFields(state="open"), finished.version)
    assert again.done_at is None
    assert (await _until_told(office, 2))[1]["id"] == done.id


async def test_a_task_is_seen_with_its_card_and_by_its_doer(office: Office, card: str) -> None:
    anna, boris, clara = (office.actors[login] for login in ("anna", "boris", "clara"))
    body = NewTask(text="Write", due_at=now() + timedelta(days=1), assignee=clara.id)
    made = await tasks.create(office.store, anna, card, body)
    assert [task.id for task in await _listed(office, "clara")] == [made.id]
    await tasks.change(office.store, boris, made.id, TaskFields(assignee=None), made.version)
    assert await _listed(office, "clara") == []
    with pytest.raises(NotFound):
        await tasks.change(office.store, clara, made.id, TaskFields(text="mine"), None)
    with pytest.raises(VersionConflict):
        await tasks.change(office.store, anna, made.id, TaskFields(text="x"), made.version)
    assert [t.id for t in await _listed(office, "anna", TaskFilters(assignee="none"))] == [made.id]


async def test_a_task_lies_on_the_timeline_as_it_stands_now(office: Office, card: str) -> None:
    anna = office.actors["anna"]
    made = await tasks.create(office.store, anna, card, NewTask(text="Call", due_at=now()))
    await tasks.change(office.store, anna, made.id, TaskFields(state="done"), None)
    page = await timeline.page(office.store, anna, card, TimelineWindow(kind="task"), 50)
    assert [(e.task and e.task.id, e.task and e.task.state) for e in page.items] == [(made.id, "done")]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (NewTask(text="x", due_at=datetime(2026, 11, 24, 12)), "due_at"),  # noqa: DTZ001 (as a client may send it)
        (NewTask(text="x", due_at=datetime(2099, 1, 1, tzinfo=UTC)), "due_at"),
        (NewTask(text="x", due_at=datetime.now(UTC), assignee="nobody"), "assignee"),
    ],
)
async def test_a_wrong_task_names_what_is_wrong(office: Office, card: str, body: NewTask, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        await tasks.create(office.store, office.actors["anna"], card, body)
    assert [error.field for error in refused.value.errors] == [field]


async def test_tasks_come_in_pages_in_order_of_their_time(office: Office, card: str) -> None:
    anna = office.actors["anna"]
    for hours in (3, 1, 2):
        body = NewTask(text=str(hours), due_at=now() + timedelta(hours=hours))
        await tasks.create(office.store, anna, card, body)
    first = await tasks.list_tasks(office.store, anna, TaskFilters(), 2, None)
    second = await tasks.list_tasks(office.store, anna, TaskFilters(), 2, first.next_cursor)
    assert [task.text for task in [*first.items, *second.items]] == ["1", "2", "3"]


async def test_a_lead_that_nobody_works_on_becomes_one_task_and_work_on_it_does_the_task(
    office: Office, ringing: Story
) -> None:
    await office.intake.calls_happened(ringing(1))
    hour = timedelta(hours=1)
    await office.store.write(lead_rules.apply, hour, "waits")
    assert await _listed(office, "anna") == []

    await office.store.write(
        lambda tx: tx.execute(update(leads_table).values(created_at=now() - hour)) and None
    )
    await asyncio.gather(*(office.store.write(lead_rules.apply, hour, "waits") for _ in range(5)))
    (task,) = await _listed(office, "anna")
    assert (task.made_by, task.action, task.assignee, task.text) == ("lead_untouched", "call", None, "waits")

    page = await leads.list_leads(office.store, office.actors["anna"], LeadFilters(), 10, None)
    await leads.change(
        office.store, office.actors["anna"], page.items[0].id, LeadFields(status="in_work"), None
    )
    assert [task.state for task in await _listed(office, "anna")] == ["done"]
    await office.store.write(lead_rules.apply, hour, "waits")
    assert len(await _listed(office, "anna")) == 1


async def test_what_cannot_be_done_is_set_aside_and_holds_nothing_up(
    office: Office, card: str, times: None
) -> None:
    await office.store.write(lambda tx: work.put(tx, tasks.DUE, "no id at all", key="x") and None)
    await tasks.create(office.store, office.actors["anna"], card, NewTask(text="Call", due_at=now()))
    assert len(await _until_told(office, 1)) == 1


async def test_whoever_leaves_hands_his_tasks_on(office: Office, card: str) -> None:
    anna, boris = office.actors["anna"], office.actors["boris"]
    await tasks.create(office.store, anna, card, NewTask(text="Call", due_at=now() + timedelta(days=1)))
    fields = OperatorUpdate(active=False, successor=boris.id)
    await people.change(office.store, office.actors["admin"], anna.id, fields, None)
    (task,) = await _listed(office, "boris", TaskFilters(assignee=boris.id))
    assert task.assignee is not None
    assert task.assignee.id == boris.id
    held = await office.store.read(lambda tx: tx.execute(tasks_table.select()).all())
    assert len(held) == 1
