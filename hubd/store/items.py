"""The sorted items of the set in SQLite, as reconciliation asks for them (`hubd.gossip.items.Items`).

Sums come from the table `bucket`, and what lies within a bucket from the index on (created, id): at most half a bucket
is summed up at either end of a span. In memory are the buckets' lows and running sums, 0.3 MB for a million items, kept
from one comparison to the next while nobody writes.
"""

import sqlite3
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from itertools import accumulate, groupby
from typing import ParamSpec, TypeVar

from hubd.gossip.ranges import ID_BYTES, INFINITY, Bound, digest, key
from hubd.limits import BUCKET_LOAD_QUESTIONS, BUCKETS_LOADED_MAX
from hubd.store.buckets import pair
from hubd.store.database import damage

P = ParamSpec("P")
T = TypeVar("T")

_FROM = "from action where (created, id) >= (?, ?)"
_COUNT = f"select count(*) {_FROM} and (created, id) < (?, ?)"
_ITEM = f"select created, id {_FROM} order by created, id limit 1 offset ?"
_IDS = f"select id {_FROM} order by created, id limit ? offset ?"
_ROWS = f"select created, id {_FROM} order by created, id limit ?"
_LAST = "select id from action where (created, id) < (?, ?) order by created desc, id desc limit ?"


_TYPES = (bytes, int, bytes)


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
        if any((type(low), type(count), type(total)) != _TYPES for low, count, total in rows) or not rows or rows[0][0]:
            raise damage("a bucket")
        self.lows = [low for low, _, _ in rows]
        self.starts = [0, *accumulate([count for _, count, _ in rows])]
        self.sums = [0, *accumulate([int.from_bytes(total, "little") for _, _, total in rows])]
        self._version = version


def _or_damaged(answer: Callable[P, T]) -> Callable[P, T]:
    """An answer from rows and buckets that don't fit each other, or hold something else than they must, is none."""

    @wraps(answer)
    def told(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return answer(*args, **kwargs)
        except (TypeError, ValueError, LookupError, ArithmeticError, AttributeError) as error:
            raise damage(f"items and their buckets: {error}") from error

    return told


class _Loaded:
    """One bucket's items in memory, by (created, id)."""

    def __init__(self, rows: list[tuple[int, bytes]]) -> None:
        self.rows = rows
        self._sums: list[int] = []

    def sum_before(self, offset: int) -> int:
        """The sum of the first ids."""
        if not self._sums:
            self._sums = [0, *accumulate([int.from_bytes(id_, "little") for _, id_ in self.rows])]
        return self._sums[offset]


class SqliteItems:
    """The items of one moment; made for one piece of work inside one transaction.

    Where one bucket is asked more than a few things it is loaded once, and kept while its neighbourhood is asked about. So
    no message costs more than reading every item once, whatever it asks.
    """

    def __init__(self, connection: sqlite3.Connection, remembered: Remembered) -> None:
        remembered.catch_up(connection)
        self._execute = connection.execute
        self._lows, self._starts, self._sums = remembered.lows, remembered.starts, remembered.sums
        self._loaded: dict[int, _Loaded] = {}
        self._asked: list[int] = []  # the bucket of the last single questions, once for each

    def size(self) -> int:
        """How many items there are."""
        return self._starts[-1]

    @_or_damaged
    def lower_bounds(self, bounds: Sequence[Bound]) -> list[int]:
        """For each bound the position of the first item that is not below it."""
        found = []
        for at, group in groupby(bounds, lambda bound: bisect_right(self._lows, bound) - 1):
            inside = list(group)
            bucket = self._bucket(at, asked=len(inside))
            found += [self._lower_bound(bound, at, bucket) for bound in inside]
        return found

    @_or_damaged
    def fingerprints(self, spans: Sequence[tuple[int, int]]) -> list[bytes]:
        """For each span of positions [lower, upper) the fingerprint of its ids."""
        before: dict[int, int] = {}
        places = map(self._locate, sorted({end for span in spans for end in span}))
        for at, group in groupby(places, lambda place: place[0]):
            offsets = [offset for _, offset in group]
            bucket = self._bucket(at, asked=len(offsets))
            before |= {self._starts[at] + offset: self._sum_before(at, offset, bucket) for offset in offsets}
        return [digest(before[upper] - before[lower], upper - lower) for lower, upper in spans]

    @_or_damaged
    def key(self, position: int) -> bytes:
        """The key at a position."""
        at, offset = self._locate(position)
        if bucket := self._bucket_of_one(at):
            return key(*bucket.rows[offset])
        created, id_ = self._execute(_ITEM, (*pair(self._lows[at]), offset)).fetchone()
        return key(created, id_)

    @_or_damaged
    def ids(self, lower: int, upper: int) -> list[bytes]:
        """The ids at positions [lower, upper)."""
        if lower == upper:
            return []
        at, offset = self._locate(lower)
        if upper <= self._starts[at + 1] and (bucket := self._bucket_of_one(at)):
            return [id_ for _, id_ in bucket.rows[offset : offset + upper - lower]]
        found = [id_ for (id_,) in self._execute(_IDS, (*pair(self._lows[at]), upper - lower, offset))]
        if len(b"".join(found)) != ID_BYTES * (upper - lower):
            raise LookupError("ids")
        return found

    def _locate(self, position: int) -> tuple[int, int]:
        """The bucket of a position and the place in it; the end of the set belongs to the last bucket."""
        at = min(bisect_right(self._starts, position), len(self._lows)) - 1
        return at, position - self._starts[at]

    def _bucket_of_one(self, at: int) -> _Loaded | None:
        """The bucket of a single question, loaded if the last few were about it, too."""
        if self._asked[-1:] != [at]:
            self._asked.clear()
        self._asked.append(at)
        return self._bucket(at, asked=len(self._asked))

    def _bucket(self, at: int, asked: int) -> _Loaded | None:
        """A bucket in memory, where so many questions about it are worth that."""
        bucket = self._loaded.get(at)
        if bucket is None and asked >= BUCKET_LOAD_QUESTIONS:
            rows = self._execute(_ROWS, (*pair(self._lows[at]), self._starts[at + 1] - self._starts[at])).fetchall()
            bucket = self._loaded[at] = _Loaded(rows)
            if len(self._loaded) > BUCKETS_LOADED_MAX:
                del self._loaded[next(iter(self._loaded))]
        return bucket

    def _lower_bound(self, bound: Bound, at: int, bucket: _Loaded | None) -> int:
        if bound == INFINITY:
            return self.size()
        if bound == self._lows[at]:
            return self._starts[at]
        if bucket is not None:
            return self._starts[at] + bisect_left(bucket.rows, pair(bound))
        [within] = self._execute(_COUNT, (*pair(self._lows[at]), *pair(bound))).fetchone()
        return self._starts[at] + int(within)

    def _sum_before(self, at: int, offset: int, bucket: _Loaded | None) -> int:
        behind = self._starts[at + 1] - self._starts[at] - offset
        if bucket is not None:
            return self._sums[at] + bucket.sum_before(offset)
        if offset <= behind:
            rows = self._execute(_IDS, (*pair(self._lows[at]), offset, 0)) if offset else ()
            return self._sums[at] + _sum(rows)
        high = self._lows[at + 1] if at + 1 < len(self._lows) else INFINITY
        return self._sums[at + 1] - (_sum(self._execute(_LAST, (*pair(high), behind))) if behind else 0)


def _sum(rows: Iterable[tuple[bytes]]) -> int:
    return sum([int.from_bytes(id_, "little") for (id_,) in rows])
