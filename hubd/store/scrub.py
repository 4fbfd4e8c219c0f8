"""What rot does to rows, and what is done about it: one step of the scrub at a time (`hubd/store/scrubber.py`).

`pragma integrity_check` sees structure, not content: of 15 flipped bits it missed 12. Here every row says itself what it
must be, by its id, its content's hash and its signature. What the rest of a row tells is put right in place; an action
that can't be told any more leaves the set, and the next neighbour that has it gives it, as it gives anything we lack.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any, NamedTuple

from hubd.action.audience import audiences
from hubd.action.content import digest_of, is_anchored
from hubd.action.envelope import Action
from hubd.action.fingerprint import EMPTY, extend
from hubd.action.sip018 import Domain
from hubd.errors import RemoteError
from hubd.limits import INTEGER_MAX, SCRUB_STEP_IDS, SCRUB_STEP_ROWS, SCRUB_STRAYS_MAX
from hubd.store import lacking, sketches, writing
from hubd.store.aside import names_may_differ, set_aside
from hubd.store.database import damage
from hubd.store.rows import is_id, reopen, row_digest, salvaged
from hubd.store.writing import BY_KIND

_ROW = f"""
    select a.sequence, a.id, a.created, a.kind, a.author, a.header, a.digest, content.body,
        (select i.sequence from action i indexed by sqlite_autoindex_action_1 where i.id = a.id),
        (select i.sequence from action i indexed by action_by_item where i.created = a.created and i.id = a.id),
        case when {BY_KIND} then (
            select i.sequence from action i indexed by action_by_kind
            where i.kind = a.kind and i.sequence = a.sequence and {BY_KIND}
        ) else a.sequence end
    from action a not indexed left join content on content.id = a.id
"""
INDEXES = ("sqlite_autoindex_action_1", "action_by_item", "action_by_kind")
_SMALL = ("erasure", "ledger", "ledger_item", "peer")  # with indexes of their own
_FIRST_INDEX = 8  # in a row
_IS_KNOWN = "typeof(id) = 'blob' and id in (select id from action)"
_KEY_IS = "cast(id as blob) is ?"  # of every row: what rotted is not where a search looks


class Looked(NamedTuple):
    """What was found in the rows so far, by arrival. Begins as `NOTHING`."""

    last: int
    is_end: bool
    damaged: list[int]  # sequences, of the last step
    astray: list[int]  # others of which the index of missing content is wrong, or which are in it alone
    lacking: bool  # whether content is not here that nobody erased
    rows: int
    lthash: bytes
    agrees: bool  # at the end: whether the set counts and weighs what its rows do


NOTHING = Looked(0, False, [], [], False, 0, EMPTY, True)


def look(connection: sqlite3.Connection, before: Looked, domain: Domain) -> Looked:
    """Read the rows that arrived next. Raises `LocalError` where they are in no order."""
    sql = f"{_ROW} where a.sequence > ? order by a.sequence limit ?"
    rows = connection.execute(sql, (before.last, SCRUB_STEP_ROWS)).fetchall()
    if rows and rows[-1][0] <= before.last:
        raise damage("actions are in no order")
    judged = [(row, _sound(connection, row, domain)) for row in rows]
    sound = [action for _, action in judged if action is not None]
    lthash, count = extend(before.lthash, (action.id for action in sound)), before.rows + len(sound)
    bare = {row[0] for row, action in judged if action and action.lacks_content and not _erased(connection, action)}
    damaged = [int(row[0]) for row, action in judged if action is None]
    is_end = len(rows) < SCRUB_STEP_ROWS
    listed = lacking.listed(connection, before.last, INTEGER_MAX if is_end else rows[-1][0])
    said = dict(connection.execute("select key, value from meta where key in ('lthash', 'count')").fetchall())
    return Looked(
        rows[-1][0] if rows else before.last,
        is_end,
        damaged,
        sorted((bare ^ listed).difference(damaged)),
        before.lacking or bool(bare),
        count,
        lthash,
        said == {"lthash": lthash, "count": count},
    )


def look_at_pages(connection: sqlite3.Connection) -> None:
    """Raises `LocalError` where the file's pages are in no order. Half a second for a million actions."""
    for check in ("quick_check(1)", *(f"integrity_check({name})" for name in _SMALL)):
        said = connection.execute(f"pragma {check}").fetchone()[0]
        if said != "ok":
            raise damage(said)


class Mended(NamedTuple):
    """What became of damaged rows."""

    gone: int  # out of the set
    restored: int


def reindex(connection: sqlite3.Connection, name: str) -> None:
    """Lay an index that rotted itself out anew, one in each transaction: a second for a million rows, about five on a Pi 4.

    SQLite has no smaller step for it. Readers read on; who writes waits for so long, once.
    """
    connection.execute(f"reindex {name}")


def mend(connection: sqlite3.Connection, sequences: Sequence[int], domain: Domain) -> Mended:
    """Put damaged rows right, or out of the set."""
    gone = []
    for sequence in sequences:
        row = _row(connection, sequence)
        if row is None:
            continue
        action = _salvaged(connection, row, domain)
        if action is None:
            gone.append(sequence)
            continue
        if action.kind == "content-erase":
            writing.erase(connection, action)
        if not _tells(row, action):
            with names_may_differ(connection):
                _restore(connection, sequence, action)
            sketches.forget(connection)  # it may have added what the row said
    set_aside(connection, gone)
    return Mended(len(gone), len(sequences) - len(gone))


