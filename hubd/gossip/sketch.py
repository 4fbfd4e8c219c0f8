"""Sketches: what two sets differ in, from bytes in proportion to the difference and not to the sets.

A set has an endless sequence of *coded symbols*; this is its beginning. A symbol adds up the ids that are mapped to it:
all their bits (exclusive or), all their checksums (likewise) and their number. The symbols of two sets, subtracted, are
those of their difference, for what both have cancels out. A symbol with one id left tells that id, which is then taken
out of its other symbols, and so on: 1.35 to 1.7 symbols are enough for each difference.

Source: Yang, Gilad, Alizadeh, "Practical Rateless Set Reconciliation" (arXiv 2402.02668). There, too, symbol i holds an id
with a chance of about 1/(1+i/2), and the next symbol of an id is drawn by inverting the distribution. Here the draw is
arithmetic of whole numbers, so that every machine and every language maps an id alike (docs/wire.md has vectors).

Nothing here is keyed, so that a set's symbols can be kept. Whoever grinds ids can spoil a sketch; then its peeling ends
without a result or with `RemoteError`, after bounded work, and reconciliation does without it.
"""

from collections.abc import Iterable
from hashlib import sha256
from math import isqrt
from typing import NamedTuple

from hubd.action.sip018 import ActionId
from hubd.errors import RemoteError
from hubd.limits import SKETCH_SYMBOLS_MAX

ID_BYTES = 32
CHECKSUM_BYTES = 8
COUNT_BYTES = 2
SYMBOL_BYTES = ID_BYTES + CHECKSUM_BYTES + COUNT_BYTES
SAMPLE_SYMBOLS = 128  # whose counts tell about how many differences there are, give or take an eighth
SAMPLE_BYTES = (1 + SAMPLE_SYMBOLS) * COUNT_BYTES  # with symbol 0, which counts the whole set

_CHECKSUM_BITS = 8 * CHECKSUM_BYTES
_CHECKSUM_MASK = (1 << _CHECKSUM_BITS) - 1
_CELL_BYTES = ID_BYTES + CHECKSUM_BYTES
_COUNT_MODULUS = 1 << 8 * COUNT_BYTES
_MULTIPLIER = 0xDA942042E4DD58B5  # of the draw: the one of the authors' own implementation


class Difference(NamedTuple):
    """What two sets differ in."""

    have: list[ActionId]  # only we have these
    need: list[ActionId]  # only the other side has these


class Symbols:
    """The first `SKETCH_SYMBOLS_MAX` coded symbols of a set that grows. Adding an id takes 5 us, and thirteen symbols."""

    def __init__(self) -> None:
        self._cells = [0] * SKETCH_SYMBOLS_MAX  # ids and checksums, summed
        self._counts = [0] * SKETCH_SYMBOLS_MAX

    def add(self, ids: Iterable[ActionId]) -> None:
        """Put ids into the set. One that is in it already would be lost instead: the caller knows its set."""
        self._toggle(ids, 1)

    def remove(self, ids: Iterable[ActionId]) -> None:
        """Take ids out of the set that are in it."""
        self._toggle(ids, -1)

    def slice(self, first: int, count: int) -> bytes:
        """Symbols [first, first + count) as they travel."""
        assert 0 <= first < first + count <= SKETCH_SYMBOLS_MAX, "within the kept symbols"
        span = slice(first, first + count)
        return b"".join(
            [
                cell.to_bytes(_CELL_BYTES, "big") + (number % _COUNT_MODULUS).to_bytes(COUNT_BYTES, "big")
                for cell, number in zip(self._cells[span], self._counts[span], strict=True)
            ]
        )

    def to_bytes(self) -> bytes:
        """All of it, to be kept."""
        return self.slice(0, SKETCH_SYMBOLS_MAX)

    @classmethod
    def from_bytes(cls, raw: bytes) -> "Symbols":
        """What `to_bytes` gave."""
        assert len(raw) == SKETCH_SYMBOLS_MAX * SYMBOL_BYTES, "all symbols"
        symbols = cls()
        symbols._cells, symbols._counts = _parts(raw)
        return symbols

    def _toggle(self, ids: Iterable[ActionId], step: int) -> None:
        cells, counts = self._cells, self._counts
        for id_ in ids:
            checksum = sha256(id_).digest()[:CHECKSUM_BYTES]
            value = int.from_bytes(id_ + checksum, "big")
            state = int.from_bytes(checksum, "big")
            at = 0
            while at < SKETCH_SYMBOLS_MAX:  # `mapping`, written out: a million ids take 4 s instead of 7
                cells[at] ^= value
                counts[at] += step
                state = state * _MULTIPLIER & _CHECKSUM_MASK
                root = isqrt(state) + 1
                at = ((2 * at + 3 << 32) - root) // (2 * root)


