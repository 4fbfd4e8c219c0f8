"""Hubs and phones as processes on machines of a local network, which they find by mDNS: nothing is configured.

Each machine is a network namespace where that is allowed, and else a process on the loopback (tests/networks.py).
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from networks import FAMILIES, FORM, Machines, PhoneProcess

from hubd.action import charter as charters
from hubd.action.envelope import without_content
from hubd.limits import CONTENT_REST_S, LINK_SILENCE_S
from hubd.phone.phone import Phone

FOUNDING = 4  # actions: two hubs, announced and admitted
NOTICED_S = LINK_SILENCE_S + 1  # by whichever side


@pytest.fixture
async def machines(tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    """Gives `await machines("a", "b", hubs=["a", "b"])`: these machines, and the hubs on some of them."""
    made: list[Any] = []

    async def make(*names: str, hubs: list[str], families: tuple[str, ...] = FAMILIES, **settings: Any) -> Machines:
        made.append(FORM(names, families))
        made.append(await Machines.founded(made[0], tmp_path, hubs, **settings))
        return made[1]

    yield make
    for each in reversed(made):
        closed = each.close()
        if closed is not None:
            await closed


@pytest.mark.parametrize("families", [FAMILIES, FAMILIES[1:]], ids=["both", "ipv6"])
async def test_hubs_of_one_network_find_each_other_and_prove_one_set(machines: Any, families: tuple[str, ...]) -> None:
    here = await machines("a", "b", hubs=["a", "b"], families=families)
    await here.start()
    await here.offer("a", [here.village.register(f"a-{number}") for number in range(20)])
    await here.offer("b", [here.village.register(f"b-{number}") for number in range(30)])
    await here.are_one("a", "b", count=FOUNDING + 50, within_s=20)


async def test_a_text_that_one_hub_gets_after_its_header_is_at_the_other_at_once(machines: Any) -> None:
    here = await machines("a", "b", hubs=["a", "b"])
    await here.start()
    text = here.village.seal("amina", "profile-set", text={"text": "words"})
    for hub in ("a", "b"):
        await here.offer(hub, [without_content(text)])
    await here.are_one("a", "b", count=FOUNDING + 1, within_s=20)
    assert (await here.facts("b"))["lacking"] == 1
    await here.offer("a", [text])

    async def is_whole() -> bool:
        return bool((await here.facts("b"))["lacking"] == 0)

    await here.until(is_whole, CONTENT_REST_S / 4)


async def test_a_phone_that_waits_on_the_network_is_found_and_synced_unasked(machines: Any, tmp_path: Path) -> None:
    here = await machines("a", "amina", hubs=["a"])
    phone = await Phone.create(tmp_path / "amina", charters.write(here.village.charter))
    await phone.register("Amina", 1)
    await phone.close()
    waiting = PhoneProcess(here.network, "amina", tmp_path / "amina")
    await here.start()
    await waiting.spawn()

    async def has_synced() -> bool:
        return "1 at the hub" in waiting.log.read_text()

    try:
        await here.until(has_synced, 20)
        assert (await here.facts("a"))["count"] == FOUNDING // 2 + 1
    finally:
        await waiting.end()


async def test_a_hub_whose_network_goes_and_comes_back_elsewhere_is_found_again(machines: Any) -> None:
    here = await machines("a", "b", hubs=["a", "b"])
    await here.start()
    await here.are_one("a", "b", count=FOUNDING, within_s=20)
    await here.network.move("b", here.hubs["b"], 9)
    await here.offer("a", [here.village.register("a")])
    await here.offer("b", [here.village.register("b")])
    await here.are_one("a", "b", count=FOUNDING + 2, within_s=20)


WATCHER = """
import asyncio, sys
from contextlib import aclosing
from hubd.gossip.interfaces import changes

async def main():
    async with aclosing(changes()) as news:
        print(*sorted(each.host for each in await anext(news)), flush=True)
        sys.stdin.readline()  # busy with these, and meanwhile the machine gets another address
        try:
            print(*sorted(each.host for each in await asyncio.wait_for(anext(news), 5)), flush=True)
        except TimeoutError:
            print("no news", flush=True)

asyncio.run(main())
"""


async def test_an_address_that_comes_while_the_first_ones_are_looked_at_is_news_at_once() -> None:
    network = FORM(["a"])
    try:
        watcher = await asyncio.create_subprocess_exec(
            *network.inside("a"), sys.executable, "-c", WATCHER,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert watcher.stdout is not None
        before = (await watcher.stdout.readline()).split()
        has_changed = network.settle("a", 9)
        said, _ = await watcher.communicate(b"\n")
        assert said.split() == (sorted([*before, b"10.77.0.9", b"fd77::9"]) if has_changed else [b"no", b"news"])
    finally:
        network.close()


async def test_a_silent_cut_is_noticed_and_heals(machines: Any) -> None:
    here = await machines("a", "b", hubs=["a", "b"])
    await here.start()
    await here.are_one("a", "b", count=FOUNDING, within_s=20)
    here.network.cut("b", here.hubs["b"])
    cut_at = time.monotonic()

    async def is_noticed() -> bool:
        [peer] = (await here.facts("a"))["peers"]
        return peer["state"] != "connected"

    try:
        await here.until(is_noticed, NOTICED_S + 5)
        assert time.monotonic() - cut_at > 1, "nobody said so: it took the silence"
    finally:
        here.network.mend("b", here.hubs["b"])
    await here.offer("a", [here.village.register("a")])
    await here.offer("b", [here.village.register("b")])
    await here.are_one("a", "b", count=FOUNDING + 2, within_s=20)


async def test_a_line_that_loses_what_does_not_fit_still_brings_everything(machines: Any) -> None:
    here = await machines("a", "b", hubs=["a", "b"])
    await here.start("b")
    await here.offer("b", [here.village.register(f"b-{number}") for number in range(400)])
    dropped = here.network.narrow("b")
    await here.start("a")
    await asyncio.sleep(0)
    await here.are_one("a", "b", count=FOUNDING + 400, within_s=30)
    assert dropped() > 0
