"""A PBX's folder of recordings as this machine sees it: read only, and never outside it.

The PBX names files by its own paths; a name that leads out of the folder, a link or a device is refused.
"""

import contextlib
import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from gateway.domain.recordings import FileStamp, SpoolFile
from recordings.formats import extension_of

DEEPEST = 8
"""Folders below the folder: FreePBX makes three, year/month/day."""
LOOK_BACK_NS = 600 * 10**9
"""How far behind the place reached files are looked at again: clocks and long listings."""
_SETTLED_NS = 3 * 10**9
_NO_LINK = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW


@dataclass(frozen=True, slots=True)
class Spool:
    """The folder `root`. Everything here blocks: call it in a thread. Raises `OSError`."""

    root: Path

    def open(self, path: str) -> BinaryIO:
        """The file that the PBX calls `path`, wherever below the folder the end of that path leads.

        Raises `FileNotFoundError` also for what is no plain file.
        """
        parts = [part for part in path.split("/") if part not in ("", ".")]
        if not parts or ".." in parts or "\0" in path:
            raise FileNotFoundError(path)
        # Both sides may have the folder at different places: the longest end of the path that is there is it.
        for start in range(max(0, len(parts) - DEEPEST - 1), len(parts)):
            with contextlib.suppress(FileNotFoundError, NotADirectoryError, UnicodeEncodeError):
                return self._open(parts[start:])
        raise FileNotFoundError(path)

    def _open(self, parts: list[str]) -> BinaryIO:
        folder = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for part in parts[:-1]:
                inner = os.open(part, _NO_LINK | os.O_DIRECTORY, dir_fd=folder)
                os.close(folder)
                folder = inner
            number = os.open(parts[-1], _NO_LINK | os.O_NONBLOCK, dir_fd=folder)
        except OSError as error:
            raise _absent(error) from None
        finally:
            os.close(folder)
        if not stat.S_ISREG(os.fstat(number).st_mode):
            os.close(number)
            raise FileNotFoundError(parts[-1])
        return os.fdopen(number, "rb")


def _absent(error: OSError) -> OSError:
    """A link (ELOOP) or something else that is no file is as if it were not there."""
    if isinstance(error, FileNotFoundError | NotADirectoryError | PermissionError):
        return error
    return FileNotFoundError(*error.args)


def stamp_of(file: BinaryIO) -> FileStamp:
    """How an open file looks now."""
    found = os.fstat(file.fileno())
    return FileStamp(found.st_size, found.st_mtime_ns)


@dataclass(slots=True)
class Watch:
    """Finds new files of a spool; remembers what it has seen, so that a look at a quiet folder is cheap."""

    spool: Spool
    _listed: dict[str, tuple[int, list[str]]] = field(default_factory=dict)
    """Folder → its time of change when it was listed, and the folders in it."""
    _told: dict[str, tuple[FileStamp, int]] = field(default_factory=dict)

    def found(self, since_ns: int, *, everywhere: bool) -> list[SpoolFile]:
        """Recordings changed after `since_ns` that were not told of as they are now.

        Listed are the folders in which names have appeared since the last look; `everywhere`: all of them.
        """
        if everywhere:
            self._listed.clear()
        return [file for file in self._walk("", 0) if file.changed_ns > since_ns and self._is_news(file)]

    def told(self, files: list[SpoolFile], since_ns: int) -> None:
        """These are known now; what has not changed after `since_ns` is not asked for any more."""
        self._told.update({file.path: (file.stamp, file.changed_ns) for file in files})
        self._told = {path: seen for path, seen in self._told.items() if seen[1] > since_ns}

    def _is_news(self, file: SpoolFile) -> bool:
        return self._told.get(file.path) != (file.stamp, file.changed_ns)

    def _walk(self, folder: str, depth: int) -> Iterator[SpoolFile]:
        changed = (self.spool.root / folder).stat(follow_symlinks=depth == 0).st_mtime_ns
        at, inner = self._listed.get(folder, (-1, []))
        if at != changed:
            inner = []
            with os.scandir(self.spool.root / folder) as entries:
                for entry in entries:
                    path = f"{folder}/{entry.name}" if folder else entry.name
                    if entry.is_dir(follow_symlinks=False):
                        inner.append(path)
                    elif file := _recording(entry, path):
                        yield file
            # What changed a moment ago may change again within a tick of the file system's clock.
            if changed < time.time_ns() - _SETTLED_NS:
                self._listed[folder] = (changed, inner)
        for path in inner if depth < DEEPEST else ():
            with contextlib.suppress(FileNotFoundError):
                yield from self._walk(path, depth + 1)


def _recording(entry: "os.DirEntry[str]", path: str) -> SpoolFile | None:
    if extension_of(entry.name) is None or not _is_text(path):
        return None
    try:
        found = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return SpoolFile(path, FileStamp(found.st_size, found.st_mtime_ns), found.st_ctime_ns)


def _is_text(path: str) -> bool:
    """Whether the name is UTF-8: others cannot be written down."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
