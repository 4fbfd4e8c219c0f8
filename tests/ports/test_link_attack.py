"""Admitted hubs that misbehave, over real sockets: what they cost in memory, and that their neighbours are served."""

import asyncio
import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from linked import Cable, Hub, Mesh, are_equal, registrations, tell_address, until
from rogues import DOINGS, STALLED_PEER_BYTES_MAX, beside, growth_in_a_fresh_process, resident_bytes, rogue

from hubd.gossip import wire
from hubd.gossip.sockets import Dialled
from hubd.limits import HAVE_IDS_MAX, LINK_WORDS_PER_S_MAX

pytestmark = pytest.mark.usefixtures("in_a_hurry")


BELOW_ITS_BUDGET_S = 1.1 / LINK_WORDS_PER_S_MAX


async def keep_sending(peer: Dialled, frame: Callable[[], wire.Frame], every_s: float = 0.0) -> None:
    while True:
        await peer.socket.send(wire.encode(frame()))
        await asyncio.sleep(every_s)


async def reading(peer: Dialled, heard: list[wire.Frame]) -> None:
    while True:
        heard.append(wire.decode(await peer.socket.recv()))


async def seconds_to(honest: Hub, name: str, giver: Hub) -> float:
    """From a new action at one hub to its arrival at another."""
    [fresh] = registrations(name, 1)
    began = time.monotonic()
    await giver.offer([fresh])
    while not await honest.store.get([fresh.id]):
        await asyncio.sleep(0.002)
        assert time.monotonic() - began < 10
    return time.monotonic() - began


async def trio(mesh: Mesh) -> tuple[Hub, Hub, Hub]:
    """Hub a, its honest neighbour b, and c, whose key a rogue has."""
    a, b, c = await mesh.hubs_that_know_each_other("a", "b", "c", interval_s=1_000)
    await mesh.start(a, b)
    tell_address(b, a)
    await until(lambda: b.proven)
    return a, b, c


# --- frames without end


async def test_a_hub_that_pushes_garbage_for_ever_is_banned_and_its_neighbour_served(mesh: Mesh) -> None:
    a, b, c = await trio(mesh)
    async with (
        rogue(a, c) as peer,
        beside(keep_sending(peer, lambda: wire.Push((b"garbage",) * 64)), reading(peer, [])),
    ):
        await until(lambda: a.state(c) == "banned")
    await seconds_to(b, "after", a)
    assert await a.summary() == await b.summary()
    [status] = [status for status in a.link.status() if status.hub == c.principal]
    assert {"push-refused", "credit"} & {code for code, count in status.counters.items() if count}


async def test_announcements_of_what_is_never_given_cost_little_and_hold_up_nobody(mesh: Mesh) -> None:
    a, b, c = await trio(mesh)

    def have() -> wire.Frame:
        return wire.Have(tuple(os.urandom(32) for _ in range(HAVE_IDS_MAX)))

    before = resident_bytes()
    heard: list[wire.Frame] = []
    async with rogue(a, c) as peer, beside(keep_sending(peer, have, BELOW_ITS_BUDGET_S), reading(peer, heard)):
        waits = [await seconds_to(b, f"news-{number}", a) for number in range(20)]
        await until(lambda: any(isinstance(frame, wire.Ask) for frame in heard))
        assert max(waits) < 2
        assert resident_bytes() - before < STALLED_PEER_BYTES_MAX
    assert sum(isinstance(frame, wire.Ask) for frame in heard) < 20


@pytest.mark.parametrize("word", [wire.Ping(), wire.Prune(), wire.Have((bytes(32),)), wire.Took(7, 1)])
async def test_who_never_ceases_to_say_what_costs_next_to_nothing_is_banned_too(mesh: Mesh, word: wire.Frame) -> None:
    a, b, c = await trio(mesh)
    async with rogue(a, c) as peer, beside(keep_sending(peer, lambda: word), reading(peer, [])):
        await until(lambda: a.state(c) == "banned")
    await seconds_to(b, "after", a)


async def test_whoever_asks_for_everything_again_and_again_gets_what_was_announced_to_it(mesh: Mesh) -> None:
    a, b, c = await trio(mesh)
    everything = registrations("old", 600)
    await a.offer(everything)
    await are_equal(a, b, count=600)
    heard: list[wire.Frame] = []

    def ask() -> wire.Frame:
        return wire.Ask(tuple(action.id for action in everything[:HAVE_IDS_MAX]))

    async with rogue(a, c) as peer, beside(keep_sending(peer, ask, BELOW_ITS_BUDGET_S), reading(peer, heard)):
        before = peer_bytes(a, c)
        waits = [await seconds_to(b, f"news-{number}", a) for number in range(20)]
        assert peer_bytes(a, c) - before < 20 * 1_000, "live news, and nothing old"
        assert max(waits) < 2


