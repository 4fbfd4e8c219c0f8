"""By what number a link goes at the listener: nobody foresees it, and who takes another's does not become that other."""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest
import zmq
import zmq.asyncio
from linked import Hub, Mesh, are_equal, registrations, tell_address, until

from hubd.gossip.sockets import Dialled, DialOutcome, endpoint
from hubd.limits import LINK_KNOCKS_BURST_MAX, PEER_FAULTS_MAX

pytestmark = pytest.mark.usefixtures("in_a_hurry")

FIRST_NUMBER = """
import asyncio, zmq.asyncio
from hubd.gossip.listener import Listener
from hubd.gossip.sockets import Dialled, curve_keypair

async def main():
    context, keys, first = zmq.asyncio.Context(), curve_keypair(), asyncio.get_running_loop().create_future()
    known = {keys.public: keys.public[:21]}
    door = Listener(context, keys, admitted=known.get, arrived=first.set_result, flooded=print)
    await door.open("127.0.0.1", 0)
    serving = asyncio.create_task(door.run())
    peer = Dialled(context, f"tcp://127.0.0.1:{door.port}", server_key=keys.public, keys=keys)
    await peer.opened()
    await peer.socket.send(b"here")
    print((await first).route.hex())
    peer.close()
    serving.cancel()
    await asyncio.wait([serving])
    door.close()
    context.destroy(0)

asyncio.run(main())
"""


@contextlib.asynccontextmanager
async def named(hub: Hub, other: Hub, routing_id: bytes) -> AsyncIterator[zmq.asyncio.Socket]:
    """A link with the other's key, under a number of its own choice."""
    context = zmq.asyncio.Context()
    peer = context.socket(zmq.DEALER)
    peer.routing_id = routing_id
    peer.curve_serverkey = hub.keys.public
    peer.curve_publickey, peer.curve_secretkey = other.keys.public, other.keys.secret
    peer.connect(endpoint(hub.address()))
    try:
        yield peer
    finally:
        context.destroy(0)


def test_the_numbers_of_links_begin_elsewhere_in_every_process() -> None:
    program = [sys.executable, "-c", FIRST_NUMBER]
    found = [subprocess.run(program, capture_output=True, check=True, timeout=20).stdout for _ in range(3)]
    assert all(len(each) == len(found[0]) > 10 for each in found)
    assert len(set(found)) == 3


async def test_whoever_takes_the_number_of_a_link_that_ended_speaks_for_itself(mesh: Mesh) -> None:
    a, b, c = await mesh.hubs_that_know_each_other("a", "b", "c", interval_s=1_000)
    await mesh.start(a, c)
    tell_address(c, a)
    await until(lambda: c.proven)
    [left] = a.link._acceptor._routes
    await c.stop()
    async with named(a, b, left) as rogue:
        for _ in range(PEER_FAULTS_MAX):
            await rogue.send(b"\xff")
        await until(lambda: a.state(b) == "banned")
    assert a.state(c) != "banned"
    assert not a.link._peers.peers[c.principal].faults
    await c.start()
    tell_address(c, a)
    await c.offer(registrations("c", 1))
    await are_equal(a, c, count=1)


async def test_whoever_takes_the_number_of_a_link_that_lives_is_not_heard(mesh: Mesh) -> None:
    a, b, c = await mesh.hubs_that_know_each_other("a", "b", "c")
    await mesh.start(a, c)
    tell_address(c, a)
    await until(lambda: c.proven)
    [taken] = a.link._acceptor._routes
    async with named(a, b, taken) as rogue:
        await rogue.send(b"\xff")
        await c.offer(registrations("c", 1))
        await are_equal(a, c, count=1)
        await asyncio.sleep(0.1)
    assert a.state(b) != "connected"
    assert not a.link._peers.peers[c.principal].faults


async def test_a_hub_that_opens_link_after_link_is_refused_for_a_while_and_the_others_are_not(mesh: Mesh) -> None:
    a, b, c = await mesh.hubs_that_know_each_other("a", "b", "c")
    await a.start()
    outcomes = [await knock(a, b) for _ in range(LINK_KNOCKS_BURST_MAX + 20)]
    assert outcomes.count(DialOutcome.OPEN) < LINK_KNOCKS_BURST_MAX + 5
    assert outcomes[-1] is DialOutcome.REFUSED
    assert a.link._acceptor.listener.zap.counters["hasty"] > 10
    assert await knock(a, c) is DialOutcome.OPEN


async def knock(hub: Hub, other: Hub) -> DialOutcome:
    context = zmq.asyncio.Context()
    peer = Dialled(context, endpoint(hub.address()), server_key=hub.keys.public, keys=other.keys)
    try:
        return await peer.opened()
    finally:
        peer.close()
        context.destroy(0)
