"""One SQLite file: opened the one safe way, migrated, locked; each connection works in a thread of its own.

`synchronous=FULL` on every connection: an acknowledgement to a phone is a promise, and a power cut must not break it.
Handing a step to a thread costs as much as ten rows, so callers take coarse steps (a whole batch or page), never a row.
"""

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from hubd.errors import FatalError, LocalError
from hubd.limits import (
    DATABASE_BUSY_MS,
    DATABASE_CACHE_KIB,
    DATABASE_READ_CACHE_KIB,
    DATABASE_SHARE_PERCENT,
    DISK_FULL_BYTES,
    LOCK_POLL_S,
    LOCK_WAIT_S,
)
from hubd.store.migrations import migrate, notice

T = TypeVar("T")

EPOCH_BYTES = 8
MARK_NAME = "damaged"
_TAKEN = (sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID)
_PRAGMAS = (
    "pragma journal_mode = wal",
    "pragma synchronous = full",
    "pragma foreign_keys = on",
    "pragma secure_delete = on",  # erased content leaves no bytes in free pages
    f"pragma busy_timeout = {DATABASE_BUSY_MS}",
    f"pragma cache_size = -{DATABASE_READ_CACHE_KIB}",
)


def lock_directory(directory: Path) -> int:
    """Make the data directory (0700) and take its lock; returns the lock's descriptor, which must stay open.

    Raises `FatalError`: `data-in-use` when another process has it, `data-directory` when it can't be used.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)
        descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise FatalError(
            "data-directory",
            f"{directory}: {error.strerror}",
            hint="name a folder that this user may write, with --data or HUBD_DATA",
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise FatalError(
            "data-in-use",
            f"another hubd runs on {directory}",
            hint="stop the other one first, or name another folder with --data",
        ) from error
    return descriptor


async def locked(directory: Path) -> int:
    """The directory's lock. Waits a little for a command that is about to finish, or a hub that is about to stop."""
    deadline = asyncio.get_running_loop().time() + LOCK_WAIT_S
    while True:
        try:
            return lock_directory(directory)
        except FatalError as error:
            if error.code != "data-in-use":
                raise
            if asyncio.get_running_loop().time() >= deadline:
                if progress := notice(directory):
                    raise _migrating(directory, progress) from error
                raise
        await asyncio.sleep(LOCK_POLL_S)


def _migrating(directory: Path, progress: str) -> FatalError:
    return FatalError(
        "migrating",
        f"the data in {directory} are being converted for this version: {progress}",
        hint="wait until that is done; a power cut meanwhile costs nothing but time",
    )


def is_damage(error: Exception) -> bool:
    """Whether SQLite finds its file in no order: also where the place after the last one is taken.

    A complaint that can't be decoded cites a schema that rotted.
    """
    code = getattr(error, "sqlite_errorcode", 0)
    return (
        code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
        or code in _TAKEN
        or isinstance(error, UnicodeError)
    )


def _is_full(error: Exception, path: Path) -> bool:
    """Whether there is no room. On a full card SQLite says "disk I/O error" when it was writing its log."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return True
    space = os.statvfs(path.parent)
    return code == sqlite3.SQLITE_IOERR and space.f_bavail * space.f_frsize < DISK_FULL_BYTES


def damage(detail: str) -> LocalError:
    """What was met is not as it was written. Doors say "not now", and the scrub sees to it."""
    return LocalError("database-damaged", detail, hint="is the card worn? Look at `hubd status` in an hour")


def _local(error: Exception, path: Path) -> LocalError:
    """A step that failed while the hub runs: doors say "not now", and the hub goes on."""
    if is_damage(error):
        return damage(f"{path}: {error}")
    if _is_full(error, path):
        return LocalError("disk-full", f"{path}: {error}", hint="free some space on the card, or use a larger one")
    return LocalError("database", f"{path}: {error}", hint="is the card worn, or mounted read-only?")


def _fatal(error: Exception, path: Path) -> FatalError:
    if _is_full(error, path):
        return FatalError("disk-full", f"{path}: {error}", hint="free some space on the card, then start hubd again")
    if is_damage(error):
        return FatalError(
            "database-damaged",
            f"{path}: {error}",
            hint="keep a copy of the file, move it away and start hubd: it fills again from its neighbours",
        )
    return FatalError("database", f"{path}: {error}", hint="is the card full, worn or mounted read-only?")


class _Lane:
    """A connection and the one thread that works on it, step after step."""

    def __init__(self, name: str) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"sqlite-{name}")
        self._connection: sqlite3.Connection | None = None

    async def open(self, path: Path) -> None:
        """Connect, the one safe way."""
        loop = asyncio.get_running_loop()
        try:
            self._connection = await loop.run_in_executor(self._thread, connect, path)
        except BaseException:
            self._thread.shutdown(wait=False)
            raise

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What `work` returns. Whoever gives up waiting for it, it is done to its end."""
        assert self._connection is not None, "open it first"
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, self._connection)

    async def close(self) -> None:
        """Close the connection and end the thread."""
        if self._connection is not None:
            await self.run(sqlite3.Connection.close)
            self._connection = None
            self._thread.shutdown()


