"""The rung of sketches, as the two sides of a session climb it: how many symbols to tell, and what they told."""

from hubd.errors import RemoteError
from hubd.gossip.sketch import SYMBOL_BYTES, Difference, decode, estimate, sample
from hubd.gossip.wire import AskSketch, Sketch
from hubd.limits import SKETCH_ASKS_MAX, SKETCH_DIFFERENCES_MAX, SKETCH_SYMBOLS_MAX

_SPARE = 16  # symbols for luck: two differences may need five
_MORE_PART = 4  # a second helping is a quarter of what there is


def symbols_for(differences: int) -> int:
    """How many symbols tell so many differences, four times in five; 0: too many for any sketch."""
    if differences > SKETCH_DIFFERENCES_MAX:
        return 0
    return min(differences * 3 // 2 + _SPARE, SKETCH_SYMBOLS_MAX)


class Reader:
    """The initiator's side, over the symbols of our own set."""

    def __init__(self, session: int, ours: bytes) -> None:
        self._session = session
        self._ours = ours
        self._theirs = b""
        self._wanted = 0  # symbols; 0: as many as the peer thinks fit

    def open(self) -> AskSketch:
        """The first question."""
        return AskSketch(self._session, 0, 0, sample(self._ours))

    def read(self, frame: Sketch) -> AskSketch | Difference | None:
        """What symbols told: the difference, or what to ask next; None: a sketch cannot tell it.

        Symbols that contradict each other are nobody's fault: whoever writes actions may have ground their ids.
        """
        told = len(frame.symbols) // SYMBOL_BYTES
        if frame.first * SYMBOL_BYTES != len(self._theirs) or self._wanted not in {0, told}:
            raise RemoteError("order", "other symbols than were asked for")
        if not told:
            return None
        self._theirs += frame.symbols
        try:
            difference = decode(self._ours[: len(self._theirs)], self._theirs)
        except RemoteError:
            return None
        told += frame.first
        self._wanted = min(max(told // _MORE_PART, _SPARE), SKETCH_SYMBOLS_MAX - told)
        if difference is None and self._wanted:
            return AskSketch(self._session, told, self._wanted, b"")
        return difference


class Teller:
    """The responder's side: all its answers are of one reading of its set."""

    def __init__(self) -> None:
        self._ours = b""
        self._asked: AskSketch | None = None
        self._asks = 0

    @property
    def is_asked(self) -> bool:
        """A question waits for our symbols."""
        return self._asked is not None

    def asked(self, frame: AskSketch) -> Sketch | None:
        """Take a question; None: our symbols are needed first."""
        self._asks += 1
        if self._asked is not None or self._asks > SKETCH_ASKS_MAX:
            raise RemoteError("order", "asked again before the answer, or too often")
        if bool(frame.sample) != (frame.first == frame.amount == 0) or frame.first + frame.amount > SKETCH_SYMBOLS_MAX:
            raise RemoteError("order", "no question about symbols")
        self._asked = frame
        return self._answer() if self._ours else None

    def loaded(self, ours: bytes) -> Sketch:
        """Our symbols."""
        self._ours = ours
        return self._answer()

    def _answer(self) -> Sketch:
        frame, self._asked = self._asked, None
        assert frame is not None, "asked before"
        count = frame.amount or symbols_for(estimate(sample(self._ours), frame.sample))
        symbols = self._ours[frame.first * SYMBOL_BYTES : (frame.first + count) * SYMBOL_BYTES]
        return Sketch(frame.session, frame.first, symbols)
