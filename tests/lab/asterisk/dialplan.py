"""Dialplan and queues of the lab PBX: a plain office, one number (DID) per story.

`7495100010x` rings operator 10x, `74951000400` and its neighbours enter queues, `74951000300` is the menu.
Numbers of another city lead into the same phones by a dialplan as FreePBX generates it.
"""

from tests.lab.asterisk import freepbx

CITY = "7495100"
"""What every DID begins with; the last four digits name the place: 0101 operator 101, 0400 queue 400."""


def did(short: str) -> str:
    """The outside number of an extension, a queue or the menu: `did("101")` is 74951000101."""
    return f"{CITY}0{short}"


RING_S = 20
"""How long an operator's phone rings on a direct call before the PBX gives up, in seconds."""
SHORT_RING_S = 4
"""The same on the numbers that end in 9xx, whose stories are about nobody answering."""

UPLOAD = "PEREZVON_UPLOAD_CONF=/etc/asterisk/upload.conf /etc/asterisk/perezvon-upload"
"""How the script is run; whoever wants it puts it there."""

EXTENSIONS = f"""\
[general]
static = yes
writeprotect = yes
clearglobalvars = no

[from-trunk]
; direct numbers
exten => _{CITY}01XX,1,NoOp(direct)
 same => n,MixMonitor(${{UNIQUEID}}.wav,b)
 same => n,Dial(PJSIP/${{EXTEN:-3}},{RING_S},tTkK)
 same => n,Goto(gave-up,${{DIALSTATUS}},1)
; recorded and sent elsewhere by the script, as its page tells
exten => _{CITY}08XX,1,MixMonitor(${{UNIQUEID}}.wav,b,{UPLOAD} ^{{MIXMONITOR_FILENAME}} ^{{UNIQUEID}})
 same => n,Dial(PJSIP/1${{EXTEN:-2}},{RING_S},tTkK)
 same => n,Hangup()
; the same with a short ring: nobody answers
exten => _{CITY}09XX,1,Dial(PJSIP/1${{EXTEN:-2}},{SHORT_RING_S},tTkK)
 same => n,Goto(gave-up,${{DIALSTATUS}},1)
; and with a voicemail box behind it
exten => _{CITY}06XX,1,Dial(PJSIP/1${{EXTEN:-2}},{SHORT_RING_S},tTkK)
 same => n,VoiceMail(1${{EXTEN:-2}}@default,s)
 same => n,Hangup()
; queues
exten => _{CITY}04XX,1,Answer()
 same => n,MixMonitor(${{UNIQUEID}}.wav,b)
 same => n,Queue(${{EXTEN:-3}},tTkK,,,60)
 same => n,Hangup()
; a queue that gives up after a while and rings 105
exten => {did("490")},1,Answer()
 same => n,Queue(400,tTkK,,,6)
 same => n,Dial(PJSIP/105,{RING_S},tTkK)
 same => n,Hangup()
; the menu: 1 is the queue of three, 2 is operator 101
exten => {did("300")},1,Answer()
 same => n,Goto(menu,s,1)
; the other city
exten => _{freepbx.CITY}XXXX,1,Goto(from-pstn,${{EXTEN}},1)

[menu]
exten => s,1,BackGround(demo-congrats)
 same => n,WaitExten(10)
exten => 1,1,Queue(400,tTkK,,,60)
 same => n,Hangup()
exten => 2,1,Dial(PJSIP/101,{RING_S},tTkK)
 same => n,Hangup()
exten => t,1,Hangup()
exten => i,1,Hangup()

[gave-up]
exten => BUSY,1,Hangup(17)
exten => NOANSWER,1,Hangup(19)
exten => _[A-Z].,1,Hangup(21)

[from-internal]
include => parkedcalls
exten => _1XX,1,Dial(PJSIP/${{EXTEN}},{RING_S},tTkK)
 same => n,Goto(gave-up,${{DIALSTATUS}},1)
exten => _4XX,1,Queue(${{EXTEN}},tTkK,,,60)
 same => n,Hangup()
; *8101 takes the call that rings at 101
exten => _*8XXX,1,PickupChan(PJSIP/${{EXTEN:2}},p)
 same => n,Hangup()
exten => _7XXXXXXXXXX,1,Set(CALLERID(num)={did("100")})
 same => n,Set(CALLERID(name)=)
 same => n,MixMonitor(${{UNIQUEID}}.wav,b)
 same => n,Dial(PJSIP/${{EXTEN}}@trunk,30,TK)
 same => n,Goto(gave-up,${{DIALSTATUS}},1)

exten => _9X.,1,Goto(outbound-allroutes,${{EXTEN}},1)

[agents]
exten => _1XX,1,Dial(PJSIP/${{EXTEN}},{RING_S})
 same => n,Hangup()

{freepbx.EXTENSIONS}"""

QUEUES = f"""\
[general]
persistentmembers = no
autofill = yes
log_membername_as_agent = no

[office](!)
musicclass = default
timeout = 15
retry = 1
wrapuptime = 0
joinempty = yes
leavewhenempty = no
ringinuse = no
reportholdtime = no
setinterfacevar = yes
setqueuevar = yes

; all three phones at once
[400](office)
strategy = ringall
member => PJSIP/101,0,101,PJSIP/101
member => PJSIP/102,0,102,PJSIP/102
member => PJSIP/103,0,103,PJSIP/103

; one after another
[401](office)
strategy = linear
timeout = 4
member => PJSIP/101,0,101,PJSIP/101
member => PJSIP/102,0,102,PJSIP/102
member => PJSIP/103,0,103,PJSIP/103

; members behind Local channels, as FreePBX makes them
[402](office)
strategy = ringall
member => Local/101@agents,0,101,PJSIP/101
member => Local/102@agents,0,102,PJSIP/102

[403](office)
strategy = rrmemory
timeout = 4
member => PJSIP/104,0,104,PJSIP/104
member => PJSIP/105,0,105,PJSIP/105

{freepbx.QUEUES}"""
