"""The blocks that a bundle is made of: each is signed and is found and judged alone (docs/protocol.md, "Bundle").

    block = MARK, kind (1 byte), mesh (8), bundle (8), index (4), length (4), signer (21), check (4), body, signature (65)

Whatever happened to a file, a block that is whole counts: `Finder` looks for the mark wherever it is, in pieces as they
come, and holds one block in memory at most. The signature says who wrote it, so nobody else can put one in between.
"""

import hashlib
import struct
from dataclasses import dataclass

from hubd.action.charter import Charter
from hubd.action.principal import STANDARD_BYTES, Principal
from hubd.action.signature import SIGNATURE_BYTES, Signer, principal_of, recover
from hubd.errors import RemoteError
from hubd.limits import (
    BUNDLE_BLOCKS_MAX,
    BUNDLE_BODY_BYTES_MAX,
    BUNDLE_OVERLAPS_MAX,
    BUNDLE_VAIN_MAX,
    BUNDLE_VAIN_OF_SIGNATURE,
)

MAGIC = b"hubd-bundle-1\n"
MARK = b"\xf5HBC"
KEYS, CHUNK, END = 0, 1, 2
MESH_BYTES = 8
BUNDLE_ID_BYTES = 8
_HEAD = struct.Struct(f">4sB{MESH_BYTES}s{BUNDLE_ID_BYTES}sII{STANDARD_BYTES}s")
_CHECK_BYTES = 4
HEAD_BYTES = _HEAD.size + _CHECK_BYTES
BLOCK_BYTES_MAX = HEAD_BYTES + BUNDLE_BODY_BYTES_MAX + SIGNATURE_BYTES


@dataclass(frozen=True, slots=True)
class Block:
    """One block as it was found: whole, and written by `signer`. `at` is where it began, `end` where the next may."""

    kind: int
    bundle: bytes
    index: int
    signer: Principal
    body: bytes
    at: int = 0
    end: int = 0


def _check(head: bytes) -> bytes:
    return hashlib.sha256(head).digest()[:_CHECK_BYTES]


def _digest(charter: Charter, head: bytes, body: bytes | memoryview) -> bytes:
    return hashlib.sha256(b"hubd-block-v1" + charter.digest + head + hashlib.sha256(body).digest()).digest()


def write(charter: Charter, signer: Signer, block: Block) -> bytes:
    """The bytes of a block; its `signer` must be the principal of the key."""
    assert len(block.body) <= BUNDLE_BODY_BYTES_MAX
    mesh = charter.digest[:MESH_BYTES]
    head = _HEAD.pack(MARK, block.kind, mesh, block.bundle, block.index, len(block.body), block.signer)
    return head + _check(head) + block.body + signer.sign(_digest(charter, head, block.body))


class Finder:
    """Finds whole blocks in bytes that come in pieces.

    `damaged` counts the stretches between whole blocks that are no block, `foreign` the heads of another mesh.
    """

    def __init__(self, charter: Charter) -> None:
        self.damaged = 0
        self.foreign = 0
        self.found = 0
        self._charter = charter
        self._mesh = charter.digest[:MESH_BYTES]
        self._buffer = bytearray()
        self._beginning = b""
        self._base = 0  # where the buffer begins in the file
        self._clean = 0  # up to here everything belonged to a whole block
        self._overlaps, self._overlaps_end = 0, 0
        self._vain = 0  # work for what is no block

    def feed(self, piece: bytes) -> list[Block]:
        """The whole blocks that end within what was fed so far."""
        if len(self._beginning) < len(MAGIC):
            self._beginning = (self._beginning + piece)[: len(MAGIC)]
        self._buffer += piece
        return self._look(is_last=False)

    def end(self) -> list[Block]:
        """The file is over: the blocks that are found in what was held back."""
        blocks = self._look(is_last=True)
        self._note_gap(self._base + len(self._buffer))
        return blocks

    def _look(self, *, is_last: bool) -> list[Block]:
        blocks: list[Block] = []
        at = self._next(0)
        while at < len(self._buffer):
            size = self._size_at(at)
            if size is None or at + size > len(self._buffer):
                if not is_last:
                    break
                size = 0
            block = self._judge(at, size) if size else None
            self._vain += 0 if block is not None else BUNDLE_VAIN_OF_SIGNATURE if size else 1
            if block is not None:
                self._note_gap(block.at)
                self._clean = block.end
                self.found += 1
                blocks.append(block)
            at = self._next(at + (size if block is not None and size else 1))
        if not is_last:
            kept = at if at < len(self._buffer) else max(0, len(self._buffer) - len(MARK) + 1)
            del self._buffer[:kept]
            self._base += kept
        return blocks

    def _next(self, at: int) -> int:
        """Where the next mark is; the buffer's end where there is none, or where this file had its share of blocks."""
        is_enough = self.found >= BUNDLE_BLOCKS_MAX or self._vain >= BUNDLE_VAIN_MAX
        found = -1 if is_enough else self._buffer.find(MARK, at)
        return found if found >= 0 else len(self._buffer)

    def _size_at(self, at: int) -> int | None:
        """How long the block at a mark says it is: 0 for no block of ours, None while its head is not all here."""
        if at + HEAD_BYTES > len(self._buffer):
            return None
        head = bytes(self._buffer[at : at + _HEAD.size])
        _, kind, mesh, _, _, length, _ = _HEAD.unpack(head)
        if self._buffer[at + _HEAD.size : at + HEAD_BYTES] != _check(head) or length > BUNDLE_BODY_BYTES_MAX:
            return 0
        if mesh != self._mesh:
            self.foreign += 1
            return 0
        return int(HEAD_BYTES + length + SIGNATURE_BYTES) if kind in (KEYS, CHUNK, END) else 0

    def _judge(self, at: int, size: int) -> Block | None:
        """The block, if it is whole. Heads made to overlap cost a bounded number of hashes for each byte."""
        start = self._base + at
        if start >= self._overlaps_end:
            self._overlaps, self._overlaps_end = 0, start + size
        if self._overlaps == BUNDLE_OVERLAPS_MAX:
            return None
        raw = bytes(self._buffer[at : at + size])
        head, body, signature = raw[: _HEAD.size], raw[HEAD_BYTES:-SIGNATURE_BYTES], raw[-SIGNATURE_BYTES:]
        _, kind, _, bundle, index, _, signer = _HEAD.unpack(head)
        try:
            key = recover(_digest(self._charter, head, body), signature)
        except RemoteError:
            key = b""
        if principal_of(key, self._charter.network) != signer:
            self._overlaps += 1
            return None
        return Block(kind, bundle, index, Principal(signer), body, start, start + size)

    def _note_gap(self, until: int) -> None:
        """Bytes before `until` that belong to no block are damage; a bundle's magic at the beginning is none."""
        if until > self._clean and not (self._clean == 0 and until == len(MAGIC) and self._beginning == MAGIC):
            self.damaged += 1
