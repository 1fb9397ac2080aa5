"""What the channel of a connector can do, as written down when it was attached."""

from typing import Any

import msgspec
from sqlalchemy import Connection, Row, bindparam, select

from gateway.domain.errors import Conflict, FieldError, Invalid
from gateway.domain.messages import ChannelTraits
from gateway.store.tables import connectors

_of = select(connectors.c.traits, connectors.c.attached).where(connectors.c.name == bindparam("name"))


def of(tx: Connection, connector: str) -> ChannelTraits:
    """Raises `Conflict` where the connector is not attached any more."""
    row = tx.execute(_of, {"name": connector}).one_or_none()
    if row is None or row.traits is None or not row.attached:
        raise Conflict(f"the connector {connector} is not attached any more: nothing can be sent there")
    return msgspec.convert(row.traits, ChannelTraits)


def judge(traits: ChannelTraits, body: Any, files: list[Row[Any]]) -> None:
    """Raises `Invalid` with everything in a message that the channel cannot carry."""
    errors = []
    if not body.text.strip() and not files:
        errors.append(FieldError("text", "a message needs text or a file"))
    if len(body.text) > traits.longest_text:
        errors.append(FieldError("text", f"at most {traits.longest_text} characters in this channel"))
    if len(files) > traits.files_per_message or (files and not traits.attachments):
        most = traits.files_per_message if traits.attachments else 0
        errors.append(FieldError("attachments", f"at most {most} files in a message of this channel"))
    for position, row in enumerate(files):
        if row.size > traits.largest_file:
            told = f"at most {traits.largest_file / 1_000_000:g} MB in this channel"
            errors.append(FieldError(f"attachments[{position}]", told))
    errors += [FieldError(name, "this channel has no such thing") for name in _unknown(traits, body)]
    if errors:
        raise Invalid(errors)


def _unknown(traits: ChannelTraits, body: Any) -> list[str]:
    found = [] if traits.html or body.html is None else ["html"]
    if body.reply_to is not None and not traits.reply:
        found.append("reply_to")
    if not traits.subject:
        found += [name for name in ("subject", "to", "cc", "bcc") if getattr(body, name)]
    return found
