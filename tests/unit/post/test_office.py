"""What a hub takes from bundles, what it says of it, and from where it writes on."""

from dataclasses import replace

import pytest
from builders import Village
from posts import found, hubs, post_hub

from hubd.errors import RemoteError
from hubd.post import receipt as receipts
from hubd.post.bundle import Chunk, Opened


async def test_sets_that_travel_both_ways_become_one_and_the_receipts_say_so(tmp_path):
    village = Village(1)
    async with hubs(tmp_path, "hub-a", "hub-b", village=village) as (one, two):
        await one.take(*(village.request("ana") for _ in range(30)))
        await two.take(*(village.request("ben") for _ in range(20)))
        raw, writing = await one.bundle()
        assert writing.actions == 34
        tally, report = await two.read(raw)
        assert (tally.new, tally.refused, tally.deferred, report.is_whole) == (30, 0, 0, True)
        raw, _ = await two.bundle()
        assert (await one.read(raw))[0].new == 20
        assert await one.proof() == await two.proof()
        assert await one.office.heard(await two.office.receipt()) == (two.office.hub, True)
        assert await one.office.heard(await two.office.receipt()) == (two.office.hub, False)
        assert await one.office.heard(await one.office.receipt()) is None
        assert await one.office.since([two.office.hub]) == 34


async def test_the_next_bundle_carries_only_what_is_not_confirmed(tmp_path):
    village = Village(1)
    async with hubs(tmp_path, "hub-a", "hub-b", village=village) as (one, two):
        await one.take(*(village.request("ana") for _ in range(30)))
        await two.read((await one.bundle())[0])
        await one.office.heard(await two.office.receipt())
        news = [village.request("ana") for _ in range(3)]
        await one.take(*news)
        raw, writing = await one.bundle(await one.office.since([two.office.hub]))
        assert writing.actions == 3
        tally, _ = await two.read(raw)
        assert tally.new == 3
        assert await one.proof() == await two.proof()


async def test_since_is_what_the_slowest_has_and_a_hub_without_a_receipt_has_nothing(tmp_path):
    village = Village(1)
    async with hubs(tmp_path, "hub-a", "hub-b", "hub-c", village=village) as (one, two, three):
        await two.read((await one.bundle())[0])
        await one.office.heard(await two.office.receipt())
        assert await one.office.since([two.office.hub]) == 6
        assert await one.office.since([two.office.hub, three.office.hub]) == 0
        assert await one.office.since([]) == 0


async def test_what_is_missing_in_between_is_asked_for_again(tmp_path):
    village = Village(1)
    async with hubs(tmp_path, "hub-a", "hub-b", village=village) as (one, two):
        await one.take(*(village.request("ana", text={"note": "x" * 3_000}) for _ in range(90)))
        raw, _ = await one.bundle()
        middle = bytearray(raw)
        middle[120_000] ^= 1
        tally, report = await two.read(bytes(middle))
        assert report.damaged == 1
        assert 0 < tally.new < 90
        await one.office.heard(await two.office.receipt())
        since = await one.office.since([two.office.hub])
        assert 0 < since < 94, "up to the gap, and not beyond it"
        await two.read((await one.bundle(since))[0])
        assert await one.proof() == await two.proof()
        await one.office.heard(await two.office.receipt())
        assert await one.office.since([two.office.hub]) == 94


