"""The one door: whatever the bytes, an `Action` or a `RemoteError`, nothing else, and never slowly."""

import json
import os
import time
from pathlib import Path

import cbor2
from hypothesis import given, settings
from hypothesis import strategies as st

from hubd.action import cbor, envelope
from hubd.action.network import BY_NAME
from hubd.action.principal import parse_address
from hubd.action.sip018 import Domain
from hubd.errors import RemoteError

VECTORS = Path(__file__).parent.parent / "vectors"
CASES = json.loads((VECTORS / "envelopes.json").read_text())["accept"][:20]
VALID = [
    (bytes.fromhex(case["envelope"]), Domain(BY_NAME[case["network"]], parse_address(case["mesh"]))) for case in CASES
]
EXAMPLES = 5_000 if os.environ.get("HUBD_CAMPAIGN") else 300


def opens(raw, domain):
    """The action, or None for a refusal. Any other exception escapes and fails the test."""
    try:
        return envelope.parse(raw, domain)
    except RemoteError as error:
        assert error.code in {"cbor", "envelope", "statement", "principal", "signature", "author", "content"}
        return None


@given(st.binary(max_size=600))
@settings(max_examples=EXAMPLES, deadline=None)
def test_random_bytes_are_refused(raw):
    assert opens(raw, VALID[0][1]) is None


@given(st.data())
@settings(max_examples=EXAMPLES, deadline=None)
def test_a_mutated_envelope_is_refused_or_is_the_same_action(data):
    raw, domain = data.draw(st.sampled_from(VALID))
    mutated = bytearray(raw)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(mutated) - 1))
        match data.draw(st.integers(0, 3)):
            case 0:
                mutated[at] ^= 1 << data.draw(st.integers(0, 7))
            case 1:
                del mutated[at]
            case 2:
                mutated.insert(at, data.draw(st.integers(0, 255)))
            case _:
                mutated[at:] = mutated[at:] + mutated[:at]
        if not mutated:
            return
    action = opens(bytes(mutated), domain)
    assert action is None or envelope.encode(action) == bytes(mutated)


def test_every_single_flipped_bit_of_an_envelope_is_refused():
    raw, domain = VALID[0]
    for bit in range(len(raw) * 8):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        assert opens(bytes(flipped), domain) is None


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**64 - 1) | st.binary(max_size=80) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=13) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=30,
)


@given(VALUES)
@settings(max_examples=EXAMPLES, deadline=None)
def test_any_decodable_shape_is_judged_without_surprise(value):
    opens(cbor2.dumps(value, canonical=True), VALID[0][1])


@given(VALUES)
@settings(max_examples=EXAMPLES, deadline=None)
def test_the_profile_accepts_what_a_deterministic_encoder_writes(value):
    raw = cbor2.dumps(value, canonical=True)
    try:
        decoded = cbor.decode(raw, depth_max=40)
    except RemoteError as error:
        assert "too many items" in error.detail or "tag" in error.detail  # bounds, and integers beyond 64 bits
    else:
        assert decoded == value


@given(st.binary(max_size=200))
@settings(max_examples=EXAMPLES, deadline=None)
def test_what_the_profile_accepts_is_the_one_encoding_of_its_value(raw):
    try:
        value = cbor.decode(raw)
    except RemoteError:
        return
    assert cbor2.dumps(value, canonical=True) == raw


def test_hostile_cbor_costs_next_to_nothing():
    cases = json.loads((VECTORS / "cbor-hostile.json").read_text())["cases"]
    started = time.process_time()
    for case in cases:
        assert opens(bytes.fromhex(case["hex"]), VALID[0][1]) is None
    assert time.process_time() - started < 0.5
