"""What a caller may read of the set: pages by cursor, single actions, and reconciliation over what it may see.

A page looks through a bounded part of the set, whatever the caller's scope hides of it, and always says how far it
came: a caller with a narrow scope walks the set in bounded steps.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from hubd.action import envelope
from hubd.action.envelope import Action
from hubd.action.sip018 import ActionId
from hubd.errors import RemoteError
from hubd.gossip.items import SortedItems
from hubd.gossip.negentropy import Responder
from hubd.limits import PHONE_ENVELOPES_MAX, PHONE_PAGE_BYTES_MAX, PHONE_PAGE_SCAN_MAX, PHONE_RECONCILE_ABREAST_MAX
from hubd.ports import ActionStore, Cursor
from hubd.web.standing import Reader, Scope, Standing

_ID_PREFIX_BYTES = 8  # of a cursor, as the port says
_ROWS = 128  # read from the store at once: 50 kB of ordinary actions, 2 MiB of the largest


class PhoneStore(ActionStore, Protocol):
    """The set, as the phones' door reads it."""

    async def mesh_page(self, after: int, actions_max: int) -> list[tuple[int, Action]]:
        """Like `page`, for the kinds of the area `mesh` only: strangers' questions must not cost a walk of the set."""


@dataclass(frozen=True, slots=True)
class Page:
    """A part of the set in arrival order. `more`: the walk has not come to the end yet."""

    actions: list[Action]
    envelopes: list[bytes]
    cursor: Cursor
    more: bool


class Reading:
    """Reads of many callers over one store; keeps the sorted items of the last few who reconciled."""

    def __init__(self, store: PhoneStore, standing: Standing) -> None:
        self._store = store
        self._standing = standing
        self._sorted: OrderedDict[Reader, _Sorted] = OrderedDict()
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
        size = scanned = 0
        while scanned < PHONE_PAGE_SCAN_MAX:
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
            scanned += len(rows)
        return Page(actions, envelopes, cursor, more=True)

    async def end(self) -> Cursor:
        """The cursor behind the last action."""
        return await self._store.cursor()

    async def get(self, reader: Reader, ids: Sequence[bytes]) -> list[Action]:
        """Those of the actions that are here and that this reader may see."""
        found = await self._store.get([ActionId(each) for each in ids])
        return [shared for action in found if (shared := reader.share(action, self._standing))]

    async def get_page(self, reader: Reader, ids: Sequence[bytes], at: int = 0) -> tuple[list[bytes], int]:
        """Envelopes of the ids from index `at` on, as many as fit a page, and the index to go on at."""
        envelopes: list[bytes] = []
        size = 0
        for start in range(at, len(ids), _ROWS):
            part = ids[start : start + _ROWS]
            found = {action.id: envelope.encode(action) for action in await self.get(reader, part)}
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

        Raises `RemoteError`: `scope` for a stranger, `busy` when too many reconcile at once, or Negentropy's own codes.
        """
        if reader.scope is Scope.MESH:
            raise RemoteError("scope", "only registered persons reconcile")
        if self._abreast.locked():
            raise RemoteError("busy", "too many phones reconcile at this moment", hint="come again in a minute")
        async with self._abreast:
            return Responder().handle(await self._items(reader), message)

    async def _rows(self, reader: Reader, after: int) -> list[tuple[int, Action]]:
        read = self._store.mesh_page if reader.scope is Scope.MESH else self._store.page
        return await read(after, _ROWS)

    async def _items(self, reader: Reader) -> SortedItems:
        """The reader's items, caught up with the store: the whole village's are one entry, whoever reads."""
        key = Reader(reader.scope, None if reader.scope is Scope.VILLAGE else reader.person)
        known = self._sorted.get(key)
        if known is None:
            known = self._sorted[key] = _Sorted()
            if len(self._sorted) > PHONE_RECONCILE_ABREAST_MAX:
                self._sorted.popitem(last=False)
        self._sorted.move_to_end(key)
        async with known.lock:
            if reader.scope is Scope.VILLAGE and not known.items.size():
                known.sequence = (await self._store.cursor()).sequence
                known.items = SortedItems(await self._store.items())
            while rows := await self._store.page(known.sequence, _ROWS):
                for sequence, action in rows:
                    if reader.share(action, self._standing):
                        known.items.add(action.statement.created, action.id)
                    known.sequence = sequence
            return known.items


class _Sorted:
    """One reader's items, up to an arrival sequence."""

    def __init__(self) -> None:
        self.sequence = 0
        self.items = SortedItems()
        self.lock = asyncio.Lock()
