"""How lessons end, and where the price is then. The chain executes one end only; receipts tell which."""

import itertools

import pytest
from builders import Village

from hubd.action.kinds import DRAWS_ON_EARMARK, DRAWS_ON_POOL
from hubd.fold.folder import fold
from hubd.fold.keys import SCOPES_ALL
from hubd.fold.views import LessonState, Payment

TXIDS = [bytes([number]) * 32 for number in range(1, 20)]


class Two:
    """Ana and Tomas, a whole thread of a lesson to take from, and the village's only uplink."""

    def __init__(self, **booking):
        self.v = Village(31)
        self.thread = self.v.thread("ana", "tomas")
        self.book = self.v.book("ana", "tomas", **booking) if booking else self.thread.book
        self.people = [*map(self.v.register, ("ana", "tomas", "lou")), *self.v.found("hub", uplink=True)]
        self._txids = iter(TXIDS)

    def held(self):
        mine = self.v.attend("ana", self.book, "tomas")
        return [self.v.confirm("tomas", self.book), mine, self.v.attend("tomas", mine, "ana")]

    def done(self, *actions, code=0):
        return self.v.receipt("hub", [(action, code) for action in actions], txid=next(self._txids))

    def views(self, *actions):
        return fold(self.v.charter, [*self.people, self.book, *actions])

    def lesson(self, *actions):
        return self.views(*actions).lessons[self.book.id]

    def is_now(self, *actions):
        lesson = self.lesson(*actions)
        return lesson.state, lesson.payment, lesson.settled


@pytest.mark.parametrize("who", ["ana", "tomas"])
def test_a_cancelled_lessons_price_comes_back_when_the_chain_says_so(who):
    two = Two()
    cancel = two.v.cancel(who, two.book)
    booked = two.done(two.book)
    assert two.is_now(cancel) == (LessonState.CANCELLED, Payment.PROMISED, False)
    assert two.is_now(cancel, booked) == (LessonState.CANCELLED, Payment.LOCKED, False)
    assert two.is_now(cancel, booked, two.done(cancel)) == (LessonState.CANCELLED, Payment.RETURNED, True)


def test_a_declined_lessons_price_comes_back():
    two = Two()
    decline = two.v.decline("tomas", two.book)
    assert two.is_now(decline, two.done(two.book, decline)) == (LessonState.DECLINED, Payment.RETURNED, True)


def test_where_nothing_was_set_aside_nothing_comes_back():
    two = Two(bits=60)
    cancel = two.v.cancel("ana", two.book)
    assert two.is_now(cancel, two.done(two.book, cancel)) == (LessonState.CANCELLED, Payment.NONE, True)


def test_the_chains_end_beats_what_people_signed():
    two = Two()
    cancel, complete = two.v.cancel("ana", two.book), two.v.complete("ana", two.book)
    signed = [*two.held(), cancel, complete]
    assert two.is_now(*signed) == (LessonState.COMPLETED, Payment.PROMISED, False)
    assert two.is_now(*signed, two.done(two.book, cancel)) == (LessonState.CANCELLED, Payment.RETURNED, True)
    all_done = two.done(two.book, *signed[:3], complete)
    assert two.is_now(*signed, all_done, two.done(cancel, code=606)) == (LessonState.COMPLETED, Payment.RELEASED, True)


def test_a_cancellation_that_the_chain_refused_ends_nothing():
    two = Two()
    cancel = two.v.cancel("ana", two.book)
    confirm = two.held()[0]
    assert two.is_now(confirm, cancel, two.done(two.book), two.done(cancel, code=610)) == (
        LessonState.CONFIRMED,
        Payment.LOCKED,
        False,
    )


def test_only_the_tutor_gives_a_held_lesson_back():
    two = Two()
    held = two.held()
    assert two.lesson(*held, two.v.cancel("ana", two.book), two.v.decline("tomas", two.book)).state is LessonState.HELD
    given_back = [*held, two.v.cancel("tomas", two.book)]
    assert two.lesson(*given_back).state is LessonState.CANCELLED
    assert two.lesson(*given_back, two.v.complete("ana", two.book)).state is LessonState.COMPLETED


def test_both_may_rate_a_held_lesson_that_was_given_back():
    two = Two()
    rating = two.v.rating_seal("ana", two.v.rating_open("ana", two.book, "tomas"))
    views = two.views(*two.held(), two.v.cancel("tomas", two.book), rating)
    assert (two.book.id, two.v.principal("ana")) in views.ratings


