"""What a signed transaction was, under a check: one value beside each row of the relay's ledger.

A bit of the ledger may flip as any other, and no neighbour has it. So all but the signed bytes, which their own hash checks,
and the state, whose names differ by more than a bit, is written twice: in the row, and here, where it counts.
"""

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple

from hubd.action import cbor
from hubd.action.sip018 import ActionId
from hubd.errors import RemoteError
from hubd.ports import LedgerEntry, TransactionState

POSITION = 0  # of the sealed value in `ledger_item`; before there were seals, each action had a row of its own
_CHECK_BYTES = 8
_ID_BYTES = 32


class Sealed(NamedTuple):
    """What the seal holds of an entry."""

    account_nonce: int
    fee_ustx: int
    function: str
    signed_at_s: int
    ids: tuple[ActionId, ...]


def seal(entry: LedgerEntry) -> bytes:
    """The value to keep beside an entry's row."""
    said = [entry.account_nonce, entry.fee_ustx, entry.function, entry.signed_at_s, b"".join(entry.ids)]
    body = cbor.encode(said)
    return _check(entry.txid, body) + body


def unseal(txid: bytes, values: Sequence[Any]) -> Sealed | None:
    """What was sealed for this transaction; None where that rotted, or never was."""
    if len(values) != 1 or type(values[0]) is not bytes or len(values[0]) == _ID_BYTES:
        return None
    check, body = values[0][:_CHECK_BYTES], values[0][_CHECK_BYTES:]
    if check != _check(txid, body):
        return None
    try:
        nonce, fee_ustx, function, at_s, joined = cbor.decode(body)
    except (RemoteError, ValueError):
        return None
    ids = tuple(ActionId(joined[at : at + _ID_BYTES]) for at in range(0, len(joined), _ID_BYTES))
    return Sealed(nonce, fee_ustx, function, at_s, ids)


def state_of(value: Any) -> TransactionState:
    """The state in a row. One that rotted is that of a transaction whose fate is to be looked up."""
    try:
        return TransactionState(value)
    except ValueError:
        return TransactionState.BROADCAST


def _check(txid: bytes, body: bytes) -> bytes:
    return hashlib.blake2b(txid + body, digest_size=_CHECK_BYTES).digest()
