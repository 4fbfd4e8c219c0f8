"""The peers machine at a desk of the test: hubs by number, a clock that the test moves, and chance in the middle."""

from collections.abc import Sequence

from hubd.action.network import TESTNET
from hubd.action.principal import Principal, standard
from hubd.action.sip018 import ActionId
from hubd.gossip.dialogue import Ended
from hubd.gossip.peer import Appended, LinkOpened, Member, MembersChanged, SessionEnded, Side, TimerFired
from hubd.gossip.peers import Peers

PROVEN = Ended(is_proven=True, count=5)
DIALLED, ACCEPTED = Side.DIALLED, Side.ACCEPTED


def hub(number: int) -> Principal:
    return standard(TESTNET.single_sig, number.to_bytes(20, "big"))


def member(number: int, *addresses: str, key: int | None = None) -> Member:
    return Member(hub(number), (number if key is None else key).to_bytes(32, "big"), addresses, f"hub {number}")


US = 50
LOW, HIGH = 1, 99  # neighbours with lesser and greater principals than ours


def news(*envelopes: bytes, source: bytes = b"") -> Appended:
    return Appended([ActionId(number.to_bytes(32, "big")) for number in range(len(envelopes))], envelopes, source)


class Desk:
    """The machine, a clock, and chance in the middle."""

    def __init__(self, *members: Member, configured: Sequence[str] = (), chance: float = 0.5) -> None:
        self.now = 1_000.0
        self.peers = Peers(hub(US), interval_s=60, chance=lambda: chance, configured=configured)
        self.tell(MembersChanged([*members, member(US, "me:1")]))

    def tell(self, event):
        return self.peers.handle(event, self.now)

    def after(self, seconds: float):
        self.now += seconds
        return self.tell(TimerFired())

    def up(self, number: int, side: Side = DIALLED):
        """A link is up and its first session is over."""
        out = self.tell(LinkOpened(hub(number), side))
        if side is DIALLED:
            out += self.tell(SessionEnded(hub(number), side, PROVEN))
        return out

    def peer(self, number: int):
        return self.peers.peers[hub(number)]
