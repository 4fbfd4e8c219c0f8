"""What libzmq does not bound: a message that never ends, and a crowd from one address; and what a capture is good for."""

import asyncio
import contextlib
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
import zmq.asyncio
from ceilings import resident
from linked import Cable, Hub, Mesh, are_equal, registrations, tell_address, until

from hubd.gossip import wire
from hubd.gossip.sockets import Dialled, DialOutcome, endpoint
from hubd.limits import LINK_SOCKETS_PER_ADDRESS_MAX, LINK_UNREAD_BYTES_MAX

pytestmark = pytest.mark.usefixtures("in_a_hurry")
PART_BYTES = 200_000
FLOOD_PARTS = 1_500  # 300 MB in one message

# A peer with the keys of an admitted hub, in a process of its own: what it holds itself is not ours. Its words pass at the
# pace of a gigabit's wire, and not at the loopback's, which no village has.
ROGUE = """
import socket, sys, threading, time, zmq
address, server, public, secret, parts, size, first = sys.argv[1:]
host, port = address.removeprefix("tcp://").rsplit(":", 1)
door = socket.create_server(("127.0.0.1", 0))

def hand_on(source, target, pause_s):
    while chunk := source.recv(65536):
        target.sendall(chunk)
        time.sleep(pause_s * len(chunk))

def serve():
    near, _ = door.accept()
    far = socket.create_connection((host.strip("[]"), int(port)))
    threading.Thread(target=hand_on, args=(far, near, 0), daemon=True).start()
    hand_on(near, far, 1 / 120e6)

threading.Thread(target=serve, daemon=True).start()
address = f"tcp://127.0.0.1:{door.getsockname()[1]}"
link = zmq.Context().socket(zmq.DEALER)
link.curve_serverkey, link.curve_publickey, link.curve_secretkey = (bytes.fromhex(each) for each in (server, public, secret))
link.linger = 5_000
link.connect(address)
if first:
    link.send(bytes.fromhex(first))
    time.sleep(0.2)
link.send_multipart([bytes(int(size))] * int(parts), copy=False)
time.sleep(60)
"""


@contextlib.asynccontextmanager
async def rogue(hub: Hub, keys: Any, parts: int, size: int, first: bytes = b"") -> AsyncIterator[None]:
    server, public, secret = hub.keys.public.hex(), keys.public.hex(), keys.secret.hex()
    words = [endpoint(hub.address()), server, public, secret, str(parts), str(size), first.hex()]
    process = subprocess.Popen([sys.executable, "-c", ROGUE, *words])
    try:
        yield
    finally:
        process.kill()
        process.wait()


async def test_a_message_that_never_ends_costs_its_sender_the_link_and_the_hub_little(mesh: Mesh) -> None:
    a, b, c = await mesh.hubs_that_know_each_other("a", "b", "c", host="*")
    await mesh.start(a, c)
    tell_address(c, a, f"[::1]:{a.link.port}")
    await until(lambda: c.proven)
    before = most = resident_now()
    async with rogue(a, b.keys, FLOOD_PARTS, PART_BYTES):
        listener = a.link._acceptor.listener
        for _ in range(300):
            most = max(most, resident_now())
            await asyncio.sleep(0.01)
    assert listener.counters["flooded"]
    assert most - before < 6 * LINK_UNREAD_BYTES_MAX < FLOOD_PARTS * PART_BYTES
    assert listener.counters["parts"] == 0
    assert a.link._peers.peers[b.principal].faults or a.state(b) == "banned"
    assert not a.link._peers.peers[c.principal].faults
    await c.offer(registrations("c", 5))
    await are_equal(a, c, count=5)


