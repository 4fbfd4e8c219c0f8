"""Write a bundle from a hub's set, in bounded memory and up to a size: the urgent first, then in order of arrival.

Oldest first, so that nothing starves: what does not fit is the beginning of the next bundle. The urgent takes half of the
room at most, for the same reason.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from hubd.post.bundle import Chunk, Packer, Writer

Pages = Callable[[int], Awaitable[list[tuple[int, bytes, bytes]]]]
"""Rows (sequence, id, envelope) beyond an arrival; none at the end."""


@dataclass
class Writing:
    """One bundle on its way. `position` is the arrival up to which it holds everything, `is_all` whether nothing is left."""

    writer: Writer
    position: int
    room_bytes: int
    size_bytes: int = 0
    actions: int = 0
    is_all: bool = True

    async def pieces(self, page: Pages, urgent_page: Pages | None, *, grows: bool = False) -> AsyncIterator[bytes]:
        """The file, piece by piece; `grows` where it goes on with one that is there."""
        ending = self.writer.end()
        self.room_bytes -= len(ending)
        yield self._count(self.writer.keys() if grows else self.writer.begin())
        if urgent_page is not None:
            packer = Packer(self.position)
            async for chunk in _chunks(packer, urgent_page, self.position):
                piece = self._fit(Chunk(0, 0, b"", chunk.envelopes), self.room_bytes // 2)
                if not piece:
                    break
                yield piece
        async for chunk in _chunks(Packer(self.position), page, self.position):
            piece = self._fit(chunk, self.room_bytes)
            if not piece:
                self.is_all = False
                break
            self.position = chunk.end
            self.actions += len(chunk.envelopes)
            yield piece
        yield self._count(self.writer.end())

    def _fit(self, chunk: Chunk, room_bytes: int) -> bytes:
        """The chunk's bytes, b"" where there is no room left."""
        index = self.writer.index
        piece = self.writer.chunk(chunk)
        if self.size_bytes + len(piece) > room_bytes:
            self.writer.index = index
            return b""
        return self._count(piece)

    def _count(self, piece: bytes) -> bytes:
        self.size_bytes += len(piece)
        return piece


async def _chunks(packer: Packer, page: Pages, after: int) -> AsyncIterator[Chunk]:
    while rows := await page(after):
        for sequence, action_id, raw in rows:
            for chunk in packer.add(sequence, action_id, raw):
                yield chunk
            after = sequence
    for chunk in packer.rest():
        yield chunk
