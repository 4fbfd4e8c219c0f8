"""A stick that goes between hubs that never meet: what it carries, what it leaves out, and what it says."""

import errno
import shutil
import threading

import nacl.public
import pytest
from posts import hubs, plug, words

from hubd.action import envelope
from hubd.errors import RemoteError
from hubd.post.bundle import Chunk, Reader, Seal, Writer, recipient_of
from hubd.post.exchange import Exchange, file_name
from hubd.post.stick import FOLDER, Stick
from hubd.post.thread import Patience
from hubd.store.aside import set_aside

TEXT = {"note": "x" * 3_000}


def own(hub, place):
    return place / FOLDER / file_name(hub.office.hub, ".post")


async def test_the_receipt_stays_short_whoever_wrote_on_the_stick(tmp_path):
    async with hubs(tmp_path, "hub-a") as (one,):
        raw = b"".join(strangers_part(one, number) for number in range(50))
        (tmp_path / "stick" / FOLDER).mkdir(parents=True)
        (tmp_path / "stick" / FOLDER / "0000000000000001.post").write_bytes(raw)
        visit = await plug(one, tmp_path / "stick")
        assert visit.tally.deferred == 50
        assert words(tmp_path / "stick").count("  from ") == 33
        assert "from others: 18 actions, 0 of them new here, 18 not taken yet" in words(tmp_path / "stick")


def strangers_part(hub, number):
    """A chunk for `hub`, with an action of nobody, by a key that nobody knows."""
    key = bytes([number]) * 32
    sealed = nacl.public.SealedBox(nacl.public.PublicKey(hub.office.box_key)).encrypt(key)
    signer = hub.village.signer(f"rogue {number}")
    keys = [(recipient_of(hub.office.box_key), sealed)]
    writer = Writer(Seal(hub.village.charter, signer, key[:8], b"e" * 8, key, keys))
    return writer.keys() + writer.chunk(Chunk(0, 1, b"p" * 8, [envelope.encode(hub.village.request("nobody"))]))


@pytest.mark.parametrize("is_busy", [False, True])
@pytest.mark.parametrize("lost", [7, 20, 34])
async def test_what_rotted_on_a_card_comes_back_with_the_next_stick(tmp_path, lost, is_busy):
    stick = tmp_path / "stick"
    async with hubs(tmp_path, "hub-a", "hub-b") as (one, two):
        await one.take(*(one.village.request("ana") for _ in range(30)))
        for hub in (one, two, one, two):
            await plug(hub, stick)
        assert await one.proof() == await two.proof()
        shutil.rmtree(stick)
        await two.store.change(lambda writer: set_aside(writer, [lost]))
        if is_busy:  # neither ever has all of the other
            await one.take(one.village.request("ana"))
            await two.take(one.village.request("ben"))
        for hub in (two, one, two):
            await plug(hub, stick)
        assert await two.store.rotten() == 0
        await plug(one, stick)
        assert await one.proof() == await two.proof()


async def test_what_a_stick_still_holds_is_read_again_by_whom_it_rotted(tmp_path):
    stick = tmp_path / "stick"
    async with hubs(tmp_path, "hub-a", "hub-b") as (one, two):
        await one.take(*(one.village.request("ana") for _ in range(30)))
        for hub in (one, two):
            await plug(hub, stick)
        await two.store.change(lambda writer: set_aside(writer, [9, 31]))
        assert (await plug(two, stick)).tally.new == 2
        assert await one.proof() == await two.proof()
        assert (await plug(two, stick)).tally.new == 0


async def test_two_hubs_that_never_meet_become_one_set_by_a_stick(tmp_path):
    stick = tmp_path / "stick"
    async with hubs(tmp_path, "hub-a", "hub-b") as (one, two):
        await one.take(*(one.village.request("ana") for _ in range(30)))
        await two.take(*(one.village.request("ben") for _ in range(20)))
        visit = await plug(one, stick)
        assert (visit.given, visit.is_all, visit.code) == (34, True, "")
        visit = await plug(two, stick)
        assert (visit.tally.new, visit.damaged) == (30, 0)
        visit = await plug(one, stick)
        assert visit.tally.new == 20
        assert await one.proof() == await two.proof()
        assert "You may pull the stick out now." in words(stick)
        assert "from hub-b: 54 actions, 20 of them new here" in words(stick)
        visit = await plug(two, stick)
        assert visit.tally.new == 0
        [row] = await two.office.status()
        assert (row["same"], row["waiting"]) == (True, 0)


