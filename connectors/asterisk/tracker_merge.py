"""Two calls turn out to be one: the younger becomes part of the older."""

from connectors.asterisk.tracker_graph import Graph
from connectors.asterisk.tracker_model import Handover, Track, room


def absorb(graph: Graph, older: Track, younger: Track) -> None:
    """Everything of `younger` goes over to `older`."""
    younger.merged_into = older
    for leg in younger.legs.values():
        leg.track = older
        leg.client_since = None
        leg.introduced = False
        older.legs[leg.id] = leg
    for linkedid in younger.linkedids:
        graph.adopt(older, linkedid)
    _join_history(older, younger)
    _join_present(older, younger)


def _join_history(older: Track, younger: Track) -> None:
    for mine, theirs in (
        (older.seen, younger.seen),
        (older.rang, younger.rang),
        (older.recordings, younger.recordings),
        (older.aliases, younger.aliases),
    ):
        for thing in theirs:
            room(mine, thing)
    if younger.announced or younger.base is not None:
        room(older.aliases, younger.id)
    own = younger.caller.stretch if younger.caller is not None else None
    restored = younger.operator if younger.base is not None else None
    for stretch in younger.stretches:
        if stretch is not own and stretch.extension != restored:
            # What was said so far was said between colleagues.
            stretch.talk_s = stretch.hold_s = 0.0
            older.stretches.append(stretch)
    older.stretches.sort(key=lambda s: s.start)
    older.transfers += younger.transfers
    older.transfers.sort(key=_moment)
    older.talks += younger.talks
    older.hold_s += younger.hold_s
    if younger.outcome_at > older.outcome_at:
        older.outcome, older.outcome_at = younger.outcome, younger.outcome_at


def _moment(transfer: Handover) -> float:
    return transfer.at


def _join_present(older: Track, younger: Track) -> None:
    older.ringing |= younger.ringing
    older.talkers += younger.talkers
    older.talk_since = _earlier(older.talk_since, younger.talk_since)
    older.answered_at = _earlier(older.answered_at, younger.answered_at)
    older.held += younger.held
    older.hold_since = _earlier(older.hold_since, younger.hold_since)
    older.parked = older.parked or younger.parked
    older.voicemail = older.voicemail or younger.voicemail
    older.queue = older.queue or younger.queue
    older.in_queue = older.in_queue or younger.in_queue
    if older.caller is None:
        older.caller = younger.caller
        older.from_raw, older.from_name = (
            older.from_raw or younger.from_raw,
            older.from_name or younger.from_name,
        )
        older.to_raw = older.to_raw or younger.to_raw
        older.did = older.did or younger.did
    older.target = older.target or younger.target
    older.operator = older.operator or younger.operator
    if not older.last_talkers:
        older.last_talkers = younger.last_talkers


def _earlier(one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return one if other is None else other
    return min(one, other)
