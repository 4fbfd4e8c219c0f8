"""A whole hub under attack from a machine of its network, and the honest who are served meanwhile."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from ceilings import Ceiling, resident
from networks import FORM, Loopback, Machines

from hubd import config
from hubd.action import charter as charters
from hubd.demo.processes import Process
from hubd.gossip.peer import key_tag
from hubd.gossip.wire import mesh_tag
from hubd.identity import Identity
from hubd.phone.phone import Phone

FOUNDING = 4
RECORDS = 50_000
POINTERS = 500_000
FLOOD_BYTES_MAX = 30_000_000
CEILING_BYTES = 256 * 1024 * 1024
ATTACKERS = Path(__file__).parents[1] / "attackers.py"
INSIDERS = ATTACKERS.with_name("insiders.py")
ROGUES = {"c": "garbage", "d": "endless", "e": "sessions"}


@asynccontextmanager
async def besieged(tmp_path: Path, *names: str, rogues: Iterable[str] = ()) -> AsyncIterator[Machines]:
    network = FORM(names)
    try:
        here = await Machines.founded(network, tmp_path, ["a", "b", *rogues])
        try:
            yield here
        finally:
            await here.close()
    finally:
        network.close()


def attacker(here: Machines, *words: Any, program: Path = ATTACKERS) -> Process:
    command = (*here.network.inside("x"), sys.executable, str(program), *map(str, words))
    return Process("x", command, here.folder / "x.log")


def address_of(here: Machines, name: str) -> tuple[str, int, int]:
    said = config.read((here.folder / name / config.FILE_NAME).read_bytes())
    number = {"a": 1, "b": 2, "x": 3}[name]
    host = "127.0.0.1" if isinstance(here.network, Loopback) else f"10.77.0.{number}"
    return host, said["mesh.listen_port"], said["phones.listen_port"]


def pid_of(here: Machines, name: str) -> int:
    running = here.hubs[name].running
    assert running is not None
    assert running.returncode is None, "it is the same process all the time"
    return running.pid


async def test_a_flood_of_false_records_costs_little_and_hides_no_hub(tmp_path: Path) -> None:
    async with besieged(tmp_path, "a", "b", "x") as here:
        await here.start("a")
        await asyncio.sleep(2)
        before = resident(pid_of(here, "a"))
        tag = key_tag(Identity.open(tmp_path / "b").curve_public).hex()
        mesh = mesh_tag(here.village.domain).hex()[:8]
        interface = "127.0.0.1" if FORM is Loopback else "10.77.0.3"
        decoy = attacker(here, "decoy", interface, tag, mesh, 5)
        await (await decoy.spawn()).wait()
        assert await said_in(decoy, "came 1\n"), "what could be true is dialled once, and then rests"
        flood = attacker(here, "mdns", interface, tag, mesh, RECORDS)
        running = await flood.spawn()
        assert await asyncio.wait_for(running.wait(), 60) == 0, flood.complaint()
        assert resident(pid_of(here, "a"), "VmHWM") - before < FLOOD_BYTES_MAX
        [peer] = (await here.facts("a"))["peers"]
        assert (peer["state"], peer["address"]) == ("waiting", f"{interface}:7999"), "none of it was dialled"
        await here.start("b")
        await here.are_one("a", "b", count=FOUNDING, within_s=20)


async def test_half_a_million_names_that_hold_for_years_cost_little_and_hide_no_hub(tmp_path: Path) -> None:
    async with besieged(tmp_path, "a", "b", "x") as here:
        await here.start("a")
        await asyncio.sleep(2)
        before = resident(pid_of(here, "a"))
        flood = attacker(here, "pointers", "127.0.0.1" if FORM is Loopback else "10.77.0.3", POINTERS)
        running = await flood.spawn()
        assert await asyncio.wait_for(running.wait(), 60) == 0, flood.complaint()
        await here.facts("a")
        assert resident(pid_of(here, "a"), "VmHWM") - before < FLOOD_BYTES_MAX
        await here.start("b")
        await here.are_one("a", "b", count=FOUNDING, within_s=20)


async def test_a_hub_of_256_megabytes_serves_the_honest_while_both_doors_are_attacked(tmp_path: Path) -> None:
    ceiling = Ceiling(CEILING_BYTES)
    try:
        async with besieged(tmp_path, "a", "b", "x", "amina") as here:
            here.hubs["a"].command = (*ceiling.command, *here.hubs["a"].command)
            await here.start()
            await here.are_one("a", "b", count=FOUNDING, within_s=20)
            host, hub_port, phone_port = address_of(here, "a")
            siege = attacker(here, "doors", host, hub_port, phone_port, 120, 130)
            running = await siege.spawn()
            await here.until(lambda: said_in(siege, "begun"), 20)
            await asyncio.sleep(2)
            await here.offer("b", [here.village.register(f"b-{number}") for number in range(50)])
            report = await registered_and_synced(here, f"http://{host}:{phone_port}")
            await here.are_one("a", "b", count=FOUNDING + 51, within_s=20)
            assert running.returncode is None, "all of it happened during the siege"
            assert report["acknowledged"] == 1
            await siege.end()
            assert ceiling.peak(pid_of(here, "a")) <= CEILING_BYTES
            assert resident(pid_of(here, "a"), "VmHWM") < CEILING_BYTES * 3 // 4
    finally:
        ceiling.close()


async def test_a_hub_of_256_megabytes_bans_admitted_rogues_and_serves_the_honest(tmp_path: Path) -> None:
    ceiling, count = Ceiling(CEILING_BYTES), 2 * (2 + len(ROGUES))
    try:
        async with besieged(tmp_path, "a", "b", "x", "amina", rogues=ROGUES) as here:
            here.hubs["a"].command = (*ceiling.command, *here.hubs["a"].command)
            await here.start("a", "b")
            await here.are_one("a", "b", count=count, within_s=20)
            host, hub_port, phone_port = address_of(here, "a")
            door_key = Identity.open(tmp_path / "a").curve_public.hex()
            keys = [f"{does}:{Identity.open(tmp_path / name).curve_secret.hex()}" for name, does in ROGUES.items()]
            mesh = mesh_tag(here.village.domain).hex()
            inside = attacker(here, host, hub_port, door_key, mesh, *keys, program=INSIDERS)
            running = await inside.spawn()
            report = await registered_and_synced(here, f"http://{host}:{phone_port}")
            await here.offer("b", [here.village.register(f"b-{number}") for number in range(50)])
            await here.are_one("a", "b", count=count + 51, within_s=20)
            assert report["acknowledged"] == 1
            assert await asyncio.wait_for(running.wait(), 30) == 0, inside.complaint()
            peers = {peer["name"]: peer["state"] for peer in (await here.facts("a"))["peers"]}
            assert peers == {"b": "connected", **dict.fromkeys(ROGUES, "banned")}
            assert ceiling.peak(pid_of(here, "a")) <= CEILING_BYTES
            assert resident(pid_of(here, "a"), "VmHWM") < CEILING_BYTES * 3 // 4
    finally:
        ceiling.close()


async def registered_and_synced(here: Machines, url: str) -> dict[str, Any]:
    phone = await Phone.create(here.folder / "amina", charters.write(here.village.charter))
    await phone.register("Amina", 1)
    await phone.close()
    return await synced(here, url)


async def said_in(process: Process, word: str) -> bool:
    return word in process.log.read_text("utf-8", "replace")


async def synced(here: Machines, url: str) -> dict[str, Any]:
    """A person tries again until the hub answers, as on any crowded day."""
    inside = here.network.inside("amina")
    words = (sys.executable, "-m", "hubd", "phone", "sync", url, "--phone", str(here.folder / "amina"), "--json")
    for _ in range(10):
        process = await asyncio.create_subprocess_exec(
            *inside, *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        out, complaint = await process.communicate()
        if process.returncode == 0:
            return dict(json.loads(out))
    pytest.fail(complaint.decode())
