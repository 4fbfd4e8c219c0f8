"""The phones' door: every question a phone may ask, answered once, for HTTP, WebSocket and visits alike.

It holds ports only and nothing for each phone. Validity is decided by the one door for bytes, taking by the intake,
sight by the caller's scope; this file joins them and counts every outcome by its code.
"""

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hubd import __version__, limits
from hubd.action.charter import Charter
from hubd.action.content import read_content
from hubd.action.envelope import Action
from hubd.action.principal import Principal, address
from hubd.action.signature import Signer
from hubd.action.sip018 import ActionId
from hubd.errors import RemoteError
from hubd.fold.views import SettlementState
from hubd.ports import Intake, Outcome
from hubd.web import proofs
from hubd.web.carriers import Carriers, PostDesk
from hubd.web.frames import VERSION
from hubd.web.gathering import Gathering
from hubd.web.late import LateTexts
from hubd.web.places import Proven
from hubd.web.proofs import Authorization, Challenges
from hubd.web.putting import Putting, tally
from hubd.web.quota import Pace, Rank
from hubd.web.reading import PhoneStore, Reading
from hubd.web.standing import STRANGER, Reader, Scope, Standing


def _too_fast() -> RemoteError:
    return RemoteError("rate", "too much at once from this address", hint="wait a moment, then go on")


@dataclass(frozen=True)
class Ports:
    """What the assembly hands over. `clock` is monotonic, in seconds; `chain_age_s` tells how many seconds ago this hub
    last heard of the chain, None for never; `name` is what people call the hub; `desk` is its post's, where it has one;
    `is_short` tells whether its card is nearly full; `wall` is this machine's clock, right or wrong; `is_late` tells
    whether the views lag behind the set.
    """

    store: PhoneStore
    intake: Intake
    standing: Standing
    signer: Signer
    charter: Charter
    charter_file: bytes
    clock: Callable[[], float]
    name: str = ""
    chain_age_s: Callable[[], int | None] = lambda: None
    desk: PostDesk | None = None
    is_short: Callable[[], bool] = lambda: False
    wall: Callable[[], float] = time.time
    is_late: Callable[[], bool] = lambda: False


