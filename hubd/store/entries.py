"""Entries of views as bytes, and back: what the fold keeps in a file (`hubd/store/views.py`).

Plain values are themselves; everything else is a list that begins with the number of its type in a fixed table, so bytes
never name code. A check in front tells what rotted on the card. The numbers mean something within one file format only.
"""

import zlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

import cbor2

from hubd.errors import LocalError
from hubd.fold import bookings, council, keys, lesson_views, moves, views

_TUPLE, _MAPPING = 0, 1
_CHECK_BYTES = 4
_ATOMS = frozenset((int, bytes, str, bool, type(None)))
_TYPES: tuple[type, ...] = (
    *(views.Mesh, views.Hub, views.Transaction, views.Settlement, views.Balance, views.Key, views.Person),
    *(views.Guardians, views.Recovery, views.Vouch, views.Offer, views.Request, views.Match, views.Lesson),
    *(views.Waiting, views.Rating, views.Reputation, views.Erased, views.Void, views.Unknown, views.Sides),
    *(views.HubState, views.SettlementState, views.RequestState, views.RecoveryState),
    *(views.LessonState, views.Payment, lesson_views.DisputeState, lesson_views.EarmarkState),
    *(lesson_views.Move, lesson_views.DisputeOffer, lesson_views.Dispute, lesson_views.Earmark, lesson_views.Class),
    *(council.Council, keys.Ring, bookings.Booking, moves.Times),
)
_NUMBERS = {type_: number for number, type_ in enumerate(_TYPES, 2)}
_COLUMNS = {type_: tuple(column.name for column in fields(type_)) for type_ in _TYPES if is_dataclass(type_)}


def _flat(value: Any) -> Any:
    type_ = type(value)
    if type_ in _ATOMS:
        return value
    number = _NUMBERS.get(type_)
    if type_ in _COLUMNS:
        return [number, *(_flat(getattr(value, name)) for name in _COLUMNS[type_])]
    if isinstance(value, tuple):
        return [_TUPLE if number is None else number, *(_flat(item) for item in value)]
    if isinstance(value, Mapping):
        return [_MAPPING, *(_flat(each) for pair in value.items() for each in pair)]
    if isinstance(value, Enum) and number is not None:
        return [number, value.value]
    raise LocalError("entries", f"{type_.__name__} is no part of an entry")


def _raised(value: Any) -> Any:
    if type(value) is not list:
        return value
    number, *rest = value
    items = [_raised(item) for item in rest]
    if number == _TUPLE:
        return tuple(items)
    if number == _MAPPING:
        return dict(zip(items[::2], items[1::2], strict=True))
    return _TYPES[number - 2](*items)


def pack(value: Any) -> bytes:
    """The bytes of an entry or of sums, whose check lies in front of them and knows their place, too."""
    return cbor2.dumps(_flat(value))


def unpack(body: bytes) -> Any:
    """The value again."""
    return _raised(cbor2.loads(body))


def encode(value: Any) -> bytes:
    """The bytes of a key or of a fact."""
    body = cbor2.dumps(_flat(value))
    return zlib.crc32(body).to_bytes(_CHECK_BYTES, "big") + body


def decode(raw: bytes) -> Any:
    """The value again. Raises `LocalError("entries")` where the bytes are not what was written."""
    body = raw[_CHECK_BYTES:]
    if zlib.crc32(body).to_bytes(_CHECK_BYTES, "big") != raw[:_CHECK_BYTES]:
        raise LocalError("entries", "stored bytes changed")
    return _raised(cbor2.loads(body))
