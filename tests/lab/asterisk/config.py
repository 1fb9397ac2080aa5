"""Configuration of one lab PBX, generated into a throw-away folder: who is on it and what it listens to.

Operators 101-110 are PJSIP endpoints whose phones are SIPp processes on loopback ports; the outside world is
another loopback address, known to the PBX as the endpoint `trunk` by its source address alone.
"""

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab.asterisk import texts
from tests.lab.asterisk.chroot import MOUNTS
from tests.lab.asterisk.dialplan import EXTENSIONS, QUEUES

INSIDE = "127.0.0.1"
"""Address of the PBX and of the operators' phones."""
OUTSIDE = "127.0.0.2"
"""Address of the outside world; whatever comes from it is the trunk."""
OPERATORS = tuple(str(number) for number in range(101, 111))


@dataclass(frozen=True, slots=True)
class AmiUser:
    """A manager account: its classes are Asterisk's (manager.conf, `read` and `write`)."""

    name: str
    secret: str
    read: str
    write: str
    hides: str = ""
    """An event that this user is not sent (`eventfilter`)."""


READ = ("system", "call", "agent", "dialplan")
NARROW = AmiUser("perezvon", "narrow-secret", ",".join(READ), "reporting", hides="CEL")
"""What the product needs and no more."""
RECORDER = AmiUser(
    "recorder", "recorder-secret", "call,agent,system", "call,originate,system,agent,reporting", hides="CEL"
)
"""Hears what streams are recorded with: without the dialplan's steps, which are most of what is left."""
FULL = AmiUser("full", "full-secret", "all", "all")
POOR = AmiUser("poor", "poor-secret", "agent", "")
"""Sees queues alone and may do nothing: for the tests of missing rights."""
LACKING = {
    name: AmiUser(f"no-{name}", "lacking-secret", ",".join(c for c in READ if c != name), "reporting")
    for name in READ
} | {"reporting": AmiUser("no-reporting", "lacking-secret", ",".join(READ), "")}
"""Users who have all that the product needs but that one class."""
USERS = (NARROW, RECORDER, FULL, POOR, *LACKING.values())


@dataclass(frozen=True, slots=True)
class Ports:
    """Loopback ports of one PBX and of the phones round it."""

    sip: int
    ami: int
    ami_tls: int
    """Where a test lets the PBX speak AMI over TLS."""
    trunk: int
    phones: Mapping[str, int] = field(default_factory=dict)


def free_ports() -> Ports:
    """Ports that nobody uses now; held open together while they are chosen, so that they differ."""
    held: list[socket.socket] = []

    def port(kind: socket.SocketKind, address: str) -> int:
        sock = socket.socket(socket.AF_INET, kind)
        sock.bind((address, 0))
        held.append(sock)
        return int(sock.getsockname()[1])

    try:
        return Ports(
            sip=port(socket.SOCK_DGRAM, INSIDE),
            ami=port(socket.SOCK_STREAM, INSIDE),
            ami_tls=port(socket.SOCK_STREAM, INSIDE),
            trunk=port(socket.SOCK_DGRAM, OUTSIDE),
            phones={operator: port(socket.SOCK_DGRAM, INSIDE) for operator in OPERATORS},
        )
    finally:
        for sock in held:
            sock.close()


