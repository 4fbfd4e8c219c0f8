"""Range-based set reconciliation, Negentropy protocol v1: the two sides of a conversation, byte for byte as the
reference implementation speaks (its text leaves the bucket sizes, the list length and the frame cut open).

The initiator opens with fingerprints of sixteen equal buckets. Whoever gets a fingerprint that differs from its own
parts that range further, or lists its ids when they are few. The initiator compares lists and learns what it alone
has and what it needs; it has nothing left to ask when both sets are known to agree, and that is the proof of it.

A side keeps nothing of the set between messages: it is handed the items with each one, and they may have grown.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from hubd.errors import RemoteError
from hubd.gossip.items import Items
from hubd.gossip.ranges import (
    INFINITY,
    VERSION,
    Bound,
    Fingerprint,
    IdList,
    Range,
    Skip,
    Writer,
    bound_between,
    digest,
    parse,
    speaks_our_version,
)
from hubd.limits import RECONCILE_FRAME_BYTES_MAX, RECONCILE_FRAME_BYTES_MIN, RECONCILE_RANGES_AT_ONCE

_BUCKETS = 16
_LISTED_BELOW = 2 * _BUCKETS  # fewer items than this are listed, not parted
_FRAME_SPARE_BYTES = 200  # what may still follow the range that filled a frame
_EMPTY = digest(0, 0)


class Outcome(NamedTuple):
    """What the initiator learned from one answer.

    `reply` is to be sent next; None: the sets are reconciled. `have` are ids that only the initiator has, `need` ids
    that only the other side has; no id is reported twice.
    """

    reply: bytes | None
    have: list[bytes]
    need: list[bytes]


class Initiator:
    """The side that asks. `frame_bytes_max` bounds what it sends (0: unbounded), `message_bytes_max` what it accepts.

    The frame's bound may be another one for each message.
    """

    def __init__(
        self,
        frame_bytes_max: int = RECONCILE_FRAME_BYTES_MAX,
        *,
        message_bytes_max: int = RECONCILE_FRAME_BYTES_MAX,
    ) -> None:
        _check_frame(frame_bytes_max)
        self.frame_bytes_max = frame_bytes_max
        self._message_bytes_max = message_bytes_max
        self._reported: set[bytes] = set()

    def open(self, items: Items) -> bytes:
        """The first message."""
        writer = Writer()
        _describe(writer, items, 0, items.size(), INFINITY)
        return writer.message()

    def handle(self, items: Items, message: bytes) -> Outcome:
        """Take an answer. `RemoteError` for bytes that are no answer of this protocol's version."""
        if not speaks_our_version(message, bytes_max=self._message_bytes_max):
            raise RemoteError("reconcile-version", f"the peer speaks protocol {message[0] - 0x60}")
        answer = _Answer(items, self.frame_bytes_max)
        have: list[bytes] = []
        need: list[bytes] = []
        for step in _steps(items, parse(message, bytes_max=self._message_bytes_max)):
            if isinstance(step.theirs, IdList):
                ours = items.ids(step.lower, step.upper)
                have += self._unreported(ours, step.theirs.ids)
                need += self._unreported(step.theirs.ids, ours)
                answer.agree(step.theirs.bound)
            else:
                answer.compare(step)
            if answer.full:
                break
        return Outcome(answer.message() if answer.says_something else None, have, need)

    def _unreported(self, ids: Sequence[bytes], others: Sequence[bytes]) -> list[bytes]:
        """The ids that the others lack, in their order, less those reported in earlier rounds: a full frame asks again
        for everything behind its last range, even for what was settled before.
        """
        common = set(others)
        found = [id_ for id_ in ids if id_ not in common and id_ not in self._reported]
        self._reported.update(found)
        return found


class Responder:
    """The side that answers. It learns nothing itself and needs no memory of earlier messages."""

    def __init__(
        self,
        frame_bytes_max: int = RECONCILE_FRAME_BYTES_MAX,
        *,
        message_bytes_max: int = RECONCILE_FRAME_BYTES_MAX,
    ) -> None:
        _check_frame(frame_bytes_max)
        self.frame_bytes_max = frame_bytes_max
        self._message_bytes_max = message_bytes_max

    def handle(self, items: Items, message: bytes) -> bytes:
        """The answer; to another version of the protocol, our version alone. `RemoteError` for malformed bytes."""
        if not speaks_our_version(message, bytes_max=self._message_bytes_max):
            return bytes((VERSION,))
        answer = _Answer(items, self.frame_bytes_max)
        for step in _steps(items, parse(message, bytes_max=self._message_bytes_max)):
            if isinstance(step.theirs, IdList):
                answer.list_ids(step)
            else:
                answer.compare(step)
            if answer.full:
                break
        return answer.message()


