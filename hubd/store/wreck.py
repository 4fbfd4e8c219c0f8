"""What can still be read of the actions in a database in which SQLite finds no order everywhere.

Rows are read by arrival. Past one that can't be read each place of arrival is tried, for readable and unreadable pages
alternate. What order alone does not lead to, an index may name.
"""

import sqlite3
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any

from hubd.limits import RESCUE_BLIND_MAX, RESCUE_STEP_ROWS

_ROW = "select sequence, cast(id as blob), cast(header as blob), digest from action not indexed where sequence"
_FROM = f"{_ROW} >= ? order by sequence limit ?"
_AT = f"{_ROW} = ?"
_LAST = "select max(sequence) from action not indexed"
_BY_ID = "select sequence from action indexed by sqlite_autoindex_action_1 where id between ? and ?"
_BY_ITEM = "select sequence from action indexed by action_by_item order by created {0}, id {0}"
_SLICE_BYTES = 2  # of an id: 65,536 slices, of which one holds 15 ids of a million
_ID_END = b"\xff" * 32
_BYTES = [bytes([value]) for value in range(256)]


def rows(old: sqlite3.Connection, names: sqlite3.Connection) -> Iterator[list[Any]]:
    """The rows by arrival, some at once; past damage as far as anything names a place. `names` reads the indexes."""
    place, step, last, tried = 1, RESCUE_STEP_ROWS, 0, 0
    while True:
        found = _asked(old, _FROM, (place, step))
        if found:
            yield found
        if found is not None and len(found) < step:
            return
        if found:
            place = max(place, found[-2 if step > 1 else -1][0]) + 1  # of several, the last may lie about its place
            step = min(2 * step, RESCUE_STEP_ROWS)
        elif step > 1:
            step = 1
        else:
            last, place, tried = last or _last(old, names), place + 1, tried + 1
            if place > last or tried > RESCUE_BLIND_MAX:
                return


def named(
    old: sqlite3.Connection, names: sqlite3.Connection, are_missed: Callable[[list[int]], Iterable[int]]
) -> Iterator[list[Any]]:
    """The rows at those of the places named by an index that are missed so far."""
    for places in _named(names):
        for place in are_missed(places):
            if found := _asked(old, _AT, (place,)):
                yield found


def _last(old: sqlite3.Connection, names: sqlite3.Connection) -> int:
    """The highest place that anything names."""
    highest = (_asked(old, _LAST, ()) or [(0,)])[0][0] or 0
    return max([highest, *(max(places, default=0) for places in _named(names))])


def _named(names: sqlite3.Connection) -> Iterator[list[int]]:
    """The places that the indexes name, twice at least where these are sound: past their own damage, too."""
    is_whole = yield from _until_damage(names, _BY_ITEM.format("asc"))
    if not is_whole:
        yield from _until_damage(names, _BY_ITEM.format("desc"))
    for byte in _BYTES:
        yield from _by_id(names, byte)


def _until_damage(names: sqlite3.Connection, sql: str) -> Generator[list[int], None, bool]:
    """Returns whether it came to the end."""
    some: list[int] = []
    try:
        for (sequence,) in names.execute(sql):
            some.append(sequence)
            if len(some) == RESCUE_STEP_ROWS:
                yield some
                some = []
    except sqlite3.DatabaseError:
        yield some
        return False
    yield some
    return True


def _by_id(names: sqlite3.Connection, first: bytes) -> Iterator[list[int]]:
    """Of the ids that begin so; where that can't be read, slice by slice."""
    found = _asked(names, _BY_ID, (first, first + _ID_END))
    if found:
        yield [sequence for (sequence,) in found]
    if found is None and len(first) < _SLICE_BYTES:
        for byte in _BYTES:
            yield from _by_id(names, first + byte)


def _asked(connection: sqlite3.Connection, sql: str, values: tuple[object, ...]) -> list[Any] | None:
    """The rows of a query, None where they can't be read."""
    try:
        return connection.execute(sql, values).fetchall()
    except (sqlite3.DatabaseError, UnicodeDecodeError):
        return None
