"""The door of a hub over real sockets: strangers, retired and banned hubs, a door without its guard, rough treatment."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import zmq
import zmq.asyncio
from linked import VILLAGE, Cable, Hub, Mesh, are_equal, registrations, tell_address, until

from hubd.action.network import MAINNET
from hubd.action.principal import Principal
from hubd.action.sip018 import Domain
from hubd.errors import FatalError, LocalError
from hubd.gossip import wire
from hubd.gossip.listener import Listener
from hubd.gossip.peer import Side
from hubd.gossip.sockets import Dialled, DialOutcome, curve_keypair, endpoint
from hubd.gossip.wire import NOWHERE
from hubd.limits import LINK_MESSAGE_BYTES_MAX, LINK_SILENCE_S, PEER_FAULTS_MAX, PROBES_SILENT_MAX
from hubd.supervisor import supervise

pytestmark = pytest.mark.usefixtures("in_a_hurry")


@contextlib.asynccontextmanager
async def dialled(hub: Hub, keys: Any, server_key: bytes | None = None) -> AsyncIterator[Dialled]:
    """A hand-made peer."""
    context = zmq.asyncio.Context()
    peer = Dialled(context, endpoint(hub.address()), server_key=server_key or hub.keys.public, keys=keys)
    try:
        yield peer
    finally:
        peer.close()
        context.destroy(0)


# --- who may not


async def test_a_stranger_is_refused(mesh: Mesh) -> None:
    [a] = await mesh.hubs_that_know_each_other("a")
    await a.start()
    async with dialled(a, curve_keypair()) as stranger:
        assert await stranger.opened() is DialOutcome.REFUSED


async def test_a_peer_that_pins_another_key_does_not_talk_to_us(mesh: Mesh) -> None:
    a, b = await mesh.hubs_that_know_each_other("a", "b")
    await a.start()
    async with dialled(a, b.keys, server_key=curve_keypair().public) as peer:
        assert await peer.opened() is DialOutcome.FAILED


@pytest.mark.parametrize("mechanism", ["null", "plain"])
async def test_a_peer_without_curve_is_refused(mesh: Mesh, mechanism: str) -> None:
    [a] = await mesh.hubs_that_know_each_other("a")
    await a.start()
    context = zmq.asyncio.Context()
    peer = context.socket(zmq.DEALER)
    if mechanism == "plain":
        peer.plain_username, peer.plain_password = b"hubd", b"hubd"
    monitor = peer.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED)
    peer.connect(endpoint(a.address()))
    event = await asyncio.wait_for(monitor.recv_multipart(), 5)
    assert int.from_bytes(event[0][:2], "little") == zmq.EVENT_DISCONNECTED
    context.destroy(0)


@pytest.mark.parametrize("knows", [True, False], ids=["connections are known", "connections are not known"])
async def test_a_retired_hub_is_cut_off_at_once_and_the_others_are_back_soon(
    mesh: Mesh, monkeypatch: pytest.MonkeyPatch, knows: bool
) -> None:
    if not knows:
        monkeypatch.setattr(Listener, "connection", lambda _self, _arrival: None)
    a, b, c = await mesh.hubs_that_know_each_other("a", "b", "c", interval_s=1_000)
    await mesh.start(a, b, c)
    tell_address(b, a)
    tell_address(c, a)
    await until(lambda: b.proven and c.proven)
    link = a.link._board.get(c.principal, Side.ACCEPTED)
    del a.members["b"]
    a.link.membership_changed()
    await a.offer(registrations("secret", 1))
    await b.offer(registrations("unwanted", 1))
    await until(lambda: b.state(a) != "connected")
    await are_equal(a, c, count=1)
    await until(lambda: b.link.status()[0].reason == "not-admitted")
    assert (await b.summary())[0] == (await a.summary())[0] == 1
    assert a.state(b) == "unknown"
    assert (a.link._board.get(c.principal, Side.ACCEPTED) is link) is knows


async def test_a_link_that_said_nothing_before_its_hub_was_retired_ends_with_its_first_word(mesh: Mesh) -> None:
    a, b = await mesh.hubs_that_know_each_other("a", "b")
    await a.start()
    async with dialled(a, b.keys) as peer:
        assert await peer.opened() is DialOutcome.OPEN
        del a.members["b"]
        a.link.membership_changed()
        await peer.socket.send(wire.encode(wire.Ping()))
        await asyncio.wait_for(peer.closed(), 5)
    assert a.link.counters["unwelcome"] == 1


async def test_a_hub_admitted_later_is_let_in_without_a_restart(mesh: Mesh) -> None:
    a, b = await mesh.hubs_that_know_each_other("a", "b")
    later = a.members.pop("b")
    await mesh.start(a, b)
    tell_address(b, a)
    await until(lambda: b.link.status()[0].reason == "not-admitted")
    a.members["b"] = later
    await until(lambda: b.state(a) == "connected")


async def test_a_hub_of_another_mesh_is_told_so_and_gives_nothing(mesh: Mesh) -> None:
    a, b = await mesh.hubs_that_know_each_other("a", "b")
    a.domain = Domain(MAINNET, VILLAGE.domain.mesh)
    await b.offer(registrations("b", 3))
    await mesh.start(a, b)
    tell_address(a, b)
    await until(lambda: b.link.counters["mesh"])
    assert (await a.summary())[0] == 0


# --- the door itself


async def test_while_nobody_answers_for_the_door_nobody_comes_in(mesh: Mesh) -> None:
    a, b = await mesh.hubs_that_know_each_other("a", "b")
    await a.start()
    async with dialled(a, b.keys) as peer:
        assert await peer.opened() is DialOutcome.OPEN
    a.link._acceptor.listener.zap.close()
    async with dialled(a, b.keys) as peer:
        assert await peer.opened() is not DialOutcome.OPEN


async def test_a_door_that_lets_a_stranger_in_is_shut_and_reported(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    [a] = await mesh.hubs_that_know_each_other("a")
    monkeypatch.setattr("hubd.gossip.listener.LINK_PROBE_S", 0.3)
    await a.start()
    assert a.running is not None
    a.link._acceptor.listener.zap._admitted = lambda _key: Principal(b"x" * 21)
    with pytest.raises(ExceptionGroup) as broken:
        await asyncio.wait_for(asyncio.shield(a.running), 5)
    leaf = broken.value
    while isinstance(leaf, ExceptionGroup):
        [leaf] = leaf.exceptions
    assert isinstance(leaf, LocalError)
    assert leaf.code == "stranger-admitted"
    assert a.link.port == 0
    a.running = None


async def test_a_door_at_which_nothing_answers_is_told_of_until_it_answers(
    mesh: Mesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    [a] = await mesh.hubs_that_know_each_other("a")
    monkeypatch.setattr("hubd.gossip.listener.LINK_PROBE_S", 0.05)
    await a.start()
    listener = a.link._acceptor.listener
    with socket.socket() as nobody:  # has the port, and does not listen
        nobody.bind(("127.0.0.1", 0))
        port, listener.port = listener.port, nobody.getsockname()[1]
        await until(lambda: a.link.trouble)
        assert a.link.trouble == "door-silent"
        assert listener.counters["probe-silence"] >= PROBES_SILENT_MAX
        listener.port = port
        await until(lambda: not a.link.trouble)


async def test_a_port_that_is_taken_is_said_in_words(mesh: Mesh) -> None:
    a, b = await mesh.hubs_that_know_each_other("a", "b")
    await a.start()
    b.port = a.link.port
    with pytest.raises(FatalError) as refused:
        await b.start()
    b.running = None
    assert refused.value.code == "port-in-use"
    assert "mesh.listen_port" in refused.value.hint


async def test_a_link_that_was_stopped_can_be_run_again(mesh: Mesh) -> None:
    a, b = await mesh.hubs_that_know_each_other("a", "b")
    await mesh.start(a, b)
    tell_address(a, b)
    await until(lambda: a.proven)
    assert a.running is not None
    a.running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await a.running
    a.running = asyncio.create_task(a.link.run())
    await b.offer(registrations("b", 3))
    await are_equal(a, b, count=3)


async def test_a_door_that_was_open_is_tried_again_at_its_port_and_the_hub_lives_on(
    mesh: Mesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hubd.supervisor.SERVICE_RESTART_S_MIN", 0.1)
    a, b = await mesh.hubs_that_know_each_other("a", "b")
    await mesh.start(a, b)
    tell_address(b, a)
    await until(lambda: b.proven)
    await a.stop()
    port = int(b.members["a"].addresses[0].rpartition(":")[2])
    with socket.create_server(("127.0.0.1", port)):
        a.running = asyncio.create_task(supervise({"gossip": a.link.run}))
        await until(lambda: a.link.trouble)
        assert a.link.trouble == "port-in-use"
        await asyncio.sleep(0.3)
        assert not a.running.done()
    await until(lambda: a.link.port)
    assert (a.link.port, a.link.trouble) == (port, "")
    await a.offer(registrations("a", 1))
    await are_equal(a, b, count=1)


# --- rough treatment


async def test_garbage_is_counted_and_the_link_lives(mesh: Mesh) -> None:
    a, b = await mesh.hubs_that_know_each_other("a", "b")
    await a.start()
    async with dialled(a, b.keys) as peer:
        assert await peer.opened() is DialOutcome.OPEN
        for raw in (b"", b"\x00", b"\xff" * 1_000, wire.encode(wire.Done(5, 1, bytes(32), NOWHERE))):
            await peer.socket.send(raw)
        for _ in range(3):
            assert isinstance(wire.decode(await asyncio.wait_for(peer.socket.recv(), 5)), wire.Fault)
        hello = wire.Hello(1, wire.mesh_tag(VILLAGE.domain), 1, 0, (await a.summary())[1], NOWHERE, NOWHERE, 0)
        await peer.socket.send(wire.encode(hello))
        assert isinstance(wire.decode(await asyncio.wait_for(peer.socket.recv(), 5)), wire.Hello)
        [traffic] = [channel.traffic for channel in a.link._board]
        assert traffic.counters["cbor"] == 2
        assert traffic.counters["frame"] == 1
        assert traffic.counters["late"] == 1


async def test_a_peer_that_sends_nothing_but_garbage_is_banned_for_a_while(mesh: Mesh) -> None:
    a, b = await mesh.hubs_that_know_each_other("a", "b")
    await a.start()
    async with dialled(a, b.keys) as peer:
        assert await peer.opened() is DialOutcome.OPEN
        for _ in range(PEER_FAULTS_MAX):
            await peer.socket.send(b"\xff")
        await asyncio.wait_for(peer.closed(), 5)
    assert a.state(b) == "banned"
    async with dialled(a, b.keys) as peer:
        assert await peer.opened() is DialOutcome.REFUSED


async def test_a_message_beyond_the_limit_costs_its_sender_the_link_and_nobody_else(mesh: Mesh) -> None:
    a, b, c = await mesh.hubs_that_know_each_other("a", "b", "c")
    await mesh.start(a, c)
    tell_address(c, a)
    await until(lambda: c.proven)
    async with dialled(a, b.keys) as peer:
        assert await peer.opened() is DialOutcome.OPEN
        await peer.socket.send(bytes(LINK_MESSAGE_BYTES_MAX + 1))
        await asyncio.wait_for(peer.closed(), 5)
    await c.offer(registrations("c", 1))
    await are_equal(a, c, count=1)


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4_096


async def test_a_stranger_that_announces_a_gigabyte_raises_no_memory(mesh: Mesh) -> None:
    [a] = await mesh.hubs_that_know_each_other("a")
    await a.start()
    before = resident_bytes()
    _reader, writer = await asyncio.open_connection("127.0.0.1", a.link.port)
    greeting = b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"CURVE".ljust(20, b"\0") + bytes(32)
    writer.write(greeting + b"\x06" + (1 << 30).to_bytes(8, "big"))
    with contextlib.suppress(OSError):
        for _ in range(64):
            writer.write(bytes(1 << 20))
            await writer.drain()
    writer.close()
    assert resident_bytes() - before < 5_000_000


async def test_hundreds_of_idle_connections_do_not_keep_a_hub_from_its_neighbour(mesh: Mesh) -> None:
    a, b = await mesh.hubs_that_know_each_other("a", "b")
    await mesh.start(a, b)
    idle = [socket.create_connection(("127.0.0.1", a.link.port)) for _ in range(260)]
    try:
        tell_address(b, a)
        await until(lambda: b.proven, within_s=5)
    finally:
        for each in idle:
            each.close()


async def test_a_flood_of_hellos_is_cut_short(mesh: Mesh) -> None:
    a, b = await mesh.hubs_that_know_each_other("a", "b")
    await a.offer(registrations("a", 1))
    gate = asyncio.Event()
    summary = a.store.summary

    async def slow_summary() -> Any:
        await gate.wait()
        return await summary()

    a.store.summary = slow_summary
    await a.start()
    async with dialled(a, b.keys) as peer:
        assert await peer.opened() is DialOutcome.OPEN
        for number in range(1, 60):
            hello = wire.Hello(1, wire.mesh_tag(VILLAGE.domain), number, 0, bytes(32), NOWHERE, NOWHERE, 0)
            await peer.socket.send(wire.encode(hello))
        await until(lambda: a.state(b) == "banned")
    gate.set()


@pytest.mark.campaign
async def test_a_link_that_dies_without_a_word_is_noticed_by_its_silence(mesh: Mesh) -> None:
    a, b = await mesh.hubs_that_know_each_other("a", "b", interval_s=1_000)
    await mesh.start(a, b)
    async with Cable(b.link.port) as cable:
        tell_address(a, b, cable.address)
        await until(lambda: a.proven)
        cable.flows.clear()
        await until(lambda: "connected" not in {a.state(b), b.state(a)}, within_s=LINK_SILENCE_S + 2)
        cable.mend()
        await b.offer(registrations("b", 1))
        await are_equal(a, b, count=1)
