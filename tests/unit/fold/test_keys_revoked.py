"""What a revoked key signed: what shows that it is older than the theft, and what shows nothing."""

from builders import Village
from keyrings import Ana

from hubd.action.envelope import Action


def _revoked(ana: Ana) -> None:
    ana.add("phone")
    ana.revoke("ana", by="phone")


def test_an_action_by_a_revoked_key_is_void_when_nothing_shows_its_age():
    ana = Ana()
    request = ana.village.request("ana")
    _revoked(ana)
    views = ana.do(request).views()
    assert views.void[request.id].reason == "revoked"
    assert not views.requests


def test_it_counts_once_the_chain_took_it():
    ana = Ana()
    book = ana.village.book("ana", "tomas")
    _revoked(ana)
    receipt = ana.village.receipt("hub", [(book, 0)])
    views = ana.do(book, *ana.village.found("hub", uplink=True), receipt).views()
    assert views.lessons[book.id].student == ana.village.principal("ana")


def test_it_counts_once_another_persons_live_key_refers_to_it():
    ana = Ana()
    book = ana.village.book("ana", "tomas")
    _revoked(ana)
    confirm = ana.village.confirm("tomas", book)
    vouch = ana.village.vouch("steward-1", "tomas")
    assert not ana.do(book, confirm, vouch).views().lessons
    assert ana.do(ana.village.register("tomas")).views().lessons[book.id].state == "confirmed"
    assert not ana.do(ana.village.vouch_withdraw("steward-1", vouch)).views().lessons


def test_a_thiefs_own_newcomers_show_nothing_even_when_they_vouch_for_one_another():
    ana = Ana()
    village = ana.village
    book = village.book("ana", "sybil")
    _revoked(ana)
    ana.do(book, village.register("sybil"), village.register("twin"), village.confirm("sybil", book))
    assert ana.views().void[book.id].reason == "revoked"
    ana.do(village.vouch("twin", "sybil"), village.vouch("sybil", "twin"), village.vouch("ana", "sybil"))
    assert ana.views().void[book.id].reason == "revoked"


def test_who_refers_is_known_by_the_chain_by_a_steward_or_by_one_whom_these_know():
    def ways(v: Village) -> list[list[Action]]:
        registered, teacher = v.register("tomas"), v.register("teacher")
        hub = v.found("hub", uplink=True)
        return [
            [registered, *hub, v.receipt("hub", [(registered, 0)])],
            [registered, v.vouch("steward-2", "tomas")],
            [registered, teacher, v.vouch("steward-2", "teacher"), v.vouch("teacher", "tomas")],
            [registered, teacher, *hub, v.receipt("hub", [(teacher, 0)]), v.vouch("teacher", "tomas")],
        ]

    for number in range(4):
        ana = Ana()
        book = ana.village.book("ana", "tomas")
        _revoked(ana)
        way = ways(ana.village)[number]
        ana.do(book, ana.village.confirm("tomas", book), *way[:-1])
        assert not ana.views().lessons
        assert ana.do(way[-1]).views().lessons[book.id].state == "confirmed"


def test_a_revoked_key_erases_nothing():
    ana = Ana()
    request = ana.village.request("phone", text={"note": "fractions"})
    erase = ana.village.seal("ana", "content-erase", subject=request)
    _revoked(ana)
    views = ana.do(request, erase).views()
    assert not views.erased
    assert views.void[erase.id].reason == "revoked"
    assert ana.do(ana.village.seal("phone", "content-erase", subject=request)).views().erased


def test_a_reference_that_would_be_void_shows_nothing():
    ana = Ana()
    book = ana.village.book("ana", "tomas")
    _revoked(ana)
    foreign = ana.village.confirm("lou", book)
    lou = [ana.village.register("lou"), ana.village.vouch("steward-1", "lou")]
    assert not ana.do(book, foreign, *lou).views().lessons
    assert ana.views().void[foreign.id].reason == "subject"


def test_a_reference_by_the_same_person_shows_nothing():
    ana = Ana()
    request = ana.village.request("ana")
    _revoked(ana)
    assert not ana.do(request, ana.village.request_close("phone", request)).views().requests


def test_a_persons_keys_speak_for_one_person():
    ana = Ana()
    village = ana.village
    ana.add("phone")
    book = village.book("phone", "tomas")
    attend = village.attend("ana", book, "tomas")
    confirm = village.confirm("tomas", book, who="ana")
    views = ana.do(village.register("tomas"), book, confirm, attend).views()
    lesson = views.lessons[book.id]
    assert lesson.student == village.principal("ana")
    assert (lesson.state, lesson.attended) == ("confirmed", (True, False))
    assert not views.void
