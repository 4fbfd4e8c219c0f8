"""What is new travels along a tree of real links, and the tree mends itself."""

import asyncio
from itertools import combinations

import pytest
from linked import Hub, Mesh, are_equal, registrations, tell_address, until

pytestmark = pytest.mark.usefixtures("in_a_hurry")


def pushed(*hubs: Hub) -> int:
    """Bodies that these hubs were pushed, needed or not."""
    return sum(channel.traffic.counters["push-ok"] for hub in hubs for channel in hub.link._board)


async def all_linked(mesh: Mesh, *names: str) -> list[Hub]:
    hubs = await mesh.hubs_that_know_each_other(*names, interval_s=1_000)
    await mesh.start(*hubs)
    for one, other in combinations(hubs, 2):
        tell_address(one, other)
    await until(lambda: all(one.state(other) == "connected" for one, other in combinations(hubs, 2)))
    await until(lambda: sum(hub.proven for hub in hubs) >= len(hubs) * (len(hubs) - 1))
    return hubs


async def test_among_hubs_that_all_are_linked_a_new_action_travels_about_once_to_each(mesh: Mesh) -> None:
    hubs = await all_linked(mesh, "a", "b", "c", "d", "e")
    for number in range(6):
        await hubs[0].offer(registrations(f"first-{number}", 1))
        await are_equal(*hubs, count=number + 1)
    await asyncio.sleep(0.3)
    before = pushed(*hubs)
    for number in range(20):
        await hubs[number % 5].offer(registrations(f"later-{number}", 1))
        await are_equal(*hubs, count=number + 7)
    assert 80 <= pushed(*hubs) - before <= 88


async def test_when_a_hub_in_the_middle_of_the_tree_goes_the_others_still_hear_of_everything(mesh: Mesh) -> None:
    a, b, c, d = hubs = await all_linked(mesh, "a", "b", "c", "d")
    for number in range(4):
        await a.offer(registrations(f"first-{number}", 1))
        await are_equal(*hubs, count=number + 1)
    await a.stop()
    await b.offer(registrations("without", 1))
    await are_equal(b, c, d, count=5, within_s=5)
