"""The AMI actions that Perezvon sends, each with checked values.

A value is one line: with CR or LF in it the rest would become a header or a whole action of its own.
"""

from gateway.domain.errors import Invalid

Action = dict[str, str]
"""Headers of one action; the ActionID is added when it is sent."""

LIST_ITEMS = frozenset(
    {
        "CoreShowChannel",
        "CoreShowChannelsComplete",
        "QueueEntry",
        "QueueMember",
        "QueueParams",
        "QueueStatusComplete",
        "Status",
        "StatusComplete",
    }
)
"""Events that only ever answer one of these actions."""


def ami_value(value: str, field: str = "value") -> str:
    """`value` itself; raises Invalid for `field` when a control character is in it."""
    if any(char < " " or "\x7f" <= char <= "\x9f" or "\ud800" <= char <= "\udfff" for char in value):
        raise Invalid.one(field, "control characters, such as line breaks, cannot be sent to a PBX")
    return value


def ping() -> Action:
    """Answered with the PBX's clock since Asterisk 1.6."""
    return {"Action": "Ping"}


def core_show_channels() -> Action:
    """A list of the live channels; needs write class system or reporting."""
    return {"Action": "CoreShowChannels"}


def status(channel: str) -> Action:
    """The state of one channel, by name or Uniqueid; an error when it is gone.

    Needs write class system, call or reporting. The PBX looks for a Uniqueid when no channel has that name
    (main/channel.c, ast_channel_get_by_name).
    """
    return {"Action": "Status", "Channel": ami_value(channel, "channel")}


def queue_status() -> Action:
    """Queues, their members and who waits in them; allowed to everybody."""
    return {"Action": "QueueStatus"}


def core_settings() -> Action:
    """Versions and limits of the PBX; needs write class system or reporting."""
    return {"Action": "CoreSettings"}


def configured(file: str, section: str, key: str) -> Action:
    """A value of one of the PBX's files of configuration; needs write class call or reporting.

    Source: docs.asterisk.org, dialplan function AST_CONFIG.
    """
    name = f"AST_CONFIG({file},{section},{key})"
    return {"Action": "Getvar", "Variable": ami_value(name, "variable")}
