"""From what a person says to a statement: fields by the table of kinds, and the rest from what the action is about.

`do lesson-confirm lesson=3fa2` is enough: who, price, asset and start are repeated from the lesson, because the contract
compares them. What a person says always wins over what is filled in.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hubd.action.kinds import DRAWS_ON_EARMARK, DRAWS_ON_POOL, KINDS, LOCKS, MINUTES_MASK, NEEDS_GUARDIAN, Kind
from hubd.action.principal import Principal
from hubd.action.sip018 import NO_ID, ActionId
from hubd.action.statement import Statement
from hubd.errors import RemoteError
from hubd.fold.views import Lesson, Views
from hubd.phone.words import Words, wrong

Columns = dict[str, Any]
TEXT_FIELDS = ("note", "text", "name")
"""Fields that become the action's content."""
_NOT_BY_THIS_KEY = frozenset(("safety-post",))  # a one-time author's, sealed to officers (decisions, D16)


@dataclass(frozen=True)
class Field:
    """A word people use: the column it fills and how it is read. Those of `bits` are joined."""

    column: str
    read: Callable[[Words, str], Any]


def _flag(bit: int) -> Field:
    return Field("bits", lambda words, text: bit if words.yes(text) else 0)


def _bounded(bits: int, shift: int) -> Callable[[Words, str], int]:
    def read(words: Words, text: str) -> int:
        value = words.number(text)
        if value >> bits:
            raise wrong(f"{text!r} is too large", f"at most {(1 << bits) - 1}")
        return value << shift

    return read


_ID = Field("subject", Words.action_id)
_PERSON = Field("who", Words.person)
_SUM = Field("amount", Words.number)
_MOMENT = Field("moment", Words.moment)
_BITS = Field("bits", Words.number)
FIELDS: dict[str, Field] = {
    **dict.fromkeys(("subject", "lesson", "request", "match", "offer", "about"), _ID),
    **dict.fromkeys(("who", "tutor", "student", "person", "home"), _PERSON),
    **dict.fromkeys(("amount", "price", "rate", "ceiling", "sum", "stars", "points"), _SUM),
    "asset": Field("asset", Words.asset),
    **dict.fromkeys(("moment", "start", "until", "time"), _MOMENT),
    "week": Field("moment", Words.week),
    **dict.fromkeys(("bits", "roles", "tags", "reason", "scopes"), _BITS),
    "minutes": Field("bits", _bounded(12, 0)),
    "lock": _flag(LOCKS),
    "guardian": _flag(NEEDS_GUARDIAN),
    "earmark": _flag(DRAWS_ON_EARMARK),
    "pool": _flag(DRAWS_ON_POOL),
    "subjects": Field("bits", Words.subjects),
    "level": Field("bits", _bounded(8, 32)),
    "language": Field("bits", _bounded(16, 40)),
}


@dataclass(frozen=True)
class About:
    """What the fillers look at. `lesson_id` is what `subject` means as a lesson: an attendance stands for its lesson."""

    views: Views
    me: Principal
    words: Words
    said: Mapping[str, str]
    lesson_id: ActionId

    def lesson(self) -> Lesson:
        """The lesson it is about."""
        found = self.views.lessons.get(self.lesson_id)
        if found is None:
            raise wrong("this phone knows no such lesson", "sync first, then take the id from `show`")
        return found

    def other(self) -> Principal:
        """The other side of the lesson."""
        lesson = self.lesson()
        return lesson.tutor if lesson.student == self.me else lesson.student


def _of_request(about: About, given: Columns) -> Columns:
    request = about.views.requests.get(given.get("subject", NO_ID))
    return given if request is None else {"who": request.student, "asset": request.asset, **given}


def _of_match(about: About, given: Columns) -> Columns:
    match = about.views.matches.get(given.get("subject", NO_ID))
    if match is None:
        return given
    terms = {"who": match.tutor, "amount": match.price, "asset": match.asset, "moment": match.start}
    return {**terms, "bits": match.minutes & MINUTES_MASK, **given}


