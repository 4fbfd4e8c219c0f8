"""Post in a phone's pocket: from hub to hub and the receipts back, bounded by its owner and by the hubs."""

import asyncio
from contextlib import asynccontextmanager
from functools import partial

import pytest
from builders import Village
from posts import carried_between, carried_by_socket, door_of, found, post_hub

from hubd import limits
from hubd.action import cbor, charter
from hubd.errors import RemoteError
from hubd.phone import carry
from hubd.phone.phone import Phone
from hubd.phone.serve import VisitedPhone
from hubd.web.gathering import Bringer
from hubd.web.proofs import authorize
from hubd.web.standing import Scope
from hubd.web.visit import Visitor

TEXT = {"note": "x" * 3_000}
PLACE = "0000000000000000.1.0000000000000000"


@asynccontextmanager
async def world(directory, *names):
    """Hubs that never meet, and a phone whose person a steward vouched for."""
    village = Village(1)
    founding = [action for name in names for action in found(village, name)]
    phone = await Phone.create(directory / "phone", charter.write(village.charter))
    registered = await phone.register("Amina", 1)
    known = [*founding, registered, village.vouch("steward-1", phone.principal, 4)]
    async with (
        post_hub(directory, village, names[0], known) as one,
        post_hub(directory, village, names[1], known) as two,
    ):
        try:
            yield village, one, two, phone
        finally:
            await phone.close()


async def visit(phone, hub, by=carried_between):
    """One sync, with the post that goes along."""
    async with by(hub) as link:
        report = await phone.sync_over(link)
        return await phone.carry_over(link, report)


@pytest.mark.parametrize("by", [carried_between, carried_by_socket])
async def test_two_hubs_that_never_meet_become_one_set_by_a_pocket(tmp_path, monkeypatch, by):
    monkeypatch.setattr(visit, "__defaults__", (by,))
    async with world(tmp_path, "hub-a", "hub-b") as (village, one, two, phone):
        await one.take(*(village.request("ana", text=TEXT) for _ in range(150)))
        await two.take(*(village.request("ben") for _ in range(20)))
        await phone.allow_carrying(16)
        report = await visit(phone, one)
        assert (report.brought, report.reason) == (0, "")
        assert report.fetched >= 3
        report = await visit(phone, two)
        assert (report.new, report.reason) == (150, "")
        report = await visit(phone, one)
        assert report.new == 20
        assert await one.proof() == await two.proof()
        await visit(phone, two)
        assert [(each["same"], each["waiting"]) for each in await two.office.status()] == [(True, 0)]
        await visit(phone, one)
        assert [(each["same"], each["waiting"]) for each in await one.office.status()] == [(True, 0)]
        assert phone.pocket.bundles() == [], "all of it has arrived"


async def test_nothing_is_carried_that_the_owner_did_not_allow(tmp_path):
    async with world(tmp_path, "hub-a", "hub-b") as (_, one, _two, phone):
        assert await visit(phone, one) is None
        assert phone.pocket.bundles() == []
        await phone.allow_carrying(1)
        await visit(phone, one)
        assert phone.pocket.bundles()
        await phone.allow_carrying(0)
        assert (phone.pocket.bundles(), await visit(phone, one)) == ([], None)


async def test_a_second_visit_brings_and_fetches_nothing_twice(tmp_path):
    async with world(tmp_path, "hub-a", "hub-b") as (village, one, two, phone):
        await phone.allow_carrying(16)
        await one.take(*(village.request("ana") for _ in range(9)))
        for hub in (one, two):
            await visit(phone, hub)
        again = [await visit(phone, hub) for hub in (two, one)]
        assert [report.brought for report in again] == [0, 1], "what the other one wrote, and nothing a second time"
        assert [report.fetched for report in again] == [0, 0]
        assert [(await visit(phone, hub)).brought for hub in (two, one)] == [0, 0]


async def test_a_pocket_holds_what_its_owner_allowed_and_no_more(tmp_path):
    async with world(tmp_path, "hub-a", "hub-b") as (village, one, two, phone):
        await one.take(*(village.request("ana", text=TEXT) for _ in range(700)))
        await phone.allow_carrying(1)
        for _ in range(6):
            report = await visit(phone, one)
            assert sum(each.size for each in phone.pocket.bundles()) <= 1_000_000
            await visit(phone, two)
            assert sum(each.size for each in phone.pocket.bundles()) <= 1_000_000
        assert report.reason == ""
        assert await one.proof() == await two.proof()


