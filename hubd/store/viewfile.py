"""The file that the fold's memory lies in, `views.sqlite3`: its tables, what it is of, and how it comes and goes.

Everything in it follows from the set, so it may be deleted at any time, and it is written without waiting for the card.
But it must never be wrong: it says of which set, charter and version of the fold it is, and up to which arrival it is
complete, and what it holds changes in one transaction with that. Whatever does not fit is thrown away and folded anew.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, Final, NamedTuple, ParamSpec, TypeVar

from hubd.errors import FatalError, LocalError
from hubd.limits import VIEWS_CACHE_KIB
from hubd.store.entries import encode

P = ParamSpec("P")
T = TypeVar("T")

FILE_NAME = "views.sqlite3"
_FORMAT: Final = 3  # goes up with every change of what bytes in the file mean
FAULTS: Final = (sqlite3.Error, LocalError, ValueError, TypeError, KeyError, IndexError, OverflowError)
"""What comes of bytes that are not what was written: a value that can't be there, or a name without one."""
_PRAGMAS = (
    "pragma journal_mode = wal",
    "pragma synchronous = normal",  # whole after a power cut, though maybe older
    "pragma wal_autocheckpoint = 0",  # `checkpoint` does it, beside the event loop
    f"pragma cache_size = -{VIEWS_CACHE_KIB}",
)
_SCHEMA = """
create table fact (key text primary key, value blob not null) without rowid;
create table name (no integer primary key, key blob not null unique);
create table entry (node integer primary key, body blob not null);
create table sum (node integer primary key, body blob not null);
create table reads (node integer primary key, body blob not null);
create table reader (read integer, reader integer, primary key (read, reader)) without rowid;
create table shelf (
    place integer, author blob, first integer, second integer, id blob,
    primary key (place, author, first, second, id)
) without rowid;
create table moment (time_s integer primary key, count integer not null);
"""


class Checks(NamedTuple):
    """What the file's tables add up to, and which facts there are; see `hubd/store/viewcheck.py`."""

    names: int
    pairs: int
    places: int
    moments: int
    sums: int  # how many there are
    facts: tuple[str, ...]


def checks_of(facts: Mapping[str, Any]) -> Checks:
    """Those of a file with these facts. Raises `LocalError("views")` where a fact is missing or too many."""
    checks = Checks(*facts.get("checks", (0, 0, 0, 0, 0, ())))
    if set(checks.facts) != set(facts) - {"stamp", "checks"}:
        raise LocalError("views", "a stored fact changed its name")
    return checks


def met(method: Callable[P, T]) -> Callable[P, T]:
    """A reading method that says so where it meets what can't be so."""

    @wraps(method)
    def meeting(*arguments: P.args, **named: P.kwargs) -> T:
        try:
            return method(*arguments, **named)
        except FAULTS as error:
            raise arguments[0].fault(error) from error  # type: ignore[attr-defined]  # the memory

    return meeting


class OutdatedError(LocalError):
    """A sound file that does not fit any more: the mesh was founded meanwhile, or the program is another one."""


def connect(path: Path, stamp: bytes) -> sqlite3.Connection:
    """Open the file, or a new one. Raises `OutdatedError` where it is of another set, charter or version."""
    with _in_words(path):
        path.touch(mode=0o600)
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        stamped = encode((_FORMAT, stamp))
        if connection.execute("select count(*) from sqlite_schema").fetchone() == (0,):
            connection.executescript(f"begin; {_SCHEMA} commit;")
            connection.execute("insert into fact (key, value) values ('stamp', ?)", (stamped,))
        if connection.execute("select value from fact where key = 'stamp'").fetchone() != (stamped,):
            raise OutdatedError("views", "of another set, charter or version")
    except BaseException:
        connection.close()
        raise
    return connection


def discard(path: Path) -> None:
    """Throw a views file away, with what SQLite keeps beside it."""
    with _in_words(path):
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise FatalError(
            "views",
            f"{path}: {error.strerror}",
            hint=f"move {path.name} away, it is made anew; is the card worn, or mounted read-only?",
        ) from error


def checkpoint(path: Path) -> None:
    """Bring what was committed from SQLite's log into the file. For a thread of its own: it waits for the card."""
    connection = sqlite3.connect(path)
    try:
        connection.execute("pragma wal_checkpoint(passive)")
    finally:
        connection.close()
