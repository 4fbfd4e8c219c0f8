"""What is open: short lists for whoever has to act, so that nobody walks through all that ever was.

These views are no part of the digest: they say nothing that the public ones don't. Their entries go when nothing is left
to do.
"""

from collections.abc import Callable, Iterator
from typing import TypeAlias

from hubd.action.envelope import Action
from hubd.action.principal import Principal
from hubd.action.sip018 import ActionId
from hubd.fold.anchored import is_receipt
from hubd.fold.disputes import DISPUTES
from hubd.fold.guardians import GUARDIANS, RECOVERIES
from hubd.fold.keys import KEYS
from hubd.fold.lesson_views import DisputeState
from hubd.fold.lessons import LESSONS
from hubd.fold.membership import mesh
from hubd.fold.read import Read, Tally, View
from hubd.fold.settlement import SETTLEMENT, TRANSACTIONS
from hubd.fold.views import Lesson, LessonState, Payment, RecoveryState, SettlementState, Waiting

Pair: TypeAlias = tuple[Principal, Principal]
_CHANGES = ("lesson-confirm", "lesson-move", "lesson-attend", "escrow-lock", "recovery-approve")
_UNENDED = frozenset((LessonState.BOOKED, LessonState.CONFIRMED, LessonState.HELD))
_ACCEPTED = frozenset((LessonState.CONFIRMED, LessonState.HELD, LessonState.COMPLETED))


# --- what time alone ends


def _is_done(action_id: ActionId, read: Read) -> bool:
    settlement = read.entry(SETTLEMENT, action_id)
    return settlement is not None and settlement.is_done


def _children(action_id: ActionId, read: Read) -> Iterator[Action]:
    for kind in _CHANGES:
        for author in read.authors(kind, action_id):
            yield from read.filed(kind, action_id, author)


def _changed_s(action_id: ActionId, read: Read) -> int | None:
    """When the chain last took something about this; None where it did not take it, or one of the times is unknown."""
    if not _is_done(action_id, read):
        return None
    last_s, waiting = 0, [action_id]
    while waiting:
        about = waiting.pop()
        waiting += (child.id for child in _children(about, read))
        settlement = read.entry(SETTLEMENT, about)
        if settlement is not None and settlement.is_done:
            if not settlement.block_time:
                return None
            last_s = max(last_s, settlement.block_time)
    return last_s


def _is_undecided(lesson: Lesson) -> bool:
    """Whether all that its two people signed is on the chain, and a claim would move its price."""
    if lesson.level is None or lesson.state not in _UNENDED:
        return False
    is_pool_paid = lesson.payment is Payment.PROMISED and lesson.payer is not None
    return lesson.payment is Payment.LOCKED or (is_pool_paid and lesson.state is LessonState.HELD)


def _lesson(id_: ActionId, read: Read) -> Waiting | None:
    lesson = read.entry(LESSONS, id_)
    changed_s = _changed_s(id_, read) if lesson is not None and _is_undecided(lesson) else None
    if lesson is None or changed_s is None:
        return None
    return Waiting("lesson-claim", id_, max(lesson.start, changed_s), graces=1, delay=0, who=None)


def _dispute(lesson: ActionId, read: Read) -> Waiting | None:
    dispute = read.entry(DISPUTES, lesson)
    is_open = dispute is not None and dispute.state is DisputeState.OPEN
    opened_s = _changed_s(dispute.opening, read) if dispute is not None and is_open else None
    return None if opened_s is None else Waiting("dispute-settle", lesson, opened_s, graces=2, delay=0, who=None)


def _recovery(id_: ActionId, read: Read) -> Waiting | None:
    recovery = read.entry(RECOVERIES, id_)
    circle = read.entry(GUARDIANS, recovery.person) if recovery is not None else None
    if recovery is None or recovery.state is not RecoveryState.OPEN or circle is None:
        return None
    keys = (read.entry(KEYS, child.statement.author) for child in _children(id_, read) if _is_done(child.id, read))
    approved = {key.person for key in keys if key is not None and key.is_live}
    approved_s = _changed_s(id_, read)
    if approved_s is None or len(approved.intersection(recovery.approved)) < max(1, circle.threshold):
        return None
    graces = 0 if circle.delay else 1
    return Waiting("recovery-finish", id_, approved_s, graces=graces, delay=circle.delay, who=recovery.person)


_RULES: dict[str, Callable[[ActionId, Read], Waiting | None]] = {
    "lesson-claim": _lesson,
    "dispute-settle": _dispute,
    "recovery-finish": _recovery,
}
WAITING: View[tuple[str, ActionId], Waiting] = View(
    "waiting",
    lambda key, read: _RULES[key[0]](key[1], read),
    {
        "lesson-book": lambda action, _: (("lesson-claim", action.id),),
        "dispute-open": lambda action, _: (("dispute-settle", action.statement.subject),),
        "recovery-open": lambda action, _: (("recovery-finish", action.id),),
    },
    public=False,
)

# --- what one hub says of the chain and nobody confirmed


def _claim(txid: bytes, read: Read) -> tuple[Principal, ...] | None:
    transaction = read.entry(TRANSACTIONS, txid)
    if transaction is None or transaction.state is not SettlementState.CLAIMED:
        return None
    return tuple(hub for hub in mesh(read).hubs if any(map(is_receipt, read.filed("relay-receipt", txid, hub))))


CLAIMS: View[bytes, tuple[Principal, ...]] = View(
    "claims", _claim, {"relay-receipt": lambda action, _: (action.statement.subject,)}, public=False
)

# --- who deals with whom


def _dealings(lesson: Lesson) -> Iterator[tuple[Pair, tuple[int, ...]]]:
    yield (lesson.tutor, lesson.student), (1,)
    if lesson.state in _ACCEPTED:
        yield (lesson.student, lesson.tutor), (1,)


DEALINGS: Tally[Pair, int] = Tally("dealings", LESSONS, _dealings, lambda _, sums: sums[0], public=False)
AGENDA_STRATA = (WAITING, CLAIMS, DEALINGS)
