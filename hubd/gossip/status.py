"""What a status page shows of a neighbour."""

from dataclasses import dataclass

from hubd.action.principal import Principal
from hubd.gossip.channel import Traffic
from hubd.gossip.peer import Peer


@dataclass(frozen=True, slots=True)
class PeerStatus:
    """One neighbour for a status page. Ages are seconds; None: never since this hub started."""

    hub: Principal
    name: str
    address: str
    state: str  # connected, dialling, waiting, banned
    reason: str  # why the last link or dial ended, "" if none did
    last_age_s: float | None  # since the last session's end
    last_code: str  # why it proved nothing, "" if it did
    proven_age_s: float | None  # since both sets were proven equal
    count: int  # our set, as last compared
    bytes_in: int
    bytes_out: int
    counters: dict[str, int]  # faults and outcomes of pushes, by code


def peer_status(peer: Peer, traffic: Traffic, now: float) -> PeerStatus:
    """The facts about one neighbour, from what is remembered of it and from its open links."""
    state = "connected" if peer.is_up else "dialling" if peer.is_dialling else "waiting"
    return PeerStatus(
        hub=peer.member.hub,
        name=peer.member.name,
        address=peer.address,
        state="banned" if now < peer.banned_until else state,
        reason=peer.reason,
        last_age_s=None if peer.last is None else now - peer.last_at,
        last_code="" if peer.last is None else peer.last.code,
        proven_age_s=None if peer.proven_at is None else now - peer.proven_at,
        count=0 if peer.last is None else peer.last.count,
        bytes_in=traffic.bytes_in,
        bytes_out=traffic.bytes_out,
        counters=dict(traffic.counters),
    )
