"""Frames: what two hubs say to each other over a link (docs/wire.md).

A frame is one CBOR array `[number, field, ...]` in the strict profile of `hubd.action.cbor`. `_FRAMES` is the whole
grammar: a frame's number and the check of each of its fields. `decode` raises `RemoteError` and nothing else.

A later version of the protocol adds frames, and says so in `Hello`; it never changes the fields of these.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from hashlib import sha256
from typing import Any, TypeAlias, TypeVar

from hubd.action import cbor
from hubd.action.network import BY_NAME
from hubd.action.principal import STANDARD_BYTES, Principal, check_principal
from hubd.action.sip018 import ActionId, Domain
from hubd.errors import RemoteError
from hubd.limits import (
    ENVELOPE_BYTES_MAX,
    HAVE_IDS_MAX,
    INTEGER_MAX,
    LINK_CAPABILITIES_MAX,
    LINK_CAPABILITY_CHARS_MAX,
    LINK_CHUNK_ACTIONS_MAX,
    LINK_CODE_CHARS_MAX,
    LINK_MESSAGE_BYTES_MAX,
    RECONCILE_FRAME_BYTES_MAX,
    WANT_IDS_MAX,
)

MESH_TAG_BYTES = 8
SESSION_MAX = 2**32 - 1  # session numbers start at 1 and may wrap
FILL = "fill"  # capability: an empty side is filled by a stream instead of being reconciled

_ID_BYTES = 32
_FINGERPRINT_BYTES = 32
_DEPTH = 2
_T = TypeVar("_T")


def mesh_tag(domain: Domain) -> bytes:
    """Eight bytes that tell meshes apart: hubs of two villages notice it in the first frame."""
    return sha256(domain.clarity()).digest()[:MESH_TAG_BYTES]


@dataclass(frozen=True, slots=True)
class Hello:
    """Opens a session, and answers that. `count` and `fingerprint` are the sender's whole set at this moment."""

    version: int  # the highest that the sender speaks; both use the lower one
    mesh: bytes
    hub: Principal
    session: int
    count: int
    fingerprint: bytes
    capabilities: tuple[str, ...]  # ascending; unknown ones are passed over


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
class Fill:
    """The initiator has nothing yet and asks for everything; the answer is `Actions` ... `End`."""

    session: int


@dataclass(frozen=True, slots=True)
class Actions:
    """A chunk of envelopes. At most `LINK_WINDOW_CHUNKS` may be on the way without a `Took`."""

    session: int
    envelopes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Took:
    """One chunk of `Actions` is on the receiver's disk; with session 0, one `Push`."""

    session: int


@dataclass(frozen=True, slots=True)
class End:
    """All that was asked for by `Want` or `Fill` has been sent."""

    session: int


@dataclass(frozen=True, slots=True)
class Done:
    """The sender has nothing more to give or to ask. Equal counts and fingerprints prove equal sets."""

    session: int
    count: int
    fingerprint: bytes


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


Frame: TypeAlias = (
    Hello | Reconcile | Want | Fill | Actions | Took | End | Done | Push | Nudge | Ping | Fault | Have | Ask | Prune
)
SESSION_FRAMES = (Hello, Reconcile, Want, Fill, Actions, End, Done)  # and Took, unless its session is 0


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


def _hub(value: Any) -> Principal:
    if type(value) is bytes and len(value) == STANDARD_BYTES:
        for network in BY_NAME.values():
            if value[0] in network.versions:
                return check_principal(value, network)
    raise _malformed("no principal of a hub")


def _malformed(why: str) -> RemoteError:
    return RemoteError("frame", why)


_session = _uint(1, SESSION_MAX)
_count = _uint(0, INTEGER_MAX)
_fingerprint = _octets(_FINGERPRINT_BYTES, _FINGERPRINT_BYTES)
_envelopes = _several(_octets(1, ENVELOPE_BYTES_MAX), 1, LINK_CHUNK_ACTIONS_MAX)
_FRAMES: dict[int, tuple[type[Frame], tuple[Callable[[Any], Any], ...]]] = {
    0: (Hello, (
        _uint(1, 0xFFFF), _octets(MESH_TAG_BYTES, MESH_TAG_BYTES), _hub, _session, _count, _fingerprint,
        _several(_word(LINK_CAPABILITY_CHARS_MAX), 0, LINK_CAPABILITIES_MAX),
    )),
    1: (Reconcile, (_session, _octets(1, RECONCILE_FRAME_BYTES_MAX))),
    2: (Want, (_session, _several(_octets(_ID_BYTES, _ID_BYTES), 1, WANT_IDS_MAX))),
    3: (Fill, (_session,)),
    4: (Actions, (_session, _envelopes)),
    5: (Took, (_uint(0, SESSION_MAX),)),
    6: (End, (_session,)),
    7: (Done, (_session, _count, _fingerprint)),
    8: (Push, (_envelopes,)),
    9: (Nudge, ()),
    10: (Ping, ()),
    11: (Fault, (_word(LINK_CODE_CHARS_MAX),)),
    14: (Have, (_several(_octets(_ID_BYTES, _ID_BYTES), 1, HAVE_IDS_MAX),)),
    15: (Ask, (_several(_octets(_ID_BYTES, _ID_BYTES), 1, HAVE_IDS_MAX),)),
    16: (Prune, ()),
}  # fmt: skip
_NUMBERS = {frame: (number, tuple(field.name for field in fields(frame))) for number, (frame, _) in _FRAMES.items()}
_ITEMS_MAX = max(WANT_IDS_MAX, LINK_CHUNK_ACTIONS_MAX) + LINK_CAPABILITIES_MAX


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
