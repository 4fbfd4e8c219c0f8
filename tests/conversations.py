"""Two session machines and two sets in memory, with every choice of timing in the test's hands.

Frames keep their order (a link is one TCP stream); answers of a store or an intake come in any order. `Conversation.step`
does one thing; a test may cut the link between any two of them.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256

from hubd.action.network import TESTNET
from hubd.action.principal import standard
from hubd.action.sip018 import ActionId
from hubd.gossip import session as sessions
from hubd.gossip import wire
from hubd.gossip.initiator import Initiator
from hubd.gossip.items import SortedItems
from hubd.gossip.responder import Responder
from hubd.gossip.session import Ended, Offer, Offered, Parties, SendFrame, Session, SummaryLoaded
from hubd.gossip.transfer import ActionsLoaded, LoadActions, LoadPage, PageLoaded
from hubd.ports import Outcome, SetSummary, Verdict

HUB_A = standard(TESTNET.single_sig, b"a" * 20)
HUB_B = standard(TESTNET.single_sig, b"b" * 20)
MESH = b"one mesh"


def envelope(number: int, size: int = 40) -> bytes:
    """Bytes that stand for an action: their digest is its id, their first two bytes when it was created."""
    return (number % 7).to_bytes(2, "big") + number.to_bytes(6, "big") * (size // 6)


def id_of(raw: bytes) -> ActionId:
    return ActionId(sha256(raw).digest())


class TwinSet:
    """A set of such envelopes, and what a store and an intake answer for it."""

    def __init__(self, envelopes: Iterable[bytes] = ()) -> None:
        self.envelopes: dict[ActionId, bytes] = {}
        self.items = SortedItems()
        self.is_full = False
        self.rotten: set[ActionId] = set()  # counted, and not readable any more
        self.add(envelopes)

    def add(self, envelopes: Iterable[bytes]) -> list[bool]:
        is_new = []
        for raw in envelopes:
            is_new.append(id_of(raw) not in self.envelopes)
            self.envelopes[id_of(raw)] = raw
            self.items.add(int.from_bytes(raw[:2], "big"), id_of(raw))
        return is_new

    def summary(self) -> SetSummary:
        return SetSummary(len(self.envelopes), sha256(b"".join(sorted(self.envelopes))).digest(), len(self.envelopes))

    def answer(self, asked: sessions.OutEvent) -> sessions.InEvent:
        match asked:
            case sessions.LoadSummary():
                return SummaryLoaded(self.summary())
            case LoadActions(ids):
                readable = [id_ for id_ in ids if id_ in self.envelopes and id_ not in self.rotten]
                return ActionsLoaded([self.envelopes[id_] for id_ in readable])
            case LoadPage(after, actions_max):
                page = list(self.envelopes.values())[after : after + actions_max]
                return PageLoaded(after + len(page), page)
            case Offer(envelopes):
                return Offered([self.judge(raw) for raw in envelopes])
        raise AssertionError(asked)

    def judge(self, raw: bytes) -> Outcome:
        if self.is_full:
            return Outcome(Verdict.DEFERRED)
        if raw.startswith(b"bad"):
            return Outcome(Verdict.REFUSED, None, "signature")
        return Outcome(Verdict.OK, id_of(raw), "", self.add([raw])[0])


@dataclass
class End:
    """One side: its machine, its set, and what waits to be done."""

    machine: Session
    twin: TwinSet
    asked: list[sessions.OutEvent] = field(default_factory=list)
    inbox: deque[bytes] = field(default_factory=deque)  # frames on their way to this side
    ended: Ended | None = None
    summed: set[ActionId] = field(default_factory=set)  # the set, as last summed up
    heard: list[wire.Frame] = field(default_factory=list)


class Conversation:
    """An initiator over set `a` and a responder over set `b`."""

    def __init__(self, a: TwinSet, b: TwinSet, *, number: int = 1) -> None:
        self.now = 0.0
        self.a = End(Initiator(number, Parties(HUB_A, HUB_B, MESH), a.items, 0.0), a)
        self.b = End(Responder(Parties(HUB_B, HUB_A, MESH), b.items, 0.0), b)
        self.in_flight_max = 0
        self.feed(self.a, sessions.Began())

    def feed(self, end: End, event: sessions.InEvent) -> None:
        """Hand a machine an event and note what it asks for."""
        other = self.b if end is self.a else self.a
        for out in end.machine.handle(event, self.now):
            assert end.ended is None, "nothing follows the end"
            match out:
                case SendFrame(frame):
                    other.inbox.append(wire.encode(frame))
                case Ended():
                    end.ended = out
                case _:
                    end.asked.append(out)
        for side in (self.a, self.b):
            chunks = sum(type(wire.decode(raw)) is wire.Actions for raw in side.inbox)
            offers = sum(type(asked) is Offer for asked in side.asked)
            self.in_flight_max = max(self.in_flight_max, chunks + offers)

    def choices(self) -> list[Callable[[], None]]:
        """Everything that may happen next."""
        found: list[Callable[[], None]] = []
        for end in (self.a, self.b):
            found += [lambda end=end, at=at: self._answer(end, at) for at in range(len(end.asked))]
            if end.inbox:
                found.append(lambda end=end: self._deliver(end))
        return found

    def _answer(self, end: End, at: int) -> None:
        asked = end.asked.pop(at)
        if isinstance(asked, sessions.LoadSummary):
            end.summed = set(end.twin.envelopes)
        self.feed(end, end.twin.answer(asked))

    def _deliver(self, end: End) -> None:
        frame = wire.decode(end.inbox.popleft())
        end.heard.append(frame)
        self.feed(end, sessions.FrameReceived(frame))

    def run(self, *, steps_max: int = 100_000, choose: Callable[[int], int] = lambda _count: 0) -> int:
        """Go on until nothing is left to do, or the link is cut after `steps_max` steps; returns the steps made."""
        for step in range(steps_max):
            choices = self.choices()
            if not choices:
                return step
            choices[choose(len(choices))]()
        return steps_max

    @property
    def is_proven(self) -> bool:
        return all(end.ended is not None and end.ended.is_proven for end in (self.a, self.b))
