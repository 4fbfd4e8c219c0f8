"""Content: what stands beside a statement and can be erased. A CBOR map with a random 16-byte `salt`.

The statement holds its sha256 only, so erasing it changes no id and no signature; the salt keeps an erased text from
being guessed from its hash. Kinds of the prefixes `hub-`, `steward-` and `relay-` are *anchored*: valid only together
with their content, which is never erased and never personal.
"""

import hashlib
from typing import Any

from hubd.action import cbor
from hubd.errors import RemoteError
from hubd.limits import ANCHORED_CONTENT_BYTES_MAX, ENVELOPE_BYTES_MAX

SALT_BYTES = 16
_ANCHORED = ("hub-", "steward-", "relay-")


def is_anchored(kind: str) -> bool:
    """Whether actions of this kind are valid only with their content. By name prefix, so that it holds for new kinds."""
    return kind.startswith(_ANCHORED)


def bytes_max(kind: str) -> int:
    """The most content bytes an action of this kind may carry."""
    return ANCHORED_CONTENT_BYTES_MAX if is_anchored(kind) else ENVELOPE_BYTES_MAX


def seal_content(entries: dict[str, Any], salt: bytes) -> bytes:
    """Content bytes of a map; `salt` is 16 fresh random bytes."""
    assert len(salt) == SALT_BYTES
    return cbor.encode({**entries, "salt": salt})


def read_content(raw: bytes, kind: str) -> dict[str, Any]:
    """The map inside content bytes, its salt left out. Raises `RemoteError("content")`."""
    try:
        entries = cbor.decode(raw, bytes_max=bytes_max(kind))
    except RemoteError as error:
        raise RemoteError("content", str(error)) from error
    if not isinstance(entries, dict):
        raise RemoteError("content", "no map")
    salt = entries.pop("salt", None)
    if not isinstance(salt, bytes) or len(salt) != SALT_BYTES:
        raise RemoteError("content", "no salt of 16 bytes")
    return entries


def digest_of(raw: bytes | None) -> bytes:
    """What a statement's `content` must be for these bytes: their sha256, zeros for none."""
    return bytes(32) if raw is None else hashlib.sha256(raw).digest()


def admissible(raw: object, kind: str, digest: bytes) -> bytes | None:
    """The content bytes if they are the ones the statement names and well formed, else None: the header then stays alone."""
    if not isinstance(raw, bytes) or digest_of(raw) != digest:
        return None
    try:
        read_content(raw, kind)
    except RemoteError:
        return None
    return raw
