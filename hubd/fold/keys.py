"""Keys: for whom a key speaks. A person's id is the principal that registered first; keys come and go around it.

*Rings* list, for one person, every key that ever became one of its keys, and say which are live:

- the person's own key always has been one, with every scope;
- a `key-add` by a key with the identity scope, accepted by the added key, makes that one a key too, unless it is a
  person itself. A key-add names the registration, or another key-add from which one gets back to it;
- a `key-revoke` by any key that ever had the identity scope, and is no narrower than the one it ends, ends that for
  ever: a helper's key locks nobody out. Two keys that revoke each other both end, and the person's guardians help: who
  of them is the thief can't be told from the set;
- what a revoked key added lapses with it, unless the chain took the key-add, or the key that revoked descends from it
  (the daughter's phone, which revokes the stolen one, was added by the stolen one);
- a recovery that the chain finished begins a new epoch: the key that asked for it has every scope, and all keys of
  earlier epochs are over, whatever they add or revoke. Until a receipt says so it changes nothing here.

*Keys* then give each key to one person: to itself if it registered, else to the one whose key-add it accepted, the
smallest accept counting where it accepted several.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from hubd.action.envelope import Action
from hubd.action.kinds import Scope
from hubd.action.principal import Principal
from hubd.action.sip018 import ActionId
from hubd.fold.read import Read, View
from hubd.fold.settlement import SETTLEMENT, best, is_taken
from hubd.fold.versions import in_order
from hubd.fold.views import Key, Settlement
from hubd.limits import KEY_CHAIN_MAX, PERSON_KEY_ADDS_MAX

SCOPES_ALL = 0xFFFF  # the first key's; as in `user-registry`, areas to come included


@dataclass(frozen=True, slots=True)
class Ring:
    """Every key that ever was a person's, the person's own first; and the recoveries that the chain finished, in order."""

    keys: tuple[Key, ...]
    recoveries: tuple[ActionId, ...]


def registers(person: Principal, read: Read) -> list[Action]:
    """A principal's registrations, by id."""
    return [action for action in read.filed("user-register/by", person, person) if in_order(action)]


def has_scopes(add: Action) -> bool:
    """Whether a key-add keeps to its columns and grants scopes that there are."""
    return in_order(add) and add.statement.bits <= SCOPES_ALL


def _accepted(add: Action, read: Read) -> bool:
    key = add.statement.who
    return (
        key is not None
        and any(in_order(accept) for accept in read.filed("key-accept", add.id, key))
        and not registers(key, read)
    )


def _finished(opening: Action, read: Read) -> Settlement | None:
    """The chain's word that a recovery is over, by whichever of the statements that say so."""
    ends = (
        read.entry(SETTLEMENT, finish.id)
        for author in read.authors("recovery-finish", opening.id)
        for finish in read.filed("recovery-finish", opening.id, author)
    )
    return next((end for end in ends if end is not None and end.is_done), None)


def _recoveries(person: Principal, read: Read) -> list[Action]:
    """The recoveries of a person that the chain finished, in its order: weeks lie between two of them."""
    found = [
        (end.height, opening.id, opening)
        for author in read.authors("recovery-open/who", person)
        for opening in read.filed("recovery-open/who", person, author)
        if (end := _finished(opening, read)) is not None and in_order(opening) and not registers(author, read)
    ]
    return [opening for _, _, opening in sorted(found, key=lambda entry: entry[:2])]


@dataclass(frozen=True, slots=True)
class _Member:
    """A key, its epoch, and the statements that made it a key: registrations, a recovery, or key-adds; the first counts."""

    via: Action
    named: list[Action]
    epoch: int

    @property
    def scopes(self) -> int:
        return self.via.statement.bits if self.via.kind == "key-add" else SCOPES_ALL


def _members(person: Principal, roots: list[Action], recoveries: list[Action], read: Read) -> dict[Principal, _Member]:
    """Every key that ever was the person's, in a fixed order.

    Each statement that a key-add may name meets each key that may add, once; key-adds are looked at up to a bound.
    """
    members = {person: _Member(best(roots, read) or roots[0], roots, 0)}
    for epoch, recovery in enumerate(recoveries, 1):
        members.setdefault(recovery.statement.author, _Member(recovery, [recovery], epoch))
    nodes, adders = [*roots, *recoveries], list(members)
    meetings = deque((node, adder) for adder in adders for node in nodes)
    seen = set[ActionId]()
    while meetings:
        node, author = meetings.popleft()
        for add in read.filed("key-add", node.id, author):
            key = add.statement.who
            if add.id in seen or len(seen) >= PERSON_KEY_ADDS_MAX or not has_scopes(add) or key is None:
                continue
            seen.add(add.id)
            nodes.append(add)
            meetings.extend((add, adder) for adder in adders)
            if not _accepted(add, read):
                continue
            if key in members:
                members[key].named.append(add)
                continue
            members[key] = _Member(add, [add], members[author].epoch)
            if members[key].scopes & Scope.IDENTITY:
                adders.append(key)
                meetings.extend((met, key) for met in nodes)
    return members


