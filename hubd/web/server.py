"""The server under the phone API: uvicorn inside the daemon's own loop, bounded before a byte is understood.

uvicorn waits for ever for a first request's head, and counts no connections of one address. Both are held here, at the
transport: a stalled stranger is let go after `PHONE_OPEN_S`, and one address cannot use up everybody's places.
"""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hubd import limits
from hubd.addresses import EVERYWHERE, holder
from hubd.errors import FatalError
from hubd.web.bounded import protocols
from hubd.web.places import PROVEN, Places
from hubd.web.quota import Pace
from hubd.web.tls import Certificate, front

_BACKLOG = 1_024  # the kernel keeps so many while others have their turn
_ACCEPTED_MAX = 64  # in one turn of the loop: 5 ms here, 25 ms on a Pi
_HEAD_BYTES_MAX = 8 * 1024  # a browser's request head is about 1 kB
_STOP_S = 3  # for answers under way, when the daemon stops


class _Server(uvicorn.Server):
    """uvicorn without signal handlers: the daemon has its own."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Asyncio has one number for how many are accepted in a turn and how many the kernel keeps; these are two."""
        await super().startup(sockets)
        for each in sockets or ():
            each.listen(_BACKLOG)


pause = asyncio.sleep  # before a request beyond the pace of its address is looked at


class PhoneServer:
    """The phone API on a port. Binding happens at once, so that a port in use is said before anything runs."""

    def __init__(
        self, app: ASGIApp, host: str, port: int, places: Places | None = None, certificate: Certificate | None = None
    ) -> None:
        self.places = places or Places()
        self.certificate = certificate
        self._app, self._host = app, host
        self._pace = Pace(limits.PHONE_ANSWERS_PER_S, limits.PHONE_ANSWERS_BURST)
        self._socket: socket.socket | None = _bind(host, port)
        self.port: int = self._socket.getsockname()[1]

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = scope.get("client") or ("", 0)
        now = asyncio.get_running_loop().time
        scope[PROVEN] = partial(self.places.prove, client)
        host = holder(client[0])
        await pause(0.0 if self.places.is_own(host) else self._pace.wait_s(host, now()))

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
    http_protocol, socket_protocol = protocols(places)
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
        backlog=_ACCEPTED_MAX,
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
