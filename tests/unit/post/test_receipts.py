"""Receipts that come late, again, from elsewhere or from nobody: the next bundle neither goes back nor leaves a gap."""

import shutil
from dataclasses import replace
from itertools import permutations

import pytest
from builders import Village
from posts import found, hubs, post_hub

from hubd.errors import RemoteError
from hubd.limits import INTEGER_MAX, RECEIPT_EPOCHS_MAX
from hubd.ports import Cursor
from hubd.post import receipt as receipts
from hubd.post.order import Belief, believe


async def carried(one, two, actions=3):
    """`two` takes what `one` has now, and says so."""
    await one.take(*(one.village.request("ana") for _ in range(actions)))
    await two.read((await one.bundle())[0])
    return await two.office.receipt()


async def test_receipts_in_any_order_and_again_end_where_the_latest_is(tmp_path):
    async with hubs(tmp_path, "hub-a", "hub-b") as (one, two):
        said = [await carried(one, two) for _ in range(4)]
        for order in permutations(said):
            await one.office.load()  # nothing was settled: it remembers none
            reached = 0
            for raw in (*order, *order):
                await one.office.heard(raw)
                since = await one.office.since([two.office.hub])
                assert since >= reached
                reached = since
            assert reached == await one.office.sequence()


async def test_an_old_receipt_is_no_sign_of_a_hub(tmp_path):
    async with hubs(tmp_path, "hub-a", "hub-b") as (one, two):
        old, new = await carried(one, two), await carried(one, two)
        assert await one.office.heard(new) == (two.office.hub, True)
        assert await one.office.heard(old) == (two.office.hub, False)
        assert await one.office.heard(new) == (two.office.hub, False)


async def test_a_receipt_of_a_lost_card_skips_nothing_that_the_new_one_lacks(tmp_path):
    village = Village(1)
    founding = [*found(village, "hub-a"), *found(village, "hub-b")]
    async with post_hub(tmp_path, village, "hub-a", founding) as one:
        async with post_hub(tmp_path, village, "hub-b", founding) as two:
            old = [await carried(one, two), await carried(one, two)]
        await one.office.heard(old[1])
        shutil.rmtree(tmp_path / "hub-b")
        async with post_hub(tmp_path, village, "hub-b", founding) as two:
            assert await one.office.heard(await two.office.receipt()) == (two.office.hub, True)
            assert await one.office.since([two.office.hub]) == 0, "all of it goes there once more, with the next bundle"
            for raw in old:
                assert await one.office.heard(raw) == (two.office.hub, False)
                assert await one.office.since([two.office.hub]) == 0
            await two.read((await one.bundle())[0])
            await two.office.heard(await one.office.receipt())
            await one.office.heard(await two.office.receipt())
            assert await one.office.since([two.office.hub]) == await one.office.sequence()
            for raw in old:
                await one.office.heard(raw)
            assert await one.office.since([two.office.hub]) == await one.office.sequence()


async def test_a_hub_whose_old_card_was_put_back_is_believed_once_it_heard_of_the_doubt(tmp_path):
    village = Village(1)
    founding = [*found(village, "hub-a"), *found(village, "hub-b")]
    async with post_hub(tmp_path, village, "hub-a", founding) as one:
        async with post_hub(tmp_path, village, "hub-b", founding) as two:
            early = await carried(one, two)
        shutil.copytree(tmp_path / "hub-b", tmp_path / "copy")
        async with post_hub(tmp_path, village, "hub-b", founding) as two:
            late = await carried(one, two)
        await one.office.heard(late)
        shutil.rmtree(tmp_path / "hub-b")
        shutil.move(tmp_path / "copy", tmp_path / "hub-b")
        before = await one.office.since([village.principal("hub-b")])
        async with post_hub(tmp_path, village, "hub-b") as two:
            assert await one.office.heard(await two.office.receipt()) == (two.office.hub, False), "as an old one looks"
            assert await one.office.since([two.office.hub]) == before
            await two.office.heard(await one.office.receipt())
            assert await one.office.heard(await two.office.receipt()) == (two.office.hub, True)
            assert 0 < await one.office.since([two.office.hub]) < before
            for raw in (early, late):
                assert await one.office.heard(raw) == (two.office.hub, False), "both are of a round before"
            await one.office.settle()
            await one.office.load()
            assert await one.office.heard(late) == (two.office.hub, False), "also after a restart"


