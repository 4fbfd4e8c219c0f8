"""The server under the phone API: uvicorn inside the daemon's own loop, bounded before a byte is understood.

uvicorn waits for ever for a first request's head, and counts no connections of one address. Both are held here, at the
transport: a stalled stranger is let go after `PHONE_OPEN_S`, and one address cannot use up everybody's places.
"""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from hubd import limits
from hubd.addresses import EVERYWHERE
from hubd.errors import FatalError
from hubd.web.places import PROVEN, Client, Places, client_of
from hubd.web.tls import Certificate, front

_BACKLOG = 128
_HEAD_BYTES_MAX = 16 * 1024  # a browser's request head is about 1 kB
_STOP_S = 3  # for answers under way, when the daemon stops


def _protocols(places: Places) -> tuple[type[asyncio.Protocol], type[asyncio.Protocol]]:
    """The two protocols of uvicorn, each holding its connection's place from the first byte to the last."""

    class Bounded(asyncio.Protocol):
        """A connection with a place; whoever reads nothing for long is let go, whatever waits for it."""

        transport: asyncio.Transport
        place: Client | None = None
        deadline: asyncio.TimerHandle | None = None
        stalled: asyncio.TimerHandle | None = None

        def let_go(self) -> None:
            places.let_go += 1
            self.transport.abort()

        def pause_writing(self) -> None:
            super().pause_writing()
            self.stalled = asyncio.get_running_loop().call_later(places.stall_s, self.let_go)

        def resume_writing(self) -> None:
            super().resume_writing()
            if self.stalled is not None:
                self.stalled.cancel()

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            for timer in (self.deadline, self.stalled):
                if timer is not None:
                    timer.cancel()
            if self.place is not None:
                places.leave(self.place)
                self.place = None

    class BoundedSocket(Bounded, WebSocketsSansIOProtocol):
        """A WebSocket, in the place of the HTTP connection that it was."""

    class BoundedHttp(Bounded, H11Protocol):
        """An HTTP connection, with a deadline for each request's head."""

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
            super().connection_made(transport)
            client = client_of(transport)
            if self.place or places.take(client, self.loop.time(), transport.abort):
                self.place = client
                self.arm(places.open_s)
            else:
                transport.abort()

        def arm(self, seconds: float) -> None:
            if self.deadline is not None:
                self.deadline.cancel()
            self.deadline = self.loop.call_later(seconds, self.give_up)

        def give_up(self) -> None:
            if self.cycle is None or self.cycle.response_complete:
                self.let_go()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            self.arm(places.idle_s)

        def handle_websocket_upgrade(self, event: Any) -> None:
            super().handle_websocket_upgrade(event)
            if self.deadline is not None:
                self.deadline.cancel()
            protocol = self.transport.get_protocol()
            if isinstance(protocol, BoundedSocket):
                protocol.place, self.place = self.place, None

    return BoundedHttp, BoundedSocket


class _Server(uvicorn.Server):
    """uvicorn without signal handlers: the daemon has its own."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class PhoneServer:
    """The phone API on a port. Binding happens at once, so that a port in use is said before anything runs."""

    def __init__(
        self, app: ASGIApp, host: str, port: int, places: Places | None = None, certificate: Certificate | None = None
    ) -> None:
        self.places = places or Places()
        self.certificate = certificate
        self._app, self._host = app, host
        self._socket: socket.socket | None = _bind(host, port)
        self.port: int = self._socket.getsockname()[1]

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = scope.get("client") or ("", 0)
        now = asyncio.get_running_loop().time
        scope[PROVEN] = partial(self.places.prove, client)

        async def heard() -> Message:
            message = await receive()
            self.places.hear(client, now())
            return message

        self.places.hear(client, now())
        await self._app(scope, heard, send)

    async def run(self) -> None:
        """Serve until cancelled; then finish the answers under way and close. May be run again."""
        listening = self._socket or _bind(self._host, self.port)
        self._socket = None
        server = _Server(_config(self._answer, self.places, self.certificate))
        serving = asyncio.create_task(server.serve(sockets=[listening]), name="phone-api")
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            server.should_exit = True
            await serving
            raise
        finally:
            listening.close()


def _config(app: ASGIApp, places: Places, certificate: Certificate | None) -> uvicorn.Config:
    http_protocol, socket_protocol = _protocols(places)
    if certificate is not None:
        http_protocol = front(certificate.context, places, http_protocol)
    return uvicorn.Config(
        app,
        http=http_protocol,
        ws=socket_protocol,
        ws_max_size=limits.PHONE_MESSAGE_BYTES_MAX,
        ws_per_message_deflate=False,
        h11_max_incomplete_event_size=_HEAD_BYTES_MAX,
        timeout_keep_alive=limits.PHONE_IDLE_S,
        timeout_graceful_shutdown=_STOP_S,
        interface="asgi3",
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        log_level="error",
    )


def _bind(host: str, port: int) -> socket.socket:
    """A listening socket; "*" and "::" listen for both families. Raises `FatalError` in words."""
    if host == EVERYWHERE:
        host = "::" if socket.has_dualstack_ipv6() else "0.0.0.0"  # noqa: S104  # as the configuration says
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio looks at it before it turns Nagle off: without, every answer waits 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(host != "::"))
        listening.bind(socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)[0][4])
        listening.listen(_BACKLOG)
    except (OSError, UnicodeError) as error:
        listening.close()
        reason = error.strerror if isinstance(error, OSError) else "this is no name of a machine"
        raise FatalError(
            "port",
            f"phones cannot be served on {host}:{port}: {reason}",
            hint="phones.listen_host is an address of this machine, or * for all; does another hub or web server use "
            "phones.listen_port? then name another one",
        ) from error
    return listening
