"""From what a person says to a statement: fields by the table of kinds, and the rest from what the action is about.

`do lesson-confirm lesson=3fa2` is enough: who, price, asset and start are repeated from the lesson
(`hubd/phone/fillers.py`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hubd.action.kinds import KINDS, LOCKS, NEEDS_GUARDIAN, Kind
from hubd.action.statement import Statement
from hubd.errors import RemoteError
from hubd.phone.fillers import FILLERS, About, Columns
from hubd.phone.forms import FORMS
from hubd.phone.words import Words, wrong

TEXT_FIELDS = ("note", "text", "name")
"""Fields that become the action's content."""
_SUBJECTS_APART = frozenset(("earmark", "pool"))  # the match is said beside who pays for it
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
    **dict.fromkeys(("action", "add", "class", "earmark", "move", "pool", "recovery"), _ID),
    **dict.fromkeys(("who", "tutor", "student", "person", "home", "key", "sponsor"), _PERSON),
    **dict.fromkeys(("amount", "price", "rate", "ceiling", "sum", "cap", "stars", "points", "threshold"), _SUM),
    "asset": Field("asset", Words.asset),
    **dict.fromkeys(("moment", "start", "until", "time"), _MOMENT),
    "week": Field("moment", Words.week),
    "days": Field("moment", Words.days),
    **dict.fromkeys(("bits", "roles", "tags", "reason", "slot"), _BITS),
    "scopes": Field("bits", Words.scopes),
    "minutes": Field("bits", _bounded(12, 0)),
    "lock": _flag(LOCKS),
    "guardian": _flag(NEEDS_GUARDIAN),
    "subjects": Field("bits", Words.subjects),
    "level": Field("bits", _bounded(8, 32)),
    "language": Field("bits", _bounded(16, 40)),
}


def read(kind_name: str, said: Mapping[str, str], words: Words) -> tuple[Kind, Columns]:
    """The kind and the columns that a person's words fill. Raises `RemoteError`: `kind` or `field`."""
    kind = KINDS.get(kind_name)
    if kind is None:
        raise RemoteError("kind", f"no kind is called {kind_name!r}", hint="`hubd phone kinds` lists them")
    if kind.name in _NOT_BY_THIS_KEY:
        lines = "; ".join(words.charter.helplines) or "somebody you trust"
        raise RemoteError("kind", "a call for help is not signed with one's own key", hint=f"call {lines}")
    if kind.name not in FORMS:
        raise RemoteError("kind", f"a {kind.name} is not signed on a phone", hint="`hubd phone kinds` lists what is")
    columns: Columns = {}
    for name, text in said.items():
        field = FIELDS.get(name)
        if name in TEXT_FIELDS:
            _check_words(kind)
            continue
        if field is None:
            raise wrong(f"there is no field {name!r}", "fields are: " + ", ".join(sorted((*FIELDS, *TEXT_FIELDS))))
        if name == "match" and _SUBJECTS_APART & set(said):
            continue
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
    filler = FILLERS.get(kind.name)
    return filler(about, columns) if filler else columns


def check(kind: Kind, statement: Statement) -> None:
    """Refuse to sign what every hub would call void."""
    for column in kind.broken_columns(statement):
        meaning = kind.columns[column].meaning
        if meaning:
            said = FORMS[kind.name].fields if kind.name in FORMS else tuple(FIELDS)
            words = [name for name in said if name in FIELDS and FIELDS[name].column == column]
            raise wrong(
                f"{kind.name} needs {meaning}", f"say it with one of: {', '.join(words) or ', '.join(TEXT_FIELDS)}"
            )
        raise wrong(f"{kind.name} takes no {column}", "leave it out")
