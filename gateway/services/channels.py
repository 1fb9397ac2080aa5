"""The connectors of messages on this node: made once, run on one of the nodes, told of what concerns them."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, update

from config.settings import ConnectorSettings, Settings
from connectors import registry
from gateway.domain.connecting import Face, Hint, MessageConnector, Surroundings
from gateway.domain.errors import NeedsAdministrator
from gateway.domain.facts import CommittedFact
from gateway.domain.messages import ChannelTraits
from gateway.domain.ports import LinkReport, LinkState, Sender, Translator
from gateway.services.chat_book import StoredChats
from gateway.services.delivery import Delivery
from gateway.services.fetching import Fetching
from gateway.services.raw_intake import RawIntake
from gateway.services.views.threads import ThreadPresence
from gateway.store.engine import Store
from gateway.store.tables import connectors
from recordings.library import Library

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Channel:
    """One connector of messages."""

    settings: ConnectorSettings
    connector: MessageConnector

    @property
    def traits(self) -> ChannelTraits:
        """What it can do."""
        return self.connector.sender.traits


class Outside:
    """How the outside reaches us. With port 0 the system chooses one, known once we listen."""

    def __init__(self, public_url: str) -> None:
        self._url = public_url

    def __call__(self) -> str:
        """Scheme, host and port."""
        return self._url

    def moved_to(self, address: str) -> None:
        """We listen at this address now."""
        if self._url.endswith(":0"):
            self._url = f"{self._url[:-1]}{address.rpartition(':')[2]}"


class _Thread(msgspec.Struct):
    connector: str
    key: str


class _Message(msgspec.Struct):
    id: str


class _Happened(msgspec.Struct):
    thread: _Thread
    message: _Message


_decoder = msgspec.json.Decoder(_Happened)
_presence = msgspec.json.Decoder(ThreadPresence)


class Channels:
    """By name. An observer of the feed: `happened` hands hints on."""

    def __init__(
        self, by_name: Mapping[str, Channel], store: Store, library: Library, largest_file: int
    ) -> None:
        self.by_name = by_name
        self._store = store
        self.library = library
        self._largest_file = largest_file

    @property
    def faces(self) -> Sequence[Face]:
        """The HTTP faces of all."""
        return [face for name, one in self.by_name.items() for face in _own(name, one.connector.faces)]

    @property
    def translators(self) -> Mapping[str, Translator]:
        """Name → what its updates mean."""
        return {name: one.connector.translate for name, one in self.by_name.items()}

    @property
    def senders(self) -> Mapping[str, Sender]:
        """Name → its outgoing side."""
        return {name: one.connector.sender for name, one in self.by_name.items()}

    async def run(self, name: str) -> None:
        """Run the connector on this node, and send what waits for it, until either is over."""
        connector = self.by_name[name].connector
        delivery = Delivery(self._store, self.library, name, connector.sender)
        fetching = Fetching(self._store, self.library, name, connector.sender, self._largest_file)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(connector.run())
                group.create_task(delivery.run())
                group.create_task(fetching.run())
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None

    def describe(self, tx: Connection) -> None:
        """Write down what each channel can do, for desks and verbs."""
        for name, one in self.by_name.items():
            values = {
                "channel": registry.KINDS[one.settings.kind].channel,
                "traits": msgspec.to_builtins(one.traits),
            }
            tx.execute(update(connectors).where(connectors.c.name == name).values(**values))

    def happened(self, batch: Sequence[CommittedFact]) -> None:
        """Tell connectors of what was committed in their conversations."""
        if not self.by_name:
            return
        for committed in batch:
            if committed.fact.type.startswith("message."):
                about = _decoder.decode(committed.fact.data)
                self._hint(about.thread.connector, Hint(about.thread.key, "message", about.message.id))
            elif committed.fact.type == "thread.presence":
                seen = _presence.decode(committed.fact.data)
                if seen.what == "typing" and seen.by.kind == "operator":
                    self._hint(seen.connector, Hint(seen.key, "typing"))

    def _hint(self, connector: str, hint: Hint) -> None:
        channel = self.by_name.get(connector)
        if channel is not None:
            channel.connector.hint(hint)


def _own(name: str, faces: Sequence[Face]) -> Iterator[Face]:
    for face in faces:
        if not face.path.startswith((f"/hooks/{name}/", f"/chat/{name}/")) and face.path not in (
            f"/hooks/{name}",
            f"/chat/{name}",
        ):
            raise ValueError(f"the connector {name} may not answer at {face.path}")
        yield face


def attach(
    settings: Settings,
    store: Store,
    library: Library,
    reporter: Callable[[str], LinkReport],
    outside: Outside,
    client_address: Callable[[Any], str],
) -> Channels:
    """Make the connectors of messages; one that cannot be made is shown and left out."""
    made: dict[str, Channel] = {}
    for one in settings.connectors:
        if registry.KINDS[one.kind].channel is None:
            continue
        surroundings = Surroundings(
            intake=RawIntake(store, library, one.name),
            book=StoredChats(store, library, one.name),
            report=reporter(one.name),
            country=settings.locale.country,
            public_url=outside,
            language=settings.locale.language.value,
            client_address=client_address,
        )
        try:
            made[one.name] = Channel(one, registry.factory(one.kind)(one, surroundings))
        except NeedsAdministrator as failure:
            reporter(one.name)(LinkState.NEEDS_ADMINISTRATOR, str(failure), remedy=failure.remedy)
            log.error("%s needs the administrator: %s. %s", one.name, failure, failure.remedy)
    return Channels(made, store, library, int(settings.storage.largest_attachment_mb * 1_000_000))
