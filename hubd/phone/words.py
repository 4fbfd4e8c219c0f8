"""How people write the fields of an action: addresses, sums, times, week grids, subjects, ids by their first characters.

Every reader raises `RemoteError("field")` or a code of its own, with a hint that says what would be right.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from hubd.action.charter import Charter
from hubd.action.kinds import Scope
from hubd.action.principal import Principal, check_principal, parse_address
from hubd.action.sip018 import ActionId
from hubd.errors import RemoteError
from hubd.fold.keys import SCOPES_ALL
from hubd.limits import INTEGER_MAX

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SLOTS = 8  # two hours each, from 06:00 to 22:00
_YES, _NO = ("yes", "true", "1", "on"), ("no", "false", "0", "off")
_SCOPES = {"all": SCOPES_ALL, **{scope.name.lower(): int(scope) for scope in Scope if scope.name}}
_ID_CHARS_MIN = 4
_ID_CHARS = 64
_DIGITS_MAX = 30  # with underscores; the largest number has 19


def wrong(what: str, hint: str) -> RemoteError:
    """The error for a field that cannot be understood."""
    return RemoteError("field", what, hint=hint)


def beginnings(said: Iterable[str]) -> set[str]:
    """Words that may be the first digits of an id, in lower case."""
    digits = (text.strip().lower() for text in said)
    return {text for text in digits if re.fullmatch(rf"[0-9a-f]{{{_ID_CHARS_MIN},{_ID_CHARS - 1}}}", text)}


@dataclass(frozen=True)
class Words:
    """The words one phone understands. `people` are names this phone knows, in lower case; `now` is Unix seconds.

    `ids` are those that begin as something that was said (`beginnings`): two for one beginning tell that it is too short.
    """

    charter: Charter
    people: Mapping[str, Principal]
    ids: Iterable[ActionId]
    now: int

    def person(self, text: str) -> Principal:
        """A name this phone knows, or an address."""
        known = self.people.get(text.strip().lower())
        if known is not None:
            return known
        try:
            return check_principal(parse_address(text.strip()), self.charter.network)
        except RemoteError as error:
            raise wrong(
                f"{text!r} is nobody this phone knows and no address", "write an address (ST...), or a name from `show`"
            ) from error

    def action_id(self, text: str) -> ActionId:
        """An id of 64 hexadecimal digits, or the first ones of a known action's."""
        digits = text.strip().lower()
        if not re.fullmatch(r"[0-9a-f]+", digits) or len(digits) > _ID_CHARS:
            raise wrong(f"{text!r} is no id", "an id is written in the digits 0-9 and a-f; its first eight are enough")
        if len(digits) == _ID_CHARS:
            return ActionId(bytes.fromhex(digits))
        found = [each for each in self.ids if each.hex().startswith(digits)] if len(digits) >= _ID_CHARS_MIN else []
        if len(found) != 1:
            said = "more than one action here begins so" if found else "no action here begins so"
            raise wrong(f"{text!r}: {said}", "write more of its characters, as `show` gives them, or sync first")
        return found[0]

    def asset(self, text: str) -> Principal | None:
        """A short name of the charter ("hours", "stx"), or a token contract's address."""
        name = text.strip()
        if "." in name:
            return self.person(name)
        try:
            return self.charter.asset(name.lower())
        except RemoteError as error:
            names = ", ".join(("stx", *(short for short, _ in self.charter.assets)))
            raise RemoteError(error.code, error.detail, hint=f"this mesh has {names}") from error

    def number(self, text: str) -> int:
        """A whole number."""
        said = text.strip()
        if not re.fullmatch(r"[0-9]+(_[0-9]+)*", said) or len(said) > _DIGITS_MAX or int(said) > INTEGER_MAX:
            raise wrong(f"{text!r} is no whole number", "write digits only: of hours 100 make one, of stx 1000000")
        return int(said)

    def moment(self, text: str) -> int:
        """Unix seconds of `now`, of 2026-12-01T15:00 (UTC unless it says otherwise), or written as such."""
        said = text.strip()
        if said == "now":
            return self.now
        if said.isdigit():
            return self.number(said)
        try:
            at = datetime.fromisoformat(said)
            seconds = int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())
        except (ValueError, OverflowError) as error:
            raise wrong(f"{text!r} is no time", "write 2026-12-01T15:00, or now") from error
        if seconds < 0:
            raise wrong(f"{text!r} is long past", "write 2026-12-01T15:00, or now")
        return seconds

    def week(self, text: str) -> int:
        """A grid of 7 days by 8 slots of two hours from 06:00: "mon1,tue5-6,sat" (a day alone is all of it)."""
        grid = 0
        for part in text.lower().split(","):
            match = re.fullmatch(r"\s*([a-z]{3})(?:([1-8])(?:-([1-8]))?)?\s*", part)
            if not match or match[1] not in _DAYS:
                raise wrong(f"{part!r} is no part of a week", "write mon1,tue5-6,sat: slot 1 is 6 to 8 in the morning")
            first = int(match[2] or 1)
            last = int(match[3] or match[2] or _SLOTS)
            for slot in range(first, last + 1):
                grid |= 1 << (_DAYS.index(match[1]) * _SLOTS + slot - 1)
        return grid

    def days(self, text: str) -> int:
        """Whole days, in seconds."""
        return min(self.number(text) * 86_400, INTEGER_MAX)

    def scopes(self, text: str) -> int:
        """What a key may do: areas such as "lesson,money", "all" for whatever its person may, or a number."""
        if re.fullmatch(r"\s*[0-9_]+\s*", text):
            return self.number(text)
        mask = 0
        for part in text.lower().split(","):
            scope = _SCOPES.get(part.strip())
            if scope is None:
                raise wrong(f"{part!r} is nothing a key may do", "write one or more of: " + ", ".join(_SCOPES))
            mask |= scope
        return mask

    def subjects(self, text: str) -> int:
        """A mask of the charter's subjects, by name or by number from 0."""
        mask = 0
        names = [subject.lower() for subject in self.charter.subjects]
        for part in text.split(","):
            name = part.strip().lower()
            number = names.index(name) if name in names else int(name) if re.fullmatch(r"[0-9]{1,2}", name) else -1
            if not 0 <= number < 32:
                raise wrong(f"{part!r} is no subject here", "the charter names: " + ", ".join(names))
            mask |= 1 << number
        return mask

    def yes(self, text: str) -> bool:
        """Yes or no."""
        said = text.strip().lower()
        if said not in _YES + _NO:
            raise wrong(f"{text!r} is neither yes nor no", "write yes or no")
        return said in _YES
