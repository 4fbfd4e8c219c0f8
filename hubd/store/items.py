"""The sorted items of the set in SQLite, as reconciliation asks for them (`hubd.gossip.items.Items`).

Sums come from the table `bucket`, and what lies within a bucket from the index on (created, id): at most half a bucket
is summed up at either end of a span. In memory are the buckets' lows and running sums, 0.3 MB for a million items, kept
from one comparison to the next while nobody writes.
"""

import sqlite3
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate

from hubd.gossip.ranges import INFINITY, Bound, digest, key
from hubd.store.buckets import pair

_FROM = "from action where (created, id) >= (?, ?)"
_COUNT = f"select count(*) {_FROM} and (created, id) < (?, ?)"
_ITEM = f"select created, id {_FROM} order by created, id limit 1 offset ?"
_IDS = f"select id {_FROM} order by created, id limit ? offset ?"
_LAST = "select id from action where (created, id) < (?, ?) order by created desc, id desc limit ?"


class Remembered:
    """What outlives one comparison. Belongs to the one connection that compares."""

    def __init__(self) -> None:
        self.lows: list[bytes] = []
        self.starts = [0]
        self.sums = [0]
        self._version: int | None = None

    def catch_up(self, connection: sqlite3.Connection) -> None:
        """Read the buckets, if anything was written since. Called inside a transaction, whose moment this then is."""
        connection.execute("select key from meta limit 1").fetchone()  # the first read fixes the moment
        [version] = connection.execute("pragma data_version").fetchone()
        if version == self._version:
            return
        rows = connection.execute("select low, count, sum from bucket order by low").fetchall()
        self.lows = [low for low, _, _ in rows]
        self.starts = [0, *accumulate([count for _, count, _ in rows])]
        self.sums = [0, *accumulate([int.from_bytes(total, "little") for _, _, total in rows])]
        self._version = version


class SqliteItems:
    """The items of one moment; made for one piece of work inside one transaction."""

    def __init__(self, connection: sqlite3.Connection, remembered: Remembered) -> None:
        remembered.catch_up(connection)
        self._execute = connection.execute
        self._lows, self._starts, self._sums = remembered.lows, remembered.starts, remembered.sums

    def size(self) -> int:
        """How many items there are."""
        return self._starts[-1]

    def lower_bounds(self, bounds: Sequence[Bound]) -> list[int]:
        """For each bound the position of the first item that is not below it."""
        found = []
        for bound in bounds:
            at = bisect_right(self._lows, bound) - 1
            if bound == INFINITY:
                found.append(self.size())
            elif bound == self._lows[at]:
                found.append(self._starts[at])
            else:
                [within] = self._execute(_COUNT, (*pair(self._lows[at]), *pair(bound))).fetchone()
                found.append(self._starts[at] + within)
        return found

    def fingerprints(self, spans: Sequence[tuple[int, int]]) -> list[bytes]:
        """For each span of positions [lower, upper) the fingerprint of its ids."""
        before = {position: self._sum_before(position) for position in sorted({end for span in spans for end in span})}
        return [digest(before[upper] - before[lower], upper - lower) for lower, upper in spans]

    def key(self, position: int) -> bytes:
        """The key at a position."""
        at, offset = self._locate(position)
        created, id_ = self._execute(_ITEM, (*pair(self._lows[at]), offset)).fetchone()
        return key(created, id_)

    def ids(self, lower: int, upper: int) -> list[bytes]:
        """The ids at positions [lower, upper)."""
        at, offset = self._locate(lower)
        return [id_ for (id_,) in self._execute(_IDS, (*pair(self._lows[at]), upper - lower, offset))]

    def _locate(self, position: int) -> tuple[int, int]:
        """The bucket of a position and the place in it; the end of the set belongs to the last bucket."""
        at = min(bisect_right(self._starts, position), len(self._lows)) - 1
        return at, position - self._starts[at]

    def _sum_before(self, position: int) -> int:
        at, offset = self._locate(position)
        behind = self._starts[at + 1] - position
        if offset <= behind:
            rows = self._execute(_IDS, (*pair(self._lows[at]), offset, 0)) if offset else ()
            return self._sums[at] + _sum(rows)
        high = self._lows[at + 1] if at + 1 < len(self._lows) else INFINITY
        return self._sums[at + 1] - (_sum(self._execute(_LAST, (*pair(high), behind))) if behind else 0)


def _sum(rows: Iterable[tuple[bytes]]) -> int:
    return sum([int.from_bytes(id_, "little") for (id_,) in rows])
