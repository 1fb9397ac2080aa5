"""The built desk as files: hashed names for ever, the page never from a cache, nothing else of the disk."""

from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway.web import desk

HTML = {"Accept": "text/html,*/*"}


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A desk as Vite builds it, with a secret beside it."""
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>desk</title>")
    (folder / "assets" / "index-abc123.js").write_text("export {}")
    (folder / "icon.svg").write_text("<svg/>")
    (tmp_path / "secret.txt").write_text("secret")
    return folder


async def _ask(folder: Path, path: str, headers: dict[str, str] | None = None) -> tuple[int, str, str]:
    app = web.Application()
    desk.mount(app, folder)
    async with TestClient(TestServer(app)) as client, client.get(path, headers=headers) as response:
        return response.status, await response.text(), response.headers.get("Cache-Control", "")


async def test_hashed_files_are_kept_for_ever_and_the_page_never(built: Path) -> None:
    status, text, cache = await _ask(built, "/assets/index-abc123.js")
    assert (status, text) == (200, "export {}")
    assert "immutable" in cache
    assert (await _ask(built, "/"))[::2] == (200, "no-cache")
    assert (await _ask(built, "/icon.svg"))[::2] == (200, "no-cache")


async def test_a_page_of_the_desk_opened_by_its_address_is_the_desk(built: Path) -> None:
    status, text, cache = await _ask(built, "/cards/17", HTML)
    assert (status, cache) == (200, "no-cache")
    assert "desk" in text


@pytest.mark.parametrize(
    "path",
    [
        "/assets/gone.js",
        "/api/v1/nothing",
        "/../secret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "/%2e%2e/secret.txt",
    ],
)
async def test_what_is_not_of_the_desk_is_not_found(built: Path, path: str) -> None:
    status, text, _ = await _ask(built, path, HTML)
    assert status == 404
    assert "secret" not in text


async def test_programs_that_mistype_get_no_page(built: Path) -> None:
    assert (await _ask(built, "/cards/17", {"Accept": "application/json"}))[0] == 404


async def test_a_checkout_without_the_desk_says_so(tmp_path: Path) -> None:
    status, text, _ = await _ask(tmp_path, "/")
    assert status == 503
    assert "was not built" in text
