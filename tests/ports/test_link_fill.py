"""A newcomer with four neighbours, one of which promises everything and gives nothing: real sockets, every byte counted."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest
from linked import Cable, Hub, Mesh, are_equal, registrations, tell_address, until

from hubd.action.envelope import encode
from hubd.gossip.peer import Side

pytestmark = pytest.mark.usefixtures("in_a_hurry")

OLD = registrations("old", 1_500)
QUIET_S = 1.5


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hubd.gossip.floor.FILL_QUIET_S", QUIET_S)


def withhold(hub: Hub) -> asyncio.Event:
    """From now on this hub never finds what it is to give. The event says that it was asked."""
    asked = asyncio.Event()

    async def never(*_: Any, **__: Any) -> Any:
        asked.set()
        await asyncio.Event().wait()

    hub.store.page_for = never
    return asked


async def is_full(hub: Hub) -> None:
    while (await hub.summary())[0] < len(OLD):
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("does_dial", [True, False])
async def test_a_newcomer_is_sent_everything_once_and_a_miser_holds_it_up_for_a_moment(
    mesh: Mesh, does_dial: bool
) -> None:
    newcomer, miser, *givers = await mesh.hubs_that_know_each_other(
        "newcomer", "miser", "b", "c", "d", interval_s=1_000
    )
    for hub in (miser, *givers):
        await hub.offer(OLD)
        hub.members = {name: hub.members[name] for name in (hub.name, "newcomer")}
    asked = withhold(miser)
    await mesh.start(newcomer, miser, *givers)
    async with AsyncExitStack() as stack:
        cables = []
        for hub in (miser, *givers):
            dialler, dialled = (newcomer, hub) if does_dial else (hub, newcomer)
            cables.append(await stack.enter_async_context(Cable(dialled.link.port)))
            tell_address(dialler, dialled, cables[-1].address)
            if hub is miser:
                await until(asked.is_set)
        async with asyncio.timeout(QUIET_S + 6):
            await is_full(newcomer)
        await are_equal(newcomer, *givers, count=len(OLD))
        side = Side.ACCEPTED if does_dial else Side.DIALLED
        await until(lambda: all(_proven(hub, newcomer) for hub in givers))
        assert all(side in hub.link._peers.peers[newcomer.principal].links for hub in givers)
        payload = sum(len(encode(action)) for action in OLD)
        assert sum(cable.passed_bytes for cable in cables) <= 1.2 * payload


def _proven(hub: Hub, other: Hub) -> bool:
    """Whether its last session proved that the newcomer has it all."""
    [status] = [status for status in hub.link.status() if status.hub == other.principal]
    return status.last_proven and status.proven_count == len(OLD)
