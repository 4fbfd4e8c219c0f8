"""The words a phone shows: never more than is known, and a reason wherever something is asked of the person."""

from builders import START_S, Village

from hubd.action import cbor, envelope
from hubd.action.envelope import Action
from hubd.action.kinds import NEEDS_GUARDIAN
from hubd.action.principal import address
from hubd.fold.folder import fold
from hubd.phone.outbox import Item
from hubd.phone.show import Screen

VILLAGE = Village(1)
ANA, TOMAS = VILLAGE.principal("ana"), VILLAGE.principal("tomas")
HUB = VILLAGE.principal("hub-a")
PEOPLE = [VILLAGE.register("ana", home="hub-a"), VILLAGE.register("tomas")]
MESH = [*VILLAGE.found("up-1", 1, uplink=True), *VILLAGE.found("up-2", 2, uplink=True)]


def item(action: Action, *hubs: bytes, code: str = "", is_refused: bool = False) -> Item:
    return Item(action.id, envelope.encode(action), code, is_refused, frozenset(hubs))  # type: ignore[arg-type]


def screen(*actions: Action, me: bytes = ANA) -> Screen:
    return Screen(VILLAGE.charter, fold(VILLAGE.charter, [*PEOPLE, *MESH, *actions]), me, {TOMAS: "Tomas"})  # type: ignore[arg-type]


def test_an_action_comes_from_the_phone_to_the_hub() -> None:
    book = VILLAGE.book("ana", "tomas")
    shown = screen(book)
    assert shown.status(item(book), book) == ("on this phone", "")
    assert shown.status(item(book, code="hour"), book) == ("on this phone", "hour")
    assert shown.status(item(book, HUB), book) == ("at the hub", "")


def test_one_operators_claim_is_on_its_way_and_two_agree_that_it_is_done() -> None:
    book = VILLAGE.book("ana", "tomas")
    claim, check = (VILLAGE.receipt(hub, [(book, 0)]) for hub in ("up-1", "up-2"))
    assert screen(book, claim).status(item(book, HUB), book) == ("on its way", "")
    assert screen(book, claim, check).status(item(book, HUB), book) == ("done", "")


def test_what_the_chain_refused_needs_the_person() -> None:
    book = VILLAGE.book("ana", "tomas")
    receipts = [VILLAGE.receipt(hub, [(book, 700)]) for hub in ("up-1", "up-2")]
    assert screen(book, *receipts).status(item(book, HUB), book) == ("needs you", "chain-700")


def test_what_its_own_person_withdrew_asks_nothing_of_anybody() -> None:
    book = VILLAGE.book("ana", "tomas")
    claim, check = (VILLAGE.receipt(hub, [(book, 11)]) for hub in ("up-1", "up-2"))
    assert screen(book, claim).status(item(book, HUB), book) == ("on its way", "")
    assert screen(book, claim, check).status(item(book, HUB), book) == ("withdrawn", "chain-11")
    assert screen(book, claim, check).status(item(book, is_refused=True), book) == ("withdrawn", "chain-11")


def test_a_withdrawal_that_came_too_late_needs_the_person() -> None:
    book = VILLAGE.book("ana", "tomas")
    void = VILLAGE.void("ana", book)
    shown = screen(book, void, *(VILLAGE.receipt(hub, [(book, 0), (void, 13)]) for hub in ("up-1", "up-2")))
    assert shown.status(item(book, HUB), book) == ("done", "")
    assert shown.status(item(void, HUB), void) == ("needs you", "chain-13")


def test_hubs_that_disagree_keep_it_on_its_way() -> None:
    book = VILLAGE.book("ana", "tomas")
    receipts = [VILLAGE.receipt("up-1", [(book, 0)]), VILLAGE.receipt("up-2", [(book, 700)])]
    assert screen(book, *receipts).status(item(book, HUB), book) == ("on its way", "contested")


