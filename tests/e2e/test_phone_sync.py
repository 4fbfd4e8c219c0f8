"""A phone and its hubs when things go wrong: strangers' boxes, lost databases, power cuts, retired hubs, being a guest."""

import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from builders import Village
from phone_hubs import phone_hub, phone_of, served

from hubd.action import charter, envelope
from hubd.action.principal import address
from hubd.cli.phone import clocks_apart
from hubd.cli.terminal import time_of
from hubd.errors import RemoteError
from hubd.phone.http_link import HttpLink
from hubd.phone.phone import Phone
from hubd.ports import Door, Outcome, Verdict


async def kept(phone: Phone) -> list[bytes]:
    return [item.id for item in await phone._replica.outbox.items(kept_only=True)]


async def statuses(phone: Phone) -> list[tuple[str, str]]:
    return [(entry["status"], entry["reason"]) for entry in (await phone.show())["outbox"]]


# --- who the phone talks to


async def test_a_hub_that_no_steward_admitted_gets_nothing(tmp_path: Path) -> None:
    village = Village(1)
    async with phone_hub(tmp_path, village) as hub, served(hub) as url, phone_of(tmp_path, village) as phone:
        await hub.take(village.retire("steward-1", (await hub.read(area="mesh"))[1]))
        action = await phone.register("Amina", 1)
        with pytest.raises(RemoteError) as caught:
            await phone.sync(url)
        assert caught.value.code == "hub-not-admitted"
        assert "coordinator" in caught.value.hint
        assert not await hub.store.get([action.id])


async def test_founding_hubs_are_known_from_the_charter_alone(tmp_path: Path) -> None:
    village = Village(1)
    founding = tuple(village.found("hub-a"))
    file = charter.write(replace(village.charter, founding=founding))
    phone = await Phone.create(tmp_path / "p", file)
    assert [hub.name for hub in phone.views.hubs.values()] == ["hub-a"]
    assert (await phone.register("Amina", 1, home="hub-a")).statement.who == village.principal("hub-a")
    await phone.close()


class Box(httpx.AsyncBaseTransport):
    """A stranger's box between a phone and a hub: it may change what a path answers."""

    def __init__(self, hub: httpx.AsyncBaseTransport, path: str, change: Callable[[bytes], bytes]) -> None:
        self._hub, self._path, self._change = hub, path, change

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._hub.handle_async_request(request)
        body = await answer.aread()
        if request.url.path == self._path:
            body = self._change(body)
        return httpx.Response(answer.status_code, headers=answer.headers, stream=httpx.ByteStream(body))


async def test_a_box_that_is_no_hub_is_not_believed(tmp_path: Path) -> None:
    async with phone_of(tmp_path, Village(1)) as phone:
        await phone.register("Amina", 1)
        transport = httpx.MockTransport(lambda _request: httpx.Response(200, stream=httpx.ByteStream(b"\x80")))
        async with httpx.AsyncClient(transport=transport, base_url="http://box") as client:
            with pytest.raises(RemoteError) as caught:
                await phone.sync_over(HttpLink(client, phone.charter))
        assert caught.value.code == "hub-proof"
        assert (await statuses(phone)) == [("on this phone", "")]


@pytest.mark.parametrize("path", ["/v1/challenge", "/v1/actions"])
async def test_a_box_in_between_cannot_change_an_answer(tmp_path: Path, path: str) -> None:
    village = Village(1)
    async with phone_hub(tmp_path, village) as hub, phone_of(tmp_path, village) as phone:
        await phone.register("Amina", 1)
        box = Box(httpx.ASGITransport(hub.app), path, lambda body: body[:-1] + bytes([body[-1] ^ 1]))
        async with httpx.AsyncClient(transport=box, base_url="http://hub") as client:
            with pytest.raises(RemoteError) as caught:
                await phone.sync_over(HttpLink(client, phone.charter))
        assert caught.value.code in ("hub-proof", "hub-not-admitted"), "a changed body proves another, unknown key"
        assert (await statuses(phone))[0][0] == "on this phone"


