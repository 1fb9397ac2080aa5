"""How the absence of real components is told: a skip with a word, and a failure where they are required."""

import os
from pathlib import Path

import pytest

from tests.lab.asterisk.chroot import chroot
from tests.lab.components import Unavailable, chromium, lab_cache, require, run


def test_a_missing_component_skips_the_test_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PEREZVON_REQUIRE_COMPONENTS", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no network"):
        require("no network")


def test_a_missing_component_fails_the_test_where_components_are_required(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PEREZVON_REQUIRE_COMPONENTS", "1")
    with pytest.raises(pytest.fail.Exception, match="no network"):
        require("no network")


def test_without_root_the_asterisk_lab_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(Unavailable, match="root"):
        chroot()


def test_a_build_that_fails_gives_one_line_and_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if os.geteuid() != 0:
        require("building a chroot needs root")
    monkeypatch.setenv("PEREZVON_CACHE", str(tmp_path))
    monkeypatch.setenv("PEREZVON_DEBIAN_MIRROR", "http://127.0.0.1:9/debian")
    with pytest.raises(Unavailable, match=r"^debootstrap of Debian forky: [^\n]+$"):
        chroot()
    assert [path.name for path in lab_cache().iterdir()] == ["asterisk22.lock"]


def test_a_cache_that_cannot_be_made_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEREZVON_CACHE", "/dev/null")
    with pytest.raises(Unavailable, match="no place for lab servers"):
        lab_cache()


def test_a_command_that_fails_gives_its_last_line() -> None:
    with pytest.raises(Unavailable, match=r"^trying: second$"):
        run(["sh", "-c", "echo first >&2; echo second >&2; exit 3"], what="trying")


def test_the_browser_found_can_be_started() -> None:
    try:
        path = chromium()
    except Unavailable as reason:
        require(str(reason))
    assert "hromium" in run([path, "--version"], what="chromium")
