"""What an integrator's update means: pure."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from gateway.domain.identities import Identity, normalise
from gateway.domain.messages import (
    Correspondent,
    Inbound,
    InboundAttachment,
    InboundDeletion,
    InboundEdit,
    InboundMessage,
    InboundReachability,
    InboundReaction,
    InboundReceipt,
    MessageKind,
    MessageStatus,
    Origin,
)

Fields = Mapping[str, Any]
_RECEIPTS = (MessageStatus.DELIVERED, MessageStatus.READ, MessageStatus.FAILED)


class Translation:
    """Of the connector `name`; `country` is for phone numbers without a country code."""

    def __init__(self, name: str, country: str) -> None:
        self._name = name
        self._country = country

    def __call__(self, body: bytes, received_at: datetime) -> Sequence[Inbound]:
        """Raises `KeyError`, `ValueError`, `TypeError` or `Invalid` for what it cannot read."""
        update: Fields = json.loads(body)
        at = _moment(update.get("at"), received_at)
        chat = _text(update, "chat")
        match update["type"]:
            case "message":
                return [self._message(update, chat, at)]
            case "edit":
                return [InboundEdit(_text(update, "message"), chat, at, str(update["text"]))]
            case "delete":
                return [InboundDeletion((_text(update, "message"),), chat, at)]
            case "reaction":
                reactions = tuple(str(one) for one in update["reactions"])
                by = self._person(update).identity.value
                return [InboundReaction(_text(update, "message"), chat, at, by, reactions)]
            case "receipt":
                return [_receipt(update, chat, at)]
            case "reachability":
                who = self._person(update).identity
                return [
                    InboundReachability(who, at, bool(update["reachable"]), str(update.get("reason", "")))
                ]
            case other:
                raise ValueError(f"there is no update of type {other!r}")

    def _message(self, update: Fields, chat: str, at: datetime) -> InboundMessage:
        given = str(update.get("kind", "text"))
        known = given in MessageKind.__members__.values()
        origin: Fields = update.get("origin") or {}
        return InboundMessage(
            external_id=_text(update, "id"),
            thread_key=chat,
            author=self._person(update),
            at=at,
            text=str(update.get("text") or ""),
            kind=MessageKind(given) if known else MessageKind.UNKNOWN,
            subject=update.get("subject"),
            attachments=tuple(_file(one) for one in update.get("attachments") or ()),
            reply_to=update.get("reply_to"),
            sequence=int(update.get("sequence") or 0),
            outgoing=bool(update.get("outgoing")),
            origin=Origin(
                *(_or_none(origin.get(name)) for name in ("page", "referrer", "campaign", "payload"))
            ),
        )

    def _person(self, update: Fields) -> Correspondent:
        who: Fields = update["from"]
        identity = Identity("other", f"{self._name}:{_text(who, 'id')}"[:255])
        vouched = [
            normalise(kind, str(who[kind]), self._country) for kind in ("phone", "email") if who.get(kind)
        ]
        return Correspondent(identity, str(who.get("name") or ""), tuple(vouched))


def _receipt(update: Fields, chat: str, at: datetime) -> InboundReceipt:
    status = MessageStatus(update["status"])
    if status not in _RECEIPTS:
        raise ValueError(f"a receipt says one of {', '.join(_RECEIPTS)}")
    return InboundReceipt(
        _text(update, "message"), chat, at, status, update.get("error"), bool(update.get("up_to"))
    )


def _file(given: Fields) -> InboundAttachment:
    size = given.get("size")
    return InboundAttachment(
        reference=_text(given, "url"),
        name=str(given.get("name") or ""),
        mime=str(given.get("mime") or ""),
        size=int(size) if size is not None else None,
    )


def _text(fields: Fields, name: str) -> str:
    value = fields[name]
    if not isinstance(value, str) or not 0 < len(value) <= 2048:
        raise ValueError(f"{name} must be a text of 1 to 2048 characters")
    return value


def _or_none(value: Any) -> str | None:
    return str(value) if value is not None else None


def _moment(given: Any, received_at: datetime) -> datetime:
    if given is None:
        return received_at
    moment = datetime.fromisoformat(given)
    if moment.tzinfo is None:
        raise ValueError("at needs a time zone, such as 2026-11-24T09:15:04Z")
    return moment.astimezone(UTC)
