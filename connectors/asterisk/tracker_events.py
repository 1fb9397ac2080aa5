"""Which AMI events the tracker listens to: everything else may be dropped before it is parsed.

Source: docs.asterisk.org, "Asterisk 22 AMI events". NewCallerid, NewConnectedLine, BridgeCreate, LocalBridge
and LocalOptimization* are left out on purpose: they repeat what other events and channel names already say.
"""

from collections.abc import Mapping

EVENTS = frozenset(
    {
        "Newchannel", "Newstate", "Rename", "Hangup", "HangupRequest", "SoftHangupRequest",
        "DialBegin", "DialState", "DialEnd",
        "BridgeEnter", "BridgeLeave", "BridgeDestroy",
        "BlindTransfer", "AttendedTransfer", "Pickup",
        "ParkedCall", "UnParkedCall", "ParkedCallGiveUp", "ParkedCallTimeOut",
        "Hold", "Unhold",
        "QueueCallerJoin", "QueueCallerLeave", "QueueCallerAbandon", "AgentComplete",
        "VarSet", "Newexten",
    }
)  # fmt: skip

NEEDED: Mapping[str, tuple[str, ...]] = {
    "VarSet": ("Variable: MIXMONITOR_FILENAME",),
    "Newexten": ("Application: VoiceMail", "Application: MinivmRecord"),
}
"""These events matter only with one of these lines in them; the others of the kind are noise."""
