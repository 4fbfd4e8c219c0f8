"""A stored row as an action again, whatever became of it on the card.

SQLite keeps the type of each value beside it, in a byte that rots as others do: an id may come back as a number, a text or
nothing at all. Every reader of the set asks here, or asks for a type itself.
"""

import hashlib
from contextlib import suppress
from typing import TypeGuard

from hubd.action import cbor, envelope
from hubd.action.envelope import Action
from hubd.action.sip018 import ActionId, Domain
from hubd.errors import RemoteError

DIGEST_BYTES = 8
_ID_BYTES = 32


def row_digest(header: bytes) -> bytes:
    """A row's check of its header."""
    return hashlib.sha256(header).digest()[:DIGEST_BYTES]


def is_id(value: object) -> TypeGuard[ActionId]:
    """Whether a stored value can be an id."""
    return type(value) is bytes and len(value) == _ID_BYTES


def proven(action_id: object, header: object, digest: object, body: object, domain: Domain) -> Action:
    """The action of a row in which anything may have rotted, by its digests, or by its signature."""
    with suppress(RemoteError):
        action = reopen(action_id, header, body, domain)
        if row_digest(action.header) == digest:
            return action
    return salvaged(header, body, domain)


def salvaged(header: object, body: object, domain: Domain) -> Action:
    """What a header and content still prove, signature included. Raises `RemoteError` where something is lost."""
    if type(header) is not bytes or not (body is None or type(body) is bytes):
        raise RemoteError("rot", "stored types changed")
    return envelope.parse(header if body is None else b"\x83" + header[1:] + cbor.encode(body), domain)


def reopen(action_id: object, header: object, body: object, domain: Domain) -> Action:
    """The action of a row. Content that rotted is left out. Raises `RemoteError("rot")` where the rest did."""
    if not is_id(action_id) or type(header) is not bytes:
        raise RemoteError("rot", "stored types changed")
    content = body if body is None or type(body) is bytes else b""  # which no statement names
    try:
        return envelope.reopen(action_id, header, content, domain)
    except (TypeError, ValueError) as error:  # sound CBOR of something else
        raise RemoteError("rot", "stored bytes changed") from error
