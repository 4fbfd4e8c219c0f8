"""The dialled side of a session: it answers, and takes what it is given."""

from hubd.errors import RemoteError
from hubd.gossip import negentropy
from hubd.gossip.items import Items
from hubd.gossip.session import LoadSummary, OutEvent, Parties, SendFrame, Session, State, SummaryLoaded
from hubd.gossip.wire import Actions, Done, End, Fill, Hello, Reconcile, Took, Want
from hubd.limits import RECONCILE_ROUNDS_MAX


class Responder(Session):
    """Its first event is the peer's `Hello`, which names the session's number."""

    def __init__(self, parties: Parties, items: Items, now: float) -> None:
        super().__init__(State.WAITING, parties, items, now)
        self._reconciler = negentropy.Responder()
        self._rounds = 0
        self._theirs: Hello | Done | None = None  # what our next summary is compared with
        self._owes_end = False
        self._is_asked_for_proof = False

    def _greeted(self, frame: Hello) -> list[OutEvent]:
        self.number = frame.session
        self._meet(frame)
        self._theirs = frame
        self.state = State.GREETED
        return [LoadSummary()]

    def _greet(self, _event: SummaryLoaded) -> list[OutEvent]:
        assert isinstance(self._theirs, Hello), "greeted before"
        self.state = State.ANSWERING
        if self._is_equal(self._theirs):
            return [self._hello(), *self._end(is_proven=True)]
        return [self._hello()]

    def _asked(self, frame: Reconcile) -> list[OutEvent]:
        self._rounds += 1
        if self._rounds > RECONCILE_ROUNDS_MAX:
            raise RemoteError("rounds", "reconciliation does not come to an end")
        return [SendFrame(Reconcile(self.number, self._reconciler.handle(self._items, frame.message)))]

    def _wanted(self, frame: Want | Fill) -> list[OutEvent]:
        if self._owes_end:
            raise RemoteError("order", "asked again before the end")
        self._owes_end = True
        if isinstance(frame, Want):
            self._transfer.add(frame.ids)
        else:
            self._transfer.add_everything()
        return self._advance()

    def _finished(self, frame: Done) -> list[OutEvent]:
        if self._is_asked_for_proof or not self._transfer.is_settled:
            raise RemoteError("order", "done before the end, or twice")
        self._theirs = frame
        self._is_asked_for_proof = True
        return self._advance()

    def _advance(self) -> list[OutEvent]:
        out = self._move()
        if self._owes_end and self._transfer.is_exhausted:
            self._owes_end = False
            out.append(SendFrame(End(self.number)))
        if self._is_asked_for_proof and not self._offers:
            self.state = State.CHECKING
            out.append(LoadSummary())
        return out

    def _check(self, _event: SummaryLoaded) -> list[OutEvent]:
        assert isinstance(self._theirs, Done), "asked for proof before"
        return [self._done(), *self._compare(self._theirs, "busy")]

    TABLE = {  # noqa: RUF012  # annotated in Session
        (State.WAITING, Hello): _greeted,
        (State.GREETED, SummaryLoaded): _greet,
        (State.ANSWERING, Reconcile): _asked,
        (State.ANSWERING, Want): _wanted,
        (State.ANSWERING, Fill): _wanted,
        (State.ANSWERING, Actions): Session.take_actions,
        (State.ANSWERING, Took): Session.acknowledged,
        (State.ANSWERING, Done): _finished,
        (State.CHECKING, SummaryLoaded): _check,
    }
