"""What stands between the doors of a simulated hub and its disk: the intake, and what is known of authors."""

from collections.abc import Callable, Collection, Sequence

from hubd.action.envelope import Action
from hubd.action.principal import Principal
from hubd.errors import RemoteError
from hubd.fold.views import Balance
from hubd.ports import Door, Outcome, Verdict
from hubd.web.quota import Rank
from tools.sim import actions
from tools.sim.clock import Wait
from tools.sim.disk import Disk


class Known:
    """What the views would say of authors: people of the village are vouched for, who registered is a newcomer."""

    def __init__(self, disk: Disk, people: Collection[Principal]) -> None:
        self._disk = disk
        self._people = people
        self._registered: set[Principal] = set()
        self._seen = 0

    def person_of(self, key: Principal) -> Principal | None:
        """See `hubd.web.standing.Standing`."""
        return key if self.rank(key) is not Rank.STRANGER else None

    def home_of(self, _person: Principal) -> Principal | None:
        """See `hubd.web.standing.Standing`."""
        return None

    def rank(self, key: Principal) -> Rank:
        """See `hubd.web.standing.Standing`."""
        if key in self._people:
            return Rank.VOUCHED
        fresh = self._disk.log[self._seen :]
        self._registered.update(each.statement.author for each in fresh if each.kind == "user-register")
        self._seen = len(self._disk.log)
        return Rank.NEWCOMER if key in self._registered else Rank.STRANGER

    def settlement(self, _action_id: bytes) -> tuple[str, bytes]:
        """See `hubd.web.standing.Standing`."""
        return "at-hub", b""

    def balance(self, _person: Principal, _asset: Principal | None) -> Balance | None:
        """See `hubd.web.standing.Standing`."""
        return None


class Intake:
    """A model of `hubd.intake.SetIntake`: verify, append, tell; what is OK is on disk."""

    def __init__(self, disk: Disk, notify: Callable[[list[Action], bytes], None]) -> None:
        self._disk = disk
        self._notify = notify

    async def offer(self, envelopes: Sequence[bytes], _door: Door, source: bytes = b"") -> list[Outcome]:
        """One outcome for each envelope, in order."""
        await Wait(len(envelopes) * self._disk.speed.verify_action_s)
        parsed: list[Action | str] = []
        for raw in envelopes:
            try:
                parsed.append(actions.parsed(raw))
            except RemoteError as error:
                parsed.append(error.code)
        fresh = await self._disk.append([each for each in parsed if isinstance(each, Action)], source)
        if fresh:
            self._notify(fresh, source)
        new = {action.id for action in fresh}
        outcomes = []
        for each in parsed:
            if isinstance(each, str):
                outcomes.append(Outcome(Verdict.REFUSED, None, each))
            else:
                outcomes.append(Outcome(Verdict.OK, each.id, "", each.id in new))
                new.discard(each.id)
        return outcomes
