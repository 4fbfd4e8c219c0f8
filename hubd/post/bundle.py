"""The bundle: the set's envelopes as a file or a page, sealed to the hubs of the mesh (docs/protocol.md, "Bundle").

    bundle = MAGIC, block*
    KEYS   = CBOR [epoch (8), [[recipient (8), sealed file key], ...]]
    CHUNK  = secret box under the file key, of CBOR [start, end, prefix, [envelope, ...]]
    END    = nothing; its index is the number of chunks before it

The file key is sealed to the box key of each admitted hub, so a carrier reads nothing. KEYS comes again and again, so
that damage costs the chunk it hits and no other. A chunk of the set's order says which stretch of its writer's order of
arrival it holds, so that a reader knows up to where it has all of it; a chunk of what is urgent has start and end 0.
Sealing the file key needs chance, so the caller does it.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import nacl.exceptions
import nacl.secret

from hubd.action import cbor
from hubd.action.charter import Charter
from hubd.action.principal import Principal
from hubd.action.signature import Signer
from hubd.errors import RemoteError
from hubd.limits import (
    BUNDLE_BODY_BYTES_MAX,
    BUNDLE_CHUNK_BYTES,
    BUNDLE_CHUNK_ENVELOPES_MAX,
    BUNDLE_CHUNKS_PER_KEYS,
    BUNDLE_KEYS_MAX,
    BUNDLE_RECIPIENTS_MAX,
    ENVELOPE_BYTES_MAX,
    INTEGER_MAX,
)
from hubd.post.blocks import BUNDLE_ID_BYTES, CHUNK, END, KEYS, MAGIC, Block, Finder, write

RECIPIENT_BYTES = 8
EPOCH_BYTES = 8
PREFIX_BYTES = 8
FILE_KEY_BYTES = nacl.secret.SecretBox.KEY_SIZE
_ENVELOPE_OVERHEAD_BYTES = 3  # what CBOR puts before each
Unseal = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Envelopes of one block: all that arrived at the writer after `start` up to `end`, less what it has lost.

    `prefix` is the beginning of the id at `end`. Urgent chunks belong to no stretch: start and end are 0.
    """

    start: int
    end: int
    prefix: bytes
    envelopes: list[bytes]

    @property
    def is_urgent(self) -> bool:
        """Whether it stands outside the order of arrival."""
        return self.end == 0


@dataclass(frozen=True, slots=True)
class Opened:
    """A chunk that was opened, with who wrote it and of which database."""

    signer: Principal
    epoch: bytes
    chunk: Chunk


@dataclass(frozen=True)
class Seal:
    """What one bundle is written with. `bundle` is 8 and `file_key` 32 fresh random bytes; `keys` its sealed copies."""

    charter: Charter
    signer: Signer
    bundle: bytes
    epoch: bytes
    file_key: bytes
    keys: Sequence[tuple[bytes, bytes]]  # (recipient, the file key sealed to it)

    def __repr__(self) -> str:
        return "Seal(...)"


def recipient_of(box_key: bytes) -> bytes:
    """A short name of a box key, so that a hub finds its own sealed copy."""
    return hashlib.sha256(box_key).digest()[:RECIPIENT_BYTES]


class Packer:
    """Gathers rows (sequence, id, envelope), as they arrived, into chunks; the first one begins after `start`."""

    def __init__(self, start: int, bytes_max: int = BUNDLE_CHUNK_BYTES) -> None:
        self._start, self._end, self._prefix = start, start, b""
        self._bytes_max = bytes_max
        self._waiting: list[bytes] = []
        self._size = 0

    def add(self, sequence: int, action_id: bytes, raw: bytes) -> list[Chunk]:
        """The chunk that is full now, if one is."""
        full: list[Chunk] = []
        cost = len(raw) + _ENVELOPE_OVERHEAD_BYTES
        if self._size + cost > self._bytes_max or len(self._waiting) == BUNDLE_CHUNK_ENVELOPES_MAX:
            full = self.rest()
        self._waiting.append(raw)
        self._size += cost
        self._end, self._prefix = sequence, action_id[:PREFIX_BYTES]
        return full

    def rest(self) -> list[Chunk]:
        """What is not full, as a chunk."""
        if not self._waiting:
            return []
        chunk = Chunk(self._start, self._end, self._prefix, self._waiting)
        self._start, self._waiting, self._size = self._end, [], 0
        return [chunk]


