"""The two ZeroMQ sockets of a link, with every option that keeps strangers and stalled peers cheap (threats: "Hub").

The listener is a ROUTER with a CURVE server key, a dialled link is a DEALER that pins one. libzmq never reconnects by
itself here: `hubd.gossip.peers` decides when to dial again.
"""

import asyncio
import ctypes
import itertools
import secrets
import struct
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from socket import AI_NUMERICHOST, SOCK_STREAM, getaddrinfo
from typing import Any, cast

import nacl.public
import zmq
import zmq.asyncio
from zmq.utils import z85

from hubd.addresses import by_turns, joined, split
from hubd.errors import FatalError, LocalError, RemoteError
from hubd.limits import (
    DIAL_GIVE_UP_S,
    HANDSHAKE_MS,
    LINK_KEEPALIVE_AGAIN_S,
    LINK_KEEPALIVE_S,
    LINK_MESSAGE_BYTES_MAX,
    LINK_RECEIVE_FRAMES_MAX,
    LINK_SEND_FRAMES_MAX,
    NAME_ADDRESSES_MAX,
    NAMES_ABREAST_MAX,
)

CURVE_KEY_BYTES = 32
_ENDS = zmq.EVENT_DISCONNECTED | zmq.EVENT_CLOSED
_REFUSED = zmq.EVENT_HANDSHAKE_FAILED_AUTH
_FAILED = zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
_WATCHED = zmq.EVENT_HANDSHAKE_SUCCEEDED | _ENDS | _REFUSED | _FAILED
_NUMBERS = itertools.count()
_NAMES = ThreadPoolExecutor(NAMES_ABREAST_MAX, "hubd-names")
_Found = list[tuple[Any, Any, int, str, tuple[Any, ...]]]


@dataclass(frozen=True, slots=True, repr=False)
class CurveKeys:
    """A CURVE key pair, 32 bytes each. Never printed."""

    public: bytes
    secret: bytes

    @classmethod
    def of(cls, secret: bytes) -> "CurveKeys":
        """The pair of a secret key."""
        return cls(bytes(nacl.public.PrivateKey(secret).public_key), secret)


def curve_keypair() -> CurveKeys:
    """A fresh pair."""
    public, secret = zmq.curve_keypair()
    return CurveKeys(z85.decode(public), z85.decode(secret))


class DialOutcome(Enum):
    """How a dial ended; the value is the code that a status page shows."""

    OPEN = "open"
    REFUSED = "not-admitted"  # the other side does not know our key as an admitted hub's
    FAILED = "handshake"  # another key than the pinned one, or no ZeroMQ at all
    UNREACHABLE = "unreachable"
    SLOW = "timeout"
    OVERLOADED = "overloaded"  # this machine gave no socket for it


def endpoint(address: str) -> str:
    """The ZeroMQ endpoint of host:port or [v6]:port, with or without "tcp://". `RemoteError("address")`."""
    return f"tcp://{joined(*split(address))}"


async def resolved(address: str) -> list[str]:
    """The endpoints to try, best first; a name is looked up off libzmq's one thread. `RemoteError("address")`."""
    host, port = split(address)
    try:
        found = _looked_up(host, port, AI_NUMERICHOST)
    except OSError:
        found = await _named(host, port)
    hosts = by_turns(_numeric(*each[4]) for each in found)
    return [f"tcp://{joined(each, port)}" for each in hosts[:NAME_ADDRESSES_MAX]]


async def _named(host: str, port: int) -> _Found:
    """In threads of their own: names that nobody answers for must not hold up other work, nor addresses that are known."""
    try:
        async with asyncio.timeout(DIAL_GIVE_UP_S):
            return await asyncio.get_running_loop().run_in_executor(_NAMES, _looked_up, host, port)
    except (OSError, TimeoutError, UnicodeError) as error:
        raise RemoteError("address", "no machine of this name is known here") from error


def _looked_up(host: str, port: int, flags: int = 0) -> _Found:
    return getaddrinfo(host, port, type=SOCK_STREAM, flags=flags)


def _numeric(host: str | int, _port: int | bytes, _flow: int = 0, scope: int = 0) -> str:
    return f"{host}%{scope}" if scope else str(host)


def send_now(socket: zmq.asyncio.Socket, parts: list[bytes]) -> str:
    """Send without waiting. Returns "" or why not: "closed" (the peer is gone), "stalled" (its queue is full)."""
    if socket.closed:
        return "closed"
    sending = cast("asyncio.Future[Any]", socket.send_multipart(parts, flags=zmq.NOBLOCK))  # NOBLOCK: is done already
    error = sending.exception()
    if error is None:
        return ""
    return "stalled" if isinstance(error, zmq.Again) else "closed"