def _of_booking(about: About, given: Columns) -> Columns:
    """A match's terms, and the promise: one signature books and locks the price, unless `lock=no`."""
    filled = _of_match(about, given)
    agreed = _of_match(about, {"subject": given.get("subject", NO_ID)}).get("bits", 0)
    bits = filled.get("bits", 0) if "minutes" in about.said else filled.get("bits", 0) | agreed
    if filled.get("amount", 0) > 0 and not {"lock", "bits"} & set(about.said):
        bits |= LOCKS
    return {**filled, "bits": bits}


def _of_lesson(about: About, given: Columns) -> Columns:
    """The tutor's confirmation repeats what was booked."""
    lesson = about.lesson()
    terms = {"who": lesson.student, "amount": lesson.price, "asset": lesson.asset, "moment": lesson.start}
    return {**terms, "bits": 1, **given}


def _other_side(about: About, given: Columns) -> Columns:
    return given if "who" in given else {"who": about.other(), **given}


def _attendance(about: About, given: Columns) -> Columns:
    return {"moment": about.words.now, **_other_side(about, given)}


def _previous_offer(about: About, given: Columns) -> Columns:
    previous = about.views.offers.get((about.me, given.get("asset")))
    return given if previous is None else {"subject": previous.id, **given}


def _vouch(_about: About, given: Columns) -> Columns:
    return {"bits": 1, **given}


_FILLERS: dict[str, Callable[[About, Columns], Columns]] = {
    "vouch-give": _vouch,
    "offer-set": _previous_offer,
    "match-offer": _of_request,
    "match-accept": _of_match,
    "lesson-book": _of_booking,
    "lesson-confirm": _of_lesson,
    **dict.fromkeys(
        ("lesson-decline", "lesson-move", "lesson-cancel", "lesson-complete", "rating-seal", "rating-open",
         "dispute-open", "dispute-evidence"),
        _other_side,
    ),
    "lesson-attend": _attendance,
}  # fmt: skip


def read(kind_name: str, said: Mapping[str, str], words: Words) -> tuple[Kind, Columns]:
    """The kind and the columns that a person's words fill. Raises `RemoteError`: `kind` or `field`."""
    kind = KINDS.get(kind_name)
    if kind is None:
        raise RemoteError("kind", f"no kind is called {kind_name!r}", hint="`hubd phone kinds` lists them")
    if kind.name in _NOT_BY_THIS_KEY:
        lines = "; ".join(words.charter.helplines) or "somebody you trust"
        raise RemoteError("kind", "a call for help is not signed with one's own key", hint=f"call {lines}")
    columns: Columns = {}
    for name, text in said.items():
        field = FIELDS.get(name)
        if name in TEXT_FIELDS:
            _check_words(kind)
            continue
        if field is None:
            raise wrong(f"there is no field {name!r}", "fields are: " + ", ".join(sorted((*FIELDS, *TEXT_FIELDS))))
        value = field.read(words, text)
        columns[field.column] = columns.get("bits", 0) | value if field.column == "bits" else value
    money = kind.columns["asset"].meaning and columns.get("amount", 0) > 0
    if money and "asset" not in columns and words.charter.money == "hours":
        columns["asset"] = dict(words.charter.assets).get("hours")
    return kind, columns


def _check_words(kind: Kind) -> None:
    """Words that only some people may read are not written where all can."""
    if "sealed" in kind.columns["content"].meaning:
        raise wrong(f"the words of a {kind.name} are for few people", "leave them out here, and say them in person")


def fill(kind: Kind, columns: Columns, about: About) -> Columns:
    """The columns, completed from what the action is about."""
    filler = _FILLERS.get(kind.name)
    return filler(about, columns) if filler else columns


def check(kind: Kind, statement: Statement) -> None:
    """Refuse to sign what every hub would call void."""
    for column in kind.broken_columns(statement):
        meaning = kind.columns[column].meaning
        if meaning:
            words = [name for name, field in FIELDS.items() if field.column == column]
            raise wrong(
                f"{kind.name} needs {meaning}", f"say it with one of: {', '.join(words) or ', '.join(TEXT_FIELDS)}"
            )
        raise wrong(f"{kind.name} takes no {column}", "leave it out")