# --- what a phone keeps


async def test_an_action_is_kept_until_two_hubs_have_it(tmp_path: Path) -> None:
    village = Village(1)
    async with (
        phone_hub(tmp_path, village, "hub-a") as one,
        phone_hub(tmp_path, village, "hub-b") as two,
        phone_of(tmp_path, village) as phone,
    ):
        await two.take(*village.found("hub-a"))
        action = await phone.register("Amina", 1)
        for hub, left in ((one, [action.id]), (one, [action.id]), (two, [])):
            report = await phone.sync_over(HttpLink(hub.http, phone.charter))
            assert (report.refused, report.deferred) == (0, 0)
            assert await kept(phone) == left
        assert await two.store.get([action.id])


async def test_an_action_is_kept_until_the_chain_has_it(tmp_path: Path) -> None:
    village = Village(1)
    async with phone_hub(tmp_path, village) as hub, phone_of(tmp_path, village) as phone:
        action = await phone.register("Amina", 1)
        await phone.sync_over(HttpLink(hub.http, phone.charter))
        assert await kept(phone) == [action.id]
        await hub.take(*village.found("uplink", uplink=True), village.receipt("uplink", [(action, 0)]))
        await phone.sync_over(HttpLink(hub.http, phone.charter))
        assert await kept(phone) == []
        assert await statuses(phone) == [("done", "")]


async def test_what_is_deferred_stays_on_the_phone_and_goes_later(tmp_path: Path) -> None:
    village = Village(1)
    async with phone_hub(tmp_path, village) as hub, phone_of(tmp_path, village) as phone:
        for _ in range(9):
            await phone.do("request-open", subjects="reading", ceiling="5")
        report = await phone.sync_over(HttpLink(hub.http, phone.charter))
        assert (report.acknowledged, report.deferred, report.reason) == (0, 9, "unregistered")
        assert set(await statuses(phone)) == {("needs you", "void-unregistered")}
        await phone.register("Amina", 1)
        await phone.sync_over(HttpLink(hub.http, phone.charter))
        await phone.sync_over(HttpLink(hub.http, phone.charter))
        assert set(await statuses(phone)) == {("at the hub", "")}


async def test_a_power_cut_between_outbox_and_set_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    village = Village(1)
    phone = await Phone.create(tmp_path / "p", charter.write(village.charter))

    async def cut(_actions: object) -> list[Any]:
        raise OSError("power")

    with monkeypatch.context() as patch:
        patch.setattr(phone._replica.store, "append", cut)
        with pytest.raises(OSError, match="power"):
            await phone.register("Amina", 1)
    await phone.close()
    phone = await Phone.open(tmp_path / "p")
    assert (await phone.show())["me"]["registered"]
    assert len(await kept(phone)) == 1
    await phone.close()


async def test_a_sync_that_breaks_off_anywhere_is_simply_made_again(tmp_path: Path) -> None:
    village = Village(1)
    async with phone_hub(tmp_path, village) as hub, phone_of(tmp_path, village) as phone:
        await phone.register("Amina", 1)
        await hub.take(*(village.request("nobody", text={"note": "x" * 5_000}) for _ in range(30)))
        await hub.take(village.vouch("steward-1", phone.principal, 4))
        for broken in range(1, 12):
            left = [broken]

            async def cut(_request: httpx.Request, left: list[int] = left) -> None:
                left[0] -= 1
                if left[0] == 0:
                    raise httpx.ConnectError("gone")

            hub.http.event_hooks = {"request": [cut]}
            try:
                await phone.sync_over(HttpLink(hub.http, phone.charter))
            except RemoteError as error:
                assert error.code == "hub-unreachable"
            else:
                break
        else:
            pytest.fail("a sync takes fewer requests than that")
        hub.http.event_hooks = {}
        assert (await phone.sync_over(HttpLink(hub.http, phone.charter))).received == 0
        assert (await phone._replica.store.summary()).fingerprint == (await hub.store.summary()).fingerprint


