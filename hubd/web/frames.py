"""The phone protocol's frames: one CBOR array a message, its name first (docs/phone-api.md, "Frames").

Each side's vocabulary is one table of shapes; `decode` checks the CBOR profile, then the shape, and raises `RemoteError`
and nothing else. The same values travel in HTTP bodies, without the name.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

from hubd.action import cbor
from hubd.errors import RemoteError
from hubd.limits import (
    ENVELOPE_BYTES_MAX,
    INTEGER_MAX,
    PHONE_ASSETS_MAX,
    PHONE_CBOR_DEPTH_MAX,
    PHONE_CBOR_ITEMS_MAX,
    PHONE_ENVELOPES_MAX,
    PHONE_IDS_MAX,
    PHONE_MESSAGE_BYTES_MAX,
    PHONE_PAGE_BYTES_MAX,
    RECONCILE_FRAME_BYTES_MAX,
)
from hubd.ports import Cursor
from hubd.web.proofs import message_digest

VERSION = 1
SUBPROTOCOL = "hubd.v1"
SOCKET_PATH = "/v1/ws"  # on a hub
VISIT_PATH = "/v1/visit"  # on a phone that waits to be found
_TEXT_CHARS_MAX = 128
_CURSOR_CHARS_MAX = 80

Check = Callable[[Any], bool]


def uint(value: Any) -> bool:
    """An integer of the protocol; `True` is none."""
    return type(value) is int and 0 <= value <= INTEGER_MAX


def flag(value: Any) -> bool:
    """True or false."""
    return isinstance(value, bool)


def text(value: Any) -> bool:
    """A short word: codes, states, cursors."""
    return isinstance(value, str) and len(value) <= _TEXT_CHARS_MAX


def blob(least: int, most: int) -> Check:
    """Bytes of a length in [least, most]."""
    return lambda value: isinstance(value, bytes) and least <= len(value) <= most


def nullable(check: Check) -> Check:
    """Null, or what `check` takes."""
    return lambda value: value is None or check(value)


def list_of(check: Check, count_max: int) -> Check:
    """A list of at most `count_max` such items."""
    return lambda value: isinstance(value, list) and len(value) <= count_max and all(map(check, value))


def row(*checks: Check) -> Check:
    """A list of exactly these."""
    return lambda value: (
        isinstance(value, list)
        and len(value) == len(checks)
        and all(check(item) for check, item in zip(checks, value, strict=True))
    )


action_id = blob(32, 32)
envelopes = list_of(blob(1, ENVELOPE_BYTES_MAX), PHONE_ENVELOPES_MAX)
ids = list_of(action_id, PHONE_IDS_MAX)
_authorization = row(blob(21, 64), blob(1, 64), blob(1, 65))
_pairs = list_of(row(action_id, text), PHONE_ENVELOPES_MAX)
balances = list_of(row(nullable(blob(21, 64)), uint, uint, uint, flag), PHONE_ASSETS_MAX)


@dataclass(frozen=True, slots=True)
class AskChallenge:
    """Phone: prove which hub you are, and give me a challenge to sign."""

    nonce: bytes


@dataclass(frozen=True, slots=True)
class Hello:
    """Phone: the highest version it speaks, where it left off, what it wants to see, and who it is (null: a stranger)."""

    version: int
    cursor: str | None
    scope: str
    nonce: bytes
    authorization: list[bytes] | None

    def question(self) -> bytes:
        """What its authorization is signed for: the digest of this message with null in the authorization's place."""
        return message_digest(encode(replace(self, authorization=None)))


@dataclass(frozen=True, slots=True)
class Put:
    """Phone: take these envelopes."""

    envelopes: list[bytes]


@dataclass(frozen=True, slots=True)
class Get:
    """Phone: give me these actions."""

    ids: list[bytes]


@dataclass(frozen=True, slots=True)
class GetContent:
    """Phone: I have these without their content; give me those of which it is here."""

    ids: list[bytes]


@dataclass(frozen=True, slots=True)
class Neg:
    """Both: one message of Negentropy v1."""

    message: bytes


@dataclass(frozen=True, slots=True)
class Carry:
    """Both: a part of a question or an answer about post, whose bodies are those of HTTP; `more` where parts follow."""

    part: bytes
    more: bool


@dataclass(frozen=True, slots=True)
class AskBalances:
    """Phone: what does the vault hold for my person?"""


@dataclass(frozen=True, slots=True)
class Challenge:
    """Hub: a challenge, the hub's principal, which is signed with it, and what its clock shows, in Unix seconds."""

    challenge: bytes
    hub: bytes
    time_s: int


@dataclass(frozen=True, slots=True)
class Welcome:
    """Hub: the version both speak, how to go on ("cursor" or "reconcile"), and the scope granted."""

    version: int
    mode: str
    scope: str


@dataclass(frozen=True, slots=True)
class Actions:
    """Hub: envelopes; `cursor` is the place behind them, null where GET asked for them."""

    envelopes: list[bytes]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class End:
    """Hub: all up to this cursor was sent; null closes the answer to GET."""

    cursor: str | None


@dataclass(frozen=True, slots=True)
class Ok:
    """Hub: these are in the set and on its disk; each with how far it is settled. Closes the answer to PUT."""

    items: list[list[Any]]


