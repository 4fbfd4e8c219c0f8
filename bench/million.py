"""A database of a million actions, made in half a minute; and what a hub that opens it can do at once.

`python -m bench.million DIRECTORY [COUNT]` makes one to look at. Its actions are real but for their signatures, which
nobody checks again once an action is in a database: every page of it can be read, and nothing of it can be sent on.
"""

import asyncio
import json
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from functools import partial
from itertools import islice
from pathlib import Path
from time import process_time
from typing import Any, TypeVar

from bench.actions import CHARTER, statement
from bench.values import Figures
from hubd.action import envelope
from hubd.action.envelope import Action
from hubd.action.fingerprint import EMPTY, extend
from hubd.action.signature import SIGNATURE_BYTES
from hubd.action.sip018 import ActionId
from hubd.gossip.items import Items
from hubd.gossip.negentropy import Initiator, Responder
from hubd.store import buckets
from hubd.store.actions import DATABASE_NAME, Store
from hubd.store.aside import set_aside
from hubd.store.audience import note
from hubd.store.rows import row_digest

T = TypeVar("T")

ACTIONS, DIFFERENT = 1_000_000, 100
_INDEXES = ("action_by_item", "action_by_kind")  # made at the end: three times as fast as kept all the while
_ROWS = 10_000
_INSERT = "insert into action (sequence, id, created, kind, author, header, digest) values (?, ?, ?, ?, ?, ?, ?)"


async def build(directory: Path, count: int = ACTIONS) -> None:
    """Fill an empty data directory."""
    store = await Store.open(directory, CHARTER.domain)
    try:
        await store.database.write(lambda connection: fill(connection, _unsigned(count)))
    finally:
        await store.close()


async def lose(directory: Path, sequences: range) -> None:
    """Take some actions out again, with all that counts them."""
    store = await Store.open(directory, CHARTER.domain)
    try:
        await store.database.write(lambda connection: set_aside(connection, sequences))
    finally:
        await store.close()


def fill(connection: sqlite3.Connection, actions: Iterable[Action]) -> None:
    """Put actions into an empty set, with all that counts and finds them; the sketch comes when it is asked for."""
    made = [connection.execute("select sql from sqlite_master where name = ?", (name,)).fetchone() for name in _INDEXES]
    for name in _INDEXES:
        connection.execute(f"drop index {name}")
    count, lthash, rest = 0, EMPTY, iter(actions)
    while part := list(enumerate(islice(rest, _ROWS), count + 1)):
        connection.executemany(_INSERT, [_row(*numbered) for numbered in part])
        note(connection, part)
        bodies = [(action.id, action.content) for _, action in part if action.content is not None]
        connection.executemany("insert into content (id, body) values (?, ?)", bodies)
        count, lthash = part[-1][0], extend(lthash, (action.id for _, action in part))
    for (sql,) in made:
        connection.execute(sql)
    connection.execute("update meta set value = ? where key = 'count'", (count,))
    connection.execute("update meta set value = ? where key = 'lthash'", (lthash,))
    buckets.recount(connection)


def _row(sequence: int, action: Action) -> tuple[int, ActionId, int, str, bytes, bytes, bytes]:
    stated, digest = action.statement, row_digest(action.header)
    return sequence, action.id, stated.created, stated.action, stated.author, action.header, digest


def _unsigned(count: int) -> Iterator[Action]:
    for number in range(count):
        stated = statement(number)
        signature = bytes(SIGNATURE_BYTES)
        header = envelope.header_of(stated, signature)
        yield Action(CHARTER.domain.digest(stated.clarity()), stated, signature, header)


async def ready(directory: Path) -> dict[str, float]:
    """What a process that starts over such a database needs until it can answer the first neighbour."""
    before_mb, started = _rss_mb(), process_time()
    store = await Store.open(directory, CHARTER.domain)
    opened = process_time()
    summary = await store.summary()
    first = await store.over_items(lambda items: Initiator().open(items))
    spent = process_time() - started
    found = {"open_ms": (opened - started) * 1000, "cpu_ms": spent * 1000, "bytes": len(first)}
    assert summary.count > 0
    found["store_rss_mb"] = _rss_mb() - before_mb
    await store.close()
    bare_ms = _bare_open_ms(directory)
    return {**found, "bare_open_ms": bare_ms, "of_bare_open": found["cpu_ms"] / bare_ms}


