"""What a phone does in one call, as a short list of steps, and the SIPp scenario made from it.

    rung(Ring(2), Answer(), Talk(3), HangUp())      rings 2 s, answers, talks at most 3 s, hangs up
    rung(Ring(1), Refuse(486))                      busy
    dials("74951000101", Caller("79161234567"), Talk())

Every wait ends early when the other side ends the call: the phone then answers CANCEL or BYE as RFC 3261
asks, and the remaining steps are not taken. One scenario is one call.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.lab.asterisk import sipp_xml as xml
from tests.lab.asterisk import tone
from tests.lab.asterisk.config import INSIDE

SCENARIOS = "/srv/sipp"
"""Where the phones' files are, seen from inside the chroot."""
FOREVER_S = 110
"""Longer than any story, shorter than a test's time limit."""

# Labels of the ways a call ends, of a caller that gave up, and of one that was answered.
GONE, CANCELLED, REFUSED, END, GIVE_UP, ANSWERED = 901, 902, 903, 904, 905, 906
REFUSALS = (403, 404, 408, 480, 481, 484, 486, 487, 488, 500, 501, 502, 503, 600, 603, 604)


@dataclass(frozen=True, slots=True)
class Ring:
    """Ring (180) for that many seconds; without a number until the caller gives up."""

    seconds: float = FOREVER_S


@dataclass(frozen=True, slots=True)
class Answer:
    """Pick up (200)."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """Refuse with a final code: 486 busy, 603 declined, 404 no such number, 503 trunk down."""

    code: int


@dataclass(frozen=True, slots=True)
class Talk:
    """Stay on the line for that many seconds; without a number until the other side hangs up."""

    seconds: float = FOREVER_S


@dataclass(frozen=True, slots=True)
class Speak:
    """Begin to send a tone (RTP), on to the end of the call; the steps that follow go on at once."""

    hz: int = 440


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call (BYE)."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Put the other side on hold (re-INVITE, sendonly), or take it back with `on=False`."""

    on: bool = True


@dataclass(frozen=True, slots=True)
class Dtmf:
    """Press keys (SIP INFO), half a second each."""

    digits: str


@dataclass(frozen=True, slots=True)
class Refer:
    """Blind transfer to an extension (RFC 3515); its course comes by NOTIFY, which SIPp answers by itself."""

    to: str


