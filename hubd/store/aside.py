"""How actions whose bytes rotted on the card leave the set, so that a neighbour's copy comes in as new.

A row's indexes know it by what was written. Where the row says something else by now, it is called by its old name again
before it goes: that costs a look at one index, and no index has to be laid out anew.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from hubd.action.fingerprint import without
from hubd.action.sip018 import ActionId
from hubd.store import buckets, sketches, writing
from hubd.store.rows import is_id

_COUNT = """insert into meta (key, value) values ('aside', ?)
    on conflict (key) do update set value = cast(value as integer) + excluded.value"""
_HEADER = "select created, id, coalesce(cast(header as blob), x'') from action where sequence = ?"
_IS_NAMED = "select sequence from action indexed by sqlite_autoindex_action_1 where id = ?"
_IS_SORTED_AS = "select sequence from action indexed by action_by_item where created = ? and id = ?"
_SORTED_AS = "select created, id from action indexed by action_by_item where +sequence = ?"  # reads the whole index
_OF_A_KIND = f"select sequence from action indexed by action_by_kind where {writing.BY_KIND}"  # a short one


def set_aside(connection: sqlite3.Connection, sequences: Iterable[int]) -> int:
    """Take actions out of the set, whatever their rows say by now. How many rows went."""
    gone, renamed = set(), set()
    for sequence in sequences:
        row = connection.execute(_HEADER, (sequence,)).fetchone()
        if row is None:
            continue
        item: tuple[int, ActionId] | None = row[:2]
        if not (_is_item(*row[:2]) and connection.execute(_IS_SORTED_AS, row[:2]).fetchone() == (sequence,)):
            item = _item(connection, sequence, *row[:2])
            renamed.add(sequence)
        _delete(connection, sequence, item)
        gone.add(sequence)
        connection.execute("delete from lacking where sequence = ?", (sequence,))
        if item is None:  # the scrub counts again
            continue
        created, action_id = item
        connection.execute("insert or replace into rotten (id, header) values (?, ?)", (action_id, row[2]))
        connection.execute("delete from content where id = ?", (action_id,))
        if (lthash := writing.lthash(connection)) is not None:
            writing.weigh(connection, -1, without(lthash, [action_id]))
        buckets.remove(connection, created, action_id)
        sketches.remove(connection, sequence, action_id)
    if gone:  # whoever said of another hub's order that all of it is here says so no longer
        connection.execute(_COUNT, (len(gone),))
    _forget(connection, gone, renamed)
    return len(gone)


@contextmanager
def names_may_differ(connection: sqlite3.Connection) -> Iterator[None]:
    """Let a row be changed or deleted that an index does not know by what it says, which SQLite else calls damage."""
    connection.execute("pragma writable_schema = on")
    try:
        yield
    finally:
        connection.execute("pragma writable_schema = off")


def _is_item(created: object, id_: object) -> bool:
    return type(created) is int and is_id(id_)


def _item(connection: sqlite3.Connection, sequence: int, created: object, id_: object) -> tuple[int, ActionId] | None:
    """What the set counts a row as, where row and index differ; None where neither tells."""
    was_created, was_id = connection.execute(_SORTED_AS, (sequence,)).fetchone() or (None, None)
    if connection.execute(_IS_NAMED, (id_,)).fetchone() == (sequence,):
        created = was_created if was_id == id_ else created
    else:
        created, id_ = was_created, was_id
    return (created, id_) if type(created) is int and is_id(id_) else None


def _delete(connection: sqlite3.Connection, sequence: int, item: tuple[int, ActionId] | None) -> None:
    with names_may_differ(connection):
        if item is not None:
            connection.execute("update or ignore action set created = ?, id = ? where sequence = ?", (*item, sequence))
        connection.execute("delete from action where sequence = ?", (sequence,))


def _forget(connection: sqlite3.Connection, gone: set[int], renamed: set[int]) -> None:
    """Lay those indexes out anew that still lead to rows that went, because they rotted themselves."""
    if any(connection.execute(_SORTED_AS, (sequence,)).fetchone() for sequence in renamed):
        connection.execute("reindex action_by_item")
        connection.execute("reindex sqlite_autoindex_action_1")
    if gone and not gone.isdisjoint(sequence for (sequence,) in connection.execute(_OF_A_KIND)):
        connection.execute("reindex action_by_kind")