class Database:
    """Three connections on one file, each with its own thread.

    One writes, one reads pages, and one compares, so that a long comparison with a neighbour holds up no page.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damaged = asyncio.Event()  # SQLite met what it can't read
        self._writer, self._reader, self._comparer = (_Lane(name) for name in ("writer", "reader", "comparer"))

    @classmethod
    async def open(cls, path: Path) -> "Database":
        """Open and migrate. Raises `FatalError` in words."""
        database = cls(path)
        try:
            await database._writer.open(path)
            await database._writer.run(_widen)
            await database._writer.run(partial(migrate, path=path))
            await database._writer.run(partial(_bound, path=path))
            await database._reader.open(path)
            await database._comparer.open(path)
        except (sqlite3.Error, UnicodeDecodeError) as error:
            await database.close()
            raise _fatal(error, path) from error
        except BaseException:
            await database.close()
            raise
        return database

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do `work` in one durable transaction: on disk when this returns. Raises `LocalError`; nothing is kept then.

        The codes are `disk-full`, `database-damaged` and `database`.
        """
        return await self._told(self._writer, partial(_transaction, "begin immediate", work))

    async def read(self, sql: str, values: Iterable[Any] = ()) -> list[Any]:
        """The rows of one query. Raises `LocalError`, as writing does."""
        return await self._told(self._reader, lambda connection: connection.execute(sql, tuple(values)).fetchall())

    async def compare(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do `work` over one moment of the database, whatever is written meanwhile. Raises `LocalError`."""
        return await self._told(self._comparer, partial(_transaction, "begin", work))

    async def close(self) -> None:
        """Close all connections; the write-ahead log is folded in."""
        for lane in (self._comparer, self._reader, self._writer):
            await lane.close()

    async def _told(self, lane: _Lane, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return await lane.run(work)
        except (sqlite3.Error, UnicodeDecodeError) as error:
            if is_damage(error):
                self.mark_damaged(str(error))
            raise _local(error, self.path) from error

    def mark_damaged(self, detail: str) -> None:
        """Leave word for whoever opens the database next (`hubd/store/rescue.py`)."""
        with suppress(OSError):  # a full card, or one that can only be read
            self.path.with_name(MARK_NAME).write_text(detail, "utf-8")
        self.damaged.set()


def _transaction(begin: str, work: Callable[[sqlite3.Connection], T], connection: sqlite3.Connection) -> T:
    connection.execute(begin)
    try:
        found = work(connection)
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:  # some errors, a full disk among them, have rolled back already
            connection.execute("rollback")
        raise
    return found


def connect(path: Path) -> sqlite3.Connection:
    """A connection, the one safe way."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.text_factory = _text
    try:
        for pragma in _PRAGMAS:
            connection.execute(pragma)
    except BaseException:
        connection.close()
        raise
    return connection


def connect_damaged(path: Path) -> sqlite3.Connection:
    """A connection for who reads what can still be read, and writes nothing."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.text_factory = _text
    connection.execute("pragma writable_schema = on")  # what of the schema rotted is left out
    return connection


def _text(raw: bytes) -> str:
    """A text, whatever its bytes: that one rotted is no reason to read nothing beside it."""
    return raw.decode("utf-8", "replace")


def _widen(connection: sqlite3.Connection) -> None:
    """Keep more pages at hand: an insert touches many, in no order."""
    connection.execute(f"pragma cache_size = -{DATABASE_CACHE_KIB}")


def _bound(connection: sqlite3.Connection, path: Path) -> None:
    """Leave room on the card for everything else: what does not fit is refused, and nothing breaks."""
    space = os.statvfs(path.parent)
    [page_bytes] = connection.execute("pragma page_size").fetchone()
    pages = space.f_blocks * space.f_frsize * DATABASE_SHARE_PERCENT // 100 // page_bytes
    connection.execute(f"pragma max_page_count = {pages}")
