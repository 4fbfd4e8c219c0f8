"""Content that is missing at one of two hubs with equal sets, over real links; and peers that abuse the question."""

import asyncio
from itertools import pairwise

import pytest
from linked import VILLAGE, Hub, Mesh, registrations, tell_address, until
from rogues import rogue

from hubd.action.envelope import Action, encode, without_content
from hubd.errors import LocalError
from hubd.gossip import wire
from hubd.limits import CONTENT_IDS_MAX, LINK_CHUNK_BYTES_MAX

pytestmark = pytest.mark.usefixtures("in_a_hurry")


def texts(name: str, count: int, size: int = 20) -> list[Action]:
    return [VILLAGE.seal(f"{name}-{number}", "profile-set", text={"text": "x" * size}) for number in range(count)]


def bare(actions: list[Action]) -> list[Action]:
    return [without_content(action) for action in actions]


async def lacking(hub: Hub) -> int:
    return (await hub.store.summary()).lacking


async def until_whole(*hubs: Hub) -> None:
    async with asyncio.timeout(15):
        while any([await lacking(hub) for hub in hubs]):
            await asyncio.sleep(0.02)


async def test_two_hubs_with_equal_sets_give_each_other_the_content_that_is_missing(stored: Mesh) -> None:
    a, b = await stored.hubs_that_know_each_other("a", "b")
    ours, theirs = texts("a", 30), texts("b", 20, size=9_000)
    await a.offer([*ours, *bare(theirs)])
    await b.offer([*theirs, *bare(ours)])
    assert (await a.summary(), await lacking(a), await lacking(b)) == (await b.summary(), 20, 30)
    await stored.start(a, b)
    tell_address(a, b)
    await until_whole(a, b)
    ids = [action.id for action in ours + theirs]
    assert await a.store.get(ids) == await b.store.get(ids) == ours + theirs


async def test_a_text_travels_along_a_line_of_hubs_that_had_its_header_only(stored: Mesh, monkeypatch) -> None:
    monkeypatch.setattr("hubd.gossip.content.CONTENT_REST_S", 0.1)
    hubs = await stored.hubs_that_know_each_other("a", "b", "c", "d")
    whole = texts("t", 5)
    await hubs[0].offer(whole)
    for hub in hubs[1:]:
        await hub.offer(bare(whole))
    await stored.start(*hubs)
    for one, other in pairwise(hubs):
        tell_address(other, one)
    await until_whole(*hubs)


async def test_a_text_that_comes_later_is_at_every_hub_of_a_line_before_anything_is_proven_again(stored: Mesh) -> None:
    hubs = await stored.hubs_that_know_each_other("a", "b", "c", "d")
    whole = texts("t", 5)
    for hub in hubs:
        hub.interval_s = 3_600.0
        await hub.offer(bare(whole))
    await stored.start(*hubs)
    for one, other in pairwise(hubs):
        tell_address(other, one)
    await until(lambda: all(hub.proven for hub in hubs))
    proven = [hub.proven for hub in hubs]
    await hubs[1].offer(whole[:2])
    await hubs[0].offer(whole[2:])
    await until_whole(*hubs)
    assert [hub.proven for hub in hubs] == proven


async def test_who_tells_of_a_text_and_never_answers_keeps_it_from_nobody(stored: Mesh, monkeypatch) -> None:
    monkeypatch.setattr("hubd.gossip.content.ASK_ANSWER_S", 0.3)
    a, b, c = await stored.hubs_that_know_each_other("a", "b", "c")
    whole = texts("t", 3)
    for hub in (a, b):
        hub.interval_s = 3_600.0
        await hub.offer(bare(whole))
    await stored.start(a, b)
    tell_address(b, a)
    await until(lambda: a.proven and b.proven)
    async with rogue(a, c) as peer:
        await peer.socket.send(wire.encode(wire.HaveContent(tuple(action.id for action in whole))))
        while not isinstance(frame := wire.decode(await peer.socket.recv()), wire.AskContent):
            pass
        assert set(frame.ids) == {action.id for action in whole}
        await b.offer(whole)
        await until_whole(a, b)
        assert await asked(peer, whole[0].id) == wire.Content(1, (encode(whole[0]),)), "and it is served as before"


