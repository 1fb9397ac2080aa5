"""What a visitor's update means: pure."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from gateway.domain.errors import Invalid
from gateway.domain.identities import Identity, normalise
from gateway.domain.messages import (
    Correspondent,
    Inbound,
    InboundAttachment,
    InboundMessage,
    InboundReceipt,
    MessageKind,
    MessageStatus,
    Origin,
)

Fields = Mapping[str, Any]


class Translation:
    """Of the connector `name`; `country` is for phone numbers without a country code."""

    def __init__(self, name: str, country: str) -> None:
        self._name = name
        self._country = country

    def __call__(self, body: bytes, received_at: datetime) -> Sequence[Inbound]:
        """Raises `KeyError` or `ValueError` for what it cannot read."""
        update: Fields = json.loads(body)
        match update["type"]:
            case "message":
                return [self._message(update, received_at)]
            case "form":
                return [self._form(update, received_at)]
            case "read":
                read = MessageStatus.READ
                return [InboundReceipt(update["message"], update["key"], received_at, read, up_to=True)]
            case other:
                raise ValueError(f"there is no update of type {other!r}")

    def _message(self, update: Fields, at: datetime) -> InboundMessage:
        key, files = update["key"], update["files"]
        return InboundMessage(
            external_id=f"{key}:{update['id']}",
            thread_key=key,
            author=self._visitor(update),
            at=at,
            text=update["text"],
            kind=MessageKind.FILE if files and not update["text"] else MessageKind.TEXT,
            attachments=tuple(InboundAttachment(one) for one in files),
            reply_to=update.get("reply_to"),
            origin=_origin(update),
            client_id=update["id"],
        )

    def _visitor(self, update: Fields) -> Correspondent:
        signed, told = update.get("signed") or {}, update.get("told") or {}
        own = signed.get("subject") or update["key"]
        name = signed.get("name") or told.get("name") or ""
        identity = Identity("webchat", f"{self._name}:{own}")
        return Correspondent(identity, name, self._addresses(signed), self._addresses(told))

    def _form(self, update: Fields, at: datetime) -> InboundMessage:
        first, *more = self._addresses(update["told"])
        return InboundMessage(
            external_id=f"form:{update['id']}",
            thread_key=f"form:{update['id']}",
            author=Correspondent(first, update["told"].get("name", ""), told=tuple(more)),
            at=at,
            text=update["text"],
            origin=_origin(update),
        )

    def _addresses(self, person: Fields) -> tuple[Identity, ...]:
        return addresses(person, self._country)


def addresses(person: Fields, country: str) -> tuple[Identity, ...]:
    """Phone and email that can be made out; what is none is left out."""
    found = []
    for kind in ("phone", "email"):
        if person.get(kind):
            try:
                found.append(normalise(kind, person[kind], country))
            except Invalid:
                continue
    return tuple(found)


def _origin(update: Fields) -> Origin:
    return Origin(update.get("page"), update.get("referrer"), update.get("campaign"))
