"""The dialler's side of a session: it greets, asks by reconciliation, gives and gets, and asks for the proof."""

from collections import deque
from collections.abc import Sequence
from itertools import islice

from hubd.action.sip018 import ActionId
from hubd.errors import RemoteError
from hubd.gossip import negentropy
from hubd.gossip.items import Items
from hubd.gossip.session import (
    Began,
    LoadSummary,
    OutEvent,
    Parties,
    SendFrame,
    Session,
    State,
    SummaryLoaded,
)
from hubd.gossip.wire import Actions, Done, End, Fill, Hello, Reconcile, Took, Want
from hubd.limits import RECONCILE_ROUNDS_MAX, SESSION_IDS_MAX, WANT_IDS_MAX


class Initiator(Session):
    """Give it `Began` first. `number` tells this session from earlier ones on the same link."""

    def __init__(self, number: int, parties: Parties, items: Items, now: float) -> None:
        super().__init__(State.STARTING, parties, items, now)
        self.number = number
        self._asking = negentropy.Initiator()
        self._rounds = 0
        self._differences = 0
        self._need: deque[ActionId] = deque()
        self._wanted: dict[ActionId, None] = {}  # asked for and not yet judged, in order
        self._is_owed = False  # a `Want` or `Fill` has no `End` yet
        self._missing = 0

    def _start(self, _event: Began) -> list[OutEvent]:
        return [LoadSummary()]

    def _greet(self, _event: SummaryLoaded) -> list[OutEvent]:
        self.state = State.GREETING
        return [self._hello()]

    def _greeted(self, frame: Hello) -> list[OutEvent]:
        self._meet(frame)
        if self._is_equal(frame):
            return self._end(is_proven=True)
        if self._can_fill and not frame.count:
            self.state = State.MOVING
            self._transfer.add_everything()
            return self._advance()
        if self._can_fill and not self._ours.count:
            self.state = State.MOVING
            self._is_owed = True
            return [SendFrame(Fill(self.number))]
        self.state = State.ASKING
        return [SendFrame(Reconcile(self.number, self._asking.open(self._items)))]

    def _asked(self, frame: Reconcile) -> list[OutEvent]:
        learned = self._asking.handle(self._items, frame.message)
        self._transfer.add(ActionId(id_) for id_ in learned.have)
        self._need.extend(ActionId(id_) for id_ in learned.need)
        self._differences += len(learned.have) + len(learned.need)
        self._rounds += 1
        if learned.reply is not None and self._rounds < RECONCILE_ROUNDS_MAX and self._differences < SESSION_IDS_MAX:
            return [SendFrame(Reconcile(self.number, learned.reply))]
        self.state = State.MOVING
        return self._advance()

    def _receive(self, frame: Actions) -> list[OutEvent]:
        if not self._is_owed:
            raise RemoteError("order", "actions that nobody asked for")
        return self.take_actions(frame)

    def _note_taken(self, ids: Sequence[ActionId]) -> None:
        for id_ in ids:
            self._wanted.pop(id_, None)

    def _given(self, _frame: End) -> list[OutEvent]:
        if not self._is_owed:
            raise RemoteError("order", "the end of what nobody asked for")
        self._is_owed = False
        return self._advance()

    def _advance(self) -> list[OutEvent]:
        out = self._move()
        if self._is_owed or self._offers:
            return out
        self._missing += len(self._wanted)
        self._wanted = dict.fromkeys(islice(self._need, WANT_IDS_MAX))
        for _ in self._wanted:
            self._need.popleft()
        if self._wanted:
            self._is_owed = True
            out.append(SendFrame(Want(self.number, tuple(self._wanted))))
        elif self._transfer.is_settled:
            self.state = State.SETTLING
            out.append(LoadSummary())
        return out

    def _prove(self, _event: SummaryLoaded) -> list[OutEvent]:
        self.state = State.PROVING
        return [self._done()]

    def _proved(self, frame: Done) -> list[OutEvent]:
        return self._compare(frame, "missing" if self._missing else "busy")

    TABLE = {  # noqa: RUF012  # annotated in Session
        (State.STARTING, Began): _start,
        (State.STARTING, SummaryLoaded): _greet,
        (State.GREETING, Hello): _greeted,
        (State.ASKING, Reconcile): _asked,
        (State.MOVING, Actions): _receive,
        (State.MOVING, Took): Session.acknowledged,
        (State.MOVING, End): _given,
        (State.SETTLING, SummaryLoaded): _prove,
        (State.PROVING, Done): _proved,
    }
