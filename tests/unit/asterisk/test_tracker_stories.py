"""Stories that no recording tells, told to the tracker event by event as Asterisk writes them."""

from typing import Any

from gateway.domain.calls import (
    CallEventType,
    CallState,
    Direction,
    Disposition,
    HangupBy,
    TransferKind,
    TransferResult,
)
from tests.unit.asterisk.streams import Event, Played, play

CLIENT = "79161234567"
START = 1795491000.0


class Script:
    """Writes events; each takes place a second after the one before unless told otherwise."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.now = START
        self.names: dict[str, tuple[str, str]] = {}
        self.states: dict[str, str] = {}

    def _write(self, name: str, **headers: Any) -> None:
        self.events.append(
            {"Event": name, "Privilege": "call,all", "Timestamp": f"{self.now:.6f}", **headers}
        )

    def _of(self, leg: str, prefix: str = "") -> dict[str, str]:
        channel, linkedid = self.names[leg]
        return {
            f"{prefix}Channel": channel, f"{prefix}ChannelState": self.states[leg], f"{prefix}Uniqueid": leg,
            f"{prefix}Linkedid": linkedid,
        }  # fmt: skip

    def wait(self, seconds: float) -> "Script":
        self.now += seconds
        return self

    def appears(
        self,
        leg: str,
        channel: str,
        *,
        of: str | None = None,
        state: str = "0",
        number: str = "",
        exten: str = "s",
    ) -> "Script":
        self.names[leg], self.states[leg] = (channel, of or leg), state
        self._write("Newchannel", **self._of(leg), CallerIDNum=number, CallerIDName="<unknown>", Exten=exten)
        return self

    def state(self, leg: str, state: str) -> "Script":
        self.states[leg] = state
        self._write("Newstate", **self._of(leg))
        return self

    def dials(self, source: str | None, dest: str, string: str, exten: str = "s") -> "Script":
        caller = {**self._of(source), "Exten": exten} if source else {}
        self._write("DialBegin", **caller, **self._of(dest, "Dest"), DialString=string)
        return self

    def dial_ends(self, source: str | None, dest: str, status: str) -> "Script":
        caller = self._of(source) if source else {}
        self._write("DialEnd", **caller, **self._of(dest, "Dest"), DialStatus=status)
        return self

    def enters(self, leg: str, bridge: str, technology: str = "simple_bridge") -> "Script":
        self._write("BridgeEnter", BridgeUniqueid=bridge, BridgeTechnology=technology, **self._of(leg))
        return self

    def leaves(self, leg: str, bridge: str) -> "Script":
        self._write("BridgeLeave", BridgeUniqueid=bridge, **self._of(leg))
        return self

    def asks(self, leg: str) -> "Script":
        self._write("HangupRequest", **self._of(leg))
        return self

    def told_to_end(self, leg: str, how: str) -> "Script":
        self._write("SoftHangupRequest", **self._of(leg), Cause=how)
        return self

    def gone(self, leg: str, cause: str = "16") -> "Script":
        self._write("Hangup", **self._of(leg), Cause=cause)
        return self

    def other(self, name: str, **headers: Any) -> "Script":
        self._write(name, **headers)
        return self

    def talk(self, one: str, other: str, bridge: str) -> "Script":
        return (
            self.state(other, "6")
            .dial_ends(one, other, "ANSWER")
            .state(one, "6")
            .enters(other, bridge)
            .enters(one, bridge)
        )


def incoming(script: Script, leg: str = "1.0", did: str = "74951000101") -> Script:
    return script.appears(leg, "PJSIP/trunk-00000000", state="4", number=CLIENT, exten=did)


def rings(script: Script, source: str, leg: str, extension: str, number: str = "00000001") -> Script:
    script.appears(leg, f"PJSIP/{extension}-{number}", of=script.names[source][1])
    return script.dials(source, leg, extension).state(leg, "5")


def outgoing_talk(script: Script) -> Script:
    script.appears("1.0", "PJSIP/101-00000000", state="4", number="101", exten=CLIENT)
    script.appears("1.1", "PJSIP/trunk-00000001", of="1.0").dials("1.0", "1.1", f"{CLIENT}@trunk", CLIENT)
    return script.state("1.1", "5").wait(3).talk("1.0", "1.1", "b1")


def test_an_outgoing_call_that_is_handed_to_a_colleague_stays_one_call_with_both_their_talks() -> None:
    s = outgoing_talk(Script()).wait(10)
    s.other(
        "BlindTransfer", Result="Success", TransfererUniqueid="1.0", TransfererChannel="PJSIP/101-00000000",
        TransfereeUniqueid="1.1", TransfereeChannel="PJSIP/trunk-00000001", Extension="102",
    )  # fmt: skip
    s.leaves("1.0", "b1").leaves("1.1", "b1").gone("1.0").wait(1)
    rings(s, "1.1", "1.2", "102", "00000002").wait(4).talk("1.1", "1.2", "b2").wait(20)
    s.asks("1.1").leaves("1.1", "b2").leaves("1.2", "b2").gone("1.1").gone("1.2")
    (call,) = play(s.events).calls()

    assert (call.direction, call.disposition, call.extension) == (Direction.OUT, Disposition.ANSWERED, "102")
    assert [(x.extension, x.talk_s) for x in call.segments] == [("101", 10.0), ("102", 20.0)]
    assert call.talk_s == 30.0
    assert call.rang == ("+79161234567", "102")
    assert [(t.kind, t.from_, t.to, t.result) for t in call.transfers] == [
        (TransferKind.BLIND, "101", "102", TransferResult.ANSWERED)
    ]
    assert call.hangup_by is HangupBy.CALLEE


def test_a_client_sent_to_a_long_announcement_by_the_operator_he_was_called_by_is_not_lost() -> None:
    s = outgoing_talk(Script()).wait(10)
    s.other(
        "BlindTransfer", Result="Success", TransfererUniqueid="1.0", TransfererChannel="PJSIP/101-00000000",
        TransfereeUniqueid="1.1", TransfereeChannel="PJSIP/trunk-00000001", Extension="600",
    )  # fmt: skip
    s.leaves("1.0", "b1").leaves("1.1", "b1").gone("1.0")
    played = Played(play(()).tracker, play(()).at).feed(s.events).wait(300).wait(300)
    assert played.calls()[0].state is not CallState.ENDED

    played.feed(Script().events)
    s.events.clear()
    s.wait(700).gone("1.1")
    assert played.feed(s.events).calls()[0].state is CallState.ENDED


def test_two_phones_of_one_extension_ring_as_one_and_stop_with_the_last() -> None:
    s = incoming(Script())
    rings(s, "1.0", "1.1", "101", "00000001")
    rings(s, "1.0", "1.2", "101", "00000002").wait(2)
    s.dial_ends("1.0", "1.1", "BUSY").gone("1.1", "17").wait(3)
    played = Played(play(()).tracker, play(()).at).feed(s.events)

    assert played.calls()[0].ringing == ("101",)
    assert played.calls()[0].rang == ("101",)
    s.events.clear()
    s.dial_ends("1.0", "1.2", "NOANSWER").gone("1.2", "19").gone("1.0", "19")
    assert played.feed(s.events).calls()[0].disposition is Disposition.NO_ANSWER


def test_all_three_refused_one_after_the_other_and_the_last_one_decides() -> None:
    s = incoming(Script())
    for i, (status, cause) in enumerate((("NOANSWER", "0"), ("BUSY", "17"), ("NOANSWER", "21")), 1):
        rings(s, "1.0", f"1.{i}", f"10{i}", f"0000000{i}").wait(4)
        s.dial_ends("1.0", f"1.{i}", status).gone(f"1.{i}", cause)
    s.gone("1.0", "21")
    (call,) = play(s.events).calls()

    assert (call.disposition, call.hangup_by) == (Disposition.DECLINED, HangupBy.CALLEE)
    assert call.rang == ("101", "102", "103")


def test_a_call_that_the_administrator_ends_was_ended_by_the_system() -> None:
    s = incoming(Script())
    rings(s, "1.0", "1.1", "101").wait(2).talk("1.0", "1.1", "b1").wait(9)
    s.told_to_end("1.0", "32").leaves("1.0", "b1").leaves("1.1", "b1").gone("1.1").gone("1.0")
    (call,) = play(s.events).calls()

    assert (call.disposition, call.hangup_by, call.talk_s) == (Disposition.ANSWERED, HangupBy.SYSTEM, 9.0)


def test_a_pbx_that_goes_down_before_anybody_answered_failed_the_call() -> None:
    s = incoming(Script())
    rings(s, "1.0", "1.1", "101").wait(2)
    s.told_to_end("1.0", "4").told_to_end("1.1", "4").gone("1.1", "0").gone("1.0", "0")

    assert play(s.events).calls()[0].disposition is Disposition.FAILED


def test_a_caller_forwarded_to_a_mobile_talks_to_that_number() -> None:
    s = incoming(Script()).appears("1.1", "PJSIP/trunk-00000001", of="1.0")
    s.dials("1.0", "1.1", "79265550142@trunk").state("1.1", "5").wait(2).talk("1.0", "1.1", "b1").wait(5)
    s.asks("1.0").leaves("1.0", "b1").leaves("1.1", "b1").gone("1.1").gone("1.0")
    (call,) = play(s.events).calls()

    assert (call.direction, call.rang, call.extension) == (Direction.IN, ("+79265550142",), None)
    assert [x.extension for x in call.segments] == ["+79265550142"]


def test_a_phone_that_goes_up_at_once_has_rung_too() -> None:
    s = incoming(Script()).appears("1.1", "PJSIP/101-00000001", of="1.0").dials("1.0", "1.1", "101")
    s.wait(1).talk("1.0", "1.1", "b1").wait(2).asks("1.1").gone("1.1").gone("1.0")
    (call,) = play(s.events).calls()

    assert (call.rang, call.disposition, call.hangup_by) == (("101",), Disposition.ANSWERED, HangupBy.CALLEE)


def test_strangers_in_one_car_park_stay_strangers() -> None:
    s = Script()
    for leg, name in (("1.0", "PJSIP/trunk-00000000"), ("2.0", "PJSIP/trunk-00000001")):
        s.appears(leg, name, state="4", number=CLIENT, exten="74951000700").state(leg, "6")
        s.enters(leg, "lot", "holding_bridge")
        s.other("ParkedCall", ParkeeChannel=name, ParkeeUniqueid=leg, ParkeeLinkedid=leg, ParkingSpace="701")
    played = Played(play(()).tracker, play(()).at).feed(s.events)

    assert [(c.state, c.answered_at) for c in played.calls()] == [(CallState.PARKED, None)] * 2


def test_a_third_voice_in_the_conference_keeps_the_talk_going_when_one_leaves() -> None:
    s = incoming(Script())
    rings(s, "1.0", "1.1", "101").wait(2).talk("1.0", "1.1", "b1").wait(5)
    s.appears("1.2", "PJSIP/102-00000002", of="1.0", state="0").dials("1.0", "1.2", "102").state("1.2", "6")
    s.enters("1.2", "b1").wait(5).asks("1.1").leaves("1.1", "b1").gone("1.1").wait(5)
    s.asks("1.0").leaves("1.0", "b1").leaves("1.2", "b1").gone("1.2").gone("1.0")
    (call,) = play(s.events).calls()

    assert (call.talk_s, call.extension, call.hangup_by) == (15.0, "102", HangupBy.CALLER)
    assert [(x.extension, x.talk_s) for x in call.segments] == [("101", 10.0), ("102", 10.0)]


def test_a_call_whose_first_event_was_lost_has_the_same_id_and_the_time_of_its_uniqueid() -> None:
    s = incoming(Script(), leg="1795490999.7")
    rings(s, "1795490999.7", "1795490999.8", "101").wait(2).talk("1795490999.7", "1795490999.8", "b1").wait(3)
    s.asks("1795490999.7").gone("1795490999.8").gone("1795490999.7")
    (whole,), (partial,) = play(s.events).calls(), play(s.events[1:]).calls()

    assert partial.id == whole.id
    assert partial.started_at.timestamp() == 1795490999.0
    assert "started_at" in partial.estimated
    assert partial.direction is Direction.IN


def test_a_call_to_a_number_without_any_phone_is_told_of_and_ends() -> None:
    s = Script().appears("1.0", "PJSIP/101-00000000", state="4", number="101", exten="199").gone("1.0", "20")
    (call,) = play(s.events).calls()

    assert (call.direction, call.disposition) == (Direction.INTERNAL, Disposition.NO_ANSWER)


def test_a_dead_trunk_makes_no_channel_and_the_call_is_outgoing_and_failed_all_the_same() -> None:
    s = Script().appears("1.0", "PJSIP/101-00000000", state="4", number="101", exten=CLIENT).gone("1.0", "34")
    (call,) = play(s.events).calls()

    assert (call.direction, call.disposition, call.rang) == (Direction.OUT, Disposition.FAILED, ())


def test_two_calls_of_the_same_second_are_told_apart_by_the_counter() -> None:
    s = Script()
    for leg, name in (("1795491000.1", "PJSIP/trunk-00000000"), ("1795491000.2", "PJSIP/trunk-00000001")):
        s.appears(leg, name, state="4", number=CLIENT, exten="74951000101")
    s.gone("1795491000.1").gone("1795491000.2")
    told = play(s.events).told

    assert len({event.call.id for event in told}) == 2
    assert [e.type for e in told].count(CallEventType.ENDED) == 2
