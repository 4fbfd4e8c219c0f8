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
from hubd.limits import INTEGER_MAX, SCRUB_STEP_IDS, SCRUB_STEP_ROWS
from hubd.store import lacking, sketches
from hubd.store.aside import set_aside
from hubd.store.database import damage
from hubd.store.rows import reopen, row_digest, salvaged
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
_FIRST_INDEX = 8  # in a row
_STRAY = "select id, cast(body as blob) from content where id not in (select id from action)"


class Looked(NamedTuple):
    """What was found in the rows so far, by arrival. Begins as `NOTHING`."""

    last: int
    is_end: bool
    damaged: list[int]  # sequences, of the last step
    astray: list[int]  # others of which the index of missing content is wrong, or which are in it alone
    mislaid: list[str]  # indexes that do not lead to them
    lacking: bool  # whether content is not here that nobody erased
    rows: int
    lthash: bytes
    agrees: bool  # at the end: whether the set counts and weighs what its rows do


NOTHING = Looked(0, False, [], [], [], False, 0, EMPTY, True)


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
        [name for at, name in enumerate(INDEXES, _FIRST_INDEX) if any(row[at] != row[0] for row in rows)],
        before.lacking or bool(bare),
        count,
        lthash,
        said == {"lthash": lthash, "count": count},
    )


def look_at_pages(connection: sqlite3.Connection) -> None:
    """Raises `LocalError` where the file's pages are in no order, which rows that rotted are a sign of."""
    [(said,)] = connection.execute("pragma quick_check(1)").fetchall()
    if said != "ok":
        raise damage(said)


class Mended(NamedTuple):
    """What became of damaged rows."""

    gone: int  # out of the set
    restored: int


def reindex(connection: sqlite3.Connection, name: str) -> None:
    """Lay an index out anew, one in each transaction: half a second for a million rows, or one."""
    connection.execute(f"reindex {name}")


def mend(connection: sqlite3.Connection, sequences: Sequence[int], domain: Domain) -> Mended:
    """Put damaged rows right, or out of the set. Their indexes must be sound."""
    gone = 0
    for sequence in sequences:
        row = _row(connection, sequence)
        if row is None:
            continue
        action = _salvaged(row, domain)
        if action is None:
            set_aside(connection, [sequence])
            gone += 1
        else:
            _restore(connection, sequence, action)
            sketches.forget(connection)  # it may have added what the row said
    return Mended(gone, len(sequences) - gone)


def look_for_strays(connection: sqlite3.Connection, after: bytes) -> bytes | None:
    """Look at the keys of some content, from beyond `after`. What to go on with, None at the end.

    Raises `RemoteError("rot")` where a key is no action's.
    """
    sql = "select id, id in (select id from action) from content where id > ? order by id limit ?"
    rows = connection.execute(sql, (after, SCRUB_STEP_IDS)).fetchall()
    if not all(is_known for _, is_known in rows):
        raise RemoteError("rot", "content is nobody's")
    return max(key for key, _ in rows) if rows else None  # a key that rotted is out of order


def adopt_strays(connection: sqlite3.Connection) -> int:
    """Give content whose row has lost its id back to the action that names it. How many were found.

    A key that changed also hides its neighbours, so all rows are laid down again.
    """
    if not (strays := {digest_of(body): id_ for id_, body in connection.execute(_STRAY)}):
        return 0
    connection.execute("create temp table kept as select id, body from content not indexed")
    connection.execute("delete from content")
    for action_id, header in connection.execute("select id, header from action"):
        named = next((digest for digest in strays if digest in header), None)
        if named is not None:
            connection.execute("update kept set id = ? where id = ?", (action_id, strays.pop(named)))
        if not strays:
            break
    connection.execute("insert or ignore into content select id, body from kept where id in (select id from action)")
    connection.execute("drop table kept")
    return 1


def _row(connection: sqlite3.Connection, sequence: int) -> Any:
    """A row whose bytes are told as such, whatever type rot gave them."""
    row = connection.execute(f"{_ROW} where a.sequence = ?", (sequence,)).fetchone()
    if row is None:
        return None
    [told] = connection.execute("select cast(header as blob) from action where sequence = ?", (sequence,)).fetchone()
    return (*row[:5], told, *row[6:])


def _sound(connection: sqlite3.Connection, row: Any, domain: Domain) -> Action | None:
    """The action of a row in which every bit is as it was written, and which all indexes know."""
    sequence, action_id, created, kind, author, header, digest, body, *_ = row
    try:
        action = reopen(action_id, header, body, domain)
    except RemoteError:
        return None
    statement = action.statement
    is_sound = (
        row_digest(action.header) == digest
        and type(created) is int
        and (created, kind, author) == (statement.created, statement.action, statement.author)
        and action.content == body
        and (body is not None or not is_anchored(action.kind))
        and not _mislaid(row)
        and all(
            connection.execute("select 1 from audience where name = ? and sequence = ?", (name, sequence)).fetchone()
            for name in audiences(statement)
        )
    )
    return action if is_sound else None


def _mislaid(row: Any) -> bool:
    """Whether an index does not lead to this row."""
    return any(found != row[0] for found in row[_FIRST_INDEX:])


def _salvaged(row: Any, domain: Domain) -> Action | None:
    """What a row still proves; None where something is lost, content included."""
    try:
        action = salvaged(row[5], row[7], domain)
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
    wanted = (action.id, action.statement.author)
    return connection.execute("select 1 from erasure where id = ? and author = ?", wanted).fetchone() is not None
