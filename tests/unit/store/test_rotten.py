"""Stored bytes that rotted are left out of the set until a neighbour gives them again."""

import pytest
from stores import DOMAIN, action, changed

from hubd.action import content, envelope
from hubd.action.fingerprint import EMPTY, extend, fingerprint
from hubd.store.actions import Store


@pytest.fixture
async def store(tmp_path):
    opened = await Store.open(tmp_path / "data", DOMAIN)
    yield opened
    await opened.close()


async def test_rotten_bytes_are_left_out_of_the_set_until_a_neighbour_gives_them_again(store):
    await store.append([action(1), action(2)])
    await changed(
        store,
        "update action set header = cast(substr(header, 1, 20) || x'ff' || substr(header, 22) as blob)"
        " where created = 1",
    )
    assert [found for _, found in await store.page(0, 2)] == [action(2)]
    assert await store.rotten() == 1
    assert await store.items() == [(2, action(2).id)]
    summary = await store.summary()
    assert (summary.count, summary.fingerprint) == (1, fingerprint(extend(EMPTY, [action(2).id])))
    assert await store.append([action(1)]) == [action(1)], "so that views and neighbours hear of it"
    assert await store.rotten() == 0
    assert [found for _, found in await store.page(0, 2)] == [action(2), action(1)]
    assert (await store.summary()).fingerprint == fingerprint(extend(EMPTY, [action(1).id, action(2).id]))


async def test_every_bit_of_a_stored_header_is_watched_the_signature_too(store):
    await store.append([action(1)])
    size = len(action(1).header)
    for at in range(1, size + 1, 7):
        await changed(
            store,
            "update action set header = cast(substr(header, 1, ?) || x'ee' || substr(header, ?) as blob)",
            (at - 1, at + 1),
        )
        assert await store.page(0, 1) == [], at
        assert await store.append([action(1)]) == [action(1)]


@pytest.mark.parametrize(("kind", "stays"), [("offer-set", True), ("hub-admit", False)])
async def test_rotten_content_goes_alone_unless_the_action_needs_it(store, kind, stays):
    body = content.seal_content({"note": "here"}, bytes(16))
    full = action(1, kind, body)
    await store.append([full])
    await changed(store, "update content set body = x'a0'")
    assert await store.get([full.id]) == ([envelope.without_content(full)] if stays else [])
    await store.append([full])
    assert await store.get([full.id]) == [full]
