"""The database that the bench makes by itself is as good as one that grew."""

from bench import million
from bench.actions import CHARTER, made
from hubd.gossip.items import SortedItems
from hubd.store.actions import Store

COUNT = 3_000


async def test_a_database_made_in_bulk_is_one_that_can_be_read_compared_and_added_to(tmp_path):
    await million.build(tmp_path / "full", COUNT)
    assert (await million.ready(tmp_path / "full"))["bytes"] > 0
    store = await Store.open(tmp_path / "full", CHARTER.domain)
    summary, page = await store.summary(), await store.page(COUNT - 2, 9)
    plain = SortedItems((action.statement.created, action.id) for _, action in await store.page(0, COUNT))
    spans = [(0, COUNT), (7, 2_001)]
    assert await store.over_items(lambda items: items.fingerprints(spans)) == plain.fingerprints(spans)
    assert (summary.count, summary.sequence, [sequence for sequence, _ in page]) == (COUNT, COUNT, [COUNT - 1, COUNT])
    assert await store.append([made(COUNT)]) == [made(COUNT)]
    await store.close()


async def test_what_a_copy_of_it_lost_is_found_by_comparing(tmp_path):
    for name in ("full", "less"):
        await million.build(tmp_path / name, COUNT)
    await million.lose(tmp_path / "less", range(1, COUNT, 100))
    talk = await million.reconcile(tmp_path / "less", tmp_path / "full")
    assert talk.needed == COUNT // 100
