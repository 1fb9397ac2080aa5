"""Tells systemd how the service stands (sd_notify(3)); does nothing where systemd did not ask."""

import asyncio
import logging
import os
import socket
from collections.abc import Mapping

log = logging.getLogger(__name__)

READY = "READY=1"
STOPPING = "STOPPING=1"
_WATCHDOG = "WATCHDOG=1"


def notify(state: str, env: Mapping[str, str] = os.environ) -> bool:
    """Send one datagram such as `READY` or "STATUS=..." to `$NOTIFY_SOCKET`; False where there is none.

    Never blocks and never raises: a deaf systemd must not stop the service.
    """
    address = env.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as datagram:
        datagram.setblocking(False)
        try:
            # "@" stands for the NUL that begins the name of an abstract socket.
            datagram.sendto(state.encode(), address.replace("@", "\0", 1) if address[0] == "@" else address)
        except OSError as error:
            log.warning("systemd could not be told %r: %s", state, error.strerror)
            return False
    return True


def watchdog_period(env: Mapping[str, str] = os.environ) -> float | None:
    """Seconds between signs of life: half of what systemd allows; None where it does not watch."""
    usec, pid = env.get("WATCHDOG_USEC", ""), env.get("WATCHDOG_PID", "")
    if not usec.isdigit() or int(usec) == 0 or (pid and pid != str(os.getpid())):
        return None
    return int(usec) / 2_000_000


async def keep_watchdog(env: Mapping[str, str] = os.environ) -> None:
    """Give signs of life for ever; returns at once where nobody watches.

    Runs on the event loop, so a loop that hangs gives none and systemd restarts the service.
    """
    period = watchdog_period(env)
    while period is not None:
        notify(_WATCHDOG, env)
        await asyncio.sleep(period)
