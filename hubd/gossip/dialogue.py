"""What a session's machine and its driver say to each other: events in, events out, and how far down the ladder one went.

Past tense comes in, imperatives go out. Requests to our own store are answered by exactly one event each; they may be
answered in any order.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, TypeAlias

from hubd.action.principal import Principal
from hubd.errors import RemoteError
from hubd.gossip.items import Items
from hubd.gossip.transfer import ActionsLoaded, LoadActions, LoadPage, PageLoaded
from hubd.gossip.wire import NOWHERE, Frame, Place
from hubd.ports import Outcome, SetSummary


class Rung(IntEnum):
    """The ways to make two sets one, the cheapest first. Where one does not lead there, the next is taken."""

    HELLO = 0  # the sets are equal
    CURSOR = 1  # what arrived since the last time
    SKETCH = 2  # a few differences, wherever they are
    NEGENTROPY = 3  # any differences


@dataclass(frozen=True, slots=True)
class Parties:
    """Who speaks to whom, in which mesh. `peer` is who the peer's key was admitted as."""

    hub: Principal
    peer: Principal
    mesh: bytes  # wire.mesh_tag


# --- in events


@dataclass(frozen=True, slots=True)
class Began:
    """Start the conversation (initiator only)."""


@dataclass(frozen=True, slots=True)
class FrameReceived:
    """A frame has come from the peer."""

    frame: Frame


@dataclass(frozen=True, slots=True)
class SummaryLoaded:
    """The answer to `LoadSummary`."""

    summary: SetSummary
    cursor: Place = NOWHERE  # up to where we have what the peer has
    is_known: bool = False  # the place that was to be checked is one of our arrival order
    beyond: int = 0  # about how many actions arrived after it, and not from the peer


@dataclass(frozen=True, slots=True)
class SketchLoaded:
    """The answer to `LoadSketch`: all symbols that are kept of our set."""

    symbols: bytes


@dataclass(frozen=True, slots=True)
class Compared:
    """The answer to `Compare`: what the work returned, or the `RemoteError` that it raised."""

    result: Any


@dataclass(frozen=True, slots=True)
class Offered:
    """The answer to the `Offer` with this number."""

    outcomes: Sequence[Outcome]
    number: int


@dataclass(frozen=True, slots=True)
class StoreFailed:
    """In place of any answer: our own store can't be read now."""


@dataclass(frozen=True, slots=True)
class TimerFired:
    """Some seconds have passed; once in five is enough."""


InEvent: TypeAlias = (
    Began
    | FrameReceived
    | SummaryLoaded
    | SketchLoaded
    | Compared
    | ActionsLoaded
    | PageLoaded
    | Offered
    | StoreFailed
    | TimerFired
)


# --- out events


@dataclass(frozen=True, slots=True)
class SendFrame:
    """Send this to the peer."""

    frame: Frame


@dataclass(frozen=True, slots=True)
class Counted:
    """The peer, by its greeting, has so many actions more than we have. Needs no answer."""

    ahead: int


@dataclass(frozen=True, slots=True)
class LoadSummary:
    """Read our set's summary and our cursor, and whether our arrival order has this place; answer `SummaryLoaded`."""

    check: Place = NOWHERE


@dataclass(frozen=True, slots=True)
class LoadSketch:
    """Read the symbols of our set; answer `SketchLoaded`."""


@dataclass(frozen=True, slots=True)
class Compare:
    """Run this over one consistent reading of our items, off the event loop: it may take 0.3 s; answer `Compared`."""

    work: Callable[[Items], Any]

    def over(self, items: Items) -> Compared:
        """Run it."""
        try:
            return Compared(self.work(items))
        except RemoteError as error:
            return Compared(error)


@dataclass(frozen=True, slots=True)
class Offer:
    """Hand these envelopes to the intake; answer `Offered` with the same number when they are on disk."""

    envelopes: tuple[bytes, ...]
    number: int


@dataclass(frozen=True, slots=True)
class KeepCursor:
    """Note durably that we have whatever the peer has up to this place of its arrival order. Needs no answer."""

    place: Place


@dataclass(frozen=True, slots=True)
class Ended:
    """The conversation is over; the last out event of a machine.

    `code` says why nothing was proven: `busy` (both sets kept growing), `silent`, `missing` (the peer did not give what
    it said it had), `refused` (it gave what is no valid action), `deferred` (our own store takes nothing now), `database`
    (it can't be read now), `later` (the peer put it off), `closed` (the link ended), `replaced` (the peer began another
    one), `remote-fault` (it says that we broke the protocol), or, with `is_fault`, how the peer broke it.
    """

    is_proven: bool
    code: str = ""
    detail: str = ""
    is_fault: bool = False
    count: int = 0  # our set, as last summed up
    received: int = 0  # actions that were new to us
    sent: int = 0
    refused: int = 0
    missing: int = 0  # actions that the peer says it has, and that we asked for in vain
    rung: Rung = Rung.HELLO  # the last that was tried
    fingerprint: bytes = b""  # of our set, as last summed up
    peer_count: int = 0  # the peer's set, as it last said
    peer_grew: int = 0  # by so many actions since it greeted
    lacking: int = 0  # contents of actions that are missing here, which no proof speaks of
    peer_lacking: int = 0  # ... and at the peer, as it last said
    landed: int = 0  # of those sent, on the peer's disk by its own word
    fresh: int = 0  # of these, new to it


OutEvent: TypeAlias = (
    SendFrame | Counted | LoadSummary | LoadSketch | Compare | LoadActions | LoadPage | Offer | KeepCursor | Ended
)


def hints_at_rot(ended: Ended) -> bool:
    """Whether everything was compared, nothing differed, and the fingerprints did: one side's set is not what it counts.

    Also where what one side says it has is not found when asked for. The peer may be the one, and it may lie.
    """
    moved = ended.received or ended.sent
    return ended.code in {"busy", "missing"} and ended.rung is Rung.NEGENTROPY and not moved


def first_rung(last: Ended | None) -> Rung:
    """Where the next session with this peer starts: one below the last one's, if that moved nothing or had a cursor.

    A sketch that moved something is tried again: where sets grow all the time, it stays the cheapest that can succeed.
    """
    if last is None or last.is_proven or last.code not in {"busy", "missing", "refused"}:
        return Rung.CURSOR
    if last.rung is Rung.SKETCH and (last.received or last.sent):
        return Rung.SKETCH
    return Rung(min(Rung.NEGENTROPY, last.rung + 1))
