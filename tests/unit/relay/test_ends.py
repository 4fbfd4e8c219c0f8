"""What an uplink says by itself once the chain's time decides: when, once, and about nothing else."""

import pytest
from builders import START_S, Village

from hubd.action.envelope import seal
from hubd.action.kinds import DRAWS_ON_POOL
from hubd.fold.folder import fold
from hubd.fold.views import Payment
from hubd.limits import RELAY_ENDS_MAX
from hubd.relay import ends
from hubd.relay.ends import TURN_S, Ends

DAY_S = 86_400
GRACE_S = 45 * DAY_S
BEFORE_S = START_S - DAY_S
POOL = b"\x07" * 32


class Stage:
    """Ana, Tomas and others, one uplink, and a chain whose clock moves by receipts."""

    def __init__(self, uplink=True):
        self.v = Village(61)
        people = map(self.v.register, ("ana", "tomas", "bibi"))
        self.said = [*people, *self.v.found("hub", uplink=uplink)]
        self._count = 0

    def offer(self, *actions):
        self.said += actions
        return self

    def chain(self, *actions, at=BEFORE_S, code=0):
        """These are signed, and the chain answers them at a time."""
        self._count += 1
        items = [(action, code) for action in actions]
        new = [action for action in actions if action not in self.said]
        txid = self._count.to_bytes(32)
        return self.offer(*new, self.v.receipt("hub", items, txid=txid, height=self._count, block_time=at))

    def tick(self, at):
        """Something else happens on the chain, and its time is this."""
        return self.chain(self.v.register(f"passer-by {self._count}"), at=at)

    def views(self):
        return fold(self.v.charter, self.said)

    def ends(self, hub):
        ends = Ends(self.v.principal(hub))
        ends.hear(self.said, self.views())
        return ends

    def due(self, hub="hub", known=None):
        found = self.ends(hub).due(self.views(), GRACE_S, known)
        return [(statement.action, statement.subject) for statement in found]

    def sign_due(self):
        due = self.ends("hub").due(self.views(), GRACE_S, None)
        return [seal(each, self.v.signer("hub"), self.v.domain) for each in due]


def abandoned(**booking):
    """A stage with a booked lesson whose price is locked."""
    stage = Stage()
    book = stage.v.book("ana", "tomas", 60, **booking)
    return stage.chain(book), book


def held_on_chain(stage, book, at=BEFORE_S):
    mine = stage.v.attend("ana", book, "tomas")
    return stage.chain(book, stage.v.confirm("tomas", book), mine, stage.v.attend("tomas", mine, "ana"), at=at)


def test_a_locked_price_of_a_lesson_never_held_is_claimed_after_the_grace_period_and_not_a_second_before():
    stage, book = abandoned()
    assert stage.tick(START_S + GRACE_S).due() == []
    assert stage.tick(START_S + GRACE_S + 1).due() == [("lesson-claim", book.id)]


def test_the_grace_period_counts_from_the_last_change_on_the_chain():
    stage, book = abandoned()
    changed_s = START_S + 9 * DAY_S
    stage.chain(stage.v.confirm("tomas", book), at=changed_s)
    assert stage.tick(changed_s + GRACE_S).due() == []
    assert stage.tick(changed_s + GRACE_S + 1).due() == [("lesson-claim", book.id)]


def test_an_agreement_to_move_and_a_scanned_attendance_count_as_changes():
    stage, book = abandoned()
    move = stage.v.move("tomas", book, START_S + 60)
    moved_s, held_s = START_S + 3 * DAY_S, START_S + 5 * DAY_S
    stage.chain(move).chain(stage.v.agree("ana", move), at=moved_s)
    assert stage.tick(moved_s + GRACE_S).due() == []
    mine = stage.v.attend("ana", book, "tomas")
    stage.chain(stage.v.confirm("tomas", book, moment=START_S + 60), mine)
    stage.chain(stage.v.attend("tomas", mine, "ana"), at=held_s)
    assert stage.tick(held_s + GRACE_S).due() == []
    assert stage.tick(held_s + GRACE_S + 1).due() == [("lesson-claim", book.id)]


