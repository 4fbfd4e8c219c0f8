"""The index of actions whose content is not here though nobody erased it, so that neighbours can be asked for it.

A header may arrive alone: its content did not match, was not carried, or rotted somewhere on the way. The index is kept
in the transactions that write headers, content and erasures, and is as long as what is missing, however large the set.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence

from hubd.action import cbor
from hubd.action.content import is_anchored
from hubd.action.envelope import Action, is_content_named, without_content
from hubd.action.statement import FIELDS
from hubd.errors import RemoteError
from hubd.limits import QUERY_IDS_MAX

_IS_ERASED = "exists (select 1 from erasure where erasure.id = action.id and erasure.author = action.author)"
_IS_HERE = "exists (select 1 from content where content.id = action.id)"
_PAGE_ROWS = 4_096


def note(
    connection: sqlite3.Connection, arrived: Sequence[tuple[int, Action]], bodied: Iterable[Action]
) -> list[Action]:
    """Index what arrived without its content, and strike out what came or was erased. Called when all else is written.

    Returns those that were here, and whose content came now.
    """
    connection.executemany(
        f"insert into lacking (sequence) select sequence from action where sequence = ? and not {_IS_ERASED}",
        [(sequence,) for sequence, action in arrived if action.lacks_content],
    )
    if not connection.execute("select 1 from lacking limit 1").fetchone():
        return []
    fresh = {action.id for _, action in arrived}
    came = [action for action in bodied if action.id not in fresh]
    erased = [action.statement.subject for _, action in arrived if action.kind == "content-erase"]
    gained = [action for action in came if _strike(connection, action.id, _IS_HERE)]
    for action_id in (*(action.id for action in came), *erased):
        _strike(connection, action_id, _IS_ERASED)
    return gained


def _strike(connection: sqlite3.Connection, action_id: bytes, condition: str) -> bool:
    """Take it out of the index if this is so of it; whether it was in there."""
    sql = f"delete from lacking where sequence = (select sequence from action where id = ? and {condition})"
    return connection.execute(sql, (action_id,)).rowcount > 0


def without_erased(connection: sqlite3.Connection, fresh: Sequence[Action]) -> list[Action]:
    """These without the content that their authors erased: nobody is to be told it again."""
    bodied = [action.id for action in fresh if action.content is not None and not is_anchored(action.kind)]
    gone: set[bytes] = set()
    if bodied and connection.execute("select 1 from erasure limit 1").fetchone():
        for start in range(0, len(bodied), QUERY_IDS_MAX):
            part = bodied[start : start + QUERY_IDS_MAX]
            sql = f"select id from action where id in ({', '.join('?' * len(part))}) and {_IS_ERASED}"  # marks only
            gone.update(row[0] for row in connection.execute(sql, part))
    return [without_content(action) if action.id in gone else action for action in fresh]


def rot(connection: sqlite3.Connection, sequences: Iterable[int]) -> None:
    """The content of these changed on the card: it goes, to be asked for again."""
    for sequence in sequences:
        connection.execute(
            "delete from content where id = (select id from action where sequence = ?)",
            (sequence,),
        )
        connection.execute(
            f"insert or ignore into lacking (sequence) select sequence from action where sequence = ? and not {_IS_ERASED}",
            (sequence,),
        )


def listed(connection: sqlite3.Connection, after: int, until: int) -> set[int]:
    """What is indexed of the sequences beyond `after`, up to `until`."""
    sql = "select sequence from lacking where sequence > ? and sequence <= ?"
    return {sequence for (sequence,) in connection.execute(sql, (after, until))}


def settle(connection: sqlite3.Connection, sequences: Iterable[int]) -> int:
    """Index these anew, each by what is here of it; how many of them the index had wrong."""
    sql = f"select cast(header as blob) from action where sequence = ? and not {_IS_HERE} and not {_IS_ERASED}"
    wrong = 0
    for sequence in sequences:
        bare = connection.execute(sql, (sequence,)).fetchone()
        is_lacking = bare is not None and _lacks(bare[0])
        change = (
            "insert or ignore into lacking (sequence) values (?)"
            if is_lacking
            else ("delete from lacking where sequence = ?")
        )
        wrong += connection.execute(change, (sequence,)).rowcount
    return wrong


def fill(connection: sqlite3.Connection, told: Callable[[int], None] = lambda _: None) -> None:
    """Index a set that was there before the index. `told` hears how far it is."""
    sql = (
        "select sequence, cast(header as blob) from action where sequence > ? and sequence <= ?"
        f" and not {_IS_HERE} and not {_IS_ERASED} order by sequence"
    )
    [last] = connection.execute("select coalesce(max(sequence), 0) from action").fetchone()
    for after in range(0, last, _PAGE_ROWS):
        rows = connection.execute(sql, (after, after + _PAGE_ROWS)).fetchall()
        connection.executemany(
            "insert into lacking (sequence) values (?)", [(sequence,) for sequence, header in rows if _lacks(header)]
        )
        told(after + _PAGE_ROWS)


def _lacks(header: bytes) -> bool:
    """Not for a header that rotted: what it was comes back as a new row."""
    try:
        fields = dict(zip(FIELDS, cbor.decode(header)[0], strict=True))
        return is_content_named(fields["action"], fields["content"])
    except (RemoteError, TypeError, ValueError):
        return False
