"""Offers, requests and matches."""

from builders import Village

from hubd.fold.folder import fold


def _people(village: Village):
    return [village.register("ana"), village.register("tomas")]


def _offer(village: Village, *actions, tutor: str = "tomas"):
    views = fold(village.charter, [*_people(village), *actions])
    return views.offers.get((village.principal(tutor), village.hours))


def test_the_version_that_nothing_replaced_rules():
    village = Village()
    first = village.offer("tomas", 50)
    second = village.offer("tomas", 60, previous=first)
    assert _offer(village, second, first).rate == 60


def test_of_concurrent_versions_the_smallest_id_rules():
    village = Village()
    first = village.offer("tomas", 50)
    rivals = [village.offer("tomas", rate, previous=first) for rate in (60, 70, 80)]
    ruling = min(rivals, key=lambda action: action.id)
    assert _offer(village, first, *rivals).id == ruling.id


def test_a_version_whose_predecessor_is_not_here_is_a_version():
    village = Village()
    first = village.offer("tomas", 50)
    assert _offer(village, village.offer("tomas", 60, previous=first)).rate == 60


def test_offers_are_one_for_each_asset():
    village = Village()
    actions = [village.offer("tomas", 50), village.offer("tomas", 9, asset=None)]
    views = fold(village.charter, [*_people(village), *actions])
    assert {asset: offer.rate for (_, asset), offer in views.offers.items()} == {village.hours: 50, None: 9}


def test_a_withdrawn_offer_is_gone_until_a_newer_version():
    village = Village()
    first = village.offer("tomas", 50)
    withdraw = village.offer_withdraw("tomas", first)
    assert _offer(village, first, withdraw) is None
    assert _offer(village, first, village.offer_withdraw("ana", first)).rate == 50
    assert _offer(village, first, withdraw, village.offer("tomas", 60, previous=first)).rate == 60


def test_nobody_replaces_anothers_offer():
    village = Village()
    first = village.offer("tomas", 50)
    foreign = village.offer("ana", 1, previous=first)
    assert _offer(village, first, foreign).rate == 50
    assert fold(village.charter, [*_people(village), first, foreign]).void[foreign.id].reason == "subject"


def test_a_lesson_names_the_match_it_came_from():
    village = Village()
    request = village.request("ana")
    match = village.match_offer("tomas", request)
    books = [village.book("ana", "tomas", subject=match.id), village.book("ana", "tomas")]
    lessons = fold(village.charter, [*_people(village), *books]).lessons
    assert [lessons[book.id].match for book in books] == [match.id, None]


def test_a_request_is_open_matched_or_closed_by_its_student():
    village = Village()
    request = village.request("ana")
    match = village.match_offer("tomas", request)
    accept = village.match_accept("ana", match)
    close = village.request_close("ana", request)

    def state(*actions):
        return fold(village.charter, [*_people(village), request, *actions]).requests[request.id].state

    assert state() == "open"
    assert state(match) == "open"
    assert state(accept) == "open"
    assert state(match, accept) == "matched"
    assert state(match, accept, close) == "closed"
    assert state(village.request_close("tomas", request)) == "open"


def test_a_booking_on_the_same_terms_accepts_an_offer():
    village = Village()
    request = village.request("ana")
    match = village.match_offer("tomas", request, price=60)

    def accepted(book):
        return fold(village.charter, [*_people(village), request, match, book]).matches[match.id].accepted

    assert accepted(village.book("ana", "tomas", 60, subject=match.id))
    assert not accepted(village.book("ana", "tomas", 61, subject=match.id))
    assert not accepted(village.book("ana", "tomas", 60, minutes=30, subject=match.id))
    assert not accepted(village.book("ana", "lou", 60, subject=match.id))
    assert not accepted(village.book("tomas", "lou", 60, subject=match.id))


def test_an_acceptance_repeats_the_terms_and_comes_from_the_student():
    village = Village()
    request = village.request("ana")
    match = village.match_offer("tomas", request)
    cheaper, foreign = village.match_accept("ana", match, amount=1), village.match_accept("tomas", match)
    views = fold(village.charter, [*_people(village), request, match, cheaper, foreign])
    assert not views.matches[match.id].accepted
    assert (views.void[cheaper.id].reason, views.void[foreign.id].reason) == ("terms", "not-party")


def test_a_match_shows_once_its_request_is_here():
    village = Village()
    request = village.request("ana")
    match = village.match_offer("tomas", request)
    views = fold(village.charter, [*_people(village), match])
    assert not views.matches
    assert not views.void
