"""The links of one simulated hub, those that it dials and those that are dialled to it, over `network`.

A link ends with one of its sides: whoever crashed says nothing more, so each thing that happens later asks first whether
the life of the hub that it belongs to still lasts.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from hubd.action.principal import Principal
from hubd.gossip import wire
from hubd.gossip.channel import Channel
from hubd.gossip.content import Claims, Sought
from hubd.gossip.dialogue import Parties
from hubd.gossip.peer import LinkLost, LinkOpened, Side
from tools.sim.actions import CHARTER
from tools.sim.network import Pipe

if TYPE_CHECKING:
    from tools.sim.hub import Hub  # it has links, and they are its own

_MESH = wire.mesh_tag(CHARTER.domain)


class Links:
    """All links of one life of a hub."""

    def __init__(self, hub: "Hub") -> None:
        self.channels: dict[tuple[Principal, Side], tuple[Channel, Pipe]] = {}
        self._hub = hub
        self._dialled: dict[Principal, Pipe] = {}
        self._dials: dict[Principal, object] = {}  # that have no answer yet, and were not hung up
        self._sought: dict[Principal, Sought] = {}
        self._claims = Claims()

    def channel_to(self, peer: Principal, side: Side) -> Channel | None:
        """The channel on our side of a link to this hub, if there is one."""
        entry = self.channels.get((peer, side))
        return entry[0] if entry is not None else None

    def hang_up(self, peer: Principal, side: Side) -> None:
        """End the link to this hub, or no longer wait for an answer of it."""
        if side is Side.DIALLED:
            self._dials.pop(peer, None)
            pipe = self._dialled.pop(peer, None)
            if pipe is not None:
                pipe.ended = lambda: None
                pipe.end()
            entry = self.channels.pop((peer, Side.DIALLED), None)
            if entry is not None:
                entry[0].close()
        elif entry := self.channels.get((peer, Side.ACCEPTED)):
            entry[1].end()
            self._forget(peer, entry[0], "cut")

    # --- that we dial

    def dial(self, peer: Principal, number: int) -> None:
        """Knock where this hub should be. The peers machine hears what comes of it, unless we hung up meanwhile."""
        is_alive, dial = self._hub.alive(), object()
        self._dials[peer] = dial

        def answer(pipe: Pipe | None, reason: str) -> None:
            is_wanted = is_alive() and self._dials.get(peer) is dial
            if is_wanted:
                del self._dials[peer]
            if not is_wanted:
                if pipe is not None:
                    pipe.end()
            elif pipe is None:
                self._hub.report(LinkLost(peer, Side.DIALLED, reason))
            else:
                self._opened(peer, pipe)

        self._hub.network.dial(self._hub.number, number, answer)

    def _opened(self, peer: Principal, pipe: Pipe) -> None:
        is_alive = self._hub.alive()
        self._dialled[peer] = pipe

        def over(_reason: str = "") -> None:
            pipe.ended = lambda: None
            pipe.end()
            entry = self.channels.get((peer, Side.DIALLED))
            if entry is not None and entry[1] is pipe:
                entry[0].close()
                del self.channels[peer, Side.DIALLED]
            if self._dialled.get(peer) is pipe:
                del self._dialled[peer]
                self._hub.report(LinkLost(peer, Side.DIALLED, "closed"))

        pipe.ended = lambda: over() if is_alive() else None
        channel = self._channel(peer, Side.DIALLED, pipe, lambda _reason: self._hub.clock.after(0.0, pipe.ended))
        pipe.take[Side.DIALLED] = self._taker(peer, Side.DIALLED, channel)
        other = self._hub.hubs[pipe.hubs[Side.ACCEPTED]]
        pipe.take[Side.ACCEPTED] = other.links.accepting(self._hub.principal, pipe)
        self._hub.report(LinkOpened(peer, Side.DIALLED))

    # --- that are dialled to us

    def accepting(self, peer: Principal, pipe: Pipe) -> Callable[[bytes], None]:
        """Takes the frames of a hub that dialled us. Our side of a link begins with its first one."""
        is_alive = self._hub.alive()
        opened: list[Callable[[bytes], None]] = []

        def take(raw: bytes) -> None:
            if not is_alive():
                return
            if not self._hub.welcomes(peer):
                self._hub.counters["unwelcome"] += 1
                return
            if not opened:
                opened.append(self._accept(peer, pipe))
            opened[0](raw)

        return take

    def _accept(self, peer: Principal, pipe: Pipe) -> Callable[[bytes], None]:
        former = self.channels.get((peer, Side.ACCEPTED))
        if former is not None:
            self._forget(peer, former[0], "replaced")
        channel = self._channel(peer, Side.ACCEPTED, pipe, lambda reason: self._forget(peer, channel, reason))
        self._hub.report(LinkOpened(peer, Side.ACCEPTED))
        return self._taker(peer, Side.ACCEPTED, channel)

    def _forget(self, peer: Principal, channel: Channel, reason: str) -> None:
        channel.close()
        entry = self.channels.get((peer, Side.ACCEPTED))
        if entry is not None and entry[0] is channel:
            del self.channels[peer, Side.ACCEPTED]
            self._hub.report(LinkLost(peer, Side.ACCEPTED, reason))

    # --- both

    def _channel(self, peer: Principal, side: Side, pipe: Pipe, lost: Callable[[str], None]) -> Channel:
        is_alive = self._hub.alive()
        channel = Channel(
            self._hub,
            side,
            Parties(self._hub.principal, peer, _MESH),
            self._sought.setdefault(peer, Sought(self._claims)),
            send=lambda raw: self._hub.send(pipe, side, raw),
            lost=lambda reason: lost(reason) if is_alive() else None,
        )
        self.channels[peer, side] = channel, pipe
        return channel

    def _taker(self, peer: Principal, side: Side, channel: Channel) -> Callable[[bytes], None]:
        is_alive, hub = self._hub.alive(), self._hub

        def take(raw: bytes) -> None:
            if is_alive():
                hub.clock.note(f"frame {hub.number} {side.name[0]} {peer[-2:].hex()} {len(raw)} {raw[-8:].hex()}")
                channel.take(raw)

        return take
