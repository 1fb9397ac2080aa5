"""Attended transfer as desk phones do it: REFER with Replaces, written from what two SIPp processes said.

A SIPp scenario knows its own dialog only, so the REFER is sent by a third process that speaks in the dialog
of the first; what follows it (NOTIFY) goes to the first phone, which answers by itself.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from tests.lab.asterisk import sipp_xml as xml
from tests.lab.asterisk.config import INSIDE


@dataclass(frozen=True, slots=True)
class Spoken:
    """A call as a phone knows it: From and To of its own side and of the PBX, tags included."""

    call_id: str
    ours: str
    theirs: str
    target: str
    contact: str

    @property
    def replaces(self) -> str:
        """Value of the Replaces header that names this call, as seen by the PBX (RFC 3891, 3)."""
        return f"{self.call_id};to-tag={_tag(self.theirs)};from-tag={_tag(self.ours)}"


def dialog_of(messages: Path) -> Spoken:
    """The call in a phone's SIPp message log: answered, or (RFC 3261, 12.1) ringing at the other side.

    Raises ValueError when it is neither.
    """
    text = messages.read_text(errors="replace").replace("\r\n", "\n")
    pieces = re.split(r"UDP message (sent|received) [^\n]*\n\n", text)[1:]
    said = list(zip(pieces[::2], pieces[1::2], strict=True))
    contact = next(_contact(message) for way, message in said if way == "sent")
    for direction, message in said:
        if message.startswith(("SIP/2.0 200", "SIP/2.0 180")) and re.search(
            r"^CSeq: *\d+ INVITE", message, re.M
        ):
            caller, callee = _header(message, "From"), _header(message, "To")
            if direction == "received":
                return Spoken(_header(message, "Call-ID"), caller, callee, _contact(message), contact)
            invite = next(m for way, m in said if way == "received" and m.startswith("INVITE "))
            return Spoken(_header(message, "Call-ID"), callee, caller, _contact(invite), contact)
    raise ValueError("the call neither rang nor was answered")


def transfer(customer: Spoken, colleague: Spoken) -> str:
    """The scenario that joins the customer's call with the colleague's."""
    uri = re.search(r"<(sip:[^@>]*)@", colleague.theirs)
    user = uri.group(1) if uri else "sip:transfer"
    refer_to = f"<{user}@{INSIDE}?Replaces={quote(colleague.replaces, safe='')}>"
    dialog = xml.Dialog(customer.ours, customer.theirs, customer.target)
    headers = f"Refer-To: {refer_to}\nReferred-By: <sip:phone@{INSIDE}>"
    # The first phone's own address: what the PBX sends later belongs there.
    contact = f"<{customer.contact}>"
    refer = xml.request("REFER", dialog, 50, headers=headers, contact=contact)
    return xml.document([refer, xml.response(202)], variables=False)


def _header(message: str, name: str) -> str:
    found = re.search(rf"^{name}: *(.*)$", message, re.M)
    if found is None:
        raise ValueError(f"no {name} in the answer")
    return found.group(1).strip()


def _tag(address: str) -> str:
    return address.partition(";tag=")[2]


def _contact(message: str) -> str:
    return _header(message, "Contact").partition("<")[2].partition(">")[0]
