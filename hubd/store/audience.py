"""The index of who may see what: kept in the transaction of the insert, read for phones with a narrow view.

A page for a reader of many keys is a merge of short sorted runs, one for each audience, so it costs what it returns,
however large the set is.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence

from hubd.action import cbor
from hubd.action.audience import Audience, audiences, audiences_of
from hubd.action.envelope import Action
from hubd.action.statement import FIELDS
from hubd.errors import RemoteError

_RUN = "select sequence from (select sequence from audience where name = ? and sequence > ? order by sequence limit ?)"
_PAGE_ROWS = 4_096


def note(connection: sqlite3.Connection, fresh: Iterable[tuple[int, Action]]) -> None:
    """Index actions that this transaction inserts, by their sequences. What rot left at one of these is no hindrance."""
    connection.executemany(
        "insert or ignore into audience (name, sequence) values (?, ?)",
        [(name, sequence) for sequence, action in fresh for name in audiences(action.statement)],
    )


def seen(names: Sequence[Audience], after: int, rows_max: int) -> tuple[str, list[int]]:
    """A subquery of the sequences beyond `after` that any of these audiences sees, in order, and its values."""
    runs = " union ".join([_RUN] * len(names))
    values = [value for name in names for value in (name, after, rows_max)]
    return f"(select sequence from ({runs}) order by sequence limit ?)", [*values, rows_max]


def fill(connection: sqlite3.Connection, told: Callable[[int], None] = lambda _: None) -> None:
    """Index a set that was there before the index. `told` hears how far it is."""
    last = fill_page(connection, "audience", 0, _PAGE_ROWS)
    while last is not None:
        told(last)
        last = fill_page(connection, "audience", last, _PAGE_ROWS)


def fill_page(connection: sqlite3.Connection, table: str, after: int, rows_max: int) -> int | None:
    """Index the actions that arrived next. The last one's sequence, None if there are no more."""
    sql = "select sequence, cast(header as blob) from action where sequence > ? order by sequence limit ?"
    rows = connection.execute(sql, (after, rows_max)).fetchall()
    connection.executemany(
        f"insert or ignore into {table} (name, sequence) values (?, ?)",
        ((name, sequence) for sequence, header in rows for name in _named(header)),
    )
    return rows[-1][0] if rows else None


def _named(header: bytes) -> set[Audience]:
    """Nothing for a header that rotted: what it was comes back as a new row."""
    try:
        fields = dict(zip(FIELDS, cbor.decode(header)[0], strict=True))
        return audiences_of(fields["action"], fields["author"], fields["who"])
    except (RemoteError, TypeError, ValueError, AttributeError):
        return set()
