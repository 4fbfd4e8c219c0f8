"""A text that comes to a hub after its header, while phones that took the header are on its sockets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from callers import Caller, called
from phone_hubs import PhoneHub, phone_hub, served
from websockets.asyncio.client import connect

from hubd.action.envelope import Action, without_content
from hubd.limits import PHONE_PAGE_BYTES_MAX
from hubd.web import conversation
from hubd.web.late import LateTexts
from hubd.web.standing import Reader

NOTHING_S = 0.3  # that nothing was said in


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[PhoneHub]:
    async with phone_hub(tmp_path) as opened:
        village = opened.village
        await opened.take(village.register("ana", home="hub-a"), village.register("bo", home="hub-b"))
        await opened.take(village.vouch("steward-1", "ana", 4), village.vouch("steward-1", "bo", 4))
        yield opened


def texts(hub: PhoneHub, author: str, count: int = 1, size: int = 20) -> list[Action]:
    return [hub.village.seal(author, "profile-set", text={"text": "x" * size}) for _ in range(count)]


@asynccontextmanager
async def phones(hub: PhoneHub, *persons: str) -> AsyncIterator[list[Caller]]:
    """Phones of these persons that have all that there is."""
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(served(hub))
        callers = []
        for person in persons:
            dialled = connect(url.replace("http", "ws") + "/v1/ws", subprotocols=["hubd.v1"], compression=None)
            callers.append(Caller(hub, await stack.enter_async_context(dialled)))
            await callers[-1].hello(person)
            await callers[-1].all_up_to_end()
        yield callers


async def is_silent(caller: Caller) -> bool:
    try:
        async with asyncio.timeout(NOTHING_S):
            await caller.socket.recv()
    except TimeoutError:
        return True
    return False


async def test_a_phone_is_told_at_once_and_stays_where_it_was(hub: PhoneHub) -> None:
    [whole] = texts(hub, "bo")
    await hub.take(without_content(whole))
    async with called(hub) as caller:
        await caller.hello("ana")
        found, cursor = await caller.all_up_to_end()
        assert found[-1] == without_content(whole)
        await hub.take(whole)
        assert await caller.all_up_to_end() == ([whole], cursor)
        await hub.take(news := hub.village.request("ana"))
        assert (await caller.all_up_to_end())[0] == [news]


async def test_only_who_may_read_it_is_told(hub: PhoneHub) -> None:
    village = hub.village
    sealed = village.seal("ana", "vouch-give", who=village.principal("bo"), bits=1, text={"note": "she reads"})
    keys = village.register("carla", text={"name": b"sealed"})
    [others] = texts(hub, "ana")
    whole = [sealed, keys, others]
    await hub.take(*map(without_content, whole))
    async with phones(hub, "ana", "bo") as (ana, bo):
        await hub.take(*whole)
        assert (await bo.all_up_to_end())[0] == [sealed], "a guest: of others' keys the headers alone, and nothing else"
        assert (await ana.all_up_to_end())[0] == whole
    async with called(hub) as stranger:
        await stranger.hello()
        await stranger.all_up_to_end()
        [late] = texts(hub, "ana")
        await hub.take(without_content(late))
        await hub.take(late)
        assert await is_silent(stranger)


async def test_a_key_that_was_revoked_is_told_nothing_more(hub: PhoneHub) -> None:
    village = hub.village
    [register] = [
        action for _, action in await hub.store.page(0, 9) if action.statement.author == village.principal("ana")
    ]
    add = village.key_add("ana", "ana's other phone", register)
    [whole] = texts(hub, "ana")
    await hub.take(add, village.key_accept("ana's other phone", add), without_content(whole))
    async with phones(hub, "ana's other phone") as [lost]:
        await hub.take(village.key_revoke("ana", "ana's other phone", add))
        await hub.take(whole)
        assert (await lost.hear()).code == "unregistered"


async def test_what_the_phone_takes_with_its_header_is_not_told_twice(hub: PhoneHub) -> None:
    async with phones(hub, "ana") as [caller]:
        [whole] = texts(hub, "bo")
        await hub.take(whole)
        assert (await caller.all_up_to_end())[0] == [whole]
        await hub.take(whole)
        assert await is_silent(caller)


async def test_what_was_erased_meanwhile_is_not_told(hub: PhoneHub) -> None:
    [whole] = texts(hub, "bo")
    await hub.take(without_content(whole))
    async with phones(hub, "ana") as [caller]:
        erasure = hub.village.seal("bo", "content-erase", subject=whole)
        await hub.take(erasure)
        await hub.take(whole)
        assert (await caller.all_up_to_end())[0] == [erasure]
        assert await is_silent(caller)


async def test_many_texts_come_in_pages_and_news_between_them(hub: PhoneHub, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, news = texts(hub, "bo", 24, size=9_000), hub.village.request("ana")
    await hub.take(*map(without_content, whole))
    sizes: list[int] = []

    async def page(reader: Reader, looked_at: int) -> tuple[list[bytes], int]:
        found, looked_at = await LateTexts.page(hub.door.late, reader, looked_at)
        sizes.append(sum(map(len, found)))
        if len(sizes) == 2:
            await hub.take(news)
        return found, looked_at

    async with phones(hub, "ana") as [caller]:
        monkeypatch.setattr(hub.door.late, "page", page)
        await hub.take(*whole)
        found = (await caller.all_up_to_end())[0]
    assert {each.id for each in found} == {each.id for each in [*whole, news]}
    assert max(sizes) <= PHONE_PAGE_BYTES_MAX
    assert 0 < found.index(news) < len(whole), "nobody waits for news behind all the texts"


async def test_a_phone_that_reads_nothing_holds_up_no_other_and_is_let_go(
    hub: PhoneHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "PHONE_SEND_S", 1.0)
    whole = texts(hub, "bo", 500, size=16_000)  # 8 MB: more than what the kernel keeps for a socket
    await hub.take(*map(without_content, whole))
    async with phones(hub, "ana", "ana") as (slow, quick):
        slow.socket.transport.pause_reading()
        await hub.take(*whole)
        found: list[Action] = []
        while len(found) < len(whole):
            found += (await quick.all_up_to_end())[0]
        assert {each.id for each in found} == {each.id for each in whole}
        async with asyncio.timeout(5):
            while not hub.door.counters["socket:too-slow"]:
                await asyncio.sleep(0.02)
        slow.socket.transport.abort()
