"""The chat on a client's site. The books are the truth; sockets only say that there is something to read."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from connectors.webchat import form, requests, rooms, visitors
from connectors.webchat.gate import Gate
from connectors.webchat.limits import Limit
from connectors.webchat.sender import WebchatSender
from connectors.webchat.settings import WebchatSettings
from connectors.webchat.translator import Translation
from connectors.webchat.visitors import Visitor
from gateway.domain.connecting import ChatEntry, Face, Hint, Surroundings
from gateway.domain.errors import Invalid, NotFound, Unauthenticated
from gateway.domain.messages import RawUpdate
from gateway.domain.ports import LinkState

PAGE = 50


class WebchatConnector:
    """One site."""

    def __init__(self, settings: WebchatSettings, around: Surroundings) -> None:
        self._settings = settings
        self._around = around
        self._secret = settings.identity_secret.reveal() if settings.identity_secret else None
        self._gate = Gate(settings, around.public_url)
        self._rooms = rooms.Rooms()
        self._said, self._files, self._reads = Limit(20, 1), Limit(10, 0.2), Limit(60, 10)
        self._new, self._forms = Limit(120, 2), Limit(10, 0.05)
        self._largest = int(settings.largest_file_mb * 1_000_000)
        self.translate = Translation(settings.name, around.country)
        self.sender = WebchatSender(self._largest, self._rooms.tell)

    @property
    def faces(self) -> Sequence[Face]:
        """What the widget asks for, and where a site's form posts to."""
        root, hook = f"/chat/{self._settings.name}", f"/hooks/{self._settings.name}/form"
        table = (
            ("GET", f"{root}/config", self._config),
            ("POST", f"{root}/session", self._session),
            ("GET", f"{root}/messages", self._history),
            ("POST", f"{root}/messages", self._message),
            ("POST", f"{root}/read", self._read),
            ("POST", f"{root}/files", self._upload),
            ("GET", f"{root}/files/{{file}}", self._file),
            ("GET", f"{root}/socket", self._socket),
            ("POST", hook, self._form),
        )
        asked = (Face("OPTIONS", path, self._gate.preflight) for path in (f"{root}/{{rest:.*}}", hook))
        return (*(Face(m, path, self._gate.open_to(handler)) for m, path, handler in table), *asked)

    def hint(self, hint: Hint) -> None:
        """Windows read the books again."""
        self._rooms.tell(hint.thread_key, hint.what)

    async def run(self) -> None:
        """There is no link to keep: it is up as long as it runs."""
        self._around.report(LinkState.UP)
        try:
            await asyncio.Event().wait()
        finally:
            await self._rooms.close()

    def _visitor(self, request: web.Request) -> Visitor:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthenticated
        return visitors.known(self._settings.name, self._secret, token)

    async def _config(self, request: web.Request) -> web.Response:
        self._reads.take(self._around.client_address(request))
        staff = await self._around.book.staff()
        chosen = self._settings
        told = {"title": chosen.title, "greeting": chosen.greeting, "offline": chosen.offline}
        told |= {"language": self._around.language}
        more = {"ask": chosen.ask, "largest_file": self._largest, "longest_text": requests.LONGEST_TEXT}
        return web.json_response(told | more | {"online": staff.open and staff.available > 0})

    async def _session(self, request: web.Request) -> web.Response:
        self._new.take(self._around.client_address(request))
        body = await requests.json_of(request)
        signed = body.get("identity")
        if signed is None:
            return web.json_response({"token": visitors.new_token()}, status=201)
        if self._secret is None or not isinstance(signed, str):
            raise Unauthenticated("this chat knows no signed identities: set identity_secret")
        return web.json_response(
            {"token": visitors.session(self._settings.name, self._secret, signed)}, status=201
        )

    async def _history(self, request: web.Request) -> web.Response:
        visitor = self._visitor(request)
        self._reads.take(visitor.key)
        after, before = (_number(request, name) for name in ("after", "before"))
        found = await self._around.book.history(visitor.key, after=after, before=before, limit=PAGE)
        return web.json_response({"items": [_shown(one) for one in found]})

    async def _message(self, request: web.Request) -> web.Response:
        visitor = self._visitor(request)
        self._said.take(visitor.key)
        self._new.take(self._around.client_address(request))
        said = requests.message(await requests.json_of(request)) | {"key": visitor.key}
        if visitor.subject is not None:
            said["signed"] = {
                "subject": visitor.subject,
                "name": visitor.name,
                "email": visitor.email,
                "phone": visitor.phone,
            }
        await self._store(visitor.key, f"{visitor.key}:{said['id']}", said)
        return web.json_response({"id": said["id"]}, status=202)

    async def _read(self, request: web.Request) -> web.Response:
        visitor = self._visitor(request)
        self._reads.take(visitor.key)
        message = requests.text(await requests.json_of(request), "message", 64)
        read = {"type": "read", "key": visitor.key, "message": message}
        await self._store(visitor.key, f"{visitor.key}:read:{message}", read)
        return web.json_response({}, status=202)

    async def _upload(self, request: web.Request) -> web.Response:
        visitor = self._visitor(request)
        self._files.take(visitor.key)
        name = unquote(request.headers.get("X-File-Name", ""))[:200]
        kept = await self._around.intake.keep_file(_chunks(request), name, self._largest)
        return web.json_response({"file": kept}, status=201)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        visitor = self._visitor(request)
        self._reads.take(visitor.key)
        file = await self._around.book.file(visitor.key, request.match_info["file"])
        if file is None:
            raise NotFound
        headers = {"Content-Type": file.mime, "Content-Disposition": "attachment"}
        headers |= {"Cache-Control": "no-store", "Cross-Origin-Resource-Policy": "cross-origin"}
        if origin := request.headers.get("Origin"):
            headers["Access-Control-Allow-Origin"] = origin
        return web.FileResponse(file.path, headers=headers)

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        self._new.take(self._around.client_address(request))
        socket = web.WebSocketResponse(heartbeat=rooms.HEARTBEAT_S, max_msg_size=rooms.LARGEST_FRAME)
        await socket.prepare(request)
        window = rooms.Window(socket)
        try:
            visitor = visitors.known(self._settings.name, self._secret, await self._rooms.hello(window))
        except Unauthenticated:
            await socket.close(code=rooms.NOT_KNOWN)
            return socket
        await self._rooms.stay(visitor.key, window, self._around.intake.typing)
        return socket

    async def _form(self, request: web.Request) -> web.Response:
        self._forms.take(self._around.client_address(request))
        body = await form.given(request)
        if body.get(form.HONEYPOT):
            # A program learns nothing from being found out.
            return form.thanks(request)
        if not body.get("page"):
            body["page"] = request.headers.get("Referer", "")[:2048]
        told = form.update(body, self._around.country)
        await self._around.intake.store_raw([form.raw(told, _bytes(told))])
        return form.thanks(request)

    async def _store(self, key: str, external_id: str, update: dict[str, Any]) -> None:
        await self._around.intake.store_raw([RawUpdate(external_id, key, _bytes(update), datetime.now(UTC))])


def _bytes(update: dict[str, Any]) -> bytes:
    return json.dumps(update, ensure_ascii=False).encode("utf-8", "replace")


def _number(request: web.Request, name: str) -> int | None:
    given = request.query.get(name)
    if given is None:
        return None
    if not given.isascii() or not given.isdigit() or len(given) > 12:
        raise Invalid.one(name, "a seq of this conversation")
    return int(given)


async def _chunks(request: web.Request) -> AsyncIterator[bytes]:
    async for chunk in request.content.iter_chunked(1 << 16):
        yield chunk


def _shown(one: ChatEntry) -> dict[str, Any]:
    files = [
        {"id": f.id, "name": f.name, "mime": f.mime, "size": f.size, "ready": f.ready} for f in one.files
    ]
    return {
        "id": one.id,
        "seq": one.seq,
        "outgoing": one.outgoing,
        "at": one.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "author": one.author if one.outgoing else "",
        "text": one.text,
        "status": one.status,
        "client_id": None if one.outgoing else one.client_id,
        "files": files,
        "edited": one.edited,
        "deleted": one.deleted,
    }


async def check(settings: WebchatSettings) -> list[str]:
    """Nothing outside of us is needed."""
    del settings
    return []
