"""The one way into the set: verify, batch, one writer. Every door of the hub ends here.

Doors and peers take turns, a slice of signatures each, and what people bring comes before what hubs bring: one
newcomer's hundred thousand actions hold nobody up for longer than a slice and a transaction.

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
from hubd.limits import APPEND_ACTIONS_MAX, VERIFY_ACTIONS_PER_STEP
from hubd.ports import ActionStore, Door, Outcome, Verdict
from hubd.turns import Turns

_FIRST = frozenset({Door.OWN, Door.PHONE})  # a person waits there; peers and bundles bring much at a time
Listener = Callable[[list[Action], Door, bytes], None]


class _Portion:
    """At most one transaction of an offer, on its way through verification."""

    def __init__(self, envelopes: Sequence[bytes], door: Door, source: bytes) -> None:
        self.envelopes = envelopes
        self.door = door
        self.source = source
        self.parsed: list[Action | RemoteError] = []
        self.done: asyncio.Future[list[Outcome]] = asyncio.get_running_loop().create_future()

    @property
    def lane(self) -> tuple[Door, bytes]:
        """With whose work it takes turns."""
        return self.door, self.source

    @property
    def is_first(self) -> bool:
        """Whether it comes before what peers and bundles bring."""
        return self.door in _FIRST

    def answer(self, answer: list[Outcome] | Exception) -> None:
        """Tell whoever offered it, and nobody if they gave up."""
        if self.done.done():
            return
        if isinstance(answer, Exception):
            self.done.set_exception(answer)
            self.done.exception()
        else:
            self.done.set_result(answer)


class SetIntake:
    """See `hubd.ports.Intake`. `listeners` are told of new actions, in arrival order, once they are on disk."""

    def __init__(self, store: ActionStore, domain: Domain) -> None:
        self.listeners: list[Listener] = []
        self.counters: Counter[str] = Counter()
        self._store = store
        self._domain = domain
        self._turns: Turns[_Portion] = Turns()
        self._working: asyncio.Task[None] | None = None
        self._taking: set[asyncio.Task[None]] = set()
        self._unwritten = 0  # actions that were verified and are not on disk yet
        self._stir = asyncio.Event()  # there may be something to do
        self._log = log.get("intake")

    async def offer(self, envelopes: Sequence[bytes], door: Door, source: bytes = b"") -> list[Outcome]:
        """One outcome for each envelope, in order; what is OK is on disk."""
        portions = [
            _Portion(envelopes[start : start + APPEND_ACTIONS_MAX], door, source)
            for start in range(0, len(envelopes), APPEND_ACTIONS_MAX)
        ]
        for portion in portions:
            self._turns.add(portion.lane, portion, is_first=portion.is_first)
        self._stir.set()
        if portions and (self._working is None or self._working.done()):
            self._working = asyncio.create_task(self._work(), name="intake")
        return [outcome for portion in portions for outcome in await portion.done]

    async def settle(self) -> None:
        """Wait until everything that was being taken is on disk and told."""
        if self._working is not None:
            await self._working
        await asyncio.gather(*self._taking, return_exceptions=True)

    async def _work(self) -> None:
        """Verify in turns, a slice at a time, and no more ahead of the one writer than it takes at once."""
        while True:
            self._stir.clear()
            is_full = self._unwritten >= APPEND_ACTIONS_MAX
            portion = self._turns.take(only_first=is_full)
            if portion is not None:
                self._step(portion)
                await asyncio.sleep(0)
            elif is_full:
                await self._stir.wait()
            else:
                return

    def _step(self, portion: "_Portion") -> None:
        try:
            self._verify(portion)
        except Exception as error:  # noqa: BLE001  # a bug of ours rises where it was offered, and stops nobody else
            portion.answer(error)

    def _verify(self, portion: "_Portion") -> None:
        parsed, domain = portion.parsed, self._domain
        for raw in portion.envelopes[len(parsed) :][:VERIFY_ACTIONS_PER_STEP]:
            try:
                parsed.append(envelope.parse(raw, domain))
            except RemoteError as error:
                parsed.append(error)
        if len(portion.parsed) < len(portion.envelopes):
            self._turns.back(portion.lane, portion, is_first=portion.is_first)
            return
        self._unwritten += len(portion.parsed)
        taking = asyncio.create_task(self._finish(portion), name="intake-portion")
        self._taking.add(taking)
        taking.add_done_callback(self._taking.discard)

    async def _finish(self, portion: "_Portion") -> None:
        """Answer whoever offered it, even if nobody waits any more."""
        try:
            portion.answer(await self._take(portion.parsed, portion.door, portion.source))
        except Exception as error:  # noqa: BLE001  # it is the offerer's
            portion.answer(error)
        finally:
            self._unwritten -= len(portion.parsed)
            self._stir.set()

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
        self._count(door, "new", len(new))
        outcomes: list[Outcome] = []
        ok = Verdict.OK
        for item in parsed:
            if isinstance(item, RemoteError):
                self._count(door, item.code, 1)
                outcomes.append(Outcome(Verdict.REFUSED, None, item.code))
            elif item.id in new:
                new.remove(item.id)
                outcomes.append(Outcome(ok, item.id, "", True))
            else:
                self._count(door, "known", 1)
                outcomes.append(Outcome(ok, item.id))
        return outcomes

    def _count(self, door: Door, what: str, number: int) -> None:
        if number:
            self.counters[f"{door.value}.{what}"] += number
