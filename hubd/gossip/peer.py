"""One neighbour, and what can happen to it: the vocabulary of `hubd.gossip.peers`."""

from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from hashlib import sha256
from typing import TypeAlias

from hubd.action.principal import Principal
from hubd.action.sip018 import ActionId
from hubd.gossip.dialogue import Ended
from hubd.gossip.giving import Giving
from hubd.limits import LINK_WORDS_BURST_MAX, LINK_WORDS_PER_S_MAX, SESSIONS_BURST_MAX, SESSIONS_PER_S_MAX

KEY_TAG_BYTES = 8


def key_tag(curve_key: bytes) -> bytes:
    """By what a hub's mDNS record names its CURVE key: enough to find it among the admitted ones."""
    return sha256(curve_key).digest()[:KEY_TAG_BYTES]


class Side(Enum):
    """Who opened a link."""

    DIALLED = auto()  # we did
    ACCEPTED = auto()  # the peer did


@dataclass(frozen=True, slots=True)
class Member:
    """An admitted hub as the mesh's views know it. `addresses` are host:port."""

    hub: Principal
    curve_key: bytes
    addresses: tuple[str, ...] = ()
    name: str = ""


# --- in events


@dataclass(frozen=True, slots=True)
class MembersChanged:
    """All admitted hubs, ourselves included."""

    members: Collection[Member]


@dataclass(frozen=True, slots=True)
class AddressHeard:
    """mDNS tells where somebody who claims this key may be."""

    address: str
    key_tag: bytes


@dataclass(frozen=True, slots=True)
class LinkOpened:
    """A link is up, authenticated."""

    hub: Principal
    side: Side


@dataclass(frozen=True, slots=True)
class LinkLost:
    """A link is gone, or a dial failed; `reason` is a code."""

    hub: Principal
    side: Side
    reason: str


@dataclass(frozen=True, slots=True)
class Greeted:
    """The peer, who dialled us, wants to begin a session, and says how many actions it has."""

    hub: Principal
    count: int


@dataclass(frozen=True, slots=True)
class PeerCounted:
    """In a session that begins, the peer has so many actions more than we have."""

    hub: Principal
    side: Side
    ahead: int


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """A session with this peer is over."""

    hub: Principal
    side: Side
    ended: Ended


@dataclass(frozen=True, slots=True)
class SessionLeft:
    """A session with this peer has no end: its link is gone, or the peer began another one."""

    hub: Principal
    ended: Ended


@dataclass(frozen=True, slots=True)
class Appended:
    """These are new in our set; `source` is the peer they came from, if any."""

    ids: Sequence[ActionId]
    envelopes: Sequence[bytes]
    source: bytes = b""


@dataclass(frozen=True, slots=True)
class Gained:
    """Our set had these without their content, and has it now; `source` is the peer it came from, if any."""

    ids: Sequence[ActionId]
    source: bytes = b""


@dataclass(frozen=True, slots=True)
class PushTaken:
    """The peer has one push, sent over this link, on its disk."""

    hub: Principal
    side: Side


@dataclass(frozen=True, slots=True)
class PushJudged:
    """One push of the peer has been judged, and what was valid is on disk."""

    hub: Principal
    new: Sequence[ActionId]
    known: Sequence[ActionId]
    refused: int = 0


@dataclass(frozen=True, slots=True)
class HaveReceived:
    """The peer has these."""

    hub: Principal
    ids: Sequence[ActionId]


@dataclass(frozen=True, slots=True)
class AskReceived:
    """The peer wants these, and pushes."""

    hub: Principal
    ids: Sequence[ActionId]


@dataclass(frozen=True, slots=True)
class PruneReceived:
    """The peer wants announcements instead of pushes."""

    hub: Principal


@dataclass(frozen=True, slots=True)
class AskedLoaded:
    """The answer to `LoadAsked`; ids that are not here are left out."""

    hub: Principal
    envelopes: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class FoundKnown:
    """Of a `SendAsk`, these are in our set already and were not asked for."""

    hub: Principal
    ids: Sequence[ActionId]


@dataclass(frozen=True, slots=True)
class NudgeReceived:
    """The peer, whom we dialled, wants a session soon."""

    hub: Principal


@dataclass(frozen=True, slots=True)
class FaultSeen:
    """The peer broke the protocol."""

    hub: Principal
    code: str


@dataclass(frozen=True, slots=True)
class NetworkChanged:
    """This machine has other addresses than before."""


