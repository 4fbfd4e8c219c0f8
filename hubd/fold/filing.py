"""Filing: on which shelves an action stands, so that a rule finds it without looking at the set.

Within a shelf actions stand under a key, by author, best rank first. Author comes before everything else because rules
ask for one author's actions at a time: whatever strangers file beside it costs a rule nothing.

- shelf `KIND`, key = subject: every known kind that names one;
- shelf `KIND/by`, key = author; `KIND/who`, key = who; `offer-set/asset`, key = author and asset;
- shelf `relay-receipt/item`, key = id of an item; `relay-balance/row`, key = `row_key`;
- shelf `relay-report/by`, key = author: every receipt and balance that says something.

Receipts and balances are ranked: the highest burn height first, then the highest level or height (docs/protocol.md,
"Kinds": per reporter the highest counts, then the lowest id).
"""

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from hubd.action.content import is_anchored
from hubd.action.envelope import Action, without_content
from hubd.action.kinds import KINDS
from hubd.action.principal import Principal
from hubd.action.sip018 import NO_ID, ActionId
from hubd.fold.anchored import balances_of, is_report, receipt_of

Rank: TypeAlias = tuple[int, ...]
Place: TypeAlias = tuple[str, bytes]  # shelf, key

_BY_AUTHOR = frozenset(
    (
        *("user-register", "key-accept", "guardian-set", "recovery-open"),
        *("hub-announce", "hub-admit", "steward-add", "steward-remove"),
    )
)
_BY_WHO = frozenset(("vouch-give", "recovery-open", "hub-admit"))


def row_key(person: Principal, asset: Principal | None) -> bytes:
    """The key of a balance; the length keeps a contract's name apart from the asset behind it."""
    return bytes([len(person)]) + person + (asset or b"")


def offer_key(author: Principal, asset: Principal | None) -> bytes:
    """The key of an author's offers in one asset."""
    return row_key(author, asset)


def places(action: Action) -> Iterator[tuple[Place, Rank]]:
    """Where an action is filed. Unknown kinds are filed nowhere."""
    statement, kind = action.statement, action.kind
    if kind not in KINDS:
        return
    rank: Rank = (-statement.amount, -statement.bits) if kind == "relay-receipt" else ()
    if statement.subject != NO_ID:
        yield (kind, statement.subject), rank
    if is_report(action):
        yield ("relay-report/by", statement.author), ()
    if kind in _BY_AUTHOR:
        yield (f"{kind}/by", statement.author), ()
    if kind in _BY_WHO and statement.who is not None:
        yield (f"{kind}/who", statement.who), ()
    if kind == "offer-set":
        yield ("offer-set/asset", offer_key(statement.author, statement.asset)), ()
    elif kind == "relay-receipt" and (receipt := receipt_of(action)):
        yield from ((("relay-receipt/item", item), rank) for item in receipt.codes)
    elif kind == "relay-balance" and (report := balances_of(action)):
        rank = (-statement.amount, -report.height)
        yield from ((("relay-balance/row", row_key(*row)), rank) for row in report.rows)


def lacks_content(action: Action) -> bool:
    """Whether an action came without the content that is part of it for ever. The store never hands out such a one."""
    return action.content is None and is_anchored(action.kind)


class Shelves:
    """A `Source` in memory. Content that no rule reads is let go: pictures and texts would fill the memory."""

    def __init__(self) -> None:
        self._actions: dict[ActionId, Action] = {}
        self._shelves: dict[Place, list[tuple[Principal, Rank, ActionId]]] = {}

    def is_news(self, action: Action) -> bool:
        """Whether an action is not here, or brings the anchored content that the one here lacks."""
        known = self._actions.get(action.id)
        return known is None or (lacks_content(known) and action.content is not None)

    def file(self, action: Action) -> list[Place]:
        """Add an action; returns the places that changed, none where it is no news."""
        if not self.is_news(action):
            return []
        known = self._actions.get(action.id)
        filed = dict(places(known)) if known is not None else {}
        self._actions[action.id] = action if is_anchored(action.kind) else without_content(action)
        changed = []
        for place, rank in places(action):
            if place not in filed:
                insort(self._shelves.setdefault(place, []), (action.statement.author, rank, action.id))
            changed.append(place)
        return changed

    def __contains__(self, action_id: object) -> bool:
        return action_id in self._actions

    def __len__(self) -> int:
        return len(self._actions)

    def actions(self) -> Iterator[Action]:
        """Every action, in the order of arrival."""
        return iter(self._actions.values())

    def action(self, action_id: ActionId) -> Action | None:
        """The action, if it is in the set."""
        return self._actions.get(action_id)

    def filed(self, shelf: str, key: bytes, author: Principal) -> Iterator[Action]:
        """One author's actions on a shelf under a key, best rank first, ties by id."""
        row = self._shelves.get((shelf, key), ())
        for index in range(bisect_left(row, (author,)), len(row)):
            if row[index][0] != author:
                return
            yield self._actions[row[index][2]]

    def authors(self, shelf: str, key: bytes) -> Sequence[Principal]:
        """Who has actions on a shelf under a key, sorted."""
        return sorted({author for author, _, _ in self._shelves.get((shelf, key), ())})
