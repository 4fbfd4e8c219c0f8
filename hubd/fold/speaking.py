"""Who speaks through an action: the table of which kinds need whom, and the rule for keys that were revoked.

An action by a revoked key counts only if a receipt shows that the chain took it, or another person's live key referred to
it; otherwise nothing tells it from one that a thief signed yesterday (docs/protocol.md, "Kinds").
"""

from collections.abc import Callable
from enum import Enum, auto

from hubd.action.envelope import Action
from hubd.action.kinds import KINDS
from hubd.action.principal import Principal
from hubd.fold.council import stewards
from hubd.fold.keys import KEYS, RINGS
from hubd.fold.membership import mesh
from hubd.fold.read import Read
from hubd.fold.settlement import SETTLEMENT
from hubd.fold.views import Key


class Speaker(Enum):
    """Whom a kind's author must be."""

    PERSON = auto()  # a registered person's key, with the kind's scope
    MEMBER = auto()  # such a key, revoked or not: what ends keys counts from any of them
    SELF = auto()  # such a key, or one that is nobody's and speaks for itself
    VOUCHER = auto()  # a person's key, or a steward
    STEWARD = auto()
    OFFICER = auto()  # named by the charter; a steward will do
    HUB = auto()  # an admitted hub
    ANYBODY = auto()


_EXCEPTIONS = {
    "user-register": Speaker.ANYBODY,
    "key-accept": Speaker.ANYBODY,
    "key-revoke": Speaker.MEMBER,
    "recovery-open": Speaker.ANYBODY,
    "recovery-finish": Speaker.ANYBODY,
    "content-erase": Speaker.SELF,
    "vouch-give": Speaker.VOUCHER,
    "vouch-withdraw": Speaker.VOUCHER,
    "payout-note": Speaker.ANYBODY,
    "dispute-settle": Speaker.ANYBODY,
    "tutor-clear": Speaker.OFFICER,
    "person-hold": Speaker.OFFICER,
    "person-release": Speaker.OFFICER,
    "safety-post": Speaker.ANYBODY,
    "hub-announce": Speaker.ANYBODY,
    "hub-admit": Speaker.STEWARD,
    "hub-retire": Speaker.STEWARD,
    "steward-add": Speaker.STEWARD,
    "steward-remove": Speaker.STEWARD,
    "relay-receipt": Speaker.HUB,
    "relay-balance": Speaker.HUB,
}
SPEAKERS: dict[str, Speaker] = {name: _EXCEPTIONS.get(name, Speaker.PERSON) for name in KINDS}
_REFERRING = tuple(name for name, kind in KINDS.items() if kind.subject and SPEAKERS[name] is Speaker.PERSON)


def person_of(key: Principal, read: Read) -> Principal:
    """The person a key speaks or spoke for; of a key that is nobody's, the key itself."""
    known = read.entry(KEYS, key)
    return known.person if known is not None else key


def _was_seen(action: Action, known: Key, read: Read) -> bool:
    """Whether something besides the revoked key shows that an action is older than its revocation."""
    settled = read.entry(SETTLEMENT, action.id)
    if settled is not None and settled.is_done:
        return True
    ring = read.entry(RINGS, known.person)
    if ring is not None and any(key.is_live and key.added == action.id for key in ring.keys):
        return True
    for kind in _REFERRING:
        for author in read.authors(kind, action.id):
            other = read.entry(KEYS, author)
            if other is not None and other.is_live and other.person != known.person:
                return True
    return False


def _member_fault(action: Action, read: Read) -> str:
    known = read.entry(KEYS, action.statement.author)
    if known is None:
        return "unregistered"
    scope = KINDS[action.kind].scope
    return "" if known.scopes & scope == scope else "scope"


def _person_fault(action: Action, read: Read) -> str:
    known = read.entry(KEYS, action.statement.author)
    fault = _member_fault(action, read)
    if fault or known is None or known.is_live or _was_seen(action, known, read):
        return fault
    return "revoked"


def _self_fault(action: Action, read: Read) -> str:
    return _person_fault(action, read) if read.entry(KEYS, action.statement.author) is not None else ""


def _voucher_fault(action: Action, read: Read) -> str:
    return "" if action.statement.author in stewards(read) else _person_fault(action, read)


def _steward_fault(action: Action, read: Read) -> str:
    return "" if action.statement.author in stewards(read) else "not-steward"


def _officer_fault(action: Action, read: Read) -> str:
    is_officer = action.statement.author in read.charter.officers or action.statement.author in stewards(read)
    return "" if is_officer else "not-officer"


def _hub_fault(action: Action, read: Read) -> str:
    return "" if action.statement.author in mesh(read).hubs else "not-admitted"


_FAULTS: dict[Speaker, Callable[[Action, Read], str]] = {
    Speaker.PERSON: _person_fault,
    Speaker.MEMBER: _member_fault,
    Speaker.SELF: _self_fault,
    Speaker.VOUCHER: _voucher_fault,
    Speaker.STEWARD: _steward_fault,
    Speaker.OFFICER: _officer_fault,
    Speaker.HUB: _hub_fault,
    Speaker.ANYBODY: lambda _action, _read: "",
}


def speaker_fault(action: Action, read: Read) -> str:
    """Why the author may not say this, "" where it may. The kind must be a known one."""
    return _FAULTS[SPEAKERS[action.kind]](action, read)
