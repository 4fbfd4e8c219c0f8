"""Any two sets tell their difference by a few symbols more than it is large; no symbols make the reader work for long."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from hubd.action.sip018 import ActionId
from hubd.errors import RemoteError
from hubd.gossip import sketch
from hubd.gossip.sketch import SYMBOL_BYTES, Symbols, decode

seeded = settings(derandomize=True, deadline=None, max_examples=60)


def symbols_of(ids):
    symbols = Symbols()
    symbols.add(ids)
    return symbols


@seeded
@given(ours=st.integers(0, 250), theirs=st.integers(0, 250), seed=st.integers(0, 2**64))
def test_any_two_sets_that_differ_in_500_tell_it_by_the_symbols_the_paper_names(ours, theirs, seed):
    chance = random.Random(seed)
    have = {ActionId(chance.randbytes(32)) for _ in range(ours)}
    need = {ActionId(chance.randbytes(32)) for _ in range(theirs)}
    common = [ActionId(chance.randbytes(32)) for _ in range(chance.randrange(100))]
    a, b = symbols_of([*common, *have]), symbols_of([*need, *common])
    count = (ours + theirs) * 17 // 10 + 24  # 1.35 to 1.7 each, and a few for luck where they are few
    found = decode(a.slice(0, count), b.slice(0, count))
    assert found is not None
    assert (set(found.have), set(found.need)) == (have, need)
    assert len(found.have) + len(found.need) == ours + theirs


@seeded
@given(sets=st.tuples(*[st.sets(st.binary(min_size=32, max_size=32), max_size=12)] * 2), count=st.integers(1, 200))
def test_ids_of_any_shape_are_told_wholly_or_not_at_all(sets, count):
    a, b = sets
    found = decode(symbols_of(a).slice(0, count), symbols_of(b).slice(0, count))
    assert found is None or (set(found.have), set(found.need)) == (a - b, b - a)


class Counted:
    """A checksum that counts how often it is asked for: the work of a decoder."""

    def __init__(self) -> None:
        self.times = 0
        self._really = sketch._is_one_id

    def __call__(self, value: int) -> bool:
        self.times += 1
        return self._really(value)


def hostile(chance: random.Random, count: int) -> bytes:
    """Symbols that no set has: torn from several sets, repeated, with wrong counts, or plain noise."""
    sets = [symbols_of(chance.randbytes(32) for _ in range(chance.choice([1, 2, 9]))).slice(0, count) for _ in range(4)]
    cells = []
    for at in range(count):
        place = chance.choice([at, 0, chance.randrange(count)])
        cell = bytearray(chance.choice(sets)[place * SYMBOL_BYTES : (place + 1) * SYMBOL_BYTES])
        change = chance.randrange(5)
        if change == 0:
            cell[-2:] = chance.choice([b"\0\1", b"\xff\xff", b"\0\0", b"\0\2"])
        elif change == 1:
            cell = bytearray(chance.randbytes(SYMBOL_BYTES))
        cells.append(bytes(cell))
    return b"".join(cells)


@settings(seeded, max_examples=300)
@given(chance=st.randoms(use_true_random=False), count=st.integers(1, 150))
def test_symbols_that_lie_end_in_nothing_or_a_refusal_after_bounded_work(chance, count):
    """Kills the mutant that peels without remembering what it took (it runs for ever)."""
    counted = sketch._is_one_id = Counted()
    ours, theirs = symbols_of([chance.randbytes(32) for _ in range(20)]).slice(0, count), hostile(chance, count)
    try:
        found = decode(ours, theirs)
    except RemoteError as error:
        assert error.code == "sketch"
    else:
        assert found is None or len({*found.have, *found.need}) <= count
    finally:
        sketch._is_one_id = counted._really
    assert counted.times <= count + count * 40
