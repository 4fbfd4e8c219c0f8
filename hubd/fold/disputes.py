"""Disputes: what the two of a lesson would settle for, and how it ended on the chain.

Offers and votes are shares of the price for the tutor, in basis points. A dispute is over when a receipt says so: the
other side's offer was taken, both took the mediator's, arbiters agreed, or somebody said that time decides. A person's
offers form a chain that begins at the lesson, and each replaces the one that it is about. Who is a mediator or arbiter
only the chain knows, so of people who are no party only what it took is heeded.
"""

from collections.abc import Iterator

from hubd.action.envelope import Action
from hubd.action.principal import Principal
from hubd.action.sip018 import ActionId
from hubd.fold.lesson_views import Dispute, DisputeOffer, DisputeState
from hubd.fold.read import Read, View
from hubd.fold.settlement import best, is_taken, standing
from hubd.fold.speaking import person_of
from hubd.fold.void import heeded, is_heeded
from hubd.limits import DISPUTE_OFFERS_MAX

_ARBITERS = 3


def _all(kind: str, subject: ActionId, read: Read) -> Iterator[Action]:
    """Everybody's heeded actions of a kind about something."""
    for author in read.authors(kind, subject):
        yield from (action for action in read.filed(kind, subject, author) if is_heeded(action, read))


def _all_offers(lesson: ActionId, read: Read) -> list[Action]:
    """Everybody's offers: those about the lesson, and those that replace one."""
    found = list(_all("dispute-offer", lesson, read))
    for offer in found:  # grows while it is walked
        found.extend(heeded("dispute-offer", offer.id, person_of(offer.statement.author, read), read))
    return found


def _taken(offer: Action, people: tuple[Principal, Principal], read: Read) -> list[Action]:
    """By which statements of the two sides an offer was taken, as the chain says."""
    said = (best(heeded("dispute-accept", offer.id, who, read), read) for who in people)
    return [each for each in said if each is not None and is_taken(each, read)]


def _agreement(
    offers: list[Action], people: tuple[Principal, Principal], read: Read
) -> tuple[int | None, ActionId] | None:
    """The share on which they agreed, and by what: one side's offer that the other took, the mediator's that both did."""
    for offer in sorted(offers, key=lambda each: each.id):
        takers = _taken(offer, people, read)
        if len(takers) > (person_of(offer.statement.author, read) not in people):
            return offer.statement.amount, min(each.id for each in takers)
    return None


def _verdict(lesson: ActionId, read: Read) -> tuple[int | None, ActionId] | None:
    """The median of the votes once no further one can change it, and a vote."""
    votes = [vote for vote in _all("dispute-vote", lesson, read) if is_taken(vote, read)]
    shares = sorted(vote.statement.amount for vote in votes)
    is_decided = len(shares) == _ARBITERS or (len(shares) > 1 and shares[0] == shares[1])
    return (shares[1], min(vote.id for vote in votes)) if is_decided else None


def _by_time(lesson: ActionId, read: Read) -> tuple[int | None, ActionId] | None:
    """That somebody said that time decides. Into which shares, the balances tell."""
    ends = [each.id for each in _all("dispute-settle", lesson, read) if is_taken(each, read)]
    return (None, min(ends)) if ends else None


def _offers(offers: list[Action], people: tuple[Principal, Principal], read: Read) -> Iterator[DisputeOffer]:
    """Of each person's the newest, which nothing replaced: what waits, and of others what the chain took."""
    shown = [
        offer
        for offer in standing(offers, read)
        if person_of(offer.statement.author, read) in people or is_taken(offer, read)
    ]
    replaced = {offer.statement.subject for offer in shown}
    by_person: dict[Principal, list[Action]] = {}
    for offer in shown:
        if offer.id not in replaced:
            by_person.setdefault(person_of(offer.statement.author, read), []).append(offer)
    for by in sorted(by_person):
        for offer in sorted(by_person[by], key=lambda each: each.id)[:DISPUTE_OFFERS_MAX]:
            yield DisputeOffer(offer.id, by, offer.statement.amount)


def _dispute(lesson: ActionId, read: Read) -> Dispute | None:
    book = read.action(lesson)
    if book is None or book.statement.who is None or not is_heeded(book, read):
        return None
    people = (person_of(book.statement.author, read), book.statement.who)
    opening = best(standing((each for who in people for each in heeded("dispute-open", lesson, who, read)), read), read)
    if opening is None:
        return None
    offers = _all_offers(lesson, read)
    over = _agreement(offers, people, read) or _verdict(lesson, read) or _by_time(lesson, read)
    return Dispute(
        lesson=lesson,
        opening=opening.id,
        opener=person_of(opening.statement.author, read),
        reason=opening.statement.bits,
        offers=tuple(_offers(offers, people, read)),
        state=DisputeState.SETTLED if over is not None else DisputeState.OPEN,
        points=over[0] if over is not None else None,
        end=over[1] if over is not None else None,
    )


DISPUTES: View[ActionId, Dispute] = View(
    "disputes", _dispute, {"dispute-open": lambda action, _: (action.statement.subject,)}
)