class Writer:
    """Writes one bundle, piece by piece. `index` is the number of chunks that are in the file already."""

    def __init__(self, seal: Seal, index: int = 0) -> None:
        assert len(seal.keys) <= BUNDLE_RECIPIENTS_MAX
        assert (len(seal.bundle), len(seal.epoch), len(seal.file_key)) == (BUNDLE_ID_BYTES, EPOCH_BYTES, FILE_KEY_BYTES)
        self.index = index
        self._seal = seal
        self._signer = seal.signer.principal(seal.charter.network)
        self._box = nacl.secret.SecretBox(seal.file_key)

    def begin(self) -> bytes:
        """The beginning of a file."""
        return MAGIC + self.keys()

    def keys(self) -> bytes:
        """The sealed keys; a file that grows again begins its new part with them."""
        body = cbor.encode([self._seal.epoch, [[recipient, sealed] for recipient, sealed in self._seal.keys]])
        return self._block(KEYS, body)

    def chunk(self, chunk: Chunk) -> bytes:
        """A chunk, and the keys again where it is time."""
        plain = cbor.encode([chunk.start, chunk.end, chunk.prefix, chunk.envelopes])
        # Two texts under one index, where a torn tail is written anew, must never share a nonce.
        nonce = hashlib.sha256(self._seal.file_key + self.index.to_bytes(4, "big") + plain).digest()[:24]
        block = self._block(CHUNK, bytes(self._box.encrypt(plain, nonce)))
        self.index += 1
        return block + self.keys() if self.index % BUNDLE_CHUNKS_PER_KEYS == 0 else block

    def end(self) -> bytes:
        """What shows a reader that nothing is missing behind."""
        return self.keys() + self._block(END, b"")

    def _block(self, kind: int, body: bytes) -> bytes:
        seal = self._seal
        return write(seal.charter, seal.signer, Block(kind, seal.bundle, self.index, self._signer, body))


@dataclass
class Report:
    """What became of a file's parts."""

    chunks: int = 0  # opened
    unopened: int = 0  # whole, and sealed to others or with keys that were lost
    damaged: int = 0  # stretches that are no block
    foreign: int = 0  # heads of blocks of another mesh
    is_whole: bool = False  # it ends where its writer ended it
    codes: set[str] = field(default_factory=set)  # why keys could not be used


class Reader:
    """Opens a bundle that comes in pieces. After `end`, `wants_again` says whether feeding it once more opens the rest.

    Never raises, whatever the bytes: what can't be opened is counted.
    """

    def __init__(self, charter: Charter, box_key: bytes, unseal: Unseal) -> None:
        self.report = Report()
        self._charter = charter
        self._ours = recipient_of(box_key)
        self._unseal = unseal
        self._finder = Finder(charter)
        self._keys: dict[tuple[bytes, Principal], tuple[bytes, bytes, int]] = {}  # epoch, file key, where it stood
        self._too_early: dict[tuple[bytes, Principal], int] = {}  # chunks that came before their keys
        self._chunks: dict[tuple[bytes, Principal], int] = {}  # chunks so far, whole ones
        self._is_again = False

    def feed(self, piece: bytes) -> list[Opened]:
        """The chunks that end within what was fed so far."""
        return [opened for block in self._finder.feed(piece) for opened in self._take(block)]

    def end(self) -> list[Opened]:
        """The file is over."""
        opened = [opened for block in self._finder.end() for opened in self._take(block)]
        if not self._is_again:
            self.report.damaged, self.report.foreign = self._finder.damaged, self._finder.foreign
        return opened

    @property
    def wants_again(self) -> bool:
        """Whether chunks came before the keys that open them, because the keys before these were damaged."""
        return not self._is_again and any(each in self._keys for each in self._too_early)

    def again(self) -> None:
        """Begin anew, for the chunks that could not be opened the first time."""
        self._is_again = True
        self._finder = Finder(self._charter)
        self.report.unopened -= sum(count for each, count in self._too_early.items() if each in self._keys)

    def _take(self, block: Block) -> list[Opened]:
        whose = (block.bundle, block.signer)
        if block.kind == KEYS and not self._is_again:
            self._learn(block, whose)
        elif block.kind == END and not self._is_again:
            self.report.is_whole = self._chunks.get(whose, 0) == block.index
        elif block.kind == CHUNK:
            return self._open(block, whose)
        return []

    def _learn(self, block: Block, whose: tuple[bytes, Principal]) -> None:
        if whose in self._keys or len(self._keys) >= BUNDLE_KEYS_MAX:
            return
        try:
            epoch, file_key = keys_of(block.body, self._ours, self._unseal)
        except RemoteError as error:
            self.report.codes.add(error.code)
        else:
            self._keys[whose] = (epoch, file_key, block.at)

    def _open(self, block: Block, whose: tuple[bytes, Principal]) -> list[Opened]:
        known = self._keys.get(whose)
        if self._is_again:
            if known is None or block.at > known[2]:
                return []
        else:
            self.report.is_whole = False
            if len(self._chunks) < BUNDLE_KEYS_MAX or whose in self._chunks:
                self._chunks[whose] = self._chunks.get(whose, 0) + 1
            if known is None:
                self.report.unopened += 1
                if len(self._too_early) < BUNDLE_KEYS_MAX or whose in self._too_early:
                    self._too_early[whose] = self._too_early.get(whose, 0) + 1
                return []
        epoch, file_key, _ = known
        try:
            chunk = chunk_of(nacl.secret.SecretBox(file_key).decrypt(block.body))
        except (nacl.exceptions.CryptoError, ValueError, RemoteError):
            self.report.unopened += 1
            return []
        self.report.chunks += 1
        return [Opened(block.signer, epoch, chunk)]