def _harden(socket: zmq.asyncio.Socket) -> None:
    """Bounds that must stand before the socket is bound or connected."""
    socket.setsockopt(zmq.MAXMSGSIZE, LINK_MESSAGE_BYTES_MAX)
    socket.setsockopt(zmq.HANDSHAKE_IVL, HANDSHAKE_MS)
    socket.setsockopt(zmq.RCVHWM, LINK_RECEIVE_FRAMES_MAX)
    socket.setsockopt(zmq.SNDHWM, LINK_SEND_FRAMES_MAX)
    socket.setsockopt(zmq.TCP_KEEPALIVE, 1)
    socket.setsockopt(zmq.TCP_KEEPALIVE_IDLE, LINK_KEEPALIVE_S)
    socket.setsockopt(zmq.TCP_KEEPALIVE_INTVL, LINK_KEEPALIVE_AGAIN_S)
    socket.setsockopt(zmq.TCP_KEEPALIVE_CNT, 3)
    socket.setsockopt(zmq.IPV6, 1)
    socket.setsockopt(zmq.LINGER, 0)


def listen(
    context: zmq.asyncio.Context, host: str, port: int, keys: CurveKeys, zap_domain: bytes
) -> zmq.asyncio.Socket:
    """The listener, bound; port 0 takes a free one (`LAST_ENDPOINT` tells which). Raises `FatalError`.

    `host` "*" is every address of this machine, of both families where the machine has both.
    """
    _begin_anywhere()
    socket = context.socket(zmq.ROUTER)
    _harden(socket)
    socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
    socket.curve_secretkey = keys.secret
    socket.curve_publickey = keys.public
    socket.curve_server = True
    socket.zap_domain = zap_domain
    socket.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)
    try:
        socket.bind(f"tcp://{joined(host, port or '*')}")
    except zmq.ZMQError as error:
        socket.close(0)
        if error.errno == zmq.EADDRINUSE:
            raise FatalError(
                "port-in-use",
                f"port {port} for neighbour hubs is taken",
                hint="is another hubd running? Stop it, or set mesh.listen_port in hubd.toml to a free port",
            ) from error
        raise FatalError(
            "listen",
            f"cannot listen for neighbour hubs at {host}:{port}: {error.strerror}",
            hint="set mesh.listen_host in hubd.toml to an address of this machine, or to * for all of them",
        ) from error
    return socket


def _begin_anywhere() -> None:
    """Let a ROUTER number its peers from where nobody can tell.

    It begins with what the C library's `rand()` says, which libzmq leaves unseeded: the same number in every process. A
    peer that names itself with a number still to come has libzmq abort the process when that number's turn comes.
    """
    with suppress(OSError, TypeError, AttributeError):  # a system without a C library of this kind
        ctypes.CDLL(None).srand(secrets.randbits(32))


class Dialled:
    """A link that we open. `opened` tells how that went; then send, receive, and watch with `closed`.

    Raises `LocalError("overloaded")` where there is no descriptor left for it.
    """

    def __init__(self, context: zmq.asyncio.Context, endpoint: str, *, server_key: bytes, keys: CurveKeys) -> None:
        try:
            self.socket: zmq.asyncio.Socket = context.socket(zmq.DEALER)
        except zmq.ZMQError as error:
            raise LocalError("overloaded", str(error)) from error
        _harden(self.socket)
        self.socket.setsockopt(zmq.IMMEDIATE, 1)
        self.socket.setsockopt(zmq.RECONNECT_IVL, -1)
        self.socket.setsockopt(zmq.CONNECT_TIMEOUT, HANDSHAKE_MS)
        self.socket.curve_serverkey = server_key
        self.socket.curve_publickey = keys.public
        self.socket.curve_secretkey = keys.secret
        self._monitor: zmq.asyncio.Socket | None = None
        try:
            self._monitor = self.socket.get_monitor_socket(_WATCHED, f"inproc://hubd-dial-{next(_NUMBERS)}")
            self.socket.connect(endpoint)
        except zmq.ZMQError as error:
            self.close()
            raise LocalError("overloaded", str(error)) from error

    async def opened(self) -> DialOutcome:
        """Wait for the end of the handshake, or of the patience."""
        with suppress(TimeoutError):
            async with asyncio.timeout(DIAL_GIVE_UP_S):
                return await self._handshake()
        return DialOutcome.SLOW

    async def _handshake(self) -> DialOutcome:
        while True:
            event = await self._event()
            if event & zmq.EVENT_HANDSHAKE_SUCCEEDED:
                return DialOutcome.OPEN
            if event & _REFUSED:
                return DialOutcome.REFUSED
            if event & _FAILED:
                return DialOutcome.FAILED
            if event & _ENDS:
                return DialOutcome.UNREACHABLE

    async def closed(self) -> None:
        """Wait until the peer is gone, as far as the kernel knows; who is silent the channel gives up."""
        while not await self._event() & (_ENDS | _REFUSED | _FAILED):
            pass

    async def _event(self) -> int:
        assert self._monitor is not None, "made with it"
        head, *_ = await self._monitor.recv_multipart()
        (event,) = struct.unpack_from("=H", head)
        return int(event)

    def close(self) -> None:
        """Close at once; what was not sent is lost."""
        self.socket.disable_monitor()
        if self._monitor is not None:
            self._monitor.close(0)
        self.socket.close(0)
