"""Frames: what two hubs say to each other over a link (docs/wire.md).

A frame is one CBOR array `[number, field, ...]` in the strict profile of `hubd.action.cbor`. `_FRAMES` is the whole
grammar: a frame's number and the check of each of its fields. `decode` raises `RemoteError` and nothing else.

A later version of the protocol adds frames, and says so in `Hello`; it never changes the fields of these.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from hashlib import sha256
from typing import Any, NamedTuple, TypeAlias, TypeVar

from hubd.action import cbor
from hubd.action.sip018 import ActionId, Domain
from hubd.errors import RemoteError
from hubd.gossip.sketch import SAMPLE_BYTES, SYMBOL_BYTES
from hubd.limits import (
    CONTENT_IDS_MAX,
    ENVELOPE_BYTES_MAX,
    HAVE_IDS_MAX,
    INTEGER_MAX,
    LINK_CHUNK_ACTIONS_MAX,
    LINK_CODE_CHARS_MAX,
    LINK_MESSAGE_BYTES_MAX,
    RECONCILE_LINK_BYTES_MAX,
    SKETCH_SYMBOLS_MAX,
    WANT_IDS_MAX,
)

MESH_TAG_BYTES = 8
SESSION_MAX = 2**32 - 1  # session numbers start at 1 and may wrap
MARK_BYTES = 8

# Abilities; unknown bits are passed over.
STREAM = 1  # gives and takes what arrived beyond a cursor
SKETCH = 2  # tells symbols of its set
STREAMS_NOW = 4  # a responder: what arrived here beyond your cursor follows, without being asked for
NO_FILL = 8  # takes no stream now from a hub that is far ahead
_ABILITIES_MAX = 0xFFFF

_ID_BYTES = 32
_FINGERPRINT_BYTES = 32
_DEPTH = 2
_T = TypeVar("_T")


def mesh_tag(domain: Domain) -> bytes:
    """Eight bytes that tell meshes apart: hubs of two villages notice it in the first frame."""
    return sha256(domain.clarity()).digest()[:MESH_TAG_BYTES]


class Place(NamedTuple):
    """A place in one database's arrival order; its mark is of no other database and no other order (docs/wire.md)."""

    sequence: int
    mark: bytes


NOWHERE = Place(0, b"")


@dataclass(frozen=True, slots=True)
class Hello:
    """Opens a session, and answers that. `count` and `fingerprint` are the sender's whole set at this moment."""

    version: int  # the highest that the sender speaks; both use the lower one
    mesh: bytes
    session: int
    count: int
    fingerprint: bytes
    position: Place  # the end of the sender's arrival order
    cursor: Place  # up to where the sender has what the receiver has
    abilities: int
    lacking: int = 0  # contents of actions that are missing at the sender: said beside the proof, and no part of it


@dataclass(frozen=True, slots=True)
class Reconcile:
    """One Negentropy message."""

    session: int
    message: bytes


@dataclass(frozen=True, slots=True)
class Want:
    """The initiator asks for actions by id; the answer is `Actions` ... `End`."""

    session: int
    ids: tuple[ActionId, ...]


@dataclass(frozen=True, slots=True)
class Actions:
    """A chunk of envelopes. At most `LINK_WINDOW_CHUNKS` may be on the way without a `Took`.

    In a stream, `place` may name the sender's place of the last one: who has this chunk and all before has that cursor.
    """

    session: int
    envelopes: tuple[bytes, ...]
    place: Place = NOWHERE


@dataclass(frozen=True, slots=True)
class Took:
    """One chunk of `Actions` is on the receiver's disk; with session 0, one `Push`."""

    session: int
    fresh: int = 0  # actions of the chunk that were new there


@dataclass(frozen=True, slots=True)
class End:
    """All that was asked for by `Want`, or all that the responder streamed, has been sent."""

    session: int


@dataclass(frozen=True, slots=True)
class Done:
    """The sender has nothing more to give or to ask. Equal counts and fingerprints prove equal sets."""

    session: int
    count: int
    fingerprint: bytes
    position: Place
    lacking: int = 0  # as in `Hello`


