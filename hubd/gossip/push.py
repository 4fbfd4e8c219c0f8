"""Live push to one peer: actions that are new here, sent at once, outside any session.

A push is a courtesy, not a promise: a slow peer's queue is dropped when it is full, and reconciliation brings what was
lost. So a stalled peer costs a bounded amount of memory, and a push never has to be repeated.
"""

from collections import deque
from collections.abc import Sequence

from hubd.errors import RemoteError
from hubd.gossip.transfer import chunks
from hubd.limits import LINK_PUSH_QUEUE_ACTIONS_MAX, LINK_PUSH_QUEUE_BYTES_MAX, LINK_PUSH_WINDOW_CHUNKS


class PushQueue:
    """What waits for one peer, and how many chunks it has not acknowledged yet."""

    def __init__(self) -> None:
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._in_flight = 0

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
        if self._in_flight == 0:
            raise RemoteError("credit", "took a push that was never sent")
        self._in_flight -= 1

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
