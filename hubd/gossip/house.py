"""What one link to one peer needs of the hub it belongs to, and what its parts need of the link."""

from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Protocol

from hubd.action.principal import Principal
from hubd.errors import RemoteError
from hubd.gossip import wire
from hubd.gossip.dialogue import Rung
from hubd.gossip.errands import Errands
from hubd.gossip.peer import InEvent, Side
from hubd.ports import ActionStore, Intake


class House(Protocol):
    """What a channel needs of the link it belongs to."""

    store: ActionStore
    intake: Intake

    def first_rung(self, peer: Principal) -> Rung:
        """Where a session with this peer starts, after how the last one ended."""

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run beside; a failure is the whole link's. May drop it if the link is ending."""

    def admits_session(self, hub: Principal) -> bool:
        """Whether this peer may begin one more session now."""

    def admits_word(self, hub: Principal) -> bool:
        """Whether this peer may say one more of the frames that no window bounds."""

    def rests(self, hub: Principal) -> bool:
        """Whether this peer's session is put off."""

    def takes_fill(self, hub: Principal, side: Side) -> bool:
        """Whether this peer, with which a session begins, may bring us many actions now."""

    async def sleep(self, seconds: float) -> None:
        """Let so much time pass."""

    def report(self, event: InEvent) -> None:
        """Tell the peers machine, and do what it says."""

    def now(self) -> float:
        """Seconds that never go back."""


@dataclass(slots=True)
class Traffic:
    """What passed over a link: bytes of frames, and outcomes by code."""

    bytes_in: int = 0
    bytes_out: int = 0
    counters: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Traffic") -> None:
        """This passed, too."""
        self.bytes_in += other.bytes_in
        self.bytes_out += other.bytes_out
        self.counters.update(other.counters)


class Line(Protocol):
    """One link, as its parts see it: what is said over it, and work that takes time and runs beside."""

    house: House
    side: Side
    peer: Principal
    errands: Errands
    traffic: Traffic
    is_closed: bool

    def send(self, frame: wire.Frame) -> None:
        """Send one frame, or find the link lost."""

    def run(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do it, unless the link is closed by then. Where it ends with a fault of the card, the session is put off."""

    def blame(self, error: RemoteError) -> None:
        """The peer broke the protocol."""
