"""Clarity values and their consensus bytes (SIP-005, "Clarity Value Representation").

Every type is a small frozen class, so that a value says what it is: `UInt(5)` and `Int(5)` differ, and a principal is no
buffer. `decode` accepts exactly what `encode` writes: sorted tuple keys, no trailing bytes, bounded depth.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from hubd.action.principal import STANDARD_BYTES, Principal
from hubd.errors import RemoteError
from hubd.limits import CLARITY_BYTES_MAX, CLARITY_DEPTH_MAX

_INT, _UINT, _BUFF, _TRUE, _FALSE, _STANDARD, _CONTRACT = range(7)
_OK, _ERR, _NONE, _SOME, _LIST, _TUPLE, _ASCII, _UTF8 = range(7, 15)
_NAME_BYTES_MAX = 128  # ClarityName
_PRINCIPAL_VERSIONS = 32  # c32check has 32 digits


@dataclass(frozen=True, slots=True)
class UInt:
    """uint, 0 .. 2^128-1."""

    value: int


@dataclass(frozen=True, slots=True)
class Int:
    """int, -2^127 .. 2^127-1."""

    value: int


@dataclass(frozen=True, slots=True)
class Buff:
    """(buff n)."""

    value: bytes


@dataclass(frozen=True, slots=True)
class Bool:
    """bool."""

    value: bool


@dataclass(frozen=True, slots=True)
class PrincipalCV:
    """principal, standard or contract."""

    value: Principal


@dataclass(frozen=True, slots=True)
class Nothing:
    """none; write it as `NONE`."""


@dataclass(frozen=True, slots=True)
class Some:
    """(some value)."""

    value: "Value"


@dataclass(frozen=True, slots=True)
class Ok:
    """(ok value)."""

    value: "Value"


@dataclass(frozen=True, slots=True)
class Err:
    """(err value)."""

    value: "Value"


@dataclass(frozen=True, slots=True)
class ListCV:
    """(list ...)."""

    items: tuple["Value", ...]


@dataclass(frozen=True, slots=True)
class TupleCV:
    """{key: value, ...}; keys in any order, written in byte order."""

    entries: Mapping[str, "Value"]


@dataclass(frozen=True, slots=True)
class Ascii:
    """(string-ascii n)."""

    value: str


@dataclass(frozen=True, slots=True)
class Utf8:
    """(string-utf8 n)."""

    value: str


Value: TypeAlias = UInt | Int | Buff | Bool | PrincipalCV | Nothing | Some | Ok | Err | ListCV | TupleCV | Ascii | Utf8
NONE = Nothing()


def some(value: Value | None) -> Value:
    """`(some value)`, or `none` for None."""
    return NONE if value is None else Some(value)


def _counted(tag: int, count: int, body: bytes) -> bytes:
    return bytes([tag]) + count.to_bytes(4, "big") + body


def _principal(principal: Principal) -> bytes:
    name = principal[STANDARD_BYTES:]
    if not name:
        return bytes([_STANDARD]) + principal
    return bytes([_CONTRACT]) + principal[:STANDARD_BYTES] + bytes([len(name)]) + name


def encode(value: Value) -> bytes:
    """Consensus bytes. Values out of a type's range are a programmer's error."""
    match value:
        case UInt(number):
            return bytes([_UINT]) + number.to_bytes(16, "big")
        case Int(number):
            return bytes([_INT]) + number.to_bytes(16, "big", signed=True)
        case Buff(raw):
            return _counted(_BUFF, len(raw), raw)
        case Bool(truth):
            return bytes([_TRUE if truth else _FALSE])
        case PrincipalCV(principal):
            return _principal(principal)
        case Nothing():
            return bytes([_NONE])
        case Some(inner):
            return bytes([_SOME]) + encode(inner)
        case Ok(inner):
            return bytes([_OK]) + encode(inner)
        case Err(inner):
            return bytes([_ERR]) + encode(inner)
        case ListCV(items):
            return _counted(_LIST, len(items), b"".join(encode(item) for item in items))
        case TupleCV(entries):
            named = ((name.encode("ascii"), encode(entries[name])) for name in sorted(entries))
            return _counted(_TUPLE, len(entries), b"".join(bytes([len(name)]) + name + raw for name, raw in named))
        case Ascii(text):
            return _counted(_ASCII, len(text), text.encode("ascii"))
        case Utf8(text):
            raw = text.encode("utf-8")
            return _counted(_UTF8, len(raw), raw)


class _Reader:
    """A cursor over bytes that never reads past their end."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._at = 0

    def take(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._raw):
            raise RemoteError("clarity", "truncated")
        taken = self._raw[self._at : end]
        self._at = end
        return taken

    def count(self) -> int:
        """A four-byte count, which can't exceed the bytes that remain (every element takes one at least)."""
        count = int.from_bytes(self.take(4), "big")
        if count > len(self._raw) - self._at:
            raise RemoteError("clarity", "a count beyond the end")
        return count

    def finish(self) -> None:
        if self._at != len(self._raw):
            raise RemoteError("clarity", "trailing bytes")


