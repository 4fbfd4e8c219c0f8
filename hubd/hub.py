"""The hub over one data directory: its set, its views, its keys, and what a command on this machine may ask of it.

`hubd/daemon.py` runs the services over it; commands open it directly when no daemon runs.
"""

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from hubd import __version__, config
from hubd.action import charter as charters
from hubd.action import envelope
from hubd.action.charter import Charter
from hubd.action.content import read_content
from hubd.action.envelope import Action
from hubd.action.fingerprint import spoken
from hubd.action.principal import Principal, address
from hubd.action.sip018 import NO_ID
from hubd.config import Config
from hubd.control import Endpoint
from hubd.errors import FatalError
from hubd.fold.folder import Folder
from hubd.folding import Folding
from hubd.identity import KEYS_FOLDER, Identity, sign_action
from hubd.intake import SetIntake
from hubd.limits import PAGE_ACTIONS
from hubd.ports import Door, Outcome, SetSummary, TransactionState
from hubd.post import counter, memory
from hubd.post.office import PostOffice, PostPorts
from hubd.store.actions import Store
from hubd.store.room import Level
from hubd.surroundings import unmet
from hubd.timekeeper import Timekeeper
from hubd.web.putting import Putting
from hubd.web.standing import ViewsStanding

CHARTER_NAME = "charter.toml"


