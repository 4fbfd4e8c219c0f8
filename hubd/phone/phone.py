"""The native reference phone: everything a person does, signed here without any network, and brought to a hub later.

phone = await Phone.create(directory, charter_bytes)
await phone.register("Amina", roles=1)
await phone.do("request-open", subjects="mathematics", ceiling="100")
await phone.sync("http://10.42.0.1:7780")
"""

import asyncio
import os
import secrets
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from hubd import sums
from hubd.action import charter as charters
from hubd.action.charter import Charter
from hubd.action.content import SALT_BYTES as CONTENT_SALT_BYTES
from hubd.action.content import digest_of, seal_content
from hubd.action.envelope import Action, seal
from hubd.action.kinds import KINDS
from hubd.action.principal import Principal
from hubd.action.signature import Signer
from hubd.action.sip018 import NO_ID, ActionId
from hubd.action.statement import SALT_BYTES, Statement
from hubd.errors import FatalError, RemoteError
from hubd.fold.views import HubState, Views
from hubd.limits import PHONE_TRUST_S, STATEMENT_LIFE_S, SYNC_S
from hubd.phone import compose, money, rating
from hubd.phone.carry import Carrier, CarryReport
from hubd.phone.dial import called
from hubd.phone.fillers import About
from hubd.phone.link import HubLink
from hubd.phone.names import NAME_CHARS_MAX, Names
from hubd.phone.outbox import Opening
from hubd.phone.pocket import Pocket
from hubd.phone.replica import Replica
from hubd.phone.show import Screen
from hubd.phone.sync import SyncReport, meet, sync
from hubd.phone.words import Words, beginnings
from hubd.store import keyfile
from hubd.store.keyfile import KeyFile

CHARTER_FILE = "charter.toml"
KEY_FILE = "person.key"
VILLAGE_KEY_FILE = "village.key"
_NAME, _CONTACT, _CARRY = "name", "contact ", "carry"