@pytest.mark.parametrize("first", [b"", wire.encode(wire.Ping())], ids=["unheard", "heard"])
async def test_a_flood_from_a_neighbours_address_is_never_the_neighbours(mesh: Mesh, first: bytes) -> None:
    a, b, c = await mesh.hubs_that_know_each_other("a", "b", "c", host="*", interval_s=1_000)
    await mesh.start(a, c)
    tell_address(c, a)
    await until(lambda: c.proven)
    [link] = a.link._board
    listener = a.link._acceptor.listener
    async with rogue(a, b.keys, FLOOD_PARTS // 5, PART_BYTES, first):
        await until(lambda: listener.zap.counters["admitted"] > 1)
        assert await knock(a, b, f"[::1]:{a.link.port}") is DialOutcome.OPEN  # it was here last, and not there
        await until(lambda: listener.counters["flooded"])
        await asyncio.sleep(0.5)
    assert not a.link._peers.peers[c.principal].faults
    assert link in list(a.link._board)
    assert bool(a.link._peers.peers[b.principal].faults) is bool(first)


def resident_now() -> int:
    return resident("self")


async def test_a_full_set_in_both_directions_is_no_flood(mesh: Mesh) -> None:
    a, b = await mesh.hubs_that_know_each_other("a", "b")
    await a.offer(registrations("a", 1_500))
    await b.offer(registrations("b", 1_500))
    await mesh.start(a, b)
    tell_address(b, a)
    await are_equal(a, b, count=3_000, within_s=30)
    turnstile = a.link._acceptor.listener._turnstile
    assert sum(each.received for each in turnstile._connections.values()) > 100_000
    await until(lambda: sum(each.unread for each in turnstile._connections.values()) < 100_000)


async def test_a_knock_while_the_door_is_cut_does_not_keep_its_port(mesh: Mesh) -> None:
    (a,) = await mesh.hubs_that_know_each_other("a")
    await a.start()
    listener = a.link._acceptor.listener
    listener._turnstile.close()  # as a cut does, a moment before it closes the socket
    _reader, writer = await asyncio.open_connection("127.0.0.1", a.link.port)
    await asyncio.sleep(0.05)
    cut = listener._socket
    listener.cut()
    await until(lambda: listener._socket not in {cut, None})
    writer.transport.abort()


async def test_a_crowd_from_one_address_is_held_at_the_door_and_the_places_are_given_back(mesh: Mesh) -> None:
    a, b = await mesh.hubs_that_know_each_other("a", "b")
    await a.start()
    turnstile = a.link._acceptor.listener._turnstile
    with contextlib.ExitStack() as crowd:
        for _ in range(3 * LINK_SOCKETS_PER_ADDRESS_MAX):
            crowd.enter_context(socket.create_connection(("127.0.0.1", a.link.port)))
        await until(lambda: a.link._acceptor.listener.counters["crowd"] >= LINK_SOCKETS_PER_ADDRESS_MAX)
        assert len(turnstile._connections) <= LINK_SOCKETS_PER_ADDRESS_MAX
    await until(lambda: not turnstile._connections)
    await b.start()
    tell_address(b, a)
    await until(lambda: b.proven)


class Recorder(Cable):
    """A cable that remembers what the dialler said."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.said = bytearray()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        is_from_dialler = writer.get_extra_info("peername")[1] == self._port
        with contextlib.suppress(OSError):
            while raw := await reader.read(4_096):
                if is_from_dialler:
                    self.said += raw
                writer.write(raw)
                await writer.drain()
        writer.transport.abort()


async def test_a_captured_session_of_a_hub_opens_nothing_when_it_is_played_again(mesh: Mesh) -> None:
    a, b = await mesh.hubs_that_know_each_other("a", "b")
    await b.offer(registrations("b", 20))
    await mesh.start(a, b)
    async with Recorder(a.link.port) as cable:
        tell_address(b, a, cable.address)
        await are_equal(a, b, count=20)
        await until(lambda: b.proven)
    await b.stop()
    listener, said = a.link._acceptor.listener, bytes(cable.said)
    assert len(said) > 4_000
    for is_retired in (False, True):
        if is_retired:
            del a.members["b"]
            a.link.membership_changed()
        admitted = listener.zap.counters["admitted"]
        for size in (len(said), 64, 300):  # at once, and as a patient listener to the answers
            _reader, writer = await asyncio.open_connection("127.0.0.1", a.link.port)
            with contextlib.suppress(OSError):
                for start in range(0, len(said), size):
                    writer.write(said[start : start + size])
                    await writer.drain()
                    await asyncio.sleep(0)
            await asyncio.sleep(0.1)
            writer.transport.abort()
        assert listener.zap.counters["admitted"] == admitted
    outcomes = {await knock(a, b) for _ in range(5)}
    assert DialOutcome.REFUSED in outcomes
    assert DialOutcome.OPEN not in outcomes


async def knock(hub: Hub, other: Hub, address: str = "") -> DialOutcome:
    address = endpoint(address or hub.address())
    context = zmq.asyncio.Context()
    peer = Dialled(context, address, server_key=hub.keys.public, keys=other.keys)
    try:
        return await peer.opened()
    finally:
        peer.close()
        context.destroy(0)
