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
from hubd.gossip import dialogue, wire
from hubd.gossip.dialogue import (
    Compare,
    Counted,
    Ended,
    KeepCursor,
    LoadSketch,
    LoadSummary,
    Offer,
    Offered,
    Parties,
    Rung,
    SendFrame,
    SketchLoaded,
    SummaryLoaded,
)
from hubd.gossip.initiator import Initiator
from hubd.gossip.items import SortedItems
from hubd.gossip.responder import Responder
from hubd.gossip.session import Session
from hubd.gossip.sketch import Symbols
from hubd.gossip.transfer import ActionsLoaded, LoadActions, LoadPage, PageLoaded
from hubd.gossip.wire import NOWHERE, Place
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
    """A set of such envelopes, and what a store and an intake answer for it, to one peer alone."""

    def __init__(self, envelopes: Iterable[bytes] = ()) -> None:
        self.envelopes: dict[ActionId, bytes] = {}
        self.items = SortedItems()
        self.symbols = Symbols()
        self.epoch = b"an epoch"
        self.from_peer: set[ActionId] = set()
        self.cursor = NOWHERE
        self.is_full = False
        self.window_rows = 1_000  # looked at for one page
        self.rotten: set[ActionId] = set()  # counted, and not readable any more
        self.add(envelopes)

    def add(self, envelopes: Iterable[bytes], *, from_peer: bool = False) -> list[bool]:
        is_new = []
        for raw in envelopes:
            is_new.append(id_of(raw) not in self.envelopes)
            if is_new[-1]:
                self.envelopes[id_of(raw)] = raw
                self.items.add(int.from_bytes(raw[:2], "big"), id_of(raw))
                self.symbols.add([id_of(raw)])
                if from_peer:
                    self.from_peer.add(id_of(raw))
        return is_new

    def lose(self, raw: bytes) -> None:
        """As a worn card does; its place in the order stays empty."""
        gone = id_of(raw)
        self.envelopes = {
            ActionId(b"gone" + id_) if id_ == gone else id_: b"" if id_ == gone else each
            for id_, each in self.envelopes.items()
        }
        whole = list(self.here.values())
        self.items = SortedItems((int.from_bytes(each[:2], "big"), id_of(each)) for each in whole)
        self.symbols.remove([id_of(raw)])

    @property
    def here(self) -> dict[ActionId, bytes]:
        return {id_: raw for id_, raw in self.envelopes.items() if raw}

    def place(self, sequence: int) -> Place:
        if not 0 < sequence <= len(self.envelopes):
            return NOWHERE
        id_ = list(self.envelopes)[sequence - 1]
        return Place(sequence, sha256(self.epoch + sequence.to_bytes(8, "big") + id_).digest()[:8])

    def summary(self) -> SetSummary:
        place = self.place(len(self.envelopes))
        return SetSummary(len(self.here), sha256(b"".join(sorted(self.here))).digest(), place.sequence, place.mark)

    def answer(self, asked: dialogue.OutEvent) -> dialogue.InEvent:
        match asked:
            case LoadSummary(check):
                is_known = check != NOWHERE and self.place(check.sequence) == check
                fresh = [id_ for id_ in list(self.envelopes)[check.sequence :] if id_ not in self.from_peer]
                return SummaryLoaded(self.summary(), self.cursor, is_known, len(fresh))
            case LoadSketch():
                return SketchLoaded(self.symbols.to_bytes())
            case Compare():
                return asked.over(self.items)
            case LoadActions(ids):
                readable = [id_ for id_ in ids if id_ in self.here and id_ not in self.rotten]
                return ActionsLoaded([self.envelopes[id_] for id_ in readable])
            case LoadPage(after, until, actions_max):
                return self.page(after, until, actions_max)
            case Offer(envelopes, number):
                return Offered([self.judge(raw) for raw in envelopes], number)
        raise AssertionError(asked)

    def page(self, after: int, until: int, actions_max: int) -> PageLoaded:
        rows = enumerate(self.envelopes.items(), 1)
        until_now = min(until, after + self.window_rows)
        found = [(at, raw) for at, (id_, raw) in rows if after < at <= until_now and raw and id_ not in self.from_peer]
        page = found[:actions_max]
        reached = page[-1][0] if len(page) == actions_max else min(until, after + self.window_rows)
        place = self.place(page[-1][0]) if page else NOWHERE
        return PageLoaded(place, [raw for _, raw in page], reached if reached < until else None)

    def judge(self, raw: bytes) -> Outcome:
        if self.is_full:
            return Outcome(Verdict.DEFERRED)
        if raw.startswith(b"bad"):
            return Outcome(Verdict.REFUSED, None, "signature")
        return Outcome(Verdict.OK, id_of(raw), "", self.add([raw], from_peer=True)[0])


@dataclass
class End:
    """One side: its machine, its set, and what waits to be done."""

    machine: Session
    twin: TwinSet
    asked: list[dialogue.OutEvent] = field(default_factory=list)
    inbox: deque[bytes] = field(default_factory=deque)  # frames on their way to this side
    ended: Ended | None = None
    ahead: int | None = None  # the other, when it greeted
    summed: set[ActionId] = field(default_factory=set)  # the set, as last summed up
    heard: list[wire.Frame] = field(default_factory=list)


class Conversation:
    """An initiator over set `a` and a responder over set `b`."""

    def __init__(
        self, a: TwinSet, b: TwinSet, *, number: int = 1, start: Rung = Rung.CURSOR, full: str = ""
    ) -> None:  # `full`: the sides that take no fill now
        self.now = 0.0
        self.a = End(Initiator(number, Parties(HUB_A, HUB_B, MESH), 0.0, start, takes_fill="a" not in full), a)
        self.b = End(Responder(Parties(HUB_B, HUB_A, MESH), 0.0, takes_fill="b" not in full), b)
        self.in_flight_max = 0
        self.feed(self.a, dialogue.Began())

    def feed(self, end: End, event: dialogue.InEvent) -> None:
        """Hand a machine an event and note what it asks for."""
        other = self.b if end is self.a else self.a
        for out in end.machine.handle(event, self.now):
            assert end.ended is None, "nothing follows the end"
            match out:
                case SendFrame(frame):
                    other.inbox.append(wire.encode(frame))
                case Counted(ahead):
                    end.ahead = ahead
                case KeepCursor(place):
                    end.twin.cursor = place
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
        if isinstance(asked, LoadSummary):
            end.summed = set(end.twin.here)
        self.feed(end, end.twin.answer(asked))

    def _deliver(self, end: End) -> None:
        frame = wire.decode(end.inbox.popleft())
        end.heard.append(frame)
        self.feed(end, dialogue.FrameReceived(frame))

    def run(self, *, steps_max: int = 100_000, choose: Callable[[int], int] = lambda _count: 0) -> int:
        """Go on until nothing is left to do, or the link is cut after `steps_max` steps; returns the steps made."""
        for step in range(steps_max):
            choices = self.choices()
            if not choices:
                return step
            choices[choose(len(choices))]()
        return steps_max

    @property
    def frames(self) -> list[wire.Frame]:
        """What both heard."""
        return self.a.heard + self.b.heard

    @property
    def kinds(self) -> set[type]:
        return {type(frame) for frame in self.frames}

    @property
    def bytes_said(self) -> int:
        return sum(len(wire.encode(frame)) for frame in self.frames)

    @property
    def is_proven(self) -> bool:
        return all(end.ended is not None and end.ended.is_proven for end in (self.a, self.b))
