"""panoramisk as transport: it connects, logs in and matches answers with actions; the rest is ours.

panoramisk reconnects by itself and sends unanswered actions again afterwards: an Originate sent twice rings a
client twice. So a Manager lives for one connection and is thrown away with it. Events never pass through its
dispatcher, in which one exception closes the connection.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

from panoramisk import Manager
from panoramisk import Message as Answer
from panoramisk.actions import Action as Request
from panoramisk.ami_protocol import AMIProtocol

from connectors.asterisk.actions import LIST_ITEMS
from connectors.asterisk.framing import Framer, Message

log = logging.getLogger(__name__)


class Wire(AMIProtocol):
    """One connection's bytes: answers go to their actions, events in order to `on_events`.

    `on_events` gets what came with one read and must not block; `on_lost` gets the reason, once or more.
    """

    def __init__(
        self,
        framer: Framer,
        on_events: Callable[[list[Message]], None],
        on_lost: Callable[[str], None],
    ) -> None:
        self.framer = framer
        self.answers: dict[str, list[Message]] = {}
        self.received_bytes = 0
        self._on_events = on_events
        self._on_lost = on_lost

    def data_received(self, data: bytes) -> None:
        """Called by the loop with whatever arrived."""
        self.received_bytes += len(data)
        try:
            events = [message for message in self.framer.feed(data) if self._is_news(message)]
            if events:
                self._on_events(events)
        except Exception:
            log.exception("a message of the PBX could not be handled")
            self._on_lost("a message of the PBX could not be handled; the traceback stands in the log")

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the loop when the connection ended, by whichever side."""
        self._on_lost(f"the connection broke: {exc}" if exc else "the PBX closed the connection")

    def close(self) -> None:
        """End the connection at once; what is unanswered stays so and is never sent again."""
        self.closed = True
        self.responses.clear()
        self.transport.abort()

    def forget(self, request: Request) -> list[Message]:
        """What was answered to `request` so far; later answers to it are dropped."""
        self.responses.pop(request.action_id, None)
        return self.answers.pop(request.action_id, [])

    def _is_news(self, message: Message) -> bool:
        """Hand the message to its action, if it has one; says whether it is (also) an event to deliver.

        What is neither event nor answer is delivered as well: the rest of an event that was cut by forged
        lines is a sign for the tracker.
        """
        action_id = message.get("ActionID")
        if action_id is not None:
            self._answer(action_id, message)
        name = message.get("Event")
        if name is None:
            return "Response" not in message
        return isinstance(name, list) or name not in LIST_ITEMS

    def _answer(self, action_id: str | list[str], message: Message) -> None:
        action = self.responses.get(_first(action_id))
        if action is None:
            return
        self.answers.setdefault(action.action_id, []).append(message)
        if action.add_message(Answer({key: _first(value) for key, value in message.items()})):
            self.responses.pop(action.action_id, None)


class OneConnection(Manager):
    """panoramisk's Manager without its own reconnecting, pinging and replaying."""

    def connection_made(self, f: asyncio.Task[tuple[asyncio.BaseTransport, asyncio.BaseProtocol]]) -> None:
        """A failed attempt is raised to who awaits `connect()`; nothing is scheduled here."""
        if not f.cancelled() and f.exception() is None:
            super().connection_made(f)
            if self.pinger is not None:
                self.pinger.cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing: the Wire tells its listener."""

    def login(self, future: asyncio.Future[Any]) -> bool:
        """Only notes the result: who connects awaits it and judges it."""
        self.authenticated = not future.cancelled() and bool(future.result().success)
        return self.authenticated

    def begin(self, action: Mapping[str, str]) -> Request:
        """Send one action, once; its `future` is done when the answer, or the whole list, is here."""
        request = Request(action)
        self.send_action(request)
        return request


def _first(value: str | list[str]) -> str:
    return value[0] if isinstance(value, list) else value
