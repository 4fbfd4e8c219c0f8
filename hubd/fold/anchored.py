"""What anchored content says: announcements of hubs, receipts and balances, as checked values.

Content of the kinds `hub-*`, `steward-*` and `relay-*` is part of the action for ever, so the fold may read it. Whatever
an author put there, the answer is a value or None, and None makes the action void. Further map keys are left for later
versions to mean something by.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeGuard

from hubd.action.content import read_content
from hubd.action.envelope import Action
from hubd.action.principal import STANDARD_BYTES, Principal
from hubd.action.sip018 import ActionId
from hubd.errors import RemoteError
from hubd.fold.versions import in_order
from hubd.limits import (
    CONTRACT_NAME_CHARS_MAX,
    HUB_ADDRESS_CHARS_MAX,
    HUB_ADDRESSES_MAX,
    HUB_NAME_CHARS_MAX,
    INTEGER_MAX,
)

REVOKED_LEVEL = 3  # of a receipt: the chain took the transaction back
_CACHED = 1_024  # parsed contents at hand: one receipt is read for each of its items in turn
_HASH_BYTES = 32


@dataclass(frozen=True, slots=True)
class Announce:
    """What a hub says of itself."""

    name: str
    curve: bytes
    box: bytes
    addresses: tuple[str, ...]
    uplink: bool


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where a transaction was included, and the code of each action in it (0 = done)."""

    block: bytes
    height: int
    index: int
    codes: dict[ActionId, int]


@dataclass(frozen=True, slots=True)
class Balances:
    """Vault balances at a height: (person, asset) -> (free, locked), in base units."""

    height: int
    rows: dict[tuple[Principal, Principal | None], tuple[int, int]]


def _entries(content: bytes | None, kind: str) -> dict[str, Any]:
    if content is None:
        return {}
    try:
        return read_content(content, kind)
    except RemoteError:
        return {}


def _is_uint(value: object) -> TypeGuard[int]:
    return type(value) is int and 0 <= value <= INTEGER_MAX


def _is_hash(value: object) -> TypeGuard[bytes]:
    return type(value) is bytes and len(value) == _HASH_BYTES


def _is_text(value: object, chars_max: int) -> TypeGuard[str]:
    return type(value) is str and 0 < len(value) <= chars_max


def _is_principal(value: object) -> TypeGuard[Principal]:
    return type(value) is bytes and STANDARD_BYTES <= len(value) <= STANDARD_BYTES + CONTRACT_NAME_CHARS_MAX


@lru_cache(_CACHED)
def _announce(content: bytes | None) -> Announce | None:
    entries = _entries(content, "hub-announce")
    name, curve, box = entries.get("name"), entries.get("curve"), entries.get("box")
    addresses, uplink = entries.get("addresses"), entries.get("uplink")
    if not (_is_text(name, HUB_NAME_CHARS_MAX) and _is_hash(curve) and _is_hash(box) and type(uplink) is bool):
        return None
    if not isinstance(addresses, list) or len(addresses) > HUB_ADDRESSES_MAX:
        return None
    if not all(_is_text(address, HUB_ADDRESS_CHARS_MAX) for address in addresses):
        return None
    return Announce(name, curve, box, tuple(addresses), uplink)


@lru_cache(_CACHED)
def _receipt(content: bytes | None) -> Receipt | None:
    entries = _entries(content, "relay-receipt")
    block, height, index, items = (entries.get(name) for name in ("block", "height", "index", "items"))
    if not (_is_hash(block) and _is_uint(height) and _is_uint(index) and isinstance(items, list)):
        return None
    codes: dict[ActionId, int] = {}
    for item in items:
        if not (isinstance(item, list) and len(item) == 2 and _is_hash(item[0]) and _is_uint(item[1])):
            return None
        if item[0] in codes:
            return None
        codes[ActionId(item[0])] = item[1]
    return Receipt(block, height, index, codes)


@lru_cache(_CACHED)
def _balances(content: bytes | None) -> Balances | None:
    entries = _entries(content, "relay-balance")
    height, listed = entries.get("height"), entries.get("balances")
    if not (_is_uint(height) and isinstance(listed, list)):
        return None
    rows: dict[tuple[Principal, Principal | None], tuple[int, int]] = {}
    for row in listed:
        if not (isinstance(row, list) and len(row) == 4):
            return None
        person, asset, free, locked = row
        if not (
            _is_principal(person) and (asset is None or _is_principal(asset)) and _is_uint(free) and _is_uint(locked)
        ):
            return None
        if (person, asset) in rows:
            return None
        rows[person, asset] = (free, locked)
    return Balances(height, rows)


def announce_of(action: Action) -> Announce | None:
    """What a hub-announce says, None where its content is no announcement."""
    return _announce(action.content)


def receipt_of(action: Action) -> Receipt | None:
    """What a relay-receipt says, None where its content is no receipt or names an id twice."""
    return _receipt(action.content)


def balances_of(action: Action) -> Balances | None:
    """What a relay-balance says, None where its content is no such list or names a balance twice."""
    return _balances(action.content)


def is_receipt(action: Action) -> bool:
    """Whether a relay-receipt says something at all; who says it is another question."""
    return in_order(action) and action.statement.bits <= REVOKED_LEVEL and receipt_of(action) is not None


def is_report(action: Action) -> bool:
    """Whether an action says something of the chain: a receipt or a list of balances."""
    if action.kind == "relay-balance":
        return in_order(action) and balances_of(action) is not None
    return action.kind == "relay-receipt" and is_receipt(action)


READERS = {"hub-announce": announce_of, "relay-receipt": receipt_of, "relay-balance": balances_of}
