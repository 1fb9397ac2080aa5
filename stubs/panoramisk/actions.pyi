import asyncio
from collections.abc import Mapping
from typing import Any

from panoramisk.message import Message

class Action:
    action_id: str
    future: asyncio.Future[Message | list[Message]]
    responses: list[Message]
    def __init__(self, headers: Mapping[str, Any], *, as_list: bool | None = None) -> None: ...
    def __getitem__(self, key: str) -> Any: ...
    def add_message(self, message: Message) -> bool | None: ...
