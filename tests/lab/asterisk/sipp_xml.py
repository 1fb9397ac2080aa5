"""Words of SIPp's scenario language (SIPp 3.8, "Create your own XML scenarios"), one function per element.

Replies repeat the headers of the message received last; requests inside a call are addressed by a `Dialog`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

TAG = "phone[pid]x[call_number]"
"""Our tag in every call; a process plays one scenario."""
INVITE_BRANCH = "z9hG4bK-[pid]-[call_number]-invite"
"""CANCEL and the ACK of a refusal belong to the INVITE's own transaction (RFC 3261, 9.1 and 17.1.1.3)."""
OUR_CONTACT = "<sip:[local_ip]:[local_port]>"


@dataclass(frozen=True, slots=True)
class Dialog:
    """From, To and request URI of our requests inside a call."""

    local: str
    remote: str
    target: str


def document(body: Iterable[str], *, variables: bool = True) -> str:
    """A whole scenario file; `variables` when it keeps the headers of a dialog."""
    kept = '<Reference variables="from,to,ignored,target"/>\n' if variables else ""
    text = "\n".join(body)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="call">\n{text}\n{kept}</scenario>\n'


def request(
    method: str, dialog: Dialog, cseq: int, *, body: str = "", headers: str = "", branch: str = "[branch]",
    to_line: str | None = None, contact: str = OUR_CONTACT,
) -> str:  # fmt: skip
    """Send a request; `to_line` replaces the To header."""
    lines = [
        f"{method} {dialog.target} SIP/2.0",
        f"Via: SIP/2.0/[transport] [local_ip]:[local_port];branch={branch}",
        f"From: {dialog.local}",
        to_line or f"To: {dialog.remote}",
        "Call-ID: [call_id]",
        f"CSeq: {cseq} {method}",
        f"Contact: {contact}",
        "Max-Forwards: 70",
        *([headers] if headers else []),
    ]
    return send(lines, body, retrans=method != "ACK")


def reply(status: str, *, body: str = "", cseq: str = "[last_CSeq:]", tagged: bool = False) -> str:
    """Answer the message received last; `tagged` when its To already bears our tag."""
    lines = [
        f"SIP/2.0 {status}",
        "[last_Via:]",
        "[last_From:]",
        "[last_To:]" if tagged else f"[last_To:];tag={TAG}",
        "[last_Call-ID:]",
        cseq,
        f"Contact: {OUR_CONTACT}",
    ]
    return send(lines, body, retrans=False)


def receive(
    method: str, *actions: str, goto: int | None = None, timeout: tuple[float, int] | None = None
) -> str:
    """Wait for a request; after `timeout` = (seconds, label) go on at that label."""
    return f'<recv request="{method}"{_where(goto, timeout)}>{_actions(actions)}</recv>'


def response(
    code: int,
    *,
    optional: bool = False,
    goto: int | None = None,
    timeout: tuple[float, int] | None = None,
    actions: tuple[str, ...] = (),
) -> str:
    """Wait for a response; an `optional` one may be missing."""
    may = ' optional="true"' if optional else ""
    return f'<recv response="{code}"{may}{_where(goto, timeout)}>{_actions(actions)}</recv>'


def keep(header: str, variable: str) -> str:
    """Keep a header's value of the message received."""
    return f'<ereg regexp=".*" search_in="hdr" header="{header}" check_it="true" assign_to="{variable}"/>'


KEEP_TARGET = (
    '<ereg regexp="&lt;([^&gt;]*)&gt;" search_in="hdr" header="Contact:" check_it="true"'
    ' assign_to="ignored,target"/>'
)
"""Keep the address to which further requests go."""


def label(number: int) -> str:
    """A place to go to."""
    return f'<label id="{number}"/>'


def goto(number: int) -> str:
    """Go on at a label."""
    return f'<nop next="{number}"/>'


def pause(seconds: float) -> str:
    """Do nothing for a while."""
    return f'<pause milliseconds="{round(seconds * 1000)}"/>'


def stream(path: str) -> str:
    """Send a file of mu-law samples again and again, from now on."""
    return f'<nop><action><exec rtp_stream="{path},-1,0,PCMU/8000"/></action></nop>'


def sdp(direction: str, port: str, version: int = 1) -> str:
    """Body of an offer or answer: one G.711 stream; `version` grows within a call."""
    return "\n".join(
        [
            "Content-Type: application/sdp",
            "Content-Length: [len]",
            "",
            "v=0",
            f"o=phone 1 {version} IN IP[local_ip_type] [local_ip]",
            "s=-",
            "c=IN IP[media_ip_type] [media_ip]",
            "t=0 0",
            f"m=audio {port} RTP/AVP 0",
            "a=rtpmap:0 PCMU/8000",
            f"a={direction}",
        ]
    )


def dtmf(digit: str) -> str:
    """Body of an INFO that presses a key."""
    return "\n".join(
        [
            "Content-Type: application/dtmf-relay",
            "Content-Length: [len]",
            "",
            f"Signal={digit}",
            "Duration=160",
        ]
    )


def send(lines: list[str], body: str = "", *, retrans: bool = True) -> str:
    """Send a message of these header lines; `retrans`: again until answered."""
    text = "\n".join([*lines, body or "Content-Length: 0\n"])
    again = ' retrans="500"' if retrans else ""
    return f"<send{again}><![CDATA[\n{text}\n]]></send>"


def _where(goto: int | None, timeout: tuple[float, int] | None) -> str:
    after = "" if goto is None else f' next="{goto}"'
    late = "" if timeout is None else f' timeout="{round(timeout[0] * 1000)}" ontimeout="{timeout[1]}"'
    return after + late


def _actions(actions: Iterable[str]) -> str:
    inner = "".join(actions)
    return f"<action>{inner}</action>" if inner else ""
