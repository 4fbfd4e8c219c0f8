"""Lessons: what two people signed, and apart from it what became of the price."""

import itertools

import pytest
from builders import Village

from hubd.action.kinds import NEEDS_GUARDIAN
from hubd.fold.folder import fold
from hubd.fold.views import LessonState, Payment

TX2 = b"\x02" * 32


class Two:
    """Ana and Tomas, a hub with the only uplink, and the whole thread of one lesson to take from."""

    def __init__(self, price: int = 60) -> None:
        self.village = Village(6)
        self.thread = self.village.thread("ana", "tomas", price)
        self.book, self.confirm = self.thread.book, self.thread.confirm
        self.mine, self.theirs = self.thread.attends
        self.complete = self.thread.complete
        self.people = [
            *self.village.found("hub", uplink=True),
            self.village.register("ana"),
            self.village.register("tomas"),
        ]

    def views(self, *actions):
        return fold(self.village.charter, [*self.people, self.book, *actions])

    def lesson(self, *actions):
        return self.views(*actions).lessons[self.book.id]

    def done(self, *actions, code: int = 0, **fields):
        return self.village.receipt("hub", [(action, code) for action in actions], **fields)


def test_a_lesson_goes_from_booked_to_completed_without_any_chain():
    two = Two()
    steps = [two.confirm, two.mine, two.theirs, two.complete]
    states = [two.lesson(*steps[:count]).state for count in range(5)]
    assert states == [
        LessonState.BOOKED,
        LessonState.CONFIRMED,
        LessonState.CONFIRMED,
        LessonState.HELD,
        LessonState.COMPLETED,
    ]


def test_any_step_missing_leaves_a_state_that_the_others_allow():
    two = Two()
    steps = {"confirm": two.confirm, "mine": two.mine, "theirs": two.theirs, "complete": two.complete}
    for count in range(5):
        for names in itertools.combinations(steps, count):
            lesson = two.lesson(*(steps[name] for name in names))
            scanned = "theirs" in names and "mine" in names  # the tutor scanned ana's attend
            expected = LessonState.BOOKED
            if "confirm" in names:
                expected = LessonState.CONFIRMED
                if scanned:
                    expected = LessonState.COMPLETED if "complete" in names else LessonState.HELD
            assert lesson.state is expected, names
            assert lesson.attended == ("mine" in names, scanned)


def test_the_terms_are_the_bookings():
    two = Two()
    lesson = two.lesson()
    assert (lesson.price, lesson.asset, lesson.minutes, lesson.locks) == (60, two.village.hours, 60, True)
    assert (lesson.student, lesson.tutor) == (two.village.principal("ana"), two.village.principal("tomas"))


def test_a_tutor_who_never_registered_is_asked_all_the_same_and_can_not_confirm():
    two = Two()
    two.people.pop()
    assert two.lesson(two.confirm).state is LessonState.BOOKED
    assert two.views(two.confirm).void[two.confirm.id].reason == "unregistered"


def test_either_side_cancels_and_the_tutor_declines_until_it_was_held():
    two = Two()
    v = two.village
    assert two.lesson(two.confirm, v.cancel("ana", two.book)).state is LessonState.CANCELLED
    assert two.lesson(two.confirm, v.cancel("tomas", two.book)).state is LessonState.CANCELLED
    assert two.lesson(v.decline("tomas", two.book)).state is LessonState.DECLINED
    assert two.lesson(v.decline("ana", two.book)).state is LessonState.BOOKED
    ends = [v.cancel("ana", two.book), v.decline("tomas", two.book)]
    assert two.lesson(*ends).state is LessonState.CANCELLED
    assert two.lesson(*ends, two.confirm, two.mine, two.theirs).state is LessonState.HELD


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"amount": 59}, "terms"),
        ({"asset": None}, "terms"),
        ({"who": "lou"}, "who"),
        ({"bits": 3}, "bits"),
    ],
)
def test_a_confirmation_must_repeat(changes, reason):
    two = Two()
    confirm = two.village.confirm("tomas", two.book, **changes)
    assert two.lesson(confirm).state is LessonState.BOOKED
    assert two.views(confirm).void[confirm.id].reason == reason


def test_another_start_confirms_nothing_unless_the_chain_knows_it():
    two = Two()
    confirm = two.village.confirm("tomas", two.book, moment=5)
    assert two.lesson(confirm).state is LessonState.BOOKED
    assert confirm.id not in two.views(confirm).void
    assert two.lesson(confirm, two.done(confirm)).state is LessonState.CONFIRMED


def test_the_tutor_is_no_guardian_and_no_guardian_the_tutor():
    two = Two()
    v = two.village
    two.people += [v.register("bibi"), v.guardian_set("ana", "bibi")]
    for confirm in (v.confirm("tomas", two.book, bits=2), v.confirm("bibi", two.book)):
        assert two.lesson(confirm).state is LessonState.BOOKED
        assert two.views(confirm).void[confirm.id].reason == "not-party"


def test_a_booking_that_needs_a_guardian_waits_for_one_of_the_students():
    two = Two()
    v = two.village
    two.book = v.book("ana", "tomas", bits=60 | NEEDS_GUARDIAN)
    two.people += [v.register("bibi"), v.register("lou"), v.guardian_set("ana", "bibi")]
    confirm, attend = v.confirm("tomas", two.book), v.attend("ana", two.book, "tomas")
    held = [confirm, attend, v.attend("tomas", attend, "ana")]
    assert two.lesson(*held, v.complete("ana", two.book)).state is LessonState.BOOKED
    by_stranger, by_guardian = (v.confirm(name, two.book, bits=2) for name in ("lou", "bibi"))
    assert two.lesson(*held, by_stranger).state is LessonState.BOOKED
    assert two.lesson(*held, by_guardian).state is LessonState.HELD
    assert two.lesson(by_guardian).state is LessonState.BOOKED
    assert two.lesson(*held, by_stranger, two.done(by_stranger)).state is LessonState.HELD  # a guardian on the chain


