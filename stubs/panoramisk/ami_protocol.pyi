import asyncio

from panoramisk.actions import Action
from panoramisk.manager import Manager

class AMIProtocol(asyncio.Protocol):
    transport: asyncio.Transport
    closed: bool
    factory: Manager | None
    responses: dict[str, Action]
    def close(self) -> None: ...
