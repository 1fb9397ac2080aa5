"""The library: bytes under their own names, never changed, gone only when nobody wants them."""

import hashlib
import os
from pathlib import Path

import pytest

from gateway.domain.errors import PermanentFailure
from gateway.domain.recordings import Blob
from recordings.library import Library

DATA = b"sound"
BLOB = Blob(hashlib.sha256(DATA).hexdigest(), "wav", len(DATA))


def put(library: Library, data: bytes = DATA, blob: Blob = BLOB) -> None:
    with library.draft() as folder:
        (folder / "x").write_bytes(data)
        library.keep(folder / "x", blob)


def test_what_is_kept_twice_is_there_once_and_drafts_are_gone(tmp_path: Path) -> None:
    library = Library(tmp_path)
    put(library)
    put(library)
    assert library.place(BLOB).read_bytes() == DATA
    assert library.place(BLOB).stat().st_mode & 0o777 == 0o600
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == [f"{BLOB.sha256}.wav"]
    assert library.has(BLOB)
    assert not library.has(Blob(BLOB.sha256, "wav", 4))


def test_a_damaged_file_is_found_out_and_not_written_over(tmp_path: Path) -> None:
    library = Library(tmp_path)
    put(library)
    library.place(BLOB).write_bytes(b"sOund")
    with pytest.raises(PermanentFailure, match="damaged"):
        put(library)
    assert library.place(BLOB).read_bytes() == b"sOund"


@pytest.mark.parametrize(
    ("sha256", "ext"), [("../../etc/passwd", "wav"), (BLOB.sha256, "../x"), (BLOB.sha256, ""), ("", "wav")]
)
def test_names_that_are_none_of_ours_have_no_place(tmp_path: Path, sha256: str, ext: str) -> None:
    with pytest.raises(ValueError, match="no name"):
        Library(tmp_path).place(Blob(sha256, ext, 1))


def test_what_is_set_aside_can_be_brought_back_or_discarded_however_often(tmp_path: Path) -> None:
    library = Library(tmp_path)
    put(library)
    for _ in range(2):
        library.set_aside(BLOB)
        assert not library.has(BLOB)
    for _ in range(2):
        library.bring_back(BLOB)
        assert library.has(BLOB)
    library.set_aside(BLOB)
    put(library)
    library.bring_back(BLOB)
    assert library.has(BLOB)
    library.set_aside(BLOB)
    for _ in range(2):
        library.discard(BLOB)
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_drafts_of_crashed_runs_are_swept_away_and_young_ones_stay(tmp_path: Path) -> None:
    library = Library(tmp_path)
    old, young = tmp_path / "drafts" / "old", tmp_path / "drafts" / "young"
    for folder in (old, young):
        folder.mkdir(parents=True)
        (folder / "part").write_bytes(b"x")
    made = young.stat().st_mtime
    os.utime(old, (made - 100, made - 100))
    library.sweep(50, made)
    assert not old.exists()
    assert (young / "part").exists()
