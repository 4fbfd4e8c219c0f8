"""The bytes of a reconciliation message: Negentropy protocol v1, read strictly and written as the reference writes them.

A message is a version byte and adjacent ranges in ascending order; each gives its exclusive upper bound and what the
sender says of the items below it: nothing (`Skip`), a `Fingerprint`, or all their ids (`IdList`).

An item's *key* is `created` as 8 big-endian bytes followed by its 32-byte id, and a *bound* is a prefix of a key of at
least 8 bytes: so the protocol's order, bounds included, is the order of plain bytes, and bisecting needs no key function.

The reader refuses what the specification leaves to taste: varints that are too long or padded, bounds that do not
ascend, id prefixes above 32 bytes, payloads that are cut off, ids listed twice.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple, NewType, TypeAlias

from hubd.errors import RemoteError

VERSION = 0x61  # protocol 1; 0x62 would be protocol 2
VERSIONS = range(0x60, 0x70)
ID_BYTES = 32
CREATED_BYTES = 8
FINGERPRINT_BYTES = 16

_SKIP, _FINGERPRINT, _ID_LIST = range(3)  # section "Range"
_U64_MAX = 2**64 - 1
_FINGERPRINT_RANGE_BYTES_MIN = 3 + FINGERPRINT_BYTES
_VARINT_BYTES_MAX = 10  # 2^64 - 1 in digits of seven bits
_SUM_MODULUS = 1 << 256  # section "Fingerprint Algorithm"

Bound = NewType("Bound", bytes)
START = Bound(bytes(CREATED_BYTES))
INFINITY = Bound(_U64_MAX.to_bytes(CREATED_BYTES, "big"))  # above every key: no item may be created at 2^64 - 1


class Skip(NamedTuple):
    """The sender has no more to say about this range."""

    bound: Bound


class Fingerprint(NamedTuple):
    """A digest of the ids that the sender has in this range."""

    bound: Bound
    digest: bytes


class IdList(NamedTuple):
    """All ids that the sender has in this range."""

    bound: Bound
    ids: Sequence[bytes]


Range: TypeAlias = Skip | Fingerprint | IdList


def key(created: int, id_: bytes) -> bytes:
    """The 40 bytes that an item is sorted by."""
    assert len(id_) == ID_BYTES, "an id is 32 bytes"
    assert 0 <= created < _U64_MAX, "2^64 - 1 is the protocol's infinity"
    return created.to_bytes(CREATED_BYTES, "big") + id_


def bound_between(below: bytes, above: bytes) -> Bound:
    """The shortest bound that parts two neighbouring keys (section "Bound")."""
    if below[:CREATED_BYTES] != above[:CREATED_BYTES]:
        return Bound(above[:CREATED_BYTES])
    length = CREATED_BYTES
    while below[length] == above[length]:
        length += 1
    return Bound(above[: length + 1])


def digest(ids_sum: int, count: int) -> bytes:
    """The fingerprint of `count` ids whose sum, each taken as a little-endian number, is `ids_sum`."""
    total = (ids_sum % _SUM_MODULUS).to_bytes(ID_BYTES, "little")
    return sha256(total + varint(count)).digest()[:FINGERPRINT_BYTES]


def varint(number: int) -> bytes:
    """Base 128, most significant digit first, with as few digits as possible (section "Varint")."""
    digits = bytearray((number & 0x7F,))
    while number := number >> 7:
        digits.append(number & 0x7F | 0x80)
    digits.reverse()
    return bytes(digits)


class Writer:
    """A message being written, range after range in ascending order. `len()` is its size in bytes so far."""

    __slots__ = ("_created", "_message")

    def __init__(self) -> None:
        self._message = bytearray((VERSION,))
        self._created = 0

    def __len__(self) -> int:
        return len(self._message)

    def skip(self, bound: Bound) -> None:
        """Append a `Skip`."""
        self._head(bound, _SKIP)

    def fingerprint(self, bound: Bound, fingerprint: bytes) -> None:
        """Append a `Fingerprint`."""
        self._head(bound, _FINGERPRINT)
        self._message += fingerprint

    def id_list(self, bound: Bound, ids: Sequence[bytes]) -> None:
        """Append an `IdList`."""
        self._head(bound, _ID_LIST)
        self._message += varint(len(ids))
        self._message += b"".join(ids)

    def cut_back(self, length: int) -> None:
        """Forget what was written after `length`. Only a range up to `INFINITY` may follow: its bound is no offset."""
        del self._message[length:]

    def message(self) -> bytes:
        """The bytes to send."""
        return bytes(self._message)

    def _head(self, bound: Bound, mode: int) -> None:
        if bound == INFINITY:
            self._message += b"\0\0"
        else:
            created = int.from_bytes(bound[:CREATED_BYTES], "big")
            self._message += varint(created - self._created + 1)
            self._created = created
            self._message.append(len(bound) - CREATED_BYTES)
            self._message += bound[CREATED_BYTES:]
        self._message.append(mode)


def speaks_our_version(message: bytes, *, bytes_max: int) -> bool:
    """Whether `parse` understands the message. `RemoteError` if it is too large or no Negentropy message at all."""
    if len(message) > bytes_max:
        raise RemoteError("reconcile-too-large", f"{len(message)} bytes, at most {bytes_max}")
    if not message or message[0] not in VERSIONS:
        raise _malformed("no version byte")
    return message[0] == VERSION


def parse(message: bytes, *, bytes_max: int) -> list[Range]:
    """All ranges of a message of our version, or `RemoteError`. Takes time and memory in proportion to the message.

    An honest message has no more ranges than one of `bytes_max` has room for fingerprints, with a skip before each: what
    is answered with an empty list was asked by a fingerprint.
    """
    reader = _Reader(message)
    ranges_max = 2 * (bytes_max // _FINGERPRINT_RANGE_BYTES_MIN + 1)
    ranges: list[Range] = []
    listed: set[bytes] = set()
    listed_count = 0
    while not reader.at_end:
        if len(ranges) == ranges_max:
            raise _malformed(f"more than {ranges_max} ranges")
        bound = reader.bound()
        mode = reader.varint()
        if mode == _SKIP:
            ranges.append(Skip(bound))
        elif mode == _FINGERPRINT:
            ranges.append(Fingerprint(bound, reader.take(FINGERPRINT_BYTES)))
        elif mode == _ID_LIST:
            ids = reader.ids()
            listed.update(ids)
            listed_count += len(ids)
            ranges.append(IdList(bound, ids))
        else:
            raise _malformed("unknown mode")
    if len(listed) != listed_count:
        raise _malformed("an id is listed twice")
    return ranges


class _Reader:
    """A cursor over a message, behind the version byte. Every step checks before it takes."""

    __slots__ = ("_at", "_bound", "_created", "_raw")

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._at = 1
        self._created = 0
        self._bound = START

    @property
    def at_end(self) -> bool:
        return self._at == len(self._raw)

    def varint(self) -> int:
        number = 0
        for at, digit in enumerate(self._raw[self._at : self._at + _VARINT_BYTES_MAX], self._at + 1):
            number = number << 7 | digit & 0x7F
            if digit < 0x80:
                self._at = at
                return number
            if not number:
                raise _malformed("a varint longer than it need be")
        raise _malformed("a varint without end")

    def take(self, length: int) -> bytes:
        if length > len(self._raw) - self._at:
            raise _malformed("a length beyond the end")
        start = self._at
        self._at += length
        return self._raw[start : self._at]

    def ids(self) -> list[bytes]:
        payload = self.take(self.varint() * ID_BYTES)
        return [payload[at : at + ID_BYTES] for at in range(0, len(payload), ID_BYTES)]

    def bound(self) -> Bound:
        offset = self.varint()
        prefix_length = self.varint()
        if prefix_length > ID_BYTES:
            raise _malformed("an id prefix above 32 bytes")
        prefix = self.take(prefix_length)
        if not offset:
            if any(prefix):  # implementations that pad every prefix write zeros, which mean nothing
                raise _malformed("infinity has no id prefix")
            self._bound = INFINITY  # may come twice: the reference closes a full frame so
            return INFINITY
        self._created += offset - 1
        if self._created >= _U64_MAX:
            raise _malformed("a time above 2^64 - 2")
        bound = Bound(self._created.to_bytes(CREATED_BYTES, "big") + prefix)
        if bound <= self._bound:
            raise _malformed("bounds that do not ascend")
        self._bound = bound
        return bound


def _malformed(why: str) -> RemoteError:
    return RemoteError("reconcile", why)
