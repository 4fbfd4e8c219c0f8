"""Hubs that belong together, over real links: how two sets become one, who dials whom, and what a broken link costs."""

import asyncio

import pytest
from linked import Cable, Mesh, are_equal, registrations, tell_address, until
from structlog.testing import capture_logs

from hubd.errors import LocalError
from hubd.gossip.peer import Side, key_tag

pytestmark = pytest.mark.usefixtures("in_a_hurry")


# --- one set


async def test_two_hubs_with_different_sets_end_with_one_and_the_proof_of_it(stored: Mesh) -> None:
    a, b = await stored.hubs_that_know_each_other("a", "b")
    shared = registrations("both", 40)
    await a.offer(shared + registrations("a", 70))
    await b.offer(shared + registrations("b", 90))
    await stored.start(a, b)
    tell_address(a, b)
    await are_equal(a, b, count=200)
    await until(lambda: a.proven and b.proven)
    [status] = a.link.status()
    assert (status.state, status.last_code, status.count) == ("connected", "", 200)
    assert status.proven_age_s is not None
    assert status.bytes_in > 90 * 150
    assert status.is_same(await a.store.summary())


async def test_a_neighbour_is_called_the_same_only_while_that_is_proven_of_the_present_set(stored: Mesh) -> None:
    a, b = await stored.hubs_that_know_each_other("a", "b")
    await a.offer(registrations("a", 5))
    await stored.start(a, b)
    tell_address(a, b)
    await until(lambda: a.proven and b.proven)
    await b.stop()
    await a.offer(registrations("later", 3))
    [status] = a.link.status()
    ours = await a.store.summary()
    assert not status.is_same(ours)
    assert (status.proven_count, status.newer(ours)) == (5, 3)


async def test_an_empty_hub_is_filled_whichever_side_dials(stored: Mesh) -> None:
    a, b, c = await stored.hubs_that_know_each_other("a", "b", "c")
    await b.offer(registrations("b", 600))
    await stored.start(a, b, c)
    tell_address(a, b)
    tell_address(b, c)
    await are_equal(a, b, c, count=600)


async def test_what_is_new_anywhere_is_pushed_along_the_chain_at_once(stored: Mesh) -> None:
    a, b, c = await stored.hubs_that_know_each_other("a", "b", "c", interval_s=1_000)
    await stored.start(a, b, c)
    tell_address(a, b)
    tell_address(b, c)
    await until(lambda: a.proven == 1 and b.proven == 2 and c.proven == 1)
    await a.offer(registrations("from-a", 1))
    await c.offer(registrations("from-c", 1))
    await are_equal(a, b, c, count=2, within_s=3)


async def test_hubs_converge_after_a_partition_in_which_both_went_on(stored: Mesh) -> None:
    a, b = await stored.hubs_that_know_each_other("a", "b")
    await stored.start(a, b)
    async with Cable(b.link.port) as cable:
        tell_address(a, b, cable.address)
        await until(lambda: a.proven)
        cable.cut()
        await until(lambda: a.state(b) != "connected")
        await a.offer(registrations("a", 30))
        await b.offer(registrations("b", 30))
        cable.mend()
        await are_equal(a, b, count=60)


@pytest.mark.parametrize("bytes_left", [300, 1_500, 9_000, 40_000, 120_000])
async def test_a_link_cut_in_the_middle_of_a_session_is_opened_again_and_finishes(mesh: Mesh, bytes_left: int) -> None:
    a, b = await mesh.hubs_that_know_each_other("a", "b")
    await a.offer(registrations("a", 300))
    await b.offer(registrations("b", 300))
    await mesh.start(a, b)
    async with Cable(b.link.port) as cable:
        cable.bytes_left = bytes_left
        tell_address(a, b, cable.address)
        await until(lambda: not cable.is_whole)
        cable.mend()
        await are_equal(a, b, count=600)
        await until(lambda: a.proven and b.proven)


async def test_a_hub_that_dies_in_the_middle_and_comes_back_is_caught_up_with(stored: Mesh) -> None:
    a, b = await stored.hubs_that_know_each_other("a", "b")
    await b.offer(registrations("b", 800))
    await stored.start(a, b)
    tell_address(a, b)
    while (await a.summary())[0] == 0:
        await asyncio.sleep(0)
    await b.stop()
    partial = (await a.summary())[0]
    b.port = int(a.members["b"].addresses[0].rpartition(":")[2])
    await b.start()
    await are_equal(a, b, count=800)
    assert partial > 0


