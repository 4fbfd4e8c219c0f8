"""Coded symbols against a second implementation that is written as the page reads, and against symbols that lie."""

import random
import re
from collections import Counter
from fractions import Fraction
from hashlib import sha256
from itertools import pairwise, product
from math import floor
from pathlib import Path

import pytest

from hubd.action.sip018 import ActionId
from hubd.errors import RemoteError
from hubd.gossip import sketch
from hubd.gossip.sketch import SAMPLE_SYMBOLS, SYMBOL_BYTES, Symbols, decode, estimate, mapping, sample
from hubd.limits import SKETCH_SYMBOLS_MAX

PAGE = Path(__file__).parents[3] / "docs" / "wire.md"


def numbered(number):
    return ActionId(sha256(b"item %d" % number).digest())


def symbols_of(ids):
    symbols = Symbols()
    symbols.add(ids)
    return symbols


def plain_root(number):
    low, high = 0, 2**32
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle * middle <= number else (low, middle)
    return low


def plain_mapping(id_, below):
    state = int.from_bytes(sha256(id_).digest()[:8], "big")
    place, found = 0, []
    while place < below:
        found.append(place)
        state = state * 0xDA942042E4DD58B5 % 2**64
        stretch = Fraction(2**32, plain_root(state) + 1)
        place = place + 1 + floor((place + Fraction(3, 2)) * (stretch - 1))
    return found


def plain_symbols(ids, count):
    cells = [(bytes(40), 0)] * count
    for id_ in ids:
        for at in plain_mapping(id_, count):
            item = id_ + sha256(id_).digest()[:8]
            cells[at] = (bytes(x ^ y for x, y in zip(cells[at][0], item, strict=True)), cells[at][1] + 1)
    return b"".join(cell + (number % 65_536).to_bytes(2, "big") for cell, number in cells)


def test_symbols_are_those_of_the_plain_implementation():
    ids = [numbered(n) for n in range(300)]
    assert symbols_of(ids).to_bytes() == plain_symbols(ids, SKETCH_SYMBOLS_MAX)


def test_the_vectors_of_the_page_are_those_of_both_implementations():
    rows = re.findall(r"^\| `item (\d+)` \| `([0-9a-f]{16})` \| ([\d, ]+) \|$", PAGE.read_text(), re.MULTILINE)
    assert len(rows) == 4
    for number, checksum, places in rows:
        id_ = numbered(int(number))
        wanted = [int(place) for place in places.split(", ")]
        assert sha256(id_).hexdigest()[:16] == checksum
        assert plain_mapping(id_, SKETCH_SYMBOLS_MAX) == mapping(int(checksum, 16), SKETCH_SYMBOLS_MAX) == wanted
    [whole] = re.findall(r"1,024 symbols of `item 0` to `item 99`.*?`([0-9a-f]{64})`", PAGE.read_text(), re.DOTALL)
    hundred = [numbered(n) for n in range(100)]
    assert sha256(plain_symbols(hundred, 1024)).hexdigest() == whole
    assert sha256(symbols_of(hundred).to_bytes()).hexdigest() == whole


def test_no_draw_stands_still_whatever_the_state():
    for checksum in (0, 1, 2**64 - 1, pow(sketch._MULTIPLIER, -1, 2**64) * (2**64 - 1) % 2**64):
        places = mapping(checksum, SKETCH_SYMBOLS_MAX)
        assert places[0] == 0
        assert all(before < after for before, after in pairwise(places))


def test_a_symbol_holds_as_many_ids_as_the_paper_says():
    """Kills the mutant that draws the root from the unmultiplied state of before."""
    found = Counter(place for n in range(8_000) for place in mapping(n * 0x9E3779B97F4A7C15 % 2**64, 256))
    for start in (3, 16, 64, 128):
        places = range(start, 2 * start)
        assert sum(found[at] for at in places) / 8_000 == pytest.approx(sum(2 / (2 + at) for at in places), rel=0.05)


def test_order_and_portions_change_nothing_and_what_is_removed_was_never_there():
    ids = [numbered(n) for n in range(60)]
    parts = symbols_of(ids[40:])
    parts.add(reversed(ids[:50]))
    parts.remove(ids[40:50])
    assert parts.to_bytes() == symbols_of(ids).to_bytes()
    kept = Symbols.from_bytes(parts.to_bytes())
    kept.add([numbered(99)])
    assert kept.to_bytes() == symbols_of([*ids, numbered(99)]).to_bytes()
    assert kept.slice(5, 7) == kept.to_bytes()[5 * SYMBOL_BYTES : 12 * SYMBOL_BYTES]


@pytest.mark.parametrize("where", list(product(["none", "a", "b", "both"], repeat=3)), ids="-".join)
def test_all_small_sets_tell_their_difference(where):
    """Kills the mutant that takes a count of 2 for one id."""
    a = {numbered(n) for n, place in enumerate(where) if place in ("a", "both")}
    b = {numbered(n) for n, place in enumerate(where) if place in ("b", "both")}
    found = decode(symbols_of(a).slice(0, 64), symbols_of(b).slice(0, 64))
    assert (sorted(found.have), sorted(found.need)) == (sorted(a - b), sorted(b - a))


@pytest.mark.parametrize("count", [0, 1, 12, 100, 500])
def test_the_estimate_is_near_however_the_difference_is_shared_out(count):
    common = [numbered(n) for n in range(2_000)]
    off = []
    for ours in {0, count // 3, count}:
        a, b = symbols_of(common), symbols_of(common)
        a.add(numbered(10_000 + n) for n in range(ours))
        b.add(numbered(20_000 + n) for n in range(count - ours))
        off.append(estimate(sample(a.to_bytes()), sample(b.slice(0, 1 + SAMPLE_SYMBOLS))) - count)
    assert max(map(abs, off)) <= count * 0.45 + 3


def test_too_few_symbols_tell_that_they_are_too_few():
    ids = [numbered(n) for n in range(200)]
    assert decode(symbols_of(ids).slice(0, 150), Symbols().slice(0, 150)) is None
    assert decode(symbols_of(ids).slice(0, 400), Symbols().slice(0, 400)) is not None


def test_half_a_symbol_is_refused():
    with pytest.raises(RemoteError) as refused:
        decode(bytes(41), bytes(41))
    assert refused.value.code == "sketch"


def test_an_id_that_is_told_twice_is_a_contradiction():
    """Kills the mutant that peels without remembering what it took."""
    theirs = bytearray(Symbols().slice(0, 8))
    lonely = symbols_of([numbered(1)]).slice(0, 1)
    for at in (2, 5):
        theirs[at * SYMBOL_BYTES : (at + 1) * SYMBOL_BYTES] = lonely
    with pytest.raises(RemoteError) as refused:
        decode(Symbols().slice(0, 8), bytes(theirs))
    assert refused.value.code == "sketch"


def test_ids_that_are_missing_from_a_symbol_of_theirs_are_no_result():
    chance = random.Random(5)
    lonely = [symbols_of([numbered(n)]).slice(0, 1) for n in range(6)]
    verdicts = set()
    for _ in range(300):
        theirs = b"".join(chance.choices([bytes(SYMBOL_BYTES), *lonely], [6, *[1] * 6], k=chance.randint(1, 6)))
        count = len(theirs) // SYMBOL_BYTES
        try:
            found = decode(Symbols().slice(0, count), theirs)
        except RemoteError:
            verdicts.add("refused")
        else:
            verdicts.add("more" if found is None else "told")
            assert found is None or symbols_of(found.need).slice(0, count) == theirs
    assert verdicts == {"refused", "more", "told"}
