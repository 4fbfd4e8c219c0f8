"""The links that others open to us: from a message at the listener to the channel of the hub that sent it."""

from collections import Counter
from collections.abc import Callable

from hubd import log
from hubd.action.principal import Principal, address
from hubd.gossip.channel import Channel
from hubd.gossip.listener import Arrival, Listener
from hubd.gossip.peer import LinkLost, Side
from hubd.gossip.switchboard import Switchboard


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
        self._routes: dict[bytes, tuple[Principal, Channel, str]] = {}
        self._log = log.get("gossip")

    def arrived(self, arrival: Arrival) -> None:
        """One message. A link begins with its first one."""
        hub = arrival.hub
        if self._admitted(arrival.curve_key) != hub:
            self._counters["unwelcome"] += 1
            return
        known = self._routes.get(arrival.route)
        if known is not None and known[0] != hub:  # a peer chooses its own routing id: this one was another hub's
            self._forget(known[0], known[1], "closed")
            known = None
        channel = known[1] if known is not None else self._accept(arrival)
        channel.take(arrival.raw)

    def cut(self) -> None:
        """End all links, because libzmq cannot end one; who is still welcome dials anew."""
        assert self.listener is not None, "running"
        self.listener.cut()
        for hub, channel, _ in list(self._routes.values()):
            self._forget(hub, channel, "cut")

    def give_up(self, is_gone: Callable[[str], bool]) -> None:
        """Let go of links to hosts that cannot be reached as they were."""
        for hub, channel, host in list(self._routes.values()):
            if is_gone(host):
                self._forget(hub, channel, "network")

    def close(self) -> None:
        """Close the door; nobody is told of it."""
        if self.listener is not None:
            self.listener.close()
            self.listener = None
        self._routes.clear()

    def _accept(self, arrival: Arrival) -> Channel:
        listener, hub, route = self.listener, arrival.hub, arrival.route
        assert listener is not None, "running"
        former = self._board.get(hub, Side.ACCEPTED)
        if former is not None:
            self._forget(hub, former, "replaced")

        def lost(reason: str) -> None:
            self._forget(hub, channel, reason)

        channel = self._board.connect(hub, Side.ACCEPTED, lambda raw: listener.send(route, raw), lost)
        self._routes[route] = hub, channel, arrival.host
        return channel

    def _forget(self, hub: Principal, channel: Channel, reason: str) -> None:
        self._routes = {route: entry for route, entry in self._routes.items() if entry[1] is not channel}
        if self._board.drop(hub, Side.ACCEPTED, channel):
            self._log.info("link-lost", peer=address(hub), reason=reason)
            self._lost(LinkLost(hub, Side.ACCEPTED, reason))
