"""Bodies on their way: actions are cut into chunks, and no more of these travel than are wanted.

`Transfer` is the sending half of a session. A source (a list of ids, or the set in arrival order) is loaded piece by
piece, cut into chunks of bounded size, and at most `LINK_WINDOW_CHUNKS` chunks travel before the other side says that one
is on its disk. Memory is bounded by one loaded piece, whatever the size of the set.

`Landing` is the receiving half: which chunks are on our disk, and which place in the sender's arrival order that makes.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from hubd.action.sip018 import ActionId
from hubd.errors import RemoteError
from hubd.gossip.wire import NOWHERE, Place
from hubd.limits import LINK_CHUNK_ACTIONS_MAX, LINK_CHUNK_BYTES_MAX, LINK_WINDOW_CHUNKS, STREAM_ANYWAY_ACTIONS

PIECE_ACTIONS_MAX = 128  # loaded at once: typically 50 kB, at most 2 MB


@dataclass(frozen=True, slots=True)
class LoadActions:
    """Out: get these from the store; answer `ActionsLoaded` (unknown ids left out)."""

    ids: tuple[ActionId, ...]


@dataclass(frozen=True, slots=True)
class LoadPage:
    """Out: get the next actions beyond this arrival sequence that did not come from the peer; answer `PageLoaded`."""

    after: int
    until: int  # the last sequence that is wanted
    actions_max: int


@dataclass(frozen=True, slots=True)
class ActionsLoaded:
    """In: the envelopes of a `LoadActions`."""

    envelopes: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class PageLoaded:
    """In: the answer to a `LoadPage`. It may hold nothing, where the peer itself brought all that was looked at."""

    place: Place  # of the last one
    envelopes: Sequence[bytes]
    after: int | None  # where to go on; None: there is no more


class Chunk(NamedTuple):
    """What travels in one frame; `place` as in `wire.Actions`."""

    envelopes: tuple[bytes, ...]
    place: Place


def chunks(envelopes: Iterable[bytes], *, bytes_max: int = LINK_CHUNK_BYTES_MAX) -> Iterator[tuple[bytes, ...]]:
    """Cut envelopes, in order, into chunks that fit a frame. An envelope is never larger than a chunk."""
    chunk: list[bytes] = []
    size = 0
    for envelope in envelopes:
        if chunk and (size + len(envelope) > bytes_max or len(chunk) >= LINK_CHUNK_ACTIONS_MAX):
            yield tuple(chunk)
            chunk, size = [], 0
        chunk.append(envelope)
        size += len(envelope)
    if chunk:
        yield tuple(chunk)


class Transfer:
    """One direction of a session's bodies. `advance` says what to load or to send next; call it after every change."""

    def __init__(self, *, window: int = LINK_WINDOW_CHUNKS) -> None:
        self._window = window
        self._ids: deque[ActionId] = deque()
        self._page_after: int | None = None  # where the stream stands; None: there is none
        self._page_until = 0
        self._sample_after: int | None = None  # where the stream is tried first; None: it need not be
        self._sampled = 0
        self.fresh = 0  # of what was sent, new to the other side by its own word
        self.is_given_up = False  # the stream was of little use
        self._ready: deque[Chunk] = deque()
        self._is_loading = False
        self.in_flight = 0  # chunks sent and not yet acknowledged
        self._flying: deque[int] = deque()  # how many actions are in each of them
        self.sent = 0  # actions

    @property
    def is_exhausted(self) -> bool:
        """Everything has been sent, though maybe not yet acknowledged."""
        return not (self._ids or self._ready or self._is_loading) and self._page_after is None

    @property
    def landed(self) -> int:
        """Actions that are on the other side's disk, by its own word."""
        return self.sent - sum(self._flying)

    @property
    def is_settled(self) -> bool:
        """Everything is on the other side's disk."""
        return self.is_exhausted and self.in_flight == 0

    def add(self, ids: Iterable[ActionId]) -> None:
        """Send these, too."""
        self._ids.extend(ids)

    def stream(self, after: int, until: int, *, is_sure: bool = True) -> None:
        """Send what arrived after one sequence and up to another. What arrives now is pushed, and need not come twice.

        Where it is not sure that most of that is new to the other side, a sample from its middle goes first.
        """
        self._page_after, self._page_until = after, until
        self._sample_after = None if is_sure else (after + until) // 2

    def acknowledge(self, fresh: int = 0) -> None:
        """The other side took a chunk, `fresh` of it new to it. `RemoteError("credit")` if none is on its way."""
        if self.in_flight == 0:
            raise RemoteError("credit", "took a chunk that was never sent")
        self.in_flight -= 1
        self._flying.popleft()
        self.fresh += fresh
        if self._sampled and not self._ready and self.in_flight == 0:
            self._judge_sample()

    def _judge_sample(self) -> None:
        self.is_given_up = 2 * self.fresh < self._sampled
        self.sent -= self._sampled  # most of it was known, or comes again
        self._sample_after, self._sampled = None, 0
        if self.is_given_up:
            self._page_after = None

    def loaded(self, event: ActionsLoaded | PageLoaded) -> None:
        """A piece has come from the store."""
        self._is_loading = False
        place = NOWHERE
        if isinstance(event, PageLoaded) and self._sample_after is not None:
            self._sampled = len(event.envelopes)
            if not event.envelopes:
                self._judge_sample()
        elif isinstance(event, PageLoaded):
            place, self._page_after = event.place, event.after
        ready = [Chunk(each, NOWHERE) for each in chunks(event.envelopes)]
        if ready:
            ready[-1] = ready[-1]._replace(place=place)
        self._ready.extend(ready)

    def advance(self) -> list[LoadActions | LoadPage | Chunk]:
        """What is due now: chunks to send, and at most one piece to load."""
        out: list[LoadActions | LoadPage | Chunk] = []
        while self._ready and self.in_flight < self._window:
            chunk = self._ready.popleft()
            self.in_flight += 1
            self._flying.append(len(chunk.envelopes))
            self.sent += len(chunk.envelopes)
            out.append(chunk)
        if self._ready or self._is_loading:
            return out
        if self._ids:
            self._is_loading = True
            piece = tuple(islice(self._ids, PIECE_ACTIONS_MAX))
            for _ in piece:
                self._ids.popleft()
            out.append(LoadActions(piece))
        elif self._sampled:
            return out
        elif self._sample_after is not None:
            self._is_loading = True
            out.append(LoadPage(self._sample_after, self._page_until, STREAM_ANYWAY_ACTIONS))
        elif self._page_after is not None:
            self._is_loading = True
            out.append(LoadPage(self._page_after, self._page_until, PIECE_ACTIONS_MAX))
        return out


class Landing:
    """The chunks that came and are not all on our disk yet; they may get there in any order."""

    def __init__(self) -> None:
        self._places: dict[int, Place] = {}  # by number; in order of arrival
        self._landed: set[int] = set()
        self._last = 0

    @property
    def waiting(self) -> int:
        """How many are not on our disk."""
        return len(self._places) - len(self._landed)

    def add(self, place: Place) -> int:
        """A chunk has come; returns its number. `RemoteError("credit")` for one more than the window allows."""
        if self.waiting >= LINK_WINDOW_CHUNKS:
            raise RemoteError("credit", "more chunks than the window allows")
        self._last += 1
        self._places[self._last] = place
        return self._last

    def landed(self, number: int) -> Place:
        """This one is on our disk. Returns the place up to which all are, or `NOWHERE` where that tells nothing new."""
        self._landed.add(number)
        place = NOWHERE
        for first in list(self._places):
            if first not in self._landed:
                break
            self._landed.remove(first)
            place = max(place, self._places.pop(first))
        return place
