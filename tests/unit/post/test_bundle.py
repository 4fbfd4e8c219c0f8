"""A bundle loses the part that was damaged and no other, whatever was damaged, and believes nobody but who signed it."""

import hashlib

import nacl.public
import pytest
from builders import Village

from hubd.action import envelope
from hubd.limits import BUNDLE_BODY_BYTES_MAX, BUNDLE_CHUNKS_PER_KEYS, BUNDLE_OVERLAPS_MAX
from hubd.post import blocks
from hubd.post.bundle import Chunk, Packer, Reader, Seal, Writer, recipient_of

VILLAGE = Village(3)
BOX = nacl.public.PrivateKey(hashlib.sha256(b"box").digest())
EPOCH = bytes(8)


def raws(count, size=100):
    return [bytes([at % 256]) * size for at in range(count)]


def seal(village=VILLAGE, author="hub-a", bundle=b"bundle-1", box=BOX, key=bytes(32)):
    sealed = nacl.public.SealedBox(box.public_key).encrypt(key)
    return Seal(
        village.charter, village.signer(author), bundle, EPOCH, key, [(recipient_of(bytes(box.public_key)), sealed)]
    )


def parts(count=3, **how):
    """The pieces of a bundle of one envelope a chunk: beginning, chunks (with the keys behind some), end."""
    writer = Writer(seal(**how))
    chunks = [writer.chunk(Chunk(at, at + 1, bytes(8), [raw])) for at, raw in enumerate(raws(count))]
    return [writer.begin(), *chunks, writer.end()]


def read(raw, piece=1 << 20, box=BOX, village=VILLAGE):
    reader = Reader(village.charter, bytes(box.public_key), nacl.public.SealedBox(box).decrypt)
    opened = []
    while True:
        for at in range(0, len(raw), piece):
            opened += reader.feed(raw[at : at + piece])
        opened += reader.end()
        if not reader.wants_again:
            return opened, reader.report
        reader.again()


def got(opened):
    return [raw for each in opened for raw in each.chunk.envelopes]


@pytest.mark.parametrize("piece", [1, 7, 64, 1000, 1 << 20])
def test_whatever_the_pieces_a_bundle_gives_what_was_put_in(piece):
    opened, report = read(b"".join(parts(40)), piece)
    assert got(opened) == raws(40)
    assert (report.chunks, report.unopened, report.damaged, report.is_whole) == (40, 0, 0, True)
    assert {each.signer for each in opened} == {VILLAGE.principal("hub-a")}


def test_an_empty_bundle_is_whole():
    opened, report = read(b"".join(parts(0)))
    assert (opened, report.is_whole, report.damaged) == ([], True, 0)


def test_every_single_flipped_bit_costs_one_chunk_at_most_and_none_that_it_does_not_hit():
    pieces = parts(3)
    raw = b"".join(pieces)
    ends = [len(b"".join(pieces[: at + 1])) for at in range(len(pieces))]
    for at in range(len(raw)):
        for bit in range(8):
            flipped = bytearray(raw)
            flipped[at] ^= 1 << bit
            opened, report = read(bytes(flipped))
            hit = next(number for number, end in enumerate(ends) if at < end) - 1
            assert got(opened) == [each for number, each in enumerate(raws(3)) if number != hit], (at, bit)
            assert report.damaged == 1


def test_every_truncation_costs_the_tail_only():
    pieces = parts(3)
    raw = b"".join(pieces)
    ends = [len(b"".join(pieces[: at + 1])) for at in range(1, 4)]
    for length in range(len(raw)):
        opened, report = read(raw[:length])
        whole = sum(end <= length for end in ends)
        assert got(opened) == raws(3)[:whole], length
        assert not report.is_whole


def test_a_hole_of_any_length_loses_what_it_hits():
    raw = b"".join(parts(20))
    for at in range(0, len(raw), 97):
        opened, _ = read(raw[:at] + raw[at + 40 :])
        assert len(got(opened)) >= 18, "forty bytes hit two blocks at most"


