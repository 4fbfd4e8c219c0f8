"""What an ordinary sync of a phone costs, and how many phones pass through the few places of a weak village's radio."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from builders import Village
from phone_hubs import PhoneHub, phone_hub, served
from radio import radio

from hubd.action import charter, envelope
from hubd.phone.phone import Phone

UP, DOWN = 5, 20
PHONES = 100 if os.environ.get("HUBD_CAMPAIGN") else 16
SLOTS = 8  # radios that one small access point serves at a time
JOIN_S = 12  # to join a Wi-Fi, with DHCP and a person who waits for it
WEAK = {"bytes_per_s": 64_000, "delay_s": 0.1}  # half a megabit for all of them, 0.2 s there and back
COSTS = {
    # scheme: (turns and bytes of a sync with nothing new, turns and bytes besides the envelopes of an ordinary one)
    "http": ((2, 1_400), (3, 3_600)),
    "ws": ((4, 1_200), (5, 3_000)),
}


@asynccontextmanager
async def people(directory: Path, village: Village, hub: PhoneHub, count: int) -> AsyncIterator[list[Phone]]:
    """Phones that this village knows, each up to date."""
    phones = []
    try:
        for number in range(count):
            phones.append(await Phone.create(directory / f"p{number}", charter.write(village.charter)))
            await hub.take(await phones[-1].register(f"Person {number}", 1))
        await hub.take(village.register("ben"), village.vouch("steward-1", "ben", 4))
        await hub.take(*(village.vouch("steward-1", phone.principal, 4) for phone in phones))
        async with served(hub) as url:
            for phone in phones:
                await phone.sync(url)
        yield phones
    finally:
        for phone in phones:
            await phone.close()


async def a_day(phone: Phone) -> int:
    """Five actions signed on a phone; returns the bytes of them."""
    before = {item.id for item in await phone._replica.outbox.items()}
    for _ in range(UP):
        await phone.do("request-open", subjects="reading", ceiling="5")
    return sum(len(item.envelope) for item in await phone._replica.outbox.items() if item.id not in before)


@pytest.mark.parametrize("scheme", COSTS)
async def test_an_ordinary_sync_costs_little_beside_what_it_carries(tmp_path: Path, scheme: str) -> None:
    village = Village(1)
    async with (
        phone_hub(tmp_path, village) as hub,
        people(tmp_path, village, hub, 1) as [phone],
        served(hub) as url,
        radio(url.replace("http", scheme)) as (near, air),
    ):
        (idle_turns, idle_bytes), (turns, extra_bytes) = COSTS[scheme]
        await phone.sync(near)
        air.reset()
        await phone.sync(near)
        assert (air.connections, air.turns) == (1, idle_turns)
        assert air.up + air.down <= idle_bytes
        payload = await a_day(phone)
        news = [village.request("ben") for _ in range(DOWN)]
        payload += sum(len(envelope.encode(action)) for action in news)
        await hub.take(*news)
        air.reset()
        report = await phone.sync(near)
        assert (report.acknowledged, report.received) == (UP, DOWN)
        assert (air.connections, air.turns) == (1, turns)
        assert air.up + air.down - payload <= extra_bytes


async def test_a_hundred_phones_pass_through_eight_places_in_a_quarter_of_an_hour(tmp_path: Path) -> None:
    """Over a weak radio; joining it is added as a constant, the rest is measured."""
    village = Village(1)
    async with phone_hub(tmp_path, village) as hub, people(tmp_path, village, hub, PHONES) as phones:
        await hub.take(*(village.request("ben") for _ in range(DOWN)))
        for phone in phones:
            await a_day(phone)
        places, durations = asyncio.Semaphore(SLOTS), []
        async with served(hub) as url, radio(url, **WEAK) as (near, air):

            async def pass_through(phone: Phone) -> None:
                async with places:
                    begun = time.monotonic()
                    report = await phone.sync(near)
                    durations.append(time.monotonic() - begun)
                assert report.acknowledged == UP
                assert report.received >= DOWN

            begun = time.monotonic()
            await asyncio.gather(*map(pass_through, phones))
            took = time.monotonic() - begun
            assert not hub.door.counters["rate"]
            await asyncio.sleep(0.3)
        hundred_s = took * 100 / PHONES + JOIN_S * 100 / SLOTS
        print(
            f"{PHONES} phones in {took:.1f} s, {sum(durations) / PHONES:.1f} s each (at most {max(durations):.1f}),"
            f" {(air.up + air.down) // PHONES} bytes each; a hundred, with joining: {hundred_s:.0f} s"
        )
        assert hundred_s < 15 * 60