async def test_a_full_pocket_says_so_and_keeps_the_oldest(tmp_path):
    async with world(tmp_path, "hub-a", "hub-b") as (village, one, _two, phone):
        await one.take(*(village.request("ana", text=TEXT) for _ in range(700)))
        await phone.allow_carrying(1)
        assert (await visit(phone, one)).reason == "pocket-full"
        first = [each.path.name for each in phone.pocket.bundles()]
        assert (await visit(phone, one)).reason == "pocket-full"
        assert [each.path.name for each in phone.pocket.bundles()] == first


async def test_a_driver_whose_phone_is_found_by_the_hubs_carries_their_post_unasked(tmp_path):
    async with world(tmp_path, "hub-a", "hub-b") as (village, one, two, phone):
        await one.take(*(village.request("ana", text=TEXT) for _ in range(60)))
        await phone.allow_carrying(16)
        told = []
        waiting = VisitedPhone(phone, "127.0.0.1", 0, told.append)
        serving = asyncio.create_task(waiting.run())
        for hub in (one, two, one):
            assert await Visitor(door_of(hub)).visit("127.0.0.1", waiting.port)
        serving.cancel()
        await asyncio.wait([serving])
        assert [report.carried.reason for report in told] == ["", "", ""]
        assert told[1].carried.new == 60
        assert await one.proof() == await two.proof()


@pytest.mark.parametrize("body", [b"", b"\x80", cbor.encode([[], [], []]), cbor.encode([[b"x"], None, 16 * 1024])])
async def test_a_wrong_question_on_a_socket_is_refused_and_the_talk_goes_on(tmp_path, body):
    async with world(tmp_path, "hub-a", "hub-b") as (_, one, _two, phone), carried_by_socket(one) as link:
        await phone.sync_over(link)
        with pytest.raises(RemoteError) as caught:
            await link.bring_post(body)
        assert caught.value.code in ("cbor", "frame")
        with pytest.raises(RemoteError) as caught:
            await link.bring_post(bytes(limits.PHONE_POST_BYTES_MAX + 1))
        assert caught.value.code == "too-large"
        assert await link.bring_post(cbor.encode([[], []]))


async def test_a_stranger_on_a_socket_has_nothing_gathered(tmp_path):
    async with world(tmp_path, "hub-a", "hub-b") as (_, one, _two, _phone), carried_by_socket(one) as link:
        await link.identify()
        with pytest.raises(RemoteError) as caught:
            await link.bring_post(bytes(200_000))
        assert caught.value.code == "authorization"


async def test_while_a_crowd_of_fresh_keys_never_ends_its_post_only_who_is_known_brings_more(tmp_path):
    village = Village(1)
    known = [
        *found(village, "hub-a"),
        village.register("ana"),
        village.register("sybil"),
        village.vouch("steward-1", "ana", 4),
    ]
    async with post_hub(tmp_path, village, "hub-a", known) as hub:
        door = door_of(hub)
        for number in range(limits.CARRY_GATHERED_MAX):
            door.gathering.add(number, Bringer(village.principal(f"sybil {number}"), "", is_known=False), b"part")
        assert await brought_by_socket(hub, door, "ana")
        door.gathering.add("again", Bringer(village.principal("sybil 0"), "", is_known=False), b"part")
        with pytest.raises(RemoteError) as caught:
            await brought_by_socket(hub, door, "sybil")
        assert caught.value.code == "rate"


async def brought_by_socket(hub, door, name):
    """What a hub answers to a person that brings nothing, said in parts."""
    async with carried_by_socket(hub, door) as link:
        await link.identify()
        await link.authorize(partial(authorize, hub.village.signer(name), hub.village.charter))
        await link.end(Scope.OWN)
        return await link.bring_post(cbor.encode([[], []]))


@pytest.mark.parametrize("is_known_first", [True, False])
async def test_a_pocket_brings_no_erased_words_back(tmp_path, is_known_first):
    async with world(tmp_path, "hub-a", "hub-b") as (village, one, two, phone):
        said = village.request("ana", text=TEXT)
        erasure = village.seal("ana", "content-erase", subject=said)
        await one.take(said)
        await phone.allow_carrying(16)
        await visit(phone, one)
        await one.take(erasure)
        if is_known_first:
            await two.take(erasure)
        assert (await visit(phone, two)).brought == 1
        assert [action.content is None for action in await two.store.get([said.id])] == [is_known_first]
        await visit(phone, one)
        await visit(phone, two)
        for hub in (one, two):
            assert [action.content for action in await hub.store.get([said.id])] == [None]


