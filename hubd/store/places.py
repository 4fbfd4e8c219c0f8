"""Shelves in SQLite: which actions stand at a place, by author, best rank first (hubd/fold/filing.py)."""

import sqlite3
import zlib
from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeAlias

from hubd.action.principal import Principal
from hubd.action.sip018 import ActionId
from hubd.fold.filing import Rank
from hubd.store.cells import Cache, Names, Written

_Row: TypeAlias = tuple[bytes, int, int, bytes]  # author, both parts of the rank (0 where there is none), id
_ODDS: Final = (0x9E37_79B9_7F4A_7C15, 0xC2B2_AE3D_27D4_EB4F, 0x1656_67B1_9E37_79F9)
_BIG: Final = None  # in the cache: a place with more rows than are kept in memory


def row_check(place: int, author: bytes, first: int, second: int, action_id: bytes) -> int:
    """What a row adds to its table's check: see `hubd/store/cells.py`."""
    numbers = sum(number * odd for number, odd in zip((place, first, second), _ODDS, strict=True))
    return numbers + zlib.crc32(action_id, zlib.crc32(author))


class Places:
    """Rows by place. What a stranger files beside it costs an author's rows nothing.

    `flush_all` writes every table of the file: names tell what is fresh, for all of them.
    """

    def __init__(
        self,
        names: Names,
        connection: sqlite3.Connection,
        flush_all: Callable[[], None],
        *,
        size: int,
        rows_max: int,
    ) -> None:
        self._connection, self._rows_max = connection, rows_max
        self._written = Written(names)
        self._flush_all = flush_all
        self.check = 0
        self._cache = Cache(size)
        self._fresh: dict[int, list[_Row]] = {}

    def add(self, place: int, author: Principal, rank: Rank, action_id: ActionId) -> None:
        """One action more at a place."""
        first, second = rank or (0, 0)
        row = (bytes(author), first, second, bytes(action_id))
        self._fresh.setdefault(place, []).append(row)
        known = self._cache.get(place, ())
        if isinstance(known, list):
            if len(known) < self._rows_max:
                insort(known, row)
            else:
                self._cache.put(place, _BIG)

    def _rows(self, place: int) -> list[_Row] | None:
        """All rows of a small place, in order; None for a big one."""
        known: list[_Row] | tuple[()] | None = self._cache.get(place, ())
        if known != ():
            return known  # type: ignore[return-value]
        rows: list[_Row] = []
        if not self._written.lacks(place):
            sql = "select author, first, second, id from shelf where place = ? limit ?"
            rows = self._connection.execute(sql, (place, self._rows_max + 1)).fetchall()
        rows += self._fresh.get(place, ())
        rows.sort()
        small = rows if len(rows) <= self._rows_max else _BIG
        self._cache.put(place, small)
        return small

    def filed(self, place: int, author: Principal) -> Iterator[ActionId]:
        """One author's actions at a place, best rank first, ties by id; lazily."""
        rows = self._rows(place)
        if rows is None:
            self._flush_all()
            sql = "select id from shelf where place = ? and author = ? order by first, second, id"
            yield from (ActionId(row[0]) for row in self._connection.execute(sql, (place, author)))
            return
        for index in range(bisect_left(rows, (author,)), len(rows)):
            if rows[index][0] != author:
                return
            yield ActionId(rows[index][3])

    def authors(self, place: int) -> Sequence[Principal]:
        """Who has actions at a place, sorted."""
        rows = self._rows(place)
        if rows is None:
            self._flush_all()
            sql = "select distinct author from shelf where place = ? order by author"
            return [Principal(row[0]) for row in self._connection.execute(sql, (place,))]
        return sorted({Principal(row[0]) for row in rows})

    def flush(self) -> None:
        """Write what is new."""
        rows = [(place, *row) for place, added in self._fresh.items() for row in added]
        self.check += sum(row_check(*row) for row in rows)
        self._connection.executemany(
            "insert into shelf (place, author, first, second, id) values (?, ?, ?, ?, ?)", rows
        )
        self._written.note(self._fresh)
        self._fresh = {}
