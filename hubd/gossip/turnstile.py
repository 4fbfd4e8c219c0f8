"""What libzmq itself does not bound at a listener: connections, of one address and in all, and bytes that wait for the end
of a message.

Where there are too many connections, those give way that are there the longest and have said nothing that only an admitted
hub can say: strangers, who may stand behind a neighbour's router, and have as many addresses of IPv6 as they like.

A message of many parts is handed over when its last part is there, and no option of libzmq limits what waits until then:
an admitted rogue who never ends a message was measured to raise a process by 300 MB in a second. So the turnstile
counts what the kernel received by each connection (TCP_INFO, Linux) against what was handed over, and where an address is
too far ahead, shuts the connections that make it so; libzmq then forgets what waited. Elsewhere than on Linux it counts
connections only.
"""

import itertools
import socket
import struct
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import zmq
import zmq.asyncio

from hubd.action.principal import Principal
from hubd.addresses import holder, without_interface
from hubd.limits import (
    LINK_BYTES_PER_S_IDLE,
    LINK_SOCKETS_MAX,
    LINK_SOCKETS_PER_ADDRESS_MAX,
    LINK_UNREAD_BYTES_MAX,
)

_EVENTS = zmq.EVENT_ACCEPTED | zmq.EVENT_DISCONNECTED
_FRAME_BYTES = 42  # around one frame: its header, and what CURVE adds
_INFO_BYTES, _RECEIVED_AT = 136, 128  # struct tcp_info up to tcpi_bytes_received, Linux 4.1 and later
_NUMBERS = itertools.count()


@dataclass(slots=True, eq=False)
class Connection:
    """One connection of the listener. `peer` is the other end's address and port."""

    descriptor: int
    host: str
    peer: tuple[str | int, ...]
    received: int = 0
    unread: int = 0
    hub: Principal | None = None  # whose frames came over it


