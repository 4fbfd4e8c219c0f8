"""The receipt: what a hub says it has, signed, so that the next bundle for it carries only what is new.

    receipt = CBOR [mesh (8), hub, round, count, fingerprint, place, [[other hub, place or null, round], ...], signature]
    place   = [epoch (8), sequence, prefix (8)], a place in that hub's order of arrival; sequence 0 is its beginning

`place` is the hub's own, at the time of writing; the rows say up to where it holds everything of others, and which of their
rounds it has heard (hubd/post/order.py).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hubd.action import cbor
from hubd.action.charter import Charter
from hubd.action.principal import STANDARD_BYTES, Principal
from hubd.action.signature import Signer, principal_of, recover
from hubd.errors import RemoteError
from hubd.limits import INTEGER_MAX, RECEIPT_BYTES_MAX, RECEIPT_ROWS_MAX
from hubd.ports import Cursor

MESH_BYTES = 8
_EPOCH_BYTES = 8
_PREFIX_BYTES = 8
_FINGERPRINT_BYTES = 32
_ITEMS_MAX = 7 * RECEIPT_ROWS_MAX + 16


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a hub has: all of it in count and fingerprint, and of each other hub everything up to a place.

    `round` is its own, `heard` those of others that are not 0.
    """

    hub: Principal
    round: int
    count: int
    fingerprint: bytes
    place: Cursor
    has: Mapping[Principal, Cursor]
    heard: Mapping[Principal, int]


def place_fields(place: Cursor) -> list[Any]:
    """A place as it travels."""
    return [place.epoch, place.sequence, place.id_prefix]


def place_of(shown: object) -> Cursor:
    """The place of decoded CBOR. Raises `RemoteError("receipt")`."""
    if not isinstance(shown, list) or len(shown) != 3:
        raise _wrong("a place of another shape")
    epoch, sequence, prefix = shown
    if not isinstance(epoch, bytes) or len(epoch) != _EPOCH_BYTES:
        raise _wrong("a place without its database")
    if not isinstance(sequence, int) or not _is_number(sequence):
        raise _wrong("a place without its number")
    if not isinstance(prefix, bytes) or len(prefix) != (_PREFIX_BYTES if sequence else 0):
        raise _wrong("a place without its id")
    return Cursor(epoch, sequence, prefix)


def seal(receipt: Receipt, charter: Charter, signer: Signer) -> bytes:
    """The signed bytes; `receipt.hub` is the principal of the key."""
    named = sorted({*receipt.has, *receipt.heard})[:RECEIPT_ROWS_MAX]
    said = [
        charter.digest[:MESH_BYTES],
        receipt.hub,
        receipt.round,
        receipt.count,
        receipt.fingerprint,
        place_fields(receipt.place),
        [[hub, _place_or_null(receipt.has.get(hub)), receipt.heard.get(hub, 0)] for hub in named],
    ]
    return cbor.encode([*said, signer.sign(_digest(said, charter))])


def parse(raw: bytes, charter: Charter) -> Receipt:
    """The receipt of these bytes, signed by the hub that it names. Raises `RemoteError`: `cbor`, `receipt`."""
    shown = cbor.decode(raw, bytes_max=RECEIPT_BYTES_MAX, items_max=_ITEMS_MAX)
    if not isinstance(shown, list) or len(shown) != 8:
        raise _wrong("another shape")
    mesh, hub, number, count, fingerprint, place, rows, signature = shown
    if mesh != charter.digest[:MESH_BYTES]:
        raise _wrong("of another mesh")
    if not isinstance(signature, bytes) or not isinstance(hub, bytes):
        raise _wrong("not signed")
    try:
        key = recover(_digest(shown[:7], charter), signature)
    except RemoteError as error:
        raise _wrong("not signed") from error
    if principal_of(key, charter.network) != hub:
        raise _wrong("signed by another key")
    if not _is_number(count) or not _is_number(number):
        raise _wrong("no count")
    if not isinstance(fingerprint, bytes) or len(fingerprint) != _FINGERPRINT_BYTES or not isinstance(rows, list):
        raise _wrong("no fingerprint")
    told = [_row(each) for each in rows]
    has = {other: its_place for other, its_place, _ in told if its_place is not None}
    heard = {other: its_round for other, _, its_round in told if its_round}
    return Receipt(Principal(hub), number, count, fingerprint, place_of(place), has, heard)


def _row(shown: object) -> tuple[Principal, Cursor | None, int]:
    if not isinstance(shown, list) or len(shown) != 3:
        raise _wrong("a row of another shape")
    hub, place, number = shown
    if not isinstance(hub, bytes) or len(hub) != STANDARD_BYTES or not _is_number(number):
        raise _wrong("a row without its hub")
    return Principal(hub), None if place is None else place_of(place), number


def _place_or_null(place: Cursor | None) -> list[Any] | None:
    return None if place is None else place_fields(place)


def _is_number(value: object) -> bool:
    return type(value) is int and 0 <= value <= INTEGER_MAX


def _digest(said: list[Any], charter: Charter) -> bytes:
    return hashlib.sha256(b"hubd-receipt-v1" + charter.digest + cbor.encode(said)).digest()


def _wrong(detail: str) -> RemoteError:
    return RemoteError("receipt", detail)
