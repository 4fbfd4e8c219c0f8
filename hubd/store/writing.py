"""What one transaction does to the set: rows, content, erasures, count, LtHash and buckets, all or nothing.

These functions run in the writer's thread, inside its transaction, one whole batch in each call.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from hubd.action.content import is_anchored
from hubd.action.envelope import Action
from hubd.action.fingerprint import STATE_BYTES, extend
from hubd.store import audience, buckets, lacking
from hubd.store.rows import row_digest

INDEXED_KINDS = (
    "hub-*",
    "steward-*",
    "relay-*",
    "desk-witness",
    "safety-post",
    "lesson-claim",
    "dispute-settle",
    "recovery-finish",
)
"""Which actions have a place in the index by kind: those that anybody asks `page_of_kinds` for."""


def _named(name: str) -> str:
    """The condition of a name or of all that begin with it, in comparisons: SQLite looks at every row that comes in."""
    if not name.endswith("*"):
        return f"kind = '{name}'"
    first = name.removesuffix("*")
    return f"(kind >= '{first}' and kind < '{first[:-1]}{chr(ord(first[-1]) + 1)}')"


BY_KIND = "(" + " or ".join(_named(name) for name in INDEXED_KINDS) + ")"
"""The same in the schema's words, for SQLite compares these: it uses the index only where a query says them, too."""
Offer = tuple[Sequence[Action], bytes]  # actions and the principal of the peer they came from, b"" for none
Cursors = Mapping[bytes, tuple[int, bytes]]  # up to which sequence and mark of a peer's own order we have what it has
_NOBODY = 0  # no peer's number
_INSERT = (
    "insert into action (sequence, id, created, kind, author, header, digest, source)"
    " values (?, ?, ?, ?, ?, ?, ?, nullif(?, 0))"
    " on conflict (id) do nothing"
)


def is_indexed(kind: str) -> bool:
    """Whether the index by kind holds the actions of this kind."""
    return any(fnmatchcase(kind, name) for name in INDEXED_KINDS)


class Written(NamedTuple):
    """What was new, in arrival order, without what was erased; and what was here and lacked the content that came."""

    fresh: list[Action]
    gained: list[Action]


def append(connection: sqlite3.Connection, offers: Iterable[Offer], cursors: Cursors) -> Written:
    """Add what is not there. Writes down peers' places, too."""
    for peer, (sequence, mark) in cursors.items():
        number = peer_number(connection, peer)
        connection.execute("update peer set sequence = ?, mark = ? where number = ?", (sequence, mark, number))
    offered: dict[bytes, tuple[Action, int]] = {}
    for actions, source in offers:
        origin = peer_number(connection, source) if source else _NOBODY
        for action in actions:
            earlier = offered.get(action.id)
            if earlier is None:
                offered[action.id] = action, origin
            elif earlier[0].content is None:
                offered[action.id] = action, earlier[1]
    bodied = [action for action, _ in offered.values() if action.content is not None]
    arrived = _insert(connection, list(offered.values()))
    fresh = [action for _, action in arrived]
    audience.note(connection, arrived)
    _write_content(connection, bodied, fresh)
    gained = lacking.note(connection, arrived, bodied)
    if fresh:
        ids = [action.id for action in fresh]
        if connection.execute("select id from rotten limit 1").fetchone():
            connection.executemany("delete from rotten where id = ?", [(action_id,) for action_id in ids])
        if (state := lthash(connection)) is not None:  # the scrub counts again
            weigh(connection, len(ids), extend(state, ids))
        buckets.add(connection, [(action.statement.created, action.id) for action in fresh])
    return Written(lacking.without_erased(connection, fresh), gained)


def peer_number(connection: sqlite3.Connection, principal: bytes) -> int:
    """The short name of a peer in this database, given now if it has none."""
    connection.execute("insert or ignore into peer (principal) values (?)", (principal,))
    return int(connection.execute("select number from peer where principal = ?", (principal,)).fetchone()[0])


def _last(connection: sqlite3.Connection) -> int:
    """The highest sequence ever given. Of those that left, as far as a row that may have rotted tells it."""
    left, here = "select cast(value as integer) from meta where key = 'left'", "select max(sequence) from action"
    sql = f"select max(coalesce(({left}), 0), coalesce(({here}), 0))"
    return int(connection.execute(sql).fetchone()[0])


def _insert(connection: sqlite3.Connection, offered: list[tuple[Action, int]]) -> list[tuple[int, Action]]:
    """Lay rows down for what is not there; returns it by its sequences. Known ones leave gaps in these."""
    last = _last(connection)
    arrived = [(sequence, action) for sequence, (action, _) in enumerate(offered, last + 1)]
    rows = [_row(sequence, action, source) for sequence, (action, source) in enumerate(offered, last + 1)]
    if connection.executemany(_INSERT, rows).rowcount == len(rows):
        return arrived
    new = {sequence for (sequence,) in connection.execute("select sequence from action where sequence > ?", (last,))}
    return [each for each in arrived if each[0] in new]


def _row(sequence: int, action: Action, source: int) -> tuple[object, ...]:
    """The values of a row; no `bytes` and no None, because sqlite3 looks for somebody who adapts each of these.

    That search takes longer than all else it does with the value: a quarter of the time of this insert.
    """
    id_, (kind, author, created, *_), _, header, _ = action
    digest = bytearray(row_digest(header))
    return sequence, bytearray(id_), created, kind, bytearray(author), bytearray(header), digest, source


def _write_content(connection: sqlite3.Connection, bodied: list[Action], fresh: list[Action]) -> None:
    """Content beside the headers, less what its author erased; erasures themselves take effect here."""
    connection.executemany(
        "insert or ignore into content (id, body) values (?, ?)",
        [(action.id, action.content) for action in bodied if is_anchored(action.kind)],
    )
    connection.executemany(
        "insert or ignore into content (id, body) select ?, ?"
        " where not exists (select 1 from erasure where id = ? and author = ?)",
        [(a.id, a.content, a.id, a.statement.author) for a in bodied if not is_anchored(a.kind)],
    )
    for erasure in fresh:
        if erasure.kind == "content-erase":
            erase(connection, erasure)


def erase(connection: sqlite3.Connection, erasure: Action) -> None:
    """Let an erasure take effect, for what is here and for what may come."""
    named = (erasure.statement.subject, erasure.statement.author)
    connection.execute("insert or ignore into erasure (id, author) values (?, ?)", named)
    kinds = connection.execute("select kind from action where id = ? and author = ?", named).fetchall()
    if any(not is_anchored(kind) for (kind,) in kinds):
        connection.execute("delete from content where id = ?", (erasure.statement.subject,))


def lthash(connection: sqlite3.Connection) -> bytes | None:
    """The LtHash of the set, None where it rotted."""
    [state] = connection.execute("select value from meta where key = 'lthash'").fetchone() or (None,)
    return state if type(state) is bytes and len(state) == STATE_BYTES else None


def weigh(connection: sqlite3.Connection, more: int, state: bytes) -> None:
    """Write down that the set has so many more actions, and its LtHash. A count that rotted stays as it is."""
    connection.execute("update meta set value = value + ? where key = 'count' and typeof(value) = 'integer'", (more,))
    connection.execute("update meta set value = ? where key = 'lthash'", (state,))
