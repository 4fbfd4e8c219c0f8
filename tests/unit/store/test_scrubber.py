"""When the set is scrubbed: weekly, sooner after a hint of rot, and never all day long because somebody hints."""

import asyncio
import time
from contextlib import asynccontextmanager, suppress

import pytest
from builders import Village

from hubd.action.fingerprint import EMPTY, extend, fingerprint
from hubd.store.actions import Store
from hubd.store.scrubber import Found, Scrubber

VILLAGE = Village(seed=5)
ACTIONS = [VILLAGE.register(f"person {number}") for number in range(12)]
LONG_S = 1_000


@pytest.fixture
async def store(tmp_path):
    opened = await Store.open(tmp_path, VILLAGE.charter.domain)
    await opened.append(ACTIONS)
    yield opened
    await opened.close()


@pytest.fixture
def waits(monkeypatch):
    """Sets how long the scrubber waits, at least."""

    def set_waits(interval_s=LONG_S, rot_s=LONG_S, doubt_s=LONG_S):
        for name, seconds in (("INTERVAL", interval_s), ("ROT", rot_s), ("DOUBT", doubt_s)):
            monkeypatch.setattr(f"hubd.store.scrubber.SCRUB_{name}_S", seconds)

    return set_waits


class Counting(Scrubber):
    """Counts its passes."""

    passes = 0

    async def scrub(self, _idle_times: float = 0) -> Found:
        found = await super().scrub()
        self.passes += 1
        return found


@asynccontextmanager
async def running(store):
    async def offer(_raws):
        """Nothing is brought back here."""

    scrubber = Counting(store, offer)
    task = asyncio.create_task(scrubber.run())
    yield scrubber
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def until(condition, within_s=10):
    async with asyncio.timeout(within_s):
        while not await condition():  # of the database
            await asyncio.sleep(0.01)


async def test_a_read_that_meets_an_id_that_rotted_makes_the_fingerprint_right_soon(store, waits):
    waits(rot_s=0.05)
    left = fingerprint(extend(EMPTY, [action.id for action in ACTIONS if action is not ACTIONS[3]]))
    async with running(store) as scrubber:
        await until(lambda: asyncio.sleep(0, scrubber.passes == 1))
        await store.change(lambda writer: writer.execute("update action set id = zeroblob(32) where sequence = 4"))
        assert len(await store.page(0, 99)) == len(ACTIONS) - 1
        assert (await store.summary()).fingerprint != left, "what was taken out is not what had been put in"

        async def is_right():
            return (await store.summary()).fingerprint == left

        await until(is_right)


@pytest.mark.parametrize("hints", [1, 1_000])
async def test_hints_of_neighbours_wake_it_no_more_often_than_the_limit_says(store, waits, hints):
    waits(doubt_s=0.2)
    started = time.monotonic()
    async with running(store) as scrubber:
        await until(lambda: asyncio.sleep(0, scrubber.passes == 1))
        for _ in range(hints):
            scrubber.doubt()
            await asyncio.sleep(0.001)
        await until(lambda: asyncio.sleep(0, scrubber.passes > 1))
        assert scrubber.passes <= 1 + (time.monotonic() - started) / 0.2


async def test_it_says_how_long_ago_it_read_everything_and_nothing_before(store, waits):
    waits()
    scrubber = Scrubber(store, lambda _raws: asyncio.sleep(0))
    assert scrubber.age_s is None
    await scrubber.scrub()
    first = scrubber.age_s
    await asyncio.sleep(0.01)
    assert 0 <= first < scrubber.age_s < 10


async def test_without_a_hint_it_rests_for_the_whole_interval(store, waits):
    waits(rot_s=0.01, doubt_s=0.01)
    async with running(store) as scrubber:
        await until(lambda: asyncio.sleep(0, scrubber.passes == 1))
        await asyncio.sleep(0.2)
        assert scrubber.passes == 1
