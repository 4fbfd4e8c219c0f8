"""One conversation between two hubs: from two sets to one, and the proof that it is one.

The dialler is the `Initiator`, the dialled side the `Responder` (a file each). One exchange of `Hello` ends it when both
sets are equal. Otherwise the initiator reconciles (or, where one side is empty, the other streams everything), bodies
travel both ways at once, and an exchange of `Done` compares the two sets again. *Proven* means: both named the same count
and fingerprint, in the same session, over sets that were on their disks. Where both kept growing meanwhile, the session
ends unproven and the next one starts from less.

    initiator   STARTING > GREETING > ASKING > MOVING > SETTLING > PROVING > ENDED
    responder   WAITING > GREETED > ANSWERING > CHECKING > ENDED

Each side's `TABLE` says what a frame, or an answer from our own store, does in a state; any other frame breaks the
protocol. A frame of another session is late post and is passed over. A machine lives for one session, so answers that
come too late meet an ended one.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, ClassVar, TypeAlias

from hubd.action.principal import Principal
from hubd.action.sip018 import ActionId
from hubd.errors import LocalError, RemoteError
from hubd.gossip.items import Items
from hubd.gossip.transfer import ActionsLoaded, LoadActions, LoadPage, PageLoaded, Transfer
from hubd.gossip.wire import FILL, Actions, Done, Fault, Frame, Hello, Took
from hubd.limits import LINK_VERSION, LINK_WINDOW_CHUNKS, SESSION_REFUSED_MAX, SESSION_SILENCE_S
from hubd.ports import Outcome, SetSummary, Verdict

CAPABILITIES = (FILL,)


class State(Enum):
    """Where a conversation stands. Those marked * wait for our own store, the others for the peer."""

    STARTING = auto()  # * for the summary to greet with
    GREETING = auto()  # hello sent
    ASKING = auto()  # reconciling
    MOVING = auto()  # bodies travel
    SETTLING = auto()  # * for the summary to prove with
    PROVING = auto()  # done sent
    WAITING = auto()  # for a hello
    GREETED = auto()  # * for the summary to answer with
    ANSWERING = auto()
    CHECKING = auto()  # * for the summary to answer `Done` with
    ENDED = auto()


# --- in events


@dataclass(frozen=True, slots=True)
class Began:
    """Start the conversation (initiator only)."""


@dataclass(frozen=True, slots=True)
class FrameReceived:
    """A frame has come from the peer."""

    frame: Frame


@dataclass(frozen=True, slots=True)
class SummaryLoaded:
    """The answer to `LoadSummary`."""

    summary: SetSummary


@dataclass(frozen=True, slots=True)
class Offered:
    """The answer to an `Offer`; several may be answered in any order."""

    outcomes: Sequence[Outcome]


@dataclass(frozen=True, slots=True)
class TimerFired:
    """Some seconds have passed; once in five is enough."""


InEvent: TypeAlias = Began | FrameReceived | SummaryLoaded | ActionsLoaded | PageLoaded | Offered | TimerFired


# --- out events


@dataclass(frozen=True, slots=True)
class SendFrame:
    """Send this to the peer."""

    frame: Frame


@dataclass(frozen=True, slots=True)
class LoadSummary:
    """Read count and fingerprint of our set; answer `SummaryLoaded`."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Hand these envelopes to the intake; answer `Offered` when they are on disk."""

    envelopes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """The conversation is over; the last out event of a machine.

    `code` says why nothing was proven: `busy` (both sets kept growing), `silent`, `missing` (the peer did not give what
    it said it had), `refused` (it gave what is no valid action), `deferred` (our own store takes nothing now),
    `remote-fault` (it says that we broke the protocol), or, with `is_fault`, how the peer broke it.
    """

    is_proven: bool
    code: str = ""
    detail: str = ""
    is_fault: bool = False
    count: int = 0  # our set, as last summed up
    received: int = 0  # actions that were new to us
    sent: int = 0
    refused: int = 0


OutEvent: TypeAlias = SendFrame | LoadSummary | LoadActions | LoadPage | Offer | Ended


@dataclass(frozen=True, slots=True)
class Parties:
    """Who speaks to whom, in which mesh. `peer` is who the peer's key was admitted as."""

    hub: Principal
    peer: Principal
    mesh: bytes  # wire.mesh_tag