class Phone:
    """One person's phone. Open it with `create` or `open`, and `close` it; one process at a time."""

    def __init__(self, directory: Path, replica: Replica, names: Names, clock: Callable[[], float]) -> None:
        self._directory = directory
        self._replica, self._names, self._clock = replica, names, clock
        self._syncing = asyncio.Lock()

    @classmethod
    async def create(
        cls,
        directory: Path,
        charter_file: bytes,
        passphrase: str | None = None,
        *,
        village_key: bytes | None = None,
        clock: Callable[[], float] = time.time,
    ) -> "Phone":
        """Make a phone with a fresh key in a folder. With a passphrase the key is sealed.

        Raises `FatalError`: `charter`, `key-exists`, `data-directory`, `data-in-use`.
        """
        charters.read(charter_file)
        if not (directory / KEY_FILE).exists():  # the key is written last: with it, there is a phone
            _write(directory / CHARTER_FILE, charter_file)
        keyfile.write(directory / KEY_FILE, KeyFile("person", keyfile.new_secret()), passphrase)
        if village_key:
            keyfile.write(directory / VILLAGE_KEY_FILE, KeyFile("village", village_key))
        return await cls.open(directory, passphrase, clock=clock)

    @classmethod
    async def open(
        cls, directory: Path, passphrase: str | None = None, *, clock: Callable[[], float] = time.time
    ) -> "Phone":
        """Open a phone. Raises `FatalError`: `key-missing`, `key-passphrase`, `key-damaged`, `charter`, `data-in-use`."""
        signer = Signer(keyfile.read(directory / KEY_FILE, "person", passphrase))
        charter = charters.read(_charter_file(directory))
        has_village_key = (directory / VILLAGE_KEY_FILE).exists()
        names = Names(keyfile.read(directory / VILLAGE_KEY_FILE, "village") if has_village_key else None)
        phone = cls(directory, await Replica.open(directory, charter, signer), names, clock)
        for key, name in await phone._replica.outbox.notes(_CONTACT):
            names.give(Principal(bytes.fromhex(key)), name)
        if own_name := await phone._replica.outbox.note(_NAME):
            names.give(phone._replica.key, own_name)
        return phone

    async def close(self) -> None:
        """Close its files."""
        async with self._syncing:
            await self._replica.close()

    @property
    def principal(self) -> Principal:
        """The principal of this phone's key."""
        return self._replica.key

    @property
    def charter(self) -> Charter:
        """The mesh this phone belongs to."""
        return self._replica.charter

    @property
    def views(self) -> Views:
        """The views of what this phone holds."""
        return self._replica.views

    # --- doing

    async def register(self, name: str, roles: int, home: str | None = None) -> Action:
        """Join the mesh: sign a registration. `home` is the home hub's name or address, None for none yet.

        The name leaves this phone sealed, and only where the village's key is here. Who says the same again signs nothing:
        what is signed goes to every hub that does not know it yet.
        """
        name = name.strip()
        if not 0 < len(name) <= NAME_CHARS_MAX or not name.isprintable():
            raise RemoteError("field", "no name", hint=f"a name has 1 to {NAME_CHARS_MAX} characters")
        is_renamed = name != await self._replica.outbox.note(_NAME)
        await self._replica.outbox.set_note(_NAME, name)
        self._names.give(self.principal, name)
        sealed = self._names.seal(name)
        columns = {"bits": roles, "who": await self._hub(home) if home else None}
        known = self.views.persons.get(self.principal)
        is_same = known is not None and (known.roles, known.home) == (columns["bits"], columns["who"])
        if known is not None and is_same and not (is_renamed and sealed):
            [registration] = await self._replica.store.get([known.registered])
            return registration
        return await self._seal("user-register", columns, {"name": sealed} if sealed else None)

    async def know(self, name: str, who: str) -> None:
        """Give somebody a name, on this phone only. `who` is an address."""
        person = (await self._words()).person(who)
        await self._replica.outbox.set_note(_CONTACT + person.hex(), name)
        self._names.give(person, name)

    async def do(self, kind: str, **said: str) -> Action:
        """Sign an action from a person's words (docs/phone-api.md, "Words") and keep it in the outbox. Needs no network.

        Raises `RemoteError`: `kind`, `field`, `asset`, `rating-early`, each with a hint.
        """
        if kind == "rating-seal":
            return await self._seal_rating(said)
        if kind == "rating-open":
            return await self._open_rating(said)
        words = await self._words(said)
        row, columns = compose.read(kind, said, words)
        texts = {name: said[name] for name in compose.TEXT_FIELDS if name in said}
        filled = compose.fill(row, columns, await self._about(words, said, columns.get("subject", NO_ID)))
        return await self._seal(kind, filled, texts or None)

    async def _seal_rating(self, said: dict[str, str]) -> Action:
        words = await self._words(said)
        row, columns = compose.read("rating-seal", said, words)
        lesson = (about := await self._about(words, said, columns.get("subject", NO_ID))).lesson().id
        rating.check_stars(columns.get("amount", 0))
        if await self._replica.outbox.opening(lesson) is not None:
            raise RemoteError("rating-twice", "this lesson is rated already", hint="a rating is given once")
        # Always salted, also without words: five stars and a few tags could be tried out against a bare seal.
        content = self._content({"text": said["text"]} if "text" in said else {})
        opening = Opening(lesson, columns["amount"], columns.get("bits", 0), content)
        filled = compose.fill(row, {"subject": lesson}, about)
        statement = self._statement("rating-seal", {**filled, "content": rating.seal_digest(opening)})
        action = seal(statement, self._replica.signer, self.charter.domain)
        await self._replica.outbox.add(action, opening)
        await self._replica.keep(action)
        return action

    async def _open_rating(self, said: dict[str, str]) -> Action:
        words = await self._words(said)
        row, columns = compose.read("rating-open", said, words)
        about = await self._about(words, said, columns.get("subject", NO_ID))
        lesson = about.lesson()
        opening = await self._replica.outbox.opening(lesson.id)
        if opening is None:
            raise RemoteError("rating-missing", "no sealed rating here", hint="do rating-seal first, on this phone")
        rating.check_may_open(lesson, self._replica.me)
        given = {"subject": lesson.id, "amount": opening.stars, "bits": opening.tags}
        return await self._keep("rating-open", compose.fill(row, given, about), opening.content)

    async def _seal(self, kind: str, columns: dict[str, Any], entries: dict[str, Any] | None) -> Action:
        return await self._keep(kind, columns, self._content(entries) if entries else None)

    async def _keep(self, kind: str, columns: dict[str, Any], content: bytes | None) -> Action:
        """Sign, write to the outbox, then to the set: in this order a power cut loses nothing."""
        statement = self._statement(kind, {**columns, "content": digest_of(content)})
        action = seal(statement, self._replica.signer, self.charter.domain, content)
        await self._replica.outbox.add(action)
        await self._replica.keep(action)
        return action

    def _statement(self, kind: str, columns: dict[str, Any]) -> Statement:
        now = int(self._clock())
        statement = Statement(
            action=kind,
            author=self.principal,
            created=now,
            expires=now + STATEMENT_LIFE_S,
            salt=secrets.token_bytes(SALT_BYTES),
            **columns,
        )
        compose.check(KINDS[kind], statement)
        return statement

    def _content(self, entries: dict[str, Any]) -> bytes:
        return seal_content(entries, secrets.token_bytes(CONTENT_SALT_BYTES))

    # --- syncing and showing

    async def sync(self, *urls: str) -> SyncReport:
        """Sync with the first hub of these base URLs (home, town) with which it works.

        Raises `RemoteError` with a hint, of the last one asked; whatever waits, waits on.
        """
        failure = RemoteError("url", "no address", hint="name the hub's address, like http://10.42.0.1:7780")
        for url in urls:
            try:
                async with called(url, self.charter) as link:
                    report = await self.sync_over(link)
                    report.carried = await self.carry_over(link, report)
                    return report
            except RemoteError as error:
                failure = error
        raise failure

    async def sync_over(self, link: HubLink, met: Callable[[], None] = lambda: None) -> SyncReport:
        """Sync over a link that is open already; one sync at a time. `met` is told when the hub has proven itself.

        Only an admitted hub gets its turn: whoever else holds a connection and stalls holds up no other one.
        """
        try:
            async with asyncio.timeout(PHONE_TRUST_S):
                hub = await meet(self._replica, link)
            ahead_s = int(self._clock()) - link.hub_time_s
            met()
            async with self._syncing, asyncio.timeout(SYNC_S):
                report = await sync(self._replica, link, hub, int(self._clock()))
        except TimeoutError as error:
            raise RemoteError(
                "too-slow", "the sync took too long", hint="sync again: it goes on where it was"
            ) from error
        report.clock_ahead_s = ahead_s
        return report

    # --- carrying post

    async def carry_over(self, link: HubLink, report: SyncReport) -> CarryReport | None:
        """Carry post with the hub of a sync over this link that could read, where the owner allowed it."""
        allowed_mb = await self.carries_mb()
        if not allowed_mb or report.reason:
            return None
        retired = {hub.principal for hub in self.views.hubs.values() if hub.state is HubState.RETIRED}
        return await Carrier(self.pocket, self._replica.outbox, link, report.hub, allowed_mb * 1_000_000, retired).run()

    async def carries_mb(self) -> int:
        """How many megabytes of other people's post the owner allowed; 0: none."""
        return int(await self._replica.outbox.note(_CARRY) or 0)

    async def allow_carrying(self, megabytes: int) -> None:
        """Carry so much post from now on. 0: no more, and what is in the pocket is dropped."""
        await self._replica.outbox.set_note(_CARRY, str(megabytes))
        if not megabytes:
            for bundle in self.pocket.bundles():
                self.pocket.drop(bundle)

    @property
    def pocket(self) -> Pocket:
        """The post on this phone."""
        return Pocket(self._directory)

    def hub_name(self, hub: Principal) -> str:
        """What people call a hub, "" where this phone does not know it."""
        return self._replica.hub_name(hub)

    async def show(self) -> dict[str, Any]:
        """This person's affairs, as plain values; times in Unix seconds, ids in hexadecimal."""
        await self._learn_names()
        items = await self._replica.outbox.items()
        actions = {action.id: action for action in await self._replica.store.get([item.id for item in items])}
        screen = Screen(self.charter, self.views, self._replica.me, self._names.by_person)
        return {
            "me": screen.myself(self.principal),
            "lessons": screen.lessons(),
            "moves": screen.moves(),
            "disputes": screen.disputes(),
            "classes": screen.classes(),
            "earmarks": screen.earmarks(),
            "recoveries": screen.recoveries(),
            "requests": screen.requests(),
            "matches": screen.matches(),
            "balances": screen.balances(await money.kept(self._replica.outbox)),
            "outbox": screen.outbox(items, actions),
            "chain_time": self.views.time_s,
            "places": sums.places(dict(self.charter.assets), self.charter.contract(sums.HOURS_TOKEN)),
        }

    # --- what the words mean here

    async def _words(self, said: Mapping[str, str] = MappingProxyType({})) -> Words:
        """What this phone understands of this; ids are looked up by how they begin, however large the set is."""
        await self._learn_names()
        ids = [id_ for begun in beginnings(said.values()) for id_ in await self._replica.store.ids_beginning(begun, 2)]
        return Words(self.charter, self._names.by_name(), ids, int(self._clock()))

    async def _about(self, words: Words, said: dict[str, str], subject: ActionId) -> About:
        named = await self._replica.action(subject)
        is_attendance = named is not None and named.kind == "lesson-attend"
        lesson_id = named.statement.subject if named is not None and is_attendance else subject
        return About(self.views, self._replica.me, words, said, lesson_id)

    async def _learn_names(self) -> None:
        unknown = [
            person.registered for person in self.views.persons.values() if person.id not in self._names.by_person
        ]
        for registration in await self._replica.store.get(unknown):
            self._names.learn(registration)

    async def _hub(self, said: str) -> Principal:
        named = [hub.principal for hub in self.views.hubs.values() if hub.name == said]
        return named[0] if len(named) == 1 else (await self._words()).person(said)


def _write(path: Path, raw: bytes) -> None:
    """A file whole, durably, or not at all: the key that is written next is durable, and of no use without it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    waiting = path.with_name(f".{path.name}.part")
    with waiting.open("wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
    waiting.replace(path)


def _charter_file(directory: Path) -> bytes:
    try:
        return (directory / CHARTER_FILE).read_bytes()
    except OSError as error:
        raise FatalError(
            "charter", f"{directory / CHARTER_FILE}: {error.strerror}", hint="copy the mesh's charter file there"
        ) from error