@dataclass(frozen=True, slots=True)
class TimerFired:
    """About a second has passed."""


InEvent: TypeAlias = (
    MembersChanged
    | AddressHeard
    | LinkOpened
    | LinkLost
    | Greeted
    | PeerCounted
    | SessionEnded
    | SessionLeft
    | Appended
    | Gained
    | PushTaken
    | PushJudged
    | HaveReceived
    | AskReceived
    | PruneReceived
    | AskedLoaded
    | FoundKnown
    | NudgeReceived
    | FaultSeen
    | NetworkChanged
    | TimerFired
)


# --- out events


@dataclass(frozen=True, slots=True)
class Dial:
    """Open a link to this member at this address."""

    member: Member
    address: str


@dataclass(frozen=True, slots=True)
class HangUp:
    """Cut this link. No `LinkLost` is expected for it."""

    hub: Principal
    side: Side


@dataclass(frozen=True, slots=True)
class BeginSession:
    """Start a session on the link that we dialled."""

    hub: Principal


@dataclass(frozen=True, slots=True)
class SendPush:
    """Push one chunk over this link."""

    hub: Principal
    side: Side
    envelopes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class SendHave:
    """Announce these over this link."""

    hub: Principal
    side: Side
    ids: tuple[ActionId, ...]


@dataclass(frozen=True, slots=True)
class SendHaveContent:
    """Announce over this link that the content of these is here now."""

    hub: Principal
    side: Side
    ids: tuple[ActionId, ...]


@dataclass(frozen=True, slots=True)
class SendAsk:
    """Ask over this link for those of these that are not in our set; answer `FoundKnown` for the others."""

    hub: Principal
    side: Side
    ids: tuple[ActionId, ...]


@dataclass(frozen=True, slots=True)
class SendPrune:
    """Ask the peer for announcements instead of pushes."""

    hub: Principal
    side: Side


@dataclass(frozen=True, slots=True)
class LoadAsked:
    """Get these, which the peer at this link asked for, from the store; answer `AskedLoaded`."""

    hub: Principal
    side: Side
    ids: tuple[ActionId, ...]


@dataclass(frozen=True, slots=True)
class SendNudge:
    """Ask the peer, who dialled us, for a session soon."""

    hub: Principal


OutEvent: TypeAlias = (
    Dial | HangUp | BeginSession | SendPush | SendHave | SendHaveContent | SendAsk | SendPrune | LoadAsked | SendNudge
)


class Budget:
    """So many at once, and so many a second in the long run."""

    def __init__(self, burst: float, per_s: float) -> None:
        self._burst = self._left = burst
        self._per_s = per_s
        self._at = 0.0  # when that was counted

    def take(self, now: float) -> bool:
        """Take one, if one is left."""
        self._left, self._at = min(self._burst, self._left + (now - self._at) * self._per_s), now
        if self._left < 1:
            return False
        self._left -= 1
        return True


@dataclass(slots=True)
class Peer:
    """What is remembered of one other hub. Read it for a status page; only the machine writes. Times are `now`s."""

    member: Member
    address: str = ""  # of the present or the last dial
    tried: set[str] = field(default_factory=set)  # in this round; when none is left, the next round waits
    is_dialling: bool = False
    links: set[Side] = field(default_factory=set)  # those that are up
    failures: int = 0  # in a row
    dial_at: float = 0.0
    session_at: float = 0.0
    is_in_session: bool = False
    is_surplus: bool = False  # our dialled link is the one to drop
    giving: Giving = field(default_factory=Giving)
    wants_session: bool = False  # a push was lost, and only the peer can begin one
    reason: str = ""  # of the last loss
    faults: deque[float] = field(default_factory=deque)
    sessions: Budget = field(default_factory=lambda: Budget(SESSIONS_BURST_MAX, SESSIONS_PER_S_MAX))  # that it begins
    words: Budget = field(default_factory=lambda: Budget(LINK_WORDS_BURST_MAX, LINK_WORDS_PER_S_MAX))
    refused: int = 0  # invalid actions pushed, since the last fault for them
    banned_until: float = 0.0
    last: Ended | None = None
    last_at: float = 0.0
    proven: Ended | None = None  # the last that proved both sets to be one
    proven_at: float | None = None

    @property
    def is_up(self) -> bool:
        """Linked in either direction."""
        return bool(self.links)