class Turnstile:
    """Watches one listener's connections; `turn` is called several times a second.

    `flooded` hears of connections that were shut: from where they came, and whose they were, where a frame told.
    """

    def __init__(self, counters: Counter[str], flooded: Callable[[str, Principal | None], None]) -> None:
        self._counters = counters
        self._flooded = flooded
        self._listener: zmq.asyncio.Socket | None = None
        self._monitor: zmq.Socket[bytes] | None = None
        self._connections: dict[int, Connection] = {}  # by libzmq's descriptor
        self._turned_at: float | None = None

    def watch(self, context: zmq.asyncio.Context, listener: zmq.asyncio.Socket) -> None:
        """Look at this listener from now on, before it accepts anybody."""
        self.close()
        name = f"inproc://hubd-turnstile-{next(_NUMBERS)}"
        self._monitor = zmq.Context.shadow(context.underlying).socket(zmq.PAIR)
        # libzmq waits where news finds no room or no reader, and its thread serves everybody.
        self._monitor.setsockopt(zmq.RCVHWM, 0)
        self._listener = listener
        listener.monitor(name, _EVENTS)
        self._monitor.connect(name)

    def close(self) -> None:
        """Look no more; before the listener is closed."""
        if self._listener is not None:
            # Told first, or libzmq's thread waits for ever to report the next knock to nobody, and the port stays taken.
            self._listener.disable_monitor()
        if self._monitor is not None:
            self._monitor.close(0)
        self._listener = self._monitor = None
        self._connections.clear()
        self._turned_at = None

    @property
    def hosts(self) -> set[str]:
        """Where connections come from now, each as `holder` names it."""
        self._take_news()
        return {connection.host for connection in self._connections.values()}

    def handed_over(self, hub: Principal, host: str, size: int, descriptor: int) -> None:
        """A frame of so many bytes of this hub, by this descriptor from this host, has left libzmq's hands."""
        known = self._connections.get(descriptor)
        if known is None or known.hub != hub:
            known = self.connection(host, descriptor)
        if known is not None:
            known.hub = hub
            known.unread -= size + _FRAME_BYTES

    def connection(self, host: str, descriptor: int) -> Connection | None:
        """The connection that has this descriptor now, if it comes from this host."""
        self._take_news()
        connection = self._connections.get(descriptor)
        return connection if connection is not None and connection.host == _counted(host) else None

    def shut(self, connection: Connection) -> None:
        """End this connection, if it is still there; libzmq finds out by itself."""
        self._take_news()
        if self._connections.get(connection.descriptor) is connection:
            with self._borrowed(connection) as there:
                _shut(there)

    def turn(self, now: float) -> None:
        """Take the news, weigh everybody, and shut out who is too heavy."""
        self._take_news()
        passed_s = 0.0 if self._turned_at is None else now - self._turned_at
        self._turned_at = now
        for connection in list(self._connections.values()):
            with self._borrowed(connection) as there:
                if there is None:
                    del self._connections[connection.descriptor]
                else:
                    received = _received(there)
                    idle = int(passed_s * LINK_BYTES_PER_S_IDLE)
                    connection.unread = max(0, connection.unread + received - connection.received - idle)
                    connection.received = received
        unread: Counter[str] = Counter()
        for connection in sorted(self._connections.values(), key=lambda each: each.unread):
            unread[connection.host] += connection.unread
            if unread[connection.host] > LINK_UNREAD_BYTES_MAX:
                self._shut_out(connection)

    def _take_news(self) -> None:
        with suppress(zmq.Again):
            while self._monitor is not None:
                head, *_ = self._monitor.recv_multipart(zmq.NOBLOCK)
                event, descriptor = struct.unpack("=Hi", head)
                if event == zmq.EVENT_ACCEPTED:
                    self._enter(descriptor)
                else:
                    self._connections.pop(descriptor, None)

    def _enter(self, descriptor: int) -> None:
        with _socket_of(descriptor) as there:
            peer = _peer(there)
            if peer is None:
                return
            host = _counted(str(peer[0]))
        self._connections.pop(descriptor, None)  # in order of coming
        self._connections[descriptor] = Connection(descriptor, host, peer)
        there_too = [each for each in self._connections.values() if each.host == host]
        self._make_room(there_too, LINK_SOCKETS_PER_ADDRESS_MAX, "crowd")
        self._make_room(list(self._connections.values()), LINK_SOCKETS_MAX, "full")

    def _make_room(self, connections: Sequence[Connection], room: int, code: str) -> None:
        """Shut strangers' connections, the oldest first, until there is room; then those that came last."""
        too_many = len(connections) - room
        if too_many <= 0:
            return
        strangers = [each for each in connections if each.hub is None]
        neighbours = [each for each in reversed(connections) if each.hub is not None]
        for connection in [*strangers, *neighbours][:too_many]:
            self._counters[code] += 1
            with self._borrowed(connection) as there:
                _shut(there)
            del self._connections[connection.descriptor]

    def _shut_out(self, connection: Connection) -> None:
        self._counters["flooded"] += 1
        with self._borrowed(connection) as there:
            _shut(there)
        del self._connections[connection.descriptor]
        self._flooded(connection.host, connection.hub)

    @contextmanager
    def _borrowed(self, connection: Connection) -> Iterator[socket.socket | None]:
        """The socket, if libzmq has not given its number to another one meanwhile."""
        with _socket_of(connection.descriptor) as there:
            yield there if _peer(there) == connection.peer else None


@contextmanager
def _socket_of(descriptor: int) -> Iterator[socket.socket | None]:
    """A socket of libzmq's, left open."""
    try:
        there = socket.socket(fileno=descriptor)
    except OSError:
        yield None
        return
    try:
        yield there
    finally:
        there.detach()


def _peer(there: socket.socket | None) -> tuple[str | int, ...] | None:
    try:
        return None if there is None else tuple(there.getpeername())
    except OSError:
        return None


def _counted(host: str) -> str:
    return holder(without_interface(host))


def _received(there: socket.socket) -> int:
    if not hasattr(socket, "TCP_INFO"):
        return 0
    try:
        info = there.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_BYTES)
    except OSError:
        return 0
    return int(struct.unpack_from("=Q", info, _RECEIVED_AT)[0]) if len(info) == _INFO_BYTES else 0


def _shut(there: socket.socket | None) -> None:
    if there is not None:
        with suppress(OSError):
            there.shutdown(socket.SHUT_RDWR)
