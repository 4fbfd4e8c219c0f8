"""Which of two receipts of one hub is the later one: a stick or a pocket may bring them in any order, and again.

Within one database what a hub has only grows, so more is later. A hub may also truly have less than it once said: its
card was lost, or a copy of it from last month was put back. Such a receipt looks as an old one does, so it is not
believed for that reason; but the reader begins a new *round*, whose number its own receipt carries. Who has heard the
new round says so, and its word counts before every word of a round before: no receipt that somebody kept is of it.
"""

from collections.abc import Collection
from enum import Enum

from hubd.action.principal import Principal
from hubd.post.receipt import Receipt


class Belief(Enum):
    """What becomes of a receipt."""

    LATER = "later"
    OLD = "old"
    DOUBTED = "doubted"  # it says less in the present round: a new one tells whether that is true


def believe(said: Receipt, known: Receipt | None, past: Collection[bytes], us: Principal, own_round: int) -> Belief:
    """What becomes of `said`, where `known` is believed so far; `past` are databases which that hub had before."""
    if known is None:
        return Belief.LATER
    heard, heard_before = _round(said, us, own_round), _round(known, us, own_round)
    if heard != heard_before:
        return Belief.LATER if heard > heard_before else Belief.OLD
    if said.place.epoch == known.place.epoch:
        is_later = _measure(said, us) >= _measure(known, us)
    else:  # a new card has nothing of ours at first; who claims more on a card we never heard of is not believed at once
        is_later = said.place.epoch not in past and _of_ours(said, us) <= _of_ours(known, us)
    if is_later:
        return Belief.LATER
    return Belief.DOUBTED if heard == own_round else Belief.OLD


def _round(said: Receipt, us: Principal, own_round: int) -> int:
    """The round of ours that its writer had heard; one that we never began, as far as we remember, is none."""
    heard = said.heard.get(us, 0)
    return heard if heard <= own_round else 0


def _of_ours(said: Receipt, us: Principal) -> int:
    place = said.has.get(us)
    return place.sequence if place is not None else 0


def _measure(said: Receipt, us: Principal) -> tuple[int, int, int]:
    """What grows from one receipt to the next. At one place the count only falls: what rotted left the set, and then the
    hub wants again what it had of ours.
    """
    return said.place.sequence, -said.count, _of_ours(said, us)
