"""The built desk: files under their hashed names for ever, the page itself never from a cache."""

import mimetypes
from importlib.resources import files
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

STATIC = Path(str(files("gateway.web") / "static"))
_ASSETS = "assets"
"""Vite writes hashed names here; what changes gets another name."""

_WIDGET = "widget.js"
"""Runs on other sites' pages."""

_NOT_BUILT = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Perezvon</title>
<h1>The desk was not built</h1>
<p>The service runs and its <a href="/api/v1/openapi.json">API</a> answers, but this copy lacks the
desk's files. Install the package with <code>pip install .</code>, which builds them, or run
<code>make run</code>.</p>
</html>
"""


def mount(app: web.Application, folder: Path = STATIC) -> None:
    """Serve what lies in `folder` now, and its index.html for every other page of the desk."""
    index = folder / "index.html"
    if not index.is_file():
        app.router.add_get("/", _not_built)
        return
    for file in sorted(p for p in folder.rglob("*") if p.is_file()):
        # Listed beforehand: no path of a request is ever joined to a folder.
        name = file.relative_to(folder).as_posix()
        app.router.add_get(f"/{name}", _serve(file, name.split("/")[0] == _ASSETS))
    app.router.add_get("/", _serve(index, for_ever=False))
    app.router.add_get("/{page:[^.]*}", _page(index))


def _serve(file: Path, for_ever: bool) -> Handler:
    media_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    cache = "public, max-age=31536000, immutable" if for_ever else "no-cache"

    headers = {"Cache-Control": cache, "Content-Type": media_type}
    if file.name == _WIDGET:
        headers |= {"Cross-Origin-Resource-Policy": "cross-origin", "Access-Control-Allow-Origin": "*"}

    async def serve(_: web.Request) -> web.StreamResponse:
        return web.FileResponse(file, headers=headers)

    return serve


def _page(index: Path) -> Handler:
    serve = _serve(index, for_ever=False)

    async def page(request: web.Request) -> web.StreamResponse:
        # A page of the desk that was opened by its address; not what programs mistyped.
        if request.path.startswith("/api/") or "text/html" not in request.headers.get("Accept", ""):
            raise web.HTTPNotFound
        return await serve(request)

    return page


async def _not_built(_: web.Request) -> web.StreamResponse:
    return web.Response(text=_NOT_BUILT, content_type="text/html", status=503)
