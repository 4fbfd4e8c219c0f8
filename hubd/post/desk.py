"""The post office's desk for phones: bundles that fit a pocket, in and out (docs/phone-api.md, "Carrying post")."""

import asyncio
from collections.abc import Sequence

from hubd.action.principal import Principal
from hubd.errors import RemoteError
from hubd.limits import CARRY_PIECE_BYTES
from hubd.ports import Cursor
from hubd.post.bundle import Reader, Writer
from hubd.post.office import PostOffice, Tally
from hubd.post.writing import Writing


class PocketDesk:
    """Over a hub's office; see `hubd.web.carriers.PostDesk`."""

    def __init__(self, office: PostOffice) -> None:
        self._office = office

    async def bring(self, receipts: Sequence[bytes], bundles: Sequence[bytes]) -> list[tuple[int, int, int]]:
        """Take both. What can't be read is passed over: the pocket may have been wet."""
        for raw in receipts:
            try:
                await self._office.heard(raw)
            except RemoteError:
                continue
        told = []
        for raw in bundles:
            reader, tally = Reader(self._office.charter, self._office.box_key, self._office.unseal), Tally()
            for at in range(0, len(raw), CARRY_PIECE_BYTES):
                for opened in reader.feed(raw[at : at + CARRY_PIECE_BYTES]):
                    tally.add(await self._office.take(opened))
                await asyncio.sleep(0)
            for opened in reader.end():
                tally.add(await self._office.take(opened))
            told.append((tally.actions, tally.new, tally.deferred))
        await self._office.settle()
        return told

    async def receipt(self) -> bytes:
        """What this hub has, signed."""
        return await self._office.receipt()

    async def parcel(
        self, hubs: Sequence[Principal], after: Cursor | None, bytes_max: int
    ) -> tuple[bytes, Cursor, Cursor, bool]:
        """What these hubs lack (where none is named: those we know a receipt of), as one bundle for a pocket."""
        seal = await self._office.seal()
        confirmed = begin = await self._office.since(hubs or self._office.receipts())
        is_going_on = after is not None and after.epoch == seal.epoch and await self._office.knows(after)
        if after is not None and is_going_on:
            begin = max(begin, after.sequence)
        writing = Writing(Writer(seal), begin, bytes_max)
        urgent_page = None if is_going_on else self._office.urgent_page
        pieces = [piece async for piece in writing.pieces(self._office.page, urgent_page)]
        is_empty = writing.position == begin
        return (
            b"" if is_empty else b"".join(pieces),
            await self._office.place(confirmed),
            await self._office.place(writing.position),
            not writing.is_all and not is_empty,
        )