async def test_chunks_in_any_order_close_the_gap(tmp_path):
    village = Village(1)
    async with hubs(tmp_path, "hub-a", "hub-b", village=village) as (one, two):
        await one.take(*(village.request("ana", text={"note": "x" * 3_000}) for _ in range(90)))
        raw, _ = await one.bundle()
        half = raw.index(b"\xf5HBC", len(raw) // 2)
        await two.read(raw[half:] + raw[:half])
        await one.office.heard(await two.office.receipt())
        assert await one.office.since([two.office.hub]) == 94


async def test_a_bundle_without_room_begins_with_the_oldest_and_says_where_to_go_on(tmp_path):
    village = Village(1)
    async with hubs(tmp_path, "hub-a", "hub-b", village=village) as (one, two):
        cry = village.seal("ana", "safety-post", text={"note": "help"})
        await one.take(*(village.request("ana", text={"note": "x" * 3_000}) for _ in range(200)), cry)
        since, rounds = 0, 0
        while since < 205:
            raw, writing = await one.bundle(since, 150_000)
            assert len(raw) <= 150_000
            assert writing.is_all == (writing.position == 205)
            await two.read(raw)
            if rounds == 0:
                assert await two.store.get([cry.id]), "a call for help does not wait for its turn"
            await one.office.heard(await two.office.receipt())
            assert await one.office.since([two.office.hub]) == writing.position > since
            since, rounds = writing.position, rounds + 1
        assert rounds > 3
        assert await one.proof() == await two.proof()


async def test_what_no_admitted_hub_signed_is_held_to_the_quotas_of_strangers(tmp_path):
    village = Village(1)
    founding = [action for name in ("hub-a", "hub-b") for action in found(village, name)]
    async with (
        hubs(tmp_path, "hub-a", "hub-b", village=village) as (one, two),
        post_hub(tmp_path, village, "rogue", founding) as rogue,
    ):
        await rogue.take(village.register("ana"), *(village.request("nobody") for _ in range(20)))
        tally, _ = await two.read((await rogue.bundle())[0])
        assert tally.deferred == 20, "nobody knows their author; a registration passes"
        said = receipts.parse(await two.office.receipt(), village.charter)
        assert rogue.office.hub not in said.has
        await one.take(*(village.request("nobody") for _ in range(20)))
        assert (await two.read((await one.bundle())[0]))[0].deferred == 0, "an admitted hub vouches as over a link"


async def test_what_no_admitted_hub_signed_leaves_nothing_behind(tmp_path):
    village = Village(1)
    async with hubs(tmp_path, "hub-a", "hub-b", village=village) as (one, two):
        for number in range(40):
            rogue = village.signer(f"rogue {number}")
            opened = Opened(rogue.principal(village.network), b"e" * 8, Chunk(0, 5, b"p" * 8, []))
            await two.office.take(opened)
        await two.office.settle()
        assert not (tmp_path / "hub-b" / "post.cbor").exists()
        await two.read((await one.bundle())[0])
        assert list(receipts.parse(await two.office.receipt(), village.charter).has) == [one.office.hub]


async def test_a_hub_that_a_bundle_itself_shows_to_be_admitted_is_believed(tmp_path):
    village = Village(1)
    known, newcomer = found(village, "hub-a"), found(village, "hub-n")
    async with (
        post_hub(tmp_path, village, "hub-a", known) as one,
        post_hub(tmp_path, village, "hub-n", [*known, *newcomer]) as new,
    ):
        await new.take(*(village.request("nobody") for _ in range(5)))
        tally, _ = await one.read((await new.bundle())[0])
        assert tally.deferred == 0
        assert await one.proof() == await new.proof()


async def test_a_retired_hub_is_a_stranger_and_gets_no_further_bundle(tmp_path):
    village = Village(1)
    async with hubs(tmp_path, "hub-a", "hub-b", village=village) as (one, two):
        [_, admission] = await two.store.get([a.id for _, a in await two.store.page(2, 2)])
        await one.take(village.retire("steward-1", admission))
        _, report = await two.read((await one.bundle())[0])
        assert (report.chunks, report.codes) == (0, {"bundle-recipient"})
        await two.take(*(village.request("nobody") for _ in range(3)))
        assert (await one.read((await two.bundle())[0]))[0].deferred == 3
        assert await one.office.heard(await two.office.receipt()) is None


async def test_what_was_taken_is_remembered_and_void_for_another_database(tmp_path):
    village = Village(1)
    async with hubs(tmp_path, "hub-a", "hub-b", village=village) as (one, two):
        raw, _ = await one.bundle()
        await two.read(raw)
        said = receipts.parse(await two.office.receipt(), village.charter).has
        assert said[one.office.hub].sequence == 4
    async with post_hub(tmp_path, village, "hub-b") as two:
        assert receipts.parse(await two.office.receipt(), village.charter).has == said
    (tmp_path / "hub-b" / "hubd.sqlite3").unlink()
    async with post_hub(tmp_path, village, "hub-b") as two:
        assert receipts.parse(await two.office.receipt(), village.charter).has == {}


async def test_a_bit_that_rots_in_what_is_remembered_costs_time_and_nothing_else(tmp_path):
    village = Village(1)
    async with hubs(tmp_path, "hub-a", "hub-b", village=village) as (one, two):
        await one.read((await two.bundle())[0])
        await one.office.heard(await two.office.receipt())
        await one.office.settle()
    path = tmp_path / "hub-a" / "post.cbor"
    whole = path.read_bytes()
    async with post_hub(tmp_path, village, "hub-a") as one:
        for at in range(len(whole)):
            spoilt = bytearray(whole)
            spoilt[at] ^= 1
            path.write_bytes(spoilt)
            await one.office.load()
            assert await one.office.status() == []
            assert not receipts.parse(await one.office.receipt(), village.charter).has
            assert await one.office.since([village.principal("hub-b")]) == 0
        path.write_bytes(whole)
        await one.office.load()
        assert [row["hub"] for row in await one.office.status()] == [village.principal("hub-b")]


async def test_a_hub_that_lost_its_set_gets_all_of_it_again(tmp_path):
    village = Village(1)
    founding = [*found(village, "hub-a"), *found(village, "hub-b")]
    async with post_hub(tmp_path, village, "hub-a", founding) as one:
        await one.take(*(village.request("ana") for _ in range(9)))
        async with post_hub(tmp_path, village, "hub-b", founding) as two:
            await two.read((await one.bundle())[0])
            await one.office.heard(await two.office.receipt())
            assert await one.office.since([two.office.hub]) == 13
        for file in (tmp_path / "hub-b").glob("hubd.sqlite3*"):
            file.unlink()
        async with post_hub(tmp_path, village, "hub-b", founding) as two:
            await one.office.heard(await two.office.receipt())
            assert await one.office.since([two.office.hub]) == 0


async def test_where_each_has_all_of_the_other_and_the_sets_differ_all_is_sent_again(tmp_path):
    village = Village(1)
    async with hubs(tmp_path, "hub-a", "hub-b", village=village) as (one, two):
        await two.read((await one.bundle())[0])
        await one.read((await two.bundle())[0])
        await one.office.heard(await two.office.receipt())
        assert await one.office.since([two.office.hub]) == 4
        said = receipts.parse(await two.office.receipt(), village.charter)
        wrong = replace(said, fingerprint=bytes(32))
        await one.office.heard(receipts.seal(wrong, village.charter, village.signer("hub-b")))
        assert await one.office.since([two.office.hub]) == 0


@pytest.mark.parametrize("at", range(0, 300, 7))
async def test_a_receipt_that_was_changed_is_refused(tmp_path, at):
    village = Village(1)
    place = receipts.Cursor(bytes(8), 3, bytes(8))
    said = receipts.Receipt(village.principal("hub-b"), 0, 7, bytes(32), place, {village.principal("hub-a"): place}, {})
    raw = bytearray(receipts.seal(said, village.charter, village.signer("hub-b")))
    raw[at % len(raw)] ^= 1
    with pytest.raises(RemoteError):
        receipts.parse(bytes(raw), village.charter)


def test_a_receipt_of_another_mesh_is_refused():
    village = Village(1)
    said = receipts.Receipt(village.principal("hub-b"), 0, 7, bytes(32), receipts.Cursor(bytes(8), 0, b""), {}, {})
    raw = receipts.seal(said, village.charter, village.signer("hub-b"))
    assert receipts.parse(raw, village.charter) == said
    with pytest.raises(RemoteError, match="another mesh"):
        receipts.parse(raw, Village(2).charter)


async def test_what_waits_is_counted_and_a_row_that_rotted_away_is_not(tmp_path):
    village = Village(1)
    async with hubs(tmp_path, "hub-a", "hub-b", village=village) as (one, two):
        await two.office.heard(await one.office.receipt())
        everything = (await two.store.summary()).count
        assert [row["waiting"] for row in await two.office.status()] == [everything]
        await one.read((await two.bundle())[0])
        await two.office.heard(await one.office.receipt())
        await two.take(*(village.request("ana") for _ in range(5)))
        last = (await two.store.summary()).sequence
        await two.store.database.write(lambda connection: connection.execute(
            "delete from action where sequence = ?", (last - 2,)
        ))  # fmt: skip
        assert [row["waiting"] for row in await two.office.status()] == [4]