def peer_bytes(hub: Hub, of: Hub) -> int:
    return next(status.bytes_out for status in hub.link.status() if status.hub == of.principal)


async def test_a_neighbour_that_begins_session_upon_session_is_banned_and_the_others_are_served(
    mesh: Mesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hubd.gossip.peer.SESSIONS_BURST_MAX", 10)
    a, b, c = await trio(mesh)
    c.interval_s = 0.0
    await c.start()
    tell_address(c, a)
    await until(lambda: a.state(c) == "banned")
    await seconds_to(b, "after", a)


async def test_questions_of_sessions_that_were_left_are_answered_one_at_a_time_or_not_at_all(mesh: Mesh) -> None:
    a, _, c = await trio(mesh)
    await a.offer(registrations("a", 3))
    hello = wire.Hello(1, wire.mesh_tag(a.domain), 1, 0, b"\0" * 32, wire.NOWHERE, wire.NOWHERE, 0)
    compare, abreast, done = a.store.over_items, [0], []

    async def slow(work: Callable[[Any], Any]) -> Any:
        abreast.append(abreast[-1] + 1)
        await asyncio.sleep(0.1)
        done.append(await compare(work))
        abreast.append(abreast[-1] - 1)
        return done[-1]

    a.store.over_items = slow
    async with rogue(a, c) as peer:
        for number in range(1, 11):
            await peer.socket.send(wire.encode(replace(hello, session=number)))
            while not isinstance(wire.decode(await peer.socket.recv()), wire.Hello):
                pass
            await peer.socket.send(wire.encode(wire.Reconcile(number, b"\x61\0\0\2\0")))
        while not isinstance(last := wire.decode(await peer.socket.recv()), wire.Reconcile) or last.session < 10:
            pass
    assert max(abreast) == 1
    assert len(done) <= 3


# --- peers that take nothing


@pytest.mark.parametrize("does", DOINGS)
def test_a_stalled_peer_costs_at_most_five_megabytes(does: str, tmp_path: Path) -> None:
    without, beside_it = growth_in_a_fresh_process(does, tmp_path)
    assert beside_it <= without + STALLED_PEER_BYTES_MAX


# --- retired hubs


@pytest.fixture
def pings_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A side that was dialled notices soon that the other is gone."""
    monkeypatch.setattr("hubd.gossip.channel.LINK_PING_S", 0.1)
    monkeypatch.setattr("hubd.gossip.channel.LINK_SILENCE_S", 0.5)


@pytest.mark.usefixtures("pings_soon")
@pytest.mark.parametrize("dialler", ["a", "b"])
async def test_a_hub_retired_in_the_middle_of_a_session_gives_and_gets_nothing_more(mesh: Mesh, dialler: str) -> None:
    a, b = await mesh.hubs_that_know_each_other("a", "b", interval_s=1_000)
    await b.offer(registrations("b", 6_000))
    await mesh.start(a, b)
    tell_address(*((a, b) if dialler == "a" else (b, a)))
    while (await a.summary())[0] == 0:
        await asyncio.sleep(0)
    del a.members["b"]
    a.link.membership_changed()
    await a.intake.settle()
    kept = (await a.summary())[0]
    await a.offer(registrations("secret", 1))
    await until(lambda: b.state(a) != "connected")
    await asyncio.sleep(0.3)
    assert (await a.summary())[0] == kept + 1 < 6_000
    assert (await b.summary())[0] == 6_000


class Tap(Cable):
    """A cable that remembers what the dialler said."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.said = bytearray()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if writer.get_extra_info("peername")[1] != self._port:
            await super()._pump(reader, writer)
            return
        while raw := await reader.read(4_096):
            self.said += raw
            writer.write(raw)
            await writer.drain()


@pytest.mark.usefixtures("pings_soon")
@pytest.mark.parametrize("is_retired", [True, False])
async def test_a_capture_of_a_hub_that_is_played_again_does_nothing(mesh: Mesh, is_retired: bool) -> None:
    a, b = await mesh.hubs_that_know_each_other("a", "b", interval_s=1_000)
    await mesh.start(a, b)
    async with Tap(a.link.port) as tap:
        tell_address(b, a, tap.address)
        await until(lambda: b.proven)
        await b.offer(registrations("b", 50))
        await are_equal(a, b, count=50)
    await b.stop()
    if is_retired:
        del a.members["b"]
        a.link.membership_changed()
    await until(lambda: a.state(b) != "connected")
    proven, refused = a.proven, dict(a.intake.counters)
    reader, writer = await asyncio.open_connection("127.0.0.1", a.link.port)
    for start in range(0, len(tap.said), 512):
        writer.write(tap.said[start : start + 512])
        await asyncio.sleep(0.005)
    with contextlib.suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(1):
            while await reader.read(4_096):
                pass
    writer.close()
    assert len(tap.said) > 10_000
    assert (a.proven, dict(a.intake.counters)) == (proven, refused)
    assert a.state(b) != "connected"
