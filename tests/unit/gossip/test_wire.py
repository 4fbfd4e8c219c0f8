"""Frames: one bytes form each, and a code for everything else."""

from dataclasses import fields

import cbor2
import pytest
from conversations import MESH

from hubd.action.network import MAINNET, TESTNET
from hubd.action.principal import contract, standard
from hubd.action.sip018 import Domain
from hubd.errors import RemoteError
from hubd.gossip import wire
from hubd.gossip.sketch import SAMPLE_BYTES, SYMBOL_BYTES
from hubd.gossip.wire import NOWHERE, Place, decode, encode
from hubd.limits import (
    CONTENT_IDS_MAX,
    ENVELOPE_BYTES_MAX,
    HAVE_IDS_MAX,
    LINK_CHUNK_ACTIONS_MAX,
    LINK_MESSAGE_BYTES_MAX,
    RECONCILE_LINK_BYTES_MAX,
    SKETCH_SYMBOLS_MAX,
    WANT_IDS_MAX,
)

ID = b"\x11" * 32
END = Place(2**63 - 1, b"\x22" * 8)
FRAMES = [
    wire.Hello(1, MESH, 1, 0, bytes(32), NOWHERE, NOWHERE, 0),
    wire.Hello(9, MESH, wire.SESSION_MAX, 2**63 - 1, ID, END, Place(3, b"eight..."), 2**16 - 1),
    wire.Reconcile(1, b"\x61"),
    wire.Want(1, (ID,)),
    wire.Want(1, (ID,) * WANT_IDS_MAX),
    wire.Actions(1, (b"x",)),
    wire.Actions(1, (b"x",), END),
    wire.Took(0),
    wire.Took(3, LINK_CHUNK_ACTIONS_MAX),
    wire.End(1),
    wire.Done(1, 7, ID, END),
    wire.Push((b"x", b"y" * ENVELOPE_BYTES_MAX)),
    wire.Nudge(),
    wire.Ping(),
    wire.Fault("order"),
    wire.AskSketch(1, 0, 0, bytes(SAMPLE_BYTES)),
    wire.AskSketch(1, 1_000, 24, b""),
    wire.Sketch(1, 0, bytes(SYMBOL_BYTES * SKETCH_SYMBOLS_MAX)),
    wire.Sketch(1, 0, b""),
    wire.Have((ID,)),
    wire.Ask((ID,) * HAVE_IDS_MAX),
    wire.Prune(),
    wire.Hello(1, MESH, 1, 0, bytes(32), NOWHERE, NOWHERE, 0, 12),
    wire.Done(1, 7, ID, END, 2**63 - 1),
    wire.AskContent((ID,) * CONTENT_IDS_MAX),
    wire.Content(0, ()),
    wire.HaveContent((ID,) * HAVE_IDS_MAX),
    wire.Content(CONTENT_IDS_MAX, (b"x",) * CONTENT_IDS_MAX),
]


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: type(frame).__name__)
def test_every_frame_comes_back_as_it_was(frame):
    assert decode(encode(frame)) == frame


def test_the_bytes_are_those_of_the_page():
    """The examples of docs/wire.md."""
    assert encode(wire.Ping()).hex() == "810a"
    assert encode(wire.Took(3, 2)).hex() == "83050302"
    assert encode(wire.Fault("order")).hex() == "820b656f72646572"
    assert (
        encode(wire.Done(1, 7, ID, Place(9, END.mark))).hex() == "860701075820" + "11" * 32 + "820948" + "22" * 8 + "00"
    )


def test_the_largest_frames_of_ours_fit_a_message():
    for frame in FRAMES:
        assert len(encode(frame)) < LINK_MESSAGE_BYTES_MAX
    assert len(encode(wire.Reconcile(1, bytes(RECONCILE_LINK_BYTES_MAX)))) < LINK_MESSAGE_BYTES_MAX


HELLO = [0, 1, MESH, 1, 0, bytes(32), [0, b""], [0, b""], 0, 0]


def hello(**changes):
    names = [field.name for field in fields(wire.Hello)]
    items = list(HELLO)
    for name, value in changes.items():
        items[1 + names.index(name)] = value
    return items


