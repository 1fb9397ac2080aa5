"""The endless tasks that recordings need, by the settings."""

from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path

from config.settings import RecordingFormat, Settings
from config.values import storage_folder
from gateway.services import holding, recordings_deletion
from gateway.services.recordings_book import StoredBook
from gateway.store.contract import Store
from gateway.store.leases import Lease
from recordings.collector import Collector, Patience, look_for_files
from recordings.encoder import Cleaner, Encoder
from recordings.encoding import ffmpeg
from recordings.library import Library
from recordings.spool import Spool

Task = Callable[[], Awaitable[None]]


def tasks(store: Store, settings: Settings, holder: str, patience: Patience) -> Iterator[tuple[str, Task]]:
    """Name and task; `holder` names this process. What one node is enough for waits for its turn."""
    storage = settings.storage
    book, library = StoredBook(store), Library(storage_folder(storage.url))
    spools = dict(_spools(settings))
    cleaner = Cleaner(book, library)
    yield "recordings", Collector(book, library, spools, patience).run
    opus = storage.recordings_format is RecordingFormat.OPUS
    yield "encoding of recordings", Encoder(book, library, ffmpeg(), opus).run
    yield "unused files", cleaner.run
    yield "unfinished files", cleaner.sweep
    alone = partial(_on_one_node, store, holder)
    if storage.keep_recordings_days:
        keep = partial(recordings_deletion.keep_to, store, storage.keep_recordings_days)
        yield "retention of recordings", partial(alone, "recordings:retention", keep)
    for name, spool in spools.items():
        look = partial(look_for_files, book, name, spool, patience)
        yield f"recordings of {name}", partial(alone, f"recordings:{name}", look)


def _spools(settings: Settings) -> Iterator[tuple[str, Spool]]:
    for connector in settings.connectors:
        folder: str | None = getattr(connector, "recordings_dir", None)
        if folder:
            yield connector.name, Spool(Path(folder))


async def _on_one_node(store: Store, holder: str, name: str, run: Task) -> None:
    async def work(_: Lease) -> None:
        await run()

    await holding.while_held(store, name, holder, work)
