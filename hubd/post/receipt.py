"""The receipt: what a hub says it has, signed, so that the next bundle for it carries only what is new.

    receipt = CBOR [mesh (8), hub, count, fingerprint, place, [[other hub, place], ...], signature]
    place   = [epoch (8), sequence, prefix (8)], a place in that hub's order of arrival; sequence 0 is its beginning

`place` is the hub's own, at the time of writing; the rows say up to where it holds everything of others.
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
_ITEMS_MAX = 6 * RECEIPT_ROWS_MAX + 16


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a hub has: all of it in count and fingerprint, and of each other hub everything up to a place."""

    hub: Principal
    count: int
    fingerprint: bytes
    place: Cursor
    has: Mapping[Principal, Cursor]


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
    if type(sequence) is not int or not 0 <= sequence <= INTEGER_MAX:
        raise _wrong("a place without its number")
    if not isinstance(prefix, bytes) or len(prefix) != (_PREFIX_BYTES if sequence else 0):
        raise _wrong("a place without its id")
    return Cursor(epoch, sequence, prefix)


def seal(receipt: Receipt, charter: Charter, signer: Signer) -> bytes:
    """The signed bytes; `receipt.hub` is the principal of the key."""
    rows = sorted(receipt.has.items())[:RECEIPT_ROWS_MAX]
    said = [
        charter.digest[:MESH_BYTES],
        receipt.hub,
        receipt.count,
        receipt.fingerprint,
        place_fields(receipt.place),
        [[hub, place_fields(place)] for hub, place in rows],
    ]
    return cbor.encode([*said, signer.sign(_digest(said, charter))])


def parse(raw: bytes, charter: Charter) -> Receipt:
    """The receipt of these bytes, signed by the hub that it names. Raises `RemoteError`: `cbor`, `receipt`."""
    shown = cbor.decode(raw, bytes_max=RECEIPT_BYTES_MAX, items_max=_ITEMS_MAX)
    if not isinstance(shown, list) or len(shown) != 7:
        raise _wrong("another shape")
    mesh, hub, count, fingerprint, place, rows, signature = shown
    if mesh != charter.digest[:MESH_BYTES]:
        raise _wrong("of another mesh")
    if not isinstance(signature, bytes) or not isinstance(hub, bytes):
        raise _wrong("not signed")
    try:
        key = recover(_digest(shown[:6], charter), signature)
    except RemoteError as error:
        raise _wrong("not signed") from error
    if principal_of(key, charter.network) != hub:
        raise _wrong("signed by another key")
    if type(count) is not int or not 0 <= count <= INTEGER_MAX:
        raise _wrong("no count")
    if not isinstance(fingerprint, bytes) or len(fingerprint) != _FINGERPRINT_BYTES or not isinstance(rows, list):
        raise _wrong("no fingerprint")
    return Receipt(Principal(hub), count, fingerprint, place_of(place), dict(map(_row, rows)))


def _row(shown: object) -> tuple[Principal, Cursor]:
    if not isinstance(shown, list) or len(shown) != 2:
        raise _wrong("a row of another shape")
    hub, place = shown
    if not isinstance(hub, bytes) or len(hub) != STANDARD_BYTES:
        raise _wrong("a row without its hub")
    return Principal(hub), place_of(place)


def _digest(said: list[Any], charter: Charter) -> bytes:
    return hashlib.sha256(b"hubd-receipt-v1" + charter.digest + cbor.encode(said)).digest()


def _wrong(detail: str) -> RemoteError:
    return RemoteError("receipt", detail)
