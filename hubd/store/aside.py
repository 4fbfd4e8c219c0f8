"""How actions whose bytes rotted on the card leave the set, so that a neighbour's copy comes in as new."""

import sqlite3
from collections.abc import Iterable

from hubd.action.fingerprint import without
from hubd.action.sip018 import ActionId
from hubd.store import buckets, sketches, writing
from hubd.store.rows import is_id

_FOUND_AS = "select sequence from action indexed by action_by_item where created = ? and id = ?"
_KNOWN_AS = "select created, id from action indexed by action_by_item where +sequence = ?"  # reads all of the index
_HEADER = "select created, id, coalesce(cast(header as blob), x'') from action where sequence = ?"


def set_aside(connection: sqlite3.Connection, sequences: Iterable[int]) -> int:
    """Take actions out of the set, whatever their rows say by now. How many rows went."""
    gone = 0
    for sequence in sequences:
        row = connection.execute(_HEADER, (sequence,)).fetchone()
        if row is None:
            continue
        item = _item(connection, sequence, *row[:2])
        _delete(connection, sequence)
        gone += 1
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
    return gone


def _item(connection: sqlite3.Connection, sequence: int, created: object, id_: object) -> tuple[int, ActionId] | None:
    """What the set counts a row as: as the index has it, where that says something else than the row."""
    if connection.execute(_FOUND_AS, (created, id_)).fetchone() != (sequence,):
        created, id_ = connection.execute(_KNOWN_AS, (sequence,)).fetchone() or (None, None)
    return (created, id_) if type(created) is int and is_id(id_) else None


def _delete(connection: sqlite3.Connection, sequence: int) -> None:
    """A row that its indexes know by another name can't be deleted before they are laid out anew."""
    try:
        connection.execute("delete from action where sequence = ?", (sequence,))
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_CORRUPT:
            raise
        connection.execute("reindex action")
        connection.execute("delete from action where sequence = ?", (sequence,))
