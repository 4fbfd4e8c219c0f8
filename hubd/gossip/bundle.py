"""The bundle: the set's envelopes as a file, for a USB stick or a phone in somebody's pocket (docs/protocol.md, "Bundle").

    bundle  = MAGIC, block(header), block(chunk)*
    block   = MARK, kind (1 byte), index (4 bytes), length (4 bytes), sha256 of the body (first 8 bytes), body
    header  = CBOR [mesh digest (8), [[recipient (8), sealed file key], ...]]
    chunk   = secret box (nonce from the index) under the file key, of CBOR [envelope, ...]

Every block can be found and judged alone: a torn or tampered one is skipped, the others count. The file key is sealed to
the box key of each admitted hub, so a carrier reads nothing. Sealing needs chance, so the caller does it.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import nacl.exceptions
import nacl.secret

from hubd.action import cbor
from hubd.errors import RemoteError
from hubd.limits import BUNDLE_CHUNK_BYTES, BUNDLE_RECIPIENTS_MAX, CBOR_ITEMS_MAX

MAGIC = b"hubd-bundle-1\n"
MARK = b"\xf5HBC"
_HEADER, _CHUNK = 0, 1
_CHECK_BYTES = 8
_HEAD_BYTES = len(MARK) + 1 + 4 + 4 + _CHECK_BYTES
_ENVELOPES_MAX = CBOR_ITEMS_MAX - 1
_BODY_BYTES_MAX = BUNDLE_CHUNK_BYTES * 2


@dataclass(frozen=True, slots=True)
class Opened:
    """What a bundle held: its envelopes, and how many chunks were good, torn or not meant for us."""

    envelopes: list[bytes]
    chunks_good: int
    chunks_bad: int


def recipient_of(box_key: bytes) -> bytes:
    """A short name of a box key, so that a hub finds its own sealed copy."""
    return hashlib.sha256(box_key).digest()[:8]


def _nonce(index: int) -> bytes:
    return b"hubd-chunk".ljust(20, b"\0") + index.to_bytes(4, "big")  # the file key is used for one file only


def _block(kind: int, index: int, body: bytes) -> bytes:
    head = bytes([kind]) + index.to_bytes(4, "big") + len(body).to_bytes(4, "big")
    return MARK + head + hashlib.sha256(head + body).digest()[:_CHECK_BYTES] + body


def _chunks(envelopes: Iterable[bytes]) -> Iterator[list[bytes]]:
    chunk: list[bytes] = []
    size = 0
    for raw in envelopes:
        if chunk and (size + len(raw) > BUNDLE_CHUNK_BYTES or len(chunk) == _ENVELOPES_MAX):
            yield chunk
            chunk, size = [], 0
        chunk.append(raw)
        size += len(raw)
    if chunk:
        yield chunk


def write(
    envelopes: Iterable[bytes], mesh_digest: bytes, file_key: bytes, sealed_keys: Sequence[tuple[bytes, bytes]]
) -> Iterator[bytes]:
    """The file, piece by piece. `file_key` is 32 fresh random bytes; `sealed_keys` pairs recipients with its sealed copy."""
    assert len(sealed_keys) <= BUNDLE_RECIPIENTS_MAX
    header = cbor.encode([mesh_digest, [[recipient, sealed] for recipient, sealed in sealed_keys]])
    yield MAGIC + _block(_HEADER, 0, header)
    box = nacl.secret.SecretBox(file_key)
    for index, chunk in enumerate(_chunks(envelopes)):
        yield _block(_CHUNK, index, box.encrypt(cbor.encode(chunk), _nonce(index)).ciphertext)


def _blocks(raw: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Every intact block of a file, found by its mark, whatever lies between."""
    at = raw.find(MARK)
    while at >= 0:
        head = raw[at + len(MARK) : at + _HEAD_BYTES - _CHECK_BYTES]
        length = int.from_bytes(head[5:9], "big")
        body = raw[at + _HEAD_BYTES : at + _HEAD_BYTES + length]
        check = raw[at + _HEAD_BYTES - _CHECK_BYTES : at + _HEAD_BYTES]
        whole = length <= _BODY_BYTES_MAX and len(body) == length and len(head) == 9
        if whole and hashlib.sha256(head + body).digest()[:_CHECK_BYTES] == check:
            yield head[0], int.from_bytes(head[1:5], "big"), body
            at = raw.find(MARK, at + _HEAD_BYTES + length)
        else:
            at = raw.find(MARK, at + 1)


def _file_key(body: bytes, mesh_digest: bytes, ours: bytes, unseal: Callable[[bytes], bytes]) -> bytes:
    header = cbor.decode(body, bytes_max=_BODY_BYTES_MAX, items_max=3 * BUNDLE_RECIPIENTS_MAX + 4)
    if not isinstance(header, list) or len(header) != 2 or not isinstance(header[1], list):
        raise RemoteError("bundle", "its head can't be read")
    if header[0] != mesh_digest:
        raise RemoteError("bundle-mesh", "it belongs to another mesh")
    for pair in header[1]:
        if isinstance(pair, list) and len(pair) == 2 and pair[0] == ours and isinstance(pair[1], bytes):
            try:
                key = unseal(pair[1])
            except nacl.exceptions.CryptoError as error:
                raise RemoteError("bundle", "our copy of its key is damaged") from error
            if len(key) == nacl.secret.SecretBox.KEY_SIZE:
                return key
    raise RemoteError("bundle-recipient", "it is not addressed to this hub")


def read(raw: bytes, mesh_digest: bytes, box_key: bytes, unseal: Callable[[bytes], bytes]) -> Opened:
    """The envelopes of a file. Raises `RemoteError`: `bundle`, `bundle-mesh`, `bundle-recipient`; damage is counted."""
    blocks = list(_blocks(raw))
    header = next((body for kind, _, body in blocks if kind == _HEADER), None)
    if header is None:
        raise RemoteError("bundle", "no bundle, or its head is damaged")
    box = nacl.secret.SecretBox(_file_key(header, mesh_digest, recipient_of(box_key), unseal))
    envelopes: list[bytes] = []
    good = bad = 0
    for index, body in ((index, body) for kind, index, body in blocks if kind == _CHUNK):
        try:
            items = cbor.decode(box.decrypt(body, _nonce(index)), bytes_max=_BODY_BYTES_MAX)
        except (nacl.exceptions.CryptoError, RemoteError):
            bad += 1
            continue
        good += 1
        envelopes += [item for item in items if isinstance(item, bytes)] if isinstance(items, list) else []
    bad += raw.count(MARK) - len(blocks)
    return Opened(envelopes, good, bad)
