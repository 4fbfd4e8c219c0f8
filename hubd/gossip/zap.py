"""Who may connect: our own ZAP task (ZeroMQ RFC 27), and the probe that proves that it works.

libzmq admits *everybody* while no ZAP answer is enforced, so three things hold the door: `ZAP_ENFORCE_DOMAIN` on the
listener, this task, which knows the admitted keys at this very moment, and `probe`, which knocks with a key that nobody
can know. An admitted hub's principal becomes the `User-Id` of all its frames, its key their `X-Curve-Key`.
"""

import asyncio
import struct
from collections import Counter, defaultdict
from collections.abc import Callable, Collection
from enum import Enum, auto

import zmq
import zmq.asyncio

from hubd.action.principal import Principal
from hubd.addresses import holder, without_interface
from hubd.errors import LocalError
from hubd.gossip.sockets import Dialled, DialOutcome, curve_keypair
from hubd.limits import LINK_KNOCKS_BURST_MAX, LINK_KNOCKS_PER_S_MAX

ENDPOINT = "inproc://zeromq.zap.01"
DOMAIN = b"hubd"
KEY_PROPERTY = "X-Curve-Key"
_VERSION = b"1.0"
_CURVE = b"CURVE"
_PARTS = 7  # version, request id, domain, address, identity, mechanism, one credential: the client's public key


class Probe(Enum):
    """What a stranger found at our door."""

    REFUSED = auto()
    ADMITTED = auto()
    SILENCE = auto()


class Zap:
    """The ZAP task of one ZeroMQ context. `bind` before any listener; then `serve` until cancelled."""

    def __init__(self, context: zmq.asyncio.Context, admitted: Callable[[bytes], Principal | None]) -> None:
        self.counters: Counter[str] = Counter()  # "admitted", "refused", "hasty"
        self._context = context
        self._admitted = admitted
        self._socket: zmq.asyncio.Socket | None = None
        self._hosts: defaultdict[str, set[Principal]] = defaultdict(set)  # who was admitted from where
        self._knocks: dict[Principal, tuple[float, float]] = {}  # how many each may do at once, and since when

    def bind(self) -> None:
        """Take the endpoint that libzmq asks."""
        self._socket = self._context.socket(zmq.REP)
        self._socket.linger = 0
        self._socket.bind(ENDPOINT)

    def close(self) -> None:
        """Give the endpoint back; with `ZAP_ENFORCE_DOMAIN` nobody is admitted from now on."""
        if self._socket is not None:
            self._socket.close(0)

    async def serve(self) -> None:
        """Answer until cancelled."""
        assert self._socket is not None, "bound before"
        while True:
            request = await self._socket.recv_multipart()
            await self._socket.send_multipart(self.answer(request, asyncio.get_running_loop().time()))

    def hubs_at(self, host: str) -> Collection[Principal]:
        """Which hubs were admitted from this host, as `holder` names it, since connections from there are open."""
        return self._hosts.get(host, set())

    def keep_hosts(self, hosts: Collection[str]) -> None:
        """Forget who was admitted from elsewhere: no connection from there is open."""
        for host in self._hosts.keys() - set(hosts):
            del self._hosts[host]

    def answer(self, request: list[bytes], now: float) -> list[bytes]:
        """The reply to one request: 200 with the hub's principal, or 400."""
        hub = None
        if len(request) == _PARTS and request[0] == _VERSION and request[2] == DOMAIN and request[5] == _CURVE:
            hub = self._admitted(request[6])
        if hub is not None and self._is_hasty(hub, now):
            self.counters["hasty"] += 1
            hub = None
        if hub is not None:
            self._hosts[holder(without_interface(request[3].decode("ascii", "replace")))].add(hub)
        self.counters["refused" if hub is None else "admitted"] += 1
        request_id = request[1] if len(request) > 1 else b""
        if hub is None:
            return [_VERSION, request_id, b"400", b"not admitted to this mesh", b"", b""]
        return [_VERSION, request_id, b"200", b"OK", hub.hex().encode(), _property(KEY_PROPERTY, request[6].hex())]

    def _is_hasty(self, hub: Principal, now: float) -> bool:
        """Whether this hub opens link after link: each takes a turn of libzmq's thread, and one of libzmq's numbers."""
        left, since = self._knocks.get(hub, (LINK_KNOCKS_BURST_MAX, now))
        left = min(LINK_KNOCKS_BURST_MAX, left + (now - since) * LINK_KNOCKS_PER_S_MAX)
        is_hasty = left < 1
        self._knocks[hub] = (left if is_hasty else left - 1, now)
        return is_hasty


def _property(name: str, value: str) -> bytes:
    """A metadata property as ZMTP writes it."""
    return struct.pack("!B", len(name)) + name.encode() + struct.pack("!I", len(value)) + value.encode()


async def probe(context: zmq.asyncio.Context, endpoint: str, server_key: bytes) -> Probe:
    """Knock at our own listener with a throw-away key."""
    try:
        dialled = Dialled(context, endpoint, server_key=server_key, keys=curve_keypair())
    except LocalError:
        return Probe.SILENCE
    try:
        outcome = await dialled.opened()
    finally:
        dialled.close()
    return {DialOutcome.OPEN: Probe.ADMITTED, DialOutcome.REFUSED: Probe.REFUSED}.get(outcome, Probe.SILENCE)
