from collections.abc import ItemsView, Mapping
from typing import Any

class Message:
    success: bool
    def __init__(self, headers: Mapping[str, Any], content: str = "") -> None: ...
    def items(self) -> ItemsView[str, Any]: ...
