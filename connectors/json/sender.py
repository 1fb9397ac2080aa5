"""Replies out: one signed POST for each, and what its answer means."""

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp

from connectors.json.settings import JsonSettings
from connectors.json.signing import HEADER, signature
from gateway.domain.errors import (
    NeedsAdministrator,
    OutcomeUnknown,
    PermanentFailure,
    TemporaryFailure,
    Unreachable,
)
from gateway.domain.identities import Identity
from gateway.domain.messages import ChannelTraits, Delivered, OutgoingMessage, OutgoingVerb

_TIMES = aiohttp.ClientTimeout(total=30, connect=10)
_FETCHING = aiohttp.ClientTimeout(total=300, connect=10, sock_read=30)
_BUSY = (408, 425, 429, 502, 503, 504)
_GONE = 410
_CHUNK = 1 << 16


class JsonSender:
    """Posts to the integrator's webhook while it is entered (`async with`)."""

    def __init__(self, settings: JsonSettings, files: Callable[[], str]) -> None:
        self._settings = settings
        self._files = files
        self._http: aiohttp.ClientSession | None = None
        self.traits = ChannelTraits(
            edit=True,
            delete=True,
            reply=True,
            typing=True,
            longest_text=20_000,
            first_contact=True,
            identity="other",
            idempotent=settings.idempotent,
        )

    async def __aenter__(self) -> "JsonSender":
        self._http = aiohttp.ClientSession(timeout=_TIMES)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._http is not None:
            await self._http.close()
            self._http = None

    async def send(self, message: OutgoingMessage) -> Delivered:
        """Post it once."""
        answer = await self._post(_told(message, self._url_of))
        external_id = answer.get("id") if isinstance(answer, dict) else None
        sent = message.verb is OutgoingVerb.SEND
        own = external_id if isinstance(external_id, str) and external_id else message.message_id
        return Delivered(own if sent else None, datetime.now(UTC))

    async def typing(self, thread_key: str) -> None:
        """Told like everything else; whether it arrives matters to nobody."""
        await self._post({"type": "typing", "chat": thread_key})

    def thread_key(self, to: Identity) -> str:
        """Their chat with a client is called as the client is: what follows our own name in the identity."""
        name, colon, own = to.value.partition(":")
        return own if colon and name == self._settings.name else to.value

    async def fetch(self, reference: str, into: Path, largest: int) -> None:
        """Download a file from one of the hosts that may be asked; redirects are not followed."""
        parts = urlsplit(reference)
        allowed = self._settings.file_hosts or (urlsplit(self._settings.webhook).hostname,)
        if parts.scheme not in ("http", "https") or parts.hostname not in allowed:
            raise PermanentFailure(f"files of the host {parts.hostname} are not fetched (file_hosts)")
        try:
            async with self._session().get(reference, allow_redirects=False, timeout=_FETCHING) as answer:
                _judge(answer.status, answer.headers.get("Retry-After"))
                with into.open("xb") as file:
                    size = 0
                    async for piece in answer.content.iter_chunked(_CHUNK):
                        size += len(piece)
                        if size > largest:
                            raise PermanentFailure(f"larger than {largest / 1_000_000:g} MB")
                        file.write(piece)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise TemporaryFailure(f"the file cannot be fetched: {error or type(error).__name__}") from None

    async def problems(self) -> list[str]:
        """What keeps us from reaching the receiver at all."""
        try:
            async with self._session().head(self._settings.webhook, allow_redirects=False):
                return []
        except (aiohttp.ClientError, TimeoutError) as error:
            why = str(error) or type(error).__name__
            return [f"{self._settings.webhook} cannot be reached ({why}): check webhook and the network"]

    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            raise TemporaryFailure("the connector does not run")
        return self._http

    async def _post(self, what: dict[str, Any]) -> Any:
        body = json.dumps(what, ensure_ascii=False).encode()
        at_s = int(time.time())
        headers = {
            "Content-Type": "application/json",
            HEADER: signature(self._settings.secret.reveal(), body, at_s),
        }
        try:
            async with self._session().post(
                self._settings.webhook, data=body, headers=headers, allow_redirects=False
            ) as answer:
                _judge(answer.status, answer.headers.get("Retry-After"))
                return _json(await answer.content.read(_CHUNK))
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            # No connection was made, so nothing was said.
            raise TemporaryFailure(f"{self._settings.webhook} cannot be reached: {error}") from None
        except (aiohttp.ClientError, TimeoutError) as error:
            why = str(error) or type(error).__name__
            raise OutcomeUnknown(f"the answer was lost: {why}") from None

    def _url_of(self, thread_key: str, file_id: str) -> str:
        path = f"/files/{quote(thread_key, safe='')}/{file_id}"
        return f"{self._files()}{path}?key={self._key(thread_key, file_id)}"

    def signed_path(self, thread_key: str, file_id: str, key: str) -> bool:
        """Whether we gave out this key for the file."""
        return hmac.compare_digest(key.encode(), self._key(thread_key, file_id).encode())

    def _key(self, thread_key: str, file_id: str) -> str:
        secret = self._settings.secret.reveal().encode()
        return hmac.new(secret, f"file\0{thread_key}\0{file_id}".encode(), hashlib.sha256).hexdigest()


def _told(message: OutgoingMessage, url_of: Any) -> dict[str, Any]:
    kinds = {OutgoingVerb.SEND: "message", OutgoingVerb.EDIT: "edit", OutgoingVerb.DELETE: "delete"}
    told: dict[str, Any] = {
        "type": kinds[message.verb],
        "id": message.message_id,
        "attempt": message.attempt,
        "chat": message.thread_key,
    }
    if message.verb is not OutgoingVerb.SEND:
        told["message"] = message.external_id
    if message.verb is not OutgoingVerb.DELETE:
        told |= {"text": message.text, "author": message.author, "reply_to": message.reply_to}
        told["attachments"] = [
            {"name": one.name, "mime": one.mime, "size": one.size, "url": url_of(message.thread_key, one.id)}
            for one in message.files
        ]
    return told


def _judge(status: int, retry_after: str | None) -> None:
    if status < 300:
        return
    wait_s = float(retry_after) if retry_after and retry_after.isdigit() else None
    if status in _BUSY:
        raise TemporaryFailure(f"the receiver answered {status}", retry_after_s=wait_s)
    if status in (401, 403):
        raise NeedsAdministrator(f"the receiver answered {status}", remedy="give both sides the same secret")
    if status == _GONE:
        raise Unreachable("the receiver says that this client cannot be reached")
    if status >= 500:
        raise OutcomeUnknown(f"the receiver failed with {status}, perhaps after it took the message")
    raise PermanentFailure(f"the receiver refused it with {status}")


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None