class PhoneDoor:
    """What a hub offers its phones."""

    def __init__(self, ports: Ports) -> None:
        self.charter = ports.charter
        self.charter_file = ports.charter_file
        self.hub: Principal = ports.signer.principal(ports.charter.network)
        self.clock = ports.clock
        self.counters: Counter[str] = Counter()
        self.standing = ports.standing
        self.reading = Reading(ports.store, ports.standing)
        self.late = LateTexts(self.reading, ports.standing)
        self.carriers = Carriers(ports.desk, ports.standing, ports.clock)
        self.gathering = Gathering(ports.clock)
        self._ports = ports
        self._putting = Putting(
            ports.store, ports.intake, ports.standing, ports.charter, ports.clock, is_short=ports.is_short
        )
        self._challenges = Challenges(secrets.token_bytes(32))
        self.messages = Pace(limits.PHONE_MESSAGES_ADDRESS_PER_S, limits.PHONE_MESSAGES_ADDRESS_BURST)
        self._requests = Pace(limits.PHONE_REQUESTS_PER_S, limits.PHONE_REQUESTS_BURST)
        self._offers = Pace(limits.PHONE_OFFERS_PER_S, limits.PHONE_OFFERS_BURST)
        self._news = asyncio.Event()
        self._tasks: set[asyncio.Task[list[Outcome]]] = set()
        self.news_count = 0

    async def status(self) -> dict[str, Any]:
        """What anybody may know about this hub; nothing personal."""
        summary = await self._ports.store.summary()
        return {
            "name": self._ports.name,
            "mesh": self.charter.name,
            "mesh_digest": self.charter.digest.hex(),
            "network": self.charter.network.name,
            "hub": address(self.hub),
            "version": __version__,
            "protocol": VERSION,
            "count": summary.count,
            "fingerprint": summary.fingerprint.hex(),
            "chain_age_s": self._ports.chain_age_s(),
        }

    # --- who is asking

    def challenge(self) -> bytes:
        """A fresh challenge to sign."""
        return self._challenges.mint(secrets.token_bytes(limits.CHALLENGE_RANDOM_BYTES), self.clock())

    def time_s(self) -> int:
        """What this machine's clock shows, for a phone to compare with its own."""
        return max(0, int(self._ports.wall()))

    def reader(self, given: Authorization | None, wanted: Scope | None, question: bytes) -> Reader:
        """Who asks `question` and how much it may see; `wanted` None is the most it may.

        Raises `RemoteError`: `challenge`, `authorization`, `unregistered`, `busy` while that can't be told yet, `scope` for
        more than it may.
        """
        if given is None:
            if wanted not in (None, Scope.MESH):
                raise RemoteError("authorization", "sign a challenge first", hint="GET /v1/challenge, then sign it")
            return STRANGER
        self._challenges.check(given.challenge, self.clock())
        proofs.check_authorization(given, self.charter, self.hub, question)
        person = self.standing.person_of(given.principal)
        if person is None:
            raise self._unknown("a key of nobody here", "register first, or come again after a sync")
        granted = wanted or (Scope.VILLAGE if self._sees_village(given.principal, person) else Scope.OWN)
        return STRANGER if granted is Scope.MESH else self.still(Reader(granted, person, given.principal))

    def still(self, reader: Reader) -> Reader:
        """The reader, if it may see now what it was granted: keys are revoked and people move while they are connected.

        Raises `RemoteError`: `unregistered`, `busy` while that can't be told yet, `scope`.
        """
        if reader.person is None or reader.key is None:
            return reader
        if self.standing.person_of(reader.key) != reader.person:
            raise self._unknown("this key speaks for nobody any more", "was it revoked?")
        if reader.scope is Scope.VILLAGE and not self._sees_village(reader.key, reader.person):
            raise RemoteError(
                "scope",
                "not this person's home hub, or nobody vouched for it yet",
                hint="ask for scope=own here, or let somebody vouch for you",
            )
        return reader

    def _unknown(self, detail: str, hint: str) -> RemoteError:
        """What a key of nobody is told. Views that are folded anew have met few people yet, and a phone that hears
        `unregistered` brings everything again.
        """
        if self._ports.is_late():
            return RemoteError("busy", "the views lag behind the set", hint="come again in a minute")
        return RemoteError("unregistered", detail, hint=hint)

    def _sees_village(self, key: Principal, person: Principal) -> bool:
        """Registering costs a stranger nothing, so it takes somebody's vouch besides a home that is not elsewhere."""
        return self.standing.rank(key) >= Rank.VOUCHED and self.standing.home_of(person) in (None, self.hub)

    def tell(self, proven: Proven, reader: Reader) -> None:
        """Tell who counts the connections whose key this one has proven."""
        if reader.person is not None and reader.key is not None:
            proven(reader.person, self.standing.rank(reader.key))

    def prove_answer(self, nonce: bytes, question: bytes, body: bytes) -> bytes:
        """This hub's key proof over an answer to a question."""
        return proofs.prove_answer(self._ports.signer, self.charter, nonce, question, body)

    def admit_request(self, address_of_phone: str) -> None:
        """Raise `RemoteError("rate")` for an address that asks too often."""
        if not self._requests.take(address_of_phone, self.clock()):
            raise _too_fast()

    def balances(self, reader: Reader) -> list[list[Any]]:
        """`[asset or None, free, locked, burn height, whether hubs enough agree]` of the reader's own vault.

        A `relay-balance` names many people, so it is shown at home only, as a whole; this is for whoever is away.
        """
        if reader.person is None:
            raise RemoteError("authorization", "sign a challenge first", hint="GET /v1/challenge, then sign it")
        assets = (None, *(principal for _, principal in self.charter.assets))
        found = [each for asset in assets if (each := self.standing.balance(reader.person, asset))]
        return [
            [each.asset, each.free, each.locked, each.burn_height, each.state is SettlementState.CONFIRMED]
            for each in found[: limits.PHONE_ASSETS_MAX]
        ]

    # --- what it brings

    async def put(self, envelopes: Sequence[bytes], address_of_phone: str) -> list[Outcome]:
        """One outcome for each envelope, in order; OK only for what is on disk.

        Raises `RemoteError("rate")`, before any signature is checked, for an address that brings too many.
        """
        if not self._offers.take(address_of_phone, self.clock(), len(envelopes)):
            raise _too_fast()
        outcomes = await self._putting.put(envelopes, address_of_phone)
        self.counters.update(tally(outcomes))
        return outcomes

    # --- what is new

    def notify(self, actions: Sequence[Action]) -> None:
        """The set has grown by these, whichever way they came, and the views know them: wake the live phones."""
        self._wake()
        if waiting := self._putting.released_by(actions):
            task = asyncio.create_task(self.put(waiting, ""), name="phone-quarantine")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def gained(self, actions: Sequence[Action], _source: bytes = b"") -> None:
        """The texts of these, which were here without, are on disk now: wake the live phones."""
        self.late.add(actions)
        self._wake()

    def _wake(self) -> None:
        self.news_count += 1
        self._news.set()
        self._news = asyncio.Event()

    async def news(self, seen: int) -> None:
        """Wait until something is new since `news_count` was `seen`."""
        if self.news_count == seen:
            await self._news.wait()

    async def receipts(self, reader: Reader, actions: Sequence[Action]) -> list[tuple[ActionId, str, bytes]]:
        """(id, state, txid) of this person's own actions that these receipts speak of."""
        settled = [each for action in actions if action.kind == "relay-receipt" for each in _settled_ids(action)]
        if not settled or reader.person is None:
            return []
        found = await self.reading.get(reader, settled)
        mine = [action.id for action in found if reader.is_named_in(action, self.standing)]
        return [(action_id, *self.standing.settlement(action_id)) for action_id in mine]


def _settled_ids(receipt: Action) -> list[bytes]:
    """The ids a receipt names; a receipt of another shape names none (the fold calls it void)."""
    if receipt.content is None:
        return []
    try:
        items = read_content(receipt.content, receipt.kind).get("items")
    except RemoteError:
        return []
    rows = items if isinstance(items, list) else []
    named = [row[0] for row in rows if isinstance(row, list) and row]
    return [each for each in named if isinstance(each, bytes) and len(each) == 32]
