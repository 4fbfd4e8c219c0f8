"""A phone at a hub that does not know its person: one with a new card, one that has heard nothing yet, and one that lies."""

import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from builders import Village
from phone_hubs import PhoneHub, phone_hub, phone_of, served

from hubd.action import charter, envelope
from hubd.action.principal import address
from hubd.errors import RemoteError
from hubd.fold.folder import fold
from hubd.phone.phone import Phone
from hubd.phone.sync import SyncReport
from hubd.ports import Outcome, Verdict
from hubd.web.standing import ViewsStanding

schemes = pytest.mark.parametrize("scheme", ["http", "ws"])
FROM_AWAY = "10.0.0.7"


@asynccontextmanager
async def hub_at(directory: Path, village: Village, scheme: str, name: str) -> AsyncIterator[tuple[PhoneHub, str]]:
    """A hub on a socket of this machine. It knows hub-a, hub-b and hub-c."""
    async with phone_hub(directory, village, name) as hub, served(hub) as url:
        for other in {"hub-a", "hub-b", "hub-c"} - {name}:
            await hub.take(*village.found(other))
        yield hub, url.replace("http", scheme)


async def statuses(phone: Phone) -> set[str]:
    return {entry["status"] for entry in (await phone.show())["outbox"]}


def counts(report: SyncReport) -> tuple[int, int, int, str]:
    return report.acknowledged, report.deferred, report.refused, report.reason


@schemes
async def test_a_home_hub_with_a_new_card_gets_everything_back(tmp_path: Path, scheme: str) -> None:
    village = Village(1)
    async with phone_of(tmp_path, village) as phone:
        async with hub_at(tmp_path, village, scheme, "hub-a") as (hub, url):
            signed = [await phone.register("Amina", 1, home=address(village.principal("hub-a")))]
            signed.append(await phone.do("request-open", subjects="reading", ceiling="500"))
            await phone.sync(url)
            named = [
                village.vouch("steward-1", phone.principal, 4),
                village.receipt("hub-a", [(signed[0], 0)]),
                village.balance("hub-a", [(phone.principal, village.hours, 700, 0)]),
            ]
            others = [village.request("nobody"), village.receipt("hub-a", [(village.request("nobody"), 0)])]
            await hub.take(*named, *others)
            for _ in range(2):
                await phone.sync(url)
            assert await statuses(phone) == {"done", "at the hub"}
        shutil.rmtree(tmp_path / "hub-a")
        async with hub_at(tmp_path, village, scheme, "hub-a") as (hub, url):
            signed.append(await phone.do("request-open", subjects="reading", ceiling="600"))
            assert counts(await phone.sync(url)) == (3, 0, 0, "")
            assert await hub.store.get([action.id for action in signed + named]) == signed + named
            assert await statuses(phone) == {"done", "at the hub"}
            report = await phone.sync(url)
            assert (*counts(report), report.reconciled) == (0, 0, 0, "", False)
            assert ViewsStanding(lambda: hub.folder.views).balance(phone.principal, village.hours).free == 700
            assert [each["free"] for each in (await phone.show())["balances"]] == [700]


@schemes
async def test_a_traveller_is_somebody_at_a_hub_that_has_heard_nothing(tmp_path: Path, scheme: str) -> None:
    village = Village(1)
    async with AsyncExitStack() as stack:
        hubs = [await stack.enter_async_context(hub_at(tmp_path, village, scheme, f"hub-{name}")) for name in "abc"]
        phone = await stack.enter_async_context(phone_of(tmp_path, village))
        registered = await phone.register("Amina", 1)
        for _, url in hubs[:2]:
            await phone.sync(url)
        request = await phone.do("request-open", subjects="reading", ceiling="500")
        assert counts(await phone.sync(hubs[2][1])) == (2, 0, 0, "")
        assert await hubs[2][0].store.get([registered.id, request.id]) == [registered, request]


@schemes
async def test_a_second_phone_brings_what_makes_it_one_of_its_persons(tmp_path: Path, scheme: str) -> None:
    village = Village(1)
    async with phone_of(tmp_path, village, "old") as old, phone_of(tmp_path, village, "new") as new:
        async with hub_at(tmp_path, village, scheme, "hub-a") as (_, url):
            await old.register("Amina", 1)
            added = await old.do("key-add", key=address(new.principal), scopes="all")
            await old.sync(url)
            await new._replica.take([envelope.encode(added)])
            await new.do("key-accept", add=added.id.hex())
            for _ in range(2):
                await new.sync(url)
            assert (await new.show())["me"]["person"] == address(old.principal)
        shutil.rmtree(tmp_path / "hub-a")
        async with hub_at(tmp_path, village, scheme, "hub-a") as (hub, url):
            request = await new.do("request-open", subjects="reading", ceiling="500")
            assert counts(await new.sync(url)) == (2, 0, 0, "")
            assert hub.folder.views.person_of(new.principal) == old.principal
            assert await hub.store.get([request.id]) == [request]