class _Step(NamedTuple):
    """One range of the other side's message, and the positions of our items in it."""

    theirs: Range
    lower: int
    upper: int
    ours: bytes  # our fingerprint, where they sent theirs


class _Answer:
    """An answer being written: ranges that agree are coalesced into one `Skip`, and the frame's limit is kept."""

    def __init__(self, items: Items, frame_bytes_max: int) -> None:
        self._items = items
        self._size = items.size()
        self._room_bytes = frame_bytes_max - _FRAME_SPARE_BYTES if frame_bytes_max else None
        self._writer = Writer()
        self._agreed: Bound | None = None
        self.full = False

    @property
    def says_something(self) -> bool:
        return len(self._writer) > 1

    def message(self) -> bytes:
        return self._writer.message()

    def agree(self, bound: Bound) -> None:
        """Nothing more to say up to `bound`."""
        self._agreed = bound

    def compare(self, step: _Step) -> None:
        """Answer a fingerprint (or a skip): agree, or describe our side of the range more closely."""
        theirs = step.theirs
        if isinstance(theirs, Skip) or (isinstance(theirs, Fingerprint) and theirs.digest == step.ours):
            self.agree(theirs.bound)
            return
        start = len(self._writer)
        self._skip_agreed()
        _describe(self._writer, self._items, step.lower, step.upper, theirs.bound)
        if self._overflows(len(self._writer)):
            self._writer.cut_back(start)
            self._close(step, step.upper)

    def list_ids(self, step: _Step) -> None:
        """Answer an id list with our own, as far as the frame allows."""
        room = None if self._room_bytes is None else self._room_bytes - len(self._writer)
        self._skip_agreed()
        bound, upper = step.theirs.bound, step.upper
        if room is not None and room // 32 + 1 < upper - step.lower:
            upper = step.lower + room // 32 + 1
            bound = Bound(self._items.key(upper))
        self._writer.id_list(bound, self._items.ids(step.lower, upper))
        if self._overflows(len(self._writer)):
            self._close(step, upper)

    def _skip_agreed(self) -> None:
        if self._agreed is not None:
            self._writer.skip(self._agreed)
            self._agreed = None

    def _overflows(self, length: int) -> bool:
        return self._room_bytes is not None and length > self._room_bytes

    def _close(self, step: _Step, upper: int) -> None:
        """Fill the frame's last range, which reaches from the last one written to infinity.

        The reference takes its fingerprint from `upper` even where the range below had to be left out: a fingerprint
        that is wrong only makes the other side describe its own. But the fingerprint of nothing would be believed by
        a side that has nothing there, and our items left out would never be told; so there it includes them.
        """
        if step.theirs == Fingerprint(INFINITY, _EMPTY):
            upper = step.lower
        self._writer.fingerprint(INFINITY, self._items.fingerprints([(upper, self._size)])[0])
        self.full = True


def _check_frame(frame_bytes_max: int) -> None:
    assert frame_bytes_max == 0 or frame_bytes_max >= RECONCILE_FRAME_BYTES_MIN, "a frame must hold one parted range"


def _steps(items: Items, ranges: Sequence[Range]) -> Iterator[_Step]:
    """The ranges with our items in each, looked up some at a time: a full answer looks up no more."""
    told = [
        each for each, following in pairwise(ranges) if not (isinstance(each, Skip) and isinstance(following, Skip))
    ]
    told += ranges[-1:]
    lower = 0
    for start in range(0, len(told), RECONCILE_RANGES_AT_ONCE):
        part = told[start : start + RECONCILE_RANGES_AT_ONCE]
        ends = [lower, *items.lower_bounds([theirs.bound for theirs in part])]
        asked = [at for at, theirs in enumerate(part) if isinstance(theirs, Fingerprint)]
        ours = dict(zip(asked, items.fingerprints([(ends[at], ends[at + 1]) for at in asked]), strict=True))
        for at, theirs in enumerate(part):
            yield _Step(theirs, ends[at], ends[at + 1], ours.get(at, b""))
        lower = ends[-1]


def _describe(writer: Writer, items: Items, lower: int, upper: int, bound: Bound) -> None:
    """Tell [lower, upper), which ends at `bound`: a list if it is short, otherwise the fingerprints of its buckets."""
    count = upper - lower
    if count < _LISTED_BELOW:
        writer.id_list(bound, items.ids(lower, upper))
        return
    each, larger = divmod(count, _BUCKETS)
    ends = [lower + each * nth + min(nth, larger) for nth in range(_BUCKETS + 1)]
    fingerprints = items.fingerprints(list(pairwise(ends)))  # first: it loads what the keys are then found in
    bounds = [bound_between(items.key(end - 1), items.key(end)) for end in ends[1:-1]]
    for bucket_bound, fingerprint in zip([*bounds, bound], fingerprints, strict=True):
        writer.fingerprint(bucket_bound, fingerprint)
