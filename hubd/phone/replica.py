"""What this phone holds: the set as far as it has come here, the views it folds from it, and its outbox.

Every envelope that a hub hands over goes through the one door for bytes and into the store before anything believes it.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from hubd.action.charter import Charter
from hubd.action.envelope import Action, parse
from hubd.action.principal import Principal
from hubd.action.signature import Signer
from hubd.action.sip018 import ActionId
from hubd.errors import RemoteError
from hubd.fold.folder import Folder
from hubd.fold.views import HubState, Views
from hubd.gossip.items import Items, SortedItems
from hubd.intake import SetIntake
from hubd.limits import APPEND_ACTIONS_MAX, INTEGER_MAX
from hubd.phone.outbox import FILE_NAME, Outbox
from hubd.ports import Door
from hubd.store.actions import Store
from hubd.web.standing import Reader, Scope, ViewsStanding

T = TypeVar("T")


class Replica:
    """Opened by `Replica.open`; one process at a time."""

    def __init__(self, charter: Charter, signer: Signer, store: Store, outbox: Outbox) -> None:
        self.charter, self.signer = charter, signer
        self.store, self.outbox = store, outbox
        self.key: Principal = signer.principal(charter.network)
        self._folder = Folder(charter)
        self._intake = SetIntake(store, charter.domain)
        self._intake.listeners.append(lambda actions, _door, _source: self._fold(actions))

    @classmethod
    async def open(cls, directory: Path, charter: Charter, signer: Signer) -> "Replica":
        """Open the phone's files and fold what is there. Raises `FatalError` in words."""
        store = await Store.open(directory, charter.domain)
        store.room.outlive_kept()
        try:
            outbox = await Outbox.open(directory / FILE_NAME)
        except BaseException:
            await store.close()
            raise
        replica = cls(charter, signer, store, outbox)
        try:
            await outbox.follow(store.epoch.hex())
            await replica._load()
        except BaseException:
            await replica.close()
            raise
        return replica

    async def close(self) -> None:
        """Close the files."""
        await self.outbox.close()
        await self.store.close()

    @property
    def views(self) -> Views:
        """The views of what is here."""
        return self._folder.views

    @property
    def me(self) -> Principal:
        """The person this phone's key speaks for; the key itself until it is registered."""
        return self.views.person_of(self.key) or self.key

    async def take(self, envelopes: Sequence[bytes]) -> int:
        """Verify and keep what a hub handed over; returns how many were new. What is no valid action is left out."""
        outcomes = await self._intake.offer(envelopes, Door.PEER)
        return sum(outcome.is_new for outcome in outcomes)

    async def keep(self, action: Action) -> None:
        """Put an action of this phone's own into its set. The outbox has it already."""
        self._fold(await self.store.append([action]))

    def is_valid(self, raw: bytes) -> bool:
        """Whether these bytes are a valid action of this mesh: a pure question, with one answer everywhere."""
        try:
            parse(raw, self.charter.domain)
        except RemoteError:
            return False
        return True

    def is_own(self, action: Action) -> bool:
        """Whether this person wrote the action or is named in it."""
        return Reader(Scope.MINE, self.me, self.key).is_named_in(action, ViewsStanding(lambda: self.views))

    def is_admitted(self, hub: Principal) -> bool:
        """Whether the stewards admitted this hub, as far as this phone knows."""
        known = self.views.hubs.get(hub)
        return known is not None and known.state is HubState.ADMITTED

    def hub_name(self, hub: Principal) -> str:
        """What people call the hub, "" where this phone does not know it."""
        known = self.views.hubs.get(hub)
        return known.name if known is not None else ""

    async def over_items(self, scope: Scope, work: Callable[[Items], T]) -> T:
        """What `work` returns over that part of this phone's set which a hub shows it in a scope."""
        if scope is Scope.VILLAGE:
            return await self.store.over_items(work)
        names = Reader(scope, self.me, self.key).audiences(ViewsStanding(lambda: self.views))
        rows = await self.store.seen_items(names, 0, INTEGER_MAX)
        return work(SortedItems((created, action_id) for _, created, action_id in rows))

    async def forget_settled(self) -> None:
        """What the chain has needs no further hub."""
        settlement = self.views.settlement
        items = await self.outbox.items(kept_only=True)
        done = [item.id for item in items if item.id in settlement and settlement[item.id].is_done]
        if done:
            await self.outbox.forget(done)

    async def action(self, action_id: ActionId) -> Action | None:
        """An action by its id."""
        found = await self.store.get([action_id])
        return found[0] if found else None

    async def _load(self) -> None:
        await self.store.append(self.charter.founding)
        # A power cut between outbox and store: the outbox was first.
        items = await self.outbox.items(kept_only=True)
        await self.store.append([parse(item.envelope, self.charter.domain) for item in items])
        after = 0
        while rows := await self.store.page(after, APPEND_ACTIONS_MAX):
            self._fold([action for _, action in rows])
            after = rows[-1][0]

    def _fold(self, actions: Sequence[Action]) -> None:
        self._folder.append(actions)