def decode(raw: bytes) -> Value:
    """The value of consensus bytes. Raises `RemoteError("clarity")` for anything that `encode` would not write."""
    if len(raw) > CLARITY_BYTES_MAX:
        raise RemoteError("clarity", "too large")
    reader = _Reader(raw)
    value = _decode(reader, CLARITY_DEPTH_MAX)
    reader.finish()
    return value


def _decode(reader: _Reader, depth: int) -> Value:
    if not depth:
        raise RemoteError("clarity", "nested too deep")
    tag = reader.take(1)[0]
    if tag in (_SOME, _OK, _ERR):
        inner = _decode(reader, depth - 1)
        return Some(inner) if tag == _SOME else Ok(inner) if tag == _OK else Err(inner)
    if tag == _LIST:
        return ListCV(tuple(_decode(reader, depth - 1) for _ in range(reader.count())))
    if tag == _TUPLE:
        return _decode_tuple(reader, depth)
    return _decode_leaf(reader, tag)


def _decode_leaf(reader: _Reader, tag: int) -> Value:
    match tag:
        case 0:
            return Int(int.from_bytes(reader.take(16), "big", signed=True))
        case 1:
            return UInt(int.from_bytes(reader.take(16), "big"))
        case 2:
            return Buff(reader.take(reader.count()))
        case 3 | 4:
            return Bool(tag == _TRUE)
        case 5 | 6:
            return PrincipalCV(_decode_principal(reader, named=tag == _CONTRACT))
        case 9:
            return NONE
        case 13 | 14:
            return _decode_text(reader.take(reader.count()), tag)
    raise RemoteError("clarity", f"no type has the tag {tag}")


def _decode_text(raw: bytes, tag: int) -> Value:
    try:
        return Ascii(raw.decode("ascii")) if tag == _ASCII else Utf8(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise RemoteError("clarity", "text in another encoding") from error


def _decode_principal(reader: _Reader, *, named: bool) -> Principal:
    standard = reader.take(STANDARD_BYTES)
    if standard[0] >= _PRINCIPAL_VERSIONS:
        raise RemoteError("clarity", "no address version")
    return Principal(standard + (_decode_name(reader) if named else b""))


def _decode_name(reader: _Reader) -> bytes:
    name = reader.take(reader.take(1)[0])
    if not name or len(name) > _NAME_BYTES_MAX or not name.isascii():
        raise RemoteError("clarity", "no name")
    return name


def _decode_tuple(reader: _Reader, depth: int) -> TupleCV:
    entries: dict[str, Value] = {}
    previous = b""
    for _ in range(reader.count()):
        name = _decode_name(reader)
        if name <= previous:
            raise RemoteError("clarity", "tuple keys out of order")
        previous = name
        entries[name.decode("ascii")] = _decode(reader, depth - 1)
    return TupleCV(entries)
