"""What reconciliation asks of a set of actions, and its answer in memory.

An item is an action seen as (`created`, id). Positions count items in ascending key order (`ranges.key`).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate, islice
from typing import Protocol

from hubd.gossip.ranges import CREATED_BYTES, Bound, digest, key
from hubd.limits import RECONCILE_BLOCK_ITEMS_MAX


class Items(Protocol):
    """A sorted set of items. Bounds and ranges come in bulk, so that a store can answer a message in few reads."""

    def size(self) -> int:
        """How many items there are."""

    def lower_bounds(self, bounds: Sequence[Bound]) -> list[int]:
        """For each bound (ascending) the position of the first item that is not below it."""

    def fingerprints(self, spans: Sequence[tuple[int, int]]) -> list[bytes]:
        """For each span of positions [lower, upper) the fingerprint of its ids (`ranges.digest`)."""

    def key(self, position: int) -> bytes:
        """The key at a position."""

    def ids(self, lower: int, upper: int) -> list[bytes]:
        """The ids at positions [lower, upper)."""


class SortedItems:
    """Items in memory, about 90 bytes each: sorted blocks, each with the sum of its ids.

    A fingerprint costs two look-ups of running sums and at most half a block at either end, whatever the span's length.
    The running sums are rebuilt once after any number of `add`s, in a millisecond for a million items.
    """

    def __init__(self, pairs: Iterable[tuple[int, bytes]] = ()) -> None:
        keys = sorted({key(created, id_) for created, id_ in pairs})
        fill = RECONCILE_BLOCK_ITEMS_MAX * 3 // 4  # room for new items before a block must be parted
        self._blocks = [keys[at : at + fill] for at in range(0, len(keys), fill)] or [[]]
        self._lows = [b"", *(block[0] for block in self._blocks[1:])]
        self._sums = [_ids_sum(block) for block in self._blocks]
        self._starts: list[int] = []
        self._sums_before: list[int] = []
        self._index()

    def add(self, created: int, id_: bytes) -> bool:
        """Put an item into its place; False if it was there already."""
        new = key(created, id_)
        at = bisect_right(self._lows, new) - 1
        block = self._blocks[at]
        place = bisect_left(block, new)
        if place < len(block) and block[place] == new:
            return False
        block.insert(place, new)
        self._sums[at] += _ids_sum((new,))
        if len(block) > RECONCILE_BLOCK_ITEMS_MAX:
            self._part(at)
        self._starts.clear()
        return True

    def size(self) -> int:
        """How many items there are."""
        self._index()
        return self._starts[-1]

    def lower_bounds(self, bounds: Sequence[Bound]) -> list[int]:
        """For each bound the position of the first item that is not below it."""
        self._index()
        positions = []
        for bound in bounds:
            at = bisect_right(self._lows, bound) - 1
            positions.append(self._starts[at] + bisect_left(self._blocks[at], bound))
        return positions

    def fingerprints(self, spans: Sequence[tuple[int, int]]) -> list[bytes]:
        """For each span of positions [lower, upper) the fingerprint of its ids."""
        self._index()
        return [digest(self._sum_before(upper) - self._sum_before(lower), upper - lower) for lower, upper in spans]

    def key(self, position: int) -> bytes:
        """The key at a position."""
        at, offset = self._locate(position)
        return self._blocks[at][offset]

    def ids(self, lower: int, upper: int) -> list[bytes]:
        """The ids at positions [lower, upper)."""
        at, offset = self._locate(lower)
        following = (item for block in islice(self._blocks, at, None) for item in block)
        return [item[CREATED_BYTES:] for item in islice(following, offset, offset + upper - lower)]

    def _part(self, at: int) -> None:
        block = self._blocks[at]
        above = block[len(block) // 2 :]
        del block[len(block) // 2 :]
        self._blocks.insert(at + 1, above)
        self._lows.insert(at + 1, above[0])
        self._sums[at : at + 1] = [_ids_sum(block), _ids_sum(above)]

    def _index(self) -> None:
        if not self._starts:
            self._starts = [0, *accumulate(map(len, self._blocks))]
            self._sums_before = [0, *accumulate(self._sums)]

    def _locate(self, position: int) -> tuple[int, int]:
        self._index()
        at = min(bisect_right(self._starts, position), len(self._blocks)) - 1
        return at, position - self._starts[at]

    def _sum_before(self, position: int) -> int:
        at, offset = self._locate(position)
        block = self._blocks[at]
        if offset <= len(block) // 2:
            return self._sums_before[at] + _ids_sum(block[:offset])
        return self._sums_before[at + 1] - _ids_sum(block[offset:])


def _ids_sum(keys: Iterable[bytes]) -> int:
    return sum(int.from_bytes(item[CREATED_BYTES:], "little") for item in keys)
