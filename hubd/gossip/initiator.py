"""The dialler's side of a session: it greets, goes down the ladder, gives and gets, and asks for the proof."""

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice

from hubd.action.sip018 import ActionId
from hubd.errors import RemoteError
from hubd.gossip import negentropy
from hubd.gossip.dialogue import (
    Began,
    Compare,
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
from hubd.gossip.sketch import Difference
from hubd.gossip.sketching import Reader
from hubd.gossip.wire import (
    NOWHERE,
    SKETCH,
    STREAMS_NOW,
    Actions,
    Done,
    End,
    Hello,
    Reconcile,
    Sketch,
    Took,
    Want,
)
from hubd.limits import (
    RECONCILE_LINK_BYTES_MAX,
    RECONCILE_LINK_ROUNDS_MAX,
    SESSION_IDS_MAX,
    SKETCH_DIFFERENCES_MAX,
    WANT_IDS_MAX,
)


class Initiator(Session):
    """Give it `Began` first. `number` tells this session from earlier ones on the same link; `start` from `first_rung`.

    `takes_fill` is false where another hub is bringing so much now that a stream of this one would be for nothing.
    """

    def __init__(
        self, number: int, parties: Parties, now: float, start: Rung = Rung.CURSOR, *, takes_fill: bool = True
    ) -> None:
        super().__init__(State.STARTING, parties, now, takes_fill=takes_fill)
        self.number = number
        self._start_rung = start
        self._theirs: Hello | None = None
        self._is_told = False  # the differences are known, or were streamed: what is left is to move them
        self._reader: Reader | None = None
        self._asking = negentropy.Initiator(message_bytes_max=RECONCILE_LINK_BYTES_MAX)
        self._differences = 0
        self._need: deque[ActionId] = deque()
        self._wanted: dict[ActionId, None] = {}  # asked for and not yet judged, in order
        self._is_owed = False  # a stream or a `Want` has no `End` yet
        self._owed_max: int | None = None  # actions that may still come; None: a stream
        self._is_sampled = False  # the last of the peer's stream names no place: it was a sample, and no more follows

    # --- greeting

    def _start(self, _event: Began) -> list[OutEvent]:
        return [LoadSummary()]

    def _greet(self, _event: SummaryLoaded) -> list[OutEvent]:
        self.state = State.GREETING
        return [self._hello(self._cursor if self._start_rung <= Rung.CURSOR else NOWHERE)]

    def _greeted(self, frame: Hello) -> list[OutEvent]:
        self._meet(frame)
        if self._is_equal(frame):
            return self._prove(frame)
        self._theirs = frame
        self._is_owed = bool(frame.abilities & STREAMS_NOW)
        self.state = State.WEIGHING
        weighed = self._weigh_counts(frame)
        return weighed if self.state is State.ENDED else [*weighed, LoadSummary(frame.cursor)]

    def _weigh(self, event: SummaryLoaded) -> list[OutEvent]:
        """Stream what the peer lacks where it told from where on, or where it lacks most; then see what is left."""
        theirs = self._theirs
        assert theirs is not None, "greeted before"
        streams = self._stream(theirs, is_known=event.is_known and self._start_rung <= Rung.CURSOR, beyond=event.beyond)
        if self._is_owed:
            self._rung = Rung.CURSOR
        self._is_told = (streams or not self._ours.count) and (self._is_owed or not theirs.count)
        self.state = State.MOVING
        return self._advance()

    # --- the differences

    def _look(self) -> list[OutEvent]:
        """Begin with the first rung that may tell the differences."""
        theirs = self._theirs
        assert theirs is not None, "greeted before"
        surplus = abs(theirs.count - self._ours.count) - self._received - self._transfer.sent
        if self._start_rung <= Rung.SKETCH and theirs.abilities & SKETCH and surplus <= SKETCH_DIFFERENCES_MAX:
            self.state, self._rung = State.SKETCHING, Rung.SKETCH
            return [LoadSketch()]
        return self._reconcile()

    def _ask_sketch(self, event: SketchLoaded) -> list[OutEvent]:
        self._reader = Reader(self.number, event.symbols)
        return [SendFrame(self._reader.open())]

    def _read_sketch(self, frame: Sketch) -> list[OutEvent]:
        if self._reader is None:
            raise RemoteError("order", "symbols that nobody asked for")
        found = self._reader.read(frame)
        if found is None:
            return self._reconcile()
        if isinstance(found, Difference):
            self._learn(found.have, found.need)
            return self._go_on()
        return [SendFrame(found)]

    def _reconcile(self) -> list[OutEvent]:
        self.state, self._rung, self._is_comparing = State.ASKING, Rung.NEGENTROPY, True
        return [Compare(self._asking.open)]

    def _asked(self, event: Compared) -> list[OutEvent]:
        self._is_comparing = False
        if isinstance(event.result, bytes):
            return self._say(event.result)
        learned: negentropy.Outcome = event.result
        self._learn(learned.have, learned.need)
        self._rounds += 1
        if (
            learned.reply is not None
            and self._rounds < RECONCILE_LINK_ROUNDS_MAX
            and self._differences < SESSION_IDS_MAX
        ):
            return self._say(learned.reply)
        return self._go_on()

    def _answered(self, frame: Reconcile) -> list[OutEvent]:
        if self._is_comparing:
            raise RemoteError("order", "an answer to what was not asked yet")
        return self._weigh_message(self._asking, frame.message)

    def _learn(self, have: Iterable[bytes], need: Iterable[bytes]) -> None:
        told = len(self._need)
        have_ids = [ActionId(id_) for id_ in have]
        self._transfer.add(have_ids)
        self._need.extend(ActionId(id_) for id_ in need)
        self._differences += len(have_ids) + len(self._need) - told

    def _go_on(self) -> list[OutEvent]:
        self._is_told, self._is_sampled, self._transfer.is_given_up = True, False, False
        self.state = State.MOVING
        return self._advance()

    # --- bodies

    def _receive(self, frame: Actions) -> list[OutEvent]:
        if not self._is_owed:
            raise RemoteError("order", "actions that nobody asked for")
        if self._owed_max is not None:
            self._owed_max -= len(frame.envelopes)
            if self._owed_max < 0:
                raise RemoteError("order", "more actions than were asked for")
        else:
            self._is_sampled = frame.place == NOWHERE
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
        if self.state is not State.MOVING:
            return []
        out = self._move()
        if self._is_owed or self._landing.waiting:
            return out
        self._missing += len(self._wanted)
        self._wanted = dict.fromkeys(islice(self._need, WANT_IDS_MAX))
        for _ in self._wanted:
            self._need.popleft()
        if self._wanted:
            self._is_owed, self._owed_max = True, len(self._wanted)
            out.append(SendFrame(Want(self.number, tuple(self._wanted))))
        elif self._transfer.is_settled:
            is_given_up = self._is_sampled or self._transfer.is_given_up
            out += self._settle() if self._is_told and not is_given_up else self._look()
        return out

    # --- the proof

    def _settle(self) -> list[OutEvent]:
        self.state = State.SETTLING
        return [LoadSummary()]

    def _ask_proof(self, _event: SummaryLoaded) -> list[OutEvent]:
        self.state = State.PROVING
        return [self._done()]

    def _proved(self, frame: Done) -> list[OutEvent]:
        return self._compare(frame)

    TABLE = {  # noqa: RUF012  # annotated in Session
        (State.STARTING, Began): _start,
        (State.STARTING, SummaryLoaded): _greet,
        (State.GREETING, Hello): _greeted,
        (State.WEIGHING, Actions): _receive,
        (State.WEIGHING, End): _given,
        (State.WEIGHING, SummaryLoaded): _weigh,
        (State.MOVING, Actions): _receive,
        (State.MOVING, Took): Session.acknowledged,
        (State.MOVING, End): _given,
        (State.SKETCHING, SketchLoaded): _ask_sketch,
        (State.SKETCHING, Sketch): _read_sketch,
        (State.ASKING, Compared): _asked,
        (State.ASKING, Reconcile): _answered,
        (State.SETTLING, SummaryLoaded): _ask_proof,
        (State.PROVING, Done): _proved,
    }
