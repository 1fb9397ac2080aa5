"""The library of bytes: one file for each content, named by its SHA-256, never changed and never overwritten.

`files/ab/cd/<sha256>.<ext>` below the storage folder. A file is written beside, flushed to the disk, and only
then given its name; a crash at any moment leaves a whole file or none. Its reference in the database is
committed before the bytes are put here, so that whoever takes unused bytes away sees that they are wanted.
"""

import contextlib
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from gateway.domain.errors import PermanentFailure
from gateway.domain.recordings import Blob

CHUNK = 1 << 20
_SHA256 = re.compile(r"[0-9a-f]{64}")
_EXT = re.compile(r"[a-z0-9]{1,8}")


@dataclass(frozen=True, slots=True)
class Library:
    """The files below `root`. Everything here blocks: call it in a thread. Raises `OSError`."""

    root: Path

    def place(self, blob: Blob) -> Path:
        """Where the bytes are or would be; ValueError for a name that is none of ours."""
        if not _SHA256.fullmatch(blob.sha256) or not _EXT.fullmatch(blob.ext):
            raise ValueError(f"no name in the library: {blob.sha256[:70]}.{blob.ext[:10]}")
        first, second = blob.sha256[:2], blob.sha256[2:4]
        return self.root / "files" / first / second / f"{blob.sha256}.{blob.ext}"

    def has(self, blob: Blob) -> bool:
        """Whether the bytes are there, by name and size."""
        try:
            return self.place(blob).stat().st_size == blob.size
        except FileNotFoundError:
            return False

    @contextlib.contextmanager
    def draft(self) -> Iterator[Path]:
        """A folder of its own for files in the making; swept away at the end, or by `sweep` after a crash."""
        (self.root / "drafts").mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.root / "drafts", ignore_cleanup_errors=True) as folder:
            yield Path(folder)

    def sweep(self, older_than_s: float, now_s: float) -> None:
        """Take away what crashes left among the drafts."""
        for folder in (self.root / "drafts").glob("*"):
            with contextlib.suppress(OSError):
                if now_s - folder.stat().st_mtime > older_than_s:
                    for path in folder.glob("*"):
                        path.unlink()
                    folder.rmdir()

    def keep(self, draft: Path, blob: Blob) -> None:
        """Give the draft its name, and read it back. The draft stays; nothing is overwritten.

        Raises `PermanentFailure` where the name is taken by other bytes: the disk has changed them.
        """
        target = self.place(blob)
        _make_folders(self.root / "files", target.parent)
        with draft.open("rb") as file:
            os.fchmod(file.fileno(), 0o600)
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, target)
            _sync_folder(target.parent)
        if measured(target, cold=True) != (blob.sha256, blob.size):
            raise PermanentFailure(
                f"the stored file {blob.sha256} is damaged: its bytes are not what its name says"
            )

    def set_aside(self, blob: Blob) -> None:
        """Take the bytes out of use; `bring_back` or `discard` follows. Nothing where they are not."""
        (self.root / "aside").mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            self.place(blob).rename(self._aside(blob))

    def bring_back(self, blob: Blob) -> None:
        """The bytes set aside are wanted after all."""
        with contextlib.suppress(FileNotFoundError, FileExistsError):
            os.link(self._aside(blob), self.place(blob))
        self._aside(blob).unlink(missing_ok=True)

    def discard(self, blob: Blob) -> None:
        """Nobody wants the bytes set aside."""
        self._aside(blob).unlink(missing_ok=True)

    def _aside(self, blob: Blob) -> Path:
        return self.root / "aside" / self.place(blob).name


def copied(source: BinaryIO, target: Path) -> tuple[str, int]:
    """Copy what is open to a new file, flushed to the disk; SHA-256 and bytes."""
    digest, size = hashlib.sha256(), 0
    with target.open("xb") as writing:
        while chunk := source.read(CHUNK):
            writing.write(chunk)
            digest.update(chunk)
            size += len(chunk)
        writing.flush()
        os.fsync(writing.fileno())
    return digest.hexdigest(), size


def measured(path: Path, *, cold: bool = False) -> tuple[str, int]:
    """SHA-256 and bytes of a file; `cold` asks the kernel to read the disk and not its memory of it."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        if cold:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return digest.hexdigest(), size


def _make_folders(root: Path, folder: Path) -> None:
    if folder.is_dir():
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for made in (folder.parent, root):
        _sync_folder(made)


def _sync_folder(folder: Path) -> None:
    # A new name is safe only when its folder is on the disk too.
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
