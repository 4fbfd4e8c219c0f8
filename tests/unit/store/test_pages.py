"""Parts of the set: pages in the order of arrival, pages for a peer, its place, and what a comparison sees."""

import asyncio
import hashlib
import threading

import pytest
from stores import DOMAIN, NEIGHBOUR, OTHER_NEIGHBOUR, action, answers, changed

from hubd.action.fingerprint import EMPTY, fingerprint
from hubd.gossip.items import SortedItems
from hubd.ports import SetSummary
from hubd.store.actions import Store


@pytest.fixture
async def store(tmp_path):
    opened = await Store.open(tmp_path / "data", DOMAIN)
    yield opened
    await opened.close()


async def test_a_page_of_names_goes_by_arrival_and_ends_with_the_set(store):
    await store.append([action(3), action(1)])
    names = [(1, action(3).id, action(3).kind), (2, action(1).id, action(1).kind)]
    assert [await store.page_of_names(after, 1) for after in (0, 1, 2)] == [names[:1], names[1:], []]
    assert await store.page_of_names(0, 9) == names


async def test_a_place_in_the_order_of_arrival_has_a_name_that_no_other_database_gives(store, tmp_path):
    assert await store.summary() == SetSummary(0, fingerprint(EMPTY), 0, b"")
    await store.append([action(1), action(2)])
    summary = await store.summary()
    assert (summary.sequence, summary.mark) == (2, await store.mark_of(2))
    named = hashlib.sha256(store.epoch + (1).to_bytes(8, "big") + action(1).id).digest()[:8]
    assert [await store.mark_of(sequence) for sequence in (0, 1, 3)] == [b"", named, b""]
    other = await Store.open(tmp_path / "other", DOMAIN)
    await other.append([action(1), action(2)])
    assert await other.mark_of(2) != summary.mark
    await other.close()


async def test_a_page_for_a_peer_leaves_out_what_came_from_it(store):
    await store.append([action(1)], NEIGHBOUR)
    await store.append([action(2)])
    await store.append([action(3), action(1)], OTHER_NEIGHBOUR)
    assert await store.page_for(NEIGHBOUR, 0, 9, 9) == ([(2, action(2)), (3, action(3))], 9)
    assert await store.page_for(OTHER_NEIGHBOUR, 0, 9, 9) == ([(1, action(1)), (2, action(2))], 9)
    assert await store.page_for(b"a stranger", 0, 2, 9) == ([(1, action(1)), (2, action(2))], 2)
    assert await store.page_for(b"a stranger", 0, 9, 1) == ([(1, action(1))], 1)


async def test_a_page_for_a_peer_looks_at_so_many_actions_and_goes_on_from_there(store, monkeypatch):
    monkeypatch.setattr("hubd.store.reading.PAGE_WINDOW_ROWS", 3)
    await store.append([action(number) for number in range(1, 8)], NEIGHBOUR)
    await store.append([action(8)])
    assert await store.page_for(NEIGHBOUR, 0, 8, 9) == ([], 3)
    assert await store.page_for(NEIGHBOUR, 3, 8, 9) == ([], 6)
    assert await store.page_for(NEIGHBOUR, 6, 8, 9) == ([(8, action(8))], 8)


async def test_the_place_reached_with_a_peer_is_kept_across_a_restart(tmp_path):
    store = await Store.open(tmp_path, DOMAIN)
    assert await store.peer_cursor(NEIGHBOUR) == (0, b"")
    await store.keep_cursor(NEIGHBOUR, 7, b"a place.")
    await store.append([action(1)], NEIGHBOUR)
    await store.keep_cursor(NEIGHBOUR, 9, b"further.")
    assert await store.peer_cursor(NEIGHBOUR) == (9, b"further.")
    await store.close()
    store = await Store.open(tmp_path, DOMAIN)
    assert await store.peer_cursor(NEIGHBOUR) == (9, b"further.")
    assert await store.peer_cursor(OTHER_NEIGHBOUR) == (0, b"")
    await store.close()


async def test_the_place_reached_with_a_peer_goes_to_disk_with_the_next_actions_and_else_by_itself(store):
    async def on_disk():
        return await store.database.read("select sequence from peer where principal = ?", (NEIGHBOUR,))

    await store.keep_cursor(NEIGHBOUR, 7, b"a place.")
    assert await on_disk() == []
    await store.append([action(1)])
    assert await on_disk() == [(7,)]
    await store.keep_cursor(NEIGHBOUR, 9, b"further.")
    async with asyncio.timeout(30):
        while await on_disk() != [(9,)]:
            await asyncio.sleep(0.05)


async def test_a_comparison_sees_one_moment_and_the_next_one_sees_what_was_written(store):
    await store.append([action(1)])
    before, at_work = threading.Event(), threading.Event()

    def slowly(items):
        first = items.size()
        at_work.set()
        before.wait(5)
        return first, items.size(), items.ids(0, 1)

    comparing = asyncio.create_task(store.over_items(slowly))
    await asyncio.to_thread(at_work.wait, 5)
    await store.append([action(0), action(2)])
    before.set()
    assert await comparing == (1, 1, [action(1).id])
    assert await store.over_items(answers) == answers(SortedItems(await store.items()))


async def test_a_page_is_short_at_the_end_of_the_set_only(store):
    await store.append([action(number) for number in range(6)])
    await changed(store, "update action set digest = x'00' where created < 3")
    assert [found for _, found in await store.page(0, 2)] == [action(3), action(4)]
