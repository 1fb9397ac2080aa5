"""A file that a PBX appends to, read on from where it was left, through rotation and truncation.

A place in it is told by the file's first bytes and an offset: names move when logs are rotated, first bytes
stay. Everything here blocks and is to be called in a thread.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from connectors.asterisk.records_csv import Row
from connectors.asterisk.records_groups import Place
from connectors.asterisk.records_rows import Cdr, Record
from connectors.asterisk.records_time import Zone

CHUNK = 256 * 1024
LOOK_BACK = 32 * 1024 * 1024
"""Bytes of a file that are looked through at the first start."""
_HEAD = 256
"""First bytes by which a file is known again."""
_PACKED = frozenset({".gz", ".bz2", ".xz", ".zst", ".zip"})

Split = Callable[[bytes], tuple[list[Row], int]]
Parse = Callable[[Sequence[str], Zone], Record | None]


@dataclass(eq=False)
class FileSource:
    """One file of records. Those of before `since` (seconds since 1970) are passed over.

    `mark` is a place that `marked` gave; None at the first start.
    """

    name: str
    path: Path
    split: Split
    parse: Parse
    since: float
    mark: dict[str, Any] | None = None
    at_end: bool = False
    """Whether everything has been read that was there at the last look."""
    reached: float = 0.0
    """The time of the latest record read, by the PBX's clock."""
    understood: int = 0
    refused: int = 0
    """Rows that could not be read."""
    _file: BinaryIO | None = None
    _number: int = 0
    """Counts the files gone through."""
    _offset: int = 0
    _heads: dict[int, tuple[int, str]] = field(default_factory=dict)
    _zone: Zone = field(default_factory=Zone)

    def read(self) -> list[tuple[Place, Record]]:
        """The next records, at most some hundreds; raises OSError."""
        if self._file is None and not self._open_first():
            self.at_end = True
            return []
        assert self._file is not None
        self._file.seek(self._offset)
        data = self._file.read(CHUNK)
        found, used = self.split(data)
        if used == 0 and not self._goes_on():
            self.at_end = len(data) < CHUNK
            return []
        records = self._understood(found)
        self._offset += used
        self._note_head(self._file)
        self.at_end = False
        return records

    def _understood(self, rows: Sequence[Row]) -> list[tuple[Place, Record]]:
        records: list[tuple[Place, Record]] = []
        for row in rows:
            record = self.parse(row.fields, self._zone)
            if record is None:
                self.refused += 1
                continue
            self.understood += 1
            at = record.end if isinstance(record, Cdr) else record.at
            self.reached = max(self.reached, at)
            if at >= self.since:
                records.append(((self._number, self._offset + row.at), record))
        return records

    def marked(self, first_needed: Place | None) -> dict[str, Any] | None:
        """The place from which reading is to go on after a restart; None while there is no file."""
        if self._file is None:
            return self.mark
        number, offset = first_needed if first_needed is not None else (self._number, self._offset)
        length, head = self._heads.get(number, _EMPTY)
        for passed in [n for n in self._heads if n < number]:
            del self._heads[passed]
        return {"head": head, "bytes": length, "at": offset}

    def _note_head(self, file: BinaryIO) -> None:
        """Remember the first bytes while it is certain that they are those of what was read."""
        if self._heads.get(self._number, _EMPTY)[0] < _HEAD:
            length = min(_HEAD, self._offset)
            file.seek(0)
            self._heads[self._number] = length, _digest(file.read(length))

    # -- which file

    def _open_first(self) -> bool:
        if self.mark is not None:
            found = self._known_again(self.mark)
            if found is not None:
                self.since = 0.0
                return self._open(found, int(self.mark["at"]))
        return self._open_looking_back()

    def _open_looking_back(self) -> bool:
        if not self.path.exists():
            return False
        size = self.path.stat().st_size
        self._open(self.path, 0)
        if size > LOOK_BACK and self._file is not None:
            # Begin behind the first line's end: what comes before it may be half a row.
            self._file.seek(size - LOOK_BACK)
            self._offset = size - LOOK_BACK + len(self._file.readline(CHUNK))
        return True

    def _open(self, path: Path, offset: int) -> bool:
        if self._file is not None:
            self._file.close()
            self._number += 1
        self._file = path.open("rb")
        self._offset = offset
        self._note_head(self._file)
        return True

    def _goes_on(self) -> bool:
        """Nothing more to read here: is there a newer file?"""
        assert self._file is not None
        length, head = self._heads.get(self._number, _EMPTY)
        try:
            now = self.path.stat()
        except FileNotFoundError:
            return False
        mine = self._file_is(now.st_ino, now.st_dev)
        if mine and now.st_size >= self._offset and self._starts_so(length, head):
            return False
        rest = self._known_again({"head": head, "bytes": length, "at": self._offset})
        if rest is not None and rest.stat().st_size > self._offset and not self._is_open(rest):
            # The file was copied and then emptied: the rest of it is in the copy.
            return self._open(rest, self._offset)
        if rest == self.path:
            return self._open(self.path, self._offset)
        return self._open(self._after(rest), 0)

    def _starts_so(self, length: int, head: str) -> bool:
        assert self._file is not None
        self._file.seek(0)
        return _digest(self._file.read(length)) == head

    def _file_is(self, inode: int, device: int) -> bool:
        assert self._file is not None
        mine = Path(f"/proc/self/fd/{self._file.fileno()}").stat()
        return (mine.st_ino, mine.st_dev) == (inode, device)

    def _is_open(self, path: Path) -> bool:
        stat = path.stat()
        return self._file_is(stat.st_ino, stat.st_dev)

    def _known_again(self, mark: dict[str, Any]) -> Path | None:
        length, head, at = int(mark["bytes"]), str(mark["head"]), int(mark["at"])
        for path in (self.path, *reversed(self._older())):
            try:
                with path.open("rb") as file:
                    if _digest(file.read(length)) == head and path.stat().st_size >= at:
                        return path
            except FileNotFoundError:
                continue
        return None

    def _older(self) -> list[Path]:
        """What rotation made of this file before, the oldest first."""
        beside = [
            path
            for path in self.path.parent.glob(f"{self.path.name}*")
            if path != self.path and path.suffix not in _PACKED and path.is_file()
        ]
        return sorted(beside, key=lambda path: path.stat().st_mtime_ns)

    def _after(self, path: Path | None) -> Path:
        older = self._older()
        if path is not None and path in older:
            return [*older, self.path][older.index(path) + 1]
        return self.path

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _digest(head: bytes) -> str:
    return hashlib.sha256(head).hexdigest()[:32]


_EMPTY = (0, _digest(b""))
