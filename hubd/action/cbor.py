"""The CBOR profile: bytes are accepted only if they are the one deterministic encoding (RFC 8949 section 4.2.1).

Integers, byte and text strings, arrays, maps, booleans and null; no floats, tags, big numbers, indefinite lengths or
trailing bytes. `check` walks the raw bytes without recursion and without allocating more than they are long, *before*
any CBOR library sees them: a 63 kB map of colliding keys costs a general decoder 0.3 s of a hub's CPU.
"""

from typing import Any

import cbor2

from hubd.errors import RemoteError
from hubd.limits import CBOR_DEPTH_MAX, CBOR_ITEMS_MAX, ENVELOPE_BYTES_MAX

_BYTES, _TEXT, _ARRAY, _MAP, _TAG, _SIMPLE = range(2, 8)
_SIMPLE_VALUES = (20, 21, 22)  # false, true, null
_SMALLEST = {1: 24, 2: 0x100, 4: 0x1_0000, 8: 0x1_0000_0000}  # the least value that needs so many argument bytes


class _Open:
    """A container whose items are still being read."""

    __slots__ = ("is_map", "key_next", "previous_key", "remaining")

    def __init__(self, remaining: int, *, is_map: bool) -> None:
        self.remaining = remaining
        self.is_map = is_map
        self.key_next = is_map
        self.previous_key: bytes | None = None


def _head(raw: bytes, at: int) -> tuple[int, int, int]:
    """Major type, argument and the index behind them."""
    if at >= len(raw):
        raise RemoteError("cbor", "truncated")
    major, short = raw[at] >> 5, raw[at] & 31
    at += 1
    if major == _SIMPLE:
        if short not in _SIMPLE_VALUES:
            raise RemoteError("cbor", "a float or an unknown simple value")
        return major, short, at
    if short < 24:
        return major, short, at
    if short > 27:
        raise RemoteError("cbor", "an indefinite or reserved length")
    width = 1 << (short - 24)
    if at + width > len(raw):
        raise RemoteError("cbor", "truncated")
    argument = int.from_bytes(raw[at : at + width], "big")
    if argument < _SMALLEST[width]:
        raise RemoteError("cbor", "a number longer than it need be")
    return major, argument, at + width


def _string_end(raw: bytes, major: int, length: int, at: int) -> int:
    if length > len(raw) - at:
        raise RemoteError("cbor", "a length beyond the end")
    if major == _TEXT:
        try:
            raw[at : at + length].decode("utf-8")
        except UnicodeDecodeError as error:
            raise RemoteError("cbor", "text that is no UTF-8") from error
    return at + length


def _close(stack: list[_Open], raw: bytes, start: int, end: int) -> None:
    """One item is complete: note it in its container, and close the containers that it completes."""
    while stack:
        top = stack[-1]
        if top.key_next:
            key = raw[start:end]
            if top.previous_key is not None and key <= top.previous_key:
                raise RemoteError("cbor", "map keys out of order or twice")
            top.previous_key, top.key_next = key, False
            return
        top.key_next = top.is_map
        top.remaining -= 1
        if top.remaining:
            return
        stack.pop()


def check(
    raw: bytes,
    *,
    bytes_max: int = ENVELOPE_BYTES_MAX,
    depth_max: int = CBOR_DEPTH_MAX,
    items_max: int = CBOR_ITEMS_MAX,
) -> None:
    """Raise `RemoteError("cbor")` unless `raw` is one item in the profile."""
    if not raw or len(raw) > bytes_max:
        raise RemoteError("cbor", "empty or too large")
    stack: list[_Open] = []
    at = items = 0
    while True:
        start = at
        items += 1
        if items > items_max:
            raise RemoteError("cbor", "too many items")
        major, argument, at = _head(raw, at)
        if stack and stack[-1].key_next and major not in (0, _TEXT):
            raise RemoteError("cbor", "a map key that is neither a number nor text")
        if major == _TAG:
            raise RemoteError("cbor", "a tag")
        if major in (_BYTES, _TEXT):
            at = _string_end(raw, major, argument, at)
        elif major in (_ARRAY, _MAP):
            needed = argument * (2 if major == _MAP else 1)
            if needed > len(raw) - at:
                raise RemoteError("cbor", "a count beyond the end")
            if argument:
                if len(stack) >= depth_max:
                    raise RemoteError("cbor", "nested too deep")
                stack.append(_Open(argument, is_map=major == _MAP))
                continue
        _close(stack, raw, start, at)
        if not stack:
            break
    if at != len(raw):
        raise RemoteError("cbor", "trailing bytes")


def decode(
    raw: bytes,
    *,
    bytes_max: int = ENVELOPE_BYTES_MAX,
    depth_max: int = CBOR_DEPTH_MAX,
    items_max: int = CBOR_ITEMS_MAX,
) -> Any:
    """The value of bytes in the profile; the profile check runs first. Raises `RemoteError("cbor")`."""
    check(raw, bytes_max=bytes_max, depth_max=depth_max, items_max=items_max)
    try:
        return cbor2.loads(raw)
    except (cbor2.CBORDecodeError, ValueError, OverflowError, RecursionError, MemoryError) as error:
        raise RemoteError("cbor", "refused by the decoder") from error


def encode(value: Any) -> bytes:
    """Deterministic bytes. The value must be inside the profile: anything else is a programmer's error."""
    return cbor2.dumps(value, canonical=True)
