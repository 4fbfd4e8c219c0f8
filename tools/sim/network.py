"""Connections between hubs, as TCP with CURVE on it makes them.

On one connection nothing is lost, repeated or overtaken: it delivers in order, or it ends. So the faults here are those
that are left: delay, little bandwidth, a stall (a partition; what is said meanwhile arrives late, if nobody gave the
connection up), a break (what was on the way is gone), and an end that only one side notices, or neither. Where a scenario
puts a `middlebox` between two hubs, single frames are lost, repeated and swapped, too.
"""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass

from hubd.gossip.peer import Side
from hubd.limits import DIAL_GIVE_UP_S, LINK_RECEIVE_FRAMES_MAX, LINK_SEND_FRAMES_MAX
from tools.sim.clock import Clock
from tools.sim.middlebox import NONE, Damage, Middlebox

_FRAMES_MAX = LINK_SEND_FRAMES_MAX + LINK_RECEIVE_FRAMES_MAX
_OVERTAKEN_S = 1.0  # at most, until a frame arrives that waits to be overtaken
_OTHER = {Side.DIALLED: Side.ACCEPTED, Side.ACCEPTED: Side.DIALLED}


@dataclass(frozen=True)
class Cable:
    """What every link is like."""

    latency_s: float = 0.02
    jitter_s: float = 0.0
    bytes_per_s: float = 2_000_000.0


class Pipe:
    """One connection. `take` is called with each frame that arrives at a side, `ended` when the dialler notices the end."""

    def __init__(self, network: "Network", dialler: int, accepter: int) -> None:
        self.is_open = True
        self._is_noticed = False  # its end
        self.hubs = {Side.DIALLED: dialler, Side.ACCEPTED: accepter}
        self.take: dict[Side, Callable[[bytes], None]] = {}
        self.ended: Callable[[], None] = lambda: None
        self._network = network
        self._free_at = dict.fromkeys(Side, 0.0)  # when the wire has room for the next frame of this side
        self._arrives_at = dict.fromkeys(Side, 0.0)
        self._held: dict[Side, deque[bytes]] = {side: deque() for side in Side}  # stalled, on the way from this side
        self._overtaken: dict[Side, bytes] = {}  # by the next frame of this side
        self._middlebox = network.between(dialler, accepter)
        self.frames = dict.fromkeys(Side, 0)  # on the way from this side

    def send(self, side: Side, raw: bytes) -> str:
        """One frame from a side. "" or why not, as `hubd.gossip.sockets.send_now` has it."""
        if not self.is_open:
            return "closed" if self._is_noticed else ""
        if self.frames[side] >= _FRAMES_MAX:
            return "stalled"
        clock, cable = self._network.clock, self._network.cable
        self.frames[side] += 1
        self._network.bytes_sent += len(raw)
        self._network.frames_sent += 1
        if side is Side.DIALLED and len(raw) > 1:
            self._network.asked[raw[1]] += 1
        self._free_at[side] = max(self._free_at[side], clock.now) + len(raw) / cable.bytes_per_s
        delay_s = cable.latency_s + cable.jitter_s * clock.chance.random()
        self._arrives_at[side] = max(self._arrives_at[side], self._free_at[side] + delay_s)
        clock.after(self._arrives_at[side] - clock.now, self._arrive, side, raw)
        return ""

    def _arrive(self, side: Side, raw: bytes) -> None:
        if not self.is_open:
            return
        if self._held[side] or not self._network.joined(*self.hubs.values()):
            self._held[side].append(raw)
            return
        self._deliver(side, raw)

    def _deliver(self, side: Side, raw: bytes) -> None:
        self.frames[side] -= 1
        lot = self._middlebox.lot()
        if lot:
            self._network.damaged[lot] += 1
        if lot == "swapped" and side not in self._overtaken:
            self._overtaken[side] = raw
            self._network.clock.after(_OVERTAKEN_S, self._follow, side, raw)
            return
        for each in [raw] * {"lost": 0, "repeated": 2}.get(lot, 1):
            self._hand_over(side, each)
        self._follow(side, self._overtaken.get(side))

    def _follow(self, side: Side, raw: bytes | None) -> None:
        """The frame that was overtaken arrives, if it did not yet."""
        if raw is not None and self._overtaken.get(side) is raw:
            del self._overtaken[side]
            self._hand_over(side, raw)

    def _hand_over(self, side: Side, raw: bytes) -> None:
        if self.is_open:
            self.take[_OTHER[side]](raw)

    def release(self) -> None:
        """The partition is over: what was stalled arrives."""
        for side in Side:
            while self._held[side] and self.is_open:
                self._deliver(side, self._held[side].popleft())

    def end(self, *, is_noticed: bool = True) -> None:
        """The connection is gone. The dialler is told, and the accepter when it sends; or nobody ever is."""
        if not self.is_open:
            return
        self.is_open, self._is_noticed = False, is_noticed
        self._network.pipes.pop(self, None)
        if is_noticed:
            self._network.clock.after(0.0, self._tell)

    def _tell(self) -> None:
        self.ended()  # whoever listens by then


