"""One sync of a phone with a hub, over whichever link: prove the hub, bring what waits, take what is new.

A phone speaks with admitted hubs only. It brings its outbox first (a registration lets it read), then goes on where it
left off at this hub; where the hub's database is another one than last time, it reconciles, and what the hub has lost
comes back to it. A hub that does not know this phone's person is not believed to have anything of it: it is brought what
shows whose key this is, and then all of it again. Everything is idempotent: a sync that breaks off is simply made again.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from hubd.action.principal import Principal
from hubd.action.sip018 import ActionId
from hubd.errors import RemoteError
from hubd.gossip.negentropy import Initiator
from hubd.limits import PHONE_ENVELOPES_MAX, PHONE_PAGE_BYTES_MAX, RECONCILE_ROUNDS_MAX
from hubd.phone import missing, money, returning
from hubd.phone.carry import CarryReport
from hubd.phone.link import HubLink, Sink
from hubd.phone.replica import Replica
from hubd.phone.returning import Envelopes
from hubd.ports import Outcome, Verdict
from hubd.web.proofs import authorize
from hubd.web.standing import Scope

_REGISTRATION_TRIES = 5  # a hub folds what it just took within this many times `_REGISTRATION_PAUSE_S`
_REGISTRATION_PAUSE_S = 0.2
_SCOPE = "scope "  # the note of how much a hub showed this phone up to its place there
_FILLING = "filling "  # the note that this phone has not come to a hub's end yet


@dataclass
class SyncReport:
    """What one sync did. `reason` says in a code why nothing could be read, "" where it could."""

    hub: Principal
    hub_name: str = ""
    said: dict[ActionId, Verdict] = field(default_factory=dict)  # the last word to each that was brought
    received: int = 0
    texts: int = 0  # that came to what was here without them
    reconciled: bool = False
    reason: str = ""
    clock_ahead_s: int = 0  # by how much this phone's clock shows more than the hub's; less than 0: it shows less
    carried: CarryReport | None = None  # None: no post was carried

    @property
    def acknowledged(self) -> int:
        """How many of the actions that were brought the hub has on disk."""
        return self._count(Verdict.OK)

    @property
    def deferred(self) -> int:
        """How many the hub did not take now."""
        return self._count(Verdict.DEFERRED)

    @property
    def refused(self) -> int:
        """How many no hub will take."""
        return self._count(Verdict.REFUSED)

    def _count(self, verdict: Verdict) -> int:
        return sum(each is verdict for each in self.said.values())


async def meet(replica: Replica, link: HubLink) -> Principal:
    """Which hub this is; says nothing of the phone. Raises `RemoteError` for one that is not to be trusted."""
    hub = await link.identify()
    await _check_admitted(replica, link, hub)
    return hub


async def sync(replica: Replica, link: HubLink, hub: Principal, now_s: int) -> SyncReport:
    """Sync once with a hub that was met. Raises `RemoteError` where it does not answer, or answers wrongly.

    `now_s` is what this phone's clock shows.
    """
    report = SyncReport(hub, replica.hub_name(hub))
    await _bring(replica, link, report)
    is_known = was_late = False
    for tried in range(_REGISTRATION_TRIES):
        try:
            was_late = await _read(replica, link, report, now_s)
        except RemoteError as error:
            if error.code != "unregistered":
                raise
            if replica.views.person_of(replica.key) is None:
                report.reason = error.code
                break
            if tried:
                await asyncio.sleep(_REGISTRATION_PAUSE_S)
            elif not await _introduce(replica, link, report):
                break
        else:
            is_known = True
            break
    if is_known:
        if tried or was_late:  # it knows the person since this sync only; else what it deferred waits for the next one
            await _bring(replica, link, report)
    elif not report.reason:
        await _disbelieve(replica, report)
        report.reason = "unregistered-here"
    await replica.forget_settled()
    return report


async def _read(replica: Replica, link: HubLink, report: SyncReport, now_s: int) -> bool:
    """Say who this is, and take what is new; whether the hub was waited for, while it folded what it was just brought."""
    tried = 0
    while True:
        try:
            await link.authorize(partial(authorize, replica.signer, replica.charter))
            await _take(replica, link, report, now_s)
        except RemoteError as error:
            tried += 1
            if error.code != "busy" or tried == _REGISTRATION_TRIES:
                raise
            await asyncio.sleep(_REGISTRATION_PAUSE_S)
        else:
            return tried > 0


async def _introduce(replica: Replica, link: HubLink, report: SyncReport) -> bool:
    """Bring what shows whose key this is, unless the hub has just taken it; whether the hub may know the person now."""
    shown = await returning.identity(replica)
    if all(report.said.get(action_id) is Verdict.OK for action_id, _ in shown):
        return True
    await _disbelieve(replica, report)
    is_taken = True
    mine = {item.id for item in await replica.outbox.items()}
    for batch in _batches(shown):
        outcomes = await _put(replica, link, batch)
        await _note(replica, report, [(each, outcome) for each, outcome in outcomes if each in mine])
        is_taken = is_taken and all(outcome.verdict is Verdict.OK for _, outcome in outcomes)
    return is_taken


async def _disbelieve(replica: Replica, report: SyncReport) -> None:
    """This hub does not know who signed this: nothing counts as being there, and all of it is to be brought again."""
    await replica.outbox.unanswered(report.hub, [item.id for item in await replica.outbox.items()])
    report.said.update({each: Verdict.DEFERRED for each, verdict in report.said.items() if verdict is Verdict.OK})


async def _check_admitted(replica: Replica, link: HubLink, hub: Principal) -> None:
    """Raise `RemoteError("hub-not-admitted")` unless stewards of the charter admitted this hub."""
    if replica.is_admitted(hub):
        return

    async def keep(envelopes: list[bytes], _cursor: str | None) -> None:
        await replica.take(envelopes)

    await link.membership(keep)
    if not replica.is_admitted(hub):
        raise RemoteError(
            "hub-not-admitted",
            "no steward of this mesh admitted this hub",
            hint="ask the village's coordinator which hub is the right one",
        )


async def _bring(replica: Replica, link: HubLink, report: SyncReport) -> bool:
    """Put what this hub does not have yet; whether it deferred nothing of it."""
    is_whole = True
    waiting = await replica.outbox.items(kept_only=True)
    mine = [(item.id, item.envelope) for item in waiting if not item.is_refused and report.hub not in item.hubs]
    for batch in _batches(mine):
        outcomes = await _put(replica, link, batch)
        await _note(replica, report, outcomes)
        is_whole = is_whole and not _is_deferring(outcomes)
    return is_whole


async def _put(replica: Replica, link: HubLink, batch: Envelopes) -> list[tuple[ActionId, Outcome]]:
    return _judged(replica, dict(batch), await link.put(batch))


def _is_deferring(outcomes: Sequence[tuple[ActionId, Outcome]]) -> bool:
    return any(outcome.verdict is Verdict.DEFERRED for _, outcome in outcomes)


async def _note(replica: Replica, report: SyncReport, outcomes: Sequence[tuple[ActionId, Outcome]]) -> None:
    """Remember what the hub said to actions of the outbox."""
    await replica.outbox.answer(report.hub, outcomes)
    report.said.update((action_id, outcome.verdict) for action_id, outcome in outcomes)


def _judged(
    replica: Replica, brought: Mapping[ActionId, bytes], outcomes: Sequence[tuple[ActionId, Outcome]]
) -> list[tuple[ActionId, Outcome]]:
    """The outcomes as this phone believes them: whether an action is valid it can tell itself, and no hub decides it.

    A valid one that a hub refuses is deferred by that hub; the next one is asked as well.
    """
    return [
        (each, outcome._replace(verdict=Verdict.DEFERRED))
        if outcome.verdict is Verdict.REFUSED and replica.is_valid(brought[each])
        else (each, outcome)
        for each, outcome in outcomes
    ]


async def _take(replica: Replica, link: HubLink, report: SyncReport, now_s: int) -> None:
    """Take what is new since the last time, as much as this phone may see here; a vouch that comes in shows it more."""
    sees_village = await _take_village(replica, link, report)
    if not sees_village:
        await _take_as(replica, link, report, Scope.OWN)
        sees_village = await _take_village(replica, link, report)
    if sees_village:
        await money.forget(replica.outbox)
    else:
        await money.keep(replica.outbox, await link.balances())
    if not report.reconciled:  # that ends with less in sight than this phone may see
        report.texts = await missing.ask(replica, link, report.hub, now_s, sees_village=sees_village)


async def _take_village(replica: Replica, link: HubLink, report: SyncReport) -> bool:
    """Whether this phone sees a village here; what is new of it is taken then."""
    return _scope(replica, report.hub) is Scope.VILLAGE and await _take_as(replica, link, report, Scope.VILLAGE)


async def _take_as(replica: Replica, link: HubLink, report: SyncReport, scope: Scope) -> bool:
    """Take what is new in a scope; False where the hub does not grant it (it has not heard of the vouch yet).

    A place reached with less in sight is no place to go on from: what was hidden before it has to come too. A new key
    puts more in sight, for what it wrote or was named in may have reached the hub before the hub knew whose it is.
    """
    name, sight = _SCOPE + report.hub.hex(), _sight(replica, scope)
    seen = await replica.outbox.note(name)

    async def take(envelopes: list[bytes], cursor: str | None) -> None:
        nonlocal seen
        report.received += await replica.take(envelopes)
        if cursor is not None and not report.reconciled:
            await replica.outbox.set_place(report.hub, cursor)
            if seen != sight:
                await replica.outbox.set_note(name, sight)
                seen = sight

    is_place = seen in (sight, Scope.VILLAGE if scope is Scope.OWN else sight)
    place = await replica.outbox.place(report.hub) if is_place else None
    try:
        if place is None and scope is Scope.OWN and await replica.outbox.has_places():
            raise RemoteError("cursor-void", "a hub that is new to a phone which knows the mesh from another one")
        await _pull(replica, link, report, take, (scope, place))
    except RemoteError as error:
        if error.code == "scope" and scope is Scope.VILLAGE:
            return False
        if error.code != "cursor-void":
            raise
        report.reconciled = True
        try:
            if not await _reconcile(replica, link, report, take, scope):
                return True
        except RemoteError as size:
            if size.code != "reconcile-size":
                raise
            report.reconciled = False
            await _pull(replica, link, report, take, (scope, None))
        await replica.outbox.set_note(name, sight)
    return True


async def _pull(
    replica: Replica, link: HubLink, report: SyncReport, take: Sink, whence: tuple[Scope, str | None]
) -> None:
    """Take everything from a place on, in a scope.

    A first fill brings what a whole region did in years, in many syncs maybe. While it lasts, each of them begins with
    what this person wrote or is named in: people wait for that.
    """
    (scope, place), filling = whence, _FILLING + report.hub.hex()
    if place is None:
        await replica.outbox.set_note(filling, "yes")
    is_filling = bool(await replica.outbox.note(filling))
    if is_filling:

        async def keep(envelopes: list[bytes], _cursor: str | None) -> None:
            report.received += await replica.take(envelopes)

        await link.pull(place, keep, Scope.MINE)
    await link.pull(place, take, scope)
    if is_filling:
        await replica.outbox.set_note(filling, "")


def _scope(replica: Replica, hub: Principal) -> Scope:
    """How much a hub that knows what this phone knows shows it."""
    person = replica.views.persons.get(replica.me)
    is_vouched = person is not None and bool(person.vouches or person.steward_vouches)
    return Scope.VILLAGE if is_vouched and not _is_away(replica, hub) else Scope.OWN


def _sight(replica: Replica, scope: Scope) -> str:
    """What a hub shows in a scope, as far as it depends on the phone: all of a village, or what its person's keys are in."""
    person = replica.views.persons.get(replica.me)
    return scope if scope is Scope.VILLAGE else f"{scope} {len(person.keys) if person is not None else 0}"


