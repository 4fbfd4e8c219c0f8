"""Whatever the bytes: a frame that encodes back to them, or `RemoteError`."""

import random
from dataclasses import fields

import cbor2
import pytest
from conversations import MESH
from hypothesis import given, settings
from hypothesis import strategies as st

from hubd.action.sip018 import ActionId
from hubd.errors import RemoteError
from hubd.gossip import wire
from hubd.gossip.sketch import SAMPLE_BYTES, SYMBOL_BYTES
from hubd.gossip.wire import decode, encode
from hubd.limits import ENVELOPE_BYTES_MAX, LINK_CODE_CHARS_MAX, SKETCH_SYMBOLS_MAX

seeded = settings(derandomize=True, deadline=None, max_examples=250)

SESSIONS = st.integers(1, wire.SESSION_MAX)
COUNTS = st.integers(0, 2**63 - 1)
DIGESTS = st.binary(min_size=32, max_size=32)
WORDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=24)
PLACES = st.just(wire.NOWHERE) | st.builds(wire.Place, st.integers(1, 2**63 - 1), st.binary(min_size=8, max_size=8))
SYMBOLS = st.integers(0, SKETCH_SYMBOLS_MAX)
BODIES = st.lists(st.binary(min_size=1, max_size=200), min_size=1, max_size=12).map(tuple)
FRAMES = st.one_of(
    st.builds(
        wire.Hello,
        st.integers(1, 0xFFFF),
        st.just(MESH),
        SESSIONS,
        COUNTS,
        DIGESTS,
        PLACES,
        PLACES,
        st.integers(0, 0xFFFF),
    ),
    st.builds(wire.Reconcile, SESSIONS, st.binary(min_size=1, max_size=300)),
    st.builds(wire.Want, SESSIONS, st.lists(DIGESTS.map(ActionId), min_size=1, max_size=20).map(tuple)),
    st.builds(wire.Actions, SESSIONS, BODIES, PLACES),
    st.builds(wire.Took, st.integers(0, wire.SESSION_MAX)),
    st.builds(wire.End, SESSIONS),
    st.builds(wire.Done, SESSIONS, COUNTS, DIGESTS, PLACES),
    st.builds(wire.AskSketch, SESSIONS, SYMBOLS, SYMBOLS, st.sampled_from([b"", bytes(SAMPLE_BYTES)])),
    st.builds(wire.Sketch, SESSIONS, SYMBOLS, st.integers(0, 30).map(lambda count: b"\x07" * SYMBOL_BYTES * count)),
    st.builds(wire.Push, BODIES),
    st.builds(wire.Nudge),
    st.builds(wire.Ping),
    st.builds(wire.Fault, WORDS.map(lambda word: word[:LINK_CODE_CHARS_MAX])),
)


TYPES = {
    "version": int,
    "session": int,
    "count": int,
    "abilities": int,
    "lacking": int,
    "through": int,
    "first": int,
    "amount": int,
    "code": str,
}  # all others: bytes


def judge(raw: bytes) -> str:
    """What the door says; anything but a frame or a `RemoteError` fails the test."""
    try:
        frame = decode(raw)
    except RemoteError as error:
        assert error.code in {"cbor", "frame", "frame-unknown"}
        return error.code
    assert encode(frame) == raw, "two bytes forms of one frame"
    for field in fields(frame):
        value = getattr(frame, field.name)
        if isinstance(value, wire.Place):
            assert [type(item) for item in value] == [int, bytes]
            continue
        for item in value if isinstance(value, tuple) else (value,):
            assert type(item) is TYPES.get(field.name, bytes)
    return "frame"


@seeded
@given(FRAMES)
def test_every_frame_comes_back_from_its_bytes(frame):
    assert decode(encode(frame)) == frame


@seeded
@given(st.binary(max_size=400))
def test_any_bytes_are_judged(raw):
    judge(raw)


@seeded
@given(st.recursive(
    st.none() | st.booleans() | st.integers(-(2**65), 2**65) | st.floats() | st.text(max_size=9) | st.binary(max_size=40),
    lambda inner: st.lists(inner, max_size=9) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
))  # fmt: skip
def test_any_cbor_is_judged(value):
    judge(cbor2.dumps(value))
    judge(cbor2.dumps([value]))


@pytest.mark.parametrize("seed", range(8))
def test_frames_with_a_few_bytes_changed_are_judged(seed):
    """Kills the mutant that takes text for bytes."""
    chance = random.Random(seed)
    frames = [
        wire.Hello(1, MESH, 5, 10, bytes(32), wire.NOWHERE, wire.Place(7, b"\x44" * 8), 3),
        wire.Want(5, (ActionId(b"\x22" * 32),) * 3),
        wire.Actions(5, (b"abc", b"d" * 300)),
        wire.Done(5, 10, b"\x33" * 32, wire.Place(300, b"\x44" * 8)),
        wire.AskSketch(5, 0, 0, bytes(SAMPLE_BYTES)),
        wire.Sketch(5, 0, b"\x55" * SYMBOL_BYTES * 3),
        wire.AskContent((ActionId(b"\x22" * 32),) * 2),
        wire.Content(2, (b"abc" * 30,)),
        wire.HaveContent((ActionId(b"\x22" * 32),) * 2),
        wire.Push((b"e" * ENVELOPE_BYTES_MAX,)),
    ]
    verdicts = set()
    for _ in range(400):
        raw = bytearray(encode(chance.choice(frames)))
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(min(len(raw), 80))
            change = chance.randrange(4)
            if change == 0:
                raw[at] = chance.randrange(256)
            elif change == 1:
                raw[at] ^= 1 << chance.randrange(8)
            elif change == 2:
                del raw[at : at + chance.randint(1, 5)]
            else:
                raw[at:at] = chance.randbytes(chance.randint(1, 5))
        verdicts.add(judge(bytes(raw)))
    assert {"cbor", "frame"} <= verdicts
