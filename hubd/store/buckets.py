"""The table `bucket`: counts and sums of neighbouring items, changed in the transaction that changes the set.

An item is an action seen as (`created`, id); its key is the 40 bytes of `ranges.key`. A batch of new actions is mostly
of one time, so the buckets are looked for in runs of keys, not key by key.
"""

import sqlite3
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from hubd.gossip.ranges import CREATED_BYTES, INFINITY, key
from hubd.limits import BUCKET_ITEMS_MAX
from hubd.store.rows import is_id

_SUM_BYTES = 32
_TOLD_ITEMS = 4_096
_MODULUS = 1 << 8 * _SUM_BYTES


def ids_sum(keys: Iterable[bytes]) -> int:
    """The sum of the keys' ids as little-endian numbers."""
    return sum(int.from_bytes(each[CREATED_BYTES:], "little") for each in keys)


def sum_bytes(total: int) -> bytes:
    """A sum as it is stored."""
    return (total % _MODULUS).to_bytes(_SUM_BYTES, "little")


def keys_between(connection: sqlite3.Connection, low: bytes, high: bytes) -> Iterator[bytes]:
    """The keys of the set from `low` to below `high`, ascending."""
    lower, upper = pair(low), pair(high)
    rows = connection.execute(
        "select created, id from action where (created, id) >= (?, ?) and (created, id) < (?, ?) order by created, id",
        (*lower, *upper),
    )
    return (
        created.to_bytes(CREATED_BYTES, "big") + id_ for created, id_ in rows if is_id(id_) and type(created) is int
    )


def add(connection: sqlite3.Connection, items: Iterable[tuple[int, bytes]], most: int = BUCKET_ITEMS_MAX) -> None:
    """Count items that were inserted in this transaction; a bucket of more than `most` is parted."""
    keys = sorted(key(created, id_) for created, id_ in items)
    at = 0
    while at < len(keys):
        low, count, total, high = _holding(connection, keys[at])
        end = bisect_left(keys, high, at)
        count += end - at
        if total < 0:
            _part(connection, low, high, most, most)
        elif count <= most:
            _write(connection, low, count, total + ids_sum(keys[at:end]))
        elif end - at <= most and high == INFINITY and _are_newest(connection, keys[at:]):
            _write(connection, keys[at], end - at, ids_sum(keys[at:]))
        else:
            _part(connection, low, high, count, most)
        at = end


def remove(connection: sqlite3.Connection, created: int, id_: bytes) -> None:
    """Take out an item that was deleted in this transaction."""
    gone = key(created, id_)
    low, count, total, high = _holding(connection, gone)
    if total < 0:
        _part(connection, low, high, BUCKET_ITEMS_MAX, BUCKET_ITEMS_MAX)
    else:
        _write(connection, low, count - 1, total - ids_sum((gone,)))


def recount(connection: sqlite3.Connection, told: Callable[[int], None] = lambda _: None) -> None:
    """Make all buckets anew from the set. `told` hears now and then how many items are done."""
    connection.execute("delete from bucket")
    keys = _telling(keys_between(connection, b"", INFINITY), told)
    lay(connection, b"", keys, BUCKET_ITEMS_MAX * 3 // 4)


def lay(connection: sqlite3.Connection, low: bytes, keys: Iterator[bytes], fill: int) -> None:
    """Buckets of `fill` items over ascending keys; the first one is called `low` whatever its first key."""
    part = list(islice(keys, fill))
    _write(connection, low, len(part), ids_sum(part))
    while part := list(islice(keys, fill)):
        _write(connection, part[0], len(part), ids_sum(part))


def _telling(keys: Iterator[bytes], told: Callable[[int], None]) -> Iterator[bytes]:
    for number, each in enumerate(keys):
        if not number % _TOLD_ITEMS:
            told(number)
        yield each


def _holding(connection: sqlite3.Connection, at: bytes) -> tuple[bytes, int, int, bytes]:
    """The bucket of a key: its low, count and sum, and the next one's low. The sum is below zero where one rotted."""
    low, count, total = connection.execute(
        "select low, count, sum from bucket where low <= ? and typeof(low) = 'blob' order by low desc limit 1", (at,)
    ).fetchone() or (b"", 0, None)
    above = connection.execute("select low from bucket where low > ? order by low limit 1", (at,)).fetchone()
    high = above[0] if above else INFINITY
    if type(count) is not int or type(total) is not bytes:
        return low, 0, -1, high
    return low, count, int.from_bytes(total, "little"), high


def _are_newest(connection: sqlite3.Connection, keys: list[bytes]) -> bool:
    """Whether all else is below these keys, which are in the set by now: the usual case, which needs no other item read."""
    found = connection.execute("select count(*) from action where (created, id) >= (?, ?)", pair(keys[0]))
    return bool(found.fetchone()[0] == len(keys))


def _part(connection: sqlite3.Connection, low: bytes, high: bytes, count: int, most: int) -> None:
    """Lay the items of one bucket out in several: the newest nearly full, as little comes before them; others in halves."""
    parts = -(-count * 4 // (most * 3))
    fill = most * 15 // 16 if high == INFINITY else -(-count // parts)
    lay(connection, low, keys_between(connection, low, high), max(fill, 1))


def _write(connection: sqlite3.Connection, low: bytes, count: int, total: int) -> None:
    connection.execute(
        "insert or replace into bucket (low, count, sum) values (?, ?, ?)", (low, count, sum_bytes(total))
    )


def pair(bound: bytes) -> tuple[int, bytes]:
    """A bound as SQLite compares items; its integers end at 2^63 - 1, where the set's do."""
    created = int.from_bytes(bound[:CREATED_BYTES], "big") if bound else 0
    return (created, bound[CREATED_BYTES:]) if created < 1 << 63 else ((1 << 63) - 1, b"\xff" * 33)
