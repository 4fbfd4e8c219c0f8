"""What a link costs on which nothing happens, counted where its bytes pass: real sockets, real CURVE."""

import asyncio
import time

import pytest
from linked import Cable, Hub, Mesh, are_equal, registrations, tell_address, until

from hubd.gossip import wire
from hubd.limits import LINK_IDLE_BYTES_PER_HOUR_MAX, LINK_PING_S, SESSION_INTERVAL_S

pytestmark = pytest.mark.usefixtures("in_a_hurry")

HOUR_S = 3_600
PING_BYTES = len(wire.encode(wire.Ping()))
PING_S = 0.1  # for LINK_PING_S: so seldom that a Ping which answers another is none of those that are due
WATCHED_S = 1.5


async def ping_bytes(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> float:
    """What one Ping and its answer cost, where there is nothing else; and a link says no more of them than it is due."""
    monkeypatch.setattr("hubd.gossip.channel.LINK_PING_S", PING_S)
    a, b = await mesh.hubs_that_know_each_other("a", "b", interval_s=1_000)
    await mesh.start(a, b)
    async with Cable(b.link.port) as cable:
        tell_address(a, b, cable.address)
        await until(lambda: a.proven and b.proven)
        await asyncio.sleep(0.2)
        began, before = time.monotonic(), cable.passed_bytes
        said = [pings_said(hub) for hub in (a, b)]
        await asyncio.sleep(WATCHED_S)
        pings, answers = (pings_said(hub) - then for hub, then in zip((a, b), said, strict=True))
        due = (time.monotonic() - began) / PING_S + 1
        assert 1 <= pings <= due, "a Ping that comes back is not said again"
        assert answers <= pings + 1, "and has one answer"
        return (cable.passed_bytes - before) / pings


def pings_said(hub: Hub) -> float:
    """By a hub with one link, on which there is nothing else."""
    [status] = hub.link.status()
    return status.bytes_out / PING_BYTES


async def session_bytes(mesh: Mesh) -> float:
    """What one session of two equal hubs costs."""
    a, b = await mesh.hubs_that_know_each_other("a", "b", interval_s=0.05)
    await a.offer(registrations("a", 5))
    await mesh.start(a, b)
    async with Cable(b.link.port) as cable:
        tell_address(a, b, cable.address)
        await are_equal(a, b, count=5)
        await until(lambda: a.proven and b.proven)
        await asyncio.sleep(0.2)
        before, proven = cable.passed_bytes, a.proven
        await until(lambda: a.proven >= proven + 10)
        return (cable.passed_bytes - before) / (a.proven - proven)


async def test_an_idle_link_costs_no_more_an_hour_than_the_limit_says(
    mesh: Mesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await session_bytes(mesh)
    await mesh.stop()
    ping = await ping_bytes(mesh, monkeypatch)
    assert 60 < ping < 100, "one Ping, one answer, and nothing beside them"
    assert HOUR_S / LINK_PING_S * ping + HOUR_S / SESSION_INTERVAL_S * session <= LINK_IDLE_BYTES_PER_HOUR_MAX, session
