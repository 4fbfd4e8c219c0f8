"""What a person can look up: the entries of every view, as plain values. docs/views.md says what each field means.

A view is a mapping that follows from the set of actions and from nothing else. Entries hold principals and ids as bytes,
sums in base units, times as Unix seconds of the chain; nothing here knows what time it is today.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from hubd.action.principal import Principal
from hubd.action.sip018 import ActionId
from hubd.fold.codes import DONE, REFUSED, WITHDRAWN
from hubd.fold.lesson_views import Class, Dispute, Earmark, Move


class HubState(StrEnum):
    """Where a hub stands in the mesh."""

    ANNOUNCED = "announced"  # it said who it is; nobody admitted it
    ADMITTED = "admitted"
    RETIRED = "retired"  # it was admitted, and no admission stands any more


class SettlementState(StrEnum):
    """How far the mesh believes what hubs report of the chain."""

    CLAIMED = "claimed"  # by one operator, where another could have looked
    CONFIRMED = "confirmed"
    CONTESTED = "contested"  # hubs disagree
    REVOKED = "revoked"  # the chain took it back


class RequestState(StrEnum):
    """A request's life."""

    OPEN = "open"
    MATCHED = "matched"
    CLOSED = "closed"


class RecoveryState(StrEnum):
    """What became of a new key's request to speak for a person."""

    OPEN = "open"
    CANCELLED = "cancelled"  # the person objected
    FINISHED = "finished"  # on the chain; only then it changes whose key speaks


class LessonState(StrEnum):
    """What student and tutor signed; needs no chain. Where the chain took one of several ends, it is that one."""

    BOOKED = "booked"
    CONFIRMED = "confirmed"
    HELD = "held"  # confirmed, and both attended
    COMPLETED = "completed"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    DISPUTED = "disputed"
    DECIDED = "decided"  # a dispute ended, on the chain
    LAPSED = "lapsed"  # never held, and claimed after the grace period


class Payment(StrEnum):
    """Where a lesson's price is, as the chain says."""

    NONE = "none"  # a lesson without a price, or one that ended before anything was set aside
    PROMISED = "promised"  # signed; nothing about it on the chain yet
    LOCKED = "locked"
    DISPUTED = "disputed"  # locked until the dispute ends
    RELEASED = "released"
    RETURNED = "returned"
    SPLIT = "split"  # between the two, by a dispute
    FAILED = "failed"  # the chain refused: somebody has to do something


class Sides(NamedTuple):
    """One fact for each side of a lesson."""

    student: bool
    tutor: bool


@dataclass(frozen=True, slots=True)
class Mesh:
    """The membership in one entry: who rules and which hubs count."""

    stewards: tuple[Principal, ...]  # live ones, sorted
    hubs: tuple[Principal, ...]  # admitted ones, sorted
    operators: tuple[int, ...]  # the operator of each of `hubs`
    uplink_operators: tuple[int, ...]  # operators that look at the chain for themselves, sorted


@dataclass(frozen=True, slots=True)
class Hub:
    """A hub that announced itself. `operator` is 0 unless it is or was admitted."""

    principal: Principal
    name: str
    curve: bytes  # CURVE public key, 32 bytes
    box: bytes  # X25519 public key, 32 bytes
    addresses: tuple[str, ...]
    uplink: bool
    operator: int
    state: HubState
    announce: ActionId  # the ruling hub-announce
    admissions: tuple[ActionId, ...]  # the hub-admits that stand, sorted


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction on the chain as admitted hubs report it."""

    txid: bytes
    state: SettlementState
    level: int  # 0 included, 1 anchored, 2 final; reached by as many operators as it takes
    height: int
    burn_height: int  # by which the least of them saw it
    block_time: int  # the earliest that one of them says


@dataclass(frozen=True, slots=True)
class Settlement:
    """What the chain did with one action. `code` 0 = done; others are in contracts/errors.json."""

    id: ActionId
    state: SettlementState
    level: int
    code: int
    txid: bytes
    height: int
    burn_height: int
    block_time: int

    @property
    def is_done(self) -> bool:
        """Executed on the chain, and believed."""
        return self.state is SettlementState.CONFIRMED and self.code in DONE

    @property
    def is_refused(self) -> bool:
        """Answered with an error that no later try can turn, and believed."""
        return self.state is SettlementState.CONFIRMED and self.code in REFUSED

    @property
    def is_withdrawn(self) -> bool:
        """Refused because its own person withdrew it, and believed: nothing is left to do."""
        return self.state is SettlementState.CONFIRMED and self.code == WITHDRAWN


@dataclass(frozen=True, slots=True)
class Balance:
    """A person's vault balance in one asset (None = STX), as reported at `height`."""

    person: Principal
    asset: Principal | None
    free: int
    locked: int
    height: int
    burn_height: int
    state: SettlementState  # claimed or confirmed


@dataclass(frozen=True, slots=True)
class Key:
    """For whom a key speaks, or spoke."""

    principal: Principal
    person: Principal
    scopes: int  # hubd.action.kinds.Scope
    is_live: bool  # False: revoked, or added by a key that was
    amount_max: int  # cumulative cap in base units of `asset`, 0 = none
    asset: Principal | None
    until: int  # 0 = no end; only the chain's time ends it
    added: ActionId  # the user-register or key-add


@dataclass(frozen=True, slots=True)
class Person:
    """A registered person. `keys` are the live ones with their scopes; `vouches` counts the different people who vouch."""

    id: Principal
    roles: int
    home: Principal | None
    registered: ActionId  # the ruling user-register
    head: ActionId  # what the next key-add names
    keys: Mapping[Principal, int]
    vouches: int
    steward_vouches: int  # of these, live stewards


