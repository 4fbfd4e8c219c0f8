"""Every way to break a conversation of the phone API, over real sockets."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from callers import NONCE, Caller, called
from phone_hubs import PhoneHub, peopled_hub, served
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from hubd.action import envelope
from hubd.gossip.items import SortedItems
from hubd.gossip.negentropy import Initiator
from hubd.limits import PHONE_REQUESTS_BURST
from hubd.web import conversation, frames
from hubd.web.frames import Err, Neg, Ok
from hubd.web.places import Places
from hubd.web.proofs import message_digest
from hubd.web.visit import Visitor


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[PhoneHub]:
    async with peopled_hub(tmp_path) as opened:
        yield opened


async def test_what_is_no_frame_gets_a_code_and_the_conversation_goes_on(hub: PhoneHub) -> None:
    async with called(hub) as caller:
        for junk, code in (
            (b"\x00", "frame"),
            (b"\xff", "cbor"),
            (b"", "cbor"),
            (frames.encode(Ok([])), "frame"),
            (frames.encode(frames.Neg(b"a")), "scope"),
            (frames.Hello(1, "junk", "", NONCE, None), "cursor"),
            (frames.Hello(1, None, "all", NONCE, None), "scope"),
            (frames.Hello(1, None, "own", NONCE, None), "authorization"),
            (frames.Hello(1, None, "", NONCE, [bytes(21), bytes(40), bytes(65)]), "authorization"),
        ):
            await caller.say(junk)
            assert await caller.hear() == Err(code)
        await caller.socket.send("text")
        caller.question = message_digest(b"")
        assert await caller.hear() == Err("cbor")
        assert (await caller.hello("ana")).scope == "village"


async def test_a_message_beyond_the_limit_ends_the_conversation(hub: PhoneHub) -> None:
    async with called(hub) as caller:
        await caller.say(bytes(64 * 1024 + 1))
        with pytest.raises(ConnectionClosed) as closed:
            await caller.hear()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009
    async with called(hub) as caller:
        assert await caller.hello("ana")


def frame(first: int, announced: int, body: bytes = b"") -> bytes:
    """A masked WebSocket frame (RFC 6455, section 5.2) that announces a length of its own."""
    return bytes((first, 0x80 | 127)) + announced.to_bytes(8, "big") + bytes(4) + body


@pytest.mark.parametrize(
    ("frames_sent", "code"),
    [
        ([frame(0x82, 1 << 30)], 1009),
        ([frame(0x02, 30_000, bytes(30_000)), *[frame(0x00, 30_000, bytes(30_000))] * 3], 1009),
        ([frame(0xC2, 4, bytes(4))], 1002),
        ([frame(0x82, 1 << 63)], 1009),
    ],
    ids=["announces a gigabyte", "never ends its parts", "is compressed unasked", "has an impossible length"],
)
async def test_a_frame_that_breaks_the_bounds_is_refused_at_its_head(
    hub: PhoneHub, frames_sent: list[bytes], code: int
) -> None:
    async with called(hub) as caller:
        for each in frames_sent:
            caller.socket.transport.write(each)
        with pytest.raises(ConnectionClosed) as closed:
            await caller.hear()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == code


async def test_a_comparison_without_end_is_ended(hub: PhoneHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "RECONCILE_ROUNDS_MAX", 3)
    async with called(hub) as caller:
        for _ in range(2):
            await caller.hello("ana", "")
            await caller.all_up_to_end()
            for _ in range(3):
                await caller.say(Neg(Initiator().open(SortedItems())))
                assert isinstance(await caller.hear(), Neg)
            await caller.say(Neg(Initiator().open(SortedItems())))
            assert await caller.hear() == Err("reconcile-rounds")


async def test_who_connects_and_says_nothing_is_let_go(hub: PhoneHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "PHONE_OPEN_S", 0.2)
    async with called(hub) as caller:
        with pytest.raises(ConnectionClosed):
            await caller.hear()
    assert hub.door.counters["socket:too-slow"] == 1


async def test_a_place_that_sends_the_hub_elsewhere_is_no_phone_and_the_visits_go_on(hub: PhoneHub) -> None:
    async def send_away(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 301 Moved\r\nLocation: ws://10.42.0.1:22/\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(send_away, "127.0.0.1", 0)
    async with server:
        assert not await Visitor(hub.door).visit("127.0.0.1", server.sockets[0].getsockname()[1])
    assert hub.door.counters["visit:failed"] == 1


async def test_another_subprotocol_is_not_spoken(hub: PhoneHub) -> None:
    async with served(hub) as url:
        with pytest.raises(InvalidStatus):
            await connect(url.replace("http", "ws") + "/v1/ws", subprotocols=["hubd.v9"]).__aenter__()


async def test_greetings_of_one_address_are_paced_like_its_requests(
    hub: PhoneHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hello = frames.encode(frames.Hello(1, None, "mesh", NONCE, None))

    class Tape:
        """A phone that greets again and again."""

        def __init__(self, count: int) -> None:
            self.left, self.said = count, list[bytes]()

        async def receive(self) -> bytes | None:
            self.left -= 1
            return hello if self.left >= 0 else None

        async def send(self, message: bytes) -> None:
            self.said.append(message)

        async def close(self) -> None:
            self.left = 0

    monkeypatch.setattr(conversation, "pause", lambda _seconds: asyncio.sleep(0))
    tapes = [Tape(PHONE_REQUESTS_BURST), Tape(PHONE_REQUESTS_BURST)]
    for tape in tapes:
        await conversation.Conversation(hub.door, tape, "10.42.0.9").run()
    assert hub.door.counters["socket:rate"] > PHONE_REQUESTS_BURST // 2
    assert any(b"rate" in message for message in tapes[1].said)


async def test_no_compression_is_agreed_to(hub: PhoneHub) -> None:
    async with (
        served(hub) as url,
        connect(url.replace("http", "ws") + "/v1/ws", subprotocols=["hubd.v1"], compression="deflate") as socket,
    ):
        assert not socket.protocol.extensions


async def test_a_talkative_phone_is_slowed_not_refused(hub: PhoneHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "PHONE_MESSAGES_BURST", 5)
    waits: list[float] = []

    async def note(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(conversation, "pause", note)
    async with called(hub) as caller:
        for _ in range(8):
            await caller.say(frames.AskChallenge(NONCE))
            await caller.hear()
    assert waits[:5] == [0] * 5
    assert all(wait > 0 for wait in waits[5:8])


async def test_a_phone_that_reads_nothing_is_let_go_and_costs_no_queue(hub: PhoneHub) -> None:
    await hub.take(*(hub.village.request("ana", text={"note": "x" * 12_000}) for _ in range(700)))
    places = Places(stall_s=0.3)
    async with (
        served(hub, places=places) as url,
        connect(url.replace("http", "ws") + "/v1/ws", subprotocols=["hubd.v1"], compression=None) as socket,
    ):
        caller = Caller(hub, socket)
        hello = await caller.signed(frames.Hello(1, None, "", NONCE, None), "ana")
        socket.transport.pause_reading()
        await caller.say(hello)
        async with asyncio.timeout(5):
            while places.taken:
                await asyncio.sleep(0.05)
        socket.transport.resume_reading()
    assert places.let_go == 1


async def test_a_failing_disk_is_said_and_the_conversation_goes_on(
    hub: PhoneHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hubd.errors import FatalError

    async def full(*_: object) -> list[Any]:
        raise FatalError("disk-full", "no space", hint="free some space")

    request = hub.village.request("ana")
    async with called(hub) as caller:
        with monkeypatch.context() as patch:
            patch.setattr(hub.store, "append", full)
            await caller.say(frames.Put([envelope.encode(request)]))
            assert await caller.hear() == Err("disk-full")
        await caller.say(frames.Put([envelope.encode(request)]))
        assert await caller.hear() == Ok([[request.id, "at-hub"]])
