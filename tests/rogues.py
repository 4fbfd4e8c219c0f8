"""Admitted hubs that do not behave, spoken by hand over real sockets; and what one costs that takes nothing."""

import asyncio
import contextlib
import ctypes
import gc
import multiprocessing
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import zmq.asyncio
from linked import VILLAGE, Hub, Mesh, are_equal, tell_address, until

from hubd.action.envelope import Action
from hubd.gossip import wire
from hubd.gossip.sockets import Dialled, DialOutcome, endpoint
from hubd.store.actions import Store

STALLED_PEER_BYTES_MAX = 5_000_000  # what a peer may cost that takes nothing
LOOKS = 6
DOINGS = ("reads and never acknowledges", "does not even read")


@contextlib.asynccontextmanager
async def rogue(hub: Hub, as_hub: Hub) -> AsyncIterator[Dialled]:
    """Somebody with the key of an admitted hub, who speaks by hand."""
    context = zmq.asyncio.Context()
    peer = Dialled(context, endpoint(hub.address()), server_key=hub.keys.public, keys=as_hub.keys)
    try:
        assert await peer.opened() is DialOutcome.OPEN
        await peer.socket.send(wire.encode(wire.Ping()))  # a link begins with its first frame
        await until(lambda: hub.state(as_hub) == "connected")
        yield peer
    finally:
        peer.close()
        context.destroy(0)


@contextlib.asynccontextmanager
async def beside(*works: Any) -> AsyncIterator[None]:
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def resident_bytes() -> int:
    gc.collect()
    with contextlib.suppress(AttributeError):  # another C library than glibc
        ctypes.CDLL(None).malloc_trim(0)  # what was given back and is kept for later is no growth
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def large(number: int) -> list[Action]:
    """Ten actions of 12 KiB each."""
    name = f"large-{number}"
    return [VILLAGE.seal(name, "profile-set", text={"text": "x" * 12_000}) for _ in range(10)]


async def publish(a: Hub, b: Hub, news: range, count: int) -> None:
    for number in news:
        await a.offer(large(number))
        await asyncio.sleep(0)
    await are_equal(a, b, count=count)


async def settled_bytes(a: Hub, b: Hub, first: int, count: int) -> int:
    """The least of several looks, with some news before each, which have SQLite empty and fill the caches of its readers:
    2.5 MB each, and no peer's.
    """
    looks = []
    for number in range(LOOKS):
        await publish(a, b, range(first + number, first + number + 1), count + 10 * (number + 1))
        looks.append(resident_bytes())
    return min(looks)


async def dropping(peer: Dialled) -> None:
    while True:
        await peer.socket.recv()


async def _growth(does: str, folder: Path) -> tuple[int, int]:
    async with contextlib.AsyncExitStack() as stack:

        async def make_store(name: str) -> Store:
            store = await Store.open(folder / name, VILLAGE.domain)
            stack.push_async_callback(store.close)
            return store

        mesh = Mesh(make_store)
        stack.push_async_callback(mesh.stop)
        a, b, c = await mesh.hubs_that_know_each_other("a", "b", "c", interval_s=1_000)
        await mesh.start(a, b)
        tell_address(b, a)
        await until(lambda: b.proven)
        await publish(a, b, range(60), count=600)  # whatever grows once has grown
        calm = await settled_bytes(a, b, 1_000, 600)
        await publish(a, b, range(60, 140), 1_400 + 10 * LOOKS)
        before = await settled_bytes(a, b, 2_000, 1_400 + 10 * LOOKS)
        async with rogue(a, c) as peer, beside(*([dropping(peer)] if does == DOINGS[0] else [])):
            await publish(a, b, range(140, 220), 2_200 + 20 * LOOKS)
            return before - calm, await settled_bytes(a, b, 3_000, 2_200 + 20 * LOOKS) - before


def _measure(does: str, folder: Path, answer: Any) -> None:
    answer.put(asyncio.run(_growth(does, folder)))


def growth_in_a_fresh_process(does: str, folder: Path) -> tuple[int, int]:
    """By how many bytes two hubs grow while news of 10 MB pass, without and with a peer that stalls. In a process of its
    own: what other tests left in this one's heap would be taken for nothing, or for much.
    """
    context = multiprocessing.get_context("spawn")
    answer = context.Queue()
    process = context.Process(target=_measure, args=(does, folder, answer))
    process.start()
    try:
        without, with_it = answer.get(timeout=120)
    finally:
        process.join(10)
        process.kill()
    return without, with_it
