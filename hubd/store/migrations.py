"""From the schema of an earlier hubd to this one's, in steps that are whole or not done.

A step over a large set takes minutes on a small computer. Until it is done nobody can ask the hub, so it says in its log
how far it is, and leaves a notice in the data folder for commands that find the folder in use.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from importlib import resources
from pathlib import Path
from time import monotonic

from hubd import log
from hubd.errors import FatalError
from hubd.limits import MIGRATION_ROOM_PERCENT, MIGRATION_TOLD_S
from hubd.store import audience, buckets, lacking
from hubd.store.room import Room

_STATEMENT_STEPS = 1_000_000  # of SQLite's machine, between two looks at the clock within one statement
NOTICE_NAME = "migrating"
Told = Callable[[int], None]  # so many actions are done

_FILL: dict[int, Callable[[sqlite3.Connection, Told], None]] = {  # what SQL alone can't compute
    2: buckets.recount,
    3: audience.fill,
    4: lacking.fill,
}
_LAYS_ROWS_ANEW = (5,)


def migrations() -> list[tuple[int, str]]:
    """(number, SQL) of every schema file, in order. The number is what `pragma user_version` holds after it."""
    folder = resources.files("hubd.store") / "schema"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(int(name.split("_")[0]), (folder / name).read_text("utf-8")) for name in names]


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the database up to date. Raises `FatalError` for one of a newer hubd, and where there is too little room."""
    steps = migrations()
    [version] = connection.execute("pragma user_version").fetchone()
    if version > steps[-1][0]:
        raise FatalError(
            "schema-newer",
            f"{path} was written by a newer hubd (schema {version}, this program knows {steps[-1][0]})",
            hint="install the newer hubd again; the data is untouched",
        )
    if version < steps[-1][0] and schema(connection) == _made():  # the number rotted
        version = steps[-1][0]
        connection.execute(f"pragma user_version = {version}")
    if version == steps[-1][0]:
        check_schema(connection)
    count = connection.execute("select value from meta where key = 'count'").fetchone() if version else None
    progress = Progress(path.parent, count[0] if count else 0)
    try:
        for number, script in steps:
            if number > version:
                with _room_for(connection, path) if version and number in _LAYS_ROWS_ANEW else nullcontext():
                    _step(connection, number, script, progress)
        if version < steps[-1][0]:
            connection.execute("pragma wal_checkpoint(truncate)")
    finally:
        progress.end()


def schema(connection: sqlite3.Connection) -> dict[str, str]:
    """The words of our tables, indexes and triggers by name, but for a table that the scrub lays out anew."""
    named = "select name, sql from sqlite_schema where name not like 'audience%' and name not like 'sqlite%'"
    return dict(connection.execute(named))


def check_schema(connection: sqlite3.Connection) -> None:
    """Raise `DatabaseError` where a database of this schema says something else of itself than a new one: 1 ms."""
    if schema(connection) != _made():
        error = sqlite3.DatabaseError("malformed database schema: not the words it was made with")
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error


def _made() -> dict[str, str]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        for _, script in migrations():
            connection.executescript(script)
        return schema(connection)


def fill(connection: sqlite3.Connection, told: Told) -> None:
    """Compute all that follows from the rows, in a database that has nothing of it yet."""
    for compute in _FILL.values():
        compute(connection, told)


def notice(directory: Path) -> str:
    """How far whoever works on this folder is with its conversion; "" if that is not what they do."""
    try:
        return (directory / NOTICE_NAME).read_text("utf-8")
    except OSError:
        return ""


def _step(connection: sqlite3.Connection, number: int, script: str, progress: "Progress") -> None:
    """One transaction: after a power cut all of it is there, or nothing."""
    connection.set_progress_handler(lambda: progress.tell(number, 0), _STATEMENT_STEPS)
    connection.executescript(f"begin immediate;\n{script}")
    connection.set_progress_handler(None, 0)
    if number in _FILL:
        _FILL[number](connection, lambda done: progress.tell(number, done))
    connection.execute(f"pragma user_version = {number}")
    connection.execute("commit")


@contextmanager
def _room_for(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """Where all rows are written a second time: with as little room as that takes, and not at all without it.

    The pages that the old rows leave are not overwritten, which would take as much again: nothing in them was erased.
    """
    connection.execute("pragma wal_checkpoint(truncate)")
    _check_room(path)
    connection.execute("pragma secure_delete = off")
    yield
    connection.execute("pragma secure_delete = on")
    connection.execute("pragma wal_checkpoint(truncate)")


def _check_room(path: Path) -> None:
    room, needed = Room(path.parent), path.stat().st_size * MIGRATION_ROOM_PERCENT // 100
    if room.make(needed):
        return
    raise FatalError(
        "migration-room",
        f"to convert {path}, {-(-needed // 10**6)} MB must be free on its card, and {room.free_bytes // 10**6} MB are",
        hint="free some space on the card, then start hubd again; nothing is lost",
    )


class Progress:
    """Says now and then how far the work is; nothing of work that is soon done."""

    def __init__(self, directory: Path, count: int) -> None:
        self._path = directory / NOTICE_NAME
        self.count = count
        self.log = log.get("store")
        self._told_at = self._began_at = monotonic()
        self._path.unlink(missing_ok=True)  # of a hub that ended in the middle

    def tell(self, number: int, done: int) -> None:
        """So many actions are done, of this step."""
        if monotonic() - self._told_at < MIGRATION_TOLD_S:
            return
        self._told_at = monotonic()
        self.say(number, done)
        with suppress(OSError):  # a full card: the work itself will say so
            self._path.write_text(f"step {number}, {done} of {self.count} actions", "utf-8")

    def say(self, number: int, done: int) -> None:
        """Put it into the log."""
        self.log.warning("migrating", version=number, count=done, items=self.count)

    def say_done(self, duration_ms: int) -> None:
        """Put that it is done into the log."""
        self.log.warning("migrated", count=self.count, duration_ms=duration_ms)

    def end(self) -> None:
        """It is done, or can't be."""
        if self._told_at > self._began_at:
            self.say_done(int((monotonic() - self._began_at) * 1000))
        self._path.unlink(missing_ok=True)
