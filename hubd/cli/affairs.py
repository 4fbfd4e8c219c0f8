"""What `hubd phone show` says of a person's affairs, line by line. The values are those of docs/phone-api.md."""

from collections.abc import Callable, Iterator
from typing import Any

from hubd.cli.terminal import listed, time_of
from hubd.fold.views import SettlementState
from hubd.messages import phrase, term, words
from hubd.sums import sum_of

_ALWAYS_SHOWN = ("lessons", "requests", "matches", "balances", "outbox")
_ID_SHOWN = 12
LEVELS = ("included", "anchored", "final")
_ROLES = {"student": "affairs.with-tutor", "tutor": "affairs.with-student", "guardian": "affairs.as-guardian"}
_TITLES = {
    "lessons": "affairs.lessons",
    "requests": "affairs.requests",
    "matches": "affairs.matches",
    "balances": "affairs.balances",
    "outbox": "affairs.outbox",
    "moves": "affairs.moves",
    "disputes": "affairs.disputes",
    "classes": "affairs.classes",
    "earmarks": "affairs.earmarks",
    "recoveries": "affairs.recoveries",
}

Entry = dict[str, Any]


def lines(facts: dict[str, Any]) -> Iterator[str]:
    """All of it: what there usually is also where it is empty, the rest where there is some."""
    me = facts["me"]
    name = me.get("name") or me["person"]
    yield name if me["registered"] else phrase("affairs.stranger", person=name)
    for title, said in _LINES.items():
        entries = facts[title]
        if entries or title in _ALWAYS_SHOWN:
            yield phrase(_TITLES[title], count=len(entries) or phrase("affairs.none"))
        for entry in entries:
            first, *others = said({**entry, "places": facts["places"]})
            yield phrase("terminal.indented", what=first)
            yield from (phrase("terminal.twice-indented", what=other) for other in others)


def _joined(*parts: str) -> str:
    return phrase("affairs.part").join(part for part in parts if part)


def _short(entry: Entry, key: str = "id") -> str:
    return str(entry[key])[:_ID_SHOWN]


def _sum(entry: Entry, key: str) -> str:
    return sum_of(entry[key], entry["asset"], entry["places"])


def _when(entry: Entry) -> str:
    return phrase("affairs.when", time=time_of(entry["start"]), minutes=entry["minutes"])


def _lesson(entry: Entry) -> list[str]:
    state = term("lesson", entry["state"])
    head = phrase(_ROLES[entry["side"]], id=_short(entry), person=entry["with"], state=state)
    price = phrase("affairs.price", sum=_sum(entry, "price"), payment=term("payment", entry["payment"]))
    mine, other = entry["sealed"] if entry["side"] == "student" else reversed(entry["sealed"])
    notes = [phrase("affairs.rated")] if all(entry["rated"]) else []
    if other and not mine and entry["side"] != "guardian":
        notes.append(phrase("affairs.rating-waits"))
    if entry["settled"] and entry["level"] is not None:
        notes.append(phrase("affairs.settled", level=term("level", LEVELS[entry["level"]])))
    return [_joined(head, _when(entry), price), *([_joined(*notes)] if notes else [])]


def _request(entry: Entry) -> list[str]:
    subjects = listed(entry["subjects"]) or phrase("affairs.no-subject")
    most = phrase("affairs.at-most", sum=_sum(entry, "ceiling")) if entry["ceiling"] else phrase("affairs.any-price")
    if entry["mine"]:
        return [_joined(phrase("affairs.request-mine", id=_short(entry), subjects=subjects), most)]
    return [_joined(phrase("affairs.request", id=_short(entry), person=entry["student"], subjects=subjects), most)]


def _match(entry: Entry) -> list[str]:
    price, shown = _sum(entry, "price"), _short(entry)
    if entry["mine"]:
        head = phrase("affairs.match-mine", id=shown, person=entry["student"], sum=price)
    else:
        head = phrase("affairs.match", id=shown, person=entry["tutor"], sum=price)
    return [_joined(head, _when(entry), phrase("affairs.match-taken") if entry["accepted"] else "")]


def _balance(entry: Entry) -> list[str]:
    state = term("balance", entry["state"])
    return [phrase("affairs.balance", free=_sum(entry, "free"), locked=_sum(entry, "locked"), state=state)]


def _signed(entry: Entry) -> list[str]:
    kind, status, hubs = entry["kind"], term("status", entry["status"]), entry["hubs"]
    if hubs > 1:
        line = phrase("affairs.action-at", kind=kind, id=_short(entry), status=status, hubs=hubs)
    else:
        line = phrase("affairs.action", kind=kind, id=_short(entry), status=status)
    reason = entry["reason"]
    if not reason:
        return [line]
    return [line, term("settlement", reason) if reason in set(SettlementState) else words(reason)]


def _move(entry: Entry) -> list[str]:
    shown, lesson = _short(entry), _short(entry, "lesson")
    head = phrase("affairs.move-mine" if entry["mine"] else "affairs.move", id=shown, lesson=lesson)
    return [_joined(head, _when(entry))]


def _percent(points: int) -> str:
    return f"{points / 100:g}"  # of basis points


def _dispute(entry: Entry) -> list[str]:
    lesson, state = _short(entry, "lesson"), term("dispute", entry["state"])
    head = phrase("affairs.dispute", lesson=lesson, person=entry["by"], state=state)
    end = "" if entry["points"] is None else phrase("affairs.dispute-end", percent=_percent(entry["points"]))
    offers = [
        phrase("affairs.dispute-offer", person=offer["by"], percent=_percent(offer["points"]), id=_short(offer))
        for offer in entry["offers"]
    ]
    return [_joined(head, end), *offers]


def _class(entry: Entry) -> list[str]:
    price, shown = _sum(entry, "price"), _short(entry)
    if entry["mine"]:
        head = phrase("affairs.class-mine", id=shown, sum=price)
    else:
        head = phrase("affairs.class", id=shown, person=entry["tutor"], sum=price)
    people = phrase("affairs.class-attended", people=entry["attended"])
    settled = phrase("affairs.class-settled", people=entry["settled"]) if entry["settled"] else ""
    waiting = [phrase("affairs.class-waiting", people=listed(entry["waiting"]))] if entry["waiting"] else []
    return [_joined(head, _when(entry), people, settled), *waiting]


def _earmark(entry: Entry) -> list[str]:
    return [
        phrase(
            "affairs.earmark", id=_short(entry), sum=_sum(entry, "amount"), student=entry["student"],
            tutor=entry["tutor"], left=_sum(entry, "left"), time=time_of(entry["until"]),
            state=term("earmark", entry["state"]),
        )
    ]  # fmt: skip


def _recovery(entry: Entry) -> list[str]:
    head = phrase("affairs.recovery", id=_short(entry), key=entry["key"], person=entry["person"])
    approved = [phrase("affairs.recovery-approved", people=listed(entry["approved"]))] if entry["approved"] else []
    return [head, *approved]


_LINES: dict[str, Callable[[Entry], list[str]]] = {
    "lessons": _lesson,
    "requests": _request,
    "matches": _match,
    "balances": _balance,
    "outbox": _signed,
    "moves": _move,
    "disputes": _dispute,
    "classes": _class,
    "earmarks": _earmark,
    "recoveries": _recovery,
}