def test_a_claim_counts_when_the_chain_took_it_and_pays_what_both_attended_there():
    two = Two()
    held, claim = two.held(), two.v.claim("lou", two.book)
    booked = two.done(two.book)
    assert two.is_now(*held, booked, claim) == (LessonState.HELD, Payment.LOCKED, False)
    claimed = two.done(claim)
    assert two.is_now(*held, booked, claim, claimed) == (LessonState.HELD, Payment.LOCKED, False), (
        "receipts are missing"
    )
    paid = two.done(*held)
    assert two.is_now(*held, booked, claim, claimed, paid) == (LessonState.COMPLETED, Payment.RELEASED, True)
    refused = two.done(held[1], code=606)
    assert two.is_now(*held, booked, claim, claimed, refused) == (LessonState.LAPSED, Payment.RETURNED, True)


def test_a_claim_of_a_lesson_that_only_one_attended_gives_the_price_back():
    two = Two()
    held, claim = two.held(), two.v.claim("ana", two.book)
    words = [two.done(two.book, *held[:2]), two.done(claim)]
    assert two.is_now(*held[:2], claim, *words) == (LessonState.LAPSED, Payment.RETURNED, True)


def test_anybody_may_claim_and_nobody_needs_to_be_registered():
    two = Two()
    claim = two.v.claim("stranger", two.book)
    assert claim.id not in two.views(claim).void


def test_a_booking_is_withdrawn_until_the_chain_has_it():
    two = Two()
    void = two.v.void("ana", two.book)
    assert two.is_now(void) == (LessonState.CANCELLED, Payment.PROMISED, False)
    assert two.is_now(void, two.done(two.book, code=11)) == (LessonState.CANCELLED, Payment.NONE, False)
    assert two.is_now(void, two.done(two.book)) == (LessonState.BOOKED, Payment.LOCKED, False)
    assert two.is_now(two.done(two.book, code=11)) == (LessonState.CANCELLED, Payment.NONE, False)
    assert two.lesson(void, *two.held()).state is LessonState.HELD
    by_tutor = two.v.void("tomas", two.book)
    assert two.lesson(by_tutor).state is LessonState.BOOKED
    assert two.views(by_tutor).void[by_tutor.id].reason == "subject"


def test_a_lesser_key_withdraws_what_it_booked_and_a_lasting_one_whatever_its_person_did():
    for scopes, withdraws in ((63, False), (SCOPES_ALL, True)):
        two = Two()
        add = two.v.key_add("ana", "phone", two.people[0], scopes)
        phone = [add, two.v.key_accept("phone", add)]
        void = two.v.void("phone", two.book)
        state = LessonState.CANCELLED if withdraws else LessonState.BOOKED
        assert two.lesson(*phone, void).state is state
        own = two.v.book("phone", "tomas")
        assert two.views(*phone, own, two.v.void("phone", own)).lessons[own.id].state is LessonState.CANCELLED


def test_anybody_but_the_tutor_locks_the_price_of_a_lesson():
    two = Two(bits=60)
    by_lou, by_tutor = two.v.lock("lou", 60, subject=two.book), two.v.lock("tomas", 60, subject=two.book)
    wrong = [two.v.lock("lou", 59, subject=two.book), two.v.lock("lou", 60, subject=two.book, asset=None)]
    views = two.views(by_lou, by_tutor, *wrong)
    assert [views.void[each.id].reason for each in (by_tutor, *wrong)] == ["not-party", "terms", "terms"]
    assert two.lesson(by_lou, two.done(two.book)).payment is Payment.PROMISED
    assert two.lesson(by_lou, two.done(two.book, by_lou)).payment is Payment.LOCKED
    cancel = two.v.cancel("ana", two.book)
    assert two.is_now(by_lou, cancel, two.done(two.book, by_lou, cancel)) == (
        LessonState.CANCELLED,
        Payment.RETURNED,
        True,
    )


def test_a_pool_pays_at_the_end_and_locks_nothing_before():
    two = Two(bits=60 | DRAWS_ON_POOL, subject=b"\x07" * 32)
    held, complete = two.held(), two.v.complete("ana", two.book)
    lesson = two.lesson(*held, two.done(two.book))
    assert (lesson.payment, lesson.payer, lesson.match) == (Payment.PROMISED, b"\x07" * 32, None)
    assert two.lesson(*held, complete, two.done(two.book, *held, complete)).payment is Payment.RELEASED


@pytest.mark.parametrize("bits", [DRAWS_ON_POOL | DRAWS_ON_EARMARK, DRAWS_ON_POOL | 1 << 12, 1 << 16])
def test_a_booking_that_two_pay_for_is_void(bits):
    two = Two(bits=60 | bits)
    assert two.views().void[two.book.id].reason == "bits"


def test_every_order_of_every_end_gives_one_end():
    two = Two()
    ends = [two.v.cancel("ana", two.book), two.v.cancel("tomas", two.book), two.v.decline("tomas", two.book)]
    ends += [two.v.complete("ana", two.book), two.v.claim("lou", two.book)]
    for taken in ends:
        receipt = two.done(two.book, taken)
        found = {two.is_now(*order, receipt) for order in itertools.permutations(ends)}
        assert len(found) == 1