async def test_bundles_that_were_damaged_in_the_pocket_are_passed_over_and_come_again(tmp_path):
    async with world(tmp_path, "hub-a", "hub-b") as (village, one, two, phone):
        await one.take(*(village.request("ana") for _ in range(50)))
        await phone.allow_carrying(16)
        await visit(phone, one)
        [bundle] = phone.pocket.bundles()
        bundle.path.write_bytes(b"wet" * 1_000)
        (tmp_path / "phone" / "post" / (village.principal("hub-c").hex() + ".receipt")).write_bytes(b"wet")
        report = await visit(phone, two)
        assert (report.brought, report.new, report.reason) == (1, 0, "")
        phone.pocket.drop(bundle)
        for hub in (one, two):
            await visit(phone, hub)
        assert (await two.proof())[0] >= 50


async def test_post_of_a_hub_that_another_one_holds_off_keeps_nobody_elses_waiting(tmp_path):
    """The phone does not know that it was retired there. Its parcel is the older one, in one message with the other."""
    async with world(tmp_path, "hub-a", "hub-b") as (village, one, two, phone):
        founding = [action for _, action in await one.store.page(0, 99)]
        announced, admitted = found(village, "hub-c")
        async with post_hub(tmp_path, village, "hub-c", [*founding, announced, admitted]) as three:
            await phone.allow_carrying(16)
            await three.take(*(village.request("ana") for _ in range(9)))
            await visit(phone, three)
        for hub in (one, two):
            await hub.take(announced, admitted, village.retire("steward-1", admitted))
        requests = [village.request("ben") for _ in range(20)]
        await one.take(*requests)
        await visit_by_hand(phone, one)
        reports = [await visit_by_hand(phone, two) for _ in range(3)]
        assert await two.store.get([each.id for each in requests]) == requests
        assert [each.brought for each in reports] == [1, 0, 0]
        assert [each.deferred for each in reports] == [1, 1, 1], "it is tried again"


async def visit_by_hand(phone, hub):
    """The post alone."""
    async with carried_between(hub) as link:
        await link.identify()
        await link.authorize(partial(authorize, phone._replica.signer, phone.charter))
        return await carry.Carrier(
            phone.pocket, phone._replica.outbox, link, hub.village.principal(hub.name), 10**7
        ).run()


async def test_post_of_a_hub_that_was_retired_takes_no_room(tmp_path):
    async with world(tmp_path, "hub-a", "hub-b") as (village, one, two, phone):
        await phone.allow_carrying(16)
        await visit(phone, one)
        await visit(phone, two)
        hub = village.principal("hub-a")
        assert hub in {each.hub for each in phone.pocket.bundles()}
        assert hub in phone.pocket.receipts()
        [admission] = [action for _, action in await two.store.page(0, 99)
                       if action.kind == "hub-admit" and action.statement.who == hub]  # fmt: skip
        await two.take(village.retire("steward-1", admission))
        await visit(phone, two)
        assert hub not in {each.hub for each in phone.pocket.bundles()}
        assert hub not in phone.pocket.receipts()


async def test_a_phone_with_more_post_than_a_visit_takes_is_not_sent_nearer_to_the_hub(tmp_path, monkeypatch):
    monkeypatch.setattr(carry, "CARRY_S", 0.01)
    async with world(tmp_path, "hub-a", "hub-b") as (_, one, _two, phone), carried_between(one) as link:
        await phone.allow_carrying(16)
        report = await phone.sync_over(link)

        async def slow(*_of, **_more):
            await asyncio.sleep(60)

        link.ask = slow
        assert (await phone.carry_over(link, report)).reason == "post-waits"


async def test_a_sync_is_done_whatever_becomes_of_the_post(tmp_path):
    async with world(tmp_path, "hub-a", "hub-b") as (_, one, _two, phone):
        await phone.allow_carrying(16)
        async with carried_between(one) as link:
            report = await phone.sync_over(link)

            async def gone(*_of, **_more):
                raise RemoteError("hub-unreachable", "gone")

            link.ask = gone
            assert (await phone.carry_over(link, report)).reason == "hub-unreachable"
        assert report.reason == ""


@pytest.mark.parametrize(
    "answer",
    [b"", b"\x80", cbor.encode([b"", PLACE, PLACE]), cbor.encode([b"x", "no place", PLACE, False]),
     cbor.encode([b"x", PLACE, "../../evil", True]), cbor.encode([b"x" * 300_000, PLACE, PLACE, False]),
     cbor.encode([b"x", PLACE, PLACE, 1])],
)  # fmt: skip
async def test_what_a_hub_says_wrongly_writes_nothing(tmp_path, answer):
    async with world(tmp_path, "hub-a", "hub-b") as (_, one, _two, phone):
        await phone.allow_carrying(16)
        async with carried_between(one) as link:
            report, ask = await phone.sync_over(link), link.ask

            async def lie(method, path, **more):
                return answer if method == "GET" else await ask(method, path, **more)

            link.ask = lie
            assert (await phone.carry_over(link, report)).reason in ("frame", "cbor", "cursor", "too-large")
        assert phone.pocket.bundles() == []


