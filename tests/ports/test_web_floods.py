"""Much work made of few bytes at the phones' door: whoever does so is let go or waits, and costs no memory and no turns."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import pytest
from callers import NONCE, Caller, called
from knocks import HEAD, is_alive, is_closed, limited, opened, spoken
from phone_hubs import PhoneHub, phone_hub, served
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from hubd import limits
from hubd.gossip.items import SortedItems
from hubd.gossip.negentropy import Initiator
from hubd.web import frames, server
from hubd.web.places import Places
from hubd.web.quota import Pace
from hubd.web.visit import Visitor

UPGRADE = (
    b"GET /v1/ws HTTP/1.1\r\nhost: h\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\n"
    b"sec-websocket-protocol: hubd.v1\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
MASK = bytes(4)
PING = b"\x89\xfd" + MASK + bytes(125)
PONG = b"\x8a\x80" + MASK
NO_BYTES = b"\x00\x80" + MASK  # a part of a message
TINY = b"\x82\x81" + MASK + b"x"  # a message


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[PhoneHub]:
    async with phone_hub(tmp_path) as opened_hub:
        yield opened_hub


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that each message was to wait, all phones being elsewhere. Nobody does wait."""
    found: list[float] = []

    async def note(seconds: float) -> None:
        found.append(seconds)

    monkeypatch.setattr("hubd.web.http.is_loopback", lambda _host: False)
    monkeypatch.setattr("hubd.web.conversation.pause", note)
    monkeypatch.setattr("hubd.web.http.pause", note)
    return found


@pytest.mark.parametrize(
    "said",
    [PING * 5_000, PONG * 5_000, b"\x02\x80" + MASK + NO_BYTES * 20_000, TINY * 5_000],
    ids=["pings whose answers nobody reads", "pongs", "parts without bytes", "tiny messages"],
)
async def test_a_socket_that_says_much_in_few_bytes_is_let_go(hub: PhoneHub, said: bytes) -> None:
    places = Places()
    async with served(hub, places=places) as url:
        reader, writer = await opened(url)
        writer.write(UPGRADE)
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(said)
        async with asyncio.timeout(3):
            while places.taken:
                await asyncio.sleep(0.01)
        assert places.let_go == 1
        assert await is_alive(url)
        writer.close()


async def test_what_stands_behind_too_much_is_not_looked_at(hub: PhoneHub) -> None:
    async with served(hub) as url:
        reader, writer = await opened(url)
        writer.write(UPGRADE)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(PING * 3_000)
        answered = 0
        with suppress(ConnectionError):
            while part := await asyncio.wait_for(reader.read(1 << 16), 3):
                answered += len(part)
        assert answered < 127 * (limits.PHONE_SMALL_FRAMES_BURST + 100), "of three thousand"
        writer.close()


async def test_an_ordinary_message_may_come_in_parts_and_pings_are_answered(hub: PhoneHub) -> None:
    async with (
        served(hub) as url,
        connect(url.replace("http", "ws") + "/v1/ws", subprotocols=["hubd.v1"], compression=None) as phone,
    ):
        asked = frames.encode(frames.AskChallenge(NONCE))
        for _ in range(5):
            await phone.send([asked[at : at + 1] for at in range(len(asked))])
            assert await phone.recv()
            await (await phone.ping())


async def test_a_body_that_does_not_say_its_length_is_refused_before_it_is_read(hub: PhoneHub) -> None:
    places = Places()
    async with served(hub, places=places) as url:
        reader, writer = await opened(url)
        writer.write(b"POST /v1/actions HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n")
        writer.write(b"1\r\nx\r\n" * 20_000)
        with suppress(ConnectionError):  # the kernel may throw the answer away with what was not read
            assert (await asyncio.wait_for(reader.readline(), 3)).startswith(b"HTTP/1.1 411")
        writer.close()
        async with asyncio.timeout(3):
            while places.taken:
                await asyncio.sleep(0.01)
        assert await is_alive(url)


