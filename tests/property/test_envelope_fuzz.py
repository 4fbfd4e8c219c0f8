"""The one door: whatever the bytes, an `Action` or a `RemoteError`, nothing else, and never slowly."""

import json
import os
import time
from pathlib import Path

import cbor2
from hypothesis import given, settings
from hypothesis import strategies as st

from hubd.action import cbor, content, envelope, shape
from hubd.action.network import BY_NAME, TESTNET
from hubd.action.principal import contract, parse_address
from hubd.action.signature import Signer
from hubd.action.sip018 import Domain
from hubd.action.statement import Statement, from_fields
from hubd.errors import RemoteError
from hubd.limits import CBOR_ITEMS_MAX, ENVELOPE_BYTES_MAX

VECTORS = Path(__file__).parent.parent / "vectors"
CASES = json.loads((VECTORS / "envelopes.json").read_text())["accept"][:20]
VALID = [
    (bytes.fromhex(case["envelope"]), Domain(BY_NAME[case["network"]], parse_address(case["mesh"]))) for case in CASES
]
SIGNER = Signer(b"\x07" * 32)
TEST_DOMAIN = Domain(TESTNET, contract(SIGNER.principal(TESTNET), "access"))
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
    bare = envelope.without_content(envelope.parse(raw, domain))  # what is left when a third item is not its content
    assert action in (None, bare) or envelope.encode(action) == bytes(mutated)


def test_every_single_flipped_bit_of_an_envelope_is_refused():
    raw, domain = VALID[0]
    for bit in range(len(raw) * 8):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        assert opens(bytes(flipped), domain) is None


def generally(raw, domain):
    """What the general reader, which knows no shape, says of the same bytes."""
    try:
        items = cbor.decode(raw, bytes_max=ENVELOPE_BYTES_MAX, items_max=CBOR_ITEMS_MAX)
        return envelope.from_items(items, domain)
    except RemoteError:
        return None


NUMBERS = st.sampled_from([0, 23, 24, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32, 2**63 - 1])
NAMES = st.sampled_from([b"", b"a", b"ab", b"abc", b"a" * 39, b"a" * 40])


@given(st.data())
@settings(max_examples=EXAMPLES, deadline=None)
def test_every_statement_is_read_by_its_shape_to_what_the_general_reader_finds(data):
    principal = SIGNER.principal(TESTNET)
    other = st.none() | NAMES.map(lambda name: principal + name)
    statement = Statement(
        data.draw(st.text("abcdefgh ~-", min_size=1, max_size=24)), principal,
        *(data.draw(NUMBERS) for _ in range(2)), bytes(8), amount=data.draw(NUMBERS), asset=data.draw(other),
        bits=data.draw(NUMBERS), moment=data.draw(NUMBERS), subject=bytes(range(32)), who=data.draw(other),
    )  # fmt: skip
    body = data.draw(st.none() | st.sampled_from([0, 4, 160, 400]).map(lambda size: {"note": "x" * size}))
    sealed = envelope.seal(statement, SIGNER, TEST_DOMAIN, body and content.seal_content(body, bytes(16)))
    raw = envelope.encode(sealed)
    assert shape.read(raw, TESTNET) is not None
    assert envelope.parse(raw, TEST_DOMAIN) == generally(raw, TEST_DOMAIN) == sealed
    assert envelope.parse(raw, TEST_DOMAIN).header == sealed.header
    assert envelope.encode(envelope.parse(raw, TEST_DOMAIN)) == raw


def test_every_byte_of_an_envelope_changed_to_any_other_is_read_alike_by_shape_and_in_general():
    """Heads and lengths are where two readers could differ; it kills the shape that takes a number longer than need be."""
    plain = SIGNER.principal(TESTNET)
    for fields in ({"amount": 300, "moment": 2**40}, {"asset": plain + b"hours", "bits": 24, "created": 70_000}):
        times = {"created": 5, "expires": 6, **{key: fields.pop(key) for key in ("created",) if key in fields}}
        raw = envelope.seal(Statement("a-kind", plain, salt=bytes(8), **times, **fields), SIGNER, TEST_DOMAIN).header
        for at in range(len(raw) - 65):
            for byte in range(256):
                changed = raw[:at] + bytes([byte]) + raw[at + 1 :]
                assert shapes_agree(changed), (at, byte)


def shapes_agree(raw):
    """Whether what a shape was found in has that shape for the general reader, too, with equal fields."""
    try:
        found = shape.read(raw, TESTNET)
    except RemoteError as error:
        return error.code == "principal"
    if found is None:
        return True
    items = cbor.decode(raw, bytes_max=ENVELOPE_BYTES_MAX, items_max=CBOR_ITEMS_MAX)
    return (from_fields(items[0], TESTNET), items[1]) == found[:2]


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
