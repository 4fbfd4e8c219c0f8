"""What follows from the rows is made anew in steps: nobody who writes waits for a whole set, and what is new is not lost."""

from functools import partial

import pytest
from builders import Village

from hubd.action.fingerprint import EMPTY, extend
from hubd.errors import RemoteError
from hubd.gossip.items import SortedItems
from hubd.store import buckets, recount
from hubd.store.actions import Store
from hubd.store.aside import set_aside
from hubd.store.scrubber import Scrubber

VILLAGE = Village(seed=5)
ACTIONS = [VILLAGE.register(f"person {number}") for number in range(300)]
STEP = 16
NAMES_MAX = 4  # of one action's readers, here


@pytest.fixture
async def store(tmp_path, monkeypatch):
    monkeypatch.setattr(recount, "SCRUB_STEP_AUDIENCES", STEP)
    monkeypatch.setattr(recount, "SCRUB_STEP_IDS", STEP)
    monkeypatch.setattr(recount, "SCRUB_STEP_BUCKETS", 2)
    monkeypatch.setattr(recount, "BUCKET_ITEMS_MAX", STEP)
    opened = await Store.open(tmp_path, VILLAGE.domain)
    await opened.append(ACTIONS)
    yield opened
    await opened.close()


def scrubber(store):
    async def offer(_raws):
        """Nothing is brought back here."""

    return Scrubber(store, offer)


async def run(store, *statements):
    for statement in statements:
        await store.change(partial(lambda sql, writer: writer.execute(sql), statement))


async def is_right(store, actions=ACTIONS):
    meta = dict(await store.database.read("select key, value from meta where key in ('count', 'lthash')"))
    plain = SortedItems((action.statement.created, action.id) for action in actions)
    spans = [(0, len(actions)), (3, 99)]
    kept = await store.over_items(lambda items: (items.size(), items.fingerprints(spans)))
    return (
        meta == {"count": len(actions), "lthash": extend(EMPTY, [action.id for action in actions])}
        and kept == (len(actions), plain.fingerprints(spans))
        and [found for _, found in await store.page(0, 999)] == list(actions)
    )


async def counted(store):
    found = recount.NOTHING
    while not found.is_end:
        found = await store.database.compare(partial(recount.count_on, before=found))
    return found


async def audience(store):
    return await store.database.read("select * from audience order by 1, 2")


ROT = {
    "a row": ["update action set created = created + 1 where sequence = 9"],
    "who may see": ["update audience set sequence = 999 where sequence = 9"],
    "the count": ["update meta set value = value + 1 where key = 'count'"],
    "the sum of ids": ["update meta set value = zeroblob(2048) where key = 'lthash'"],
    "a bucket": ["update bucket set sum = zeroblob(32) where low = (select max(low) from bucket)"],
    "two buckets": ["update bucket set count = count + 1 where low in (select low from bucket order by low limit 2)"],
    "the first bucket": ["delete from bucket where low = x''"],
    "any bucket": ["delete from bucket where low = (select low from bucket order by low limit 1 offset 3)"],
    "all at once": [
        "update action set created = created + 1 where sequence = 9",
        "update bucket set sum = zeroblob(32)",
        "update meta set value = zeroblob(2048) where key = 'lthash'",
    ],
}


@pytest.mark.parametrize("statements", ROT.values(), ids=ROT)
async def test_whatever_rotted_no_transaction_changes_more_than_a_step_of_it(store, monkeypatch, statements):
    await store.change(lambda writer: (writer.execute("delete from bucket"), buckets.lay(
        writer, b"", buckets.keys_between(writer, b"", b"\xff" * 8), STEP)))  # fmt: skip
    seen, changes = await audience(store), []
    write = store.database.write

    def counting(work, connection):
        before = connection.total_changes
        found = work(connection)
        changes.append(connection.total_changes - before)
        return found

    await run(store, *statements)
    monkeypatch.setattr(store.database, "write", lambda work: write(partial(counting, work)))
    found = await scrubber(store).scrub()
    assert found.damaged or found.counted_again
    assert await is_right(store)
    assert await audience(store) == seen
    assert max(changes) <= STEP * NAMES_MAX
    again = await scrubber(store).scrub()
    assert (again.damaged, again.counted_again) == (0, False)


async def test_what_arrives_while_it_is_counted_is_counted_too(store):
    found, late = await counted(store), VILLAGE.register("late")
    await store.append([late])
    await run(store, "update meta set value = 7 where key = 'count'")
    assert await store.change(partial(recount.settle, counted=found))
    assert await is_right(store, [*ACTIONS, late])


async def test_what_is_taken_out_while_it_is_counted_makes_it_count_again(store):
    found = await counted(store)
    await store.change(partial(set_aside, sequences=[5]))
    assert not await store.change(partial(recount.settle, counted=found))
    await run(store, "update meta set value = 7 where key = 'count'")
    assert (await scrubber(store).scrub()).counted_again
    assert await is_right(store, [action for action in ACTIONS if action is not ACTIONS[4]])


async def test_buckets_without_any_order_are_counted_all_at_once(store, monkeypatch):
    def disordered(_connection, low):
        raise RemoteError("rot", f"buckets are missing at {low.hex()}")

    monkeypatch.setattr(recount, "mend_buckets", disordered)
    await run(store, "update bucket set sum = zeroblob(32)")
    assert (await scrubber(store).scrub()).counted_again
    assert await is_right(store)


async def test_a_power_cut_while_readers_are_indexed_anew_leaves_the_old_index_and_the_next_scrub_begins_again(store):
    seen = await audience(store)
    after = await store.change(partial(recount.lay_audience, after=0))
    await store.change(partial(recount.lay_audience, after=after))
    assert await audience(store) == seen
    await run(store, "update audience set sequence = 999 where sequence = 9")
    await scrubber(store).scrub()
    assert await audience(store) == seen
    assert not await store.database.read("select name from sqlite_master where name = 'audience_anew'")
