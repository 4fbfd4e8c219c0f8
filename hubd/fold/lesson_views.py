"""What a person can look up about moved and disputed lessons, earmarks and classes: entries of views, as plain values."""

from dataclasses import dataclass
from enum import StrEnum

from hubd.action.principal import Principal
from hubd.action.sip018 import ActionId


class DisputeState(StrEnum):
    """A dispute's life."""

    OPEN = "open"
    SETTLED = "settled"  # on the chain


class EarmarkState(StrEnum):
    """Where the money of an earmark is, as the chain says."""

    PROMISED = "promised"
    SAFE = "safe"  # set aside on the chain, for this tutor and nobody else
    RETURNED = "returned"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Move:
    """One side proposes another time for a lesson."""

    id: ActionId
    lesson: ActionId
    by: Principal
    start: int
    minutes: int
    version: ActionId  # what it changes: the lesson, or the proposal agreed on before
    agreed: bool
    replaced: bool  # its author proposed anew instead


@dataclass(frozen=True, slots=True)
class DisputeOffer:
    """A share of the price for the tutor, in basis points, that somebody would settle for."""

    id: ActionId
    by: Principal
    points: int


@dataclass(frozen=True, slots=True)
class Dispute:
    """The two of a lesson disagree about its price."""

    lesson: ActionId
    opening: ActionId
    opener: Principal
    reason: int
    offers: tuple[DisputeOffer, ...]  # of the two sides, and of whoever the chain took for their mediator
    state: DisputeState
    points: int | None  # what the tutor got, in basis points, where an agreement or votes say so
    end: ActionId | None  # what ended it


@dataclass(frozen=True, slots=True)
class Earmark:
    """Money of a student's that is set aside for one tutor; `left` is what no lesson drew yet."""

    id: ActionId
    student: Principal
    tutor: Principal
    asset: Principal | None
    amount: int
    left: int
    until: int
    state: EarmarkState


@dataclass(frozen=True, slots=True)
class Class:
    """A tutor teaches many at once; an attendance is the word of the learner and of the tutor."""

    id: ActionId
    tutor: Principal
    pool: ActionId | None
    price: int
    asset: Principal | None
    start: int
    minutes: int
    attended: int  # learners of whom both say so
    settled: int  # of those, whom the chain took both words about
    waiting: tuple[Principal, ...]  # who says so alone, and waits for the tutor's word
