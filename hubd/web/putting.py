"""What phones bring: verified, held against the quotas, handed to the intake, and answered one by one.

OK means on disk: it is said with the intake's own words, after it returned. Actions of keys that nobody knows wait in a
small quarantine in memory, so that a friend's action that came a minute before the friend's registration is not lost to
the day; the phone keeps them all the same, for it was told DEFERRED.
"""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from hubd.action import envelope
from hubd.action.charter import Charter
from hubd.errors import RemoteError
from hubd.limits import (
    QUARANTINE_AUTHOR_BYTES_MAX,
    QUARANTINE_BYTES_MAX,
    QUARANTINE_PER_AUTHOR_MAX,
    QUOTA_HELP_CONTENT_BYTES_MAX,
    VERIFY_ACTIONS_PER_STEP,
)
from hubd.ports import ActionStore, Door, Intake, Outcome, Verdict
from hubd.web.quota import HELP_KINDS, NEWCOMER_KINDS, Quota, Rank
from hubd.web.standing import Standing

if TYPE_CHECKING:
    from hubd.action.envelope import Action
    from hubd.action.principal import Principal


class Quarantine:
    """Envelopes of unknown authors, bounded for each author and in all: the author who waits longest makes room."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Principal, dict[bytes, bytes]] = OrderedDict()
        self.size_bytes = 0

    def keep(self, action: "Action", raw: bytes) -> bool:
        """Whether it is kept; not, when this author's share is used up."""
        mine = self._kept.get(action.statement.author, {})
        if action.id in mine:
            return True
        mine_bytes = sum(map(len, mine.values()))
        if len(mine) >= QUARANTINE_PER_AUTHOR_MAX or mine_bytes + len(raw) > QUARANTINE_AUTHOR_BYTES_MAX:
            return False
        self._kept.setdefault(action.statement.author, mine)[action.id] = raw
        self.size_bytes += len(raw)
        while self.size_bytes > QUARANTINE_BYTES_MAX:
            self.release([next(iter(self._kept))])
        return True

    def release(self, authors: "Sequence[Principal]") -> list[bytes]:
        """What waited for these authors, who are known now."""
        released: list[bytes] = []
        for author in authors:
            released += self._kept.pop(author, {}).values()
        self.size_bytes -= sum(map(len, released))
        return released


class Putting:
    """Takes envelopes at a door of this hub's own. `now` is a monotonic clock in seconds."""

    def __init__(  # noqa: PLR0913  # ports of the assembly, each of its own type
        self,
        store: ActionStore,
        intake: Intake,
        standing: Standing,
        charter: Charter,
        now: Callable[[], float],
        *,
        door: Door = Door.PHONE,
        is_short: Callable[[], bool] = lambda: False,
    ) -> None:
        """`is_short` tells whether the card is nearly full: the rest of it is for people who are known."""
        self._door, self._is_short = door, is_short
        self._store, self._intake, self._standing = store, intake, standing
        self._domain = charter.domain
        self._now = now
        self._quota = Quota(now())
        self._quarantine = Quarantine()

    async def put(self, envelopes: Sequence[bytes], address: str) -> list[Outcome]:
        """One outcome for each envelope, in order. `address` is the phone's, "" for the hub's own machine."""
        outcomes: list[Outcome | None] = [None] * len(envelopes)
        actions: dict[int, Action] = {}
        for at, raw in enumerate(envelopes):
            try:
                actions[at] = envelope.parse(raw, self._domain)
            except RemoteError as error:
                outcomes[at] = Outcome(Verdict.REFUSED, code=error.code)
            if at % VERIFY_ACTIONS_PER_STEP == VERIFY_ACTIONS_PER_STEP - 1:
                await asyncio.sleep(0)
        known = {action.id for action in await self._store.get([action.id for action in actions.values()])}
        joining: set[Principal] = set()
        passing = []
        for at, action in actions.items():
            code = "" if action.id in known else self._judge(action, joining, address)
            if code:
                outcomes[at] = self._defer(action, envelopes[at], code)
            else:
                passing.append(at)
                if action.kind in NEWCOMER_KINDS:
                    joining.add(action.statement.author)
        taken = await self._intake.offer([envelopes[at] for at in passing], self._door)
        for at, outcome in zip(passing, taken, strict=True):
            outcomes[at] = outcome
        return [outcome for outcome in outcomes if outcome is not None]

    def released_by(self, actions: "Sequence[Action]") -> list[bytes]:
        """Envelopes that waited for the persons or keys that became known by these actions."""
        return self._quarantine.release(
            [
                action.statement.author
                for action in actions
                if action.kind in NEWCOMER_KINDS and self._standing.rank(action.statement.author) is not Rank.STRANGER
            ]
        )

    def _judge(self, action: "Action", joining: "set[Principal]", address: str) -> str:
        if action.kind in HELP_KINDS and len(action.content or b"") > QUOTA_HELP_CONTENT_BYTES_MAX:
            return "too-large"
        author = action.statement.author
        rank = self._standing.rank(author)
        if rank is Rank.STRANGER and author in joining:
            rank = Rank.NEWCOMER
        if rank < Rank.VOUCHED and action.kind not in HELP_KINDS and self._is_short():
            return "card-short"
        return self._quota.judge(action.kind, self._standing.person_of(author) or author, rank, address, self._now())

    def _defer(self, action: "Action", raw: bytes, code: str) -> Outcome:
        if code == "unregistered" and not self._quarantine.keep(action, raw):
            code = "unregistered-full"
        return Outcome(Verdict.DEFERRED, action.id, code)


def tally(outcomes: Sequence[Outcome]) -> Counter[str]:
    """Outcomes counted by what is worth watching: `ok`, `known`, and the codes of the others."""
    return Counter(
        ("ok" if outcome.is_new else "known") if outcome.verdict is Verdict.OK else f"{outcome.verdict}:{outcome.code}"
        for outcome in outcomes
    )
