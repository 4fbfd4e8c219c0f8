"""What a status page shows of a neighbour.

A proof is of one set, at one moment: both named its count and its fingerprint. That the neighbour holds it is its own word,
for nobody can prove to another what is on its disk. So a neighbour is called the same only for
as long as our set is still that one, and no later session failed to prove it.
"""

from dataclasses import dataclass

from hubd.action.principal import Principal
from hubd.gossip.dialogue import Ended, Rung
from hubd.gossip.house import Traffic
from hubd.gossip.peer import Peer
from hubd.ports import SetSummary

_NEVER = Ended(is_proven=False)


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
    last_proven: bool
    rung: Rung  # how far down the ladder it went
    count: int  # our set, as last compared
    peer_count: int  # its set, as it said then
    missing: int  # actions that it said it has, and did not give when asked
    refused: int  # actions that it gave, and that are not valid here
    lacking: int  # contents of actions that are missing there, as it last said
    proven_age_s: float | None  # since both sets were last proven equal
    proven_count: int
    proven_fingerprint: bytes
    bytes_in: int
    bytes_out: int
    counters: dict[str, int]  # faults and outcomes of pushes, by code

    def is_same(self, ours: SetSummary) -> bool:
        """Whether the neighbour's set was last found to be exactly the one that is ours now."""
        return self.last_proven and (self.proven_count, self.proven_fingerprint) == (ours.count, ours.fingerprint)

    def newer(self, ours: SetSummary) -> int:
        """How many of our actions are newer than the last proof, and so may be unknown there."""
        return max(0, ours.count - self.proven_count)


def peer_status(peer: Peer, traffic: Traffic, now: float) -> PeerStatus:
    """The facts about one neighbour, from what is remembered of it and from its open links."""
    last, proven = peer.last or _NEVER, peer.proven or _NEVER
    state = "connected" if peer.is_up else "dialling" if peer.is_dialling else "waiting"
    return PeerStatus(
        hub=peer.member.hub,
        name=peer.member.name,
        address=peer.address,
        state="banned" if now < peer.banned_until else state,
        reason=peer.reason,
        last_age_s=None if peer.last is None else now - peer.last_at,
        last_code=last.code,
        last_proven=last.is_proven,
        rung=last.rung,
        count=last.count,
        peer_count=last.peer_count,
        missing=last.missing,
        refused=last.refused,
        lacking=last.peer_lacking,
        proven_age_s=None if peer.proven_at is None else now - peer.proven_at,
        proven_count=proven.count,
        proven_fingerprint=proven.fingerprint,
        bytes_in=traffic.bytes_in,
        bytes_out=traffic.bytes_out,
        counters=dict(traffic.counters),
    )
