"""Phones that carry post: what a hub takes from their pockets and gives into them (docs/phone-api.md, "Carrying post").

Only registered persons bring post, and only those whom somebody vouched for take some along; each within a pace of
their own, all together within one that leaves the hub time for its village. Nothing is kept here for any of them.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from hubd import limits
from hubd.action import cbor
from hubd.action.principal import STANDARD_BYTES, Principal
from hubd.errors import RemoteError
from hubd.ports import Cursor
from hubd.web.frames import (
    blob,
    cursor_text,
    decode_body,
    expect,
    list_of,
    nullable,
    parse_cursor,
    row,
    text,
    uint,
)
from hubd.web.quota import Pace, Rank
from hubd.web.standing import Reader, Standing

_POST = row(
    list_of(blob(1, limits.RECEIPT_BYTES_MAX), limits.CARRY_RECEIPTS_MAX),
    list_of(blob(1, limits.CARRY_PARCEL_BYTES_MAX), limits.CARRY_BUNDLES_MAX),
)
_ASKED = row(list_of(blob(STANDARD_BYTES, STANDARD_BYTES), limits.CARRY_RECEIPTS_MAX), nullable(text), uint)
_ASKED_BYTES_MAX = 1024
Parcel = tuple[bytes, Cursor, Cursor, bool]
"""A bundle, b"" where nothing is new; up to where all have everything; where the bundle ends; whether there is more."""


class PostDesk(Protocol):
    """The hub's post office, as far as phones use it."""

    async def bring(self, receipts: Sequence[bytes], bundles: Sequence[bytes]) -> list[tuple[int, int, int]]:
        """Take both; of each bundle, how many actions were read, were new, were not taken yet."""

    async def receipt(self) -> bytes:
        """What this hub has, signed."""

    async def parcel(self, hubs: Sequence[Principal], after: Cursor | None, bytes_max: int) -> Parcel:
        """What these hubs lack, oldest first; not before `after`, where that is a place of this hub."""


class Carriers:
    """The door of those who carry post. `clock` is monotonic, in seconds."""

    def __init__(self, desk: PostDesk | None, standing: Standing, clock: Callable[[], float]) -> None:
        self._desk, self._standing, self._clock = desk, standing, clock
        self._persons = Pace(limits.CARRY_BYTES_PER_S, limits.CARRY_BYTES_BURST)
        self._all = Pace(limits.CARRY_HUB_BYTES_PER_S, limits.CARRY_HUB_BYTES_BURST)

    async def bring(
        self, reader: Reader, receipts: Sequence[bytes], bundles: Sequence[bytes]
    ) -> tuple[bytes, list[tuple[int, int, int]]]:
        """This hub's receipt, behind what was just brought, and what became of each bundle.

        Raises `RemoteError`: `authorization`, `rate`, `not-found` where this hub has no post.
        """
        desk = self._admit(reader, sum(map(len, receipts)) + sum(map(len, bundles)))
        told = await desk.bring(receipts, bundles)
        return await desk.receipt(), told

    async def parcel(self, reader: Reader, hubs: Sequence[Principal], after: Cursor | None, bytes_max: int) -> Parcel:
        """A bundle to carry. Raises `RemoteError` as `bring` does, and `unvouched`."""
        if reader.key is not None and self._standing.rank(reader.key) < Rank.VOUCHED:
            raise RemoteError(
                "unvouched", "nobody vouched for this person", hint="post is given to people who are known"
            )
        desk = self._admit(reader, limits.CARRY_PARCEL_BYTES_MIN)
        parcel = await desk.parcel(hubs, after, min(bytes_max, limits.CARRY_PARCEL_BYTES_MAX))
        self._spend(reader, len(parcel[0]))
        return parcel

    async def brought(self, reader: Reader, body: bytes) -> bytes:
        """The answer to who brings `[[receipt, ...], [bundle, ...]]`. Raises `RemoteError` as `bring` does, and `frame`."""
        receipts, bundles = expect(decode_body(body, limits.PHONE_POST_BYTES_MAX), _POST, "receipts and bundles")
        receipt, told = await self.bring(reader, receipts, bundles)
        return cbor.encode([receipt, [list(each) for each in told]])

    async def fetched(self, reader: Reader, hubs: Sequence[bytes], after: str | None, bytes_max: int) -> bytes:
        """The answer to who asks for a parcel. Raises `RemoteError` as `parcel` does, `query` and `cursor`."""
        if bytes_max < limits.CARRY_PARCEL_BYTES_MIN:
            raise RemoteError("query", f"bytes are {limits.CARRY_PARCEL_BYTES_MIN} at least")
        named = [Principal(hub) for hub in hubs][: limits.CARRY_RECEIPTS_MAX]
        parcel = await self.parcel(reader, named, parse_cursor(after) if after else None, bytes_max)
        bundle, arrived, end, more = parcel
        return cbor.encode([bundle, cursor_text(arrived), cursor_text(end), more])

    async def answered(self, reader: Reader, body: bytes) -> bytes:
        """The answer to a question that came by a socket: `[hubs, after, bytes]` fetches, anything else brings."""
        if len(body) <= _ASKED_BYTES_MAX and _ASKED(shown := decode_body(body, _ASKED_BYTES_MAX)):
            return await self.fetched(reader, *shown)
        return await self.brought(reader, body)

    def _admit(self, reader: Reader, work: int) -> PostDesk:
        if self._desk is None:
            raise RemoteError("not-found", "this hub has no post")
        if reader.person is None:
            raise RemoteError("authorization", "sign a challenge first", hint="GET /v1/challenge, then sign it")
        if not self._spend(reader, work):
            raise RemoteError("rate", "too much post at once", hint="wait a moment, then go on")
        return self._desk

    def _spend(self, reader: Reader, work: int) -> bool:
        now = self._clock()
        person = (reader.person or b"").hex()
        return self._persons.take(person, now, work) and self._all.take("all", now, work)
