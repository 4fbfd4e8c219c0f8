"""A database in which SQLite finds no order any more is written anew from what can be read of it.

A flipped bit in a row's own bytes costs that row (`hubd/store/scrub.py`). One in what SQLite keeps around them, lengths,
pointers, the heads of pages, makes it refuse the row, the page or all beyond it, and no statement takes that out. So whoever
meets it leaves a mark, and whoever opens the database next copies it, each action by its own proof. What is lost a neighbour
gives again; of the relay's ledger, which nobody else has, the chain tells it (`hubd/store/salvage.py`). The damaged file
stays beside the new one for a week, or until its room is needed: what nobody else has may be in it yet.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from hubd import log
from hubd.action import cbor
from hubd.action.envelope import Action
from hubd.action.fingerprint import EMPTY, extend
from hubd.action.sip018 import Domain
from hubd.errors import FatalError, RemoteError
from hubd.limits import RESCUE_ROOM_PERCENT
from hubd.store import migrations, salvage, wreck
from hubd.store.database import EPOCH_BYTES, MARK_NAME, connect, connect_damaged
from hubd.store.room import KEPT_NAME, Room
from hubd.store.rows import proven, row_digest

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
        with (
            closing(connect_damaged(path)) as old,
            closing(connect(anew)) as new,
            closing(connect_damaged(path)) as names,
        ):
            old.execute("pragma wal_checkpoint(truncate)").fetchone()  # no log may outlive what it belongs to
            new.execute("pragma journal_mode = off")  # a power cut: once more from the beginning
            migrations.migrate(new, anew)
            _say_schema_again(old, new)
            count, lost = _copy(old, names, new, path, domain)
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
    needed = path.stat().st_size * RESCUE_ROOM_PERCENT // 100
    if not Room(path.parent).make(needed):
        raise FatalError(
            "database-damaged",
            f"{path} is to be written anew, and there is too little room on its card",
            hint=f"free {-(-needed // 10**6)} MB on the card, then start hubd again",
        )


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _settle(anew: Path, path: Path) -> None:
    """Put the new file in the old one's place, whenever the power goes, and the old one beside it where there is room."""
    with anew.open("rb+") as file:
        os.fsync(file.fileno())
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    kept = path.with_name(KEPT_NAME)
    kept.unlink(missing_ok=True)
    with suppress(OSError):  # a file system that knows one name for each file
        kept.hardlink_to(path)
        os.utime(kept)
    anew.replace(path)
    Room(path.parent).relieved()
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


def _copy(
    old: sqlite3.Connection, names: sqlite3.Connection, new: sqlite3.Connection, path: Path, domain: Domain
) -> tuple[int, int]:
    """How many actions could be copied, and how many fewer than were counted that is.

    A set that weighs something else than was said is another one: it gets another epoch, so that whoever remembers a
    place in it compares anew. Neighbours, phones and sticks then bring what was lost, and no place names two actions.
    """
    keys = ("epoch", "count", "lthash", "left")
    said = {name: _one(old, "select value from meta where key = ?", name) for name in keys}
    counted = said["count"] if type(said["count"]) is int else 0
    progress = _Progress(path.parent, counted)
    new.execute("begin")
    salvage.copy(old, new)
    copy = _Copy(old, new, domain, progress)
    copy.take(wreck.rows(old, names))
    if not copy.weighs(said):
        copy.take(wreck.named(old, names, copy.missed))
    is_same = copy.weighs(said) and type(said["left"]) is int and type(said["epoch"]) is bytes
    meta = {
        "epoch": said["epoch"] if is_same and len(said["epoch"]) == EPOCH_BYTES else os.urandom(EPOCH_BYTES),
        "mesh": cbor.encode([domain.network.name, domain.mesh]),
        "left": said["left"] if is_same else 0,
        "count": copy.count,
        "lthash": copy.lthash,
    }
    new.executemany("insert or replace into meta (key, value) values (?, ?)", meta.items())
    migrations.fill(new, lambda done: progress.tell(0, done))
    new.execute("commit")
    progress.end()
    return copy.count, max(counted - copy.count, 0)


class _Copy:
    """The actions of a damaged database in a new one, each by its own proof."""

    def __init__(self, old: sqlite3.Connection, new: sqlite3.Connection, domain: Domain, progress: _Progress) -> None:
        self._old, self._new, self._domain, self._progress = old, new, domain, progress
        self.count, self.lthash = 0, EMPTY
        self._last, self._is_in_order = 0, True

    def take(self, found: Iterable[list[Any]]) -> None:
        """Lay down what is proven of these rows, and not here."""
        for rows in found:
            added = [action.id for sequence, action in self._proven(rows) if self._add(sequence, action)]
            self.count, self.lthash = self.count + len(added), extend(self.lthash, added)
            self._progress.tell(0, self.count)

    def weighs(self, said: dict[str, Any]) -> bool:
        """Whether this is the set that was written there, in its order."""
        return self._is_in_order and (said["count"], said["lthash"]) == (self.count, self.lthash)

    def missed(self, sequences: Iterable[int]) -> list[int]:
        """Those of the places at which nothing is here."""
        sql = "select 1 from action where sequence = ?"
        return [sequence for sequence in sequences if not self._new.execute(sql, (sequence,)).fetchone()]

    def _proven(self, rows: list[Any]) -> Iterator[tuple[int, Action]]:
        for sequence, action_id, header, digest in rows:
            body = _one(self._old, "select cast(body as blob) from content where id = ?", action_id)
            with suppress(RemoteError):
                yield sequence, proven(action_id, header, digest, body, self._domain)

    def _add(self, sequence: int, action: Action) -> bool:
        """Lay an action down; False where it is there."""
        said, digest = action.statement, row_digest(action.header)
        values = (action.id, said.created, said.action, said.author, action.header, digest)
        if self._new.execute("select 1 from action where id = ?", (action.id,)).fetchone():
            return False
        self._is_in_order &= sequence > self._last
        if not self._new.execute(_INSERT, (sequence, *values)).rowcount:  # a row that lied about its place has it
            self._new.execute(_INSERT, (None, *values))
        self._last = max(self._last, sequence)
        if action.content is not None:
            self._new.execute("insert or ignore into content (id, body) values (?, ?)", (action.id, action.content))
        if action.kind == "content-erase":
            self._new.execute("insert or ignore into erasure (id, author) values (?, ?)", (said.subject, said.author))
        return True


def _one(old: sqlite3.Connection, sql: str, value: object) -> Any:
    """A single value, None where it can't be read."""
    try:
        row = old.execute(sql, (value,)).fetchone()
    except (sqlite3.DatabaseError, UnicodeDecodeError):
        return None
    return row[0] if row else None
