"""Persons: who is registered, with which keys, and who vouches that they are real."""

from collections.abc import Iterator

from hubd.action.envelope import Action
from hubd.action.principal import Principal
from hubd.action.sip018 import ActionId
from hubd.fold.council import stewards
from hubd.fold.keys import KEYS, RINGS, keys_of, registers
from hubd.fold.read import Read, Tally, View
from hubd.fold.settlement import best, standing
from hubd.fold.speaking import person_of
from hubd.fold.views import Erased, Person, Vouch
from hubd.fold.void import heeded
from hubd.limits import PERSON_KEY_ADDS_MAX


def _vouch(key: tuple[Principal, Principal], read: Read) -> Vouch | None:
    voucher, person = key
    given = [
        vouch
        for vouch in heeded("vouch-give/who", person, voucher, read)
        if not heeded("vouch-withdraw", vouch.id, voucher, read)
    ]
    ruling = best(given, read)
    if ruling is None:
        return None
    return Vouch(voucher, person, ruling.statement.bits, ruling.statement.author in stewards(read), ruling.id)


def _pair(action: Action, read: Read) -> Iterator[tuple[Principal, Principal]]:
    if action.statement.who is not None:
        yield person_of(action.statement.author, read), action.statement.who


VOUCHES: View[tuple[Principal, Principal], Vouch] = View("vouches", _vouch, {"vouch-give": _pair})
_VOUCHED: Tally[Principal, tuple[int, ...]] = Tally(
    "vouched", VOUCHES, lambda vouch: ((vouch.person, (1, int(vouch.by_steward))),), lambda _, sums: sums, public=False
)


def _head(start: Action, person: Principal, read: Read) -> Action:
    """The end of the chain of key-adds that begins with a registration or a recovery."""
    for _ in range(PERSON_KEY_ADDS_MAX):
        add = best(standing(heeded("key-add", start.id, person, read), read), read)
        if add is None:
            break
        start = add
    return start


def _person(principal: Principal, read: Read) -> Person | None:
    ring, ruling = read.entry(RINGS, principal), best(registers(principal, read), read)
    if ring is None or ruling is None:
        return None
    start = read.action(ring.recoveries[-1]) if ring.recoveries else None
    live = {key for key in keys_of(principal, read) if (known := read.entry(KEYS, key)) is not None and known.is_live}
    vouches, steward_vouches = read.entry(_VOUCHED, principal) or (0, 0)
    return Person(
        id=principal,
        roles=ruling.statement.bits,
        home=ruling.statement.who,
        registered=ruling.id,
        head=_head(start or ruling, principal, read).id,
        keys={key.principal: key.scopes for key in ring.keys if key.principal in live},
        vouches=vouches,
        steward_vouches=steward_vouches,
    )


PERSONS: View[Principal, Person] = View(
    "persons", _person, {"user-register": lambda action, _: (action.statement.author,)}
)


def _erased(action_id: ActionId, read: Read) -> Erased | None:
    action = read.action(action_id)
    if action is None:
        return None
    erasing = heeded("content-erase", action_id, person_of(action.statement.author, read), read)
    ruling = best(erasing, read)
    return Erased(ruling.id) if ruling is not None else None


ERASED: View[ActionId, Erased] = View(
    "erased", _erased, {"content-erase": lambda action, _: (action.statement.subject,)}
)
PERSON_STRATA = (VOUCHES, _VOUCHED, PERSONS, ERASED)
