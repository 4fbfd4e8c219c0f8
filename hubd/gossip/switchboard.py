"""The open channels of a hub, by peer and by who opened the link. At most two to one peer."""

from collections.abc import Callable, Iterator

from hubd import log
from hubd.action.principal import Principal, address
from hubd.gossip.channel import Channel
from hubd.gossip.content import Claims, Sought
from hubd.gossip.dialogue import Parties
from hubd.gossip.house import House, Traffic
from hubd.gossip.peer import LinkOpened, Side


class Switchboard:
    """`house` is what the channels need of the link; `hub` and `mesh` say who speaks, and where."""

    def __init__(self, house: House, hub: Principal, mesh: bytes) -> None:
        self._house = house
        self._hub = hub
        self._mesh = mesh
        self._past: dict[Principal, Traffic] = {}  # over links that ended; no more hubs than were ever admitted
        self._sought: dict[Principal, Sought] = {}  # of as many hubs
        self._claims = Claims()
        self._channels: dict[tuple[Principal, Side], Channel] = {}
        self._log = log.get("gossip")

    def __iter__(self) -> Iterator[Channel]:
        """The channels of this moment; it may change while they are looked at."""
        return iter(list(self._channels.values()))

    def get(self, hub: Principal, side: Side) -> Channel | None:
        """The channel to this peer on this side, if it is open."""
        return self._channels.get((hub, side))

    def traffic(self, hub: Principal) -> Traffic:
        """What passed over all links to one peer since this hub started."""
        total = Traffic()
        total.add(self._past.get(hub, Traffic()))
        for side in Side:
            if channel := self.get(hub, side):
                total.add(channel.traffic)
        return total

    def connect(self, hub: Principal, side: Side, send: Callable[[bytes], str], lost: Callable[[str], None]) -> Channel:
        """A link is up: `send` and `lost` are as in `Channel`."""
        sought = self._sought.setdefault(hub, Sought(self._claims))
        channel = Channel(self._house, side, Parties(self._hub, hub, self._mesh), sought, send=send, lost=lost)
        self._channels[hub, side] = channel
        self._log.info("link-opened", peer=address(hub), state=side.name.lower())
        self._house.report(LinkOpened(hub, side))
        return channel

    def is_surplus(self, hub: Principal, side: Side) -> bool:
        """Whether the peer hangs this link up, because each dialled the other, and is not lost by that."""
        return side is Side.ACCEPTED and self._hub < hub and self.get(hub, Side.DIALLED) is not None

    def drop(self, hub: Principal, side: Side, channel: Channel) -> bool:
        """Close a channel; whether it was the present one, and no newer one has taken its place."""
        channel.close()
        self._past.setdefault(hub, Traffic()).add(channel.traffic)
        channel.traffic = Traffic()
        if self._channels.get((hub, side)) is not channel:
            return False
        del self._channels[hub, side]
        return True

    def close(self) -> None:
        """Close all."""
        for (hub, side), channel in list(self._channels.items()):
            self.drop(hub, side, channel)