@pytest.mark.parametrize("booking", [{}, {"bits": 60 | DRAWS_ON_POOL, "subject": POOL}])
def test_a_held_lesson_that_its_student_never_completes_is_claimed_whether_locked_or_paid_by_a_pool(booking):
    stage = Stage()
    book = stage.v.book("ana", "tomas", 60, **booking)
    held_on_chain(stage, book)
    assert stage.tick(START_S + GRACE_S + 1).due() == [("lesson-claim", book.id)]


def test_nothing_is_claimed_where_a_claim_would_move_no_price():
    stage = Stage()
    unfunded, pooled = (
        stage.v.book("ana", "tomas", 60, bits=60),
        stage.v.book("ana", "tomas", 60, bits=60 | DRAWS_ON_POOL, subject=POOL),
    )
    held_on_chain(stage, unfunded).chain(pooled)
    assert stage.views().lessons[pooled.id].payment is Payment.PROMISED
    assert stage.tick(START_S + 9 * GRACE_S).due() == []


@pytest.mark.parametrize(
    ("who", "kind", "fields"),
    [
        ("ana", "lesson-cancel", {}),
        ("tomas", "lesson-decline", {}),
        ("tomas", "lesson-attend", {"who": "ana", "moment": START_S}),
        ("ana", "dispute-open", {"bits": 1}),
    ],
)
def test_a_lesson_is_left_alone_while_what_a_person_signed_about_it_waits_for_the_chain(who, kind, fields):
    stage, book = abandoned()
    word = stage.v.seal(who, kind, subject=book, **fields)
    stage.chain(stage.v.confirm("tomas", book)).offer(word).tick(START_S + GRACE_S + 1)
    assert word.id not in stage.views().void
    assert stage.due() == []


def test_a_held_lesson_is_left_alone_while_its_completion_waits_for_the_chain():
    stage = Stage()
    book = stage.v.book("ana", "tomas", 60)
    held_on_chain(stage, book).offer(stage.v.complete("ana", book))
    assert stage.tick(START_S + GRACE_S + 1).due() == []


def test_an_ended_lesson_and_one_unknown_to_the_chain_are_left_alone():
    stage, book = abandoned()
    stage.chain(stage.v.cancel("ana", book)).offer(stage.v.book("ana", "tomas", 60))
    assert stage.tick(START_S + 9 * GRACE_S).due() == []


def test_where_the_time_of_a_change_is_unknown_nothing_is_said():
    stage = Stage()
    stage.chain(stage.v.book("ana", "tomas", 60), at=0)
    assert stage.tick(START_S + 9 * GRACE_S).due() == []


def test_a_mesh_that_never_heard_from_the_chain_says_nothing():
    stage = Stage().offer(Village(61).book("ana", "tomas", 60))
    assert stage.views().time_s is None
    assert stage.due() == []


def test_a_hub_without_uplink_and_one_that_nobody_admitted_say_nothing():
    for stage, hub in ((Stage(uplink=False), "hub"), (Stage(), "stranger")):
        stage.chain(stage.v.book("ana", "tomas", 60))
        assert stage.tick(START_S + 9 * GRACE_S).views().time_s is not None
        assert stage.due(hub) == []


def test_somebodys_claim_on_its_way_is_enough():
    stage, book = abandoned()
    stage.offer(stage.v.claim("bibi", book))
    assert stage.tick(START_S + GRACE_S + 1).due() == []


def test_a_claim_that_is_refused_void_or_too_old_to_travel_holds_nothing_up():
    stage, book = abandoned()
    late_s = START_S + GRACE_S + 1
    old = stage.v.seal("bibi", "lesson-claim", subject=book, expires=late_s - 1)
    void = stage.v.seal("bibi", "lesson-claim", subject=book, amount=1)
    stage.offer(old, void).chain(stage.v.claim("bibi", book), code=11)
    assert void.id in stage.views().void
    assert stage.tick(late_s).due() == [("lesson-claim", book.id)]


