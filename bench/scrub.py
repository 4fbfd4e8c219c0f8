"""What a scrub of a large set takes, to its end, and how long anybody who writes waits for it.

Once over a sound set, and once over one in which a row rotted so that everything that follows from the rows must be made
anew. Without the rests that a hub takes between two steps, and in a process of its own. `python -m bench.scrub FOLDER` does
it over a data folder that `bench.million` made.
"""

import asyncio
import json
import resource
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from time import monotonic, process_time

from bench.actions import CHARTER, made
from bench.million import build
from bench.values import Figures
from hubd.store import scrub
from hubd.store.actions import Store
from hubd.store.scrubber import Scrubber

_PAUSE_S = 0.02  # between two writes
_ROT = (
    "update action set created = created + 1 where sequence = (select max(sequence) from action)",
    "update bucket set sum = zeroblob(32) where low = (select max(low) from bucket)",
    "update meta set value = value + 1 where key = 'count'",
)


class _Writer:
    """Somebody who writes one action after the other, and the longest time one took."""

    def __init__(self, store: Store, first: int) -> None:
        self._store = store
        self._next = first
        self.longest_ms = 0.0
        self.is_wanted = True

    async def write(self) -> None:
        """One action."""
        started = monotonic()
        await self._store.append([made(self._next)])
        self.longest_ms = max(self.longest_ms, (monotonic() - started) * 1000)
        self._next += 1

    async def run(self) -> None:
        """As long as that is wanted."""
        while self.is_wanted:
            await self.write()
            await asyncio.sleep(_PAUSE_S)


async def _beside(writer: _Writer, work: Callable[[], Awaitable[object]]) -> dict[str, float]:
    """Do the work while somebody writes."""
    writer.longest_ms, writer.is_wanted = 0.0, True
    writing = asyncio.create_task(writer.run())
    started, spent = monotonic(), process_time()
    await asyncio.sleep(_PAUSE_S)
    await work()
    found = {"s": monotonic() - started, "cpu_s": process_time() - spent}
    writer.is_wanted = False
    await writing
    found["longest_write_ms"] = writer.longest_ms
    return {**found, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6}


def _execute(statement: str, connection: sqlite3.Connection) -> None:
    connection.execute(statement)


async def _nobody(_raws: Sequence[bytes]) -> None:
    """Nothing is offered here."""


async def _run(directory: Path) -> dict[str, dict[str, float]]:
    store = await Store.open(directory, CHARTER.domain)
    try:
        scrubber, summary = Scrubber(store, _nobody), await store.summary()
        writer = _Writer(store, summary.count)
        found = {
            "nothing": await _beside(writer, partial(asyncio.sleep, 2.0)),
            "a sound set": await _beside(writer, scrubber.scrub),
        }
        await writer.write()
        for statement in _ROT:
            await store.change(partial(_execute, statement))
        found["a set with a row that rotted"] = await _beside(writer, scrubber.scrub)
        for name in scrub.INDEXES:
            found[f"an index that rotted, {name}"] = await _beside(
                writer, partial(store.change, partial(scrub.reindex, name=name))
            )
        assert not (await scrubber.scrub()).damaged
        return found
    finally:
        await store.close()


def measure(count: int) -> Figures:
    """Figures by name."""
    with tempfile.TemporaryDirectory(prefix="hubd-bench-") as scratch:
        directory = Path(scratch) / "full"
        asyncio.run(build(directory, count))
        command = [sys.executable, "-m", "bench.scrub", str(directory)]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603  # our own module
    return {f"scrub of {count:,} actions: {name}": row for name, row in json.loads(said).items()}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_run(Path(sys.argv[1])))))
