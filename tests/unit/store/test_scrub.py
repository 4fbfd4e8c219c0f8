"""Bits flip on the card: whichever it is, the scrub notices, and with one neighbour the set is whole again."""

import asyncio
import os
import random
import subprocess
import sys

import pytest
from rotting import ACTIONS, VILLAGE, opened, whole_file

from hubd.action import envelope
from hubd.gossip.items import SortedItems
from hubd.limits import BUCKET_ITEMS_MAX
from hubd.store.actions import DATABASE_NAME

FLIPS = 1_000 if os.environ.get("HUBD_CAMPAIGN") else 60


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The bytes of a database that holds `ACTIONS`."""
    return whole_file(tmp_path_factory.mktemp("whole"))


def places(raw):
    """Where in the file the bytes of rows are, in tables and in indexes, by what they are."""
    values = {
        "header": [action.header for action in ACTIONS],
        "id": [action.id for action in ACTIONS],
        "content": [action.content for action in ACTIONS if action.content],
    }
    for what, wanted in values.items():
        for value in wanted:
            at = raw.find(value)
            while at >= 0:
                yield what, at, len(value)
                at = raw.find(value, at + 1)


async def all_is_as_before(store):
    summary = await store.summary()
    mine = {action.id: action for _, action in await store.page(0, 99)}
    assert mine == {action.id: action for action in ACTIONS}
    plain = SortedItems((action.statement.created, action.id) for action in ACTIONS)
    spans = [(0, len(ACTIONS)), (3, 9)]
    assert await store.over_items(lambda items: items.fingerprints(spans)) == plain.fingerprints(spans)
    found = {action.id: action for action in await store.get([action.id for action in ACTIONS])}
    assert found == mine
    return summary.count, summary.fingerprint, await store.sketch_symbols(0, 1_024)


async def test_any_flipped_bit_of_a_row_is_found_and_a_neighbour_makes_the_set_whole(tmp_path, whole):
    chance, spots = random.Random(26), sorted(places(whole))
    (tmp_path / DATABASE_NAME).write_bytes(whole)
    store, _ = await opened(tmp_path)
    wanted = await all_is_as_before(store)
    await store.close()
    for _ in range(FLIPS):
        what, start, length = chance.choice(spots)
        at, bit = start + chance.randrange(length), chance.randrange(8)
        raw = bytearray(whole)
        raw[at] ^= 1 << bit
        (tmp_path / DATABASE_NAME).write_bytes(raw)
        store, scrubber = await opened(tmp_path)
        found = await scrubber.scrub()
        assert found.damaged or found.counted_again, (what, at, bit)
        await store.append(ACTIONS)
        assert await all_is_as_before(store) == wanted, (what, at, bit)
        assert not (await scrubber.scrub()).damaged
        assert await store.database.read("pragma integrity_check") == [("ok",)], (what, at, bit)
        await store.close()


COLUMNS = {
    "id": "update action set id = zeroblob(32) where sequence = 9",
    "created": "update action set created = created + 1 where sequence = 9",
    "kind": "update action set kind = 'vouch-take' where sequence = 9",
    "author": "update action set author = zeroblob(21) where sequence = 9",
    "digest": "update action set digest = zeroblob(8) where sequence = 9",
    "count": "update meta set value = value + 1 where key = 'count'",
    "lthash": "update meta set value = zeroblob(2048) where key = 'lthash'",
    "bucket": "update bucket set sum = zeroblob(32)",
    "bucket's count": "update bucket set count = count - 1",
    "bucket's low": "update bucket set low = x'00'",
    "content's key": "update content set id = zeroblob(32) where id = (select id from content limit 1 offset 2)",
    "its type": "update content set id = cast(id as text) where id = (select id from content limit 1 offset 2)",
    "audience": "update audience set sequence = 99 where sequence = 9",
}


@pytest.mark.parametrize("sql", COLUMNS.values(), ids=COLUMNS)
async def test_what_the_rest_of_a_row_tells_is_put_right_without_a_neighbour(tmp_path, whole, sql):
    (tmp_path / DATABASE_NAME).write_bytes(whole)
    store, scrubber = await opened(tmp_path)
    wanted, rows = await all_is_as_before(store), await store.database.read("select * from audience order by 1, 2")
    await store.database.write(lambda writer: writer.execute(sql))
    found = await scrubber.scrub()
    assert found.damaged or found.counted_again
    assert found.set_aside == 0
    assert await all_is_as_before(store) == wanted
    assert await store.database.read("select * from audience order by 1, 2") == rows
    await store.close()


async def test_a_sound_set_is_left_alone_and_one_that_grows_meanwhile_too(tmp_path, whole):
    (tmp_path / DATABASE_NAME).write_bytes(whole)
    store, scrubber = await opened(tmp_path)
    scrubbing = asyncio.create_task(scrubber.scrub())
    await store.append([VILLAGE.register("somebody new")])
    found = await scrubbing
    assert (found.damaged, found.set_aside, found.counted_again) == (0, 0, False)
    await store.close()


async def test_a_sound_header_that_no_neighbour_gave_again_comes_back_alone(tmp_path, whole):
    (tmp_path / DATABASE_NAME).write_bytes(whole)
    store, scrubber = await opened(tmp_path)
    offer = next(action for action in ACTIONS if action.kind == "offer-set")
    await store.database.write(
        lambda writer: writer.execute("update content set body = x'a0' where id = ?", (offer.id,))
    )
    assert (await scrubber.scrub()).set_aside == 1
    assert (await store.get([offer.id]), await store.rotten()) == ([], 1)
    await scrubber.bring_back()
    assert await store.get([offer.id]) == [envelope.without_content(offer)]
    assert (await store.rotten(), (await store.summary()).count) == (0, len(ACTIONS))
    await store.close()


KILLED = """
import asyncio, random, sys
from pathlib import Path
sys.path[:0] = {path!r}
from rotting import DOMAIN, VILLAGE, Store
async def main():
    store, chance = await Store.open(Path({data!r}), DOMAIN), random.Random({seed})
    while True:
        people = [VILLAGE.register(str(chance.random()), created=chance.randrange(2**40)) for _ in range(30)]
        await store.append(people)
        print(len(people), flush=True)
asyncio.run(main())
"""


async def test_a_kill_within_any_batch_leaves_nothing_to_count_again(tmp_path):
    for seed in range(3):
        script = KILLED.format(path=sys.path, data=str(tmp_path), seed=seed)
        with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as writer:
            for _ in range(12):
                assert writer.stdout.readline()
            await asyncio.sleep(seed * 0.004)
            writer.kill()
        store, scrubber = await opened(tmp_path)
        found = await scrubber.scrub()
        assert (found.damaged, found.counted_again) == (0, False)
        assert found.rows >= 12 * 30 * (seed + 1)
        await store.close()
    assert found.rows > BUCKET_ITEMS_MAX, "buckets were parted on the way"


async def test_an_erasure_that_rotted_is_told_again_by_the_action_that_asked_for_it(tmp_path, whole):
    (tmp_path / DATABASE_NAME).write_bytes(whole)
    store, scrubber = await opened(tmp_path)
    offer = next(action for action in ACTIONS if action.kind == "offer-set")
    await store.append([VILLAGE.seal("person 0", "content-erase", subject=offer.id)])
    await store.database.write(lambda writer: writer.execute("update erasure set author = zeroblob(21)"))
    await store.append([offer])
    assert (await store.get([offer.id]))[0].content is not None, "for so long"
    assert (await scrubber.scrub()).damaged
    await store.append([offer])
    assert (await store.get([offer.id]))[0].content is None
    await store.close()
