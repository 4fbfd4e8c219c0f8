"""What a phone shows of its own affairs: plain values, computed from the views and the outbox. Words of docs/phone-api.md.

Never "synced" before a hub's OK, never "paid" before a receipt; what moves no money ends at "at the hub".
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hubd.action.charter import Charter
from hubd.action.envelope import Action
from hubd.action.kinds import KINDS
from hubd.action.principal import Principal, address
from hubd.action.sip018 import ActionId
from hubd.fold.views import (
    Lesson,
    LessonState,
    Match,
    RecoveryState,
    Request,
    RequestState,
    SettlementState,
    Views,
)
from hubd.phone.money import Told, own
from hubd.phone.outbox import Item

ON_THIS_PHONE = "on this phone"
AT_THE_HUB = "at the hub"
ON_ITS_WAY = "on its way"
DONE = "done"
NEEDS_YOU = "needs you"
WITHDRAWN = "withdrawn"
_SHOWN_MAX = 100  # of each list: a screen, not an archive


class Screen:
    """The affairs of one person, as plain values. `names` are what this phone calls people."""

    def __init__(self, charter: Charter, views: Views, me: Principal, names: Mapping[Principal, str]) -> None:
        self._charter, self._views, self._me, self._names = charter, views, me, names

    def status(self, item: Item, action: Action) -> tuple[str, str]:
        """The status word of an outbox action, and a code where the word needs a reason."""
        settlement, void = self._views.settlement.get(item.id), self._views.void.get(item.id)
        if settlement is not None and settlement.is_withdrawn:
            return WITHDRAWN, f"chain-{settlement.code}"
        if void is not None:
            return NEEDS_YOU, f"void-{void.reason}"
        if item.is_refused:
            return NEEDS_YOU, item.code
        is_chained = bool(KINDS[action.kind].contract)
        time_s = self._views.time_s
        if is_chained and settlement is None and time_s is not None and action.statement.expires < time_s:
            code = "expired"
            return NEEDS_YOU, code
        if not item.hubs:
            return ON_THIS_PHONE, item.code
        if settlement is None or not is_chained:
            return AT_THE_HUB, ""
        if settlement.is_done:
            return DONE, ""
        if settlement.is_refused:
            return NEEDS_YOU, f"chain-{settlement.code}"
        return ON_ITS_WAY, "" if settlement.state is SettlementState.CLAIMED else settlement.state.value

    def person(self, principal: Principal | None) -> str:
        """What this phone calls somebody: the name, else the address."""
        return "" if principal is None else self._names.get(principal, address(principal))

    def asset(self, asset: Principal | None) -> str:
        """The asset's short name."""
        return self._charter.asset_name(asset)

    def _side(self, lesson: Lesson) -> str:
        """What this person is in a lesson, "" where nothing: a guardian only of one that waits for a guardian's word."""
        if self._me in (lesson.student, lesson.tutor):
            return "student" if lesson.student == self._me else "tutor"
        guards = lesson.needs_guardian and self._guards(lesson.student)
        return "guardian" if guards else ""

    def _guards(self, person: Principal) -> bool:
        known = self._views.guardians.get(person)
        return known is not None and self._me in known.slots

    def lesson(self, lesson: Lesson) -> dict[str, Any]:
        """One lesson, from this person's side."""
        side = self._side(lesson)
        return {
            "id": lesson.id.hex(),
            "side": side,
            "with": self.person(lesson.tutor if side == "student" else lesson.student),
            "state": lesson.state.value,
            "payment": lesson.payment.value,
            "price": lesson.price,
            "asset": self.asset(lesson.asset),
            "start": lesson.start,
            "minutes": lesson.minutes,
            "attended": list(lesson.attended),
            "sealed": list(lesson.sealed),
            "rated": list(lesson.rated),
            "settled": lesson.settled,
            "level": lesson.level,
        }

    def lessons(self) -> list[dict[str, Any]]:
        """This person's lessons, the latest start first."""
        mine = [each for each in self._views.lessons.values() if self._side(each)]
        mine.sort(key=lambda each: (each.start, each.id), reverse=True)
        return [self.lesson(each) for each in mine[:_SHOWN_MAX]]

    def requests(self) -> list[dict[str, Any]]:
        """Open requests: a tutor looks for those near, a student for the own ones."""
        opened = [each for each in self._views.requests.values() if each.state is RequestState.OPEN]
        return [self._request(each) for each in _latest(opened)]

    def matches(self) -> list[dict[str, Any]]:
        """Offers for this person's requests, and those this person made."""
        mine = [each for each in self._views.matches.values() if self._me in (each.student, each.tutor)]
        return [self._match(each) for each in _latest(mine)]

    def moves(self) -> list[dict[str, Any]]:
        """Other times that somebody proposes for this person's lessons, as long as both may still agree."""
        lessons = self._views.lessons
        waiting = [
            each
            for each in self._views.moves.values()
            if (lesson := lessons.get(each.lesson)) is not None
            and each.version == lesson.version
            and not each.replaced
            and lesson.state in (LessonState.BOOKED, LessonState.CONFIRMED)
            and self._me in (lesson.student, lesson.tutor)
        ]
        return [
            {"id": each.id.hex(), "lesson": each.lesson.hex(), "mine": each.by == self._me, "start": each.start,
             "minutes": each.minutes or lessons[each.lesson].minutes}
            for each in _latest(waiting)
        ]  # fmt: skip

    def disputes(self) -> list[dict[str, Any]]:
        """Quarrels about this person's lessons, with what each would settle for."""
        lessons = self._views.lessons
        mine = [
            each
            for each in self._views.disputes.values()
            if (lesson := lessons.get(each.lesson)) is not None and self._me in (lesson.student, lesson.tutor)
        ]
        return [
            {"lesson": each.lesson.hex(), "by": self.person(each.opener), "reason": each.reason,
             "state": each.state.value, "points": each.points,
             "offers": [{"id": offer.id.hex(), "by": self.person(offer.by), "points": offer.points}
                        for offer in each.offers]}
            for each in sorted(mine, key=lambda each: each.lesson)[:_SHOWN_MAX]
        ]  # fmt: skip

    def earmarks(self) -> list[dict[str, Any]]:
        """What is set aside for this person, or by it."""
        mine = [each for each in self._views.earmarks.values() if self._me in (each.student, each.tutor)]
        return [
            {"id": each.id.hex(), "student": self.person(each.student), "tutor": self.person(each.tutor),
             "asset": self.asset(each.asset), "amount": each.amount, "left": each.left, "until": each.until,
             "state": each.state.value}
            for each in _latest(mine)
        ]  # fmt: skip

    def classes(self) -> list[dict[str, Any]]:
        """Classes that are held here; to the tutor, who waits for the word that they were there."""
        return [
            {"id": each.id.hex(), "tutor": self.person(each.tutor), "mine": each.tutor == self._me, "price": each.price,
             "asset": self.asset(each.asset), "start": each.start, "minutes": each.minutes,
             "attended": each.attended, "settled": each.settled,
             "waiting": [self.person(who) for who in each.waiting[:_SHOWN_MAX]] if each.tutor == self._me else []}
            for each in _latest(self._views.classes.values())
        ]  # fmt: skip

    def recoveries(self) -> list[dict[str, Any]]:
        """Who asks for a new key: for this person, who may object, or for somebody it guards, and may help."""
        mine = [
            each
            for each in self._views.recoveries.values()
            if each.state is RecoveryState.OPEN and (each.person == self._me or self._guards(each.person))
        ]
        return [
            {"id": each.id.hex(), "person": self.person(each.person), "key": address(each.key),
             "approved": [self.person(who) for who in each.approved]}
            for each in _latest(mine)
        ]  # fmt: skip

    def balances(self, told: Iterable[Told] = ()) -> list[dict[str, Any]]:
        """What hubs with an uplink last reported of this person's vault, or a hub `told` it away from home."""
        mine = own(self._views.balances, self._me, told)
        return [
            {"asset": self.asset(each.asset), "free": each.free, "locked": each.locked, "state": each.state.value}
            for each in sorted(mine, key=lambda each: self.asset(each.asset))
        ]

    def myself(self, key: Principal) -> dict[str, Any]:
        """Who this phone speaks for."""
        person = self._views.persons.get(self._me)
        reputation = self._views.reputation.get(self._me)
        guardians = self._views.guardians.get(self._me)
        return {
            "key": address(key),
            "person": address(self._me),
            "name": self._names.get(self._me, ""),
            "registered": person is not None,
            "roles": person.roles if person else 0,
            "home": address(person.home) if person and person.home else None,
            "keys": {address(key): scopes for key, scopes in person.keys.items()} if person else {},
            "guardians": [self.person(who) for who in guardians.slots if who is not None] if guardians else [],
            "vouched": bool(person and (person.vouches or person.steward_vouches)),
            "ratings": {"count": reputation.count, "stars": reputation.total} if reputation else None,
        }

    def outbox(self, items: Sequence[Item], actions: Mapping[ActionId, Action]) -> list[dict[str, Any]]:
        """What this phone signed, the latest first, each with its status word."""
        shown = []
        for item in reversed(items[-_SHOWN_MAX:]):
            status, reason = self.status(item, actions[item.id])
            shown.append(
                {
                    "id": item.id.hex(),
                    "kind": actions[item.id].kind,
                    "status": status,
                    "reason": reason,
                    "hubs": len(item.hubs),
                }
            )
        return shown

    def _request(self, request: Request) -> dict[str, Any]:
        return {
            "id": request.id.hex(),
            "student": self.person(request.student),
            "mine": request.student == self._me,
            "ceiling": request.ceiling,
            "asset": self.asset(request.asset),
            "subjects": [name for at, name in enumerate(self._charter.subjects[:32]) if request.bits >> at & 1],
            "week": request.week,
        }

    def _match(self, match: Match) -> dict[str, Any]:
        return {
            "id": match.id.hex(),
            "request": match.request.hex(),
            "tutor": self.person(match.tutor),
            "student": self.person(match.student),
            "mine": match.tutor == self._me,
            "price": match.price,
            "asset": self.asset(match.asset),
            "start": match.start,
            "minutes": match.minutes,
            "accepted": match.accepted,
        }


def _latest(entries: Iterable[Any]) -> list[Any]:
    """A screenful, in an order that every phone shares: claimed times would let a liar stand first."""
    return sorted(entries, key=lambda entry: bytes(entry.id))[:_SHOWN_MAX]