def _is_away(replica: Replica, hub: Principal) -> bool:
    person = replica.views.persons.get(replica.me)
    return person is not None and person.home not in (None, hub)


_PARTS = {Scope.VILLAGE: (Scope.VILLAGE,), Scope.OWN: (Scope.MINE, Scope.GUEST)}
"""What is compared, one after the other, where a phone sees so much."""


async def _reconcile(replica: Replica, link: HubLink, report: SyncReport, take: Sink, scope: Scope) -> bool:
    """Find the differences, fetch what is missing here, and bring again what the hub has lost of this person's.

    Whether this phone goes on from the hub's end now. Where the hub deferred some of it, the next sync compares again.
    """
    places = []
    lost: set[bytes] = set()
    for part in _PARTS[scope]:
        places.append(await link.end(part))
        initiator = Initiator()
        message = await replica.over_items(part, initiator.open)
        for _ in range(RECONCILE_ROUNDS_MAX):
            answer = await link.reconcile(message)
            outcome = await replica.over_items(part, partial(initiator.handle, message=answer))
            lost.update(outcome.have)
            await link.get(outcome.need, take)
            if outcome.reply is None:
                break
            message = outcome.reply
        else:
            raise RemoteError("reconcile-rounds", "the hub's answers come to no end")
    waiting = await replica.outbox.items()
    await replica.outbox.unanswered(report.hub, [item.id for item in waiting if item.id in lost])
    is_whole = await _bring(replica, link, report)
    for batch in _batches(await returning.held(replica, lost, scope)) if lost else ():
        is_whole = not _is_deferring(await _put(replica, link, batch)) and is_whole
    if is_whole:
        await replica.outbox.set_place(report.hub, places[0])
    return is_whole


def _batches(items: Envelopes) -> Iterator[Envelopes]:
    """Parts that fit one message."""
    batch: Envelopes = []
    size = 0
    for item in items:
        if batch and (size + len(item[1]) > PHONE_PAGE_BYTES_MAX or len(batch) == PHONE_ENVELOPES_MAX):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += len(item[1])
    if batch:
        yield batch
