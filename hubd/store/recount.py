"""What follows from the rows, made anew after rot: count, LtHash, buckets, and who may see what. In steps.

Over a million rows it takes half a minute, and nobody who writes may wait for that: what can be found by reading is found
by reading, and the index of who may see what is laid out beside the old one.
"""

import sqlite3
from itertools import pairwise
from typing import NamedTuple

from hubd.action.fingerprint import EMPTY, extend
from hubd.errors import RemoteError
from hubd.gossip.ranges import INFINITY
from hubd.limits import BUCKET_ITEMS_MAX, SCRUB_STEP_AUDIENCES, SCRUB_STEP_BUCKETS, SCRUB_STEP_IDS
from hubd.store import audience, buckets, sketches
from hubd.store.database import damage
from hubd.store.rows import is_id

_OF_OTHER_TYPES = "from bucket where typeof(low) != 'blob'"  # all of these are below each that is one


class Counted(NamedTuple):
    """The rows up to a sequence, counted and summed up. Begins as `NOTHING`."""

    last: int
    rows: int
    lthash: bytes
    is_end: bool
    agrees: bool  # at the end: whether the set counts and weighs what its rows do


NOTHING = Counted(0, 0, EMPTY, is_end=False, agrees=False)


def count_on(connection: sqlite3.Connection, before: Counted) -> Counted:
    """Count the rows that arrived next."""
    rows = connection.execute(
        "select sequence, id from action not indexed where sequence > ? order by sequence limit ?",
        (before.last, SCRUB_STEP_IDS),
    ).fetchall()
    if rows and rows[-1][0] <= before.last:
        raise damage("actions are in no order")
    count, lthash = before.rows + len(rows), extend(before.lthash, [row[1] for row in rows if is_id(row[1])])
    said = dict(connection.execute("select key, value from meta where key in ('lthash', 'count')").fetchall())
    last = rows[-1][0] if rows else before.last
    return Counted(last, count, lthash, len(rows) < SCRUB_STEP_IDS, said == {"lthash": lthash, "count": count})


def settle(connection: sqlite3.Connection, counted: Counted) -> bool:
    """Write down what was counted, and what arrived since. False if a row went meanwhile."""
    counted = counted._replace(is_end=False)
    while not counted.is_end:
        counted = count_on(connection, counted)
    if connection.execute("select count(*) from action").fetchone() != (counted.rows,):
        return False
    connection.execute(
        "insert or replace into meta (key, value) values ('count', ?), ('lthash', ?)", (counted.rows, counted.lthash)
    )
    sketches.forget(connection)
    return True


class _Bucket(NamedTuple):
    """A bucket as it is written, and where the next one begins."""

    low: bytes
    high: bytes
    items: int
    total: bytes


def look_at_buckets(connection: sqlite3.Connection, low: bytes) -> bytes | None:
    """Count the items of some buckets again, from the one at `low`. The low to go on with, None at the end.

    Raises `RemoteError("rot")` where a bucket is wrong.
    """
    if not low and connection.execute(f"select 1 {_OF_OTHER_TYPES}").fetchone():
        raise RemoteError("rot", "what a bucket begins with is no bytes")
    some = _buckets(connection, low)
    if not all(_is_right(each, list(buckets.keys_between(connection, each.low, each.high))) for each in some):
        raise RemoteError("rot", "a bucket is wrong")
    return some[-1].high if some[-1].high != INFINITY else None


def mend_buckets(connection: sqlite3.Connection, low: bytes) -> bytes | None:
    """The same, and lay those that are wrong out anew. Raises where even their order is."""
    if not low:
        connection.execute(f"delete {_OF_OTHER_TYPES}")
    if not connection.execute("select 1 from bucket where low = ?", (low,)).fetchone():
        connection.execute("insert into bucket (low, count, sum) values (?, 0, zeroblob(32))", (low,))
    some = _buckets(connection, low)
    for each in some:
        keys = list(buckets.keys_between(connection, each.low, each.high))
        if not _is_right(each, keys):
            buckets.lay(connection, each.low, iter(keys), BUCKET_ITEMS_MAX * 3 // 4)
    return some[-1].high if some[-1].high != INFINITY else None


def _is_right(bucket: _Bucket, keys: list[bytes]) -> bool:
    return (bucket.items, bucket.total) == (len(keys), buckets.sum_bytes(buckets.ids_sum(keys)))


def _buckets(connection: sqlite3.Connection, low: bytes) -> list[_Bucket]:
    rows = connection.execute(
        "select low, count, sum from bucket where low >= ? order by low limit ?", (low, SCRUB_STEP_BUCKETS + 1)
    ).fetchall()
    lows = [row[0] for row in rows] + ([INFINITY] if len(rows) <= SCRUB_STEP_BUCKETS else [])
    if lows[0] != low or any(above <= below for below, above in pairwise(lows)):
        raise RemoteError("rot", "buckets are missing, or in no order")
    return [_Bucket(row[0], high, row[1], row[2]) for row, high in zip(rows, lows[1:], strict=False)]


def lay_audience(connection: sqlite3.Connection, after: int) -> int | None:
    """Index who may see the actions that arrived next, beside the old index, which it replaces at the end.

    Begin with 0; returns what to go on with, None at the end. What a power cut leaves is begun anew.
    """
    if not after:
        connection.execute("drop table if exists audience_anew")
        connection.execute(
            "create table audience_anew (name integer not null, sequence integer not null, primary key (name, sequence))"
            " without rowid"
        )
    last = audience.fill_page(connection, "audience_anew", after, SCRUB_STEP_AUDIENCES)
    if last is None:
        connection.execute("drop table audience")
        connection.execute("alter table audience_anew rename to audience")
    return last
