"""Which sources of records a connector has, and what is wrong with them."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from connectors.asterisk import records_csv, records_rows
from connectors.asterisk.catchup import Source
from connectors.asterisk.catchup_files import FileSource
from connectors.asterisk.records_groups import Place
from connectors.asterisk.records_rows import Record
from connectors.asterisk.settings import AsteriskSettings
from gateway.domain.errors import NeedsAdministrator

_REMEDIES = {
    "cdr": "write loguniqueid = yes into [csv] of cdr.conf, or take cdr_custom.conf as in Asterisk's sample",
    "cel": "take the line of Asterisk's sample into [mappings] of cel_custom.conf",
    "queue_log": "let queue_log name the queues' own log",
}


class Threaded:
    """A file of records that is read in a thread."""

    def __init__(self, file: FileSource) -> None:
        self.name = file.name
        self.at_end = False
        self._file = file

    @property
    def reached(self) -> float:
        """The time of the latest record read."""
        return self._file.reached

    async def read(self) -> Sequence[tuple[Place, Record]]:
        """The next records."""
        try:
            records = await asyncio.to_thread(self._file.read)
        except FileNotFoundError:
            self.at_end = True
            return []
        except OSError as error:
            raise _unreadable(self.name, self._file.path, error) from error
        self.at_end = self._file.at_end
        return records

    def marked(self, first_needed: Place | None) -> dict[str, Any] | None:
        """The place to go on from after a restart."""
        return self._file.marked(first_needed)

    def problem(self) -> NeedsAdministrator | None:
        """A file of which no row can be understood."""
        if self._file.refused and not self._file.understood and self.name != "queue_log":
            return _strange(self.name, self._file.path)
        return None

    async def close(self) -> None:
        """Let go of the file."""
        await asyncio.to_thread(self._file.close)


def configured(settings: AsteriskSettings) -> bool:
    """Whether the PBX's records are there for us at all."""
    return bool(settings.cdr or settings.cdr_database or settings.cel)


async def opened(settings: AsteriskSettings, marks: dict[str, Any], since: float) -> list[Source]:
    """The sources of a connector, each at the place of its mark."""
    sources: list[Source] = [
        Threaded(FileSource(name, path, split, parse, since, marks.get(name)))
        for name, path, split, parse in _files(settings)
    ]
    if settings.cdr_database:
        sources.append(_table(settings, since, marks.get("cdr")))
    return sources


def _files(settings: AsteriskSettings) -> list[tuple[str, Path, Any, Any]]:
    kinds = (
        ("cdr", settings.cdr, records_csv.rows, records_rows.cdr),
        ("cel", settings.cel, records_csv.rows, records_rows.cel),
        ("queue_log", settings.queue_log, records_csv.lines, records_rows.queue_line),
    )
    return [(name, Path(path), split, parse) for name, path, split, parse in kinds if path]


def _table(settings: AsteriskSettings, since: float, mark: dict[str, Any] | None) -> Source:
    # SQLAlchemy's asynchronous side is loaded for those alone who keep their records so.
    from connectors.asterisk.catchup_table import TableSource

    assert settings.cdr_database is not None
    return TableSource(settings.cdr_database.reveal(), settings.cdr_table, since, mark)


async def check(settings: AsteriskSettings, since: float) -> list[NeedsAdministrator]:
    """What is wrong with the sources now."""
    problems = []
    for source in await opened(settings, {}, since):
        try:
            await source.read()
            problem = source.problem()
        except NeedsAdministrator as failure:
            problem = failure
        await source.close()
        if problem is not None:
            problems.append(problem)
    for name, path, _, _ in _files(settings):
        if not await asyncio.to_thread(path.exists):
            problems.append(_absent(name, path))
    return problems


def _unreadable(name: str, path: Path, error: OSError) -> NeedsAdministrator:
    return NeedsAdministrator(
        f"{name} {path} cannot be read: {error.strerror}",
        remedy=f"let the service's user read {path} and its folder, by the group asterisk for instance",
    )


def _absent(name: str, path: Path) -> NeedsAdministrator:
    return NeedsAdministrator(
        f"{name} {path} is not there",
        remedy=f"let {name} name the file as this machine sees it; the PBX makes it at its first call",
    )


def _strange(name: str, path: Path) -> NeedsAdministrator:
    return NeedsAdministrator(f"no row of {name} {path} can be understood", remedy=_REMEDIES[name])