@dataclass(frozen=True, slots=True)
class Deferred:
    """Hub: not taken, with a code each: keep them and come again."""

    items: list[list[Any]]


@dataclass(frozen=True, slots=True)
class Err:
    """Hub: refused, with a stable code. `at` is the place in a PUT of the one envelope that is meant; null means the
    whole message, and then nothing else answers it.
    """

    code: str
    at: int | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """Hub, unasked: how far an action of this person is settled, and by which transaction."""

    id: bytes
    state: str
    txid: bytes


@dataclass(frozen=True, slots=True)
class Balances:
    """Hub: of this person, for each asset (null: STX) what is free and locked, the burn height at which that was seen, and
    whether hubs enough agree.
    """

    rows: list[list[Any]]


Frame = (
    AskChallenge | Hello | Put | Get | GetContent | Neg | Carry | AskBalances
    | Challenge | Welcome | Actions | End | Ok | Deferred | Err | Receipt | Balances
)  # fmt: skip
_Shapes = dict[str, tuple[type[Any], tuple[Check, ...]]]

_neg: tuple[type[Any], tuple[Check, ...]] = (Neg, (blob(1, RECONCILE_FRAME_BYTES_MAX),))
_carry: tuple[type[Any], tuple[Check, ...]] = (Carry, (blob(0, PHONE_PAGE_BYTES_MAX), flag))
FROM_PHONE: _Shapes = {
    "CHALLENGE": (AskChallenge, (blob(16, 16),)),
    "HELLO": (Hello, (uint, nullable(text), text, blob(16, 16), nullable(_authorization))),
    "PUT": (Put, (envelopes,)),
    "GET": (Get, (ids,)),
    "CONTENT": (GetContent, (ids,)),
    "NEG": _neg,
    "CARRY": _carry,
    "BALANCES": (AskBalances, ()),
}
FROM_HUB: _Shapes = {
    "CHALLENGE": (Challenge, (blob(1, 64), blob(21, 21), uint)),
    "HELLO": (Welcome, (uint, text, text)),
    "ACTIONS": (Actions, (envelopes, nullable(text))),
    "END": (End, (nullable(text),)),
    "OK": (Ok, (_pairs,)),
    "DEFERRED": (Deferred, (_pairs,)),
    "ERR": (Err, (text, nullable(uint))),
    "NEG": _neg,
    "CARRY": _carry,
    "RECEIPT": (Receipt, (action_id, text, blob(0, 32))),
    "BALANCES": (Balances, (balances,)),
}
_NAMES = {shape[0]: name for shapes in (FROM_PHONE, FROM_HUB) for name, shape in shapes.items()}


def encode(frame: Frame) -> bytes:
    """The message of a frame."""
    return cbor.encode([_NAMES[type(frame)], *(getattr(frame, field.name) for field in fields(frame))])


def decode(raw: bytes, shapes: _Shapes) -> Any:
    """The frame of a message of one side. Raises `RemoteError`: `cbor`, or `frame` for an unknown name or shape."""
    items = decode_body(raw, PHONE_MESSAGE_BYTES_MAX)
    if not isinstance(items, list) or not items or not isinstance(items[0], str):
        raise RemoteError("frame", "not a list that starts with a name")
    shape = shapes.get(items[0])
    if shape is None:
        raise RemoteError("frame", "a name that this side does not know")
    kind, checks = shape
    if not row(*checks)(items[1:]):
        raise RemoteError("frame", f"not the shape of {items[0]}")
    return kind(*items[1:])


def decode_body(raw: bytes, bytes_max: int) -> Any:
    """The value of an HTTP body. Raises `RemoteError("cbor")`."""
    return cbor.decode(raw, bytes_max=bytes_max, depth_max=PHONE_CBOR_DEPTH_MAX, items_max=PHONE_CBOR_ITEMS_MAX)


def expect(value: Any, check: Check, what: str) -> Any:
    """The value of a body if it has the shape asked for, else `RemoteError("frame")`."""
    if not check(value):
        raise RemoteError("frame", f"not {what}")
    return value


def carries(body: bytes) -> list[Carry]:
    """A body about post in parts, of which the last says so."""
    parts = [body[at : at + PHONE_PAGE_BYTES_MAX] for at in range(0, len(body), PHONE_PAGE_BYTES_MAX)] or [b""]
    return [Carry(part, more=at < len(parts)) for at, part in enumerate(parts, 1)]


def cursor_text(cursor: Cursor) -> str:
    """A cursor as it travels: EPOCH.SEQUENCE.PREFIX; phones keep it as it is."""
    return f"{cursor.epoch.hex()}.{cursor.sequence}.{cursor.id_prefix.hex()}"


def parse_cursor(written: str) -> Cursor:
    """The cursor of its text. Raises `RemoteError("cursor")`."""
    try:
        if len(written) > _CURSOR_CHARS_MAX or not written.isascii():
            raise ValueError
        epoch, sequence, prefix = written.split(".")
        number = int(sequence) if sequence.isdigit() else -1
        if not 0 <= number <= INTEGER_MAX:
            raise ValueError
        return Cursor(bytes.fromhex(epoch), number, bytes.fromhex(prefix))
    except ValueError as error:
        raise RemoteError("cursor", "not EPOCH.SEQUENCE.PREFIX") from error
