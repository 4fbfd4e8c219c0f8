"""Any damage of a bundle: never an exception, never an envelope that was not put in, never one lost that was not hit.

Known to kill: a reader that stops at the first damaged block, and one that needs the keys to stand first. The exhaustive
twins are in tests/unit/post/test_bundle.py: every flipped bit and every truncation of a small bundle.
"""

import hashlib

import nacl.public
from builders import Village
from hypothesis import given
from hypothesis import strategies as st

from hubd.post.bundle import Chunk, Reader, Seal, Writer, recipient_of

VILLAGE = Village(5)
BOX = nacl.public.PrivateKey(hashlib.sha256(b"box").digest())


def made(count, name, key):
    sealed = nacl.public.SealedBox(BOX.public_key).encrypt(key)
    keys = [(recipient_of(bytes(BOX.public_key)), sealed)]
    writer = Writer(Seal(VILLAGE.charter, VILLAGE.signer("hub-a"), name, bytes(8), key, keys))
    chunks = [writer.chunk(Chunk(at, at + 1, bytes(8), [name + bytes([at]) * 60])) for at in range(count)]
    return [writer.begin(), *chunks, writer.end()]


PARTS = made(6, b"bundle-1", bytes(32))
OTHERS = made(3, b"bundle-2", b"\1" * 32)
ENVELOPES = {name + bytes([at]) * 60 for name, count in ((b"bundle-1", 6), (b"bundle-2", 3)) for at in range(count)}
PIECES = st.one_of(
    st.sampled_from(PARTS + OTHERS),
    st.binary(max_size=80),
    st.builds(
        lambda part, at, cut: part[at : at + cut], st.sampled_from(PARTS), st.integers(0, 300), st.integers(0, 200)
    ),
)


def read(raw, piece):
    reader = Reader(VILLAGE.charter, bytes(BOX.public_key), nacl.public.SealedBox(BOX).decrypt)
    found = []
    for _ in range(2):
        for at in range(0, len(raw), piece):
            found += reader.feed(raw[at : at + piece])
        found += reader.end()
        if not reader.wants_again:
            break
        reader.again()
    return [raw for opened in found for raw in opened.chunk.envelopes], reader.report


def held(parts, name):
    """The chunks of a bundle with the envelope that each holds."""
    return {part: name + bytes([at]) * 60 for at, part in enumerate(parts[1:-1])}


@given(st.lists(PIECES, max_size=20), st.integers(1, 500))
def test_any_mixture_of_parts_gives_every_whole_chunk_whose_keys_are_there(pieces, size):
    found, report = read(b"".join(pieces), size)
    assert set(found) <= ENVELOPES
    for parts, name in ((PARTS, b"bundle-1"), (OTHERS, b"bundle-2")):
        if parts[0] in pieces or parts[-1] in pieces:
            assert {raw for part, raw in held(parts, name).items() if part in pieces} <= set(found)
    assert report.chunks == len(found)


@given(st.data())
def test_any_bytes_written_over_lose_only_what_they_hit(data):
    raw = bytearray(b"".join(PARTS))
    at = data.draw(st.integers(0, len(raw) - 1))
    junk = data.draw(st.binary(min_size=1, max_size=400))
    raw[at : at + len(junk)] = junk[: len(raw) - at]
    hit, start = set(), 0
    for number, part in enumerate(PARTS):
        if start < at + len(junk) and at < start + len(part):
            hit.add(number)
        start += len(part)
    found, _ = read(bytes(raw), data.draw(st.integers(1, 3_000)))
    spared = {b"bundle-1" + bytes([number - 1]) * 60 for number in range(1, 7) if number not in hit}
    if hit != set(range(8)) and not {0, 7} <= hit:
        assert spared <= set(found)