async def test_receipts_of_strangers_other_meshes_forgers_and_our_own_change_nothing(tmp_path):
    async with hubs(tmp_path, "hub-a", "hub-b") as (one, two):
        await one.office.heard(await carried(one, two))
        since = await one.office.since([two.office.hub])
        said = receipts.parse(await two.office.receipt(), one.village.charter)
        more = replace(said, place=Cursor(said.place.epoch, 9_999, b"far away"), has={})
        stranger = one.village.signer("mallory")
        theirs = replace(more, hub=stranger.principal(one.village.charter.network))
        assert await one.office.heard(receipts.seal(theirs, one.village.charter, stranger)) is None
        assert await one.office.heard(await one.office.receipt()) is None
        for forged in (
            receipts.seal(more, one.village.charter, stranger),  # in the name of an admitted hub
            receipts.seal(more, Village(2).charter, one.village.signer("hub-b")),
        ):
            with pytest.raises(RemoteError):
                await one.office.heard(forged)
        assert await one.office.since([two.office.hub]) == since


# --- the order itself

US, HUB = (Village(1).principal(name) for name in ("hub-a", "hub-b"))


def said(place=5, ours=5, heard=0, count=7, epoch=b"database"):
    """A receipt of a hub, as far as its order goes."""
    has = {US: Cursor(b"our base", ours, b"somebody")} if ours else {}
    return receipts.Receipt(
        HUB, 0, count, bytes(32), Cursor(epoch, place, b"anything"), has, {US: heard} if heard else {}
    )


@pytest.mark.parametrize(
    ("one", "known", "belief"),
    [
        (said(), said(), Belief.LATER),
        (said(place=6), said(), Belief.LATER),
        (said(place=6, ours=0), said(), Belief.LATER),
        (said(ours=6), said(), Belief.LATER),
        (said(count=6), said(), Belief.LATER),
        (said(count=6, ours=0), said(), Belief.LATER),
        (said(count=8, ours=9, heard=3), said(heard=3), Belief.DOUBTED),
        (said(place=4, heard=3), said(), Belief.LATER),
        (said(place=4), said(heard=1), Belief.OLD),
        (said(place=9), said(heard=1), Belief.OLD),
        (said(place=4), said(), Belief.OLD),
        (said(place=4, heard=3), said(heard=3), Belief.DOUBTED),
        (said(ours=4, heard=3), said(heard=3), Belief.DOUBTED),
        (said(count=8, heard=3), said(heard=3), Belief.DOUBTED),
        (said(epoch=b"new card", place=1, ours=0), said(), Belief.LATER),
        (said(epoch=b"new card", ours=6), said(), Belief.OLD),
        (said(epoch=b"new card", ours=6, heard=3), said(heard=3), Belief.DOUBTED),
        (said(epoch=b"old card", ours=0), said(), Belief.OLD),
        (said(epoch=b"old card", ours=0, heard=3), said(heard=2), Belief.LATER),
        (said(place=4, heard=INTEGER_MAX), said(heard=1), Belief.OLD),
        (said(place=6, heard=4), said(), Belief.LATER),
    ],
)
def test_what_is_believed_of_two_receipts_in_our_third_round(one, known, belief):
    assert believe(one, known, [b"old card"], US, 3) is belief


def test_whoever_says_something_first_is_believed():
    assert believe(said(heard=9), None, (), US, 0) is Belief.LATER


async def test_a_hub_that_changes_its_card_without_end_is_remembered_with_a_few(tmp_path):
    async with hubs(tmp_path, "hub-a", "hub-b") as (one, two):
        for number in range(3 * RECEIPT_EPOCHS_MAX):
            its = replace(said(place=1, ours=0, epoch=number.to_bytes(8, "big")), hub=two.office.hub)
            assert await one.office.heard(receipts.seal(its, one.village.charter, one.village.signer("hub-b")))
        await one.office.settle()
        await one.office.load()
        assert [len(past) for past in one.office._memory.past.values()] == [RECEIPT_EPOCHS_MAX]
