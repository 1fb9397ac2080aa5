"""A Call as the contract shows it: plain dictionaries, ready for JSON."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from gateway.domain.calls import Call, Direction, Party, Segment, Transfer

Wire = dict[str, Any]
OperatorOf = Callable[[str], tuple[str, str] | None]
"""Extension to (id, name) of the operator whose it is, None where there is none."""


def nobody_known(_extension: str) -> tuple[str, str] | None:
    """Without a database no extension has an operator."""
    return None


def rfc3339(at: datetime | None) -> str | None:
    """UTC with milliseconds: `2026-11-22T09:15:04.120Z`."""
    if at is None:
        return None
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def call_wire(
    call: Call,
    *,
    operator_of: OperatorOf = nobody_known,
    queue_of: Mapping[str, str] | None = None,
    card_id: str | None = None,
    recordings: Sequence[str] = (),
    note: str | None = None,
) -> Wire:
    """The contract's Call. `queue_of` maps the PBX's queue names to configured ones."""
    return {
        "id": call.id,
        "pbx": call.pbx,
        "linkedid": call.linkedid,
        "direction": call.direction.value,
        "state": call.state.value,
        "disposition": call.disposition.value if call.disposition else None,
        "from": _party(call.from_),
        "to": _party(call.to),
        "did": call.did,
        "queue": (queue_of or {}).get(call.queue, call.queue) if call.queue else None,
        "card_id": card_id,
        "operator": _operator(call, call.extension, operator_of) if call.answered_at else None,
        "rang": list(call.rang),
        "started_at": rfc3339(call.started_at),
        "answered_at": rfc3339(call.answered_at),
        "ended_at": rfc3339(call.ended_at),
        "hangup_by": call.hangup_by.value if call.hangup_by else None,
        "hangup_cause": call.hangup_cause,
        "wait_s": call.wait_s,
        "talk_s": call.talk_s,
        "hold_s": call.hold_s,
        "segments": [_segment(call, segment, operator_of) for segment in call.segments],
        "transfers": [_transfer(transfer) for transfer in call.transfers],
        "recordings": list(recordings),
        "estimated": list(call.estimated),
        "note": note,
    }


def _party(party: Party) -> Wire:
    return {"number": party.number, "raw": party.raw, "name": party.name}


def _operator(call: Call, extension: str | None, operator_of: OperatorOf) -> Wire | None:
    if extension is None or extension.startswith("+") or _is_far_end(call, extension):
        return None
    id_, name = operator_of(extension) or (None, None)
    return {"id": id_, "name": name, "extension": extension}


def _is_far_end(call: Call, number: str) -> bool:
    return call.direction is Direction.OUT and number in (call.to.number, call.to.raw)


def _segment(call: Call, segment: Segment, operator_of: OperatorOf) -> Wire:
    return {
        "operator": _operator(call, segment.extension, operator_of),
        "extension": segment.extension,
        "from": rfc3339(segment.start),
        "to": rfc3339(segment.end),
        "ring_s": segment.ring_s,
        "talk_s": segment.talk_s,
        "hold_s": segment.hold_s,
    }


def _transfer(transfer: Transfer) -> Wire:
    return {
        "kind": transfer.kind.value,
        "from": transfer.from_,
        "to": transfer.to,
        "at": rfc3339(transfer.at),
        "result": transfer.result.value if transfer.result else None,
    }
