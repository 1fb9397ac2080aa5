"""Replies out: they are in the books already, where the visitor reads them; his windows are told."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from connectors.webchat.requests import FILES, LONGEST_TEXT
from gateway.domain.errors import PermanentFailure
from gateway.domain.identities import Identity
from gateway.domain.messages import ChannelTraits, Delivered, OutgoingMessage

FORM = "form:"


class WebchatSender:
    """`tell(key)` tells the windows of a conversation that somebody types."""

    def __init__(self, largest_file: int, tell: Callable[[str, str], None]) -> None:
        self._tell = tell
        self.traits = ChannelTraits(
            identity="webchat",
            typing=True,
            edit=True,
            delete=True,
            idempotent=True,
            reply=True,
            longest_text=LONGEST_TEXT,
            largest_file=largest_file,
            files_per_message=FILES,
            per_second=1000.0,
        )

    async def send(self, message: OutgoingMessage) -> Delivered:
        """Nothing has to be carried: being committed as sent is being there."""
        if message.thread_key.startswith(FORM):
            raise PermanentFailure("a site's form cannot be answered: call, or write to the client's address")
        return Delivered(message.message_id, datetime.now(UTC))

    async def typing(self, thread_key: str) -> None:
        """Shown in the visitor's windows on this node."""
        self._tell(thread_key, "typing")

    async def fetch(self, reference: str, into: Path, largest: int) -> None:  # noqa: ARG002 (the port's names)
        """Files came with their message; there is nothing to fetch."""
        raise PermanentFailure(f"{reference} names no file of a visitor")

    def thread_key(self, to: Identity) -> str:
        """The conversation of a visitor."""
        return to.value.partition(":")[2]
