"""A PBX's folder: what is in it is found, what is outside is never reached."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as given_settings
from hypothesis import strategies as st

from recordings.spool import Spool, Watch, stamp_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inner = tmp_path / "monitor"
    (inner / "2026" / "11").mkdir(parents=True)
    (inner / "2026" / "11" / "a.wav").write_bytes(b"in it")
    (tmp_path / "outside.wav").write_bytes(b"outside")
    return inner


@pytest.mark.parametrize(
    "path",
    [
        "2026/11/a.wav",
        "/var/spool/asterisk/monitor/2026/11/a.wav",
        "/var/spool/asterisk//monitor/./2026/11/a.wav",
        "monitor/2026/11/a.wav",
    ],
)
def test_a_file_is_found_wherever_the_pbx_has_the_folder(folder: Path, path: str) -> None:
    with Spool(folder).open(path) as file:
        assert file.read() == b"in it"
        assert stamp_of(file).size == 5


HOSTILE = (
    "../outside.wav", "2026/../../outside.wav", "/outside.wav", "/", ".", "..", "", "a.wav\0", "2026",
    "2026/11/a.wav/..", "2026/11/a.wav/x", "\udcff.wav", "link.wav", "way/outside.wav", "pipe.wav",
    "x" * 300 + ".wav",
)  # fmt: skip


@pytest.mark.parametrize("path", HOSTILE)
def test_whatever_leads_elsewhere_is_not_there(folder: Path, path: str) -> None:
    (folder / "link.wav").symlink_to(folder.parent / "outside.wav")
    (folder / "way").symlink_to(folder.parent)
    os.mkfifo(folder / "pipe.wav")
    with pytest.raises(FileNotFoundError):
        Spool(folder).open(path)


@given(st.lists(st.sampled_from(["..", ".", "", "way", "2026", "11", "a.wav", "outside.wav", "monitor"])))
@given_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_path_made_of_these_reads_what_is_outside(folder: Path, parts: list[str]) -> None:
    way = folder / "way"
    if not way.is_symlink():
        way.symlink_to(folder.parent)
    try:
        file = Spool(folder).open("/".join(parts))
    except FileNotFoundError:
        return
    with file:
        assert file.read() == b"in it"


def names(watch: Watch, since_ns: int = 0, *, everywhere: bool = False) -> list[str]:
    files = watch.found(since_ns, everywhere=everywhere)
    watch.told(files, since_ns)
    return sorted(file.path for file in files)


def test_each_file_is_told_of_once_and_again_when_it_has_changed(folder: Path) -> None:
    watch = Watch(Spool(folder))
    assert names(watch) == ["2026/11/a.wav"]
    assert names(watch) == []
    (folder / "2026" / "11" / "b.wav").write_bytes(b"new")
    assert names(watch) == ["2026/11/b.wav"]
    (folder / "2026" / "11" / "a.wav").write_bytes(b"written over")
    assert names(watch, everywhere=True) == ["2026/11/a.wav"]
    assert names(watch, everywhere=True) == []


def test_links_foreign_kinds_and_names_that_are_no_text_are_left_alone(folder: Path) -> None:
    (folder / "c.wav").symlink_to(folder.parent / "outside.wav")
    (folder / "more").symlink_to(folder.parent)
    (folder / "d.txt").write_bytes(b"")
    os.mkfifo(folder / "e.wav")
    (folder / os.fsdecode(b"\xff.wav")).write_bytes(b"")
    assert names(Watch(Spool(folder))) == ["2026/11/a.wav"]


def test_what_has_not_changed_since_is_left_alone(folder: Path) -> None:
    changed = (folder / "2026" / "11" / "a.wav").stat().st_ctime_ns
    assert names(Watch(Spool(folder)), changed) == []
    assert names(Watch(Spool(folder)), changed - 1) == ["2026/11/a.wav"]


def test_quiet_folders_are_not_listed_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch(Spool(folder))
    long_ago = 1_700_000_000
    for inner in (folder, folder / "2026", folder / "2026" / "11"):
        os.utime(inner, (long_ago, long_ago))
    assert names(watch) == ["2026/11/a.wav"]
    listed: list[str] = []
    real = os.scandir

    def scandir(path: Path) -> object:
        listed.append(str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert names(watch) == []
    assert listed == []
    (folder / "2026" / "11" / "b.wav").write_bytes(b"")
    assert names(watch) == ["2026/11/b.wav"]
    assert listed == [str(folder / "2026" / "11")]
