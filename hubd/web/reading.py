"""What a caller may read of the set: pages by cursor, single actions, and reconciliation over what it may see.

A page costs what it returns, however large the set and however narrow the caller's scope: the store's index of audiences
finds it. Nothing is kept for a single reader, so 256 of them cost no more memory than one.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from hubd.action import envelope
from hubd.action.audience import ANYBODY, GUESTS, Audience
from hubd.action.envelope import Action
from hubd.action.sip018 import ActionId
from hubd.errors import RemoteError
from hubd.gossip.items import SortedItems
from hubd.gossip.negentropy import Responder
from hubd.limits import PHONE_ENVELOPES_MAX, PHONE_PAGE_BYTES_MAX, PHONE_PERSON_ITEMS_MAX, PHONE_RECONCILE_ABREAST_MAX
from hubd.ports import ActionStore, Cursor
from hubd.web.standing import Reader, Scope, Standing

_ID_PREFIX_BYTES = 8  # of a cursor, as the port says
_ITEMS = 4_096  # ids read at once
_ROWS = (
    64  # read from the store at once: a page of receipts, a quarter of one of ordinary actions; 1 MiB of the largest
)


class PhoneStore(ActionStore, Protocol):
    """The set, as the phones' door reads it."""

    async def seen_page(self, names: Sequence[Audience], after: int, actions_max: int) -> list[tuple[int, Action]]:
        """Like `page`, for what any of these audiences sees."""

    async def seen_items(
        self, names: Sequence[Audience], after: int, items_max: int
    ) -> list[tuple[int, int, ActionId]]:
        """(sequence, created, id) of what any of these audiences sees, by arrival beyond `after`."""


@dataclass(frozen=True, slots=True)
class Page:
    """A part of the set in arrival order. `more`: the walk has not come to the end yet."""

    actions: list[Action]
    envelopes: list[bytes]
    cursor: Cursor
    more: bool


class Reading:
    """Reads of many callers over one store; keeps the sorted items of what all guests see."""

    def __init__(self, store: PhoneStore, standing: Standing) -> None:
        self._store = store
        self._standing = standing
        self._guests = _Guests()
        self._abreast = asyncio.Semaphore(PHONE_RECONCILE_ABREAST_MAX)

    async def start(self, cursor: Cursor | None) -> Cursor:
        """Where to go on. Raises `RemoteError("cursor-void")` for a place in another database's order."""
        if cursor is None:
            return Cursor(self._store.epoch, 0, b"")
        if await self._store.resume(cursor) is None:
            raise RemoteError("cursor-void", "this hub's database is another one now", hint="reconcile, then go on")
        return cursor

    async def page(self, reader: Reader, cursor: Cursor) -> Page:
        """The next actions that this reader may see, as many as fit `PHONE_PAGE_BYTES_MAX` (and always one)."""
        actions: list[Action] = []
        envelopes: list[bytes] = []
        size = 0
        while True:
            rows = await self._rows(reader, cursor.sequence)
            for sequence, action in rows:
                if shared := reader.share(action, self._standing):
                    raw = envelope.encode(shared)
                    size += len(raw)
                    if envelopes and (size > PHONE_PAGE_BYTES_MAX or len(envelopes) == PHONE_ENVELOPES_MAX):
                        return Page(actions, envelopes, cursor, more=True)
                    actions.append(shared)
                    envelopes.append(raw)
                cursor = Cursor(self._store.epoch, sequence, action.id[:_ID_PREFIX_BYTES])
            if len(rows) < _ROWS:
                return Page(actions, envelopes, cursor, more=False)

    async def end(self) -> Cursor:
        """The cursor behind the last action."""
        return await self._store.cursor()

    async def get(self, reader: Reader, ids: Sequence[bytes]) -> list[Action]:
        """Those of the actions that are here and that this reader may see."""
        found = await self._store.get([ActionId(each) for each in ids])
        return [shared for action in found if (shared := reader.share(action, self._standing))]

    async def get_page(
        self, reader: Reader, ids: Sequence[bytes], at: int = 0, *, is_bare: bool = False
    ) -> tuple[list[bytes], int]:
        """Envelopes of the ids from index `at` on, as many as fit a page, and the index to go on at.

        Where the reader has them bare, without their content, only those with content that it may read.
        """
        envelopes: list[bytes] = []
        size = 0
        for start in range(at, len(ids), _ROWS):
            part = ids[start : start + _ROWS]
            shown = [each for each in await self.get(reader, part) if not is_bare or each.content is not None]
            found = {action.id: envelope.encode(action) for action in shown}
            for offset, each in enumerate(part):
                raw = found.get(ActionId(each), b"")
                size += len(raw)
                if envelopes and raw and (size > PHONE_PAGE_BYTES_MAX or len(envelopes) == PHONE_ENVELOPES_MAX):
                    return envelopes, start + offset
                if raw:
                    envelopes.append(raw)
        return envelopes, len(ids)

    async def reconcile(self, reader: Reader, message: bytes) -> bytes:
        """One answer of Negentropy v1 over what this reader may see.

        Raises `RemoteError`: `scope` for a stranger or for `own`, which is compared in its two parts; `busy` when too
        many reconcile at once, `reconcile-size` for a person of too many actions, or Negentropy's own codes.
        """
        if reader.scope in (Scope.MESH, Scope.OWN):
            raise RemoteError("scope", "not a scope to reconcile in", hint="reconcile mine, then guest")
        if self._abreast.locked():
            raise RemoteError("busy", "too many phones reconcile at this moment", hint="come again in a minute")
        async with self._abreast:
            if reader.scope is Scope.VILLAGE:
                return await self._store.over_items(lambda items: Responder().handle(items, message))
            items = await (self._items_of(reader) if reader.scope is Scope.MINE else self._guests.items(self._store))
            return Responder().handle(items, message)

    async def _rows(self, reader: Reader, after: int) -> list[tuple[int, Action]]:
        if reader.scope is Scope.VILLAGE:
            return await self._store.page(after, _ROWS)
        return await self._store.seen_page(reader.audiences(self._standing), after, _ROWS)

    async def _items_of(self, reader: Reader) -> SortedItems:
        rows = await self._store.seen_items(reader.audiences(self._standing), 0, PHONE_PERSON_ITEMS_MAX + 1)
        if len(rows) > PHONE_PERSON_ITEMS_MAX:
            raise RemoteError("reconcile-size", "too many actions to compare", hint="take them by cursor")
        return SortedItems((created, action_id) for _, created, action_id in rows)


class _Guests:
    """What every guest compares with, sorted: made when the first one asks, then caught up with the set."""

    def __init__(self) -> None:
        self._items = SortedItems()
        self._sequence = 0
        self._lock = asyncio.Lock()

    async def items(self, store: PhoneStore) -> SortedItems:
        """The items of this moment."""
        async with self._lock:
            while rows := await store.seen_items((ANYBODY, GUESTS), self._sequence, _ITEMS):
                for self._sequence, created, action_id in rows:
                    self._items.add(created, action_id)
            return self._items