def test_with_every_copy_of_the_keys_but_one_gone_all_is_read():
    writer = Writer(seal())
    count = 3 * BUNDLE_CHUNKS_PER_KEYS + 2
    chunks = [writer.chunk(Chunk(at, at + 1, bytes(8), [raw])) for at, raw in enumerate(raws(count))]
    raw = b"".join([writer.begin(), *chunks, writer.end()])
    keys = [at for at in range(len(raw)) if raw[at : at + 5] == blocks.MARK + bytes([blocks.KEYS])]
    assert len(keys) == 5
    for kept in keys:
        torn = bytearray(raw)
        for each in keys:
            if each != kept:
                torn[each] ^= 1
        opened, report = read(bytes(torn), 10_000)
        assert sorted(got(opened)) == sorted(raws(count))
        assert (report.chunks, report.unopened) == (count, 0)


def test_chunks_in_any_order_and_twice_are_read():
    first, *chunks, last = parts(4)
    opened, report = read(b"".join([last, *reversed(chunks), chunks[2], first]))
    assert set(got(opened)) == set(raws(4))
    assert report.damaged == 1, "the magic in the middle belongs to no block"


def test_blocks_of_another_bundle_mesh_or_forger_change_nothing():
    ours = parts(3)
    other = parts(2, bundle=b"bundle-2", key=b"\1" * 32)[1:2]
    forged = parts(2, author="nobody", key=b"\2" * 32)
    foreign = parts(2, village=Village(4))
    opened, report = read(b"".join([forged[0], foreign[0], ours[0], other[0], *ours[1:3], foreign[1], *ours[3:]]))
    assert got(opened) == raws(3)
    assert report.unopened == 1, "the other bundle's keys did not come along"
    assert report.foreign == 2


def test_two_bundles_in_one_file_are_both_read():
    raw = b"".join(parts(2)) + b"".join(parts(2, bundle=b"bundle-2", author="hub-b", key=b"\1" * 32))
    opened, _ = read(raw)
    assert [each.signer for each in opened] == [VILLAGE.principal("hub-a")] * 2 + [VILLAGE.principal("hub-b")] * 2


def test_a_hub_that_is_not_addressed_reads_nothing_and_hears_why():
    stranger = nacl.public.PrivateKey(hashlib.sha256(b"stranger").digest())
    opened, report = read(b"".join(parts(3)), box=stranger)
    assert (opened, report.codes, report.unopened) == ([], {"bundle-recipient"}, 3)


def test_a_bundle_of_another_mesh_is_known_as_such():
    opened, report = read(b"".join(parts(3)), village=Village(9))
    assert opened == []
    assert report.foreign >= 3


def test_a_sealed_key_that_is_no_key_is_counted():
    made = seal()
    broken = Seal(made.charter, made.signer, made.bundle, EPOCH, made.file_key, [(made.keys[0][0], b"no box")])
    writer = Writer(broken)
    opened, report = read(writer.begin() + writer.chunk(Chunk(0, 1, bytes(8), raws(1))) + writer.end())
    assert (opened, report.codes) == ([], {"bundle"})


def block(kind, body, index=0, author="hub-a", bundle=b"bundle-1"):
    signer = VILLAGE.signer(author)
    named = signer.principal(VILLAGE.network)
    return blocks.write(VILLAGE.charter, signer, blocks.Block(kind, bundle, index, named, body))


@pytest.mark.parametrize(
    "body",
    [b"", b"\x80", b"\x82\x40\x80", b"\x9a\xff\xff\xff\xff", b"\x82\x48" + bytes(8) + b"\x81\x80", b"\xa1\x01\x02"],
)
def test_keys_of_another_shape_are_passed_over(body):
    opened, report = read(block(blocks.KEYS, body) + b"".join(parts(1)))
    assert got(opened) == raws(1)
    assert report.codes - {"bundle", "cbor", "bundle-recipient"} == set()


@pytest.mark.parametrize(
    "plain",
    [
        b"", b"\x80", b"\x84\x00\x00\x40\x9a\xff\xff\xff\xff", b"\x84\x05\x01\x40\x80", b"\x84\xf5\x01\x40\x80",
        b"\x84\x00\x01\x41\x00\x80", b"\x84\x00\x01\x40\x81\x00", b"\x84\x00\x1b\xff\xff\xff\xff\xff\xff\xff\xff\x40\x80",
    ],
)  # fmt: skip
def test_chunks_of_another_shape_are_counted(plain):
    import nacl.secret

    sealed = bytes(nacl.secret.SecretBox(bytes(32)).encrypt(plain, bytes(24)))
    opened, report = read(b"".join(parts(0)) + block(blocks.CHUNK, sealed))
    assert (opened, report.unopened) == ([], 1)


