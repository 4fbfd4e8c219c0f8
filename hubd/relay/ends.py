"""What time alone decides, said by the hub itself, so that nobody's money waits for somebody to think of it.

Three kinds need no person: `lesson-claim`, `dispute-settle` and `recovery-finish`. Anybody may sign them, and the contracts
ask their own clock. Sans-IO: from actions heard and the views follow the statements that are due by the chain's time. Where
the exact time of a change is not known nothing is said: too late costs a wait, too early a fee.
"""

import hashlib
from collections.abc import Container, Iterable, Iterator
from typing import NamedTuple

from hubd.action.envelope import Action
from hubd.action.principal import Principal
from hubd.action.sip018 import ActionId
from hubd.action.statement import SALT_BYTES, Statement
from hubd.fold.lesson_views import DisputeState
from hubd.fold.views import Lesson, LessonState, Payment, RecoveryState, Views
from hubd.limits import RELAY_ENDS_MAX, STATEMENT_LIFE_S
from hubd.relay.lease import turns, uplinks

TURN_S = 86_400  # of the chain's time, for each hub that goes before ours

_KINDS = frozenset(("lesson-claim", "dispute-settle", "recovery-finish"))
_CHANGES = frozenset(("lesson-confirm", "lesson-move", "lesson-attend", "escrow-lock", "recovery-approve"))
_UNENDED = frozenset((LessonState.BOOKED, LessonState.CONFIRMED, LessonState.HELD))


class _Due(NamedTuple):
    """What may be said once the chain's time is past `after_s`."""

    after_s: int
    kind: str
    subject: ActionId
    who: Principal | None = None


def _is_undecided(lesson: Lesson) -> bool:
    """Whether all that its two people signed is on the chain, and a claim would move its price."""
    if lesson.level is None or lesson.state not in _UNENDED:
        return False
    is_pool_paid = lesson.payment is Payment.PROMISED and lesson.payer is not None
    return lesson.payment is Payment.LOCKED or (is_pool_paid and lesson.state is LessonState.HELD)


class Ends:
    """Remembers who said what about what; everything else follows from the views."""

    def __init__(self) -> None:
        self._about: dict[ActionId, list[tuple[ActionId, Principal]]] = {}
        self._said: dict[tuple[str, ActionId], list[tuple[ActionId, Principal, int]]] = {}

    def hear(self, actions: Iterable[Action]) -> None:
        """New actions of the set, each once."""
        for action in actions:
            said = action.statement
            if action.kind in _CHANGES:
                self._about.setdefault(said.subject, []).append((action.id, said.author))
            elif action.kind in _KINDS:
                row = (action.id, said.author, said.expires)
                self._said.setdefault((action.kind, said.subject), []).append(row)

    def due(
        self, views: Views, own: Principal, grace_s: int, known: Container[Principal] | None
    ) -> tuple[Statement, ...]:
        """Statements for `own` to sign, what is due the longest first, at most `RELAY_ENDS_MAX`.

        `grace_s` is the mesh's grace period, `known` whose actions travel without delay (None: everybody's). A hub that
        is not admitted with an uplink says nothing.
        """
        hubs, now_s = uplinks(views), views.time_s
        if own not in hubs or now_s is None:
            return ()
        found = sorted(
            due
            for due in (*self._recoveries(views, grace_s), *self._disputes(views, grace_s), *self._lessons(views, grace_s))
            if now_s > due.after_s + turns(due.subject, own, hubs) * TURN_S
            and not self._is_said(due, views, own, known)
        )  # fmt: skip
        return tuple(_statement(due, own, now_s) for due in found[:RELAY_ENDS_MAX])

    def _lessons(self, views: Views, grace_s: int) -> Iterator[_Due]:
        for id_, lesson in views.lessons.items():
            if _is_undecided(lesson) and (changed_s := self._changed_s(id_, views)) is not None:
                yield _Due(max(lesson.start, changed_s) + grace_s, "lesson-claim", id_)

    def _disputes(self, views: Views, grace_s: int) -> Iterator[_Due]:
        for lesson, dispute in views.disputes.items():
            if dispute.state is DisputeState.OPEN and (opened_s := self._changed_s(dispute.opening, views)) is not None:
                yield _Due(opened_s + 2 * grace_s, "dispute-settle", lesson)

    def _recoveries(self, views: Views, grace_s: int) -> Iterator[_Due]:
        for id_, recovery in views.recoveries.items():
            circle = views.guardians.get(recovery.person)
            if recovery.state is not RecoveryState.OPEN or circle is None:
                continue
            approved = {views.person_of(key) for action, key in self._about.get(id_, ()) if _is_done(action, views)}
            is_enough = len(approved.intersection(recovery.approved)) >= max(1, circle.threshold)
            if is_enough and (approved_s := self._changed_s(id_, views)) is not None:
                yield _Due(approved_s + (circle.delay or grace_s), "recovery-finish", id_, recovery.person)

    def _changed_s(self, id_: ActionId, views: Views) -> int | None:
        """When the chain last took something about this; None where it did not take it, or one of the times is unknown."""
        if not _is_done(id_, views):
            return None
        last_s, waiting = 0, [id_]
        while waiting:
            action = waiting.pop()
            waiting += (child for child, _ in self._about.get(action, ()))
            if _is_done(action, views):
                block_time_s = views.settlement[action].block_time
                if not block_time_s:
                    return None
                last_s = max(last_s, block_time_s)
        return last_s

    def _is_said(self, due: _Due, views: Views, own: Principal, known: Container[Principal] | None) -> bool:
        """Whether such an action is on its way. What the chain refused ours for, it will refuse again."""
        for id_, author, expires in self._said.get((due.kind, due.subject), ()):
            settlement = views.settlement.get(id_)
            is_refused = settlement is not None and settlement.is_refused
            if is_refused and author == own:
                return True
            is_prompt = author == own or known is None or author in known
            is_expired = views.time_s is not None and expires < views.time_s
            if is_prompt and not (is_refused or is_expired or id_ in views.void):
                return True
        return False


def _is_done(id_: ActionId, views: Views) -> bool:
    settlement = views.settlement.get(id_)
    return settlement is not None and settlement.is_done


def _statement(due: _Due, author: Principal, at_s: int) -> Statement:
    seed = hashlib.sha256(due.kind.encode() + author + due.subject + at_s.to_bytes(8)).digest()
    return Statement(
        action=due.kind,
        author=author,
        created=at_s,
        expires=at_s + STATEMENT_LIFE_S,
        salt=seed[:SALT_BYTES],
        subject=due.subject,
        who=due.who,
    )
