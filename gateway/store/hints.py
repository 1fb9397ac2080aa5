"""Who wants to know of commits, and calling them."""

import logging
from collections.abc import Callable

log = logging.getLogger(__name__)


class Hints:
    """The callbacks of one store; used from its event loop only."""

    def __init__(self) -> None:
        self._callbacks: list[Callable[[], None]] = []

    def add(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Register; the returned function takes it away again."""
        self._callbacks.append(callback)

        def remove() -> None:
            if callback in self._callbacks:
                self._callbacks.remove(callback)

        return remove

    def fire(self) -> None:
        """Call everybody; one that raises is logged and the others go on."""
        for callback in tuple(self._callbacks):
            try:
                callback()
            except Exception:
                log.exception("on_commit callback failed", extra={"action": "hint_failed"})