class Session(ABC):
    """What both sides share: greeting, bodies in both directions, silence, the end.

    `items` is the live set: it may grow between any two events.
    """

    TABLE: ClassVar[dict[tuple[State, type[Any]], Callable[[Any, Any], list[OutEvent]]]]

    def __init__(self, state: State, parties: Parties, items: Items, now: float) -> None:
        self.state = state
        self.number = 0
        self._parties = parties
        self._items = items
        self._heard = now
        self._transfer = Transfer()
        self._offers = 0  # handed to the intake and not yet answered
        self._received = 0
        self._refused = 0
        self._ours = SetSummary(0, b"", 0)
        self._can_fill = False

    def handle(self, event: InEvent, now: float) -> list[OutEvent]:
        """Take one event; `now` is any clock of seconds that never goes back. Returns what to do, in order."""
        if self.state is State.ENDED:
            return []
        if isinstance(event, TimerFired):
            return self._end("silent") if now - self._heard > SESSION_SILENCE_S else []
        self._heard = now
        try:
            return self._take(event)
        except RemoteError as error:
            return [SendFrame(Fault(error.code)), *self._end(error.code, error.detail, is_fault=True)]

    def _take(self, event: InEvent) -> list[OutEvent]:
        match event:
            case FrameReceived(frame):
                return self._take_frame(frame)
            case ActionsLoaded() | PageLoaded():
                self._transfer.loaded(event)
                return self._advance()
            case Offered(outcomes):
                return self._take_outcomes(outcomes)
            case SummaryLoaded(summary):
                self._ours = summary
        transition = self.TABLE.get((self.state, type(event)))
        if transition is None:
            raise LocalError("session", f"{type(event).__name__} in {self.state.name}")
        return transition(self, event)

    def _take_frame(self, frame: Frame) -> list[OutEvent]:
        if isinstance(frame, Fault):
            return self._end("remote-fault", frame.code)
        if self.number and getattr(frame, "session", self.number) != self.number:
            return []
        transition = self.TABLE.get((self.state, type(frame)))
        if transition is None:
            raise RemoteError("order", f"{type(frame).__name__} in {self.state.name}")
        return transition(self, frame)

    @abstractmethod
    def _advance(self) -> list[OutEvent]:
        """Whatever has become due."""

    # --- greeting and proof

    def _hello(self) -> SendFrame:
        mesh, hub, ours = self._parties.mesh, self._parties.hub, self._ours
        return SendFrame(Hello(LINK_VERSION, mesh, hub, self.number, ours.count, ours.fingerprint, CAPABILITIES))

    def _meet(self, frame: Hello) -> None:
        """Refuse another mesh, and a peer that calls itself what its key does not say."""
        if frame.mesh != self._parties.mesh:
            raise RemoteError("mesh", "the peer belongs to another mesh")
        if frame.hub != self._parties.peer:
            raise RemoteError("impostor", "the peer's name is not the one its key was admitted under")
        self._can_fill = FILL in frame.capabilities

    def _is_equal(self, theirs: Hello | Done) -> bool:
        return (self._ours.count, self._ours.fingerprint) == (theirs.count, theirs.fingerprint)

    def _done(self) -> SendFrame:
        return SendFrame(Done(self.number, self._ours.count, self._ours.fingerprint))

    def _compare(self, theirs: Done, otherwise: str) -> list[OutEvent]:
        if self._is_equal(theirs):
            return self._end(is_proven=True)
        return self._end("refused" if self._refused else otherwise)

    def _end(
        self, code: str = "", detail: str = "", *, is_proven: bool = False, is_fault: bool = False
    ) -> list[OutEvent]:
        self.state = State.ENDED
        moved = (self._received, self._transfer.sent, self._refused)
        return [Ended(is_proven, code, detail, is_fault, self._ours.count, *moved)]

    # --- bodies

    def _move(self) -> list[OutEvent]:
        due = self._transfer.advance()
        return [SendFrame(Actions(self.number, each)) if isinstance(each, tuple) else each for each in due]

    def acknowledged(self, _frame: Took) -> list[OutEvent]:
        """Transition: the peer has a chunk on disk."""
        self._transfer.acknowledge()
        return self._advance()

    def take_actions(self, frame: Actions) -> list[OutEvent]:
        """Transition: a chunk has come. `RemoteError("credit")` for one more than the window allows."""
        if self._offers >= LINK_WINDOW_CHUNKS:
            raise RemoteError("credit", "more chunks than the window allows")
        self._offers += 1
        return [Offer(frame.envelopes)]

    def _take_outcomes(self, outcomes: Sequence[Outcome]) -> list[OutEvent]:
        self._offers -= 1
        if any(outcome.verdict is Verdict.DEFERRED for outcome in outcomes):
            return [SendFrame(Fault("deferred")), *self._end("deferred")]
        self._received += sum(outcome.is_new for outcome in outcomes)
        refused = [outcome.code for outcome in outcomes if outcome.verdict is Verdict.REFUSED]
        self._refused += len(refused)
        if self._refused > SESSION_REFUSED_MAX:
            raise RemoteError("refused", f"{self._refused} invalid actions, the last: {refused[-1]}")
        self._note_taken([outcome.id for outcome in outcomes if outcome.id is not None])
        return [SendFrame(Took(self.number)), *self._advance()]

    def _note_taken(self, ids: Sequence[ActionId]) -> None:  # noqa: B027  # one side has nothing to note
        """These came and were judged."""