async def test_a_recovered_person_brings_the_word_of_the_chain_that_its_new_key_is_its_own(tmp_path: Path) -> None:
    village = Village(1)
    async with phone_of(tmp_path, village, "new") as new, hub_at(tmp_path, village, "http", "hub-a") as (hub, url):
        village._signers["new"] = new._replica.signer
        opening = village.recovery_open("new", "old")
        finish = village.recovery("finish", "new", opening)
        story = [*village.found("hub-a"), village.register("old"), opening, finish]
        story.append(village.receipt("hub-a", [(finish, 0)]))
        await new._replica.take([envelope.encode(action) for action in story])
        assert new._replica.me == village.principal("old")
        assert counts(await new.sync(url))[3] == ""
        assert hub.folder.views.person_of(new.principal) == village.principal("old")


@schemes
async def test_a_hub_that_says_unregistered_for_ever_costs_one_repetition_a_sync(
    tmp_path: Path, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It acknowledges all, and knows nobody: it is not believed to hold anything, and other hubs' words still count."""
    village = Village(1)
    brought: list[bytes] = []

    async def nod(envelopes: list[bytes], _address: str) -> list[Outcome]:
        ids = [envelope.parse(raw, village.domain).id for raw in envelopes]
        brought.extend(ids)
        return [Outcome(Verdict.OK, each) for each in ids]

    async with (
        hub_at(tmp_path, village, scheme, "hub-a") as (honest, home),
        hub_at(tmp_path, village, scheme, "hub-b") as (liar, url),
        phone_of(tmp_path, village) as phone,
    ):
        monkeypatch.setattr(liar.door._putting, "put", nod)
        signed = [(await phone.register("Amina", 1)).id]
        signed += [(await phone.do("request-open", subjects="reading", ceiling="500")).id for _ in range(3)]
        for _ in range(3):
            brought.clear()
            assert counts(await phone.sync(url)) == (0, 4, 0, "unregistered-here")
            assert all(brought.count(each) <= 2 for each in signed)
            assert len(brought) <= 5, "all of it, and the registration once more"
            assert await statuses(phone) == {"on this phone"}
        for _ in range(2):
            assert counts(await phone.sync(home))[1:] == (0, 0, "")
            await phone.sync(url)
            assert await statuses(phone) == {"at the hub"}
        assert [action.id for action in await honest.store.get(signed)] == signed


async def test_a_hub_whose_quota_is_used_up_keeps_nothing_and_says_so(tmp_path: Path) -> None:
    """The registration itself waits: what one hub had is on this phone again, and goes once there is room."""
    village = Village(1)
    async with phone_of(tmp_path, village) as phone:
        async with hub_at(tmp_path, village, "http", "hub-a") as (_, url):
            await phone.register("Amina", 1)
            await phone.sync(url)
        shutil.rmtree(tmp_path / "hub-a")
        async with hub_at(tmp_path, village, "http", "hub-a") as (hub, url):
            newcomers = hub.door._putting._quota._newcomers
            newcomers.spend(newcomers.level(hub.clock()))
            assert counts(await phone.sync(url)) == (0, 1, 0, "unregistered-here")
            assert [(each["status"], each["reason"]) for each in (await phone.show())["outbox"]] == [
                ("on this phone", "newcomers")
            ]
            hub.clock.now += 3_600
            assert counts(await phone.sync(url)) == (1, 0, 0, "")
            assert await statuses(phone) == {"at the hub"}


async def test_what_a_hub_defers_is_put_once_in_a_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    village = Village(1)
    brought: list[bytes] = []

    async def defer(envelopes: list[bytes], _address: str) -> list[Outcome]:
        ids = [envelope.parse(raw, village.domain).id for raw in envelopes]
        brought.extend(ids)
        return [Outcome(Verdict.DEFERRED, each, "quota") for each in ids]

    async with hub_at(tmp_path, village, "http", "hub-a") as (hub, url), phone_of(tmp_path, village) as phone:
        await phone.register("Amina", 1)
        await phone.sync(url)
        request = await phone.do("request-open", subjects="reading", ceiling="500")
        monkeypatch.setattr(hub.door._putting, "put", defer)
        assert counts(await phone.sync(url)) == (0, 1, 0, "")
        assert brought == [request.id]


@schemes
async def test_a_hub_that_folds_its_views_anew_has_lost_nothing(
    tmp_path: Path, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has met nobody yet, and says so with another code: nothing is brought again, and nothing looks lost."""
    village = Village(1)
    async with hub_at(tmp_path, village, scheme, "hub-a") as (hub, url), phone_of(tmp_path, village) as phone:
        await phone.register("Amina", 1)
        await phone.do("request-open", subjects="reading", ceiling="500")
        await phone.sync(url)
        before = await phone.show()
        assert await statuses(phone) == {"at the hub"}
        with monkeypatch.context() as patch:
            patch.setattr(hub.door, "_ports", replace(hub.door._ports, is_late=lambda: True))
            patch.setattr(hub.door.standing, "_views", lambda: fold(village.charter, village.found("hub-a")))
            patch.setattr(hub.door._putting, "put", None)
            for _ in range(2):
                with pytest.raises(RemoteError) as told:
                    await phone.sync(url)
                assert told.value.code == "busy"
                assert await phone.show() == before
        assert counts(await phone.sync(url)) == (0, 0, 0, "")


@schemes
async def test_a_hub_that_folds_what_it_was_just_brought_is_waited_for(
    tmp_path: Path, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    village = Village(1)
    async with hub_at(tmp_path, village, scheme, "hub-a") as (hub, url), phone_of(tmp_path, village) as phone:
        await phone.register("Amina", 1)
        late = [True, True]
        monkeypatch.setattr(hub.door, "_ports", replace(hub.door._ports, is_late=lambda: bool(late and late.pop())))
        early = fold(village.charter, village.found("hub-a"))
        monkeypatch.setattr(hub.door.standing, "_views", lambda: early if late else hub.folder.views)
        assert counts(await phone.sync(url)) == (1, 0, 0, "")
        assert not late


@pytest.mark.parametrize("late", ["its own request", "a vouch for it"])
async def test_what_a_hub_with_a_new_card_defers_is_brought_again_though_two_others_have_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, late: str
) -> None:
    village = Village(1)
    async with AsyncExitStack() as stack:
        others = [await stack.enter_async_context(hub_at(tmp_path, village, "http", f"hub-{name}")) for name in "bc"]
        phone = await stack.enter_async_context(phone_of(tmp_path, village))
        async with hub_at(tmp_path, village, "http", "hub-a") as (hub, url):
            await phone.register("Amina", 1, home=address(village.principal("hub-a")))
            request = await phone.do("request-open", subjects="reading", ceiling="500")
            await hub.take(vouch := village.vouch("steward-1", phone.principal, 4))
            for at in (url, url, *(each for _, each in others)):
                await phone.sync(at)
        shutil.rmtree(tmp_path / "hub-a")
        async with hub_at(tmp_path, village, "http", "hub-a") as (hub, url):
            put = hub.door._putting.put
            waiting = {(request if late == "its own request" else vouch).id}

            async def defer(envelopes: list[bytes], at: str) -> list[Outcome]:
                ids = [envelope.parse(raw, village.domain).id for raw in envelopes]
                taken = iter(
                    await put([raw for raw, each in zip(envelopes, ids, strict=True) if each not in waiting], at)
                )
                return [Outcome(Verdict.DEFERRED, each, "rate") if each in waiting else next(taken) for each in ids]

            monkeypatch.setattr(hub.door._putting, "put", defer)
            await phone.do("request-open", subjects="reading", ceiling="600")
            for at in (url, others[0][1], url):
                await phone.sync(at)
            assert not await hub.store.get(list(waiting))
            waiting.clear()
            await phone.sync(url)
            assert await hub.store.get([request.id, vouch.id]) == [request, vouch]
            await phone.sync(url)
            assert not (await phone.sync(url)).reconciled, "it goes on from its place again"


async def test_who_never_registered_is_told_to(tmp_path: Path) -> None:
    village = Village(1)
    async with hub_at(tmp_path, village, "http", "hub-a") as (_, url), phone_of(tmp_path, village) as phone:
        await phone.do("request-open", subjects="reading", ceiling="500")
        assert counts(await phone.sync(url)) == (0, 1, 0, "unregistered")


async def test_who_registers_again_under_another_name_tells_it_to_those_who_have_the_village_key(
    tmp_path: Path,
) -> None:
    village = Village(1)
    phone = await Phone.create(tmp_path, charter.write(village.charter), village_key=bytes(range(32)))
    first = await phone.register("Amina", 1)
    assert await phone.register("Amina", 1) == first
    second = await phone.register("Amina K.", 1)
    assert second.id != first.id
    assert second.content != first.content
    with pytest.raises(RemoteError):
        await phone.register("", 1)
    await phone.close()
