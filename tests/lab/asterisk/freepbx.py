"""A dialplan in the shape in which FreePBX generates it: what differs there is the way, not the phones.

Calls pass through `from-pstn`, `ext-did`, `ext-local` and routines that bear the names of macros; a queue
rings its members by `Local/101@from-queue/n`, which stays in the path of the talk, and learns whether they
are free from a hint. Source: FreePBX 17, extensions_additional.conf and queues_additional.conf as written.
"""

CITY = "7495200"
"""What every DID of this part begins with."""


def did(short: str) -> str:
    """The outside number of an extension, queue or ring group: `did("450")` is 74952000450."""
    return f"{CITY}0{short}"


EXTENSIONS = f"""\
[from-pstn]
include => ext-did

[ext-did]
exten => _{CITY}XXXX,1,Set(__FROM_DID=${{EXTEN}})
 same => n,Set(CDR(did)=${{FROM_DID}})
 same => n,Set(__CALLINGNAMEPRES_SV=${{CALLERID(name-pres)}})
 same => n,Goto(dest-${{EXTEN:-3:1}},${{EXTEN:-3}},1)

[dest-1]
exten => _1XX,1,Goto(from-did-direct,${{EXTEN}},1)
[dest-4]
exten => _4XX,1,Goto(ext-queues,${{EXTEN}},1)
[dest-6]
exten => _6XX,1,Goto(ext-group,${{EXTEN}},1)

[from-did-direct]
include => ext-local

[ext-local]
exten => _1XX,1,Set(__RINGTIMER=15)
 same => n,Gosub(macro-exten-vm,s,1(${{EXTEN}},${{EXTEN}}))
 same => n,Hangup()
exten => 101,hint,PJSIP/101
exten => 102,hint,PJSIP/102
exten => 103,hint,PJSIP/103

[macro-exten-vm]
exten => s,1,Gosub(macro-user-callerid,s,1())
 same => n,Gosub(sub-record-check,s,1(exten,${{ARG2}}))
 same => n,Gosub(macro-dial-one,s,1(${{RINGTIMER}},tTr,${{ARG2}}))
 same => n,GotoIf($["${{DIALSTATUS}}" = "BUSY"]?busy)
 same => n,Hangup(19)
 same => n(busy),Hangup(17)

[macro-user-callerid]
exten => s,1,Set(AMPUSER=${{CALLERID(num)}})
 same => n,Set(CHANNEL(language)=en)
 same => n,Return()

[sub-record-check]
exten => s,1,Set(__MON_FMT=wav)
 same => n,MixMonitor(${{ARG1}}-${{ARG2}}-${{UNIQUEID}}.wav,b)
 same => n,Return()

[macro-dial-one]
exten => s,1,Set(DSTRING=PJSIP/${{ARG3}})
 same => n,Dial(${{DSTRING}},${{ARG1}},${{ARG2}}b(func-apply-sipheaders^s^1))
 same => n,Return()

[func-apply-sipheaders]
exten => s,1,NoOp()
 same => n,Return()

[ext-queues]
exten => _4XX,1,Gosub(macro-user-callerid,s,1())
 same => n,Answer()
 same => n,Gosub(sub-record-check,s,1(q,${{EXTEN}}))
 same => n,Set(__NODEST=${{EXTEN}})
 same => n,Set(QUEUENUM=${{EXTEN}})
 same => n,Queue(${{EXTEN}},tr,,,60)
 same => n,Hangup()

[from-queue]
exten => _1XX,1,Set(QAGENT=${{EXTEN}})
 same => n,Goto(from-queue-exten-only,${{EXTEN}},1)

[from-queue-exten-only]
exten => _1XX,1,Set(__RINGTIMER=15)
 same => n,Gosub(macro-user-callerid,s,1())
 same => n,Gosub(macro-dial-one,s,1(${{RINGTIMER}},tTr,${{EXTEN}}))
 same => n,Hangup()

[ext-group]
exten => _6XX,1,Gosub(macro-user-callerid,s,1())
 same => n,Set(__RINGGROUP=${{EXTEN}})
 same => n,Gosub(macro-dial,s,1(15,tTr))
 same => n,Hangup(19)

[macro-dial]
exten => s,1,Dial(Local/101@from-internal-xfer/n&Local/102@from-internal-xfer/n,${{ARG1}},${{ARG2}})
 same => n,Return()

[from-internal-xfer]
exten => _1XX,1,Gosub(macro-dial-one,s,1(15,tTr,${{EXTEN}}))
 same => n,Hangup()

[outbound-allroutes]
exten => _9X.,1,Gosub(macro-dialout-trunk,s,1(1,${{EXTEN:1}}))
 same => n,Hangup(21)

[macro-dialout-trunk]
exten => s,1,Set(OUTNUM=${{ARG2}})
 same => n,Set(CALLERID(num)=74952000100)
 same => n,Gosub(sub-record-check,s,1(out,${{OUTNUM}}))
 same => n,Dial(PJSIP/${{OUTNUM}}@trunk,30,T)
 same => n,Return()
"""

QUEUES = """\
; as FreePBX writes it: members behind Local channels that stay, their state by hint
[450](office)
strategy = ringall
member => Local/101@from-queue/n,0,Operator 101,hint:101@ext-local
member => Local/102@from-queue/n,0,Operator 102,hint:102@ext-local
member => Local/103@from-queue/n,5,Operator 103,hint:103@ext-local
"""
