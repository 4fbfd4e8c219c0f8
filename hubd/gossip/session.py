"""One conversation between two hubs: from two sets to one, and the proof that it is one.

The dialler is the `Initiator`, the dialled side the `Responder` (a file each). They go down a ladder (`Rung`): a hello
ends it when both sets are equal; where each knows what it has of the other, both stream what arrived since; otherwise, or
where that did not prove anything the last time, they tell their differences by a sketch or by Negentropy, and bodies
travel both ways at once. An exchange of `Done` compares the two sets again. *Proven* means: both named the same count and
fingerprint, in the same session, of what each counted when it came to its disk. Where they did not, the session ends
unproven and the next one starts further down.

    initiator   STARTING > GREETING > WEIGHING > MOVING > SKETCHING > ASKING > MOVING > SETTLING > PROVING > ENDED
    responder   WAITING > GREETED > ANSWERING > CHECKING > ENDED

Each side's `TABLE` says what a frame, or an answer from our own store, does in a state; any other frame breaks the
protocol. A frame of another session is late post and is passed over. A machine lives for one session, so answers that
come too late meet an ended one.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from enum import Enum, auto
from functools import partial
from typing import Any, ClassVar

from hubd.action.sip018 import ActionId
from hubd.errors import LocalError, RemoteError
from hubd.gossip import negentropy
from hubd.gossip.dialogue import (
    Compare,
    Compared,
    Counted,
    Ended,
    FrameReceived,
    InEvent,
    KeepCursor,
    Offer,
    Offered,
    OutEvent,
    Parties,
    Rung,
    SendFrame,
    StoreFailed,
    SummaryLoaded,
    TimerFired,
)
from hubd.gossip.pace import Pace
from hubd.gossip.transfer import ActionsLoaded, Chunk, Landing, PageLoaded, Transfer
from hubd.gossip.wire import (
    NO_FILL,
    NOWHERE,
    SKETCH,
    STREAM,
    Actions,
    Done,
    Fault,
    Frame,
    Hello,
    Place,
    Reconcile,
    Took,
)
from hubd.limits import (
    FILL_ACTIONS_MIN,
    FILL_FACTOR_MIN,
    LINK_VERSION,
    SESSION_KNOWN_SPARE,
    SESSION_REFUSED_MAX,
    SESSION_SILENCE_S,
    STREAM_ANYWAY_ACTIONS,
    STREAM_SAMPLED_ACTIONS_MIN,
)
from hubd.ports import Outcome, SetSummary, Verdict

_ABILITIES = STREAM | SKETCH
FIRST_SESSION = 1  # of a link


class State(Enum):
    """Where a conversation stands. Those marked * wait for our own store, the others for the peer."""

    STARTING = auto()  # * for the summary to greet with
    GREETING = auto()  # hello sent
    WEIGHING = auto()  # * whether the peer's cursor is one of ours
    MOVING = auto()  # bodies travel
    SKETCHING = auto()  # a sketch is read, asked for, or told
    ASKING = auto()  # reconciling
    SETTLING = auto()  # * for the summary to prove with
    PROVING = auto()  # done sent
    WAITING = auto()  # for a hello
    GREETED = auto()  # * for the summary to answer with
    ANSWERING = auto()
    CHECKING = auto()  # * for the summary to answer `Done` with
    ENDED = auto()


class Session(ABC):
    """What both sides share: greeting, bodies in both directions, silence, the end."""

    TABLE: ClassVar[dict[tuple[State, type[Any]], Callable[[Any, Any], list[OutEvent]]]]

    def __init__(self, state: State, parties: Parties, now: float, *, takes_fill: bool) -> None:
        self.state = state
        self.number = 0
        self._parties = parties
        self._takes_fill = takes_fill
        self._heard = now
        self._transfer = Transfer()
        self._landing = Landing()
        self._rung = Rung.HELLO
        self._pace = Pace()
        self._rounds = 0  # of reconciliation
        self._is_comparing = False  # what we say next of it is not known yet
        self._received = 0
        self._known = 0
        self._refused = 0
        self._missing = 0
        self._ours = SetSummary(0, b"", 0)
        self._cursor = NOWHERE  # ours, of the peer's order
        self._peer_counts: list[int] = []  # what it said of its set, in order
        self._peer_lacking = 0

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
            case StoreFailed():
                return [SendFrame(Fault("later")), *self._end("database")]
            case Offered(outcomes, number):
                return self._take_outcomes(outcomes, number)
            case Compared(RemoteError() as error):
                raise error
            case SummaryLoaded(summary, cursor):
                self._ours, self._cursor = summary, cursor
        transition = self.TABLE.get((self.state, type(event)))
        if transition is None:
            raise LocalError("session", f"{type(event).__name__} in {self.state.name}")
        return transition(self, event)

    def _take_frame(self, frame: Frame) -> list[OutEvent]:
        if isinstance(frame, Fault):
            return self._end("later") if frame.code == "later" else self._end("remote-fault", frame.code)
        if self.is_late(frame):
            return []
        transition = self.TABLE.get((self.state, type(frame)))
        if transition is None:
            raise RemoteError("order", f"{type(frame).__name__} in {self.state.name}")
        return transition(self, frame)

    def is_late(self, frame: Frame) -> bool:
        """Whether this is of another session."""
        return bool(self.number) and getattr(frame, "session", self.number) != self.number

    def leave(self, code: str) -> Ended:
        """No more of it, in the middle; how it was left."""
        self.state = State.ENDED
        return self._ended(code)

    @abstractmethod
    def _advance(self) -> list[OutEvent]:
        """Whatever has become due."""

    # --- greeting and proof

    @property
    def _position(self) -> Place:
        return Place(self._ours.sequence, self._ours.mark)

    def _hello(self, cursor: Place, abilities: int = 0) -> SendFrame:
        ours, mesh = self._ours, self._parties.mesh
        abilities |= _ABILITIES if self._takes_fill else _ABILITIES | NO_FILL
        whole = (ours.count, ours.fingerprint, self._position)
        return SendFrame(Hello(LINK_VERSION, mesh, self.number, *whole, cursor, abilities, ours.lacking))

    def _meet(self, frame: Hello) -> None:
        if frame.mesh != self._parties.mesh:
            raise RemoteError("mesh", "the peer belongs to another mesh")
        self._hear_of_set(frame)

    def _weigh_counts(self, theirs: Hello) -> list[OutEvent]:
        """Tell how far the peer is ahead; the session is over if that is much and another hub brings it now."""
        counted = Counted(theirs.count - self._ours.count)
        if counted.ahead < FILL_ACTIONS_MIN or self._takes_fill:
            return [counted]
        return [counted, SendFrame(Fault("later")), *self._end("later")]

    def _hear_of_set(self, theirs: Hello | Done) -> None:
        self._peer_counts.append(theirs.count)
        self._peer_lacking = theirs.lacking

    def _is_equal(self, theirs: Hello | Done) -> bool:
        return (self._ours.count, self._ours.fingerprint) == (theirs.count, theirs.fingerprint)

    def _done(self) -> SendFrame:
        ours = self._ours
        return SendFrame(Done(self.number, ours.count, ours.fingerprint, self._position, ours.lacking))

    def _prove(self, theirs: Hello | Done) -> list[OutEvent]:
        """Both sets are one: so we have what the peer has, up to where its order ends."""
        kept = [KeepCursor(theirs.position)] if theirs.position not in {NOWHERE, self._cursor} else []
        return [*kept, *self._end(is_proven=True)]

    def _compare(self, theirs: Done) -> list[OutEvent]:
        self._hear_of_set(theirs)
        if self._is_equal(theirs):
            return self._prove(theirs)
        return self._end("refused" if self._refused else "missing" if self._missing else "busy")

    def _end(
        self, code: str = "", detail: str = "", *, is_proven: bool = False, is_fault: bool = False
    ) -> list[OutEvent]:
        self.state = State.ENDED
        return [self._ended(code, detail, is_proven=is_proven, is_fault=is_fault)]

    def _ended(self, code: str, detail: str = "", *, is_proven: bool = False, is_fault: bool = False) -> Ended:
        moved = (self._received, self._transfer.sent, self._refused, self._missing)
        first, last = (self._peer_counts[0], self._peer_counts[-1]) if self._peer_counts else (0, 0)
        sets = (self._ours.fingerprint, last, last - first)
        rest = (self._ours.lacking, self._peer_lacking, self._transfer.landed, self._transfer.fresh)
        return Ended(is_proven, code, detail, is_fault, self._ours.count, *moved, self._rung, *sets, *rest)

    # --- reconciliation

    def _say(self, message: bytes) -> list[OutEvent]:
        self._pace.said(len(message), self._heard)
        return [SendFrame(Reconcile(self.number, message))]

    def _weigh_message(self, reconciler: negentropy.Initiator | negentropy.Responder, message: bytes) -> list[OutEvent]:
        """Work on what the peer said, for an answer as large as the link has shown to carry."""
        self._pace.heard(len(message), self._heard)
        reconciler.frame_bytes_max = self._pace.frame_bytes_max
        self._is_comparing = True
        return [Compare(partial(reconciler.handle, message=message))]

    # --- bodies

    def _stream(self, theirs: Hello, *, is_known: bool, beyond: int) -> bool:
        """Begin to stream what the peer lacks, if its cursor is good and most of that is new to it; whether we do.

        What was pushed meanwhile lies beyond its cursor, too. So what is new to it is told by the counts: a peer that has
        almost as many as we have has been pushed most of it, and a sketch is cheaper than sending that again; or else it
        grew as much by itself, while no link was up. A link's first session finds that out by a sample.
        """
        if not theirs.abilities & STREAM:
            return False
        surplus = self._ours.count - theirs.count
        if theirs.abilities & NO_FILL and surplus >= FILL_ACTIONS_MIN:
            return False
        if is_known and (beyond <= STREAM_ANYWAY_ACTIONS or beyond <= 2 * surplus):
            self._transfer.stream(theirs.cursor.sequence, self._ours.sequence)
        elif theirs.count * FILL_FACTOR_MIN <= self._ours.count:
            self._transfer.stream(0, self._ours.sequence)
        elif is_known and self.number == FIRST_SESSION and beyond >= STREAM_SAMPLED_ACTIONS_MIN:
            self._transfer.stream(theirs.cursor.sequence, self._ours.sequence, is_sure=False)
        else:
            return False
        self._rung = Rung.CURSOR
        return True

    def _move(self) -> list[OutEvent]:
        due = self._transfer.advance()
        return [
            SendFrame(Actions(self.number, each.envelopes, each.place)) if isinstance(each, Chunk) else each
            for each in due
        ]

    def acknowledged(self, frame: Took) -> list[OutEvent]:
        """Transition: the peer has a chunk on disk."""
        self._transfer.acknowledge(frame.fresh)
        return self._advance()

    def take_actions(self, frame: Actions) -> list[OutEvent]:
        """Transition: a chunk has come. `RemoteError("credit")` for one more than the window allows."""
        return [Offer(frame.envelopes, self._landing.add(frame.place))]

    def _take_outcomes(self, outcomes: Sequence[Outcome], number: int) -> list[OutEvent]:
        if any(outcome.verdict is Verdict.DEFERRED for outcome in outcomes):
            return [SendFrame(Fault("deferred")), *self._end("deferred")]
        refused = [outcome.code for outcome in outcomes if outcome.verdict is Verdict.REFUSED]
        fresh = sum(outcome.is_new for outcome in outcomes)
        self._refused += len(refused)
        self._received += fresh
        self._known += len(outcomes) - len(refused) - fresh
        if self._refused > SESSION_REFUSED_MAX:
            raise RemoteError("refused", f"{self._refused} invalid actions, the last: {refused[-1]}")
        if self._known > self._ours.count + self._received + SESSION_KNOWN_SPARE:
            raise RemoteError("flood", "the same actions over and over")
        self._note_taken([outcome.id for outcome in outcomes if outcome.id is not None])
        place = self._landing.landed(number)
        kept = [KeepCursor(place)] if place != NOWHERE and not self._refused else []
        return [*kept, SendFrame(Took(self.number, fresh)), *self._advance()]

    def _note_taken(self, ids: Sequence[ActionId]) -> None:  # noqa: B027  # one side has nothing to note
        """These came and were judged."""