# --- the hub's side


async def asked(hub, signer, method, body=b"", **query):
    async with carried_between(hub) as link:
        await link.identify()
        if signer is not None:
            await link.authorize(lambda *of: authorize(signer, hub.village.charter, *of))
        return await link.ask(method, "/v1/post", **({"content": body} if method == "POST" else {"params": query}))


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_stranger_neither_brings_nor_takes_post(tmp_path, method):
    village = Village(1)
    async with post_hub(tmp_path, village, "hub-a", found(village, "hub-a")) as hub:
        for signer, code in ((None, "authorization"), (village.signer("nobody"), "unregistered")):
            with pytest.raises(RemoteError) as caught:
                await asked(hub, signer, method, cbor.encode([[], []]))
            assert caught.value.code == code


async def test_whom_nobody_vouched_for_brings_post_and_takes_none(tmp_path):
    village = Village(1)
    known = [*found(village, "hub-a"), village.register("ana")]
    async with post_hub(tmp_path, village, "hub-a", known) as hub:
        assert await asked(hub, village.signer("ana"), "POST", cbor.encode([[], []]))
        with pytest.raises(RemoteError) as caught:
            await asked(hub, village.signer("ana"), "GET")
        assert caught.value.code == "unvouched"


async def test_what_a_carrier_made_up_is_held_to_the_quotas_of_strangers(tmp_path):
    village = Village(1)
    founding = [*found(village, "hub-a"), village.register("ana")]
    async with (
        post_hub(tmp_path, village, "hub-a", founding) as hub,
        post_hub(tmp_path, village, "rogue", founding) as rogue,
    ):
        await rogue.take(*(village.request("nobody") for _ in range(40)))
        bundle, _ = await rogue.bundle()
        before = await hub.proof()
        _, [told] = cbor.decode(
            await asked(hub, village.signer("ana"), "POST", cbor.encode([[], [bundle]])), bytes_max=1 << 20
        )
        assert told == [43, 0, 40], "all of these are deferred"
        assert await hub.proof() == before


async def test_a_carrier_who_brings_and_takes_without_end_has_to_wait(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "CARRY_BYTES_BURST", 400_000)
    monkeypatch.setattr("hubd.phone.http_link._PATIENCE", 1)
    village = Village(1)
    known = [*found(village, "hub-a"), village.register("ana"), village.register("ben")]
    body = cbor.encode([[], [bytes(190_000)]])
    async with post_hub(tmp_path, village, "hub-a", known) as hub, carried_between(hub) as link:
        await link.identify()
        await link.authorize(lambda *of: authorize(village.signer("ana"), village.charter, *of))
        for _ in range(3):
            await link.ask("POST", "/v1/post", content=body)
        with pytest.raises(RemoteError) as caught:
            await link.ask("POST", "/v1/post", content=body)
        assert caught.value.code == "rate"
        await link.authorize(lambda *of: authorize(village.signer("ben"), village.charter, *of))
        assert await link.ask("POST", "/v1/post", content=body), "another person's pace is another's"


@pytest.mark.parametrize(
    "query", [{"bytes": "-1"}, {"bytes": "1" * 30}, {"bytes": "5"}, {"hubs": "xyz"}, {"after": "x"}]
)
async def test_a_wrong_question_is_refused_in_words(tmp_path, query):
    village = Village(1)
    known = [*found(village, "hub-a"), village.register("ana"), village.vouch("steward-1", village.principal("ana"), 4)]
    async with post_hub(tmp_path, village, "hub-a", known) as hub:
        with pytest.raises(RemoteError) as caught:
            await asked(hub, village.signer("ana"), "GET", **query)
        assert caught.value.code in ("query", "cursor")


def test_names_in_a_pocket_that_are_not_ours_are_passed_over(tmp_path):
    pocket = carry.Pocket(tmp_path)
    assert pocket.bundles() == []
    (tmp_path / "post").mkdir()
    for name in ("x.post", "1.2.3.post", "a.receipt", "00000001." + "0" * 42 + ".x.post"):
        (tmp_path / "post" / name).write_bytes(b"")
    assert (pocket.bundles(), pocket.receipts()) == ([], {})