def test_a_claim_by_somebody_whose_actions_go_last_holds_nothing_up():
    stage, book = abandoned()
    stage.offer(stage.v.claim("stranger", book)).tick(START_S + GRACE_S + 1)
    known = frozenset((stage.v.principal("bibi"),))
    assert stage.due(known=known) == [("lesson-claim", book.id)]
    assert stage.offer(stage.v.claim("bibi", book)).due(known=known) == []


def test_it_is_said_once_and_never_again_whatever_the_chain_answers():
    for code in (None, 0, 606, 621):
        stage, book = abandoned()
        [claim] = stage.tick(START_S + GRACE_S + 1).sign_due()
        assert (claim.kind, claim.statement.subject) == ("lesson-claim", book.id)
        stage.offer(claim)
        if code is not None:
            stage.chain(claim, at=START_S + GRACE_S + 2, code=code)
        assert stage.tick(START_S + GRACE_S + 90 * DAY_S).due() == []


def test_what_strangers_say_makes_nobody_forget_what_a_hub_said_itself(monkeypatch):
    monkeypatch.setattr(ends, "RELAY_SAID_MAX", 3)
    stage, book = abandoned()
    [claim] = stage.tick(START_S + GRACE_S + 1).sign_due()
    elsewhere = [stage.v.claim(f"s{number}", stage.v.book("ana", "tomas", 60)) for number in range(6)]
    here = [stage.v.claim(f"s{number}", book) for number in range(6)]
    known = frozenset((stage.v.principal("hub"),))
    for said in (elsewhere, here):
        stage.offer(*said)
        assert stage.due(known=known) == [("lesson-claim", book.id)]
    assert stage.offer(claim, *elsewhere, *here).due(known=known) == []
    assert stage.ends("hub")._count == 3


def test_what_is_said_where_nothing_waits_is_forgotten_before_what_somebody_said_where_it_does(monkeypatch):
    monkeypatch.setattr(ends, "RELAY_SAID_MAX", 3)
    stage, book = abandoned()
    stage.offer(stage.v.claim("bibi", book)).tick(START_S + GRACE_S + 1)
    stage.offer(*(stage.v.claim(f"s{number}", stage.v.book("ana", "tomas", 60)) for number in range(6)))
    assert stage.due() == []


def test_a_hub_never_forgets_its_own_words_on_what_still_waits_however_many_they_are(monkeypatch):
    monkeypatch.setattr(ends, "RELAY_SAID_MAX", 3)
    stage = Stage()
    books = [stage.v.book("ana", "tomas", 1, moment=START_S - number) for number in range(5)]
    stage.chain(*books, at=START_S - DAY_S).tick(START_S + GRACE_S + 1)
    assert len(said := stage.sign_due()) == 5
    assert stage.offer(*said).due() == []


def test_the_same_set_makes_the_same_actions():
    stage, _ = abandoned()
    stage.tick(START_S + GRACE_S + 1)
    assert [claim.id for claim in stage.sign_due()] == [claim.id for claim in stage.sign_due()]


def test_what_it_says_is_no_void_action():
    stage, book = abandoned()
    opening = recovery_on_chain(stage)
    stage.chain(stage.v.confirm("tomas", book), stage.v.dispute("ana", book))
    signed = stage.tick(START_S + 9 * GRACE_S).sign_due()
    assert {claim.kind: claim.statement.subject for claim in signed} == {
        "recovery-finish": opening.id,
        "dispute-settle": book.id,
    }
    views = stage.offer(*signed).views()
    assert not [claim for claim in signed if claim.id in views.void]


def test_a_dispute_is_settled_after_two_grace_periods():
    stage, book = abandoned()
    opening = stage.v.dispute("ana", book)
    stage.chain(stage.v.confirm("tomas", book)).chain(opening, at=START_S)
    assert stage.tick(START_S + 2 * GRACE_S).due() == []
    assert stage.tick(START_S + 2 * GRACE_S + 1).due() == [("dispute-settle", book.id)]
    assert stage.offer(stage.v.dispute_settle("bibi", book)).due() == []