async def test_requests_of_one_address_wait_for_their_turn_whatever_they_ask(
    hub: PhoneHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PHONE_ANSWERS_BURST", 3)
    monkeypatch.setattr(limits, "PHONE_ANSWERS_PER_S", 0.1)
    waits: list[float] = []

    async def note(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(server, "pause", note)
    async with served(hub, places=limited()) as url, httpx.AsyncClient(base_url=url) as http:
        for path in ("/v1/status", "/nothing", "/v1/challenge", "/nothing", "/v1/status"):
            await http.get(path)
    assert waits[:3] == [0] * 3
    assert 0 < waits[3] < waits[4]


async def test_one_address_that_comes_too_often_is_turned_away_and_others_are_not(hub: PhoneHub) -> None:
    places = limited(knocks=Pace(0.1, 3))
    async with served(hub, places=places) as url:
        for _ in range(3):
            _, writer = await spoken(url)
            writer.close()
            await writer.wait_closed()
        reader, writer = await opened(url)
        writer.write(HEAD + b"\r\n")
        assert await is_closed(reader)
        writer.close()
    assert places.turned_away == 1
    assert places.take(("10.42.0.9", 1), 0.0, lambda: None)


async def test_sockets_of_one_address_share_a_pace_and_a_great_question_counts_as_many(
    hub: PhoneHub, waits: list[float]
) -> None:
    hub.door.messages = Pace(1.0, 20.0)
    async with served(hub) as url:
        for _ in range(2):
            uri = url.replace("http", "ws") + "/v1/ws"
            async with connect(uri, subprotocols=["hubd.v1"], compression=None) as phone:
                caller = Caller(hub, phone)
                await caller.say(frames.Get([bytes(32)] * (10 * limits.PHONE_IDS_PER_MESSAGE)))
                await caller.hear()
    assert waits[:3] == [0, 0, 0], "a message and its ids, and the next message"
    assert waits[3] == 0
    async with served(hub) as url, connect(url.replace("http", "ws") + "/v1/ws", subprotocols=["hubd.v1"]) as phone:
        caller = Caller(hub, phone)
        await caller.say(frames.AskChallenge(NONCE))
        await caller.hear()
    assert waits[4] > 0, "twenty-two were spent of twenty"


async def test_a_crowd_that_comes_in_one_moment_is_kept_by_the_kernel_and_let_in_by_and_by(hub: PhoneHub) -> None:
    places, most = Places(), 0
    async with served(hub, places=places) as url:
        assert await is_alive(url)
        async with asyncio.timeout(5):
            while places.taken:
                await asyncio.sleep(0.01)
        with ExitStack() as stack:
            for _ in range(120):  # nobody is let in meanwhile: this holds up the hub's own loop
                stack.enter_context(socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=2))
            async with asyncio.timeout(5):
                while (then := places.taken.total()) < 120:
                    await asyncio.sleep(0)
                    most = max(most, places.taken.total() - then)
        assert most <= 64


async def test_who_takes_the_whole_set_again_and_again_waits_between_its_pages(
    hub: PhoneHub, waits: list[float]
) -> None:
    await hub.take(*(hub.village.request("ana", text={"note": "x" * 12_000}) for _ in range(40)))
    await hub.take(hub.village.register("ana"))
    hub.door.messages = Pace(0.1, 5 * limits.PHONE_PAGE_MESSAGES)
    async with called(hub) as caller:
        await caller.hello("ana", None, "own")
        assert len((await caller.all_up_to_end())[0]) > 40
    assert waits[:5] == [0] * 5, "two messages and the first pages"
    assert sum(wait > 0 for wait in waits) >= 3


@pytest.mark.parametrize("is_over_a_socket", [False, True])
async def test_comparing_counts_as_many_messages_of_an_address(
    hub: PhoneHub, waits: list[float], is_over_a_socket: bool
) -> None:
    await hub.take(hub.village.register("ana"))
    hub.door.messages = Pace(0.1, 1.5 * limits.PHONE_NEG_MESSAGES)
    compare = Initiator().open(SortedItems())
    async with served(hub) as url:
        if is_over_a_socket:
            async with connect(
                url.replace("http", "ws") + "/v1/ws", subprotocols=["hubd.v1"], compression=None
            ) as phone:
                caller = Caller(hub, phone)
                await caller.hello("ana", "", "mine")
                for _ in range(3):
                    await caller.say(frames.Neg(compare))
                    while not isinstance(await caller.hear(), frames.Neg):
                        pass
        else:
            async with httpx.AsyncClient(base_url=url, event_hooks={"request": [hub.sign]}) as http:
                for _ in range(3):
                    headers = await hub.auth("ana")
                    answer = await http.post("/v1/reconcile?scope=mine", content=compare, headers=headers)
                    assert answer.status_code == 200
    assert sum(wait > 0 for wait in waits) >= 1
    assert waits[-1] > 0
    assert waits[0] == 0


@pytest.mark.parametrize(
    "said",
    [b"\x89\x7d" + bytes(125), b"\x00\x00", b"\x82\x01x"],
    ids=["pings whose answers nobody reads", "parts without bytes", "tiny messages"],
)
async def test_a_place_that_says_much_in_few_bytes_ends_the_visit_and_costs_no_memory(
    hub: PhoneHub, said: bytes
) -> None:
    taken = 0

    async def flood(phone: ServerConnection) -> None:
        nonlocal taken
        raw = phone.transport.get_extra_info("socket")
        phone.transport.pause_reading()
        waiting = (b"\x02\x00" if said[0] == 0 else b"") + said * 1_000_000
        while waiting:
            await asyncio.sleep(0)
            with suppress(BlockingIOError):
                count = os.write(raw.fileno(), waiting[:65_536])
                taken, waiting = taken + count, waiting[count:]

    async with serve(flood, "127.0.0.1", 0, subprotocols=["hubd.v1"], compression=None) as fake:
        [listening] = fake.sockets
        visitor = Visitor(hub.door)
        async with asyncio.timeout(5):
            assert await visitor.visit("127.0.0.1", listening.getsockname()[1], 30) is None
    assert taken < 16_000_000, "what the kernel took, and no more"
