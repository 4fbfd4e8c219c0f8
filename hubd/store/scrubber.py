"""The scrub as a service: all rows, step by step, after a start and weekly, at a pace that leaves the hub its time.

It comes sooner after a read met rot, and where a neighbour's comparison hints at it. A hint may be a lie, so it counts a
few times a day at most.
"""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from hubd import log
from hubd.errors import FatalError, LocalError, RemoteError
from hubd.limits import PAGE_ACTIONS, SCRUB_COUNTS_MAX, SCRUB_DOUBT_S, SCRUB_IDLE_TIMES, SCRUB_INTERVAL_S, SCRUB_ROT_S
from hubd.store import buckets, lacking, recount, scrub
from hubd.store.actions import Store
from hubd.store.database import damage
from hubd.store.scrub import Looked, Mended

T = TypeVar("T")
Offer = Callable[[Sequence[bytes]], Awaitable[object]]


@dataclass(slots=True)
class Found:
    """What one pass over all rows came to."""

    rows: int = 0
    damaged: int = 0
    set_aside: int = 0
    counted_again: bool = False


class Scrubber:
    """`offer` takes envelopes into the set as the hub's own door does."""

    def __init__(self, store: Store, offer: Offer) -> None:
        self._store = store
        self._offer = offer
        self._log = log.get("store")
        self._doubted = asyncio.Event()
        self._brought_back_at = 0.0
        self._scrubbed_at: float | None = None

    @property
    def age_s(self) -> float | None:
        """Since all rows were last read to their end, and put right where they had to be; None: not since the start."""
        return None if self._scrubbed_at is None else asyncio.get_running_loop().time() - self._scrubbed_at

    def doubt(self) -> None:
        """A neighbour's comparison hints that rows rotted, here or there."""
        self._doubted.set()

    async def run(self) -> None:
        """Scrub for ever; first of all, bring the sketch up to date."""
        clock = asyncio.get_running_loop().time
        with self._ending():
            await self._store.sketch_symbols(
                0, 1
            )  # after an update of hubd the whole set is to be added: not in a session
        self._brought_back_at = clock()
        while True:
            self._store.rot_met.clear()
            self._doubted.clear()
            found = await self.scrub(SCRUB_IDLE_TIMES)
            if found.damaged or found.counted_again:
                self._log.warning("rot-found", count=found.damaged, items=found.set_aside)
            await self._rest()
            if self._store.database.damaged.is_set():
                with self._ending():
                    raise damage("somebody met what SQLite can't read")
            if clock() - self._brought_back_at >= SCRUB_INTERVAL_S:
                await self.bring_back()
                self._brought_back_at = clock()

    async def _rest(self) -> None:
        """Until the next scrub is due, which may become sooner meanwhile."""
        waits = {
            asyncio.create_task(_wait(None, SCRUB_INTERVAL_S)),
            asyncio.create_task(_wait(self._store.rot_met, SCRUB_ROT_S)),
            asyncio.create_task(_wait(self._store.database.damaged, 0)),
            asyncio.create_task(_wait(self._doubted, SCRUB_DOUBT_S)),
        }
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()

    async def scrub(self, idle_times: float = 0) -> Found:
        """One pass; after each step, rest so many times as long as it took.

        Raises `FatalError` where SQLite can't read or keep its own file: it is written anew when it is opened next.
        """
        with self._ending():
            found = await self._scrub(_Pace(idle_times))
            await self._read(scrub.look_at_pages)
        self._store.room.outlive_kept()  # the new database was read to its end
        self._scrubbed_at = asyncio.get_running_loop().time()
        return found

    @contextmanager
    def _ending(self) -> Iterator[None]:
        """What no step can mend ends the hub."""
        try:
            yield
        except LocalError as error:
            if error.code != "database-damaged":
                raise
            self._store.database.mark_damaged(error.detail)
            raise FatalError(
                error.code, error.detail, hint="start hubd again: it saves all that can be read"
            ) from error

    async def _scrub(self, pace: "_Pace") -> Found:
        found, looked = Found(), scrub.NOTHING
        restored = 0
        while not looked.is_end:
            looked = await pace(self._read(partial(scrub.look, before=looked, domain=self._store.domain)))
            if looked.damaged:
                mended = await self._mend(looked)
                found.damaged, found.set_aside = found.damaged + len(looked.damaged), found.set_aside + mended.gone
                restored += mended.restored
            if looked.damaged or looked.astray:
                found.damaged += await self._relist(looked)
        found.rows = looked.rows
        if restored:
            await self._lay_audience(pace)
        if looked.lacking:
            found.damaged += await self._adopt_strays(pace)
        is_counted = looked.agrees if not found.damaged else (await self._count(pace)).agrees
        if not is_counted:
            await self._count_again(pace)
        is_summed = await self._is_sound(recount.look_at_buckets, pace)
        if not is_summed:
            await self._mend_buckets(pace)
        found.counted_again = not (is_counted and is_summed)
        return found

    async def _mend(self, looked: Looked) -> Mended:
        mended = await self._store.change(partial(scrub.mend, sequences=looked.damaged, domain=self._store.domain))
        for name in await self._read(partial(scrub.mislaid, sequences=looked.damaged)):
            await self._store.change(partial(scrub.reindex, name=name))
        return mended

    async def _relist(self, looked: Looked) -> int:
        """Whose content is missing is told anew where it was told wrongly; of rows that are damaged, it has to be."""
        await self._store.change(partial(lacking.settle, sequences=looked.damaged))
        return await self._store.change(partial(lacking.settle, sequences=looked.astray))

    async def _adopt_strays(self, pace: "_Pace") -> int:
        strays, adopted = scrub.NO_STRAYS, 0
        while not strays.is_end:
            strays = await pace(self._read(partial(scrub.look_for_strays, before=strays)))
        for key in strays.keys:
            found = await pace(self._read(partial(scrub.adopter_of, key=key)))
            adopted += await pace(self._store.change(partial(scrub.adopt, found=found)))
        return adopted

    async def _is_sound(self, look: Callable[[sqlite3.Connection, bytes], bytes | None], pace: "_Pace") -> bool:
        """Whether all steps of a look find nothing wrong."""
        at: bytes | None = b""
        while at is not None:
            try:
                at = await pace(self._read(partial(_look, look, at)))
            except RemoteError:
                return False
        return True

    async def _count(self, pace: "_Pace") -> recount.Counted:
        counted = recount.NOTHING
        while not counted.is_end:
            counted = await pace(self._read(partial(recount.count_on, before=counted)))
        return counted

    async def _count_again(self, pace: "_Pace") -> None:
        for _ in range(SCRUB_COUNTS_MAX):
            if await self._store.change(partial(recount.settle, counted=await self._count(pace))):
                return
        await self._store.change(partial(recount.settle, counted=recount.NOTHING))

    async def _mend_buckets(self, pace: "_Pace") -> None:
        try:
            low: bytes | None = b""
            while low is not None:
                low = await pace(self._store.change(partial(recount.mend_buckets, low=low)))
        except RemoteError:  # not even their order is left: all at once, half a second for a million items
            await self._store.change(buckets.recount)

    async def _lay_audience(self, pace: "_Pace") -> None:
        after: int | None = 0
        while after is not None:
            after = await pace(self._store.change(partial(recount.lay_audience, after=after)))

    def _read(self, work: Callable[[sqlite3.Connection], T]) -> Coroutine[Any, Any, T]:
        return self._store.database.compare(work)

    async def bring_back(self) -> None:
        """Headers that were sound and that no neighbour gave again in a week: better without content than not at all."""
        sql, last = "select id, cast(header as blob) from rotten where id > ? order by id limit ?", b""
        while rows := await self._store.database.read(sql, (last, PAGE_ACTIONS)):
            await self._offer([header for _, header in rows])
            if type(rows[-1][0]) is not bytes or rows[-1][0] <= last:
                break
            last = rows[-1][0]


class _Pace:
    """Waits for a step, then rests so many times as long as it took."""

    def __init__(self, idle_times: float) -> None:
        self._idle_times = idle_times

    async def __call__(self, step: Coroutine[Any, Any, T]) -> T:
        clock = asyncio.get_running_loop().time
        started = clock()
        found = await step
        await asyncio.sleep((clock() - started) * self._idle_times)
        return found


def _look(
    look: Callable[[sqlite3.Connection, bytes], bytes | None], at: bytes, connection: sqlite3.Connection
) -> bytes | None:
    return look(connection, at)


async def _wait(event: asyncio.Event | None, seconds: float) -> None:
    """So long at least, and until the event, if there is one."""
    await asyncio.sleep(seconds)
    if event is not None:
        await event.wait()
