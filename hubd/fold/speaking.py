"""Who speaks through an action: the table of which kinds need whom."""

from collections.abc import Callable
from enum import Enum, auto

from hubd.action.envelope import Action
from hubd.action.kinds import KINDS
from hubd.action.principal import Principal
from hubd.fold.council import stewards, stewards_ever
from hubd.fold.keys import KEYS
from hubd.fold.membership import mesh
from hubd.fold.read import Read


class Speaker(Enum):
    """Whom a kind's author must be."""

    PERSON = auto()  # a registered person's key, with the kind's scope
    MEMBER = auto()  # such a key, revoked or not: what ends keys counts from any of them
    SELF = auto()  # such a key, or one that is nobody's and speaks for itself
    VOUCHER = auto()  # a person's key, or a steward
    STEWARD = auto()
    FORMER = auto()  # a steward, live or removed
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
    "lesson-claim": Speaker.ANYBODY,
    "escrow-return": Speaker.ANYBODY,
    "payout-note": Speaker.ANYBODY,
    "dispute-settle": Speaker.ANYBODY,
    "tutor-clear": Speaker.OFFICER,
    "person-hold": Speaker.OFFICER,
    "person-release": Speaker.OFFICER,
    "safety-post": Speaker.ANYBODY,
    "hub-announce": Speaker.ANYBODY,
    "hub-admit": Speaker.STEWARD,
    "hub-retire": Speaker.FORMER,
    "steward-add": Speaker.STEWARD,
    "steward-remove": Speaker.STEWARD,
    "relay-receipt": Speaker.HUB,
    "relay-balance": Speaker.HUB,
}
SPEAKERS: dict[str, Speaker] = {name: _EXCEPTIONS.get(name, Speaker.PERSON) for name in KINDS}


def person_of(key: Principal, read: Read) -> Principal:
    """The person a key speaks or spoke for; of a key that is nobody's, the key itself."""
    known = read.entry(KEYS, key)
    return known.person if known is not None else key


def _member_fault(action: Action, read: Read) -> str:
    known = read.entry(KEYS, action.statement.author)
    if known is None:
        return "unregistered"
    scope = KINDS[action.kind].scope
    return "" if known.scopes & scope == scope else "scope"


def _person_fault(action: Action, read: Read) -> str:
    known = read.entry(KEYS, action.statement.author)
    fault = _member_fault(action, read)
    return fault or ("" if known is not None and known.is_live else "revoked")


def _self_fault(action: Action, read: Read) -> str:
    return _person_fault(action, read) if read.entry(KEYS, action.statement.author) is not None else ""


def _voucher_fault(action: Action, read: Read) -> str:
    return "" if action.statement.author in stewards(read) else _person_fault(action, read)


def _steward_fault(action: Action, read: Read) -> str:
    return "" if action.statement.author in stewards(read) else "not-steward"


def _former_fault(action: Action, read: Read) -> str:
    return "" if action.statement.author in stewards_ever(read) else "not-steward"


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
    Speaker.FORMER: _former_fault,
    Speaker.OFFICER: _officer_fault,
    Speaker.HUB: _hub_fault,
    Speaker.ANYBODY: lambda _action, _read: "",
}


def speaker_fault(action: Action, read: Read) -> str:
    """Why the author may not say this, "" where it may; "revoked" before anything else was asked. Known kinds only."""
    return _FAULTS[SPEAKERS[action.kind]](action, read)