Step = Ring | Answer | Refuse | Talk | Speak | HangUp | Hold | Dtmf | Refer


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: the user part of From as it shall stand on the wire, and the display name."""

    number: str
    name: str | None = None
    headers: str = ""
    """Further header lines, such as `Privacy: id`."""


def rung(*steps: Step) -> str:
    """The scenario of a phone that is called."""
    dialog = xml.Dialog(local=f"[$to];tag={xml.TAG}", remote="[$from]", target="[$target]")
    invite = xml.receive("INVITE", xml.keep("From:", "from"), xml.keep("To:", "to"), xml.KEEP_TARGET)
    return xml.document([invite, *_taken(steps, dialog), *_endings(dialog)])


def dials(number: str, caller: Caller, *steps: Step, cancel_after_s: float | None = None) -> str:
    """The scenario of a phone that calls `number` and, once answered, takes the steps.

    With `cancel_after_s` it gives up (CANCEL) when it has heard the ringing tone for so many seconds.
    """
    shown = f'"{caller.name}" ' if caller.name is not None else ""
    local = f"{shown}<sip:{caller.number}@[local_ip]:[local_port]>;tag={xml.TAG}"
    dialog = xml.Dialog(local=local, remote="[$to]", target="[$target]")
    return xml.document(
        [
            *_call(number, local, caller.headers, _media_port(steps), cancel_after_s),
            *_taken(steps, dialog),
            *_endings(dialog),
        ]
    )


def _media_port(steps: tuple[Step, ...]) -> str:
    """SIPp streams from a port of its own and opens it only when the scenario names it."""
    speaks = any(isinstance(step, Speak) for step in steps)
    return "[rtpstream_audio_port]" if speaks else "[media_port]"


def _call(number: str, local: str, headers: str, port: str, cancel_after_s: float | None) -> Iterator[str]:
    uri = f"sip:{number}@[remote_ip]:[remote_port]"
    first = xml.Dialog(local=local, remote=f"<{uri}>", target=uri)
    yield xml.request(
        "INVITE", first, 1, body=xml.sdp("sendrecv", port), headers=headers, branch=xml.INVITE_BRANCH
    )
    # SIPp counts the time anew at each response, so every one of them needs the limit.
    limit = None if cancel_after_s is None else (cancel_after_s, GIVE_UP)
    for code in (100, 180, 181, 182, 183):
        yield xml.response(code, optional=True, timeout=limit)
    for code in REFUSALS:
        yield xml.response(code, optional=True, goto=REFUSED, timeout=limit)
    yield xml.response(
        200,
        goto=ANSWERED,
        timeout=limit,
        actions=(xml.keep("From:", "from"), xml.keep("To:", "to"), xml.KEEP_TARGET),
    )
    yield xml.label(GIVE_UP)
    yield xml.request("CANCEL", first, 1, branch=xml.INVITE_BRANCH)
    yield xml.response(200)
    yield xml.response(487, goto=REFUSED)
    yield xml.label(REFUSED)
    yield xml.request("ACK", first, 1, branch=xml.INVITE_BRANCH, to_line="[last_To:]")
    yield xml.goto(END)
    yield xml.label(ANSWERED)
    yield xml.request("ACK", xml.Dialog(local, "[$to]", "[$target]"), 1)


def _taken(steps: tuple[Step, ...], dialog: xml.Dialog) -> Iterator[str]:
    """The steps in SIPp's words; requests of our own are numbered from 2 on (the INVITE was 1)."""
    port = _media_port(steps)
    cseq = 2
    for index, step in enumerate(steps):
        label = index + 1
        match step:
            case Ring(seconds):
                yield xml.reply("180 Ringing")
                yield xml.receive("CANCEL", goto=CANCELLED, timeout=(seconds, label)) + xml.label(label)
            case Answer():
                yield xml.reply("200 OK", body=xml.sdp("sendrecv", port))
                yield xml.receive("ACK")
            case Refuse(code):
                yield xml.reply(f"{code} Refused")
                yield xml.receive("ACK", goto=END)
            case Talk(seconds):
                yield xml.receive("BYE", goto=GONE, timeout=(seconds, label)) + xml.label(label)
            case Speak(hz):
                yield xml.stream(f"{SCENARIOS}/{tone.file_name(hz)}")
            case HangUp():
                yield xml.request("BYE", dialog, cseq) + xml.response(200, goto=END)
            case Hold(on):
                body = xml.sdp("sendonly" if on else "sendrecv", port, version=cseq)
                yield xml.request("INVITE", dialog, cseq, body=body)
                yield xml.response(100, optional=True) + xml.response(200)
                yield xml.request("ACK", dialog, cseq)
            case Dtmf(digits):
                for digit in digits:
                    yield xml.request("INFO", dialog, cseq, body=xml.dtmf(digit)) + xml.response(200)
                    yield xml.pause(0.5)
                    cseq += 1
            case Refer(to):
                headers = f"Refer-To: <sip:{to}@{INSIDE}>\nReferred-By: <sip:phone@{INSIDE}>"
                yield xml.request("REFER", dialog, cseq, headers=headers) + xml.response(202)
        cseq += 1


def _endings(dialog: xml.Dialog) -> Iterator[str]:
    yield xml.goto(END)
    yield xml.label(GONE) + xml.reply("200 OK", tagged=True) + xml.goto(END)
    yield xml.label(CANCELLED) + xml.reply("200 OK")
    yield xml.reply("487 Request Terminated", cseq="CSeq: [last_cseq_number] INVITE")
    yield xml.receive("ACK")
    yield xml.label(END) + xml.pause(0)