async def test_the_dialled_side_notices_too_that_the_other_is_gone(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hubd.gossip.channel.LINK_PING_S", 0.1)
    monkeypatch.setattr("hubd.gossip.channel.LINK_SILENCE_S", 0.5)
    a, b = await mesh.hubs_that_know_each_other("a", "b")
    await mesh.start(a, b)
    tell_address(a, b)
    await until(lambda: b.state(a) == "connected")
    await a.stop()
    await until(lambda: b.state(a) == "waiting")


async def test_a_hub_whose_card_is_full_defers_what_comes_and_still_gives_what_it_has(
    stored: Mesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b, c = await stored.hubs_that_know_each_other("a", "b", "c")
    await b.offer(registrations("b", 5))
    await stored.start(a, b, c)
    tell_address(a, b)
    await are_equal(a, b, count=5)

    async def full(_actions: object, _source: bytes = b"") -> None:
        raise LocalError("disk-full", "the card is full")

    with monkeypatch.context() as patch:
        patch.setattr(b.store, "append", full)
        await a.offer(registrations("pushed", 3))
        await until(lambda: b.link.counters["deferred"])
        tell_address(c, b)
        await are_equal(b, c, count=5)
        assert a.state(b) == b.state(a) == "connected"
    await are_equal(a, b, c, count=8)


# --- who meets whom


async def test_two_hubs_that_dial_each_other_keep_one_link(mesh: Mesh) -> None:
    a, b = await mesh.hubs_that_know_each_other("a", "b")
    await mesh.start(a, b)
    tell_address(a, b)
    tell_address(b, a)
    for hub in (a, b):
        hub.link._tick()  # both at the same moment
    lesser, greater = sorted((a, b), key=lambda hub: hub.principal)
    await until(lambda: set(greater.link._peers.peers[lesser.principal].links) == {Side.ACCEPTED})
    assert Side.DIALLED in lesser.link._peers.peers[greater.principal].links
    await a.offer(registrations("a", 3))
    await b.offer(registrations("b", 3))
    await are_equal(a, b, count=6)


async def test_the_link_that_lost_such_a_race_ends_without_a_word_of_a_loss(
    mesh: Mesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hubd.gossip.channel.LINK_PING_S", 0.1)
    monkeypatch.setattr("hubd.gossip.channel.LINK_SILENCE_S", 0.5)
    a, b = await mesh.hubs_that_know_each_other("a", "b")
    lesser, greater = sorted((a, b), key=lambda hub: hub.principal)
    with capture_logs() as told:
        await mesh.start(a, b)
        tell_address(a, b)
        tell_address(b, a)
        for hub in (a, b):
            hub.link._tick()  # both at the same moment
        known = lesser.link._peers.peers[greater.principal]
        await until(lambda: set(known.links) == set(Side))
        await until(lambda: set(known.links) == {Side.DIALLED})
        assert [entry for entry in told if entry["event"] == "link-lost" and entry["log_level"] != "debug"] == []
        await greater.stop()
        await until(lambda: not known.links)
    assert [entry for entry in told if entry["event"] == "link-lost" and entry["log_level"] != "debug"]


async def test_an_address_without_a_name_is_enough(mesh: Mesh) -> None:
    a, b, _c = await mesh.hubs_that_know_each_other("a", "b", "c")
    await b.start()
    a.peers = (b.address(),)
    await a.start()
    await until(lambda: a.state(b) == "connected")


async def test_a_hint_is_enough(mesh: Mesh) -> None:
    a, b = await mesh.hubs_that_know_each_other("a", "b")
    await mesh.start(a, b)
    a.link.hear(b.address(), key_tag(b.keys.public))
    await until(lambda: a.state(b) == "connected")


async def test_a_hint_that_leads_to_somebody_else_does_not_link(mesh: Mesh) -> None:
    a, b, c = await mesh.hubs_that_know_each_other("a", "b", "c")
    await mesh.start(a, b, c)
    a.link.hear(c.address(), key_tag(b.keys.public))
    await until(lambda: a.link.status() and any(status.reason == "handshake" for status in a.link.status()))
    assert {status.state for status in a.link.status()} == {"waiting"}


async def test_an_address_that_is_none_is_passed_over(mesh: Mesh) -> None:
    a, b = await mesh.hubs_that_know_each_other("a", "b")
    await mesh.start(a, b)
    tell_address(a, b, "no address at all")
    await until(lambda: a.link.status()[0].reason == "address")
    tell_address(a, b)
    await until(lambda: a.state(b) == "connected")
