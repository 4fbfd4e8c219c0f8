"""The links that others open to us: from a message at the listener to the channel of the hub that sent it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from hubd import log
from hubd.action.principal import Principal, address
from hubd.gossip.channel import Channel
from hubd.gossip.listener import Arrival, Listener
from hubd.gossip.peer import LinkLost, Side
from hubd.gossip.switchboard import Switchboard
from hubd.gossip.turnstile import Connection


@dataclass(frozen=True, slots=True)
class _Accepted:
    hub: Principal
    channel: Channel
    host: str
    connection: Connection | None


class Acceptor:
    """`admitted` names the hub of a CURVE key, if it may speak now; it is asked at every handshake and every message.

    `arrived` is for the listener, which is told apart so that it can be made anew. `lost` hears of every link that ended.
    """

    def __init__(
        self,
        board: Switchboard,
        *,
        admitted: Callable[[bytes], Principal | None],
        lost: Callable[[LinkLost], None],
        counters: Counter[str],
    ) -> None:
        self.listener: Listener | None = None
        self._board = board
        self._admitted = admitted
        self._lost = lost
        self._counters = counters
        self._routes: dict[bytes, _Accepted] = {}
        self._log = log.get("gossip")

    def arrived(self, arrival: Arrival) -> None:
        """One message. A link begins with its first one."""
        hub = arrival.hub
        if self._admitted(arrival.curve_key) != hub:
            self._counters["unwelcome"] += 1
            self._shut(self._connection(arrival))
            return
        known = self._routes.get(arrival.route)
        if known is not None and known.hub != hub:  # a peer chooses its own routing id: this one was another hub's
            self._forget(known, "closed")
            known = None
        channel = known.channel if known is not None else self._accept(arrival)
        channel.take(arrival.raw)

    def hang_up(self, hub: Principal) -> None:
        """End the links of a hub that is welcome no more; one over which it has said nothing ends with its first word."""
        links = [each for each in self._routes.values() if each.hub == hub]
        if any(each.connection is None for each in links):
            self.cut()
        for link in links:
            self._let_go(link, "cut")

    def cut(self) -> None:
        """End all links, where libzmq does not tell which connection is whose. Who is still welcome dials anew."""
        assert self.listener is not None, "running"
        self.listener.cut()
        for link in list(self._routes.values()):
            self._forget(link, "cut")

    def give_up(self, is_gone: Callable[[str], bool]) -> None:
        """Let go of links to hosts that cannot be reached as they were."""
        for link in list(self._routes.values()):
            if is_gone(link.host):
                self._forget(link, "network")

    def close(self) -> None:
        """Close the door; nobody is told of it."""
        if self.listener is not None:
            self.listener.close()
            self.listener = None
        self._routes.clear()

    def _accept(self, arrival: Arrival) -> Channel:
        listener, hub, route = self.listener, arrival.hub, arrival.route
        assert listener is not None, "running"
        for former in [each for each in self._routes.values() if each.hub == hub]:
            self._forget(former, "replaced")

        def lost(reason: str) -> None:
            self._forget(self._routes[route], reason)

        channel = self._board.connect(hub, Side.ACCEPTED, lambda raw: listener.send(route, raw), lost)
        self._routes[route] = _Accepted(hub, channel, arrival.host, self._connection(arrival))
        return channel

    def _forget(self, link: _Accepted, reason: str) -> None:
        if self._let_go(link, reason):
            self._lost(LinkLost(link.hub, Side.ACCEPTED, reason))

    def _let_go(self, link: _Accepted, reason: str) -> bool:
        """Whether it was open. The connection goes, too: what a peer leaves unread would wait for it as long as it likes."""
        self._routes = {route: each for route, each in self._routes.items() if each is not link}
        self._shut(link.connection)
        was_open = self._board.drop(link.hub, Side.ACCEPTED, link.channel)
        if was_open:
            say = self._log.debug if self._board.is_surplus(link.hub, Side.ACCEPTED) else self._log.info
            say("link-lost", peer=address(link.hub), reason=reason)
        return was_open

    def _connection(self, arrival: Arrival) -> Connection | None:
        return self.listener.connection(arrival) if self.listener is not None else None

    def _shut(self, connection: Connection | None) -> None:
        if connection is not None and self.listener is not None:
            self.listener.shut(connection)
