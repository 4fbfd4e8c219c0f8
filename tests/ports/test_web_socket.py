"""The phone API over real sockets: one conversation from HELLO to live news, and every way to break it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from phone_hubs import PhoneHub, phone_hub, served
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from hubd.action import envelope
from hubd.action.envelope import Action
from hubd.gossip.items import SortedItems
from hubd.gossip.negentropy import Initiator
from hubd.limits import PHONE_REQUESTS_BURST
from hubd.web import conversation, frames
from hubd.web.frames import FROM_HUB, Actions, Deferred, End, Err, Neg, Ok, Receipt, Welcome
from hubd.web.places import Places
from hubd.web.proofs import Thread, authorize, hub_of_answer, message_digest
from hubd.web.visit import Visitor

NONCE = b"n" * 16


class Caller:
    """A phone's end of a socket, frame by frame."""

    def __init__(self, hub: PhoneHub, socket: ClientConnection) -> None:
        self.hub, self.socket = hub, socket
        self.thread = Thread()
        self.question = self.thread.greeting

    async def say(self, frame: Any) -> None:
        message = frames.encode(frame) if not isinstance(frame, bytes) else frame
        self.question = message_digest(message)
        if isinstance(frame, frames.Hello | frames.AskChallenge):
            self.thread = Thread(frame.nonce, self.question)
        await self.socket.send(message)

    async def hear(self) -> Any:
        async with asyncio.timeout(5):
            raw = await self.socket.recv()
        assert isinstance(raw, bytes)
        message, proof = raw[:-65], raw[-65:]
        body = self.thread.body(message)
        hubs = [
            hub_of_answer(proof, self.hub.village.charter, self.thread.nonce, question, body)
            for question in (self.question, self.thread.greeting)
        ]
        assert self.hub.door.hub in hubs, "every message is proven"
        self.thread.said(message)
        return frames.decode(message, FROM_HUB)

    async def hello(self, person: str | None = None, cursor: str | None = None, scope: str = "") -> Any:
        hello = frames.Hello(frames.VERSION, cursor, scope, NONCE, None)
        await self.say(await self.signed(hello, person) if person else hello)
        return await self.hear()

    async def signed(self, hello: frames.Hello, person: str) -> frames.Hello:
        await self.say(frames.AskChallenge(NONCE))
        asked, village = await self.hear(), self.hub.village
        given = authorize(village.signer(person), village.charter, asked.hub, asked.challenge, hello.question())
        return replace(hello, authorization=given.fields())

    async def all_up_to_end(self) -> tuple[list[Action], str]:
        found: list[Action] = []
        while True:
            frame = await self.hear()
            if isinstance(frame, End):
                assert frame.cursor is not None
                return found, frame.cursor
            if isinstance(frame, Actions):
                found += [envelope.parse(raw, self.hub.village.domain) for raw in frame.envelopes]


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[PhoneHub]:
    async with phone_hub(tmp_path) as opened:
        village = opened.village
        await opened.take(village.register("ana", home="hub-a"), village.register("bo", home="hub-b"))
        await opened.take(village.vouch("steward-1", "ana", 4), village.vouch("steward-1", "bo", 4))
        yield opened


@asynccontextmanager
async def called(hub: PhoneHub) -> AsyncIterator[Caller]:
    async with (
        served(hub) as url,
        connect(url.replace("http", "ws") + "/v1/ws", subprotocols=["hubd.v1"], compression=None) as socket,
    ):
        yield Caller(hub, socket)


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
