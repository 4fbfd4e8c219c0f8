"""The door for hubs that dial us: a ROUTER that can be cut and opened again, its ZAP task, and the probe of both.

libzmq cannot disconnect one peer of a ROUTER. But it says by which descriptor a frame came, and that connection can be shut
(`hubd.gossip.turnstile`). Where it does not say so, all go if one must (a retired hub, a changed key): the socket is closed
and bound again, and those who are still welcome dial anew within seconds.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import zmq
import zmq.asyncio

from hubd import log
from hubd.action.principal import Principal
from hubd.addresses import joined
from hubd.errors import FatalError, LocalError
from hubd.gossip.sockets import CurveKeys, listen, send_now
from hubd.gossip.turnstile import Connection, Turnstile
from hubd.gossip.zap import DOMAIN, KEY_PROPERTY, Probe, Zap, probe
from hubd.limits import LINK_PROBE_S, LISTEN_TRIES_MAX, PROBES_SILENT_MAX, TURNSTILE_S

_LISTEN_AGAIN_S = 0.05
_PARTS = 2  # routing id, frame
_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1", "*": "127.0.0.1"}  # noqa: S104  # where to probe


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message from an authenticated peer. `route` is where to answer, `hub` and `curve_key` are what ZAP said, `host`
    is where the connection comes from, and `descriptor` is libzmq's number for it.
    """

    route: bytes
    hub: Principal
    curve_key: bytes
    host: str
    descriptor: int
    raw: bytes


class Listener:
    """`arrived` gets every message; `admitted` is asked at every handshake. `run` until cancelled."""

    def __init__(
        self,
        context: zmq.asyncio.Context,
        keys: CurveKeys,
        *,
        admitted: Callable[[bytes], Principal | None],
        arrived: Callable[[Arrival], None],
        flooded: Callable[[Principal], None],
    ) -> None:
        self.zap = Zap(context, admitted)
        self.counters: Counter[str] = Counter()
        self._flooded = flooded
        self._turnstile = Turnstile(self.counters, self._shut_out)
        self.port = 0
        self.trouble = ""  # a code, where strangers find nothing at this door to refuse them
        self._silences = 0  # of probes in a row
        self._context = context
        self._keys = keys
        self._arrived = arrived
        self._socket: zmq.asyncio.Socket | None = None
        self._host = ""
        self._cut = asyncio.Event()
        self._log = log.get("gossip")

    async def open(self, host: str, port: int) -> None:
        """Bind; port 0 takes a free one, which `port` then names. Raises `FatalError`."""
        self.zap.bind()
        self._socket = listen(self._context, host, port, self._keys, DOMAIN)
        self._turnstile.watch(self._context, self._socket)
        self._host = host
        self.port = int(self._socket.getsockopt_string(zmq.LAST_ENDPOINT).rpartition(":")[2])

    async def run(self) -> None:
        """Serve until cancelled; nobody is heard before a stranger has knocked. `LocalError` if the door let them in."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.zap.serve(), name="gossip-zap")
            await self._probe()
            group.create_task(self._serve(), name="gossip-listener")
            group.create_task(self._turn(), name="gossip-turnstile")
            while True:
                await asyncio.sleep(LINK_PROBE_S)
                await self._probe()

    async def _turn(self) -> None:
        while True:
            self._turnstile.turn(asyncio.get_running_loop().time())
            self.zap.keep_hosts(self._turnstile.hosts)
            await asyncio.sleep(TURNSTILE_S)

    def _shut_out(self, host: str, hub: Principal | None) -> None:
        """Blame whose it was, or the one hub that comes from there; where several do, each may be another's victim."""
        self._log.warning("link-flooded", count=len(self.zap.hubs_at(host)))
        suspects = self.zap.hubs_at(host) if hub is None else {hub}
        if len(suspects) == 1:
            self._flooded(*suspects)

    def cut(self) -> None:
        """Disconnect everybody, now, and listen again."""
        self._cut.set()

    def send(self, route: bytes, raw: bytes) -> str:
        """Send one frame without waiting. Returns "" or why not."""
        return send_now(self._socket, [route, raw]) if self._socket is not None else "closed"

    def connection(self, arrival: Arrival) -> Connection | None:
        """Where it came from, if that is still there."""
        return self._turnstile.connection(arrival.host, arrival.descriptor)

    def shut(self, connection: Connection) -> None:
        """End one connection, and all that waits for it."""
        self._turnstile.shut(connection)

    def close(self) -> None:
        """Close at once."""
        self.zap.close()
        self._turnstile.close()
        if self._socket is not None:
            self._socket.close(0)
            self._socket = None

    async def _serve(self) -> None:
        while True:
            assert self._socket is not None, "open"
            receiving = asyncio.ensure_future(self._receive(self._socket))
            cutting = asyncio.ensure_future(self._cut.wait())
            try:
                await asyncio.wait({receiving, cutting}, return_when=asyncio.FIRST_COMPLETED)
                if receiving.done():
                    receiving.result()
            finally:
                receiving.cancel()
                cutting.cancel()
            self._cut.clear()
            self._turnstile.close()
            self._socket.close(0)
            self._socket = None
            self._socket = await self._listen_again()
            self._turnstile.watch(self._context, self._socket)

    async def _receive(self, socket: zmq.asyncio.Socket) -> None:
        while True:
            parts = await socket.recv_multipart(copy=False)
            host, descriptor = str(parts[-1].get("Peer-Address")), int(parts[-1].get(zmq.SRCFD))
            hub = Principal(bytes.fromhex(str(parts[-1].get("User-Id"))))
            for part in parts[1:]:
                self._turnstile.handed_over(hub, host, len(part), descriptor)
            if len(parts) == _PARTS:
                route, frame = parts
                key = bytes.fromhex(str(frame.get(KEY_PROPERTY)))
                self._arrived(Arrival(route.bytes, hub, key, host, descriptor, frame.bytes))
            else:
                self.counters["parts"] += 1
            await asyncio.sleep(0)  # a busy peer must not keep the loop from the others

    async def _listen_again(self) -> zmq.asyncio.Socket:
        """The same port once more. It was ours a moment ago, so where it stays taken, the service starts anew and nobody
        is called: `LocalError`.
        """
        for _ in range(LISTEN_TRIES_MAX):
            try:
                return listen(self._context, self._host, self.port, self._keys, DOMAIN)
            except FatalError:
                await asyncio.sleep(_LISTEN_AGAIN_S)
        raise LocalError("listen", f"port {self.port} was not given back")

    async def _probe(self) -> None:
        """Raise `LocalError` and shut the door if it does not refuse a stranger."""
        if self._socket is None:
            return
        knock_at = joined(_WILDCARDS.get(self._host, self._host), self.port)
        found = await probe(self._context, f"tcp://{knock_at}", self._keys.public)
        self.counters[f"probe-{found.name.lower()}"] += 1
        self._silences = self._silences + 1 if found is Probe.SILENCE else 0
        if self._silences == PROBES_SILENT_MAX:
            self._log.warning("door-silent", port=self.port)
        self.trouble = "door-silent" if self._silences >= PROBES_SILENT_MAX else ""
        if found is Probe.ADMITTED:
            self.close()
            raise LocalError("stranger-admitted", "the listener let a key in that nobody can know; it is closed")
