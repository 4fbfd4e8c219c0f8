"""Frames: what one side writes the other reads, and nothing else is read."""

import pytest

from hubd.action import cbor
from hubd.errors import RemoteError
from hubd.ports import Cursor
from hubd.web import frames
from hubd.web.frames import FROM_HUB, FROM_PHONE, cursor_text, decode, encode, parse_cursor

ID = bytes(32)
SAMPLES = {
    "phone": [
        frames.AskChallenge(b"n" * 16),
        frames.Hello(1, None, "", bytes(16), None),
        frames.Hello(2, "aa.7.bb", "own", bytes(16), [bytes(21), bytes(40), bytes(65)]),
        frames.Put([b"e"]),
        frames.Get([ID]),
        frames.GetContent([ID]),
        frames.Neg(b"a"),
        frames.Carry(b"a", more=True),
        frames.AskBalances(),
    ],
    "hub": [
        frames.Challenge(bytes(40), bytes(21), 1_700_000_000),
        frames.Welcome(1, "cursor", "village"),
        frames.Actions([b"e"], "aa.1.bb"),
        frames.Actions([], None),
        frames.End(None),
        frames.Ok([[ID, "at-hub"]]),
        frames.Deferred([[ID, "rate"]]),
        frames.Err("cbor", 3),
        frames.Err("busy"),
        frames.Neg(b"a"),
        frames.Carry(b"", more=False),
        frames.Receipt(ID, "confirmed", bytes(32)),
        frames.Balances([[None, 9, 0, 800, True], [bytes(40), 60, 30, 801, False]]),
    ],
}
SHAPES = {"phone": FROM_PHONE, "hub": FROM_HUB}


@pytest.mark.parametrize("side", SAMPLES)
def test_every_frame_of_a_side_is_read_as_it_was_written(side: str) -> None:
    for frame in SAMPLES[side]:
        assert decode(encode(frame), SHAPES[side]) == frame


@pytest.mark.parametrize("side", SAMPLES)
def test_every_name_of_a_side_has_a_sample_here(side: str) -> None:
    assert {type(frame) for frame in SAMPLES[side]} == {kind for kind, _ in SHAPES[side].values()}


def test_a_side_does_not_speak_the_other_sides_words() -> None:
    for frame in (frames.Ok([]), frames.Err("x"), frames.Receipt(ID, "", b"")):
        with pytest.raises(RemoteError):
            decode(encode(frame), FROM_PHONE)


@pytest.mark.parametrize(
    "items",
    [
        [],
        {},
        7,
        "PUT",
        [b"PUT", []],
        ["put", []],
        ["PUT"],
        ["PUT", [], 1],
        ["PUT", [b""]],
        ["PUT", ["text"]],
        ["PUT", [bytes(frames.ENVELOPE_BYTES_MAX + 1)]],
        ["PUT", [b"e"] * (frames.PHONE_ENVELOPES_MAX + 1)],
        ["GET", [bytes(31)]],
        ["HELLO", True, None, "", bytes(16), None],
        ["HELLO", 1, None, "", bytes(15), None],
        ["HELLO", 1, 5, "", bytes(16), None],
        ["HELLO", 1, None, "x" * 200, bytes(16), None],
        ["HELLO", 1, None, "", bytes(16), [bytes(21), bytes(40)]],
        ["NEG", b""],
        ["CHALLENGE", None],
    ],
)
def test_another_shape_is_refused_with_a_code(items: object) -> None:
    with pytest.raises(RemoteError) as caught:
        decode(cbor.encode(items), FROM_PHONE)
    assert caught.value.code in ("frame", "cbor")


def test_a_cursor_is_read_as_it_was_written() -> None:
    for cursor in (Cursor(b"epoch", 0, b""), Cursor(bytes(8), 2**40, bytes(8))):
        assert parse_cursor(cursor_text(cursor)) == cursor


@pytest.mark.parametrize("text", ["", ".", "..", "aa.1", "aa.-1.bb", "aa.1.b", "zz.1.bb", "aa.1.bb.cc", "aa.\u0661.bb",
                                  "aa.99999999999999999999.bb", "a" * 100])  # fmt: skip
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(RemoteError, match="cursor"):
        parse_cursor(text)
