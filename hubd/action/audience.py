"""Who may see an action besides the village's own people: the one rule that the phones' door and its index share.

An audience is a number, so that an index over a million actions stays small: anybody, guests (every registered person,
at any hub), or one party, who wrote the action or is named in it. What a party's number stands for is never asked back: two
principals of one number would cost each other's phones a look at a few rows, which the door then holds back.
"""

import hashlib
from functools import lru_cache
from typing import NewType

from hubd.action.principal import Principal
from hubd.action.statement import Statement
from hubd.limits import AUTHORS_REMEMBERED_MAX

Audience = NewType("Audience", int)

ANYBODY = Audience(0)
GUESTS = Audience(1)
KEY_KINDS = frozenset(("user-register", "key-add", "key-accept", "key-revoke"))
"""How keys come and go. Guests get their headers: without them nobody could tell who signed what names him."""
_MEMBERSHIP = ("hub-", "steward-")
_RECEIPT = "relay-receipt"  # what the chain did; a `relay-balance` tells how much money people have, and stays at home


@lru_cache(maxsize=AUTHORS_REMEMBERED_MAX)
def party(principal: Principal) -> Audience:
    """The audience of one key."""
    return Audience(int.from_bytes(hashlib.sha256(principal).digest()[:8], "big", signed=True))


def open_to(kind: str) -> Audience | None:
    """Who sees every action of a kind, as a whole or its header; None where only parties do."""
    if kind.startswith(_MEMBERSHIP):
        return ANYBODY
    return GUESTS if kind == _RECEIPT or kind in KEY_KINDS else None


def audiences_of(kind: str, author: Principal, who: Principal | None) -> set[Audience]:
    """All audiences of an action with these fields."""
    found = {party(author)}
    if who is not None:
        found.add(party(who))
    if (shown := open_to(kind)) is not None:
        found.add(shown)
    return found


def audiences(statement: Statement) -> set[Audience]:
    """All audiences of an action."""
    return audiences_of(statement.action, statement.author, statement.who)