async def test_what_was_erased_is_neither_given_nor_taken(stored: Mesh, monkeypatch) -> None:
    monkeypatch.setattr("hubd.gossip.content.CONTENT_REST_S", 0.1)
    a, b = await stored.hubs_that_know_each_other("a", "b")
    gone, kept = texts("t", 2)
    erasure = VILLAGE.seal("t-0", "content-erase", subject=gone.id)
    await a.offer([without_content(gone), without_content(kept)])
    await b.offer([gone, kept, erasure])
    await stored.start(a, b)
    tell_address(a, b)
    await until_whole(a, b)
    assert await a.store.get([gone.id, kept.id]) == [without_content(gone), kept]
    await a.offer([gone])
    assert await a.store.get([gone.id]) == [without_content(gone)]


async def test_where_nobody_has_it_the_sets_are_proven_all_the_same_and_both_say_what_is_missing(mesh: Mesh) -> None:
    a, b = await mesh.hubs_that_know_each_other("a", "b")
    both = [*bare(texts("t", 3)), *registrations("r", 3)]
    for hub in (a, b):
        await hub.offer(both)
    await mesh.start(a, b)
    tell_address(a, b)
    await until(lambda: a.proven > 2 and b.proven > 2)
    [status] = a.link.status()
    assert (status.last_proven, status.lacking, await lacking(a)) == (True, 3, 3)


async def asked(peer, *ids: bytes) -> wire.Content:
    await peer.socket.send(wire.encode(wire.AskContent(ids)))
    while not isinstance(frame := wire.decode(await peer.socket.recv()), wire.Content):
        assert not isinstance(frame, wire.Fault), frame
    return frame


async def test_an_answer_is_one_chunk_and_tells_how_far_it_goes(stored: Mesh) -> None:
    a, _, c = await stored.hubs_that_know_each_other("a", "b", "c")
    large, unknown = texts("t", 40, size=9_000), bytes(32)
    await a.offer([*large[:20], *bare(large[20:])])
    await stored.start(a)
    ids = [unknown, *(action.id for action in large)]
    async with rogue(a, c) as peer:
        answer = await asked(peer, *ids)
        assert (answer.through, len(answer.envelopes)) == (8, 7)
        assert sum(map(len, answer.envelopes)) <= LINK_CHUNK_BYTES_MAX
        rest = await asked(peer, *ids[15:])
        assert rest.through == len(rest.envelopes) + (26 - 6 if len(rest.envelopes) == 6 else 0)
        assert await asked(peer, *ids[21:], unknown) == wire.Content(21, ())
        assert await asked(peer, *[unknown] * CONTENT_IDS_MAX) == wire.Content(CONTENT_IDS_MAX, ())


async def test_who_does_not_wait_for_an_answer_or_answers_unasked_is_at_fault(mesh: Mesh) -> None:
    a, b, c = await mesh.hubs_that_know_each_other("a", "b", "c")
    whole = texts("t", 3)
    await a.offer(whole)
    await mesh.start(a, b)
    get = a.store.get

    async def slow(ids):
        await asyncio.sleep(0.2)
        return await get(ids)

    a.store.get = slow
    async with rogue(a, c) as peer:
        for frame in (*(wire.AskContent((action.id,)) for action in whole), wire.Content(1, ())):
            await peer.socket.send(wire.encode(frame))
        heard = []
        while sum(isinstance(frame, wire.Content) for frame in heard) < 2:
            heard.append(wire.decode(await peer.socket.recv()))
    said = [frame for frame in heard if not isinstance(frame, wire.Ping)]
    assert said[:2] == [wire.Fault("order")] * 2, "one more question may wait, no third"
    assert said[2:] == [wire.Content(1, (encode(action),)) for action in whole[:2]]
    tell_address(b, a)
    await until(lambda: b.proven)


async def test_a_card_that_cannot_be_read_now_and_then_delays_it_and_no_more(mesh: Mesh, monkeypatch) -> None:
    monkeypatch.setattr("hubd.gossip.content.CONTENT_REST_S", 0.1)
    a, b = await mesh.hubs_that_know_each_other("a", "b")
    whole = texts("t", 40)
    await a.offer(bare(whole))
    await b.offer(whole)
    failures = []

    def failing_at_first(work):
        async def read(*args):
            if work.__name__ not in failures:
                failures.append(work.__name__)
                raise LocalError("database", "input/output error", hint="is the card worn?")
            return await work(*args)

        return read

    a.store.lacking, b.store.get = failing_at_first(a.store.lacking), failing_at_first(b.store.get)
    await mesh.start(a, b)
    tell_address(a, b)
    await until_whole(a)
    assert failures == ["lacking", "get"]
    assert await a.store.get([action.id for action in whole]) == whole
