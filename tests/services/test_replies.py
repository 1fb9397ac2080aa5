"""What operators write goes out once, in order, and its state is the truth."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gateway.domain.errors import (
    Conflict,
    Invalid,
    NeedsAdministrator,
    OutcomeUnknown,
    PermanentFailure,
    Refused,
    TemporaryFailure,
    Unreachable,
)
from gateway.domain.identities import Identity
from gateway.domain.messages import (
    ChannelTraits,
    Delivered,
    InboundReceipt,
    MessageStatus,
    OutgoingMessage,
    OutgoingVerb,
)
from gateway.services import outbox, replies, threads
from gateway.services.delivery import Delivery
from gateway.services.replies import MessageFields, NewMessage
from gateway.services.views.threads import Message
from gateway.store.tables import identities, timeline
from gateway.store.tables_conversations import messages
from gateway.store.tables_conversations import threads as threads_table
from tests.services.conftest import Office
from tests.services.talk import NAME, START, Talk, attach, available, says


class Other:
    """The other side: what it was sent, and how it answers; by default it takes everything."""

    def __init__(self, **traits: Any) -> None:
        self.traits = ChannelTraits(**{"per_second": 1000.0, "reply": True} | traits)
        self.taken: list[OutgoingMessage] = []
        self.answers: list[Exception] = []
        self.before: Callable[[], Any] | None = None

    async def send(self, message: OutgoingMessage) -> Delivered:
        if self.before is not None:
            await self.before()
        if self.answers:
            raise self.answers.pop(0)
        self.taken.append(message)
        return Delivered(f"x{len(self.taken)}", datetime.now(UTC))

    async def fetch(self, reference: str, into: Path, largest: int) -> None: ...

    async def typing(self, thread_key: str) -> None: ...

    def thread_key(self, to: Identity) -> str:
        return to.value

    @property
    def texts(self) -> list[str]:
        return [one.text for one in self.taken]


@pytest.fixture
async def talk(office: Office, tmp_path: Path) -> Talk:
    """Ivan has written, and Anna has accepted."""
    await available(office.store, "anna", "boris")
    talk = await attach(office.store, tmp_path, edit=True, delete=True, reply=True)
    await talk.comes(says("вопрос", who="ivan"))
    return talk


async def thread_id(office: Office) -> str:
    found = await office.store.read(lambda tx: tx.scalar(select(threads_table.c.id)))
    assert found is not None
    return str(found)


async def write(office: Office, text: str, who: str = "anna", **more: Any) -> Message:
    body = NewMessage(text=text, **more)
    return await replies.send_reply(office.store, office.actors[who], await thread_id(office), body)


async def status(office: Office, message: Message) -> tuple[str, str | None]:
    query = select(messages.c.status, messages.c.error).where(messages.c.id == message.id)
    row = (await office.store.read(lambda tx: tx.execute(query).all()))[0]
    return row.status, row.error


@asynccontextmanager
async def delivering(talk: Talk, other: Other) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(Delivery(talk.store, talk.library, NAME, other).run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(office: Office, message: Message, *wanted: str) -> str | None:
    """Its error, once the message stands so."""
    changed = asyncio.Event()
    stop = office.store.on_commit(changed.set)
    try:
        async with asyncio.timeout(10):
            while True:
                changed.clear()
                found, error = await status(office, message)
                if found in wanted:
                    return error
                await changed.wait()
    finally:
        stop()


async def test_replies_go_out_in_order_and_once(office: Office, talk: Talk) -> None:
    written = [await write(office, f"ответ {number}") for number in range(12)]
    assert {one.status for one in written} == {"queued"}
    other = Other()
    async with delivering(talk, other):
        await until(office, written[-1], "sent")
    assert other.texts == [f"ответ {number}" for number in range(12)]
    assert {one.attempt for one in other.taken} == {1}
    told = [one["message"]["status"] for one in await office.told("message.status")]
    assert told == ["sending", "sent"] * 12


async def test_a_reply_takes_the_waiting_contact_and_turns_the_thread_to_pending(
    office: Office, talk: Talk
) -> None:
    await write(office, "здравствуйте")
    view = await threads.get(office.store, office.actors["anna"], await thread_id(office))
    assert view.assignee is not None
    assert (view.assignee.name, view.state, view.unread) == ("Anna", "pending", 0)
    (assigned,) = await office.facts("contact.assigned")
    assert office.actors["boris"].id in assigned.operators
    page = await office.store.read(lambda tx: tx.execute(select(timeline.c.direction)).all())
    assert [row.direction for row in page] == [None, "in", "out"]


async def test_the_same_client_id_is_the_same_message(office: Office, talk: Talk) -> None:
    first = await write(office, "раз", client_id="c1")
    again = await write(office, "раз", client_id="c1")
    assert first.id == again.id
    other = Other()
    async with delivering(talk, other):
        await until(office, first, "sent")
    assert other.texts == ["раз"]


async def test_what_the_other_side_refuses_fails_and_the_next_goes_on(office: Office, talk: Talk) -> None:
    refused, taken = await write(office, "раз"), await write(office, "два")
    other = Other()
    other.answers = [PermanentFailure("too rude")]
    async with delivering(talk, other):
        await until(office, taken, "sent")
    assert await status(office, refused) == ("failed", "too rude")
    again = await replies.retry(office.store, office.actors["anna"], refused.id)
    assert again.status == "queued"
    async with delivering(talk, other):
        await until(office, refused, "sent")
    assert [(one.text, one.attempt) for one in other.taken] == [("два", 1), ("раз", 2)]


async def test_a_lost_answer_is_unknown_and_never_sent_again_by_itself(office: Office, talk: Talk) -> None:
    lost, after = await write(office, "раз"), await write(office, "два")
    other = Other()
    other.answers = [OutcomeUnknown("reset after the request")]
    async with delivering(talk, other):
        await until(office, after, "sent")
    assert await status(office, lost) == ("unknown", "reset after the request")
    assert other.texts == ["два"]


async def test_where_the_other_side_takes_an_id_once_a_lost_answer_is_sent_again(
    office: Office, talk: Talk
) -> None:
    message = await write(office, "раз")
    other = Other(idempotent=True)
    other.answers = [OutcomeUnknown("reset")]
    async with delivering(talk, other):
        await until(office, message, "sent")
    assert [one.message_id for one in other.taken] == [message.id]


async def test_a_busy_other_side_is_tried_again_and_the_order_holds(office: Office, talk: Talk) -> None:
    first, second = await write(office, "раз"), await write(office, "два")
    other = Other()
    other.answers = [TemporaryFailure("busy", retry_after_s=0.05)]
    async with delivering(talk, other):
        await until(office, second, "sent")
    assert other.texts == ["раз", "два"]
    assert (await status(office, first))[0] == "sent"


async def test_found_as_being_sent_after_a_crash_it_is_unknown(office: Office, talk: Talk) -> None:
    message, after = await write(office, "раз"), await write(office, "два")
    jobs = await office.store.write(outbox.take_up, NAME, talk.library, 16, False)
    assert [job.message.text for job in jobs] == ["раз"]
    other = Other()
    async with delivering(talk, other):
        await until(office, after, "sent")
    assert (await status(office, message))[0] == "unknown"
    assert other.texts == ["два"]


async def test_an_unreachable_client_is_marked_until_he_writes_again(office: Office, talk: Talk) -> None:
    message, after = await write(office, "раз"), await write(office, "два")
    other = Other()
    other.answers = [Unreachable("blocked by the client")]
    async with delivering(talk, other):
        await until(office, after, "failed")
    assert (await status(office, message))[0] == "failed"
    marked = select(identities.c.undeliverable)
    assert await office.store.read(lambda tx: tx.scalar(marked)) is True
    with pytest.raises(Conflict, match="cannot be reached"):
        await write(office, "три")
    await talk.comes(says("я тут", who="ivan"))
    assert await office.store.read(lambda tx: tx.scalar(marked)) is False
    await write(office, "три")


async def test_wrong_credentials_stop_the_connector_and_keep_the_message(office: Office, talk: Talk) -> None:
    message = await write(office, "раз")
    other = Other()
    other.answers = [NeedsAdministrator("token revoked", remedy="make a new one")]
    async with delivering(talk, other) as task:
        with pytest.raises(NeedsAdministrator):
            await asyncio.wait_for(asyncio.shield(task), 10)
    assert await status(office, message) == ("queued", "token revoked: make a new one")


async def test_a_scheduled_message_holds_nobody_up_and_can_be_taken_back(office: Office, talk: Talk) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    scheduled = await write(office, "завтра", send_at=later)
    now = await write(office, "сейчас")
    other = Other()
    async with delivering(talk, other):
        await until(office, now, "sent")
    assert other.texts == ["сейчас"]
    await replies.take_back(office.store, office.actors["anna"], scheduled.id)
    page = await threads.page(
        office.store, office.actors["anna"], await thread_id(office), threads.Window(), 50
    )
    assert [one.text for one in page.items] == ["вопрос", "сейчас"]


async def test_a_scheduled_message_goes_out_at_its_time(office: Office, talk: Talk) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=0.2)
    message = await write(office, "скоро", send_at=soon)
    assert await office.store.write(outbox.release_due) == 0
    await asyncio.sleep(0.25)
    assert await office.store.write(outbox.release_due) == 1
    other = Other()
    async with delivering(talk, other):
        await until(office, message, "sent")
    assert other.texts == ["скоро"]


async def test_what_waits_can_be_taken_back_and_its_counters_with_it(office: Office, talk: Talk) -> None:
    message = await write(office, "ой")
    await replies.take_back(office.store, office.actors["anna"], message.id)
    view = await threads.get(office.store, office.actors["anna"], await thread_id(office))
    assert (view.messages, view.preview) == (1, "вопрос")
    other = Other()
    async with delivering(talk, other):
        sent = await write(office, "ответ")
        await until(office, sent, "sent")
    assert other.texts == ["ответ"]


async def test_what_was_tried_in_vain_and_is_taken_back_stays_as_failed(office: Office, talk: Talk) -> None:
    message = await write(office, "раз")
    other = Other()
    other.answers = [TemporaryFailure("busy", retry_after_s=3600)]
    async with delivering(talk, other):
        while (await status(office, message))[1] is None:
            await until(office, message, "queued", "sending")
        await replies.take_back(office.store, office.actors["anna"], message.id)
        assert (await status(office, message))[0] == "failed"
    assert other.taken == []


async def test_changing_and_taking_back_what_was_sent_reaches_the_other_side(
    office: Office, talk: Talk
) -> None:
    message = await write(office, "опечтка")
    other = Other()
    async with delivering(talk, other):
        await until(office, message, "sent")
        anna = office.actors["anna"]
        edited = await replies.edit(office.store, anna, message.id, MessageFields(text="опечатка"))
        assert (edited.text, edited.revisions) == ("опечатка", 1)
        with pytest.raises(Refused):
            await replies.edit(office.store, office.actors["boris"], message.id, MessageFields(text="!"))
        await replies.take_back(office.store, anna, message.id)
        last = await write(office, "всё")
        await until(office, last, "sent")
    verbs = [(one.verb, one.external_id, one.text) for one in other.taken]
    assert verbs[1][:2] == (OutgoingVerb.EDIT, "x1")
    assert verbs[2][:2] == (OutgoingVerb.DELETE, "x1")
    olga = office.actors["olga"]
    kept = await threads.revisions(office.store, olga, message.id)
    assert [one.text for one in kept.items] == ["опечтка", "опечатка"]
    assert (await threads.message(office.store, olga, message.id)).text == ""
    with pytest.raises(Refused):
        await threads.revisions(office.store, office.actors["anna"], message.id)


async def test_receipts_raise_the_state_and_never_lower_it(office: Office, talk: Talk) -> None:
    first, second = await write(office, "раз"), await write(office, "два")
    async with delivering(talk, Other()):
        await until(office, second, "sent")
    await talk.comes(InboundReceipt("x2", "ivan", START, MessageStatus.READ, up_to=True))
    await talk.comes(InboundReceipt("x2", "ivan", START, MessageStatus.DELIVERED))
    assert [await status(office, one) for one in (first, second)] == [("read", None)] * 2


async def test_a_receipt_faster_than_our_own_books_is_not_lost(office: Office, talk: Talk) -> None:
    message = await write(office, "раз")
    other = Other()

    async def receipt() -> None:
        await talk.comes(InboundReceipt("x1", "ivan", START, MessageStatus.DELIVERED))

    other.before = receipt
    async with delivering(talk, other):
        await until(office, message, "delivered")


async def test_our_own_message_that_comes_back_is_not_doubled(office: Office, talk: Talk) -> None:
    message = await write(office, "раз")
    other = Other()

    async def echo() -> None:
        await talk.comes(says("раз", who="ivan", external_id="x1", outgoing=True))

    other.before = echo
    async with delivering(talk, other):
        await until(office, message, "sent")
    await talk.comes(says("раз", who="ivan", external_id="x1", outgoing=True))
    page = await threads.page(
        office.store, office.actors["anna"], await thread_id(office), threads.Window(), 50
    )
    assert [one.text for one in page.items] == ["вопрос", "раз"]
    seqs = await office.store.read(lambda tx: sorted(tx.scalars(select(messages.c.seq)).all()))
    assert len(seqs) == len(set(seqs))


async def test_what_the_channel_cannot_carry_is_refused_with_its_reason(office: Office, talk: Talk) -> None:
    with pytest.raises(Invalid) as wrong:
        await write(office, "x" * 5000, html="<b>x</b>", to=["a@example.org"], reply_to=None)
    assert {one.field for one in wrong.value.errors} == {"text", "html", "to"}
    with pytest.raises(Invalid):
        await write(office, "  ")
