"""A database in which SQLite finds no order any more is written anew from what can be read of it.

A flipped bit in a row's own bytes costs that row (`hubd/store/scrub.py`). One in what SQLite keeps around them, lengths,
pointers, the heads of pages, makes it refuse the row, the page or all beyond it, and no statement takes that out. So whoever
meets it leaves a mark, and whoever opens the database next copies it, each action by its own proof. What is lost a neighbour
gives again. The relay's ledger is copied whole or not at all: what it forgot might be paid twice.
"""

import os
import sqlite3
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from hubd import log
from hubd.action import cbor
from hubd.action.envelope import Action
from hubd.action.fingerprint import EMPTY, extend
from hubd.action.sip018 import Domain
from hubd.errors import FatalError, RemoteError
from hubd.limits import INTEGER_MAX, RESCUE_ROOM_PERCENT, RESCUE_STEP_ROWS
from hubd.store import migrations
from hubd.store.database import EPOCH_BYTES, MARK_NAME, connect, connect_damaged
from hubd.store.room import Room
from hubd.store.rows import proven, row_digest

_ROWS = (
    "select sequence, cast(id as blob), cast(header as blob), digest from action not indexed"
    " where sequence > ? order by sequence limit ?"
)
_COPIED = ("action", "content", "ledger", "ledger_item", "meta")  # all else follows from these
_INSERT = (
    "insert or ignore into action (sequence, id, created, kind, author, header, digest) values (?, ?, ?, ?, ?, ?, ?)"
)


def is_due(path: Path) -> bool:
    """Whether somebody met damage in this database since it was last written anew."""
    return path.exists() and path.with_name(MARK_NAME).exists()


def rescue(path: Path, domain: Domain) -> None:
    """Write the database anew. Raises `FatalError`; then it is as it was."""
    anew = path.with_name(f"{path.name}.anew")
    _remove(anew)
    try:
        _check_room(path)
        with closing(connect_damaged(path)) as old, closing(connect(anew)) as new:
            old.execute("pragma wal_checkpoint(truncate)").fetchone()  # no log may outlive what it belongs to
            new.execute("pragma journal_mode = off")  # a power cut: once more from the beginning
            migrations.migrate(new, anew)
            _say_schema_again(old, new)
            count, lost = _copy(old, new, path, domain)
        if not count:
            raise sqlite3.DatabaseError("no action can be read")
        _settle(anew, path)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise FatalError(
            "database-damaged",
            f"{path}: {error}",
            hint="keep a copy of the file, move it away and start hubd: it fills again from its neighbours",
        ) from error
    finally:
        _remove(anew)
    log.get("store").warning("database-rescued", count=count, items=lost)


def _say_schema_again(old: sqlite3.Connection, new: sqlite3.Connection) -> None:
    """Read the tables by the words that they were made with, and nothing else; nothing of this is kept."""
    version = "pragma user_version"
    if old.execute(version).fetchone() != new.execute(version).fetchone():
        return
    words = migrations.schema(new)
    old.execute("begin")
    for name in _COPIED:
        made = {"name": name, "sql": words[name]}
        old.execute("update sqlite_schema set type = 'table', name = :name, tbl_name = :name where sql = :sql", made)
        old.execute("update sqlite_schema set sql = :sql where name = :name", made)
    old.execute(f"delete from sqlite_schema where name not in ({', '.join('?' * len(_COPIED))})", _COPIED)
    old.execute("pragma writable_schema = reset")
    old.execute("pragma writable_schema = on")


def _check_room(path: Path) -> None:
    room, needed = Room(path.parent), path.stat().st_size * RESCUE_ROOM_PERCENT // 100
    if room.free_bytes < needed and not (room.drop_ballast() and room.free_bytes >= needed):
        raise FatalError(
            "database-damaged",
            f"{path} is to be written anew, and there is too little room on its card",
            hint=f"free {-(-needed // 10**6)} MB on the card, then start hubd again",
        )


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _settle(anew: Path, path: Path) -> None:
    """Put the new file in the old one's place, whenever the power goes."""
    with anew.open("rb+") as file:
        os.fsync(file.fileno())
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    anew.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    os.fsync(directory)
    os.close(directory)
    path.with_name(MARK_NAME).unlink(missing_ok=True)