# --- hubs that lost something


async def test_a_hub_with_a_new_database_gets_back_what_it_lost(tmp_path: Path) -> None:
    village = Village(1)
    async with phone_of(tmp_path, village) as phone:
        async with phone_hub(tmp_path, village) as hub:
            action = await phone.register("Amina", 1)
            await phone.sync_over(HttpLink(hub.http, phone.charter))
            assert not (await phone.sync_over(HttpLink(hub.http, phone.charter))).reconciled
        shutil.rmtree(tmp_path / "hub-a")
        async with phone_hub(tmp_path, village) as hub:
            await hub.take(village.register("amina's neighbour"))
            # Somebody else brought the registration back, so that this phone may read.
            await hub.intake.offer([envelope.encode(action)], Door.PEER)
            request = await phone.do("request-open", subjects="reading", ceiling="5")
            report = await phone.sync_over(HttpLink(hub.http, phone.charter))
            assert report.reconciled
            assert await hub.store.get([action.id, request.id]) == [action, request]
            assert (await phone._replica.store.summary()).count >= 4
            report = await phone.sync_over(HttpLink(hub.http, phone.charter))
            assert (report.reconciled, report.received) == (False, 0)


async def test_a_hub_that_acknowledges_and_drops_everything_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One acknowledgement is one word: the phone goes on asking until another hub has it, and keeps what only one had."""
    village = Village(1)

    async def nod(envelopes: list[bytes], _address: str) -> list[Outcome]:
        return [Outcome(Verdict.OK, envelope.parse(raw, village.domain).id) for raw in envelopes]

    async with (
        phone_hub(tmp_path, village, "hub-a") as liar,
        phone_hub(tmp_path, village, "hub-b") as honest,
        phone_of(tmp_path, village) as phone,
    ):
        await liar.take(await phone.register("Amina", 1))
        await phone.sync_over(HttpLink(liar.http, phone.charter))
        await phone.sync_over(HttpLink(honest.http, phone.charter))
        monkeypatch.setattr(liar.door._putting, "put", nod)
        action = await phone.do("request-open", subjects="reading", ceiling="5")
        for _ in range(3):
            report = await phone.sync_over(HttpLink(liar.http, phone.charter))
        assert report.acknowledged == 0, "it said so the first time"
        assert await statuses(phone) == [("at the hub", ""), ("at the hub", "")]
        assert await kept(phone) == [action.id]
        await phone.sync_over(HttpLink(honest.http, phone.charter))
        assert await honest.store.get([action.id]) == [action]
        assert await kept(phone) == []
        # Whoever compares sets with the phone later, and has it not, gets it.
        monkeypatch.undo()
        await liar.take(action)
        request = await phone.do("request-open", subjects="reading", ceiling="5")
        with monkeypatch.context() as patch:
            patch.setattr(liar.door._putting, "put", nod)
            await phone.sync_over(HttpLink(liar.http, phone.charter))
        await phone._replica.outbox.set_place(liar.door.hub, "00.5.00")
        assert (await phone.sync_over(HttpLink(liar.http, phone.charter))).reconciled
        assert await liar.store.get([request.id]) == [request]


# --- at home and away


async def test_a_guest_receives_its_own_affairs_only(tmp_path: Path) -> None:
    village = Village(1)
    async with phone_hub(tmp_path, village, "hub-b") as away, phone_of(tmp_path, village) as phone:
        await away.take(*village.found("hub-a"), village.register("ben"), village.request("ben"))
        with pytest.raises(RemoteError):
            await phone.register("Amina", 1, home="hub-a")
        await phone.register("Amina", 1, home=address(village.principal("hub-a")))
        await away.take(village.request("ben"), book := village.book("ben", phone.principal))
        await phone.sync_over(HttpLink(away.http, phone.charter))
        assert not phone.views.requests
        assert set(phone.views.lessons) == {book.id}
        assert (await phone.show())["me"]["home"] == address(village.principal("hub-a"))


async def test_a_guest_who_comes_for_the_first_time_takes_only_what_it_lacks(tmp_path: Path) -> None:
    village = Village(1)
    async with (
        phone_hub(tmp_path, village, "hub-a") as home,
        phone_hub(tmp_path, village, "hub-b") as away,
        phone_of(tmp_path, village) as phone,
    ):
        home_hub = address(village.principal("hub-a"))
        neighbours = [village.register(name) for name in ("ben", *map(str, range(40)))]
        await home.take(*[action for _, action in await away.store.page(0, 9)], *neighbours)
        await away.take(*[action for _, action in await home.store.page(0, 99)])
        await phone.sync_over(HttpLink(home.http, phone.charter))
        registered = await phone.register("Amina", 1, home=home_hub)
        lost = await phone.do("request-open", subjects="reading", ceiling="5")
        await phone.sync_over(HttpLink(home.http, phone.charter))
        await away.take(registered, village.request("ben"), book := village.book("ben", phone.principal))
        report = await phone.sync_over(HttpLink(away.http, phone.charter))
        assert (report.reconciled, report.received) == (True, 1)
        assert set(phone.views.lessons) == {book.id}
        assert await away.store.get([lost.id]) == [lost]
        second = village.book("ben", phone.principal)
        await away.take(second)
        report = await phone.sync_over(HttpLink(away.http, phone.charter))
        assert (report.reconciled, report.received) == (False, 1), "its place there is good from now on"


@pytest.mark.parametrize("is_over_a_socket", [False, True])
async def test_a_guest_sees_its_own_money_until_the_reports_themselves_come_at_home(
    tmp_path: Path, is_over_a_socket: bool
) -> None:
    village = Village(1)
    async with (
        phone_hub(tmp_path, village, "hub-a") as home,
        phone_hub(tmp_path, village, "hub-b") as away,
        phone_of(tmp_path, village) as phone,
    ):
        registered = await phone.register("Amina", 1, home=address(village.principal("hub-a")))
        known = [
            *village.found("hub-a"),
            *village.found("hub-b"),
            registered,
            village.vouch("steward-1", phone.principal, 4),
        ]
        rows = [("ben", None, 7, 0), (phone.principal, None, 9, 1), (phone.principal, village.hours, 60, 30)]
        await home.take(*known, village.balance("hub-a", rows[:2], burn_height=800))
        await away.take(*known, village.balance("hub-b", rows))
        await phone.sync_over(HttpLink(home.http, phone.charter))
        assert [each["free"] for each in (await phone.show())["balances"]] == [9]
        async with served(away) as url:
            await phone.sync(url.replace("http", "ws") if is_over_a_socket else url)
        shown = (await phone.show())["balances"]
        assert [(each["asset"], each["free"], each["locked"]) for each in shown] == [("hours", 60, 30), ("stx", 9, 1)]
        assert {person for person, _ in phone.views.balances} == {phone.principal, village.principal("ben")}
        await home.take(village.balance("hub-a", [(phone.principal, village.hours, 55, 35)], burn_height=700))
        await phone.sync_over(HttpLink(home.http, phone.charter))
        assert [each["free"] for each in (await phone.show())["balances"]] == [55, 9], "at home, the reports decide"


async def test_a_new_key_brings_what_it_was_named_in_before_anybody_knew_whose_it_is(tmp_path: Path) -> None:
    village = Village(1)
    async with phone_hub(tmp_path, village, "hub-b") as away, phone_of(tmp_path, village) as phone:
        await away.take(*village.found("hub-a"), village.register("ben"))
        await phone.sync_over(HttpLink(away.http, phone.charter))
        await phone.register("Amina", 1, home=address(village.principal("hub-a")))
        await away.take(early := village.book("ben", "second phone"))
        await phone.sync_over(HttpLink(away.http, phone.charter))
        add = await phone.do("key-add", key=address(village.principal("second phone")), scopes="all")
        await phone.sync_over(HttpLink(away.http, phone.charter))
        assert await phone._replica.action(early.id) is None
        await away.take(village.key_accept("second phone", add))
        await phone.sync_over(HttpLink(away.http, phone.charter))  # learns that the key is its person's
        report = await phone.sync_over(HttpLink(away.http, phone.charter))
        assert (report.reconciled, report.received) == (True, 1)
        assert await phone._replica.action(early.id) == early


async def test_without_a_home_every_hub_is_one_as_soon_as_somebody_vouches(tmp_path: Path) -> None:
    village = Village(1)
    async with phone_hub(tmp_path, village, "hub-b") as hub, phone_of(tmp_path, village) as phone:
        await hub.take(village.register("ben", text={"name": b"sealed"}), village.request("ben"))
        await phone.register("Amina", 1)
        await phone.sync_over(HttpLink(hub.http, phone.charter))
        assert not phone.views.requests, "anybody can register"
        await hub.take(village.vouch("steward-1", phone.principal, 4))
        await phone.sync_over(HttpLink(hub.http, phone.charter))
        assert len(phone.views.requests) == 1, "what was hidden before the vouch came with it"
        assert (await phone.sync_over(HttpLink(hub.http, phone.charter))).received == 0
        here = [envelope.encode(action) for _, action in await phone._replica.store.page(0, 99)]
        there = [envelope.encode(action) for _, action in await hub.store.page(0, 99)]
        assert sorted(here) == sorted(there), "with what is written beside the names"


async def test_a_hub_that_has_not_heard_of_a_vouch_yet_shows_the_rest_later(tmp_path: Path) -> None:
    village = Village(1)
    async with (
        phone_hub(tmp_path, village, "hub-a") as one,
        phone_hub(tmp_path, village, "hub-b") as two,
        phone_of(tmp_path, village) as phone,
    ):
        await one.take(*village.found("hub-b"))
        await two.take(*village.found("hub-a"), village.register("ben"), village.request("ben"))
        registered = await phone.register("Amina", 1)
        vouch = village.vouch("carla", phone.principal)
        carla = [village.register("carla"), village.vouch("steward-1", "carla", 4)]
        await one.take(registered, vouch, *carla)
        await phone.sync_over(HttpLink(one.http, phone.charter))
        assert (await phone.sync_over(HttpLink(two.http, phone.charter))).reason == ""
        assert not phone.views.requests, "the phone brought the vouch of one whom nobody knows there"
        await two.take(*carla)
        await phone.sync_over(HttpLink(two.http, phone.charter))
        assert len(phone.views.requests) == 1


@pytest.mark.parametrize("scheme", ["http", "ws"])
@pytest.mark.parametrize("ahead_s", [0, -3 * 365 * 86_400, 7_200])
async def test_a_phone_whose_clock_differs_from_the_hubs_learns_by_how_much(
    tmp_path: Path, scheme: str, ahead_s: int
) -> None:
    village = Village(1)
    phone = await Phone.create(tmp_path / "p", charter.write(village.charter), clock=lambda: time.time() + ahead_s)
    async with phone_hub(tmp_path, village) as hub, served(hub) as url:
        await phone.register("Amina", 1)
        report = await phone.sync(url.replace("http", scheme))
    assert abs(report.clock_ahead_s - ahead_s) < 60
    shown = clocks_apart(report, 1_700_000_000)
    assert bool(shown) is bool(ahead_s)
    if ahead_s:
        assert time_of(1_700_000_000) in shown
        assert time_of(1_700_000_000 - report.clock_ahead_s) in shown
    await phone.close()