def _terms(via: Action) -> tuple[int, int, int]:
    """What the statement that made a key gives it: scopes, cap and end, 0 where it has none."""
    said = via.statement
    return (said.bits, said.amount, said.moment) if via.kind == "key-add" else (SCOPES_ALL, 0, 0)


def covers(own: Action, other: Action) -> bool:
    """Whether a key made by `own` may end one made by `other`: its terms are no narrower, and it has no cap."""
    (scopes, cap, end), (wanted, _, until) = _terms(own), _terms(other)
    return wanted & ~scopes == 0 and not cap and (not end or 0 < until <= end)


def is_lasting(key: Key) -> bool:
    """Whether a key was given all that its person may do, without cap or end."""
    return (key.scopes, key.amount_max, key.until) == (SCOPES_ALL, 0, 0)


def _revokers(key: Principal, members: dict[Principal, _Member], read: Read) -> list[Principal]:
    """Who of the key's own epoch revoked it."""
    return [
        author
        for author, member in members.items()
        if member.scopes & Scope.IDENTITY
        and member.epoch == members[key].epoch
        and any(
            in_order(revoke)
            and revoke.statement.who == key
            and (author == key or covers(member.via, members[key].via) or is_taken(revoke, read))
            for added in members[key].named
            for revoke in read.filed("key-revoke", added.id, author)
        )
    ]


def _descends(member: _Member, add: Action, read: Read) -> bool:
    """Whether a key became one through `add`: by it, or by a key-add that leads back to it."""
    node: Action | None = member.via
    for _ in range(KEY_CHAIN_MAX):
        if node is None or node.id == add.id:
            break
        node = read.action(node.statement.subject)
    return node is not None and node.id == add.id


def _ring(person: Principal, read: Read) -> Ring | None:
    roots = registers(person, read)
    if not roots:
        return None
    recoveries = _recoveries(person, read)
    members = _members(person, roots, recoveries, read)
    revokers = {key: _revokers(key, members, read) for key in members}
    live: dict[Principal, bool] = {}
    for key, member in members.items():
        added_by = member.via.statement.author
        stands = added_by == key or live[added_by] or is_taken(member.via, read)
        stands = stands or any(_descends(members[revoker], member.via, read) for revoker in revokers[added_by])
        live[key] = stands and not revokers[key] and member.epoch == len(recoveries)
    keys = tuple(_key(person, key, member, live[key]) for key, member in members.items())
    return Ring(keys, tuple(recovery.id for recovery in recoveries))


def _key(person: Principal, key: Principal, member: _Member, is_live: bool) -> Key:
    added, is_first = member.via.statement, member.via.kind != "key-add"
    return Key(
        principal=key,
        person=person,
        scopes=member.scopes,
        is_live=is_live,
        amount_max=0 if is_first else added.amount,
        asset=None if is_first else added.asset,
        until=0 if is_first else added.moment,
        added=member.via.id,
    )


RINGS: View[Principal, Ring] = View(
    "rings", _ring, {"user-register": lambda action, _: (action.statement.author,)}, public=False
)


def person_of_add(add: Action, read: Read) -> Principal | None:
    """The person to whose registration or recovery a key-add leads back, None where the way is broken or too long."""
    node: Action | None = add
    for _ in range(KEY_CHAIN_MAX):
        if node is None or not in_order(node) or node.kind not in ("key-add", "user-register", "recovery-open"):
            return None
        if node.kind != "key-add":
            return node.statement.author if node.kind == "user-register" else node.statement.who
        node = read.action(node.statement.subject)
    return None


def _claims(key: Principal, read: Read) -> Iterator[Key]:
    """What the rings say of a key that is no person, in the order of its accepts; then of its recoveries."""
    accepts = islice(read.filed("key-accept/by", key, key), PERSON_KEY_ADDS_MAX)
    adds = (read.action(accept.statement.subject) for accept in accepts)
    people = [person_of_add(add, read) for add in adds if add is not None and add.kind == "key-add"]
    people += [opening.statement.who for opening in read.filed("recovery-open/by", key, key)]
    for person in people:
        ring = read.entry(RINGS, person) if person is not None else None
        if ring is not None:
            yield from (known for known in ring.keys if known.principal == key)


def _resolved(key: Principal, read: Read) -> Key | None:
    own = read.entry(RINGS, key)
    if own is not None:
        return own.keys[0]
    return min(_claims(key, read), key=lambda claim: not claim.is_live, default=None)


KEYS: View[Principal, Key] = View(
    "keys",
    _resolved,
    {
        "user-register": lambda action, _: (action.statement.author,),
        "key-accept": lambda action, _: (action.statement.author,),
        "recovery-open": lambda action, _: (action.statement.author,),
    },
)


def keys_of(person: Principal, read: Read) -> list[Principal]:
    """The keys, live or not, that speak or spoke for a person.

    Of somebody who never registered the principal itself, unless it is another person's key.
    """
    ring = read.entry(RINGS, person)
    if ring is None:
        return [person] if read.entry(KEYS, person) is None else []
    return [
        known.principal
        for known in ring.keys
        if (resolved := read.entry(KEYS, known.principal)) is not None and resolved.person == person
    ]
