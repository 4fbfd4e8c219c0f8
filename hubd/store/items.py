"""The sorted items of the set in SQLite, as reconciliation asks for them (`hubd.gossip.items.Items`).

Sums come from the table `bucket`, keys from the index on (created, id). In memory are the buckets' lows and running sums
(0.3 MB for a million items) and the keys of the buckets that were looked at last. Both are kept from one comparison to
the next; whoever wrote in between is noticed, and a bucket's keys are of use as long as its low, count and sum are.
"""

import sqlite3
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from itertools import accumulate

from hubd.gossip.ranges import CREATED_BYTES, INFINITY, Bound, digest
from hubd.limits import BUCKETS_CACHED_MAX
from hubd.store.buckets import ids_sum, keys_between


class Remembered:
    """What outlives one comparison. Belongs to the one connection that compares."""

    def __init__(self) -> None:
        self.lows: list[bytes] = []
        self.starts = [0]
        self.sums = [0]
        self._version: int | None = None
        self._keys: OrderedDict[tuple[bytes, int, int], list[bytes]] = OrderedDict()

    def catch_up(self, connection: sqlite3.Connection) -> None:
        """Read the buckets, if anything was written since. Called inside a transaction, whose moment this then is."""
        connection.execute("select key from meta limit 1").fetchone()  # the first read fixes the moment
        [version] = connection.execute("pragma data_version").fetchone()
        if version == self._version:
            return
        rows = connection.execute("select low, count, sum from bucket order by low").fetchall()
        self.lows = [low for low, _, _ in rows]
        self.starts = [0, *accumulate(count for _, count, _ in rows)]
        self.sums = [0, *accumulate(int.from_bytes(total, "little") for _, _, total in rows)]
        self._version = version

    def keys(self, connection: sqlite3.Connection, at: int) -> list[bytes]:
        """The keys of a bucket, ascending."""
        low, count, total = self.lows[at], self.starts[at + 1] - self.starts[at], self.sums[at + 1] - self.sums[at]
        found = self._keys.get((low, count, total))
        if found is None:
            high = self.lows[at + 1] if at + 1 < len(self.lows) else INFINITY
            found = self._keys[low, count, total] = list(keys_between(connection, low, high))
            if len(self._keys) > BUCKETS_CACHED_MAX:
                self._keys.popitem(last=False)
        self._keys.move_to_end((low, count, total))
        return found


class SqliteItems:
    """The items of one moment; made for one piece of work inside one transaction."""

    def __init__(self, connection: sqlite3.Connection, remembered: Remembered) -> None:
        remembered.catch_up(connection)
        self._connection = connection
        self._remembered = remembered

    def size(self) -> int:
        """How many items there are."""
        return self._remembered.starts[-1]

    def lower_bounds(self, bounds: Sequence[Bound]) -> list[int]:
        """For each bound the position of the first item that is not below it."""
        lows, starts = self._remembered.lows, self._remembered.starts
        found = []
        for bound in bounds:
            if bound == INFINITY:
                found.append(self.size())
                continue
            at = bisect_right(lows, bound) - 1
            within = bisect_left(self._keys(at), bound) if bound != lows[at] else 0
            found.append(starts[at] + within)
        return found

    def fingerprints(self, spans: Sequence[tuple[int, int]]) -> list[bytes]:
        """For each span of positions [lower, upper) the fingerprint of its ids."""
        before = {position: self._sum_before(position) for position in sorted({end for span in spans for end in span})}
        return [digest(before[upper] - before[lower], upper - lower) for lower, upper in spans]

    def key(self, position: int) -> bytes:
        """The key at a position."""
        at, offset = self._locate(position)
        return self._keys(at)[offset]

    def ids(self, lower: int, upper: int) -> list[bytes]:
        """The ids at positions [lower, upper)."""
        found: list[bytes] = []
        at, offset = self._locate(lower)
        while len(found) < upper - lower:
            wanted = upper - lower - len(found)
            found += [each[CREATED_BYTES:] for each in self._keys(at)[offset : offset + wanted]]
            at, offset = at + 1, 0
        return found

    def _keys(self, at: int) -> list[bytes]:
        return self._remembered.keys(self._connection, at)

    def _locate(self, position: int) -> tuple[int, int]:
        """The bucket of a position and the place in it; the end of the set belongs to the last bucket."""
        starts = self._remembered.starts
        at = min(bisect_right(starts, position), len(self._remembered.lows)) - 1
        return at, position - starts[at]

    def _sum_before(self, position: int) -> int:
        at, offset = self._locate(position)
        starts, sums = self._remembered.starts, self._remembered.sums
        if offset == 0:
            return sums[at]
        if starts[at + 1] == position:
            return sums[at + 1]
        keys = self._keys(at)
        if offset <= len(keys) // 2:
            return sums[at] + ids_sum(keys[:offset])
        return sums[at + 1] - ids_sum(keys[offset:])
