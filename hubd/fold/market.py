"""The market: what tutors offer, what students ask for, and which of the two found each other."""

from collections.abc import Iterator

from hubd.action.envelope import Action
from hubd.action.kinds import MINUTES_MASK
from hubd.action.principal import Principal
from hubd.action.sip018 import ActionId
from hubd.fold.filing import offer_key
from hubd.fold.keys import keys_of
from hubd.fold.lesson_checks import same_terms
from hubd.fold.read import Read, Tally, View
from hubd.fold.settlement import standing
from hubd.fold.speaking import person_of
from hubd.fold.versions import ruling
from hubd.fold.views import Match, Offer, Request, RequestState
from hubd.fold.void import heeded, is_heeded


def _offer(key: tuple[Principal, Principal | None], read: Read) -> Offer | None:
    """The ruling version among those that nothing replaced, the tutor did not withdraw and the chain did not refuse."""
    tutor, asset = key
    all_of_them = (
        action
        for author in keys_of(tutor, read)
        for action in read.filed("offer-set/asset", offer_key(author, asset), author)
    )
    versions = standing((action for action in all_of_them if is_heeded(action, read)), read)
    replaced = {version.statement.subject for version in versions}
    stands = [
        version
        for version in versions
        if version.id not in replaced and not heeded("offer-withdraw", version.id, tutor, read)
    ]
    if not stands:
        return None
    head = ruling(stands)
    said = head.statement
    return Offer(head.id, tutor, asset, rate=said.amount, week=said.moment, bits=said.bits)


def _tutor_asset(action: Action, read: Read) -> Iterator[tuple[Principal, Principal | None]]:
    yield person_of(action.statement.author, read), action.statement.asset


OFFERS: View[tuple[Principal, Principal | None], Offer] = View("offers", _offer, {"offer-set": _tutor_asset})


def _is_same_lesson(book: Action, match: Action, tutor: Principal) -> bool:
    """Whether a booking takes a tutor's offer as it is."""
    minutes = book.statement.bits & MINUTES_MASK
    return book.statement.who == tutor and same_terms(book, match) and minutes == match.statement.bits


def _match(match_id: ActionId, read: Read) -> Match | None:
    action = read.action(match_id)
    request = read.action(action.statement.subject) if action is not None else None
    if action is None or request is None or not is_heeded(action, read):
        return None
    said = action.statement
    tutor, student = person_of(said.author, read), person_of(request.statement.author, read)
    books = heeded("lesson-book", match_id, student, read)
    accepted = any(_is_same_lesson(book, action, tutor) for book in books)
    return Match(
        id=match_id,
        request=request.id,
        tutor=tutor,
        student=student,
        price=said.amount,
        asset=said.asset,
        start=said.moment,
        minutes=said.bits,
        accepted=accepted or bool(heeded("match-accept", match_id, student, read)),
    )


MATCHES: View[ActionId, Match] = View("matches", _match, {"match-offer": lambda action, _: (action.id,)})
_TAKEN: Tally[ActionId, int] = Tally(
    "taken", MATCHES, lambda match: ((match.request, (int(match.accepted),)),), lambda _, sums: sums[0], public=False
)


def _request(request_id: ActionId, read: Read) -> Request | None:
    action = read.action(request_id)
    if action is None or not is_heeded(action, read):
        return None
    said = action.statement
    student = person_of(said.author, read)
    closed = bool(heeded("request-close", request_id, student, read))
    taken = read.entry(_TAKEN, request_id)
    return Request(
        id=request_id,
        student=student,
        ceiling=said.amount,
        asset=said.asset,
        week=said.moment,
        bits=said.bits,
        state=RequestState.CLOSED if closed else RequestState.MATCHED if taken else RequestState.OPEN,
    )


REQUESTS: View[ActionId, Request] = View("requests", _request, {"request-open": lambda action, _: (action.id,)})
MARKET_STRATA = (OFFERS, MATCHES, _TAKEN, REQUESTS)