def test_what_moves_no_money_ends_at_the_hub() -> None:
    request = VILLAGE.request("ana")
    assert screen(request).status(item(request, HUB), request) == ("at the hub", "")


def test_what_no_hub_takes_or_no_rule_allows_needs_the_person() -> None:
    request, foreign = VILLAGE.request("ana"), VILLAGE.request("nobody")
    shown = screen(request, foreign)
    assert shown.status(item(request, code="signature", is_refused=True), request) == ("needs you", "signature")
    assert shown.status(item(foreign, HUB), foreign) == ("needs you", "void-unregistered")


def test_what_expired_before_it_settled_needs_the_person() -> None:
    register, other = VILLAGE.register("late"), VILLAGE.register("other")
    late = register.statement.expires + 1
    for time_s, status in ((register.statement.expires, "at the hub"), (late, "needs you")):
        receipts = [VILLAGE.receipt(hub, [(other, 0)], block_time=time_s) for hub in ("up-1", "up-2")]
        shown = screen(register, other, *receipts)
        assert shown.status(item(register, HUB), register)[0] == status
        assert shown.status(item(other, HUB), other) == ("done", "")


def test_a_lesson_is_seen_from_both_sides() -> None:
    book = VILLAGE.book("ana", "tomas", price=60)
    confirm = VILLAGE.confirm("tomas", book)
    [mine] = screen(book, confirm).lessons()
    [theirs] = screen(book, confirm, me=TOMAS).lessons()
    assert (mine["side"], mine["with"], mine["state"], mine["payment"]) == ("student", "Tomas", "confirmed", "promised")
    assert (theirs["side"], theirs["start"], theirs["asset"]) == ("tutor", START_S, "hours")
    assert screen(book, me=VILLAGE.principal("ben")).lessons() == []


def test_requests_matches_and_balances_are_named_in_words() -> None:
    request = VILLAGE.request("ana", ceiling=90, bits=0b10)
    match = VILLAGE.match_offer("tomas", request)
    balances = [VILLAGE.balance(hub, [("ana", VILLAGE.hours, 5, 60)]) for hub in ("up-1", "up-2")]
    shown = screen(request, match, *balances)
    [seen] = shown.requests()
    assert (seen["subjects"], seen["ceiling"], seen["mine"]) == (["mathematics"], 90, True)
    [offered] = shown.matches()
    assert (offered["tutor"], offered["price"], offered["mine"], offered["accepted"]) == ("Tomas", 60, False, False)
    assert shown.balances() == [{"asset": "hours", "free": 5, "locked": 60, "state": "confirmed"}]


def test_myself_says_what_is_known_of_me() -> None:
    vouch = VILLAGE.seal("steward-1", "vouch-give", who="ana", bits=1)
    me = screen(vouch).myself(ANA)
    assert (me["registered"], me["vouched"], me["roles"], me["home"]) == (True, True, 3, me["home"])
    stranger = screen(me=VILLAGE.principal("zoe")).myself(VILLAGE.principal("zoe"))
    assert (stranger["registered"], stranger["vouched"], stranger["ratings"]) == (False, False, None)


def test_a_screen_is_plain_values_and_bounded() -> None:
    requests = [VILLAGE.request("ana") for _ in range(150)]
    shown = screen(*requests)
    listed = shown.outbox([item(request) for request in requests], {request.id: request for request in requests})
    assert len(listed) == len(shown.requests()) == 100
    assert listed[0]["id"] == requests[-1].id.hex(), "the latest first"
    cbor.encode([listed, shown.requests(), shown.myself(ANA)])


def test_a_proposal_is_shown_while_both_may_still_agree_to_it() -> None:
    book = VILLAGE.book("ana", "tomas")
    move = VILLAGE.move("tomas", book, START_S + 60)
    [shown] = screen(book, move).moves()
    assert shown == {
        "id": move.id.hex(), "lesson": book.id.hex(), "mine": False, "start": START_S + 60, "minutes": 60,
    }  # fmt: skip
    assert screen(book, move, VILLAGE.agree("ana", move)).moves() == []
    assert screen(book, move, VILLAGE.cancel("ana", book)).moves() == []
    assert screen(book, move, me=VILLAGE.principal("lou")).moves() == []