def mislaid(connection: sqlite3.Connection, sequences: Sequence[int]) -> list[str]:
    """The indexes that do not lead to these rows, which are right: they rotted themselves."""
    rows = [row for sequence in sequences if (row := _row(connection, sequence)) is not None]
    return [name for at, name in enumerate(INDEXES, _FIRST_INDEX) if any(row[at] != row[0] for row in rows)]


class Strays(NamedTuple):
    """Content whose key names no action, found so far. Begins as `NO_STRAYS`."""

    last: bytes
    keys: list[bytes]
    is_end: bool


NO_STRAYS = Strays(b"", [], is_end=False)


def look_for_strays(connection: sqlite3.Connection, before: Strays) -> Strays:
    """Look at the keys of some more content. One that rotted is out of order, so it does not say where to go on."""
    beyond = "id > ?" if before.last else "? = x''"  # also what became a text, which is below all others
    sql = f"select cast(id as blob), {_IS_KNOWN} from content where {beyond} order by id limit ?"
    rows = connection.execute(sql, (before.last, SCRUB_STEP_IDS)).fetchall()
    last = max((key for key, is_known in rows if is_known), default=before.last)
    keys = [*before.keys, *(key for key, is_known in rows if not is_known)]
    return Strays(last, keys[:SCRUB_STRAYS_MAX], len(rows) < SCRUB_STEP_IDS or last <= before.last)


class Adopted(NamedTuple):
    """Content, and whose it is, if it is missed."""

    key: bytes
    body: bytes
    sequence: int | None
    id: bytes | None


def adopter_of(connection: sqlite3.Connection, key: bytes) -> Adopted:
    """Which of the actions that lack content names the content with this key."""
    [body] = connection.execute(f"select cast(body as blob) from content where {_KEY_IS}", (key,)).fetchone() or (b"",)
    digest = digest_of(body)
    rows = connection.execute("select sequence, id, header from lacking join action using (sequence)")
    sequence, action_id = next(((row[0], row[1]) for row in rows if is_id(row[1]) and digest in row[2]), (None, None))
    return Adopted(key, body, sequence, action_id)


def adopt(connection: sqlite3.Connection, found: Adopted) -> int:
    """Give content that lost its key back, or take it away if nobody misses it. How many it was.

    No search finds such a row: all are read, which with a million of them takes a third of a second.
    """
    gone = connection.execute(f"delete from content where {_KEY_IS}", (found.key,)).rowcount
    if gone and found.id is not None:
        connection.execute("insert or ignore into content (id, body) values (?, ?)", (found.id, found.body))
        connection.execute("delete from lacking where sequence = ?", (found.sequence,))
    return gone


def _row(connection: sqlite3.Connection, sequence: int) -> Any:
    return connection.execute(f"{_ROW} where a.sequence = ?", (sequence,)).fetchone()


def _sound(connection: sqlite3.Connection, row: Any, domain: Domain) -> Action | None:
    """The action of a row in which every bit is as it was written, and which all indexes know."""
    sequence, action_id, _, _, _, header, _, body, *_ = row
    try:
        action = reopen(action_id, header, body, domain)
    except RemoteError:
        return None
    statement = action.statement
    is_sound = (
        _tells(row, action)
        and action.content == body
        and (body is not None or not is_anchored(action.kind))
        and not _mislaid(row)
        and (action.kind != "content-erase" or _is_told(connection, statement.subject, statement.author))
        and all(
            connection.execute("select 1 from audience where name = ? and sequence = ?", (name, sequence)).fetchone()
            for name in audiences(statement)
        )
    )
    return action if is_sound else None


def _tells(row: Any, action: Action) -> bool:
    """Whether all columns of a row say what its header says."""
    said = action.statement
    values = (action.id, said.created, said.action, said.author, action.header, row_digest(action.header))
    return type(row[2]) is int and row[1:7] == values


def _mislaid(row: Any) -> bool:
    """Whether an index does not lead to this row."""
    return any(found != row[0] for found in row[_FIRST_INDEX:])


def _salvaged(connection: sqlite3.Connection, row: Any, domain: Domain) -> Action | None:
    """What a row still proves, whatever type rot gave its header; None where something is lost, content included."""
    [header] = connection.execute("select cast(header as blob) from action where sequence = ?", row[:1]).fetchone()
    try:
        action = salvaged(header, row[7], domain)
    except RemoteError:
        return None
    return action if action.content == row[7] else None


def _restore(connection: sqlite3.Connection, sequence: int, action: Action) -> None:
    """Write a row's other columns anew; where the action came in again meanwhile, the damaged row goes."""
    header = action.header
    statement = action.statement
    found = connection.execute(
        "update or ignore action set id = ?, created = ?, kind = ?, author = ?, header = ?, digest = ? where sequence = ?",
        (action.id, statement.created, action.kind, statement.author, header, row_digest(header), sequence),
    )
    if not found.rowcount:
        connection.execute("delete from action where sequence = ?", (sequence,))
        connection.execute("delete from lacking where sequence = ?", (sequence,))


def _erased(connection: sqlite3.Connection, action: Action) -> bool:
    return _is_told(connection, action.id, action.statement.author)


def _is_told(connection: sqlite3.Connection, erased: bytes, author: bytes) -> bool:
    """Whether it is known that an author erased the content of an action."""
    wanted = (erased, author)
    return connection.execute("select 1 from erasure where id = ? and author = ?", wanted).fetchone() is not None
