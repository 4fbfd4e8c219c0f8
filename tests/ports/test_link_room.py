"""A hub whose door, table of descriptors or threads are full: strangers give way, and what is linked stays linked."""

import asyncio
import contextlib
import os
import resource
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from linked import Hub, Mesh, are_equal, registrations, tell_address, until
from rogues import rogue

from hubd.gossip import wire
from hubd.limits import LINK_SOCKETS_PER_ADDRESS_MAX

pytestmark = pytest.mark.usefixtures("in_a_hurry")
PLACES = 40


@contextlib.contextmanager
def descriptors_left(count: int) -> Iterator[None]:
    """So many files may still be opened."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = [os.dup(0) for _ in range(count + 1)]
    for each in free:
        os.close(each)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(free), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def knocks(hub: Hub, count: int) -> Iterator[socket.socket]:
    """Idle connections, each from another address of this machine."""
    for number in range(count):
        knock = socket.socket()
        knock.bind((f"127.0.1.{1 + number % 250}", 0))
        knock.connect(("127.0.0.1", hub.link.port))
        yield knock


async def test_strangers_of_many_addresses_give_way_and_neighbours_come_in_and_stay(
    mesh: Mesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hubd.gossip.turnstile.LINK_SOCKETS_MAX", PLACES)
    a, b, c = await mesh.hubs_that_know_each_other("a", "b", "c", interval_s=1_000)
    await mesh.start(a, b, c)
    tell_address(b, a)
    await until(lambda: b.proven)
    [link] = a.link._board
    listener = a.link._acceptor.listener
    with contextlib.ExitStack() as crowd:
        for number, knock in enumerate(knocks(a, 6 * PLACES)):
            crowd.enter_context(knock)
            await asyncio.sleep(0)
            if number == 3 * PLACES:
                tell_address(c, a)
        await until(lambda: c.proven, within_s=3)
        await until(lambda: len(listener._turnstile._connections) <= PLACES, within_s=2)
        assert listener.counters["full"] >= PLACES
        assert link in list(a.link._board)
        await b.offer(registrations("b", 1))
        await are_equal(a, b, c, count=1)


async def test_a_neighbour_comes_in_past_the_idle_strangers_of_its_own_address(mesh: Mesh) -> None:
    a, b = await mesh.hubs_that_know_each_other("a", "b", interval_s=1_000)
    await mesh.start(a, b)
    with contextlib.ExitStack() as crowd:
        for _ in range(LINK_SOCKETS_PER_ADDRESS_MAX):
            crowd.enter_context(socket.create_connection(("127.0.0.1", a.link.port)))
        turnstile = a.link._acceptor.listener._turnstile
        await until(lambda: len(turnstile._connections) == LINK_SOCKETS_PER_ADDRESS_MAX)
        tell_address(b, a)
        await until(lambda: b.proven, within_s=2)
        [link] = a.link._board
        for _ in range(LINK_SOCKETS_PER_ADDRESS_MAX):
            crowd.enter_context(socket.create_connection(("127.0.0.1", a.link.port)))
        await asyncio.sleep(0.5)
        assert link in list(a.link._board)
        assert not b.link._peers.peers[a.principal].reason


async def test_a_hub_that_links_again_and_again_is_left_one_connection(mesh: Mesh) -> None:
    a, b = await mesh.hubs_that_know_each_other("a", "b")
    await a.start()
    turnstile = a.link._acceptor.listener._turnstile
    async with contextlib.AsyncExitStack() as links:
        for _ in range(8):
            peer = await links.enter_async_context(rogue(a, b))
            await peer.socket.send(wire.encode(wire.Ping()))
        await until(lambda: a.state(b) == "connected")
        await until(lambda: len(turnstile._connections) == 1)
        assert a.link.counters["unwelcome"] == 0


@pytest.mark.parametrize("count", [0, 1, 2])
async def test_a_hub_without_descriptors_keeps_what_it_has_and_dials_later(mesh: Mesh, count: int) -> None:
    a, b, c = await mesh.hubs_that_know_each_other("a", "b", "c")
    await mesh.start(a, b, c)
    tell_address(b, a)
    await until(lambda: b.proven)
    with descriptors_left(count):
        tell_address(b, c)
        await until(lambda: b.link._peers.peers[c.principal].failures or b.state(c) == "connected" or b.running.done())
        await b.offer(registrations("b", 1))
        await are_equal(a, b, count=1)
    await are_equal(a, b, c, count=1)


async def test_names_that_nobody_looks_up_hold_up_no_other_call_and_no_other_work(
    mesh: Mesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = threading.Event()

    def unanswered(host: str, port: int, **options: Any) -> Any:
        if not host.endswith(".example") or options["flags"]:
            return socket.getaddrinfo(host, port, **options)
        answered.wait(20)
        raise socket.gaierror

    monkeypatch.setattr("hubd.gossip.sockets.getaddrinfo", unanswered)
    a, b, *others = await mesh.hubs_that_know_each_other(*"abcdefghijklmnop", interval_s=1_000)
    await mesh.start(a, b)
    for other in others:
        tell_address(a, other, f"{other.name}.example:7701")
    try:
        await until(lambda: sum(peer.is_dialling for peer in a.link._peers.peers.values()) == len(others))
        await asyncio.wait_for(asyncio.to_thread(int), 2)
        tell_address(a, b)
        await until(lambda: a.proven, within_s=3)
    finally:
        answered.set()