@pytest.mark.parametrize(
    ("items", "code"),
    [
        ([], "frame"),
        ({}, "frame"),
        (7, "frame"),
        ("hello", "frame"),
        ([True], "frame"),
        ([-1], "frame-unknown"),
        ([3, 1], "frame-unknown"),
        ([20], "frame-unknown"),
        (hello(lacking=-1), "frame"),
        (hello(lacking=True), "frame"),
        ([17, []], "frame"),
        ([17, [ID] * (CONTENT_IDS_MAX + 1)], "frame"),
        ([18, -1, []], "frame"),
        ([18, CONTENT_IDS_MAX + 1, []], "frame"),
        ([18, 1, [b""]], "frame"),
        ([18, 1, [bytes(ENVELOPE_BYTES_MAX + 1)]], "frame"),
        ([18, 1, [b"x"] * (CONTENT_IDS_MAX + 1)], "frame"),
        ([19, []], "frame"),
        ([19, [ID] * (HAVE_IDS_MAX + 1)], "frame"),
        ([2**63], "frame-unknown"),
        ([9, 0], "frame"),
        ([5, 3], "frame"),
        ([5, 3, LINK_CHUNK_ACTIONS_MAX + 1], "frame"),
        ([0], "frame"),
        (hello(version=0), "frame"),
        (hello(version=2**16), "frame"),
        (hello(version=True), "frame"),
        (hello(mesh=bytes(7)), "frame"),
        (hello(mesh="12345678"), "frame"),
        (hello(session=0), "frame"),
        (hello(session=2**32), "frame"),
        (hello(count=-1), "frame"),
        (hello(count=2**63), "frame"),
        (hello(fingerprint=bytes(31)), "frame"),
        (hello(abilities=None), "frame"),
        (hello(abilities=2**16), "frame"),
        (hello(position=None), "frame"),
        (hello(position=[0]), "frame"),
        (hello(position=[0, bytes(8)]), "frame"),
        (hello(cursor=[1, b""]), "frame"),
        (hello(cursor=[1, bytes(7)]), "frame"),
        (hello(cursor=[1, bytes(8), 0]), "frame"),
        (hello(cursor=[2**63, bytes(8)]), "frame"),
        (hello(cursor=[True, bytes(8)]), "frame"),
        ([1, 1, b""], "frame"),
        ([1, 1, bytes(RECONCILE_LINK_BYTES_MAX + 1)], "frame"),
        ([2, 1, []], "frame"),
        ([2, 1, [bytes(31)]], "frame"),
        ([2, 1, [[bytes(32)]]], "cbor"),
        ([2, 1, [ID] * (WANT_IDS_MAX + 1)], "frame"),
        ([4, 1, [b"x"]], "frame"),
        ([4, 1, [], [0, b""]], "frame"),
        ([4, 1, [b""], [0, b""]], "frame"),
        ([4, 1, [bytes(ENVELOPE_BYTES_MAX + 1)], [0, b""]], "frame"),
        ([4, 1, [b"x"] * (LINK_CHUNK_ACTIONS_MAX + 1), [0, b""]], "frame"),
        ([4, 1, {0: b"x"}, [0, b""]], "frame"),
        ([11, "x" * 41], "frame"),
        ([11, b"order"], "frame"),
        ([12, 1, 0, SKETCH_SYMBOLS_MAX + 1, b""], "frame"),
        ([12, 1, 0, 0, bytes(SAMPLE_BYTES - 1)], "frame"),
        ([12, 1, 0, 0, bytes(2 * SAMPLE_BYTES)], "frame"),
        ([13, 1, 0, bytes(SYMBOL_BYTES - 1)], "frame"),
        ([13, 1, 0, bytes(SYMBOL_BYTES * (SKETCH_SYMBOLS_MAX + 1))], "frame"),
        ([8, [[[[[b"x"]]]]]], "cbor"),
        ([8, [1.5]], "cbor"),
        ([14, []], "frame"),
        ([14, [ID] * (HAVE_IDS_MAX + 1)], "frame"),
        ([15, [bytes(31)]], "frame"),
        ([16, 0], "frame"),
        ([2, 1, [ID] * 3_000], "cbor"),
        ([4, 1, [bytes(16_000)] * 20], "cbor"),
    ],
)
def test_anything_else_is_refused_with_a_code(items, code):
    with pytest.raises(RemoteError) as refused:
        decode(cbor2.dumps(items, canonical=True))
    assert refused.value.code == code


@pytest.mark.parametrize(
    "raw", [b"", b"\x82\x05", b"\x82\x05\x18\x03", b"\x82\x05\x03\x00", b"\x9f\x0a\xff", b"\xff" * 99]
)
def test_bytes_outside_the_profile_are_refused(raw):
    with pytest.raises(RemoteError) as refused:
        decode(raw)
    assert refused.value.code == "cbor"


def test_meshes_and_networks_are_told_apart_by_their_tags():
    owner = standard(TESTNET.single_sig, bytes(20))
    tags = {
        wire.mesh_tag(Domain(network, contract(owner, name)))
        for network in (TESTNET, MAINNET)
        for name in ("access", "access-2")
    }
    assert len(tags) == 4
    assert {len(tag) for tag in tags} == {wire.MESH_TAG_BYTES}