def _bare_open_ms(directory: Path) -> float:
    """What nobody can leave out: SQLite opens the file, and reads one row of it."""
    started = process_time()
    with closing(sqlite3.connect(directory / DATABASE_NAME)) as connection:
        connection.execute("select value from meta where key = 'count'").fetchone()
        return (process_time() - started) * 1000


def _read_ms(directory: Path) -> float:
    """SQLite reads every item once from the index, and hands none of them out."""
    with closing(sqlite3.connect(directory / DATABASE_NAME)) as connection:
        started = process_time()
        connection.execute("select sum(created), max(id) from action indexed by action_by_item").fetchone()
        return (process_time() - started) * 1000


def _rss_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * 4096 / 1e6


def _handle(machine: Any, message: bytes, items: Items) -> Any:
    return machine.handle(items, message)


class _Talk:
    """One reconciliation of two databases, with the CPU time of each side."""

    def __init__(self, ours: Store, theirs: Store) -> None:
        self._stores = (ours, theirs)
        self.spent_ms = [0.0, 0.0]
        self.rounds = self.bytes = self.needed = 0

    async def run(self) -> None:
        """Talk to the end."""
        ours, theirs = Initiator(), Responder()
        message: bytes | None = await self._step(0, ours.open)
        while message is not None:
            answer = await self._step(1, partial(_handle, theirs, message))
            self.rounds, self.bytes = self.rounds + 1, self.bytes + len(message) + len(answer)
            message, _, need = await self._step(0, partial(_handle, ours, answer))
            self.needed += len(need)

    async def _step(self, side: int, work: Callable[[Items], T]) -> T:
        started = process_time()
        found = await self._stores[side].over_items(work)
        self.spent_ms[side] += (process_time() - started) * 1000
        return found


async def reconcile(less: Path, full: Path) -> _Talk:
    """What it takes to find what one database lacks, both just opened."""
    stores = [await Store.open(folder, CHARTER.domain) for folder in (less, full)]
    talk = _Talk(*stores)
    await talk.run()
    for store in stores:
        await store.close()
    return talk


def measure() -> Figures:
    """Figures by name."""
    found: Figures = {}
    with tempfile.TemporaryDirectory(prefix="hubd-bench-") as scratch:
        full = Path(scratch) / "full"
        asyncio.run(build(full))
        found[f"ready to compare {ACTIONS:,} actions after a start"] = _ready_elsewhere(full)
        read_ms = _read_ms(full)
        found[f"{ACTIONS:,} items read once from their index by SQLite"] = {"cpu_ms": read_ms}
        step = ACTIONS // DIFFERENT
        lacking = {"newest": range(ACTIONS - DIFFERENT + 1, ACTIONS + 1), "scattered": range(1, ACTIONS, step)}
        for name, sequences in lacking.items():
            less = Path(scratch) / name
            less.mkdir(mode=0o700)
            shutil.copy(full / DATABASE_NAME, less / DATABASE_NAME)
            asyncio.run(lose(less, sequences))
            talk = asyncio.run(reconcile(less, full))
            assert talk.needed == DIFFERENT
            found[f"reconcile {ACTIONS:,} kept items, {DIFFERENT} {name} lacking"] = {
                "cpu_ms_asking": talk.spent_ms[0], "cpu_ms_asked": talk.spent_ms[1], "round_trips": talk.rounds,
                "bytes": talk.bytes, "of_one_read": max(talk.spent_ms) / read_ms,
            }  # fmt: skip
            shutil.rmtree(less)
    return found


def _ready_elsewhere(directory: Path) -> dict[str, float]:
    """`ready` in a fresh process."""
    command = [sys.executable, "-m", "bench.million", "--ready", str(directory)]
    said: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)  # noqa: S603  # our own module
    return said


def main(arguments: list[str]) -> None:
    """Build one, or tell what `ready` found."""
    if arguments[:1] == ["--ready"]:
        print(json.dumps(asyncio.run(ready(Path(arguments[1])))))
        return
    directory, *count = arguments
    asyncio.run(build(Path(directory), *map(int, count)))


if __name__ == "__main__":
    main(sys.argv[1:])