def test_a_dispute_is_shown_to_its_two_with_what_each_would_settle_for() -> None:
    book = VILLAGE.book("ana", "tomas")
    offer = VILLAGE.dispute_offer("tomas", book, 4_000)
    quarrel = [book, VILLAGE.confirm("tomas", book), VILLAGE.dispute("tomas", book, 3), offer]
    [shown] = screen(*quarrel).disputes()
    assert (shown["by"], shown["reason"], shown["state"], shown["points"]) == ("Tomas", 3, "open", None)
    assert shown["offers"] == [{"id": offer.id.hex(), "by": "Tomas", "points": 4_000}]
    assert screen(*quarrel, me=VILLAGE.principal("lou")).disputes() == []


def test_a_guardian_sees_the_lessons_that_wait_for_a_guardian_and_no_others() -> None:
    guarded = VILLAGE.book("ana", "tomas", bits=60 | NEEDS_GUARDIAN)
    plain = VILLAGE.book("ana", "tomas")
    bibi = VILLAGE.principal("bibi")
    shown = screen(guarded, plain, VILLAGE.guardian_set("ana", "bibi"), me=bibi).lessons()
    assert [(each["id"], each["side"]) for each in shown] == [(guarded.id.hex(), "guardian")]
    assert screen(guarded, me=bibi).lessons() == []


def test_a_recovery_is_shown_to_its_person_and_the_guardians() -> None:
    opening, guardian = VILLAGE.recovery_open("fresh", "ana"), VILLAGE.guardian_set("ana", "tomas")
    approved = VILLAGE.recovery("approve", "tomas", opening)
    for me in (ANA, TOMAS):
        [shown] = screen(opening, guardian, approved, me=me).recoveries()
        assert (shown["id"], shown["approved"]) == (opening.id.hex(), ["Tomas"])
    assert screen(opening, guardian, me=VILLAGE.principal("lou")).recoveries() == []
    assert screen(opening, guardian, VILLAGE.recovery("cancel", "ana", opening)).recoveries() == []


def test_what_is_set_aside_and_classes_are_shown() -> None:
    earmark, taught = VILLAGE.earmark("ana", "tomas", 80), VILLAGE.class_open("tomas")
    there = [VILLAGE.class_attend("ana", taught), VILLAGE.class_attend("tomas", taught, who="ana")]
    shown = screen(earmark, taught, *there)
    [aside], [held] = shown.earmarks(), shown.classes()
    assert (aside["tutor"], aside["left"], aside["asset"], aside["state"]) == ("Tomas", 80, "hours", "promised")
    assert (held["tutor"], held["mine"], held["attended"], held["waiting"]) == ("Tomas", False, 1, [])


def test_a_tutor_sees_who_waits_for_the_word_that_they_were_in_a_class() -> None:
    taught = VILLAGE.class_open("tomas")
    there = VILLAGE.class_attend("ana", taught)
    assert [each["waiting"] for each in screen(taught, there, me=TOMAS).classes()] == [[address(ANA)]]
    assert [each["waiting"] for each in screen(taught, there, me=ANA).classes()] == [[]]


def test_a_replaced_proposal_is_shown_no_more() -> None:
    book = VILLAGE.book("ana", "tomas")
    first = VILLAGE.move("ana", book)
    second = VILLAGE.move("ana", first, START_S + 9_000)
    for me in (ANA, TOMAS):
        assert [each["id"] for each in screen(book, first, second, me=me).moves()] == [second.id.hex()]


def test_a_person_sees_the_own_keys_and_guardians() -> None:
    me = screen(VILLAGE.guardian_set("ana", "tomas")).myself(ANA)  # type: ignore[arg-type]
    assert (list(me["keys"].values()), me["guardians"]) == ([0xFFFF], ["Tomas"])
