"""Where neighbours may be, and whom to dial next.

An address is a hint, wherever it comes from: every dial pins the key under which a hub was admitted, so a wrong address
costs one failed handshake. A hub's addresses are tried one after the other, a round of them; when none led to it, the
next round waits, longer each time.
"""

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256

from hubd.action.principal import Principal
from hubd.gossip.hints import Hints
from hubd.gossip.peer import Dial, Peer, Side, key_tag
from hubd.limits import DIAL_ROUND_MAX, DIAL_WAIT_S_MAX, DIAL_WAIT_S_MIN, LINK_PEERS_MAX


class Callbook:
    """Over the `peers` of the hub. `configured` are addresses of unnamed neighbours, `chance` is in [0, 1)."""

    def __init__(
        self,
        hub: Principal,
        peers: Mapping[Principal, Peer],
        *,
        chance: Callable[[], float],
        configured: Sequence[str] = (),
    ) -> None:
        self.configured = tuple(configured)
        self.hints = Hints()
        self._hub = hub
        self._peers = peers
        self._chance = chance

    def hear(self, address: str, tag: bytes, now: float) -> None:
        """It is told where the hub of this key may be: that one is dialled soon, if this is news."""
        if self.hints.hear(tag, address, now):
            for peer in self._peers.values():
                if key_tag(peer.member.curve_key) == tag:
                    peer.dial_at = min(peer.dial_at, now)

    def network_changed(self, now: float) -> None:
        """This machine is on other networks than before: whoever could not be reached may be now."""
        for peer in self._peers.values():
            peer.tried.clear()
            peer.failures, peer.dial_at = 0, min(peer.dial_at, now)

    def meet(self, peer: Peer) -> None:
        """Whatever is known of the way to it was of another key, or long ago."""
        peer.tried.clear()
        peer.address, peer.failures, peer.dial_at = "", 0, 0.0

    def due(self, now: float) -> list[Dial]:
        """Whom to dial now, and where."""
        out: list[Dial] = []
        places = LINK_PEERS_MAX - sum(peer.is_up or peer.is_dialling for peer in self._peers.values())
        waiting = [
            peer
            for peer in self._peers.values()
            if not (peer.is_up or peer.is_dialling) and now >= max(peer.dial_at, peer.banned_until)
        ]
        for peer in sorted(waiting, key=self._rank):
            untried = self._untried(peer, now) if places > 0 else []
            if peer.tried and places > 0 and not untried:
                self._pause(peer, now)
            elif untried:
                peer.is_dialling, peer.address, places = True, untried[0], places - 1
                peer.tried.add(peer.address)
                self.hints.dialled(peer.address, now)
                out.append(Dial(peer.member, peer.address))
        return out

    def ended(self, peer: Peer, now: float, *, was_up: bool) -> None:
        """A dial came to nothing, or the link that we dialled is gone: the next address, or the next round."""
        if not was_up and self._untried(peer, now):
            peer.dial_at = now
        else:
            self._pause(peer, now)

    def _rank(self, peer: Peer) -> tuple[int, bytes]:
        """The order of dialling. Every hub has its own, so that many hubs form one web and no closed circles."""
        return peer.failures, sha256(self._hub + peer.member.hub).digest()

    def _addresses(self, peer: Peer, now: float) -> list[str]:
        """Where this hub may be, announced ones first, without those where another is dialled or was found."""
        hinted = self.hints.rested(key_tag(peer.member.curve_key), now)
        taken = {other.address for other in self._peers.values() if other.is_dialling or Side.DIALLED in other.links}
        known = dict.fromkeys((*peer.member.addresses, *hinted, *self.configured))
        return [address for address in known if address not in taken]

    def _untried(self, peer: Peer, now: float) -> list[str]:
        if len(peer.tried) >= DIAL_ROUND_MAX:
            return []
        return [address for address in self._addresses(peer, now) if address not in peer.tried]

    def _pause(self, peer: Peer, now: float) -> None:
        """Every address was tried: the next round waits, longer each time."""
        peer.tried.clear()
        wait_s = min(DIAL_WAIT_S_MAX, DIAL_WAIT_S_MIN * 2 ** min(peer.failures, 16))
        peer.dial_at = now + wait_s * (0.5 + self._chance())
        peer.failures += 1
