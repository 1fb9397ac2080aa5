"""Call detail records (CDR) alone, with queue_log where there is one, as a business call.

A record tells of two channels and what the PBX billed, not of people: a queue or a menu that picked up looks
answered, a refusal looks like nobody's answer, and a transfer rewrites where the client had called. Whatever
had to be guessed stands in `estimated`. Source: docs.asterisk.org, "CDR Specification".
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from connectors.asterisk.records_case import TICK_S, Case, Talk, ran_out, without_doubles
from connectors.asterisk.records_lines import speaks_of
from connectors.asterisk.records_rows import Cdr, QueueLine
from connectors.asterisk.tracker_names import Names, dialled, text
from gateway.domain.calls import (
    Call,
    CallState,
    Direction,
    Disposition,
    HangupBy,
    Party,
    PbxRules,
    Segment,
)
from gateway.domain.ids import call_id

_VOICEMAIL = frozenset({"VoiceMail", "MinivmRecord"})
_FAR_END = re.compile(r"[^/]+/([^@,&]+)@")
_LEFT = frozenset({"ABANDON"})
_GIVEN_UP = frozenset({"EXITWITHTIMEOUT", "EXITEMPTY", "EXITWITHKEY", "JOINEMPTY", "FULL", "LEAVEEMPTY"})


def call_of(
    rules: PbxRules, rows: Sequence[Cdr], lines: Sequence[QueueLine] = (), *, offset_s: float = 0.0
) -> Call | None:
    """The call that these records are of; None where no person's line is in them.

    `offset_s`: our clock minus the PBX's.
    """
    names = Names(rules)
    people = [row for row in rows if names.face(row.channel).person] or list(rows)
    if not people:
        return None
    # The records of one second are written in the order of their numbers, which the file keeps.
    first = min(people, key=lambda row: (row.start, row.uniqueid != row.linkedid))
    ordered = sorted(rows, key=lambda row: row.start)
    case = Case(ordered, sorted(lines, key=lambda line: line.at), names, first)
    return _Judge(rules, case, offset_s).call()


class _Judge:
    """One call being put together."""

    def __init__(self, rules: PbxRules, case: Case, offset_s: float) -> None:
        self._rules, self._case, self._offset_s = rules, case, offset_s
        self._own = case.names.face(case.first.channel)

    def call(self) -> Call:
        case = self._case
        began, end = self._began(), max(row.end for row in case.rows)
        way, talks = self._direction(), self._talks()
        answered = talks[0].answered if talks else None
        how = self._disposition(way, talks, end)
        by, cause = self._hangup(how)
        did = self._did(way)
        to = self._to(way, did)
        segments = tuple(self._segment(talk) for talk in talks)
        operators = [talk.label for talk in talks if not talk.label.startswith("+")]
        own = self._own.extension if not self._own.trunk else None
        return Call(
            id=call_id(self._rules.pbx, case.uniqueid),
            pbx=self._rules.pbx,
            linkedid=case.uniqueid,
            direction=way,
            state=CallState.ENDED,
            started_at=self._at(began),
            from_=self._from(),
            to=Party(case.names.public(to), to),
            disposition=how,
            did=did and (case.names.public(did) or did),
            queue=self._queue(),
            extension=own if way is not Direction.IN else (operators[-1] if operators else None),
            rang=self._rang(way, talks),
            answered_at=self._at(answered) if answered is not None else None,
            ended_at=self._at(end),
            hangup_by=by,
            hangup_cause=cause,
            wait_s=max(0.0, (answered if answered is not None else end) - began),
            talk_s=sum(talk.end - talk.answered for talk in talks),
            segments=segments,
            estimated=tuple(case.unknown),
            legs=self._legs(),
        )

    def _at(self, seconds: float) -> datetime:
        return datetime.fromtimestamp(seconds + self._offset_s, UTC)

    def _segment(self, talk: Talk) -> Segment:
        return Segment(
            talk.label,
            self._at(talk.start),
            self._at(talk.end),
            max(0.0, talk.answered - talk.start),
            max(0.0, talk.end - talk.answered),
        )

    def _began(self) -> float:
        return min(row.start for row in self._case.rows)

    # -- who and where

    def _direction(self) -> Direction:
        case = self._case
        if self._own.trunk:
            return Direction.IN
        faces = [case.names.face(row.dst_channel) for row in case.rows if row.dst_channel]
        if any(face.trunk for face in faces):
            return Direction.OUT
        if any(face.person for face in faces):
            return Direction.INTERNAL
        wanted = case.first.src if case.first.app == "AppDial2" else case.first.dst
        return Direction.OUT if case.names.public(wanted) else Direction.INTERNAL

    def _from(self) -> Party:
        first = self._case.first
        raw, name = text(first.src), text(first.name)
        if not self._own.trunk and self._own.extension:
            return Party(None, self._own.extension, name if raw == self._own.extension else None)
        return Party(self._case.names.public(raw), raw, name)

    def _did(self, way: Direction) -> str | None:
        """What the client had called: a transfer and a menu put their own destination into its place."""
        if way is not Direction.IN:
            return None
        typed = [row.dst for row in self._case.rows if row.channel == self._case.first.channel]
        did = next((number for number in typed if self._case.names.public(number)), None)
        if did is None:
            self._case.guess("did", "to")
        return did

    def _to(self, way: Direction, did: str | None) -> str | None:
        case, first = self._case, self._case.first
        if way is Direction.IN:
            return did
        if first.app == "AppDial2":
            return text(first.src)
        sent = [self._far_end(row) for row in case.rows if case.names.face(row.dst_channel).trunk]
        return next(filter(None, sent), None) or text(first.dst)

    def _far_end(self, row: Cdr) -> str | None:
        found = _FAR_END.match(row.data)
        return dialled(found[1] if found else row.data.partition(",")[0]) or text(row.dst)

    def _queue(self) -> str | None:
        joined = self._case.line("ENTERQUEUE")
        if joined is not None:
            return joined.queue
        row = next((row for row in self._case.rows if row.app == "Queue"), None)
        return text(row.data.partition(",")[0]) if row else None

    def _label(self, row: Cdr) -> str | None:
        face = self._case.names.face(row.dst_channel)
        if face.trunk:
            number = self._far_end(row)
            return self._case.names.public(number) or number
        return face.extension if face.person or face.local else None

    def _legs(self) -> tuple[str, ...]:
        case = self._case
        rest = [u for row in case.rows for u in (row.linkedid, row.uniqueid)]
        rest += [line.args[1] for line in case.lines if line.event == "CONNECT" and len(line.args) > 1]
        return tuple(dict.fromkeys([case.uniqueid, *rest]))

    # -- talk

    def _talks(self) -> list[Talk]:
        talks = [talk for row in self._case.rows if (talk := self._talk(row)) is not None]
        talks.sort(key=lambda talk: talk.answered)
        talks = without_doubles(talks)
        if any(not talk.sure for talk in talks[:1]):
            self._case.guess("answered_at", "wait_s", "talk_s")
        if len(talks) > 1 or any(not talk.sure for talk in talks):
            self._case.guess("talk_s", "segments")
        if talks and self._went_on(talks):
            self._case.guess("transfers")
        if talks and self._direction() is not Direction.IN:
            # On click-to-call the first record begins when the operator is rung, and answers when he does.
            self._case.guess("answered_at", "wait_s", "talk_s")
        if talks:
            self._case.guess("hold_s")
        return talks

    def _went_on(self, talks: Sequence[Talk]) -> bool:
        """Whether somebody else was called after the first talk, or talked."""
        others = [row for row in self._case.rows if self._label(row) not in (None, talks[0].label)]
        later = [row for row in others if row.start >= talks[0].end - TICK_S]
        return bool(later) or len({talk.label for talk in talks}) > 1

    def _talk(self, row: Cdr) -> Talk | None:
        label = self._label(row)
        if row.disposition != "ANSWERED" or row.answer is None or label is None:
            return None
        aside = row.linkedid != self._case.uniqueid
        if aside or row.app in ("AppDial", "AppDial2") or self._case.names.face(row.channel).local:
            # A consultation, or the other half of a conversation that another record tells of.
            return None
        connect = self._connected(row)
        answered = connect.at if connect is not None else row.answer
        done = self._case.line("COMPLETEAGENT", "COMPLETECALLER")
        end = max(answered, done.at if connect is not None and done is not None else row.end)
        # A channel that the PBX itself had answered before shows no answer of the one it called.
        sure = connect is not None or (row.app == "Dial" and row.answer - row.start >= TICK_S)
        if end - answered <= 0 and row.end - row.answer <= 0:
            return None
        return Talk(label, row.start, answered, end, sure)

    def _connected(self, row: Cdr) -> QueueLine | None:
        if row.app != "Queue":
            return None
        lines = (line for line in self._case.lines if line.event == "CONNECT")
        return next((line for line in lines if row.start - TICK_S <= line.at <= row.end + TICK_S), None)

    def _rang(self, way: Direction, talks: Iterable[Talk]) -> tuple[str, ...]:
        case = self._case
        answered = {talk.label for talk in talks}
        rang: dict[str, None] = {}
        for row in case.rows:
            label = self._label(row)
            if label is None or row.app == "AppDial2" or row.disposition in ("FAILED", "CONGESTION"):
                continue
            named = row.app != "Dial" or speaks_of(row.data, row.dst_channel.rpartition("-")[0])
            if label not in answered or not named:
                case.guess("rang")
                if row.disposition == "BUSY" and row.end - row.start < TICK_S:
                    continue
            rang[label] = None
        if way is Direction.INTERNAL and self._own.extension:
            rang.pop(self._own.extension, None)
        return tuple(rang)

    # -- how it ended

    def _disposition(self, way: Direction, talks: Sequence[Talk], end: float) -> Disposition:
        case = self._case
        if talks:
            return Disposition.ANSWERED
        if any(row.app in _VOICEMAIL for row in case.rows):
            return Disposition.VOICEMAIL
        if case.first.app == "AppDial2":
            return Disposition.OPERATOR_NO_ANSWER
        rung = [row for row in case.rows if row.dst_channel]
        queue = case.line(*_LEFT, *_GIVEN_UP)
        if queue is not None and queue.event in _LEFT:
            return Disposition.ABANDONED
        said = {row.disposition for row in rung[-1:]}
        if "BUSY" in said:
            return Disposition.BUSY
        if said & {"FAILED", "CONGESTION"}:
            return Disposition.FAILED
        case.guess("disposition")
        if not rung:
            return self._unrung(way)
        if way is Direction.OUT:
            return Disposition.NO_ANSWER
        gave_up = any(row.start >= rung[-1].end and row is not rung[-1] for row in case.rows)
        return Disposition.NO_ANSWER if gave_up or ran_out(rung[-1], end) else Disposition.ABANDONED

    def _unrung(self, way: Direction) -> Disposition:
        if way is Direction.IN:
            return Disposition.ABANDONED
        return Disposition.FAILED

    def _hangup(self, how: Disposition) -> tuple[HangupBy | None, int | None]:
        """Records tell no cause; who ended a call that a queue put through, queue_log does."""
        self._case.guess("hangup_cause")
        done = self._case.line("COMPLETEAGENT", "COMPLETECALLER")
        if how is Disposition.ANSWERED and done is not None:
            return (HangupBy.CALLEE if done.event == "COMPLETEAGENT" else HangupBy.CALLER), None
        if how is Disposition.ABANDONED:
            if self._case.line(*_LEFT) is None:
                self._case.guess("hangup_by")
            return HangupBy.CALLER, None
        self._case.guess("hangup_by")
        return None, None