def keys_of(body: bytes, ours: bytes, unseal: Unseal) -> tuple[bytes, bytes]:
    """(epoch, file key) of a block of keys. Raises `RemoteError`: `bundle`, `bundle-recipient`."""
    shown = cbor.decode(body, bytes_max=BUNDLE_BODY_BYTES_MAX, items_max=3 * BUNDLE_RECIPIENTS_MAX + 4)
    if not isinstance(shown, list) or len(shown) != 2 or not isinstance(shown[1], list):
        raise RemoteError("bundle", "its keys can't be read")
    if not isinstance(shown[0], bytes) or len(shown[0]) != EPOCH_BYTES:
        raise RemoteError("bundle", "its keys can't be read")
    for pair in shown[1]:
        if isinstance(pair, list) and len(pair) == 2 and pair[0] == ours and isinstance(pair[1], bytes):
            try:
                key = unseal(pair[1])
            except (nacl.exceptions.CryptoError, ValueError) as error:
                raise RemoteError("bundle", "our copy of its key is damaged") from error
            if len(key) == FILE_KEY_BYTES:
                return shown[0], key
    raise RemoteError("bundle-recipient", "it is not addressed to this hub")


def recipients_of(body: bytes) -> frozenset[bytes]:
    """Whom a block of keys that `keys_of` took is sealed to."""
    _, pairs = cbor.decode(body, bytes_max=BUNDLE_BODY_BYTES_MAX, items_max=3 * BUNDLE_RECIPIENTS_MAX + 4)
    return frozenset(pair[0] for pair in pairs if isinstance(pair, list) and pair and isinstance(pair[0], bytes))


def chunk_of(plain: bytes) -> Chunk:
    """The chunk that was sealed. Raises `RemoteError`: `cbor`, `bundle`."""
    shown = cbor.decode(plain, bytes_max=BUNDLE_BODY_BYTES_MAX, items_max=BUNDLE_CHUNK_ENVELOPES_MAX + 8)
    if not isinstance(shown, list) or len(shown) != 4 or not isinstance(shown[3], list):
        raise RemoteError("bundle", "a chunk of another shape")
    start, end, prefix, envelopes = shown
    is_place = type(start) is int and type(end) is int and 0 <= start <= end <= INTEGER_MAX
    if not is_place or not isinstance(prefix, bytes) or len(prefix) not in (0, PREFIX_BYTES):
        raise RemoteError("bundle", "a chunk that names no place")
    if not all(isinstance(raw, bytes) and len(raw) <= ENVELOPE_BYTES_MAX for raw in envelopes):
        raise RemoteError("bundle", "a chunk that holds no envelopes")
    return Chunk(start, end, prefix, envelopes)
