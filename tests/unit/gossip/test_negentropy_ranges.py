"""The reader is stricter than the reference's, and reads whatever the writer writes."""

from functools import partial

import pytest

from hubd.errors import RemoteError
from hubd.gossip import ranges
from hubd.gossip.ranges import (
    INFINITY,
    START,
    Bound,
    Fingerprint,
    IdList,
    Skip,
    Writer,
    bound_between,
    digest,
    key,
    varint,
)
from hubd.limits import RECONCILE_LINK_BYTES_MAX

parse = partial(ranges.parse, bytes_max=RECONCILE_LINK_BYTES_MAX)
ID = bytes(range(32))
OTHER_ID = bytes(range(1, 33))
BEYOND_U64 = bytes.fromhex("82808080808080808000")
LARGEST_TIME = bytes.fromhex("81ffffffffffffffff7f")  # offset 2^64 - 2: created = 2^64 - 2


@pytest.mark.parametrize(
    ("number", "digits"),
    [
        (0, "00"),
        (1, "01"),
        (127, "7f"),
        (128, "8100"),
        (16383, "ff7f"),
        (16384, "818000"),
        (2**64 - 1, "81ffffffffffffffff7f"),
    ],
)
def test_varints_are_base_128_with_the_most_significant_digit_first(number, digits):
    assert varint(number).hex() == digits


@pytest.mark.parametrize(
    ("why", "body"),
    [
        ("bound cut off", b"\x05"),
        ("mode cut off", b"\x05\x00"),
        ("id prefix cut off", b"\x05\x20" + bytes(31)),
        ("id prefix above 32 bytes", b"\x05\x21" + bytes(33) + b"\x00"),
        ("fingerprint cut off", b"\x00\x00\x01" + bytes(15)),
        ("fingerprint too long", b"\x00\x00\x01" + bytes(17)),
        ("id list without a length", b"\x00\x00\x02"),
        ("id list cut off", b"\x00\x00\x02\x02" + ID + OTHER_ID[:31]),
        ("id list longer than memory", b"\x00\x00\x02" + varint(2**64 - 1) + ID),
        ("an id twice in one list", b"\x00\x00\x02\x02" + ID + ID),
        ("an id twice in two lists", b"\x05\x00\x02\x01" + ID + b"\x00\x00\x02\x01" + ID),
        ("unknown mode", b"\x00\x00\x03"),
        ("mode padded", b"\x00\x00\x80\x01"),
        ("varint padded", b"\x80\x05\x00\x00"),
        ("time beyond 64 bits in one step", BEYOND_U64 + b"\x00\x00"),
        ("mode beyond 64 bits", b"\x05\x00" + BEYOND_U64),
        ("id list beyond 64 bits", b"\x00\x00\x02" + BEYOND_U64),
        ("varint without end", b"\xff" * 4000),
        ("time beyond 64 bits", b"\x05\x00\x00" + LARGEST_TIME + b"\x00\x00"),
        ("infinity not written as infinity", LARGEST_TIME + b"\x00\x00" + b"\x02\x00\x00"),
        ("infinity with an id prefix", b"\x00\x01\xaa\x00"),
        ("empty range at the start", b"\x01\x00\x00"),
        ("same bound twice", b"\x05\x00\x00\x01\x00\x00"),
        ("same bound and prefix twice", b"\x05\x01\xaa\x00\x01\x01\xaa\x00"),
        ("bounds that descend", b"\x05\x01\xaa\x00\x01\x01\xa9\x00"),
        ("a bound after infinity", b"\x00\x00\x00\x05\x00\x00"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_no_honest_peer_writes_is_refused(why, body):
    with pytest.raises(RemoteError) as refusal:
        parse(b"\x61" + body)
    assert refusal.value.code == "reconcile", why


def test_a_message_may_be_empty():
    assert parse(b"\x61") == []


def test_the_largest_time_is_one_below_infinity():
    (skip,) = parse(b"\x61" + LARGEST_TIME + b"\x00\x00")
    assert skip.bound == (2**64 - 2).to_bytes(8, "big")


def test_infinity_may_come_twice_as_the_reference_closes_a_full_frame():
    assert parse(bytes.fromhex("61000000000000")) == [Skip(INFINITY), Skip(INFINITY)]


def test_prefixes_padded_with_zeros_mean_what_they_mean_without():
    padded = b"\x05\x20\xaa" + bytes(31) + b"\x00" + b"\x01\x01\xab\x00" + b"\x00\x20" + bytes(32) + b"\x00"
    bounds = [skip.bound for skip in parse(b"\x61" + padded)]
    four = (4).to_bytes(8, "big")
    assert bounds == [four + b"\xaa" + bytes(31), four + b"\xab", INFINITY]


def test_the_reader_reads_what_the_writer_wrote():
    low, middle = bound_between(START + bytes(32), key(7, ID)), bound_between(key(7, ID), key(7, OTHER_ID))
    writer = Writer()
    writer.skip(low)
    writer.id_list(middle, [ID])
    writer.fingerprint(INFINITY, digest(0, 0))
    assert len(writer) == len(writer.message())
    found = parse(writer.message())
    assert found == [Skip(low), IdList(middle, [ID]), Fingerprint(INFINITY, digest(0, 0))]
    assert [type(each) for each in found] == [Skip, IdList, Fingerprint]


def test_a_bound_is_as_short_as_can_be_and_parts_its_neighbours():
    assert bound_between(key(7, ID), key(8, ID)) == (8).to_bytes(8, "big")
    shared = ID[:20]
    below, above = key(7, shared + bytes(12)), key(7, shared + b"\x01" + bytes(11))
    bound = bound_between(below, above)
    assert bound == above[:29]
    assert below < bound <= above


def test_the_fingerprint_wraps_its_sum_at_256_bits():
    assert digest(2**256 + 5, 2) == digest(5, 2) != digest(5, 3)


@pytest.mark.parametrize(("created", "id_"), [(-1, ID), (2**64 - 1, ID), (0, ID[:31]), (0, ID + b"\0")])
def test_an_item_that_has_no_key_is_our_own_mistake(created, id_):
    with pytest.raises(AssertionError):
        key(created, id_)


def test_a_message_has_no_more_ranges_than_fingerprints_with_skips_between_would_fill_it():
    bytes_max, honest, hostile = 19 * 100, Writer(), Writer()
    for number in range(100):
        honest.skip(Bound((2 * number + 1).to_bytes(8, "big")))
        honest.fingerprint(Bound((2 * number + 2).to_bytes(8, "big")), bytes(16))
    assert len(ranges.parse(honest.message(), bytes_max=bytes_max)) == 200
    for number in range(1, 204):
        hostile.id_list(Bound(number.to_bytes(8, "big")), [])
    assert len(hostile) < bytes_max
    with pytest.raises(RemoteError) as refusal:
        ranges.parse(hostile.message(), bytes_max=bytes_max)
    assert refusal.value.code == "reconcile"
