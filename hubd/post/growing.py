"""This hub's own bundle on a stick, as it was left there: may it grow, and from where?

Pulled out in the middle, full, worn: whatever happened, a file whose whole blocks stand at its beginning without a gap
goes on behind the last of them. Anything else is begun anew.
"""

import nacl.exceptions
import nacl.secret

from hubd.action.charter import Charter
from hubd.action.principal import Principal
from hubd.errors import RemoteError
from hubd.ports import Cursor
from hubd.post.blocks import CHUNK, END, KEYS, MAGIC, Block, Finder
from hubd.post.bundle import Unseal, chunk_of, keys_of, recipient_of, recipients_of


class Growing:
    """Feed it the file, then `end`. All that arrived between `start` and the sequence of `place` is in it."""

    def __init__(self, charter: Charter, hub: Principal, box_key: bytes, unseal: Unseal) -> None:
        self.bundle = self.file_key = b""
        self.recipients: frozenset[bytes] = frozenset()
        self.start: int | None = None
        self.place = Cursor(b"", 0, b"")
        self.chunks = 0
        self.length = len(MAGIC)  # behind the last whole block
        self.is_sound = True  # nothing stands behind a gap, and all of it is ours
        self.is_ended = False
        self._hub, self._ours, self._unseal = hub, recipient_of(box_key), unseal
        self._finder = Finder(charter)

    def feed(self, piece: bytes) -> None:
        """The next piece of the file."""
        for block in self._finder.feed(piece):
            self._take(block)

    def end(self) -> None:
        """The file is over."""
        for block in self._finder.end():
            self._take(block)
        self.is_sound &= bool(self.file_key)

    def _take(self, block: Block) -> None:
        follows = block.at == self.length and block.signer == self._hub and block.index == self.chunks
        self.is_sound &= follows and block.bundle == (self.bundle or block.bundle)
        if not self.is_sound:
            return
        self.bundle, self.length, self.is_ended = block.bundle, block.end, block.kind == END
        try:
            if block.kind == KEYS:
                self._learn(block)
            elif block.kind == CHUNK:
                self._note(block)
        except (nacl.exceptions.CryptoError, ValueError, RemoteError):
            self.is_sound = False

    def _learn(self, block: Block) -> None:
        epoch, self.file_key = keys_of(block.body, self._ours, self._unseal)
        self.recipients = recipients_of(block.body)
        self.place = Cursor(epoch, self.place.sequence, self.place.id_prefix)

    def _note(self, block: Block) -> None:
        chunk = chunk_of(nacl.secret.SecretBox(self.file_key).decrypt(block.body))
        self.chunks += 1
        if chunk.is_urgent:
            return
        if self.start is None:
            self.start = chunk.start
        self.place = Cursor(self.place.epoch, chunk.end, chunk.prefix)
