"""A phone that talks to a hub over a real socket, and believes only what the hub proves."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from phone_hubs import PhoneHub, served
from websockets.asyncio.client import ClientConnection, connect

from hubd.action import envelope
from hubd.action.envelope import Action
from hubd.web import frames
from hubd.web.frames import FROM_HUB, Actions, End
from hubd.web.proofs import Thread, authorize, hub_of_answer, message_digest

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


@asynccontextmanager
async def called(hub: PhoneHub) -> AsyncIterator[Caller]:
    async with (
        served(hub) as url,
        connect(url.replace("http", "ws") + "/v1/ws", subprotocols=["hubd.v1"], compression=None) as socket,
    ):
        yield Caller(hub, socket)