class Network:
    """All connections. `knock(dialler, accepter)` says whether that hub is there and lets this one in, "" or a code."""

    def __init__(
        self, clock: Clock, cable: Cable, knock: Callable[[int, int], str], damage: Damage = NONE, seed: int = 0
    ) -> None:
        self.clock = clock
        self.cable = cable
        self.pipes: dict[Pipe, None] = {}  # in the order of opening
        self.bytes_sent = 0
        self.frames_sent = 0
        self.asked: Counter[int] = Counter()  # frames of diallers, by number
        self.damaged: Counter[str] = Counter()  # frames, by what became of them
        self._knock = knock
        self._damage = damage
        self._seed = seed
        self._middleboxes: dict[tuple[int, int], Middlebox] = {}
        self._group_of: dict[int, int] = {}

    def joined(self, one: int, other: int) -> bool:
        """Whether bytes pass between two hubs now."""
        return self._group_of.get(one, 0) == self._group_of.get(other, 0)

    def between(self, one: int, other: int) -> Middlebox:
        """What all connections of these two hubs go through."""
        pair = min(one, other), max(one, other)
        if pair not in self._middleboxes:
            self._middleboxes[pair] = Middlebox(self.clock, self._damage, self._seed, pair)
        return self._middleboxes[pair]

    def dial(self, dialler: int, accepter: int, answer: Callable[[Pipe | None, str], None]) -> None:
        """Open a connection: three times there and back for TCP and CURVE, or the end of the patience."""
        if not self.joined(dialler, accepter):
            self.clock.after(DIAL_GIVE_UP_S, answer, None, "timeout")
            return
        self.clock.after(6 * self.cable.latency_s, self._open, dialler, accepter, answer)

    def _open(self, dialler: int, accepter: int, answer: Callable[[Pipe | None, str], None]) -> None:
        reason = self._knock(dialler, accepter) if self.joined(dialler, accepter) else "timeout"
        if reason:
            answer(None, reason)
            return
        pipe = Pipe(self, dialler, accepter)
        self.pipes[pipe] = None
        answer(pipe, "")

    def part(self, groups: dict[int, int]) -> None:
        """From now on only hubs of one group hear each other. Connections across stall until a hub gives them up."""
        self._group_of = groups
        for pipe in list(self.pipes):
            if self.joined(*pipe.hubs.values()):
                pipe.release()

    def heal(self) -> None:
        """Everybody hears everybody again."""
        self.part({})

    def unplug(self, hub: int, *, is_noticed: bool) -> None:
        """This hub is gone; its kernel says so to the others, or nobody does."""
        for pipe in list(self.pipes):
            if hub in pipe.hubs.values():
                pipe.end(is_noticed=is_noticed)