def test_a_length_beyond_all_measure_holds_nothing_back():
    head = blocks._HEAD.pack(
        blocks.MARK, 1, VILLAGE.charter.digest[:8], b"bundle-1", 0, 2**32 - 1, VILLAGE.principal("hub-a")
    )
    opened, _ = read(head + blocks._check(head) + b"".join(parts(3)), 1000)
    assert got(opened) == raws(3)


def test_a_file_made_of_heads_costs_a_bounded_number_of_hashes(monkeypatch):
    head = blocks._HEAD.pack(
        blocks.MARK, 1, VILLAGE.charter.digest[:8], b"bundle-1", 0, BUNDLE_BODY_BYTES_MAX, VILLAGE.principal("hub-a")
    )
    raw = (head + blocks._check(head)) * (4 * BUNDLE_BODY_BYTES_MAX // blocks.HEAD_BYTES)
    hashed = []
    digest = blocks._digest
    monkeypatch.setattr(blocks, "_digest", lambda *of: (hashed.append(len(of[2])), digest(*of))[1])
    opened, _ = read(raw + b"".join(parts(3)), 50_000)
    assert sum(hashed) < (2 * BUNDLE_OVERLAPS_MAX + 1) * (len(raw) + 2 * BUNDLE_BODY_BYTES_MAX)
    assert set(got(opened)) <= set(raws(3))


def test_memory_is_that_of_one_block_and_one_piece():
    finder = blocks.Finder(VILLAGE.charter)
    noise = hashlib.shake_128(b"noise").digest(100_000)
    for _ in range(20):
        finder.feed(noise)
        assert len(finder._buffer) <= blocks.BLOCK_BYTES_MAX + len(noise)
    finder.found = 10**9
    finder.feed(noise)
    assert len(finder._buffer) < 10


def test_a_tail_that_is_written_anew_shares_no_nonce_with_the_torn_one():
    one, two = Writer(seal(), 5), Writer(seal(), 5)
    first, second = one.chunk(Chunk(0, 1, bytes(8), [b"a" * 50])), two.chunk(Chunk(0, 1, bytes(8), [b"b" * 50]))
    body = slice(blocks.HEAD_BYTES, blocks.HEAD_BYTES + 24)
    assert first[body] != second[body]


def test_a_packer_fills_chunks_in_order_and_names_their_stretches():
    actions = [VILLAGE.request("ana", text={"note": "x" * 3_000}) for _ in range(50)]
    packer, chunks = Packer(7, bytes_max=20_000), []
    for at, action in enumerate(actions):
        chunks += packer.add(8 + at, action.id, envelope.encode(action))
    chunks += packer.rest()
    assert [chunk.start for chunk in chunks] == [7, *(chunk.end for chunk in chunks[:-1])]
    assert chunks[-1].end == 57
    assert chunks[-1].prefix == actions[-1].id[:8]
    assert [raw for chunk in chunks for raw in chunk.envelopes] == [envelope.encode(action) for action in actions]
    assert max(sum(map(len, chunk.envelopes)) for chunk in chunks) <= 20_000
    assert packer.rest() == []


@pytest.mark.parametrize("is_signed", [True, False], ids=["wrong signatures", "marks alone"])
def test_what_is_no_block_is_looked_at_so_often_and_no_more(monkeypatch, is_signed):
    looks = []
    monkeypatch.setattr(blocks, "BUNDLE_VAIN_MAX", 64)
    for name in ("recover", "_check"):
        monkeypatch.setattr(blocks, name, counting(getattr(blocks, name), looks.append))
    block = parts(1)[1]
    vain = (block[:-1] + bytes([block[-1] ^ 1]) if is_signed else blocks.MARK + b"x" * 70) * 500
    good = b"".join(parts(2))
    opened, report = read(good + vain + good, 1_000)
    assert got(opened) == raws(2), "what stands behind it is lost"
    assert report.damaged == 1
    assert len(looks) < 100


def counting(work, note):
    def counted(*args):
        note(work)
        return work(*args)

    return counted