def write(run_dir: Path, ports: Ports, own: Mapping[str, str] | None = None) -> None:
    """Write every file that the PBX reads, and make the folders it writes to, under `run_dir`.

    Files of `own` take the place of the lab's, with `{ami}` and `{ami_tls}` for the ports.
    """
    for name in MOUNTS:
        (run_dir / name).mkdir(parents=True, exist_ok=True)
    for name in ("spool/monitor", "spool/voicemail", "spool/tmp", "log/cdr-csv", "log/cel-custom"):
        (run_dir / name).mkdir(parents=True, exist_ok=True)
    boxes = "".join(f"{operator} => 1234,Operator {operator}\n" for operator in OPERATORS)
    loads = "".join(f"load = {name}.so\n" for name in texts.MODULES.split())
    files = {
        "asterisk.conf": texts.ASTERISK,
        "modules.conf": f"[modules]\nautoload = no\n{loads}",
        "logger.conf": "[general]\n[logfiles]\nfull.log => notice,warning,error,verbose\n",
        "manager.conf": MANAGER,
        "lab_users.conf": "".join(_section(user) for user in USERS if user is not NARROW),
        "pjsip.conf": _pjsip(ports),
        "rtp.conf": "[general]\nrtpstart = 20000\nrtpend = 29999\nstrictrtp = no\n",
        "extensions.conf": EXTENSIONS,
        "queues.conf": QUEUES,
        "features.conf": texts.FEATURES,
        "res_parking.conf": texts.PARKING,
        "voicemail.conf": texts.VOICEMAIL + boxes,
        "musiconhold.conf": "[default]\nmode = files\ndirectory = /usr/share/asterisk/moh\n",
        "cdr.conf": texts.CDR,
        **dict.fromkeys(("acl.conf", "pjproject.conf"), ""),
        **dict.fromkeys(("ccss.conf", "udptl.conf"), "[general]\n"),
        "cdr_manager.conf": "[general]\nenabled = yes\n[mappings]\nlinkedid => LinkedID\n",
        "cel.conf": texts.CEL,
        "cel_custom.conf": "[mappings]\nMaster.csv => " + texts.CEL_COLUMNS + "\n",
        "indications.conf": texts.INDICATIONS,
        **(own or {}),
    }
    for name, text in files.items():
        text = text.replace("{ami}", str(ports.ami)).replace("{ami_tls}", str(ports.ami_tls))
        (run_dir / "etc" / name).write_text(text)


def _section(user: AmiUser) -> str:
    hides = f"eventfilter = !Event: {user.hides}\n" if user.hides else ""
    return f"[{user.name}]\nsecret = {user.secret}\nread = {user.read}\nwrite = {user.write}\n{hides}"


MANAGER = (
    f"[general]\nenabled = yes\nbindaddr = {INSIDE}\nport = {{ami}}\n"
    f"timestampevents = yes\nwebenabled = no\n{_section(NARROW)}#include lab_users.conf\n"
)


def _pjsip(ports: Ports) -> str:
    endpoints = [_endpoint("trunk", "from-trunk", f"sip:{OUTSIDE}:{ports.trunk}", TRUNK_OPTIONS)]
    endpoints += [
        _endpoint(name, "from-internal", f"sip:{name}@{INSIDE}:{port}", PHONE_OPTIONS.format(name=name))
        for name, port in ports.phones.items()
    ]
    return (
        "[global]\ntype = global\nendpoint_identifier_order = ip,username\nuser_agent = PBX\n"
        "[system]\ntype = system\ntimer_t1 = 100\ntimer_b = 6400\n"
        f"[udp]\ntype = transport\nprotocol = udp\nbind = {INSIDE}:{ports.sip}\n"
        f"[trunk]\ntype = identify\nendpoint = trunk\nmatch = {OUTSIDE}\n" + "".join(endpoints)
    )


def _endpoint(name: str, context: str, contact: str, options: str) -> str:
    return (
        f"[{name}]\ntype = aor\ncontact = {contact}\nqualify_frequency = 0\n"
        f"[{name}]\ntype = endpoint\naors = {name}\ntransport = udp\ncontext = {context}\n"
        "disallow = all\nallow = ulaw,alaw\ndirect_media = no\ntimers = no\nsend_connected_line = no\n"
        f"{options}"
    )


PHONE_OPTIONS = (
    'callerid = "Operator {name}" <{name}>\ndtmf_mode = info\nallow_transfer = yes\n'
    "call_group = 1\npickup_group = 1\ndevice_state_busy_at = 1\nmailboxes = {name}@default\n"
)
TRUNK_OPTIONS = "dtmf_mode = info\nallow_transfer = no\ntrust_id_inbound = yes\n"