class _Progress(migrations.Progress):
    """Says now and then how far the copy is."""

    def say(self, number: int, done: int) -> None:  # noqa: ARG002  # there is one step only
        self.log.warning("database-rescuing", count=done, items=self.count)

    def say_done(self, duration_ms: int) -> None:
        """What it came to is said anyway."""


def _copy(old: sqlite3.Connection, new: sqlite3.Connection, path: Path, domain: Domain) -> tuple[int, int]:
    """How many actions could be copied, and how many fewer than were counted that is."""
    said = {name: _one(old, "select value from meta where key = ?", name) for name in ("epoch", "count", "left")}
    counted, last = (said[name] if type(said[name]) is int else 0 for name in ("count", "left"))
    progress = _Progress(path.parent, counted)
    count, lthash = 0, EMPTY
    new.execute("begin")
    for table in ("ledger", "ledger_item"):
        rows = old.execute(f"select * from {table}").fetchall()
        if rows:
            new.executemany(f"insert into {table} values ({', '.join('?' * len(rows[0]))})", rows)
    for actions in _actions(old, domain):
        added = [action for sequence, action in actions if _add(new, sequence, action)]
        count, last = count + len(added), max(last, actions[-1][0])
        lthash = extend(lthash, [action.id for action in added])
        progress.tell(0, count)
    epoch = (
        said["epoch"] if type(said["epoch"]) is bytes and len(said["epoch"]) == EPOCH_BYTES else os.urandom(EPOCH_BYTES)
    )
    meta = {"epoch": epoch, "mesh": cbor.encode([domain.network.name, domain.mesh]), "left": last, "count": count}
    new.executemany("insert or replace into meta (key, value) values (?, ?)", [*meta.items(), ("lthash", lthash)])
    migrations.fill(new, lambda done: progress.tell(0, done))
    new.execute("commit")
    progress.end()
    return count, max(counted - count, 0)


def _add(new: sqlite3.Connection, sequence: int, action: Action) -> bool:
    """Lay an action down; False where it is there."""
    said, digest = action.statement, row_digest(action.header)
    row = (sequence, action.id, said.created, said.action, said.author, action.header, digest)
    if not new.execute(_INSERT, row).rowcount:
        return False
    if action.content is not None:
        new.execute("insert or ignore into content (id, body) values (?, ?)", (action.id, action.content))
    if action.kind == "content-erase":
        new.execute("insert or ignore into erasure (id, author) values (?, ?)", (said.subject, said.author))
    return True


def _actions(old: sqlite3.Connection, domain: Domain) -> Iterator[list[tuple[int, Action]]]:
    for rows in _rows(old):
        found = []
        for sequence, action_id, header, digest in rows:
            body = _one(old, "select cast(body as blob) from content where id = ?", action_id)
            with suppress(RemoteError):
                found.append((sequence, proven(action_id, header, digest, body, domain)))
        if found:
            yield found


def _rows(old: sqlite3.Connection) -> Iterator[list[Any]]:
    """The rows that can be read, by arrival."""
    after, step = 0, RESCUE_STEP_ROWS
    while True:
        try:
            rows = old.execute(_ROWS, (after, step)).fetchall()
        except sqlite3.DatabaseError:
            if step > 1:
                step = 1
                continue
            rows, reached = [], _beyond(old, after)
        else:
            reached = rows[-2 if len(rows) > 1 and len(rows) == step else -1][0] if rows else None  # the last may lie
            step = min(2 * step, RESCUE_STEP_ROWS)
        if rows:
            yield rows
        if reached is None:
            return
        after = reached if reached > after else after + 1  # rows in no order


def _beyond(old: sqlite3.Connection, after: int) -> int | None:
    """A sequence beyond which more can be read, past a row or a page that can't be; None where there is none."""
    hop = 1
    while not _is_readable(old, after + hop):
        hop *= 2
        if after + hop > INTEGER_MAX:
            return None
    reached = bisect_left(range(after, after + hop), True, key=lambda place: _is_readable(old, place))
    return after + reached


def _is_readable(old: sqlite3.Connection, after: int) -> bool:
    try:
        old.execute(_ROWS, (after, 1)).fetchone()
    except sqlite3.DatabaseError:
        return False
    return True


def _one(old: sqlite3.Connection, sql: str, value: object) -> Any:
    """A single value, None where it can't be read."""
    try:
        row = old.execute(sql, (value,)).fetchone()
    except sqlite3.DatabaseError:
        return None
    return row[0] if row else None
