"""Configuration of one lab PBX, generated into a throw-away folder: who is on it and what it listens to.

Operators 101-110 are PJSIP endpoints whose phones are SIPp processes on loopback ports; the outside world is
another loopback address, known to the PBX as the endpoint `trunk` by its source address alone.
"""

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

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


NARROW = AmiUser(
    "perezvon", "narrow-secret", "call,agent,system", "call,originate,system,agent,reporting", hides="CEL"
)
"""What the product needs and no more: 80 % of the full stream is CEL, VarSet, Newexten and TestEvent."""
FULL = AmiUser("full", "full-secret", "all", "all")
POOR = AmiUser("poor", "poor-secret", "agent", "")
"""Sees queues alone and may do nothing: for the tests of missing rights."""
USERS = (NARROW, FULL, POOR)


@dataclass(frozen=True, slots=True)
class Ports:
    """Loopback ports of one PBX and of the phones round it."""

    sip: int
    ami: int
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
            trunk=port(socket.SOCK_DGRAM, OUTSIDE),
            phones={operator: port(socket.SOCK_DGRAM, INSIDE) for operator in OPERATORS},
        )
    finally:
        for sock in held:
            sock.close()


def write(run_dir: Path, ports: Ports) -> None:
    """Write every file that the PBX reads, and make the folders it writes to, under `run_dir`."""
    for name in MOUNTS:
        (run_dir / name).mkdir(parents=True, exist_ok=True)
    for name in ("spool/monitor", "spool/voicemail", "spool/tmp", "log/cdr-csv", "log/cel-custom"):
        (run_dir / name).mkdir(parents=True, exist_ok=True)
    loads = "".join(f"load = {name}.so\n" for name in MODULES.split())
    files = {
        "asterisk.conf": ASTERISK,
        "modules.conf": "[modules]\nautoload = no\n"
        + "".join(f"load = {name}.so\n" for name in MODULES.split()),
        "logger.conf": "[general]\n[logfiles]\nfull.log => notice,warning,error,verbose\n",
        "manager.conf": _manager(ports),
        "pjsip.conf": _pjsip(ports),
        "rtp.conf": "[general]\nrtpstart = 20000\nrtpend = 29999\nstrictrtp = no\n",
        "extensions.conf": EXTENSIONS,
        "queues.conf": QUEUES,
        "features.conf": FEATURES,
        "res_parking.conf": PARKING,
        "voicemail.conf": VOICEMAIL,
        "musiconhold.conf": "[default]\nmode = files\ndirectory = /usr/share/asterisk/moh\n",
        "cdr.conf": "[general]\nenable = yes\nunanswered = yes\n[csv]\nusegmtime = yes\nloguniqueid = yes\n",
        **dict.fromkeys(("acl.conf", "pjproject.conf"), ""),
        **dict.fromkeys(("ccss.conf", "udptl.conf"), "[general]\n"),
        "cdr_manager.conf": "[general]\nenabled = yes\n[mappings]\nlinkedid => LinkedID\n",
        "cel.conf": CEL,
        "cel_custom.conf": "[mappings]\nMaster.csv => " + CEL_COLUMNS + "\n",
        "indications.conf": "[general]\ncountry = ru\n[ru]\ndescription = Russia\nringcadence = 1000,4000\n"
        "dial = 425\nbusy = 425/350,0/350\nring = 425/1000,0/4000\ncongestion = 425/175,0/175\n",
    }
    for name, text in files.items():
        (run_dir / "etc" / name).write_text(text)


def _manager(ports: Ports) -> str:
    users = "".join(
        f"[{user.name}]\nsecret = {user.secret}\nread = {user.read}\nwrite = {user.write}\n"
        + (f"eventfilter = !Event: {user.hides}\n" if user.hides else "")
        for user in USERS
    )
    return (
        f"[general]\nenabled = yes\nbindaddr = {INSIDE}\nport = {ports.ami}\n"
        f"timestampevents = yes\nwebenabled = no\n{users}"
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

ASTERISK = """\
[directories]
astetcdir => /etc/asterisk
astmoddir => /usr/lib/x86_64-linux-gnu/asterisk/modules
astvarlibdir => /var/lib/asterisk
astdbdir => /var/lib/asterisk
astkeydir => /var/lib/asterisk
astdatadir => /usr/share/asterisk
astagidir => /usr/share/asterisk/agi-bin
astspooldir => /var/spool/asterisk
astrundir => /run/asterisk
astlogdir => /var/log/asterisk
[options]
verbose = 3
timestamp = yes
maxload = 0
documentation_language = en_US
"""

FEATURES = """\
[general]
transferdigittimeout = 3
featuredigittimeout = 1500
pickupexten = *8
[featuremap]
blindxfer => #1
atxfer => *2
disconnect => *0
"""

PARKING = """\
[general]
[default]
parkext => 700
parkpos => 701-710
context => parkedcalls
parkingtime => 30
findslot => next
comebacktoorigin = yes
"""

VOICEMAIL = """\
[general]
format = wav
minsecs = 1
maxsilence = 0
maxsecs = 20
attach = no
[default]
""" + "".join(f"{operator} => 1234,Operator {operator}\n" for operator in OPERATORS)

CEL = """\
[general]
enable = yes
apps = dial,queue,park
events = ALL
[manager]
enabled = yes
"""

CEL_COLUMNS = ",".join(
    f"${{CSV_QUOTE({name})}}"
    for name in (
        "${eventtype}", "${eventtime}", "${CALLERID(name)}", "${CALLERID(num)}", "${CHANNEL(exten)}",
        "${CHANNEL(context)}", "${CHANNEL(channame)}", "${CHANNEL(appname)}", "${CHANNEL(uniqueid)}",
        "${CHANNEL(linkedid)}", "${BRIDGEPEER}", "${eventextra}",
    )
)  # fmt: skip

MODULES = """
res_timing_timerfd res_pjproject res_sorcery_config res_sorcery_memory res_sorcery_astdb res_rtp_asterisk
res_speech res_cdrel_custom
res_musiconhold res_parking res_agi res_manager_devicestate res_stasis res_smdi
res_pjsip res_pjsip_acl res_pjsip_caller_id res_pjsip_diversion res_pjsip_dtmf_info res_pjsip_session
res_pjsip_sdp_rtp res_pjsip_nat res_pjsip_refer res_pjsip_rfc3326 res_pjsip_header_funcs res_pjsip_logger
res_pjsip_pubsub res_pjsip_endpoint_identifier_ip res_pjsip_endpoint_identifier_user
chan_pjsip bridge_simple bridge_native_rtp bridge_softmix bridge_holding bridge_builtin_features
bridge_builtin_interval_features codec_ulaw codec_alaw codec_a_mu codec_resample format_wav format_pcm
format_sln pbx_config app_dial app_queue app_voicemail app_mixmonitor app_playback app_read app_stack app_verbose
app_exec app_bridgewait app_directed_pickup app_chanspy app_originate app_userevent app_softhangup app_transfer app_cdr
app_echo app_waituntil func_callerid func_channel func_strings func_logic func_cdr func_global
func_timeout func_db func_dialgroup func_hangupcause func_pjsip_endpoint func_uri func_devstate
cdr_csv cdr_manager cel_custom cel_manager
"""
