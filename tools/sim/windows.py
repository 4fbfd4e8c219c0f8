"""What the machines of a hub hold, and how much of each thing it may be: every queue, window and memory has its own limit.

`look` walks over whatever is reachable from some machines, without the set behind them. It counts envelopes and ids, which
tells of hoards that nobody thought of, and compares each thing of `BOUNDS` with its limit.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sized
from dataclasses import dataclass, field
from typing import Any

from hubd.action.envelope import Action
from hubd.gossip import negentropy, spread, tidings
from hubd.gossip.channel import Channel
from hubd.gossip.content import Claims, Seeker
from hubd.gossip.initiator import Initiator
from hubd.gossip.peer import Member, Peer
from hubd.gossip.push import PushQueue
from hubd.gossip.shelf import Shelf
from hubd.gossip.spread import Spread
from hubd.gossip.transfer import PIECE_ACTIONS_MAX, Landing, Transfer
from hubd.limits import (
    CONTENT_CLAIMS_MAX,
    CONTENT_IDS_MAX,
    DIAL_ROUND_MAX,
    HAVE_QUEUE_IDS_MAX,
    HAVE_TOLD_IDS_MAX,
    LINK_PUSH_OPEN_CHUNKS_MAX,
    LINK_PUSH_QUEUE_ACTIONS_MAX,
    LINK_PUSH_QUEUE_BYTES_MAX,
    LINK_PUSH_WINDOW_CHUNKS,
    LINK_TASKS_MAX,
    LINK_WINDOW_CHUNKS,
    PEER_FAULTS_MAX,
    SESSION_WANTED_MAX,
    SPREAD_RECENT_IDS_MAX,
    WANT_IDS_MAX,
)
from tools.sim.hub import Hub

_ENVELOPE_BYTES_MIN = 100  # anything longer that a machine holds is taken for an envelope
_ID_BYTES = 32


@dataclass(frozen=True)
class Bound:
    """How much an attribute of one kind of thing may be. Without `measured`: its length, or the number that it is."""

    attribute: str
    most: int
    unit: str = ""
    measured: Callable[[Any], int] = lambda value: len(value) if isinstance(value, Sized) else int(value)

    @property
    def name(self) -> str:
        """What is told of it."""
        return f"{self.unit} {self.attribute}".strip().replace(" _", " ").removeprefix("_")


BOUNDS: dict[type, tuple[Bound, ...]] = {
    PushQueue: (
        Bound("_waiting", LINK_PUSH_QUEUE_ACTIONS_MAX),
        Bound("_waiting", LINK_PUSH_QUEUE_BYTES_MAX, "bytes", lambda waiting: sum(map(len, waiting))),
        Bound("_in_flight", LINK_PUSH_WINDOW_CHUNKS),
    ),
    Spread: (Bound("_recent", SPREAD_RECENT_IDS_MAX),),
    spread._Neighbour: (  # noqa: SLF001
        Bound("waiting", HAVE_QUEUE_IDS_MAX),
        Bound("announced", HAVE_QUEUE_IDS_MAX),
        Bound("asked", HAVE_QUEUE_IDS_MAX),
        Bound("told", HAVE_TOLD_IDS_MAX),
    ),
    tidings._Neighbour: (Bound("waiting", HAVE_QUEUE_IDS_MAX),),  # noqa: SLF001
    Claims: (Bound("_until", CONTENT_CLAIMS_MAX + CONTENT_IDS_MAX),),  # looked through before one more page
    Seeker: (
        Bound("_told", HAVE_TOLD_IDS_MAX),
        Bound("_page", CONTENT_IDS_MAX),
        Bound("_claimed", CONTENT_IDS_MAX),
    ),
    Shelf: (Bound("_next", CONTENT_IDS_MAX),),
    negentropy.Initiator: (Bound("_reported", SESSION_WANTED_MAX),),
    Transfer: (
        Bound("in_flight", LINK_WINDOW_CHUNKS),
        Bound("_flying", LINK_WINDOW_CHUNKS),
        Bound("_ids", SESSION_WANTED_MAX),
        Bound("_ready", PIECE_ACTIONS_MAX, "actions", lambda ready: sum(len(chunk.envelopes) for chunk in ready)),
    ),
    Landing: (Bound("waiting", LINK_WINDOW_CHUNKS),),
    Initiator: (Bound("_wanted", WANT_IDS_MAX), Bound("_need", SESSION_WANTED_MAX)),
    Channel: (Bound("_tasks", LINK_TASKS_MAX), Bound("_pushes_open", LINK_PUSH_OPEN_CHUNKS_MAX)),
    Peer: (Bound("faults", PEER_FAULTS_MAX), Bound("tried", DIAL_ROUND_MAX)),
}


@dataclass
class Hoard:
    """What was found: how many envelopes, how many ids, and what is more than it may be."""

    envelopes: int = 0
    ids: int = 0
    beyond: list[str] = field(default_factory=list)


def look(roots: Iterable[Any]) -> Hoard:
    """Everything that is reachable from these machines."""
    hoard = Hoard()
    seen: set[int] = set()
    waiting = deque(roots)
    while waiting:
        thing = waiting.pop()
        if isinstance(thing, bytes):
            hoard.envelopes += len(thing) >= _ENVELOPE_BYTES_MIN
            hoard.ids += len(thing) == _ID_BYTES
        elif not isinstance(thing, _OPAQUE) and not callable(thing) and id(thing) not in seen:
            seen.add(id(thing))
            hoard.beyond += _beyond(thing)
            waiting.extend(parts(thing))
    return hoard


def _beyond(thing: Any) -> Iterator[str]:
    for bound in BOUNDS.get(type(thing), ()):
        much = bound.measured(getattr(thing, bound.attribute))
        if much > bound.most:
            yield f"{much:,} {bound.name} of a {type(thing).__name__}, at most {bound.most:,}"


_OPAQUE = (Hub, Member, Action, str, int, float, type(None))


def parts(thing: Any) -> Iterator[Any]:
    """What a thing holds by itself."""
    if isinstance(thing, dict):
        yield from thing
        yield from thing.values()
    elif isinstance(thing, list | tuple | set | frozenset | deque):
        yield from thing
    elif type(thing).__module__.startswith("hubd.gossip") and type(thing).__name__ != "SortedItems":
        yield from vars(thing).values() if hasattr(thing, "__dict__") else ()
        for name in getattr(type(thing), "__slots__", ()):
            yield getattr(thing, name, None)
