"""Stand-ins for drivers where a test is about something else: same port, same promises, no disk."""

import hashlib
from bisect import insort
from collections.abc import Callable, Sequence
from itertools import count as counted
from typing import TypeVar

from hubd.action.envelope import Action, without_content
from hubd.action.fingerprint import EMPTY, extend, fingerprint
from hubd.action.sip018 import ActionId
from hubd.gossip.items import Items, SortedItems
from hubd.gossip.sketch import Symbols
from hubd.ports import Cursor, GainListener, SetSummary

T = TypeVar("T")

ID_PREFIX_BYTES = 8
MARK_BYTES = 8
_EPOCHS = counted()  # another one for each database, as chance gives them


class MemoryStore:
    """An `ActionStore` in a dict."""

    def __init__(self, actions: Sequence[Action] = ()) -> None:
        self.epoch = next(_EPOCHS).to_bytes(8, "big")
        self._by_id: dict[ActionId, Action] = {}
        self._sources: dict[ActionId, bytes] = {}
        self._cursors: dict[bytes, tuple[int, bytes]] = {}
        self._items: list[tuple[int, ActionId]] = []
        self._lthash = EMPTY
        self._erased: set[tuple[ActionId, bytes]] = set()
        self.gain_listeners: list[GainListener] = []
        self._put(actions, b"")

    def _put(self, actions: Sequence[Action], source: bytes) -> list[Action]:
        fresh, gained = [], []
        for offered in actions:
            if offered.kind == "content-erase":
                self._erase(offered)
            is_erased = (offered.id, offered.statement.author) in self._erased
            action = without_content(offered) if is_erased else offered
            known = self._by_id.get(action.id)
            if known is None:
                fresh.append(action)
                insort(self._items, (action.statement.created, action.id))
                self._by_id[action.id] = action
                self._sources[action.id] = source
            elif known.content is None and action.content is not None:
                self._by_id[action.id] = known._replace(content=action.content)
                gained.append(action)
        self._lthash = extend(self._lthash, (action.id for action in fresh))
        for listener in self.gain_listeners if gained else ():
            listener(gained, source)
        return fresh

    def _erase(self, erasure: Action) -> None:
        self._erased.add((erasure.statement.subject, erasure.statement.author))
        known = self._by_id.get(erasure.statement.subject)
        if known is not None and known.statement.author == erasure.statement.author:
            self._by_id[known.id] = without_content(known)

    async def append(self, actions: Sequence[Action], source: bytes = b"") -> list[Action]:
        return self._put(actions, source)

    async def get(self, ids: Sequence[ActionId]) -> list[Action]:
        return [self._by_id[id_] for id_ in ids if id_ in self._by_id]

    async def page(self, after: int, actions_max: int) -> list[tuple[int, Action]]:
        return list(enumerate(self._by_id.values(), 1))[after : after + actions_max]

    async def page_for(
        self, peer: bytes, after: int, until: int, actions_max: int
    ) -> tuple[list[tuple[int, Action]], int]:
        arrived = list(enumerate(self._by_id.values(), 1))[after:until]
        page = [each for each in arrived if self._sources[each[1].id] != peer][:actions_max]
        return page, page[-1][0] if len(page) == actions_max else until

    async def page_of_names(self, after: int, actions_max: int) -> list[tuple[int, ActionId, str]]:
        return [(sequence, action.id, action.kind) for sequence, action in await self.page(after, actions_max)]

    async def items(self) -> list[tuple[int, ActionId]]:
        return list(self._items)

    async def over_items(self, work: Callable[[Items], T]) -> T:
        return work(SortedItems(self._items))

    async def summary(self) -> SetSummary:
        count = len(self._by_id)
        return SetSummary(count, fingerprint(self._lthash), count, await self.mark_of(count), len(self._bare()))

    async def lacking(self, after: int, actions_max: int) -> list[tuple[int, ActionId]]:
        return [row for row in self._bare() if row[0] > after][:actions_max]

    async def lacking_of(self, ids: Sequence[ActionId]) -> list[ActionId]:
        return [id_ for _, id_ in self._bare() if id_ in ids]

    def _bare(self) -> list[tuple[int, ActionId]]:
        return [
            (sequence, action.id)
            for sequence, action in enumerate(self._by_id.values(), 1)
            if action.lacks_content and (action.id, action.statement.author) not in self._erased
        ]

    async def sketch_symbols(self, first: int, count: int) -> bytes:
        symbols = Symbols()
        symbols.add(self._by_id)
        return symbols.slice(first, count)

    async def mark_of(self, sequence: int) -> bytes:
        ids = [b"", *self._by_id]
        if not 0 < sequence < len(ids):
            return b""
        return hashlib.sha256(self.epoch + sequence.to_bytes(8, "big") + ids[sequence]).digest()[:MARK_BYTES]

    async def peer_cursor(self, peer: bytes) -> tuple[int, bytes]:
        return self._cursors.get(peer, (0, b""))

    async def keep_cursor(self, peer: bytes, sequence: int, mark: bytes) -> None:
        self._cursors[peer] = (sequence, mark)

    async def cursor(self) -> Cursor:
        last = next(reversed(self._by_id), b"")
        return Cursor(self.epoch, len(self._by_id), last[:ID_PREFIX_BYTES])

    async def resume(self, cursor: Cursor) -> int | None:
        ids = [b"", *self._by_id]
        is_ours = cursor.epoch == self.epoch and cursor.sequence < len(ids)
        return cursor.sequence if is_ours and ids[cursor.sequence][:ID_PREFIX_BYTES] == cursor.id_prefix else None
