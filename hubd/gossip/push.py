"""Live push to one peer: actions that are new here, sent at once, outside any session.

A push is a courtesy, not a promise: a slow peer's queue is dropped when it is full, and reconciliation brings what was
lost. So a stalled peer costs a bounded amount of memory, and a push never has to be repeated.

A push, or its acknowledgement, may get lost on a link that lives on. It would hold its place in the window for ever, and
four of them the whole link. So proofs of equal sets give places back: nobody lacks what was pushed before them.
Acknowledgements don't say of what; but where at every moment from one proof to another, a while later, so many were open,
so many were lost. That may be wrong where pushes never cease, so a receiver bears twice the window.
"""

from collections import deque
from collections.abc import Sequence

from hubd.errors import RemoteError
from hubd.gossip.transfer import chunks
from hubd.limits import (
    LINK_PUSH_LOST_S,
    LINK_PUSH_QUEUE_ACTIONS_MAX,
    LINK_PUSH_QUEUE_BYTES_MAX,
    LINK_PUSH_WINDOW_CHUNKS,
)


class PushQueue:
    """What waits for one peer, and how many chunks it has not acknowledged yet."""

    def __init__(self) -> None:
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._in_flight = 0
        self._least_in_flight = 0  # since the last proof that counted
        self._counted_at = 0.0  # when that was
        self._lost = 0  # given up; an acknowledgement that comes nevertheless is none of a push that was never sent

    @property
    def is_empty(self) -> bool:
        """Nothing waits, though chunks may be on their way."""
        return not self._waiting

    def add(self, envelopes: Sequence[bytes]) -> None:
        """Queue these behind what waits."""
        self._waiting.extend(envelopes)
        self._waiting_bytes += sum(map(len, envelopes))

    def shed(self) -> bool:
        """Drop everything that waits if it is too much; whether it was. Call it after `due`."""
        if len(self._waiting) <= LINK_PUSH_QUEUE_ACTIONS_MAX and self._waiting_bytes <= LINK_PUSH_QUEUE_BYTES_MAX:
            return False
        self._waiting.clear()
        self._waiting_bytes = 0
        return True

    def acknowledge(self) -> None:
        """The peer took a chunk. `RemoteError("credit")` if none is on its way."""
        if self._in_flight:
            self._in_flight -= 1
            self._least_in_flight = min(self._least_in_flight, self._in_flight)
        elif self._lost:
            self._lost -= 1
        else:
            raise RemoteError("credit", "took a push that was never sent")

    def proven(self, now: float) -> None:
        """A session over this link found both sets to be one. Call `due` after it."""
        if now - self._counted_at < LINK_PUSH_LOST_S:
            return
        self._counted_at = now
        self._in_flight -= self._least_in_flight
        self._lost = min(LINK_PUSH_WINDOW_CHUNKS, self._lost + self._least_in_flight)
        self._least_in_flight = self._in_flight

    def due(self) -> list[tuple[bytes, ...]]:
        """The chunks to send now."""
        sent: list[tuple[bytes, ...]] = []
        for chunk in chunks(self._waiting):
            if self._in_flight >= LINK_PUSH_WINDOW_CHUNKS:
                break
            self._in_flight += 1
            sent.append(chunk)
        for _ in range(sum(map(len, sent))):
            self._waiting_bytes -= len(self._waiting.popleft())
        return sent