@dataclass(frozen=True, slots=True)
class Push:
    """Actions that are new to the sender, outside any session."""

    envelopes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Nudge:
    """The dialled side asks the dialler for a session soon."""


@dataclass(frozen=True, slots=True)
class Ping:
    """A sign of life. Needs no answer."""


@dataclass(frozen=True, slots=True)
class Fault:
    """The receiver of this broke the protocol; its session is over. Never answered by another `Fault`."""

    code: str


@dataclass(frozen=True, slots=True)
class Have:
    """The sender has these, which are new to it."""

    ids: tuple[ActionId, ...]


@dataclass(frozen=True, slots=True)
class Ask:
    """Send these, which you announced, as `Push`; and from now on push to me what is new."""

    ids: tuple[ActionId, ...]


@dataclass(frozen=True, slots=True)
class Prune:
    """From now on announce to me what is new, instead of pushing it."""


@dataclass(frozen=True, slots=True)
class AskSketch:
    """The initiator asks for `amount` symbols from `first` on, or (both 0) for as many as the two samples ask for."""

    session: int
    first: int
    amount: int
    sample: bytes  # of the initiator's symbols, where both are 0


@dataclass(frozen=True, slots=True)
class Sketch:
    """Symbols of the responder's set. None at all: the sets differ in more than a sketch can tell."""

    session: int
    first: int
    symbols: bytes


@dataclass(frozen=True, slots=True)
class AskContent:
    """The sender has these without their content; outside any session. The answer is one `Content`."""

    ids: tuple[ActionId, ...]


@dataclass(frozen=True, slots=True)
class Content:
    """The answer for the first `through` ids: those of them whose content is here, as whole envelopes. 0: not now."""

    through: int
    envelopes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class HaveContent:
    """The sender had these without their content, and has it now. Who lacks it may ask for it, with `AskContent`."""

    ids: tuple[ActionId, ...]


Frame: TypeAlias = (
    Hello
    | Reconcile
    | Want
    | Actions
    | Took
    | End
    | Done
    | Push
    | Nudge
    | Ping
    | Fault
    | AskSketch
    | Sketch
    | Have
    | Ask
    | Prune
    | AskContent
    | Content
    | HaveContent
)


def _uint(low: int, high: int) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        if type(value) is not int or not low <= value <= high:
            raise _malformed(f"not an integer in {low} .. {high}")
        return value

    return check


def _octets(low: int, high: int) -> Callable[[Any], bytes]:
    def check(value: Any) -> bytes:
        if type(value) is not bytes or not low <= len(value) <= high:
            raise _malformed(f"not a string of {low} .. {high} bytes")
        return value

    return check


def _word(chars_max: int) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if type(value) is not str or not 0 < len(value) <= chars_max or not value.isascii() or not value.isprintable():
            raise _malformed("not a word")
        return value

    return check


def _several(check: Callable[[Any], _T], low: int, high: int) -> Callable[[Any], tuple[_T, ...]]:
    def check_all(value: Any) -> tuple[_T, ...]:
        if type(value) is not list or not low <= len(value) <= high:
            raise _malformed(f"not a list of {low} .. {high}")
        return tuple([check(item) for item in value])

    return check_all


def _place(value: Any) -> Place:
    if type(value) is not list or len(value) != len(Place._fields):
        raise _malformed("no place")
    place = Place(_count(value[0]), _octets(0, MARK_BYTES)(value[1]))
    if len(place.mark) != (MARK_BYTES if place.sequence else 0):
        raise _malformed("a place without its mark")
    return place


def _pieces(each_bytes: int, pieces_max: int) -> Callable[[Any], bytes]:
    check_size = _octets(0, each_bytes * pieces_max)

    def check(value: Any) -> bytes:
        if len(check_size(value)) % each_bytes:
            raise _malformed(f"not a whole number of {each_bytes} bytes")
        return bytes(value)

    return check