def test_who_needs_no_guardian_is_not_helped_by_one():
    two = Two()
    v = two.village
    two.people += [v.register("bibi"), v.guardian_set("ana", "bibi")]
    assert two.lesson(v.confirm("bibi", two.book, bits=2)).state is LessonState.BOOKED


def test_strangers_confirm_attend_and_complete_nothing():
    two = Two()
    v = two.village
    actions = [
        v.confirm("lou", two.book),
        v.attend("lou", two.book, "ana"),
        v.complete("lou", two.book),
        v.cancel("lou", two.book),
        v.complete("tomas", two.book),
        v.confirm("ana", two.book),
    ]
    views = two.views(v.register("lou"), *actions)
    assert views.lessons[two.book.id].state is LessonState.BOOKED
    assert {views.void[action.id].reason for action in actions} == {"not-party"}


def test_an_attendance_is_of_the_lesson_or_of_the_others_attendance():
    two = Two()
    v = two.village
    direct = v.attend("tomas", two.book, "ana")
    assert two.lesson(two.confirm, two.mine, direct).state is LessonState.HELD
    own = v.attend("ana", two.mine, "tomas")
    assert two.views(two.mine, own).void[own.id].reason == "self"
    of_scan = v.attend("ana", two.theirs, "tomas")
    assert two.views(two.mine, two.theirs, of_scan).void[of_scan.id].reason == "subject"


def test_scanning_a_strangers_attendance_attends_nothing():
    two = Two()
    foreign = two.village.attend("lou", two.book, "tomas")
    scan = two.village.attend("tomas", foreign, "ana")
    views = two.views(two.village.register("lou"), foreign, scan)
    assert views.lessons[two.book.id].attended == (False, False)
    assert views.void[scan.id].reason == "subject"


def test_a_lesson_with_oneself_or_of_no_length_is_void():
    two = Two()
    alone, short = two.village.book("ana", "ana"), two.village.book("ana", "tomas", minutes=0)
    views = two.views(alone, short)
    assert (views.void[alone.id].reason, views.void[short.id].reason) == ("self", "bits")
    assert set(views.lessons) == {two.book.id}


# --- the price


def test_a_lesson_without_a_price_has_no_payment_and_settles_all_the_same():
    two = Two(price=0)
    lesson = two.lesson(*two.thread.actions, two.done(*two.thread.chained))
    assert (lesson.payment, lesson.settled) == (Payment.NONE, True)


def test_the_price_is_promised_then_locked_then_released():
    two = Two()
    signed = two.thread.actions
    booked, completed = two.done(two.book), two.done(*two.thread.chained[1:], txid=TX2)
    assert two.lesson(*signed).payment is Payment.PROMISED
    assert two.lesson(*signed, booked).payment is Payment.LOCKED
    assert two.lesson(*signed, booked, completed).payment is Payment.RELEASED


def test_a_price_that_was_not_locked_is_promised_until_it_is_paid():
    two = Two()
    book = two.village.book("ana", "tomas", bits=60)
    two.book = book
    assert two.lesson(two.done(book)).payment is Payment.PROMISED


def test_a_claim_of_one_hub_moves_no_money():
    two = Two()
    other = two.village.found("other", 2, uplink=True)
    assert two.lesson(*other, two.done(two.book)).payment is Payment.PROMISED
    second = two.village.receipt("other", [(two.book, 0)])
    assert two.lesson(*other, two.done(two.book), second).payment is Payment.LOCKED


def test_a_refusal_that_no_later_try_can_turn_fails_the_payment():
    two = Two()
    assert two.lesson(two.done(two.book, code=603)).payment is Payment.FAILED
    assert two.lesson(two.done(two.book, code=701)).payment is Payment.PROMISED  # a deposit is on its way
    others = [two.done(two.book), two.done(two.confirm, code=608, txid=TX2)]
    assert two.lesson(two.confirm, two.mine, *others).payment is Payment.FAILED
    retried = [two.done(two.book, code=701), two.done(two.book, txid=TX2)]
    assert two.lesson(*retried).payment is Payment.LOCKED


def test_a_revoked_booking_is_promised_again():
    two = Two()
    revoked = two.village.receipt("hub", [], level=3, burn_height=905)
    assert two.lesson(two.done(two.book), revoked).payment is Payment.PROMISED


def test_settled_is_completed_and_every_action_done_on_the_chain():
    two = Two()
    signed, chained = two.thread.actions, two.thread.chained
    assert two.lesson(*signed, two.done(*chained)).settled
    for missing in chained:
        others = [action for action in chained if action is not missing]
        lesson = two.lesson(*signed, two.done(*others))
        assert not lesson.settled
        assert lesson.level is None
    held = [action for action in signed if action is not two.complete]
    lesson = two.lesson(*held, two.done(*chained))
    assert (lesson.settled, lesson.level) == (False, 0)


def test_the_level_of_a_lesson_is_the_lowest_of_its_actions():
    two = Two()
    chained = two.thread.chained
    words = [two.done(*chained[:2], level=2, burn_height=907), two.done(*chained[2:], txid=TX2, level=1)]
    assert two.lesson(*two.thread.actions, *words).level == 1


def test_a_second_confirmation_that_the_chain_refused_harms_nothing():
    two = Two()
    again = two.village.confirm("tomas", two.book)
    words = [two.done(*two.thread.chained), two.done(again, code=604, txid=TX2)]
    assert two.lesson(*two.thread.actions, again, *words).settled
