"""The dialled side of a session: it answers, and takes what it is given."""

from hubd.errors import RemoteError
from hubd.gossip import negentropy
from hubd.gossip.dialogue import (
    Compared,
    LoadSketch,
    LoadSummary,
    OutEvent,
    Parties,
    Rung,
    SendFrame,
    SketchLoaded,
    SummaryLoaded,
)
from hubd.gossip.session import Session, State
from hubd.gossip.sketching import Teller
from hubd.gossip.wire import STREAMS_NOW, Actions, AskSketch, Done, End, Hello, Reconcile, Took, Want
from hubd.limits import RECONCILE_LINK_BYTES_MAX, RECONCILE_LINK_ROUNDS_MAX, SESSION_WANTED_MAX


class Responder(Session):
    """Its first event is the peer's `Hello`, which names the session's number. `takes_fill` as in `Initiator`."""

    def __init__(self, parties: Parties, now: float, *, takes_fill: bool = True) -> None:
        super().__init__(State.WAITING, parties, now, takes_fill=takes_fill)
        self._reconciler = negentropy.Responder(message_bytes_max=RECONCILE_LINK_BYTES_MAX)
        self._teller = Teller()
        self._wanted = 0
        self._theirs: Hello | Done | None = None  # what our next summary is compared with
        self._owes_end = False
        self._is_asked_for_proof = False

    # --- greeting

    def _greeted(self, frame: Hello) -> list[OutEvent]:
        self.number = frame.session
        self._meet(frame)
        self._theirs = frame
        self.state = State.GREETED
        return [LoadSummary(frame.cursor)]

    def _greet(self, event: SummaryLoaded) -> list[OutEvent]:
        theirs = self._theirs
        assert isinstance(theirs, Hello), "greeted before"
        self.state = State.ANSWERING
        if self._is_equal(theirs):
            return [self._hello(self._cursor), *self._prove(theirs)]
        weighed = self._weigh_counts(theirs)
        if self.state is State.ENDED:
            return weighed
        if not self._stream(theirs, is_known=event.is_known, beyond=event.beyond):
            return [*weighed, self._hello(self._cursor)]
        self._owes_end = True
        return [*weighed, self._hello(self._cursor, STREAMS_NOW), *self._advance()]

    # --- the differences

    def _asked_sketch(self, frame: AskSketch) -> list[OutEvent]:
        self._check_turn()
        self._rung = Rung.SKETCH
        answer = self._teller.asked(frame)
        return [LoadSketch()] if answer is None else [SendFrame(answer)]

    def _tell_sketch(self, event: SketchLoaded) -> list[OutEvent]:
        return [SendFrame(self._teller.loaded(event.symbols))]

    def _asked(self, frame: Reconcile) -> list[OutEvent]:
        self._check_turn()
        self._rung = Rung.NEGENTROPY
        self._rounds += 1
        if self._rounds > RECONCILE_LINK_ROUNDS_MAX:
            raise RemoteError("rounds", "reconciliation does not come to an end")
        return self._weigh_message(self._reconciler, frame.message)

    def _answer(self, event: Compared) -> list[OutEvent]:
        self._is_comparing = False
        return self._say(event.result)

    def _check_turn(self) -> None:
        if self._owes_end or self._is_comparing or self._teller.is_asked or self._is_asked_for_proof:
            raise RemoteError("order", "asked again before the answer's end")

    # --- bodies and proof

    def _asked_bodies(self, frame: Want) -> list[OutEvent]:
        self._check_turn()
        self._wanted += len(frame.ids)
        if self._wanted > SESSION_WANTED_MAX:
            raise RemoteError("flood", "more ids than one session works on")
        self._owes_end = True
        self._transfer.add(frame.ids)
        return self._advance()

    def _finished(self, frame: Done) -> list[OutEvent]:
        self._check_turn()
        if not self._transfer.is_settled:
            raise RemoteError("order", "done before the end")
        self._theirs = frame
        self._is_asked_for_proof = True
        return self._advance()

    def _advance(self) -> list[OutEvent]:
        out = self._move()
        if self._owes_end and self._transfer.is_exhausted:
            self._owes_end = False
            out.append(SendFrame(End(self.number)))
        if self._is_asked_for_proof and not self._landing.waiting:
            self.state = State.CHECKING
            out.append(LoadSummary())
        return out

    def _check(self, _event: SummaryLoaded) -> list[OutEvent]:
        assert isinstance(self._theirs, Done), "asked for proof before"
        return [self._done(), *self._compare(self._theirs)]

    TABLE = {  # noqa: RUF012  # annotated in Session
        (State.WAITING, Hello): _greeted,
        (State.GREETED, SummaryLoaded): _greet,
        (State.ANSWERING, AskSketch): _asked_sketch,
        (State.ANSWERING, SketchLoaded): _tell_sketch,
        (State.ANSWERING, Reconcile): _asked,
        (State.ANSWERING, Compared): _answer,
        (State.ANSWERING, Want): _asked_bodies,
        (State.ANSWERING, Actions): Session.take_actions,
        (State.ANSWERING, Took): Session.acknowledged,
        (State.ANSWERING, Done): _finished,
        (State.CHECKING, SummaryLoaded): _check,
    }
