"""Visits: the hub dials native phones that it discovered, and answers there as it would had they dialled in.

What mDNS says is a hint, never an authority: whoever is there learns this hub's public answers and, once it has proven a
registered key, what that person may see. Phones are visited at the hub's own pace, again and again while they answer.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import websockets

from hubd import log
from hubd.action.principal import Principal
from hubd.addresses import joined, without_interface
from hubd.limits import (
    VISIT_FAILURES_MAX,
    VISIT_PAUSE_S,
    VISIT_PROOF_S,
    VISIT_S,
    VISITS_ABREAST_MAX,
    VISITS_REMEMBERED_MAX,
    VISITS_UNPROVEN_MAX,
)
from hubd.web.client import ClientWire, dial
from hubd.web.conversation import Conversation
from hubd.web.door import PhoneDoor
from hubd.web.frames import VISIT_PATH
from hubd.web.quota import Rank

_TICK_S = 0.5


@dataclass
class _Candidate:
    """A place where a phone was seen. `due_s` is on the door's clock."""

    due_s: float
    others: Sequence[str] = ()  # other addresses of the same phone
    failures: int = 0
    is_busy: bool = False
    is_proven: bool = False  # at the last visit somebody proved a key there
    person: Principal | None = None  # who did so at the last visit that has ended


class Visitor:
    """Visits phones. `pause_s` is the time between two visits to one of them."""

    def __init__(self, door: PhoneDoor, pause_s: float = VISIT_PAUSE_S) -> None:
        self._door, self._pause_s = door, pause_s
        self._candidates: dict[tuple[str, int], _Candidate] = {}
        self._log = log.get("visits")

    def seen(self, host: str, port: int, others: Sequence[str] = ()) -> None:
        """A phone was discovered here, or failing that at `others`; it is visited soon. A flood of records drives out
        nobody who has proven a key, and places with somebody else's phone behind them do not add up.
        """
        if len(self._candidates) >= VISITS_REMEMBERED_MAX and (host, port) not in self._candidates:
            homes = self._homes()
            spare = [
                place
                for place, each in self._candidates.items()
                if not each.is_busy and (each.failures or (each.person and homes[each.person] != place))
            ]
            if not spare:
                return
            del self._candidates[max(spare, key=lambda place: self._candidates[place].failures)]
        self._candidates.setdefault((host, port), _Candidate(self._door.clock())).others = others

    async def run(self) -> None:
        """Visit whoever is due, until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                for (host, port), candidate in self._due():
                    candidate.is_busy = True
                    group.create_task(self._call_on(host, port, candidate), name="visit")
                await asyncio.sleep(_TICK_S)

    async def visit(self, host: str, port: int, patience_s: float = 0) -> Principal | None:
        """Visit once; returns who proved a key there, if somebody did and the conversation came to its end."""
        name = joined(without_interface(host), port)
        proven: Principal | None = None
        try:
            async with asyncio.timeout(VISIT_S), asyncio.timeout(patience_s or VISIT_PROOF_S) as patience:

                def prove(person: Principal, _rank: Rank) -> None:
                    nonlocal proven
                    proven = person
                    patience.reschedule(None)

                async with dial(f"ws://{name}{VISIT_PATH}", at=(host, port)) as connection:
                    await Conversation(self._door, ClientWire(connection), host, prove).run()
        except (OSError, TimeoutError, websockets.WebSocketException) as error:
            self._door.counters["visit:failed"] += 1
            self._log.debug("visit-failed", port=port, reason=type(error).__name__)
            return None
        self._door.counters["visit:ok" if proven else "visit:unproven"] += 1
        return proven

    def _homes(self) -> dict[Principal, tuple[str, int]]:
        """One place for each person who proved a key: whoever puts other places before a phone's own gains nothing."""
        homes: dict[Principal, tuple[str, int]] = {}
        for place, each in self._candidates.items():
            if each.person is not None:
                homes.setdefault(each.person, place)
        return homes

    def _due(self) -> list[tuple[tuple[str, int], _Candidate]]:
        """Whom to visit now: those who wait longest, and never only places where nobody has proven anything."""
        now = self._door.clock()
        waiting = [(place, each) for place, each in self._candidates.items() if not each.is_busy and each.due_s <= now]
        waiting.sort(key=lambda entry: entry[1].due_s)
        busy = [each for each in self._candidates.values() if each.is_busy]
        free = VISITS_ABREAST_MAX - len(busy)
        free_unproven = VISITS_UNPROVEN_MAX - sum(not each.is_proven for each in busy)
        chosen: list[tuple[tuple[str, int], _Candidate]] = []
        for place, each in waiting:
            if len(chosen) < free and (each.is_proven or free_unproven > 0):
                free_unproven -= not each.is_proven
                chosen.append((place, each))
        return chosen

    async def _call_on(self, host: str, port: int, candidate: _Candidate) -> None:
        addresses = (host, *candidate.others)
        candidate.is_proven, person = False, None
        for each in addresses:
            if person := await self.visit(each, port, VISIT_PROOF_S / len(addresses)):
                candidate.is_proven = True
                break
        candidate.person = person
        candidate.failures = 0 if candidate.is_proven else candidate.failures + 1
        candidate.due_s = self._door.clock() + self._pause_s * 2**candidate.failures
        candidate.is_busy = False
        if candidate.failures > VISIT_FAILURES_MAX:
            self._candidates.pop((host, port), None)  # it has gone; when it comes again it is seen again