def read_charter(path: Path) -> Charter:
    """The charter in a file. Raises `FatalError` in words."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        if not path.parent.joinpath(KEYS_FOLDER).exists():
            raise FatalError(
                "no-hub",
                f"there is no hub in {path.parent}",
                hint="name its folder with --data, or prepare one with `hubd init`",
            ) from error
        raise FatalError(
            "charter",
            f"{path}: {error.strerror}",
            hint="`hubd init` makes a hub that was only begun; into one that was made, copy the mesh's charter",
        ) from error
    return charters.read(raw)


def read_config(directory: Path) -> Config:
    """The configuration of a data directory; every line at its default where there is no file."""
    path = directory / config.FILE_NAME
    try:
        return config.read(path.read_bytes() if path.exists() else b"")
    except OSError as error:
        raise FatalError("config", f"{path}: {error.strerror}", hint="may this user read it?") from error


class Hub:
    """One hub over one data directory. Use `async with Hub.opened(directory) as hub`."""

    def __init__(self, directory: Path, settings: Config, charter: Charter, identity: Identity, store: Store) -> None:
        self.directory = directory
        self.config = settings
        self.charter = charter
        self.identity = identity
        self.store = store
        self.folding = Folding(directory, store, charter)
        self.intake = SetIntake(store, charter.domain)
        self.principal: Principal = identity.principal(charter.domain)
        self.live_status: Callable[[SetSummary], dict[str, Any]] | None = None  # set while the services run
        self.timekeeper = Timekeeper(
            directory,
            max((action.statement.created for action in charter.founding), default=0),
            lambda: self.folder.views.time_s,
            self._known_person,
        )
        self.intake.listeners += [self.folding.heard, self.timekeeper.heard]
        self._strangers = Putting(
            store,
            self.intake,
            ViewsStanding(lambda: self.folder.views),
            charter,
            time.monotonic,
            door=Door.BUNDLE,
            is_short=self.is_short,
        )
        self.post = PostOffice(
            PostPorts(
                store=store,
                intake=self.intake,
                strangers=self._put_for_stranger,
                boxes=self._boxes,
                signer=identity.hub,
                box=identity.box,
                charter=charter,
                path=directory / memory.FILE_NAME,
            )
        )

    @classmethod
    @asynccontextmanager
    async def opened(cls, directory: Path, *, is_late: bool = False) -> AsyncIterator["Hub"]:
        """Open the directory, and close everything at the end.

        The membership is that of the set; with `is_late` the other views come to it only while `folding.run` works.
        """
        charter = read_charter(directory / CHARTER_NAME)
        settings, identity = read_config(directory), Identity.open(directory)
        store = await Store.open(directory, charter.domain)
        try:
            hub = cls(directory, settings, charter, identity, store)
            await hub.folding.open()
            await hub.post.load()
            try:
                if not is_late:
                    await hub.folding.catch_up()
                await hub.intake.offer([envelope.encode(action) for action in charter.founding], Door.OWN)
                yield hub
            finally:
                await hub.intake.settle()
                await hub.folding.close()
        finally:
            await store.close()

    @property
    def folder(self) -> Folder:
        """The fold as it is now."""
        return self.folding.folder

    def is_short(self) -> bool:
        """Whether the card is nearly full: what is left is for people who are known, and for hubs."""
        return self.store.room.relieved() in (Level.SHORT, Level.FULL)

    def _known_person(self, key: Principal) -> Principal | None:
        person = self.folder.views.person_of(key)
        return person if person in self.folding.circle else None

    async def _put_for_stranger(self, envelopes: Sequence[bytes]) -> list[Outcome]:
        return await self._strangers.put(envelopes, "post")

    def _boxes(self) -> dict[Principal, bytes]:
        views = self.folder.views
        return {each: views.hubs[each].box for each in views.mesh.hubs}

    # --- what a hub says about itself

    async def announce(self) -> Action:
        """This hub's ruling announcement, renewed first if its keys, name or addresses changed."""
        wanted = self.identity.announcement(
            name=self.config["hub.name"],
            addresses=self.config["mesh.addresses"],
            uplink=bool(self.config["relay.nodes"]),
        )
        known = self.folder.views.hubs.get(self.principal)
        subject = NO_ID
        if known is not None:
            [ruling] = await self.store.get([known.announce])
            if ruling.content is not None and read_content(ruling.content, ruling.kind) == wanted:
                return ruling
            subject = ruling.id
        action = sign_action(
            self.identity.hub, self.charter.domain, "hub-announce", int(time.time()), wanted, subject=subject
        )
        await self.intake.offer([envelope.encode(action)], Door.OWN)
        return action

    async def status(self) -> dict[str, Any]:
        """Everything `hubd status` shows."""
        summary = await self.store.summary()
        views = self.folder.views
        return {
            "name": self.config["hub.name"],
            "hub": address(self.principal),
            "wallet": address(self.identity.wallet.principal(self.charter.network)),
            "version": __version__,
            "running": self.live_status is not None,
            "mesh": self.charter.name,
            "network": self.charter.network.name,
            "admitted": self.principal in views.mesh.hubs,
            "count": summary.count,
            "fingerprint": summary.fingerprint.hex(),
            "spoken": spoken(summary.fingerprint),
            "lacking": summary.lacking,
            "views": views.digest.hex(),
            "views_behind": self.folding.behind,
            "chain_time_s": views.time_s,
            "clock": self.timekeeper.status(),
            "persons": len(views.persons),
            "lessons": len(views.lessons),
            "unknown": {kind: entry.count for kind, entry in views.unknown.items()},
            "void": len(views.void),
            "rotten": await self.store.rotten(),
            "disk": self.store.room.level.value,
            "unmet": [list(each) for each in unmet(self.config)],
            "counters": dict(self.intake.counters),
            "post": await self._post_status(),
            **(
                self.live_status(summary)
                if self.live_status
                else {"peers": [], "phones": None, "relay": None, "sticks": [], "scrubbed_age_s": None}
            ),
        }

    async def _post_status(self) -> list[dict[str, Any]]:
        return [
            {"name": self.name_of(each["hub"]), **each, "hub": address(each["hub"])}
            for each in await self.post.status()
        ]

    def name_of(self, hub: Principal) -> str:
        """What people call a hub, its address where it is not known here."""
        known = self.folder.views.hubs.get(hub)
        return known.name if known is not None else address(hub)

    # --- what a command on this machine may ask (hubd/control.py)

    @property
    def endpoints(self) -> dict[str, Endpoint]:
        """Requests by name; arguments and answers are CBOR values."""
        return {
            "status": self.status,
            "offer": self._offer,
            "page": self._page,
            "hubs": self._hubs,
            "stewards": self._stewards,
            "lessons": self._lessons,
            "ledger": self._ledger,
            **counter.endpoints(self.post),
        }

    async def _offer(self, envelopes: list[bytes], door: str) -> list[list[Any]]:
        outcomes = await self.intake.offer(envelopes, Door(door))
        return [[outcome.id, outcome.verdict.value, outcome.code, outcome.is_new] for outcome in outcomes]

    async def _page(self, after: int, actions_max: int) -> list[list[Any]]:
        page = await self.store.page(after, min(actions_max, PAGE_ACTIONS))
        return [[sequence, envelope.encode(action)] for sequence, action in page]

    async def _hubs(self) -> list[dict[str, Any]]:
        return [
            {
                "hub": address(hub.principal),
                "name": hub.name,
                "state": hub.state.value,
                "operator": hub.operator,
                "announce": hub.announce.hex(),
                "admissions": [admission.hex() for admission in hub.admissions],
                "box": hub.box,
                "addresses": list(hub.addresses),
                "uplink": hub.uplink,
            }
            for hub in self.folder.views.hubs.values()
        ]

    async def _stewards(self) -> list[str]:
        return [address(steward) for steward in self.folder.views.mesh.stewards]

    async def _lessons(self) -> list[dict[str, Any]]:
        return [
            {
                "id": lesson.id.hex(), "asset": self.charter.asset_name(lesson.asset), "price": lesson.price,
                "state": lesson.state.value, "payment": lesson.payment.value, "rated": list(lesson.rated),
                "settled": lesson.settled, "level": lesson.level,
            }
            for lesson in self.folder.views.lessons.values()
        ]  # fmt: skip

    async def _ledger(self) -> dict[str, int]:
        """How many transactions of this relay were included, and how many different actions they carried out."""
        entries = await self.store.ledger().entries([TransactionState.INCLUDED], with_raw=False)
        settlement = self.folder.views.settlement
        carried = {action_id for entry in entries for action_id in entry.ids}
        done = sum(1 for action_id in carried if action_id in settlement and settlement[action_id].is_done)
        return {"included": len(entries), "actions": done}
