"""The region of the bench is one that hubs take for real, and whole hubs over it are measured."""

import asyncio

from bench import large, village
from hubd.action import envelope
from hubd.demo.processes import free_port
from hubd.fold.folder import fold
from hubd.store.actions import Store

COUNT = 3_000


async def test_a_region_made_in_bulk_is_signed_and_folds_without_anything_void(tmp_path):
    hubs = await village.build(tmp_path, COUNT, {"hub.name": "a"}, {"hub.name": "b"})
    store = await Store.open(hubs.full, hubs.charter.domain)
    actions = [action for _, action in await store.page(0, COUNT + 9)]
    await store.close()
    assert [envelope.parse(envelope.encode(action), hubs.charter.domain).id for action in actions[::50]] == [
        action.id for action in actions[::50]
    ]
    views = fold(hubs.charter, actions)
    assert (len(actions), len(views.void), len(views.mesh.hubs)) == (COUNT, 0, 2)
    assert len(views.lessons) > COUNT // 12


async def test_a_whole_hub_tells_its_memory_alone_with_a_neighbour_and_with_a_phone(tmp_path):
    ports = [free_port() for _ in range(5)]
    settings = (
        large.settings("a", ports[0], ports[1], None, ports[4]),
        large.settings("b", ports[2], ports[3], ports[0]),
    )
    hubs = await village.build(tmp_path, COUNT, *settings)
    found = await large.memory(tmp_path, hubs, f"http://127.0.0.1:{ports[1]}", 1.0, ports[4])
    assert all(20 < found[name] < 200 for name in found if name.startswith("rss_mb"))
    assert found["phone_lessons"] > 0
    assert found["waiting_for_the_chain"] > 0
    cold = await asyncio.to_thread(large.cold_elsewhere, hubs.full)
    assert 0 < cold["open_ms"] <= cold["wall_ms"]
