"""Bodies on their way: the sending half of a session, which cuts actions into chunks and sends no more than are wanted.

A source (a list of ids, or the whole set in arrival order) is loaded piece by piece, cut into chunks of bounded size,
and at most `LINK_WINDOW_CHUNKS` chunks travel before the other side says that one is on its disk. Memory is bounded by
one loaded piece, whatever the size of the set.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from hubd.action.sip018 import ActionId
from hubd.errors import RemoteError
from hubd.limits import LINK_CHUNK_ACTIONS_MAX, LINK_CHUNK_BYTES_MAX, LINK_WINDOW_CHUNKS

PIECE_ACTIONS_MAX = 128  # loaded at once: typically 50 kB, at most 2 MB


@dataclass(frozen=True, slots=True)
class LoadActions:
    """Out: get these from the store; answer `ActionsLoaded` (unknown ids left out)."""

    ids: tuple[ActionId, ...]


@dataclass(frozen=True, slots=True)
class LoadPage:
    """Out: get the next actions beyond this arrival sequence; answer `PageLoaded`."""

    after: int
    actions_max: int


@dataclass(frozen=True, slots=True)
class ActionsLoaded:
    """In: the envelopes of a `LoadActions`."""

    envelopes: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class PageLoaded:
    """In: the answer to a `LoadPage`. No envelopes: the end of the set."""

    last: int  # the arrival sequence of the last one
    envelopes: Sequence[bytes]


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
        self._page_after: int | None = None  # where the stream of everything stands; None: there is none
        self._ready: deque[tuple[bytes, ...]] = deque()
        self._is_loading = False
        self.in_flight = 0  # chunks sent and not yet acknowledged
        self.sent = 0  # actions

    @property
    def is_exhausted(self) -> bool:
        """Everything has been sent, though maybe not yet acknowledged."""
        return not (self._ids or self._ready or self._is_loading) and self._page_after is None

    @property
    def is_settled(self) -> bool:
        """Everything is on the other side's disk."""
        return self.is_exhausted and self.in_flight == 0

    def add(self, ids: Iterable[ActionId]) -> None:
        """Send these, too."""
        self._ids.extend(ids)

    def add_everything(self) -> None:
        """Send the whole set, in arrival order, up to where it ends when its end is reached."""
        self._page_after = 0

    def acknowledge(self) -> None:
        """The other side took a chunk. `RemoteError("credit")` if none is on its way."""
        if self.in_flight == 0:
            raise RemoteError("credit", "took a chunk that was never sent")
        self.in_flight -= 1

    def loaded(self, event: ActionsLoaded | PageLoaded) -> None:
        """A piece has come from the store."""
        self._is_loading = False
        if isinstance(event, PageLoaded):
            self._page_after = event.last if event.envelopes else None
        self._ready.extend(chunks(event.envelopes))

    def advance(self) -> list[LoadActions | LoadPage | tuple[bytes, ...]]:
        """What is due now: chunks to send, and at most one piece to load."""
        out: list[LoadActions | LoadPage | tuple[bytes, ...]] = []
        while self._ready and self.in_flight < self._window:
            chunk = self._ready.popleft()
            self.in_flight += 1
            self.sent += len(chunk)
            out.append(chunk)
        if self._ready or self._is_loading:
            return out
        if self._ids:
            self._is_loading = True
            piece = tuple(islice(self._ids, PIECE_ACTIONS_MAX))
            for _ in piece:
                self._ids.popleft()
            out.append(LoadActions(piece))
        elif self._page_after is not None:
            self._is_loading = True
            out.append(LoadPage(self._page_after, PIECE_ACTIONS_MAX))
        return out
