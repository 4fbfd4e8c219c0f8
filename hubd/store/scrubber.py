"""The scrub as a service: all rows, step by step, after a start and weekly, at a pace that leaves the hub its time.

It comes sooner after a read met rot, and where a neighbour's comparison hints at it. A hint may be a lie, so it counts a
few times a day at most.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from hubd import log
from hubd.errors import RemoteError
from hubd.limits import PAGE_ACTIONS, SCRUB_DOUBT_S, SCRUB_IDLE_TIMES, SCRUB_INTERVAL_S, SCRUB_ROT_S
from hubd.store import scrub
from hubd.store.actions import Store

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

    def doubt(self) -> None:
        """A neighbour's comparison hints that rows rotted, here or there."""
        self._doubted.set()

    async def run(self) -> None:
        """Scrub for ever; first of all, bring the sketch up to date."""
        clock = asyncio.get_running_loop().time
        await self._store.sketch_symbols(0, 1)  # after an update of hubd the whole set is to be added: not in a session
        self._brought_back_at = clock()
        while True:
            self._store.rot_met.clear()
            self._doubted.clear()
            found = await self.scrub(SCRUB_IDLE_TIMES)
            if found.damaged or found.counted_again:
                self._log.warning("rot-found", count=found.damaged, items=found.set_aside)
            await self._rest()
            if clock() - self._brought_back_at >= SCRUB_INTERVAL_S:
                await self.bring_back()
                self._brought_back_at = clock()

    async def _rest(self) -> None:
        """Until the next scrub is due, which may become sooner meanwhile."""
        waits = {
            asyncio.create_task(_wait(None, SCRUB_INTERVAL_S)),
            asyncio.create_task(_wait(self._store.rot_met, SCRUB_ROT_S)),
            asyncio.create_task(_wait(self._doubted, SCRUB_DOUBT_S)),
        }
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()

    async def scrub(self, idle_times: float = 0) -> Found:
        """One pass; after each step, rest so many times as long as it took."""
        found, clock = Found(), asyncio.get_running_loop().time
        looked = scrub.NOTHING
        while not looked.is_end:
            started = clock()
            looked = await self._store.database.compare(partial(scrub.look, before=looked, domain=self._store.domain))
            if looked.damaged:
                found.damaged += len(looked.damaged)
                found.set_aside += await self._store.change(
                    partial(scrub.mend, sequences=looked.damaged, domain=self._store.domain)
                )
            await asyncio.sleep((clock() - started) * idle_times)
        found.rows = looked.rows
        if looked.lacking:
            found.damaged += await self._store.change(scrub.adopt_strays)
        if not (looked.agrees or found.damaged) or not await self._buckets_agree(idle_times):
            await self._store.change(scrub.count_again)
            found.counted_again = True
        return found

    async def _buckets_agree(self, idle_times: float) -> bool:
        low: bytes | None = b""
        clock = asyncio.get_running_loop().time
        while low is not None:
            started = clock()
            try:
                low = await self._store.database.compare(partial(scrub.look_at_buckets, low=low))
            except RemoteError:
                return False
            await asyncio.sleep((clock() - started) * idle_times)
        return True

    async def bring_back(self) -> None:
        """Headers that were sound and that no neighbour gave again in a week: better without content than not at all."""
        sql, last = "select id, header from rotten where id > ? order by id limit ?", b""
        while rows := await self._store.database.read(sql, (last, PAGE_ACTIONS)):
            last = rows[-1][0]
            await self._offer([header for _, header in rows])


async def _wait(event: asyncio.Event | None, seconds: float) -> None:
    """So long at least, and until the event, if there is one."""
    await asyncio.sleep(seconds)
    if event is not None:
        await event.wait()
