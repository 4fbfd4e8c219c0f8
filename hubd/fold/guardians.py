"""Guardians: who may help a person to a new key, and the recoveries that somebody asked for.

A person's changes of guardians are one chain of versions, each about one slot; of several that name the same version
before them the one that the chain took counts, else the smallest id. On the chain a change takes effect after a delay,
so that a thief with the phone can't choose who recovers it; here the newest are shown at once, and whose word counted is
the chain's to say.
"""

from collections.abc import Iterator

from hubd.action.envelope import Action
from hubd.action.principal import Principal
from hubd.action.sip018 import NO_ID, ActionId
from hubd.fold.keys import RINGS, keys_of
from hubd.fold.read import Read, View
from hubd.fold.settlement import best, standing
from hubd.fold.speaking import person_of
from hubd.fold.views import Guardians, Recovery, RecoveryState
from hubd.fold.void import heeded, is_heeded
from hubd.limits import GUARDIANS_MAX, GUARDIANS_UNANIMOUS


def _guardian_sets(person: Principal, read: Read) -> Iterator[Action]:
    """A person's changes of guardians, by any of its keys, void ones included."""
    for key in keys_of(person, read):
        yield from read.filed("guardian-set/by", key, key)


def _chain(person: Principal, read: Read) -> Iterator[Action | ActionId]:
    """The versions that count, one after the other; a recovery begins the chain anew, by its id."""
    ring = read.entry(RINGS, person)
    versions = standing((each for each in _guardian_sets(person, read) if is_heeded(each, read)), read)
    for start in (NO_ID, *(ring.recoveries if ring is not None else ())):
        if start != NO_ID:
            yield start
        head = start
        while (version := best([each for each in versions if each.statement.subject == head], read)) is not None:
            yield version
            head = version.id


def _guardians(person: Principal, read: Read) -> Guardians | None:
    slots: list[Principal | None] = [None] * GUARDIANS_MAX
    head, threshold, delay = NO_ID, 0, 0
    for version in _chain(person, read):
        if isinstance(version, bytes):
            head = version
            continue
        said = version.statement
        head, threshold, delay = version.id, said.amount, said.moment
        slots[said.bits] = said.who
    return Guardians(person, head, tuple(slots), threshold, delay) if head != NO_ID else None


def _author(action: Action, read: Read) -> Iterator[Principal]:
    yield person_of(action.statement.author, read)


def _of(opening: Action, _read: Read) -> Iterator[Principal]:
    if opening.statement.who is not None:
        yield opening.statement.who


GUARDIANS: View[Principal, Guardians] = View("guardians", _guardians, {"guardian-set": _author, "recovery-open": _of})


def is_guardian(person: Principal, guardian: Principal, read: Read) -> bool:
    """Whether somebody is among a person's guardians by the newest change."""
    known = read.entry(GUARDIANS, person)
    return known is not None and guardian in known.slots


def _recovery(opening_id: ActionId, read: Read) -> Recovery | None:
    opening = read.action(opening_id)
    if opening is None or opening.statement.who is None or not is_heeded(opening, read):
        return None
    person = opening.statement.who
    known, ring = read.entry(GUARDIANS, person), read.entry(RINGS, person)
    guardians = sorted({who for who in known.slots if who is not None}) if known is not None else []
    approved = [who for who in guardians if heeded("recovery-approve", opening_id, who, read)]
    is_finished = ring is not None and opening_id in ring.recoveries
    is_unanimous = len(approved) == len(guardians) >= GUARDIANS_UNANIMOUS
    is_cancelled = not is_unanimous and bool(heeded("recovery-cancel", opening_id, person, read))
    return Recovery(
        id=opening_id,
        person=person,
        key=opening.statement.author,
        approved=tuple(approved),
        state=RecoveryState.FINISHED
        if is_finished
        else RecoveryState.CANCELLED
        if is_cancelled
        else RecoveryState.OPEN,
    )


RECOVERIES: View[ActionId, Recovery] = View("recoveries", _recovery, {"recovery-open": lambda action, _: (action.id,)})
