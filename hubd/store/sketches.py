"""The coded symbols of the whole set (`hubd.gossip.sketch`), kept in the database and caught up with it when asked for.

Adding an id takes as long as inserting it, so this is not done with every insert: whoever asks first adds what arrived
since. A few are not worth writing it again for. What is kept says up to which sequence it goes, and has a version that
changes with it, so that a step that was overtaken, because an action rotted meanwhile, is done again.
"""

import sqlite3
from hashlib import sha256
from typing import NamedTuple

from hubd.action.sip018 import ActionId
from hubd.gossip.sketch import Symbols
from hubd.limits import SKETCH_KEEP_IDS, SKETCH_STEP_IDS
from hubd.store.database import damage
from hubd.store.rows import is_id

_NUMBER_BYTES = 8
_CHECK_BYTES = 8


class Kept(NamedTuple):
    """The symbols of all actions up to a sequence."""

    version: int
    sequence: int
    symbols: bytes


def load(connection: sqlite3.Connection) -> Kept:
    """What is kept; of no actions where nothing is, or where its bytes rotted."""
    row = connection.execute("select value from meta where key = 'sketch'").fetchone()
    if row is None or type(row[0]) is not bytes:
        return Kept(0, 0, Symbols().to_bytes())
    check, rest = row[0][:_CHECK_BYTES], row[0][_CHECK_BYTES:]
    version, sequence = (int.from_bytes(rest[at : at + _NUMBER_BYTES], "big") for at in (0, _NUMBER_BYTES))
    if _check(rest) != check:
        return Kept(0, 0, Symbols().to_bytes())
    return Kept(version, sequence, rest[2 * _NUMBER_BYTES :])


class Advanced(NamedTuple):
    """`found` is what was kept with the next `added` actions; `is_whole` when there are no more."""

    found: Kept
    added: int
    is_whole: bool

    @property
    def is_worth_keeping(self) -> bool:
        """Whether the next question would have much to add again."""
        return not self.is_whole or self.added >= SKETCH_KEEP_IDS


def advance(connection: sqlite3.Connection) -> Advanced:
    """Add the next actions to what is kept."""
    kept = load(connection)
    rows = connection.execute(
        "select sequence, id from action where sequence > ? order by sequence limit ?", (kept.sequence, SKETCH_STEP_IDS)
    ).fetchall()
    if not rows:
        return Advanced(kept, 0, is_whole=True)
    if rows[-1][0] <= kept.sequence:
        raise damage("actions are in no order")
    symbols = Symbols.from_bytes(kept.symbols)
    symbols.add(action_id for _, action_id in rows if is_id(action_id))
    found = Kept(kept.version, rows[-1][0], symbols.to_bytes())
    return Advanced(found, len(rows), is_whole=len(rows) < SKETCH_STEP_IDS)


def keep(connection: sqlite3.Connection, kept: Kept) -> None:
    """Write down what `advance` found, unless something was taken out since."""
    if load(connection).version == kept.version:
        _write(connection, kept)


def remove(connection: sqlite3.Connection, sequence: int, action_id: ActionId) -> None:
    """Take out an action that leaves the set in this transaction."""
    kept = load(connection)
    if sequence <= kept.sequence:
        symbols = Symbols.from_bytes(kept.symbols)
        symbols.remove([action_id])
        kept = kept._replace(symbols=symbols.to_bytes())
    _write(connection, kept)


def forget(connection: sqlite3.Connection) -> None:
    """Begin anew with the next question."""
    _write(connection, Kept(load(connection).version, 0, Symbols().to_bytes()))


def _write(connection: sqlite3.Connection, kept: Kept) -> None:
    numbers = b"".join(number.to_bytes(_NUMBER_BYTES, "big") for number in (kept.version + 1, kept.sequence))
    value = _check(numbers + kept.symbols) + numbers + kept.symbols
    connection.execute("insert or replace into meta (key, value) values ('sketch', ?)", (value,))


def _check(raw: bytes) -> bytes:
    return sha256(raw).digest()[:_CHECK_BYTES]