def test_a_dispute_that_is_over_or_not_on_the_chain_is_left_alone():
    stage, book = abandoned()
    stage.chain(stage.v.confirm("tomas", book)).offer(opening := stage.v.dispute("ana", book))
    assert stage.tick(START_S + 9 * GRACE_S).due() == []
    offer = stage.v.dispute_offer("tomas", book, 5_000)
    stage.chain(opening, offer, stage.v.dispute_accept("ana", offer))
    assert stage.tick(START_S + 10 * GRACE_S).due() == []


def recovery_on_chain(stage, at=START_S, delay=7 * DAY_S, threshold=1):
    opening = stage.v.recovery_open("fresh", "ana")
    circle = stage.v.guardian_set("ana", "bibi", moment=delay, amount=threshold)
    stage.chain(circle, opening).chain(stage.v.recovery("approve", "bibi", opening), at=at)
    return opening


@pytest.mark.parametrize(("delay", "wait_s"), [(7 * DAY_S, 7 * DAY_S), (0, GRACE_S)])
def test_a_recovery_is_finished_after_its_delay(delay, wait_s):
    stage = Stage()
    opening = recovery_on_chain(stage, delay=delay)
    assert stage.tick(START_S + wait_s).due() == []
    assert stage.tick(START_S + wait_s + 1).due() == [("recovery-finish", opening.id)]


def test_a_recovery_without_enough_guardians_or_with_an_objection_is_left_alone():
    few, objected = Stage(), Stage()
    recovery_on_chain(few, threshold=2)
    opening = recovery_on_chain(objected)
    objected.offer(objected.v.recovery("cancel", "ana", opening))
    assert [stage.tick(START_S + GRACE_S).due() for stage in (few, objected)] == [[], []]


def test_an_approval_that_is_not_on_the_chain_does_not_count():
    stage = Stage()
    opening = stage.v.recovery_open("fresh", "ana")
    stage.chain(stage.v.guardian_set("ana", "bibi", moment=7 * DAY_S), opening)
    stage.offer(stage.v.recovery("approve", "bibi", opening)).tick(START_S + GRACE_S)
    assert stage.views().recoveries[opening.id].approved == (stage.v.principal("bibi"),)
    assert stage.due() == []


def test_a_strangers_approval_is_no_guardians():
    stage = Stage()
    opening = stage.v.recovery_open("fresh", "ana")
    stage.chain(stage.v.guardian_set("ana", "bibi", moment=7 * DAY_S), opening)
    stage.chain(stage.v.recovery("approve", "tomas", opening))
    assert stage.tick(START_S + GRACE_S).due() == []


def test_so_many_are_said_at_once_and_what_is_due_the_longest_first():
    stage = Stage()
    books = [stage.v.book("ana", "tomas", 1, moment=START_S - number) for number in range(RELAY_ENDS_MAX + 3)]
    stage.chain(*books, at=START_S - DAY_S).tick(START_S + GRACE_S + 1)
    longest = sorted(books, key=lambda book: book.statement.moment)[:RELAY_ENDS_MAX]
    assert stage.due() == [("lesson-claim", book.id) for book in longest]


def test_of_several_uplinks_one_speaks_and_the_next_a_day_later():
    stage = Stage()
    stage.offer(*stage.v.found("other", operator=1, uplink=True))
    book = stage.v.book("ana", "tomas", 60)
    stage.chain(book).tick(START_S + GRACE_S + 1)
    at_once = [hub for hub in ("hub", "other") if stage.due(hub)]
    assert len(at_once) == 1
    stage.tick(START_S + GRACE_S + TURN_S)
    assert [hub for hub in ("hub", "other") if stage.due(hub)] == at_once
    stage.tick(START_S + GRACE_S + TURN_S + 1)
    assert [stage.due(hub) for hub in ("hub", "other")] == [[("lesson-claim", book.id)]] * 2
