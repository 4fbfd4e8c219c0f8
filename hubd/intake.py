"""The one way into the set: verify, batch, one writer. Every door of the hub ends here.

Bad bytes are counted under their code and answered, never more: nothing that comes from outside stops a hub.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence

from hubd import log
from hubd.action import envelope
from hubd.action.envelope import Action
from hubd.action.sip018 import ActionId, Domain
from hubd.errors import RemoteError
from hubd.limits import VERIFY_ACTIONS_PER_STEP
from hubd.ports import ActionStore, Door, Outcome, Verdict

Listener = Callable[[list[Action], Door, bytes], None]


class SetIntake:
    """See `hubd.ports.Intake`. `listeners` are told of new actions, in arrival order, once they are on disk."""

    def __init__(self, store: ActionStore, domain: Domain) -> None:
        self.listeners: list[Listener] = []
        self.counters: Counter[str] = Counter()
        self._store = store
        self._domain = domain
        self._taking: set[asyncio.Task[list[Outcome]]] = set()
        self._log = log.get("intake")

    async def offer(self, envelopes: Sequence[bytes], door: Door, source: bytes = b"") -> list[Outcome]:
        """One outcome for each envelope, in order; what is OK is on disk."""
        parsed: list[Action | RemoteError] = []
        for position, raw in enumerate(envelopes):
            if position and position % VERIFY_ACTIONS_PER_STEP == 0:
                await asyncio.sleep(0)
            try:
                parsed.append(envelope.parse(raw, self._domain))
            except RemoteError as error:
                parsed.append(error)
        taking = asyncio.create_task(self._take(parsed, door, source), name="intake")
        self._taking.add(taking)
        taking.add_done_callback(self._taking.discard)
        return await asyncio.shield(taking)

    async def settle(self) -> None:
        """Wait until everything that was being taken is on disk and told."""
        await asyncio.gather(*self._taking, return_exceptions=True)

    async def _take(self, parsed: list[Action | RemoteError], door: Door, source: bytes) -> list[Outcome]:
        """Append and tell, whole, even when the caller gives up: what is on disk must be in the views, too."""
        fresh = await self._store.append([item for item in parsed if isinstance(item, Action)], source)
        outcomes = self._outcomes(parsed, {action.id for action in fresh}, door)
        for listener in self.listeners if fresh else ():
            try:
                listener(fresh, door, source)
            except Exception:  # noqa: BLE001  # a fault in one listener keeps nothing from the others
                self._log.exception("listener-failed", count=len(fresh))
        return outcomes

    def _outcomes(self, parsed: list[Action | RemoteError], new: set[ActionId], door: Door) -> list[Outcome]:
        """One for each item; of an action that was offered twice, the first is the new one."""
        outcomes: list[Outcome] = []
        known = 0
        for item in parsed:
            if isinstance(item, RemoteError):
                self.counters[f"{door.value}.{item.code}"] += 1
                outcomes.append(Outcome(Verdict.REFUSED, None, item.code))
            elif item.id in new:
                new.discard(item.id)
                outcomes.append(Outcome(Verdict.OK, item.id, "", is_new=True))
            else:
                known += 1
                outcomes.append(Outcome(Verdict.OK, item.id))
        refused = sum(outcome.verdict is Verdict.REFUSED for outcome in outcomes)
        self._count(door, "known", known)
        self._count(door, "new", len(outcomes) - known - refused)
        return outcomes

    def _count(self, door: Door, what: str, number: int) -> None:
        if number:
            self.counters[f"{door.value}.{what}"] += number
