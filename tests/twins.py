"""Stand-ins for drivers where a test is about something else: same port, same promises, no disk."""

from bisect import insort
from collections.abc import Sequence
from dataclasses import replace

from hubd.action.envelope import Action
from hubd.action.fingerprint import EMPTY, extend, fingerprint
from hubd.action.sip018 import ActionId
from hubd.ports import Cursor, SetSummary

ID_PREFIX_BYTES = 8


class MemoryStore:
    """An `ActionStore` in a dict."""

    def __init__(self, actions: Sequence[Action] = ()) -> None:
        self.epoch = bytes(8)
        self._by_id: dict[ActionId, Action] = {}
        self._items: list[tuple[int, ActionId]] = []
        self._lthash = EMPTY
        self._put(actions)

    def _put(self, actions: Sequence[Action]) -> list[Action]:
        fresh = []
        for action in actions:
            known = self._by_id.get(action.id)
            if known is None:
                fresh.append(action)
                insort(self._items, (action.statement.created, action.id))
                self._by_id[action.id] = action
            elif known.content is None:
                self._by_id[action.id] = replace(known, content=action.content)
        self._lthash = extend(self._lthash, (action.id for action in fresh))
        return fresh

    async def append(self, actions: Sequence[Action]) -> list[Action]:
        return self._put(actions)

    async def get(self, ids: Sequence[ActionId]) -> list[Action]:
        return [self._by_id[id_] for id_ in ids if id_ in self._by_id]

    async def page(self, after: int, actions_max: int) -> list[tuple[int, Action]]:
        arrived = list(self._by_id.values())[after : after + actions_max]
        return list(enumerate(arrived, after + 1))

    async def items(self) -> list[tuple[int, ActionId]]:
        return list(self._items)

    async def summary(self) -> SetSummary:
        return SetSummary(len(self._by_id), fingerprint(self._lthash), len(self._by_id))

    async def cursor(self) -> Cursor:
        last = next(reversed(self._by_id), b"")
        return Cursor(self.epoch, len(self._by_id), last[:ID_PREFIX_BYTES])

    async def resume(self, cursor: Cursor) -> int | None:
        ids = [b"", *self._by_id]
        is_ours = cursor.epoch == self.epoch and cursor.sequence < len(ids)
        return cursor.sequence if is_ours and ids[cursor.sequence][:ID_PREFIX_BYTES] == cursor.id_prefix else None