def mapping(checksum: int, symbols_max: int) -> list[int]:
    """The symbols below `symbols_max` that an id with this checksum is in. Every id is in symbol 0."""
    found = []
    at, state = 0, checksum
    while at < symbols_max:
        found.append(at)
        state = state * _MULTIPLIER & _CHECKSUM_MASK
        root = isqrt(state) + 1
        at = ((2 * at + 3 << 32) - root) // (2 * root)
    return found


def sample(symbols: bytes) -> bytes:
    """The counts alone of symbols 0 to `SAMPLE_SYMBOLS`, of which these are at least so many."""
    return b"".join(
        [symbols[at * SYMBOL_BYTES + _CELL_BYTES : (at + 1) * SYMBOL_BYTES] for at in range(1 + SAMPLE_SYMBOLS)]
    )


def estimate(ours: bytes, theirs: bytes) -> int:
    """About how many ids two sets differ in, from a `sample` of either.

    Of d differences, those of ours less those of theirs being s, symbol i has n with a chance of p = 2/(2+i) each: the
    two counts differ by s*p on average, with a variance of d*p*(1-p). Each symbol's square is so an estimate of d.
    """
    surplus, *differences = [_signed(ours, theirs, at) for at in range(0, SAMPLE_BYTES, COUNT_BYTES)]
    squares = [(((2 + at) * each - 2 * surplus) ** 2, 2 * at) for at, each in enumerate(differences, 1)]
    found = sum(-(-square // divisor) for square, divisor in squares) // SAMPLE_SYMBOLS
    return max(found, abs(surplus))


def decode(ours: bytes, theirs: bytes) -> Difference | None:
    """The difference of two sets from equally many of the first symbols of either; None: more symbols are needed.

    `RemoteError("sketch")` for symbols that no two sets have: an id that is told twice, or more ids than symbols.
    """
    assert len(ours) == len(theirs), "as many of ours as of theirs"
    our_cells, our_counts = _parts(ours)
    their_cells, their_counts = _parts(theirs)
    cells = [mine ^ other for mine, other in zip(our_cells, their_cells, strict=True)]
    counts = [(mine - other) % _COUNT_MODULUS for mine, other in zip(our_counts, their_counts, strict=True)]
    result = Difference([], [])
    sides = {1: result.have, _COUNT_MODULUS - 1: result.need}
    told: set[int] = set()
    waiting = list(range(len(cells)))
    while waiting:
        at = waiting.pop()
        side, value = sides.get(counts[at]), cells[at]
        if side is None or not _is_one_id(value):
            continue
        if value in told or len(told) == len(cells):
            raise RemoteError("sketch", "symbols that contradict each other")
        told.add(value)
        side.append(ActionId((value >> _CHECKSUM_BITS).to_bytes(ID_BYTES, "big")))
        step = counts[at]
        for other in mapping(value & _CHECKSUM_MASK, len(cells)):
            cells[other] ^= value
            counts[other] = (counts[other] - step) % _COUNT_MODULUS
            waiting.append(other)
    if any(cells) or any(counts):
        return None
    return result


def _is_one_id(value: int) -> bool:
    checksum = sha256((value >> _CHECKSUM_BITS).to_bytes(ID_BYTES, "big")).digest()[:CHECKSUM_BYTES]
    return int.from_bytes(checksum, "big") == value & _CHECKSUM_MASK


def _parts(symbols: bytes) -> tuple[list[int], list[int]]:
    if len(symbols) % SYMBOL_BYTES:
        raise RemoteError("sketch", "no whole number of symbols")
    starts = range(0, len(symbols), SYMBOL_BYTES)
    cells = [int.from_bytes(symbols[at : at + _CELL_BYTES], "big") for at in starts]
    counts = [int.from_bytes(symbols[at + _CELL_BYTES : at + SYMBOL_BYTES], "big") for at in starts]
    return cells, counts


def _signed(ours: bytes, theirs: bytes, at: int) -> int:
    mine, other = (int.from_bytes(each[at : at + COUNT_BYTES], "big") for each in (ours, theirs))
    half = _COUNT_MODULUS // 2
    return (mine - other + half) % _COUNT_MODULUS - half