async def test_a_stick_that_goes_back_and_forth_carries_only_what_is_new(tmp_path):
    stick = tmp_path / "stick"
    async with hubs(tmp_path, "hub-a", "hub-b") as (one, two):
        await one.take(*(one.village.request("ana", text=TEXT) for _ in range(200)))
        for _ in range(2):
            await plug(one, stick)
            await plug(two, stick)
        await plug(one, stick)
        assert own(one, stick).stat().st_size < 5_000, "all of it is confirmed"
        await one.take(one.village.request("ana"))
        visit = await plug(one, stick)
        assert visit.given == 1
        assert (await plug(two, stick)).tally.new == 1
        assert await one.proof() == await two.proof()


async def test_a_third_hub_that_comes_later_gets_everything(tmp_path):
    stick = tmp_path / "stick"
    async with hubs(tmp_path, "hub-a", "hub-b", "hub-c") as (one, two, three):
        await one.take(*(one.village.request("ana") for _ in range(30)))
        for hub in (one, two, one, two, one):
            await plug(hub, stick)
        assert (await plug(three, stick)).tally.new == 0, "nothing for it is on the stick yet"
        await plug(one, stick)
        assert (await plug(three, stick)).tally.new == 30
        assert await one.proof() == await three.proof()


async def test_an_export_that_stopped_goes_on_where_it_stopped(tmp_path, monkeypatch):
    stick = tmp_path / "stick"
    async with hubs(tmp_path, "hub-a", "hub-b") as (one, two):
        await one.take(*(one.village.request("ana", text=TEXT) for _ in range(200)))
        append, left = Stick.append, [4]

        def pulled(self, name, at, raw):
            left[0] -= 1
            if left[0] == 0:
                append(self, name, at, raw[: len(raw) // 2])
                raise OSError(errno.EIO, "pulled out")
            return append(self, name, at, raw)

        with monkeypatch.context() as patch:
            patch.setattr(Stick, "append", pulled)
            visit = await plug(one, stick)
            assert (visit.code, visit.is_all) == ("stick", False)
        before = own(one, stick).read_bytes()
        tally = (await plug(two, stick)).tally
        assert 0 < tally.new < 200, "what was whole counts"
        (stick / FOLDER / file_name(two.office.hub, ".receipt")).unlink()
        visit = await plug(one, stick)
        assert visit.is_all
        assert visit.given < 200
        after = own(one, stick).read_bytes()
        assert after[: len(before) // 2] == before[: len(before) // 2]
        assert (await plug(two, stick)).damaged == 0
        assert (await two.proof())[0] == 204


async def test_a_damaged_bundle_is_begun_anew(tmp_path):
    stick = tmp_path / "stick"
    async with hubs(tmp_path, "hub-a", "hub-b") as (one, two):
        await one.take(*(one.village.request("ana", text=TEXT) for _ in range(100)))
        await plug(one, stick)
        raw = bytearray(own(one, stick).read_bytes())
        raw[150_000] ^= 1
        own(one, stick).write_bytes(raw)
        visit = await plug(two, stick)
        assert visit.damaged == 1
        assert "damaged" in words(stick)
        await plug(one, stick)
        visit = await plug(two, stick)
        assert visit.damaged == 0
        assert await one.proof() == await two.proof()


async def test_a_full_stick_carries_the_oldest_first_and_the_rest_with_the_next_trips(tmp_path):
    stick, trips = tmp_path / "stick", 0
    async with hubs(tmp_path, "hub-a", "hub-b") as (one, two):
        await one.take(*(one.village.request("ana", text=TEXT) for _ in range(200)))
        while await one.proof() != await two.proof():
            visit = await plug(one, stick, 200_000)
            assert own(one, stick).stat().st_size <= 200_000
            if trips == 0:
                assert not visit.is_all
                assert "Not everything could be left" in words(stick)
            await plug(two, stick)
            trips += 1
        assert 3 < trips < 8


async def test_a_hub_that_never_comes_again_does_not_hold_up_the_others(tmp_path):
    stick = tmp_path / "stick"
    async with hubs(tmp_path, "hub-a", "hub-b", "hub-c") as (one, two, three):
        await plug(three, stick)
        await one.take(*(one.village.request("ana", text=TEXT) for _ in range(200)))
        for _ in range(12):
            await plug(one, stick, 200_000)
            await plug(two, stick)
        assert await one.proof() == await two.proof()


async def test_what_was_sealed_to_a_retired_hub_is_sealed_anew_without_it(tmp_path):
    stick = tmp_path / "stick"
    async with hubs(tmp_path, "hub-a", "hub-b", "hub-c") as (one, two, three):
        await plug(one, stick)
        first = own(one, stick).read_bytes()
        admission = next(
            a for _, a in await one.store.page(0, 20) if a.kind == "hub-admit" and a.statement.who == three.office.hub
        )
        await one.take(one.village.retire("steward-1", admission))
        await plug(one, stick)
        second = own(one, stick).read_bytes()
        assert second[:200] != first[:200]
        assert (await plug(two, stick)).tally.new == 1
        assert (await plug(three, stick)).tally.actions == 0


async def test_a_read_only_stick_is_read(tmp_path, monkeypatch):
    stick = tmp_path / "stick"
    async with hubs(tmp_path, "hub-a", "hub-b") as (one, two):
        await one.take(*(one.village.request("ana") for _ in range(5)))
        await plug(one, stick)

        def refuse(*_of):
            raise OSError(errno.EROFS, "read-only")

        for name in ("replace", "begin", "append", "sync"):
            monkeypatch.setattr(Stick, name, refuse)
        visit = await plug(two, stick)
        assert (visit.tally.new, visit.code, visit.is_all) == (5, "stick-read-only", False)


@pytest.mark.parametrize("method", ["files", "read", "replace", "begin", "append", "sync", "free_bytes"])
@pytest.mark.parametrize("call", range(1, 5))
async def test_a_stick_pulled_out_at_any_step_hurts_nothing(tmp_path, monkeypatch, method, call):
    stick = tmp_path / "stick"
    async with hubs(tmp_path, "hub-a", "hub-b") as (one, two):
        await one.take(*(one.village.request("ana") for _ in range(5)))
        await two.take(*(one.village.request("ben") for _ in range(5)))
        await plug(one, stick)
        real, left = getattr(Stick, method), [call]

        def gone(*of):
            left[0] -= 1
            if left[0] <= 0:
                raise OSError(errno.EIO, "gone")
            return real(*of)

        with monkeypatch.context() as patch:
            patch.setattr(Stick, method, gone)
            await plug(two, stick)
        for hub in (two, one, two, one):
            await plug(hub, stick)
        assert await one.proof() == await two.proof()


async def test_junk_in_the_place_of_bundles_and_receipts_is_counted_and_passed_over(tmp_path):
    stick = tmp_path / "stick"
    async with hubs(tmp_path, "hub-a", "hub-b") as (one, two):
        await plug(one, stick)
        (stick / FOLDER / ("f" * 16 + ".post")).write_bytes(b"junk" * 10_000)
        (stick / FOLDER / ("f" * 16 + ".receipt")).write_bytes(b"junk" * 20_000)
        (stick / FOLDER / file_name(one.office.hub, ".receipt")).write_bytes(b"\x87")
        visit = await plug(two, stick)
        assert visit.damaged == 1
        assert visit.code == ""


async def test_a_receipt_under_another_hubs_name_is_not_heeded_for_this_stick(tmp_path):
    stick = tmp_path / "stick"
    async with hubs(tmp_path, "hub-a", "hub-b", "hub-c") as (one, two, three):
        await plug(two, stick)
        receipt = stick / FOLDER / file_name(two.office.hub, ".receipt")
        receipt.rename(stick / FOLDER / file_name(three.office.hub, ".receipt"))
        exchange = Exchange(one.office, Stick.open(stick), Patience(20), 1 << 30, str)
        await exchange.run()
        assert exchange._here == set()


async def test_a_stick_that_never_answers_is_given_up(monkeypatch):
    patience = Patience(0.05)
    release = threading.Event()
    with pytest.raises(RemoteError) as caught:
        await patience.do(lambda: release.wait(10))
    assert caught.value.code == "stick-slow"
    release.set()
    patience.stop()


# --- what was erased


def contents(hub, raw):
    """Which requests stand in a bundle with their words."""
    reader = Reader(hub.office.charter, hub.office.box_key, hub.office.unseal)
    chunks = [opened.chunk for opened in reader.feed(raw) + reader.end()]
    actions = [envelope.parse(each, hub.village.domain) for chunk in chunks for each in chunk.envelopes]
    return {action.id for action in actions if action.content is not None and action.kind == "request-open"}


async def test_what_an_author_erased_goes_from_a_stick_that_held_it(tmp_path):
    stick = tmp_path / "stick"
    async with hubs(tmp_path, "hub-a", "hub-b") as (one, two):
        said, kept = (one.village.request("ana", text=TEXT) for _ in range(2))
        await one.take(said, kept)
        await plug(one, stick)
        assert contents(one, own(one, stick).read_bytes()) == {said.id, kept.id}
        await one.take(one.village.seal("ben", "content-erase", subject=said), one.village.request("ana"))
        visit = await plug(one, stick)
        assert (visit.given, contents(one, own(one, stick).read_bytes())) == (2, {said.id, kept.id}), (
            "nobody erases another's words"
        )
        await one.take(one.village.seal("ana", "content-erase", subject=said))
        await plug(one, stick)
        assert contents(one, own(one, stick).read_bytes()) == {kept.id}
        await one.take(one.village.request("ana"))
        assert (await plug(one, stick)).given == 1, "it grows again"
        await plug(two, stick)
        assert [action.content for action in await two.store.get([said.id])] == [None]


async def test_what_another_hub_left_stays_sealed_on_a_stick_until_that_hub_sees_it_again(tmp_path):
    stick = tmp_path / "stick"
    async with hubs(tmp_path, "hub-a", "hub-b", "hub-c") as (one, two, three):
        said = one.village.request("ana", text=TEXT)
        erasure = one.village.seal("ana", "content-erase", subject=said)
        await one.take(said)
        await plug(one, stick)
        left = own(one, stick).read_bytes()
        await two.take(erasure)
        await plug(two, stick)
        assert own(one, stick).read_bytes() == left, "no hub changes what another one signed"
        await plug(three, stick)
        assert [action.content for action in await three.store.get([said.id])] == [None], "the erasure came with it"
        await plug(one, stick)
        assert contents(one, own(one, stick).read_bytes()) == set()


async def test_what_is_erased_while_it_is_written_goes_with_the_next_visit(tmp_path, monkeypatch):
    stick = tmp_path / "stick"
    async with hubs(tmp_path, "hub-a", "hub-b") as (one, _):
        said = one.village.request("ana", text=TEXT)
        erasure = one.village.seal("ana", "content-erase", subject=said)
        await one.take(said)
        real = one.office.page

        async def page(after):
            rows = await real(after)
            await one.take(erasure)
            return rows

        monkeypatch.setattr(one.office, "page", page)
        await plug(one, stick)
        assert contents(one, own(one, stick).read_bytes()) == {said.id}
        await plug(one, stick)
        assert contents(one, own(one, stick).read_bytes()) == set()


@pytest.mark.parametrize("is_known_first", [True, False])
async def test_an_old_bundle_brings_no_erased_words_back(tmp_path, is_known_first):
    async with hubs(tmp_path, "hub-a", "hub-b") as (one, two):
        said = one.village.request("ana", text=TEXT)
        erasure = one.village.seal("ana", "content-erase", subject=said)
        await one.take(said)
        old, _ = await one.bundle()
        await one.take(erasure)
        new, _ = await one.bundle()
        heard = []
        two.intake.listeners.append(lambda actions, _door, _source: heard.extend(actions))
        for raw in (new, old, new) if is_known_first else (old, new, old):
            await two.read(raw)
        assert [action.content for action in await two.store.get([said.id])] == [None]
        assert not is_known_first or all(action.content is None for action in heard if action.id == said.id)
        again, _ = await two.bundle()
        assert (contents(two, old), contents(two, again)) == ({said.id}, set())
        await one.read(again)
        await one.read(old)
        assert [action.content for action in await one.store.get([said.id])] == [None]
