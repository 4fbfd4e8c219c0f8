"""The phone API over real sockets: one conversation from HELLO to live news."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from callers import NONCE, called
from phone_hubs import PhoneHub, peopled_hub
from websockets.exceptions import ConnectionClosed

from hubd.action import envelope
from hubd.gossip.items import SortedItems
from hubd.gossip.negentropy import Initiator
from hubd.web import frames
from hubd.web.frames import Deferred, End, Err, Neg, Ok, Receipt, Welcome


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[PhoneHub]:
    async with peopled_hub(tmp_path) as opened:
        yield opened


async def test_hello_proves_the_hub_and_grants_the_scope(hub: PhoneHub) -> None:
    async with called(hub) as caller:
        for person, scope in ((None, "mesh"), ("bo", "own"), ("ana", "village")):
            welcome = await caller.hello(person)
            assert (welcome.version, welcome.mode, welcome.scope) == (1, "cursor", scope)
            await caller.all_up_to_end()


async def test_a_greeting_overheard_opens_no_other_conversation_and_no_other_cursor(hub: PhoneHub) -> None:
    async with called(hub) as phone, called(hub) as stranger:
        hello = await phone.signed(frames.Hello(1, None, "", NONCE, None), "ana")
        await stranger.say(frames.AskChallenge(NONCE))
        await stranger.hear()
        await stranger.say(hello)
        assert await stranger.hear() == Err("challenge")
        await phone.say(replace(hello, scope="own"))
        assert await phone.hear() == Err("authorization")
        await phone.say(hello)
        assert (await phone.hear()).scope == "village"


async def test_a_newer_phone_is_answered_in_the_version_both_speak(hub: PhoneHub) -> None:
    async with called(hub) as caller:
        await caller.say(frames.Hello(9, None, "", NONCE, None))
        assert (await caller.hear()).version == frames.VERSION
        await caller.all_up_to_end()
        await caller.say(frames.Hello(0, None, "", NONCE, None))
        assert await caller.hear() == Err("version")


async def test_the_set_then_news_as_they_come(hub: PhoneHub) -> None:
    async with called(hub) as caller:
        await caller.hello("ana")
        first, cursor = await caller.all_up_to_end()
        assert len(first) == 6
        for _ in range(3):
            late = hub.village.request("ana")
            await hub.take(late)
            news, later = await caller.all_up_to_end()
            assert news == [late]
            assert later != cursor


async def test_a_cursor_brings_only_what_is_new(hub: PhoneHub) -> None:
    async with called(hub) as caller:
        await caller.hello("ana")
        _, cursor = await caller.all_up_to_end()
    late = hub.village.request("ana")
    await hub.take(late)
    async with called(hub) as caller:
        await caller.hello("ana", cursor)
        assert (await caller.all_up_to_end())[0] == [late]


async def test_a_guest_is_pushed_only_what_names_it(hub: PhoneHub) -> None:
    async with called(hub) as caller:
        await caller.hello("bo")
        await caller.all_up_to_end()
        mine = hub.village.book("bo", "ana")
        await hub.take(hub.village.request("ana"), mine)
        assert (await caller.all_up_to_end())[0] == [mine]


async def test_a_key_that_is_revoked_sees_no_further_news(hub: PhoneHub) -> None:
    village = hub.village
    register = (await hub.store.page(2, 1))[0][1]
    add = village.key_add("ana", "ana's second phone", register)
    await hub.take(add, village.key_accept("ana's second phone", add))
    async with called(hub) as caller:
        await caller.hello("ana's second phone")
        await caller.all_up_to_end()
        await hub.take(village.key_revoke("ana", "ana's second phone", add), village.request("ana"))
        assert await caller.hear() == Err("unregistered")
        with pytest.raises(ConnectionClosed):
            await caller.hear()


async def test_a_bug_in_the_push_ends_the_conversation_and_is_not_hidden(
    hub: PhoneHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def bug(*_: object) -> Any:
        raise KeyError("bug")

    async with called(hub) as caller:
        await caller.hello("ana")
        await caller.all_up_to_end()
        monkeypatch.setattr(hub.door.reading, "page", bug)
        await hub.take(hub.village.request("ana"))
        with pytest.raises(ConnectionClosed):
            await caller.hear()


async def test_put_is_answered_item_by_item_and_closed_by_ok(hub: PhoneHub) -> None:
    request, foreign = hub.village.request("ana"), hub.village.request("nobody")
    async with called(hub) as caller:
        await caller.say(frames.Put([b"junk", envelope.encode(request), envelope.encode(foreign)]))
        assert await caller.hear() == Deferred([[foreign.id, "unregistered"]])
        assert await caller.hear() == Err("cbor", 0)
        assert await caller.hear() == Ok([[request.id, "at-hub"]])
    assert await hub.store.get([request.id]) == [request]


async def test_receipts_are_told_to_whom_they_concern(hub: PhoneHub) -> None:
    request = hub.village.book("ana", "bo")
    await hub.take(request)
    async with called(hub) as caller:
        await caller.hello("ana")
        await caller.all_up_to_end()
        await hub.take(*hub.village.found("uplink", 2, uplink=True), hub.village.receipt("uplink", [(request, 0)]))
        heard = []
        while not isinstance(frame := await caller.hear(), End):
            heard.append(frame)
        assert heard[-1] == Receipt(request.id, "confirmed", b"\x01" * 32)


async def test_get_is_answered_in_frames_and_closed_by_an_empty_end(hub: PhoneHub) -> None:
    large = [hub.village.request("ana", text={"note": "x" * 9_000}) for _ in range(12)]
    await hub.take(*large)
    async with called(hub) as caller:
        _, cursor = (await caller.hello("ana"), (await caller.all_up_to_end())[1])
        assert cursor
        await caller.say(frames.Get([bytes(32), *(action.id for action in large)]))
        found = []
        while (frame := await caller.hear()) != End(None):
            assert frame.cursor is None
            found += frame.envelopes
        assert found == [envelope.encode(action) for action in large]


async def test_a_void_cursor_leads_to_reconciliation_and_news_go_on(hub: PhoneHub) -> None:
    async with called(hub) as caller:
        welcome = await caller.hello("ana", "00.5.00")
        assert isinstance(welcome, Welcome)
        assert welcome.mode == "reconcile"
        assert (await caller.all_up_to_end())[0] == []
        initiator, none = Initiator(), SortedItems()
        await caller.say(Neg(initiator.open(none)))
        outcome = initiator.handle(none, (await caller.hear()).message)
        assert set(outcome.need) == {action_id for _, action_id in await hub.store.items()}
        await hub.take(late := hub.village.request("ana"))
        assert (await caller.all_up_to_end())[0] == [late]
