"""One SQLite file behind aiosqlite: opened the one safe way, migrated, locked.

`synchronous=FULL` on every connection: an acknowledgement to a phone is a promise, and a power cut must not break it.
aiosqlite hands every call to a thread, so callers take coarse steps (a batch, a page), never a row.
"""

import fcntl
import os
import sqlite3
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from importlib import resources
from pathlib import Path
from typing import Any

import aiosqlite

from hubd.errors import FatalError, LocalError
from hubd.limits import DATABASE_BUSY_MS, DATABASE_CACHE_KIB, DATABASE_SHARE_PERCENT, DISK_FULL_BYTES

_PRAGMAS = (
    "pragma journal_mode = wal",
    "pragma synchronous = full",
    "pragma foreign_keys = on",
    "pragma secure_delete = on",  # erased content leaves no bytes in free pages
    f"pragma busy_timeout = {DATABASE_BUSY_MS}",
    f"pragma cache_size = -{DATABASE_CACHE_KIB}",
)


def migrations() -> list[tuple[int, str]]:
    """(number, SQL) of every schema file, in order. The number is what `pragma user_version` holds after it."""
    folder = resources.files("hubd.store") / "schema"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(int(name.split("_")[0]), (folder / name).read_text("utf-8")) for name in names]


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


def _is_full(error: sqlite3.Error, path: Path) -> bool:
    """Whether there is no room. On a full card SQLite says "disk I/O error" when it was writing its log."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return True
    space = os.statvfs(path.parent)
    return code == sqlite3.SQLITE_IOERR and space.f_bavail * space.f_frsize < DISK_FULL_BYTES


def _local(error: sqlite3.Error, path: Path) -> LocalError:
    """A write that failed while the hub runs: doors say "not now", and the hub goes on."""
    if _is_full(error, path):
        return LocalError("disk-full", f"{path}: {error}", hint="free some space on the card, or use a larger one")
    return LocalError("database", f"{path}: {error}", hint="is the card worn, or mounted read-only?")


def _fatal(error: sqlite3.Error, path: Path) -> FatalError:
    code = getattr(error, "sqlite_errorcode", None)
    if _is_full(error, path):
        return FatalError("disk-full", f"{path}: {error}", hint="free some space on the card, then start hubd again")
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return FatalError(
            "database-damaged",
            f"{path}: {error}",
            hint="keep a copy of the file, move it away and start hubd: it fills again from its neighbours",
        )
    return FatalError("database", f"{path}: {error}", hint="is the card full, worn or mounted read-only?")


class Database:
    """A writer connection and a reader connection on one file."""

    def __init__(self, path: Path, writer: aiosqlite.Connection, reader: aiosqlite.Connection) -> None:
        self.path = path
        self.reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, path: Path) -> "Database":
        """Open and migrate. Raises `FatalError` in words."""
        try:
            writer = await _connect(path)
            try:
                await _migrate(writer, path)
                await _bound(writer, path)
                reader = await _connect(path)
            except BaseException:
                await writer.close()
                raise
        except sqlite3.Error as error:
            raise _fatal(error, path) from error
        return cls(path, writer, reader)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[aiosqlite.Connection]:
        """One durable transaction: on disk when the block ends. One at a time: callers queue behind their own lock.

        Raises `LocalError`: `disk-full` or `database`; nothing of the block is kept then.
        """
        try:
            await self._writer.execute("begin immediate")
            try:
                yield self._writer
            except BaseException:
                await self._writer.rollback()
                raise
            await self._writer.commit()
        except sqlite3.Error as error:
            raise _local(error, self.path) from error

    async def read(self, sql: str, values: Iterable[Any] = ()) -> list[sqlite3.Row]:
        """The rows of one query. Raises `LocalError`, as writing does."""
        try:
            return list(await self.reader.execute_fetchall(sql, values))
        except sqlite3.Error as error:
            raise _local(error, self.path) from error

    async def close(self) -> None:
        """Close both connections; the write-ahead log is folded in."""
        await self.reader.close()
        await self._writer.close()


async def _connect(path: Path) -> aiosqlite.Connection:
    connection = await aiosqlite.connect(path, isolation_level=None)
    try:
        for pragma in _PRAGMAS:
            await connection.execute(pragma)
    except BaseException:
        await connection.close()
        raise
    return connection


async def _bound(connection: aiosqlite.Connection, path: Path) -> None:
    """Leave room on the card for everything else: what does not fit is refused, and nothing breaks."""
    space = os.statvfs(path.parent)
    [(page_bytes,)] = await connection.execute_fetchall("pragma page_size")
    pages = space.f_blocks * space.f_frsize * DATABASE_SHARE_PERCENT // 100 // page_bytes
    await connection.execute(f"pragma max_page_count = {pages}")


async def _migrate(connection: aiosqlite.Connection, path: Path) -> None:
    steps = migrations()
    [(version,)] = await connection.execute_fetchall("pragma user_version")
    if version > steps[-1][0]:
        raise FatalError(
            "schema-newer",
            f"{path} was written by a newer hubd (schema {version}, this program knows {steps[-1][0]})",
            hint="install the newer hubd again; the data is untouched",
        )
    for number, script in steps:
        if number > version:
            await connection.executescript(f"begin;\n{script}\npragma user_version = {number};\ncommit;")
