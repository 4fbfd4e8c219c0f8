"""The two protocols under the phone API, uvicorn's own with bounds: each connection holds its place from the first byte to
the last, and whoever makes much work out of few bytes is let go.

What comes is read in slices: an answer to every ping, a frame of no bytes or a chunk of one byte costs a hundred times
what its bytes do, and what one read brings is handled before anybody else gets a turn.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from hubd.limits import (
    PHONE_MESSAGES_WAITING_MAX,
    PHONE_READ_BYTES,
    PHONE_SMALL_FRAMES_BURST,
    PHONE_SMALL_FRAMES_PER_S,
)
from hubd.web.places import Client, Places, client_of
from hubd.web.quota import Bucket

_NO_LENGTH = b"HTTP/1.1 411 Length Required\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class Bounded(asyncio.Protocol):
    """A connection with a place; whoever reads nothing for long is let go, whatever waits for it."""

    places: Places  # of the server whose connection it is
    transport: asyncio.Transport
    place: Client | None = None
    deadline: asyncio.TimerHandle | None = None
    stalled: asyncio.TimerHandle | None = None

    def let_go(self) -> None:
        """Cut it, and count that."""
        self.places.let_go += 1
        self.transport.abort()

    def pause_writing(self) -> None:
        """The other side reads nothing: for a while."""
        super().pause_writing()
        self.stalled = asyncio.get_running_loop().call_later(self.places.stall_s, self.let_go)

    def resume_writing(self) -> None:
        """It reads again."""
        super().resume_writing()
        if self.stalled is not None:
            self.stalled.cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        """Its place is free."""
        super().connection_lost(exc)
        for timer in (self.deadline, self.stalled):
            if timer is not None:
                timer.cancel()
        if self.place is not None:
            self.places.leave(self.place)
            self.place = None


class BoundedSocket(Bounded, WebSocketsSansIOProtocol):
    """A WebSocket, in the place of the HTTP connection that it was. `small` is spent by frames that are no message."""

    small: Bucket | None = None

    def data_received(self, data: bytes) -> None:
        """In slices."""
        for at in range(0, len(data), PHONE_READ_BYTES):
            if self.transport.is_closing():
                return
            super().data_received(data[at : at + PHONE_READ_BYTES])

    def is_too_much(self) -> bool:
        """Whether one more frame that is no message ended it."""
        now = self.loop.time()
        if self.small is None:
            self.small = Bucket(PHONE_SMALL_FRAMES_PER_S, PHONE_SMALL_FRAMES_BURST, now)
        if self.small.level(now) < 1 and not self.transport.is_closing():
            self.let_go()
        self.small.spend()
        return self.transport.is_closing()

    def handle_cont(self, event: Any) -> None:
        """A part of a message."""
        if not self.is_too_much():
            super().handle_cont(event)

    def handle_ping(self) -> None:
        """It is answered already; the answer is sent here."""
        if not self.is_too_much():
            super().handle_ping()

    def handle_pong(self, event: Any) -> None:
        """An answer, asked for or not."""
        if not self.is_too_much():
            super().handle_pong(event)

    def send_receive_event_to_app(self) -> None:
        """A whole message: it waits until the conversation takes it."""
        if self.queue.qsize() < PHONE_MESSAGES_WAITING_MAX:
            super().send_receive_event_to_app()
        elif not self.transport.is_closing():
            self.let_go()


class BoundedHttp(Bounded, H11Protocol):
    """An HTTP connection, with a deadline for each request's head."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """It takes a place, or goes."""
        super().connection_made(transport)
        client = client_of(transport)
        if self.place or self.places.take(client, self.loop.time(), transport.abort):
            self.place = client
            self.arm(self.places.open_s)
        else:
            transport.abort()

    def data_received(self, data: bytes) -> None:
        """In slices."""
        for at in range(0, len(data), PHONE_READ_BYTES):
            protocol = self.transport.get_protocol()
            if self.transport.is_closing():
                return
            if isinstance(protocol, BoundedSocket):
                protocol.data_received(data[at:])
                return
            super().data_received(data[at : at + PHONE_READ_BYTES])

    def handle_events(self) -> None:
        """Whoever does not say how much comes makes work with each byte."""
        super().handle_events()
        if any(name == b"transfer-encoding" for name, _ in self.headers or ()) and not self.transport.is_closing():
            self.places.let_go += 1
            self.transport.write(_NO_LENGTH)
            self.transport.close()

    def arm(self, seconds: float) -> None:
        """So long for the next head."""
        if self.deadline is not None:
            self.deadline.cancel()
        self.deadline = self.loop.call_later(seconds, self.give_up)

    def give_up(self) -> None:
        """The head did not come."""
        if self.cycle is None or self.cycle.response_complete:
            self.let_go()

    def on_response_complete(self) -> None:
        """The next head may take longer."""
        super().on_response_complete()
        self.arm(self.places.idle_s)

    def handle_websocket_upgrade(self, event: Any) -> None:
        """The place goes with the connection."""
        super().handle_websocket_upgrade(event)
        if self.deadline is not None:
            self.deadline.cancel()
        protocol = self.transport.get_protocol()
        if isinstance(protocol, BoundedSocket):
            protocol.place, self.place = self.place, None


def protocols(places: Places) -> tuple[type[BoundedHttp], type[BoundedSocket]]:
    """Both, for a server with these places."""
    said = {"places": places}
    return type("Http", (BoundedHttp,), said), type("Socket", (BoundedSocket,), said)