@dataclass(frozen=True, slots=True)
class Guardians:
    """Who may help to recover a person, by the newest change; on the chain a change may still have to wait."""

    person: Principal
    head: ActionId  # what the next guardian-set names
    slots: tuple[Principal | None, ...]  # five
    threshold: int
    delay: int  # seconds between enough approvals and the end; 0 = the mesh's grace period


@dataclass(frozen=True, slots=True)
class Recovery:
    """A new key asks to speak for a person."""

    id: ActionId
    person: Principal
    key: Principal
    approved: tuple[Principal, ...]  # guardians, sorted
    state: RecoveryState


@dataclass(frozen=True, slots=True)
class Vouch:
    """One person (or steward) vouches that another is real."""

    voucher: Principal
    person: Principal
    how: int
    by_steward: bool
    id: ActionId


@dataclass(frozen=True, slots=True)
class Offer:
    """What a tutor teaches for one asset; `rate` is base units an hour, `week` a grid of 7 x 8 two-hour slots."""

    id: ActionId
    tutor: Principal
    asset: Principal | None
    rate: int
    week: int
    bits: int


@dataclass(frozen=True, slots=True)
class Request:
    """A student asks for help."""

    id: ActionId
    student: Principal
    ceiling: int
    asset: Principal | None
    week: int
    bits: int
    state: RequestState


@dataclass(frozen=True, slots=True)
class Match:
    """A tutor's offer for a request (the id is the match-offer's)."""

    id: ActionId
    request: ActionId
    tutor: Principal
    student: Principal
    price: int
    asset: Principal | None
    start: int
    minutes: int
    accepted: bool  # by a match-accept, or by a booking on the same terms


@dataclass(frozen=True, slots=True)
class Lesson:
    """A lesson: what its two people signed, and apart from that what became of the price."""

    id: ActionId
    student: Principal
    tutor: Principal
    asset: Principal | None
    price: int
    start: int  # as both agreed last
    minutes: int
    version: ActionId  # what the next lesson-move names
    locks: bool  # the booking locks the price in the vault
    match: ActionId | None
    payer: ActionId | None  # the earmark or pool that pays
    needs_guardian: bool
    state: LessonState
    attended: Sides
    sealed: Sides  # who sealed a rating
    rated: Sides  # whose rating was opened and counts
    payment: Payment
    settled: bool  # it ended, and the chain did what it takes: all of a completed one, else its end
    level: int | None  # the lowest among these; None while one is missing


@dataclass(frozen=True, slots=True)
class Rating:
    """One side's rating of a held lesson. Until it is opened `stars` and `tags` are 0."""

    lesson: ActionId
    rater: Principal
    rated: Principal
    seal: ActionId
    opened: ActionId | None
    stars: int
    tags: int


@dataclass(frozen=True, slots=True)
class Reputation:
    """Sums over a person's ratings: show counts, not stars alone."""

    person: Principal
    count: int
    total: int  # stars
    sealed: int  # sealed and not opened yet


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that time alone decides: anybody may say so, `delay` seconds and so many grace periods after `since`."""

    kind: str  # what is to be said
    subject: ActionId
    since: int  # by the chain's time
    graces: int
    delay: int
    who: Principal | None


@dataclass(frozen=True, slots=True)
class Erased:
    """An action whose content its author took back: hubs drop it and don't take it again."""

    by: ActionId  # the content-erase


@dataclass(frozen=True, slots=True)
class Void:
    """Why an action has no effect; the reasons are listed in `hubd.fold.void.REASONS`."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """How many actions of a kind that this version does not know are carried."""

    kind: str
    count: int


@dataclass(frozen=True, slots=True)
class Views:
    """Every view, read-only, and live: they change with the folder's next append.

    Equal sets under one charter have equal `digest`. `time_s` is the highest block time among confirmed receipts, the only
    clock there is; None in a mesh that never heard from the chain.
    """

    mesh: Mesh
    hubs: Mapping[Principal, Hub]
    transactions: Mapping[bytes, Transaction]
    settlement: Mapping[ActionId, Settlement]
    balances: Mapping[tuple[Principal, Principal | None], Balance]
    keys: Mapping[Principal, Key]
    vouches: Mapping[tuple[Principal, Principal], Vouch]  # (voucher, person)
    persons: Mapping[Principal, Person]
    guardians: Mapping[Principal, Guardians]
    recoveries: Mapping[ActionId, Recovery]
    offers: Mapping[tuple[Principal, Principal | None], Offer]  # (tutor, asset)
    requests: Mapping[ActionId, Request]
    matches: Mapping[ActionId, Match]
    moves: Mapping[ActionId, Move]
    disputes: Mapping[ActionId, Dispute]  # by lesson
    lessons: Mapping[ActionId, Lesson]
    earmarks: Mapping[ActionId, Earmark]
    classes: Mapping[ActionId, Class]
    ratings: Mapping[tuple[ActionId, Principal], Rating]  # (lesson, rater)
    reputation: Mapping[Principal, Reputation]
    erased: Mapping[ActionId, Erased]
    void: Mapping[ActionId, Void]
    unknown: Mapping[str, Unknown]
    waiting: Mapping[tuple[str, ActionId], Waiting]  # no part of the digest, like the next two (hubd/fold/agenda.py)
    claims: Mapping[bytes, tuple[Principal, ...]]  # unconfirmed transactions, with the hubs that report them
    dealings: Mapping[tuple[Principal, Principal], int]  # lessons for which the first one deserves the second's credit
    digest: bytes
    time_s: int | None

    def person_of(self, key: Principal) -> Principal | None:
        """The person for whom this key speaks now, None if nobody."""
        found = self.keys.get(key)
        return found.person if found is not None and found.is_live else None
