"""Two sides of a reconciliation in one process, the reference's transcripts, and a plain second set of items."""

import json
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from hubd.gossip.items import Items
from hubd.gossip.negentropy import Initiator, Responder
from hubd.gossip.ranges import key

Pair = tuple[int, bytes]
UNBOUNDED_BYTES = 2**30  # the reference's own limit on a message is none


class Talk(NamedTuple):
    """A finished conversation."""

    have: list[bytes]
    need: list[bytes]
    messages: list[bytes]

    @property
    def rounds(self) -> int:
        return len(self.messages) // 2


def talk(ours: Items, theirs: Items, our_frame: int = 0, their_frame: int = 0, *, rounds_max: int = 2000) -> Talk:
    """Reconcile to the end; the initiator's side first. A conversation that does not end is an `AssertionError`."""
    initiator = Initiator(our_frame, message_bytes_max=UNBOUNDED_BYTES)
    responder = Responder(their_frame, message_bytes_max=UNBOUNDED_BYTES)
    result = Talk([], [], [initiator.open(ours)])
    for _ in range(rounds_max):
        result.messages.append(responder.handle(theirs, result.messages[-1]))
        reply, have, need = initiator.handle(ours, result.messages[-1])
        result.have.extend(have)
        result.need.extend(need)
        if reply is None:
            return result
        result.messages.append(reply)
    raise AssertionError(f"no end after {rounds_max} rounds")


def finds_the_difference(result: Talk, ours: Iterable[Pair], theirs: Iterable[Pair]) -> bool:
    """Whether exactly the true differences were reported, each once."""
    mine, other = {id_ for _, id_ in ours}, {id_ for _, id_ in theirs}
    return sorted(result.have) == sorted(mine - other) and sorted(result.need) == sorted(other - mine)


def numbered_id(number: int) -> bytes:
    return sha256(b"item %d" % number).digest()


@cache
def transcripts() -> list[dict[str, Any]]:
    path = Path(__file__).parent / "vectors" / "negentropy-transcripts.json"
    cases: list[dict[str, Any]] = json.loads(path.read_text())["cases"]
    return cases


def recorded_pairs(items: Sequence[Sequence[Any]]) -> list[Pair]:
    return [(created, bytes.fromhex(id_)) for created, id_ in items]


def is_recorded(message: bytes, recorded: Sequence[Any]) -> bool:
    """Whether a message equals a transcript's entry: [side, hex], or [side, null, sha256, length] for a long one."""
    if recorded[1] is not None:
        return message.hex() == recorded[1]
    return (sha256(message).hexdigest(), len(message)) == (recorded[2], recorded[3])


class PlainItems:
    """The same port, written as naively as the specification reads; `order` is there to be made wrong."""

    def __init__(self, pairs: Iterable[Pair], order: Callable[[Pair], Any] = lambda pair: key(*pair)) -> None:
        self._pairs = sorted(pairs, key=order)

    def size(self) -> int:
        return len(self._pairs)

    def lower_bounds(self, bounds: Sequence[bytes]) -> list[int]:
        padded = [bound.ljust(40, b"\0") for bound in bounds]
        return [
            next((at for at, pair in enumerate(self._pairs) if key(*pair) >= bound), len(self._pairs))
            for bound in padded
        ]

    def fingerprints(self, spans: Sequence[tuple[int, int]]) -> list[bytes]:
        found = []
        for lower, upper in spans:
            total = sum(int.from_bytes(id_, "little") for id_ in self.ids(lower, upper)) % 2**256
            assert upper - lower < 128**2, "two digits are enough for a test"
            high, low = divmod(upper - lower, 128)
            count = bytes([high | 128, low]) if high else bytes([low])
            found.append(sha256(total.to_bytes(32, "little") + count).digest()[:16])
        return found

    def key(self, position: int) -> bytes:
        return key(*self._pairs[position])

    def ids(self, lower: int, upper: int) -> list[bytes]:
        return [id_ for _, id_ in self._pairs[lower:upper]]
