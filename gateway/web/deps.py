"""What the web part is given by the composition root."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from config.settings import Settings
from gateway.domain.connecting import Face
from gateway.domain.contacts import Dispatch
from gateway.domain.ports import LinkState, Sender
from gateway.store.contract import Store
from routing.broadcast import offer_to_all

if TYPE_CHECKING:
    from gateway.web.hub import DeskHub


@dataclass(frozen=True, slots=True)
class PartState:
    """How one supervised part (a connector, a loop) stands, for /readyz."""

    name: str
    state: LinkState
    since: datetime
    detail: str = ""
    remedy: str = ""


def _no_parts() -> Sequence[PartState]:
    return ()


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class WebDeps:
    """Everything the handlers work with. `public_url` is scheme, host and port as browsers see them."""

    store: Store
    hub: "DeskHub"
    settings: Settings
    public_url: str
    connectors: Callable[[], Sequence[PartState]] = field(default=_no_parts)
    """How each connector stands now; must neither block nor raise."""
    draining: Callable[[], bool] = field(default=_never)
    """Whether the service is about to stop."""
    faces: Sequence[Face] = ()
    """Addresses of the connectors."""
    senders: Mapping[str, Sender] = field(default_factory=dict)
    """Connector → its outgoing side."""
    dispatch: Dispatch = offer_to_all
    """Who is offered a contact that waits."""

    @property
    def secure(self) -> bool:
        """Whether browsers come by TLS."""
        return self.public_url.startswith("https:")