def _malformed(why: str) -> RemoteError:
    return RemoteError("frame", why)


_session = _uint(1, SESSION_MAX)
_count = _uint(0, INTEGER_MAX)
_fingerprint = _octets(_FINGERPRINT_BYTES, _FINGERPRINT_BYTES)
_symbol = _uint(0, SKETCH_SYMBOLS_MAX)
_envelopes = _several(_octets(1, ENVELOPE_BYTES_MAX), 1, LINK_CHUNK_ACTIONS_MAX)
_FRAMES: dict[int, tuple[type[Frame], tuple[Callable[[Any], Any], ...]]] = {
    0: (Hello, (
        _uint(1, 0xFFFF), _octets(MESH_TAG_BYTES, MESH_TAG_BYTES), _session, _count, _fingerprint, _place, _place,
        _uint(0, _ABILITIES_MAX), _count,
    )),
    1: (Reconcile, (_session, _octets(1, RECONCILE_LINK_BYTES_MAX))),
    2: (Want, (_session, _several(_octets(_ID_BYTES, _ID_BYTES), 1, WANT_IDS_MAX))),
    4: (Actions, (_session, _envelopes, _place)),
    5: (Took, (_uint(0, SESSION_MAX), _uint(0, LINK_CHUNK_ACTIONS_MAX))),
    6: (End, (_session,)),
    7: (Done, (_session, _count, _fingerprint, _place, _count)),
    8: (Push, (_envelopes,)),
    9: (Nudge, ()),
    10: (Ping, ()),
    11: (Fault, (_word(LINK_CODE_CHARS_MAX),)),
    12: (AskSketch, (_session, _symbol, _symbol, _pieces(SAMPLE_BYTES, 1))),
    13: (Sketch, (_session, _symbol, _pieces(SYMBOL_BYTES, SKETCH_SYMBOLS_MAX))),
    14: (Have, (_several(_octets(_ID_BYTES, _ID_BYTES), 1, HAVE_IDS_MAX),)),
    15: (Ask, (_several(_octets(_ID_BYTES, _ID_BYTES), 1, HAVE_IDS_MAX),)),
    16: (Prune, ()),
    17: (AskContent, (_several(_octets(_ID_BYTES, _ID_BYTES), 1, CONTENT_IDS_MAX),)),
    18: (Content, (_uint(0, CONTENT_IDS_MAX), _several(_octets(1, ENVELOPE_BYTES_MAX), 0, CONTENT_IDS_MAX))),
    19: (HaveContent, (_several(_octets(_ID_BYTES, _ID_BYTES), 1, HAVE_IDS_MAX),)),
}  # fmt: skip
_NUMBERS = {frame: (number, tuple(field.name for field in fields(frame))) for number, (frame, _) in _FRAMES.items()}
_ITEMS_MAX = max(WANT_IDS_MAX, LINK_CHUNK_ACTIONS_MAX) + 16  # and the frame around them


def encode(frame: Frame) -> bytes:
    """The frame's bytes."""
    number, names = _NUMBERS[type(frame)]
    return cbor.encode([number, *(getattr(frame, name) for name in names)])


def decode(raw: bytes) -> Frame:
    """The frame of these bytes.

    Raises `RemoteError`: `cbor` outside the profile or too large, `frame` against the grammar, `frame-unknown` for a
    number that this version does not have.
    """
    items = cbor.decode(raw, bytes_max=LINK_MESSAGE_BYTES_MAX, depth_max=_DEPTH, items_max=_ITEMS_MAX)
    if type(items) is not list or not items or type(items[0]) is not int:
        raise _malformed("not a list that starts with a number")
    if items[0] not in _FRAMES:
        raise RemoteError("frame-unknown", f"frame {items[0]}: the peer may be newer than we are")
    frame, checks = _FRAMES[items[0]]
    if len(items) - 1 != len(checks):
        raise _malformed(f"{frame.__name__} has {len(checks)} fields")
    return frame(*[check(item) for check, item in zip(checks, items[1:], strict=True)])
