"""From words to columns: what is said, what is filled in from what it is about, and what is refused before signing."""

import pytest
from builders import START_S, Village
from hypothesis import given
from hypothesis import strategies as st

from hubd.action.envelope import Action
from hubd.action.kinds import DRAWS_ON_EARMARK, DRAWS_ON_POOL, KINDS, LOCKS
from hubd.action.sip018 import NO_ID
from hubd.action.statement import NO_CONTENT, Statement
from hubd.errors import RemoteError
from hubd.fold.folder import fold
from hubd.fold.views import Views
from hubd.phone import compose
from hubd.phone.fillers import About
from hubd.phone.forms import FORMS
from hubd.phone.words import Words

VILLAGE = Village(1)
ANA, TOMAS = VILLAGE.principal("ana"), VILLAGE.principal("tomas")
REQUEST = VILLAGE.request("ana")
MATCH = VILLAGE.match_offer("tomas", REQUEST, price=60, bits=45)
BOOK = VILLAGE.book("ana", "tomas", price=60)
ATTEND = VILLAGE.attend("ana", BOOK, "tomas")
OFFER = VILLAGE.offer("tomas")
BORN = VILLAGE.register("ana")
MOVE = VILLAGE.move("tomas", BOOK)
EARMARK, CLASS = VILLAGE.earmark("ana", "tomas"), VILLAGE.class_open("tomas")
ACTIONS = [BORN, VILLAGE.register("tomas"), REQUEST, MATCH, BOOK, ATTEND, OFFER, MOVE, EARMARK, CLASS]
VIEWS = fold(VILLAGE.charter, ACTIONS)
WORDS = Words(VILLAGE.charter, {"ana": ANA, "tomas": TOMAS}, [action.id for action in ACTIONS], now=START_S)


def short(action: Action) -> str:
    return action.id.hex()[:12]


def composed(kind_name: str, me: bytes = ANA, views: Views = VIEWS, **said: str) -> Statement:
    """The statement that a phone would sign, checked."""
    kind, columns = compose.read(kind_name, said, WORDS)
    subject = columns.get("subject", NO_ID)
    lesson_id = BOOK.id if subject == ATTEND.id else subject
    about = About(views, me, WORDS, said, lesson_id)  # type: ignore[arg-type]
    filled = compose.fill(kind, columns, about)
    statement = REQUEST.statement._replace(action=kind_name, asset=None, amount=0, moment=0, bits=0, author=me)
    content = NO_CONTENT if set(compose.TEXT_FIELDS).isdisjoint(said) else b"digest of the words".ljust(32)
    statement = statement._replace(**filled, content=content)
    compose.check(kind, statement)
    return statement


def test_a_request_is_what_was_said() -> None:
    said = composed("request-open", subjects="mathematics", level="3", language="2", ceiling="90", week="mon1")
    assert (said.amount, said.moment) == (90, 1)
    assert said.bits == 0b10 | 3 << 32 | 2 << 40
    assert said.asset == VILLAGE.hours, "sums are in the charter's money unless said otherwise"


def test_an_asset_that_was_said_stands() -> None:
    assert composed("request-open", subjects="0", ceiling="90", asset="stx").asset is None


def test_a_match_offer_names_the_student_of_its_request() -> None:
    said = composed("match-offer", me=TOMAS, request=short(REQUEST), price="50", minutes="30", start="now")
    assert (said.who, said.asset, said.bits, said.moment) == (ANA, VILLAGE.hours, 30, START_S)


@pytest.mark.parametrize("kind", ["match-accept", "lesson-book"])
def test_a_match_is_taken_on_its_own_terms(kind: str) -> None:
    said = composed(kind, match=short(MATCH))
    terms = MATCH.statement
    assert (said.who, said.amount, said.asset, said.moment) == (TOMAS, 60, terms.asset, terms.moment)
    assert said.bits == (45 if kind == "match-accept" else 45 | LOCKS)


def test_a_booking_locks_its_price_unless_told_not_to() -> None:
    terms = {"tutor": "tomas", "minutes": "60", "start": "now"}
    assert composed("lesson-book", **terms, price="60").bits == 60 | LOCKS
    assert composed("lesson-book", **terms, price="60", lock="no").bits == 60
    assert composed("lesson-book", **terms).bits == 60, "what costs nothing locks nothing"


def test_a_booking_may_change_the_minutes_of_its_match() -> None:
    assert composed("lesson-book", match=short(MATCH), minutes="30").bits == 30 | LOCKS


def test_a_confirmation_repeats_what_was_booked() -> None:
    said, terms = composed("lesson-confirm", me=TOMAS, lesson=short(BOOK)), BOOK.statement
    assert (said.who, said.amount, said.asset, said.moment, said.bits) == (ANA, 60, terms.asset, terms.moment, 1)


def test_the_other_side_is_filled_in_from_the_lesson() -> None:
    assert composed("lesson-complete", lesson=short(BOOK)).who == TOMAS
    assert composed("lesson-cancel", me=TOMAS, lesson=short(BOOK)).who == ANA
    assert composed("dispute-open", lesson=short(BOOK), reason="2").who == TOMAS


def test_an_attendance_may_name_the_one_it_scanned() -> None:
    assert composed("lesson-attend", me=TOMAS, about=short(ATTEND)).who == ANA
    assert composed("lesson-attend", lesson=short(BOOK)).moment == START_S


def test_a_new_offer_replaces_the_last_one_of_its_asset() -> None:
    assert composed("offer-set", me=TOMAS, rate="70", subjects="reading").subject == OFFER.id
    assert composed("offer-set", me=TOMAS, rate="70", subjects="reading", asset="stx").subject == NO_ID


def test_a_further_offer_to_settle_replaces_ones_own_last() -> None:
    quarrel = [*ACTIONS, VILLAGE.confirm("tomas", BOOK), VILLAGE.dispute("ana", BOOK)]
    views = fold(VILLAGE.charter, quarrel)
    assert composed("dispute-offer", views=views, lesson=short(BOOK), points="1").subject == BOOK.id
    first = VILLAGE.dispute_offer("ana", BOOK, 4_000)
    views = fold(VILLAGE.charter, [*quarrel, first])
    assert composed("dispute-offer", views=views, lesson=short(BOOK), points="1").subject == first.id
    assert composed("dispute-offer", me=TOMAS, views=views, lesson=short(BOOK), points="1").subject == BOOK.id


def test_a_vouch_says_that_one_knows_the_person() -> None:
    assert composed("vouch-give", person="tomas").bits == 1


def test_a_pool_or_an_earmark_pays_instead_of_a_lock() -> None:
    by_pool = composed("lesson-book", tutor="tomas", minutes="60", start="now", price="60", pool="07" * 32)
    assert (by_pool.bits, by_pool.subject) == (60 | DRAWS_ON_POOL, b"\x07" * 32)
    drawn = composed("lesson-book", match=short(MATCH), earmark=short(EARMARK))
    assert (drawn.bits, drawn.subject) == (45 | DRAWS_ON_EARMARK, EARMARK.id)
    assert (drawn.who, drawn.amount, drawn.moment) == (TOMAS, 60, MATCH.statement.moment)


def test_money_is_set_aside_for_a_tutor_a_pool_or_a_lesson() -> None:
    for_tutor = composed("escrow-lock", tutor="tomas", sum="100", until="2026-12-01T00:00")
    assert (for_tutor.bits, for_tutor.who, for_tutor.subject) == (2, TOMAS, NO_ID)
    for_pool = composed("escrow-lock", pool="07" * 32, sponsor="tomas", sum="100")
    assert (for_pool.bits, for_pool.who, for_pool.subject) == (1, TOMAS, b"\x07" * 32)
    for_lesson = composed("escrow-lock", lesson=short(BOOK))
    assert (for_lesson.bits, for_lesson.who, for_lesson.amount, for_lesson.asset) == (0, TOMAS, 60, VILLAGE.hours)
    assert composed("escrow-return", earmark=short(EARMARK)).subject == EARMARK.id


def test_a_move_is_proposed_for_the_lesson_as_it_is_and_agreed_to_by_its_id() -> None:
    proposed = composed("lesson-move", lesson=short(BOOK), start="now", minutes="30")
    assert (proposed.subject, proposed.moment, proposed.bits, proposed.who) == (BOOK.id, START_S, 30, TOMAS)
    agreed = composed("lesson-move", move=short(MOVE))
    assert (agreed.subject, agreed.moment, agreed.bits, agreed.who) == (MOVE.id, MOVE.statement.moment, 0, TOMAS)


def test_a_second_thought_replaces_the_own_proposal() -> None:
    first = VILLAGE.move("ana", BOOK)
    views = fold(VILLAGE.charter, [*ACTIONS, first])
    for said in ({"lesson": short(BOOK)}, {"move": short(MOVE)}, {"move": first.id.hex()}):
        proposed = composed("lesson-move", views=views, start="now", **said)
        assert (proposed.subject, proposed.moment, proposed.who) == (first.id, START_S, TOMAS)
    with pytest.raises(RemoteError, match="your own proposal"):
        composed("lesson-move", views=views, move=first.id.hex())
    assert composed("lesson-move", me=TOMAS, views=views, start="now", lesson=short(BOOK)).subject == MOVE.id
    second = VILLAGE.move("ana", first, START_S + 9_000)
    views = fold(VILLAGE.charter, [*ACTIONS, first, second])
    assert composed("lesson-move", views=views, start="now", lesson=short(BOOK)).subject == second.id


def test_a_move_of_a_moved_lesson_names_what_was_agreed_last() -> None:
    agreed = VILLAGE.agree("ana", MOVE)
    views = fold(VILLAGE.charter, [*ACTIONS, agreed])
    for said in ({"lesson": short(BOOK)}, {"move": short(MOVE)}):
        proposed = composed("lesson-move", views=views, start="now", **said)
        assert (proposed.subject, proposed.moment) == (MOVE.id, START_S)
    confirmed = composed("lesson-confirm", me=TOMAS, views=views, lesson=short(BOOK))
    assert confirmed.moment == MOVE.statement.moment


def test_who_isnt_the_tutor_confirms_as_a_guardian() -> None:
    assert composed("lesson-confirm", me=VILLAGE.principal("bibi"), lesson=short(BOOK)).bits == 2


def test_an_attendance_of_a_class_names_its_tutor() -> None:
    said = composed("class-attend", **{"class": short(CLASS)})
    assert (said.subject, said.who, said.moment) == (CLASS.id, TOMAS, START_S)
    said = composed("class-attend", me=TOMAS, **{"class": short(CLASS), "student": "ana"})
    assert (said.subject, said.who, said.moment) == (CLASS.id, ANA, START_S)
    with pytest.raises(RemoteError, match="class-attend needs"):
        composed("class-attend", me=TOMAS, **{"class": short(CLASS)})


def test_a_further_key_names_the_last_one_and_may_what_people_do_every_day() -> None:
    said = composed("key-add", key="tomas")
    assert (said.subject, said.bits) == (BORN.id, 63)
    assert composed("key-add", key="tomas", scopes="lesson, money", cap="500").bits == 4 | 8
    assert composed("key-add", key="tomas", scopes="all").bits == 0xFFFF


def test_a_lost_key_is_ended_by_what_made_it_one() -> None:
    said = composed("key-revoke", key="ana")
    assert (said.subject, said.who) == (BORN.id, ANA)


def test_a_guardian_takes_the_first_free_slot_of_the_next_version() -> None:
    first = composed("guardian-set", person="tomas", threshold="2", days="30")
    assert (first.subject, first.bits, first.amount, first.moment) == (NO_ID, 0, 2, 30 * 86_400)
    known = VILLAGE.guardian_set("ana", "tomas", amount=2, moment=30 * 86_400)
    views = fold(VILLAGE.charter, [*ACTIONS, known])
    second = composed("guardian-set", views=views, person="ana")
    assert (second.subject, second.bits, second.amount, second.moment) == (known.id, 1, 2, 30 * 86_400)
    assert composed("guardian-set", views=views, person="tomas").bits == 0


def test_a_recovery_is_answered_for_the_person_it_is_about() -> None:
    opening = VILLAGE.recovery_open("fresh", "ana")
    views = fold(VILLAGE.charter, [*ACTIONS, opening])
    for step in ("approve", "cancel", "finish"):
        said = composed(f"recovery-{step}", me=TOMAS, views=views, recovery=opening.id.hex())
        assert (said.subject, said.who) == (opening.id, ANA)


@pytest.mark.parametrize(
    ("kind", "said", "words"),
    [
        ("key-revoke", {}, "needs the key-add"),
        ("key-add", {"key": "tomas", "scopes": "everything"}, "nothing a key may do"),
        ("lesson-move", {"lesson": "ff" * 32, "start": "now"}, "no such lesson"),
        ("lesson-dance", {}, "no kind"),
        ("request-open", {"colour": "red"}, "no field"),
        ("request-open", {}, "needs subjects"),
        ("lesson-book", {"minutes": "60", "start": "now"}, "needs tutor"),
        ("lesson-book", {"tutor": "tomas", "minutes": "5000", "start": "now"}, "too large"),
        ("lesson-complete", {"lesson": "ff" * 32}, "no such lesson"),
        ("vouch-give", {"person": "tomas", "price": "5"}, "takes no amount"),
        ("lesson-claim", {}, "needs lesson"),
        ("lesson-book", {"tutor": "tomas", "minutes": "60", "start": "now", "note": "my house"}, "for few people"),
        ("dispute-open", {"lesson": short(BOOK), "reason": "1", "text": "he said"}, "for few people"),
        ("safety-post", {"text": "help"}, "one's own key"),
    ],
)
def test_what_would_be_void_is_not_signed(kind: str, said: dict[str, str], words: str) -> None:
    with pytest.raises(RemoteError, match=words) as caught:
        composed(kind, **said)
    assert caught.value.hint


@given(st.sampled_from(sorted(KINDS)), st.dictionaries(st.sampled_from(sorted(compose.FIELDS)), st.text(max_size=12)))
def test_whatever_is_said_is_signed_or_refused_with_a_hint(kind: str, said: dict[str, str]) -> None:
    try:
        statement = composed(kind, **said)
    except RemoteError as error:
        assert error.hint
    else:
        assert not KINDS[kind].broken_columns(statement)


GONE = VILLAGE.recovery_open("fresh", "ana")
QUARREL = [VILLAGE.confirm("tomas", BOOK), VILLAGE.dispute("ana", BOOK)]
PROPOSED = VILLAGE.dispute_offer("ana", BOOK, 4_000)
ADDED = VILLAGE.key_add("ana", "fresh", BORN)
EVERYTHING = fold(VILLAGE.charter, [*ACTIONS, *QUARREL, GONE, PROPOSED, ADDED])
MEANT = {
    "lesson": BOOK, "request": REQUEST, "match": MATCH, "move": MOVE, "offer": OFFER, "recovery": GONE, "add": ADDED,
    "class": CLASS, "earmark": EARMARK, "pool": EARMARK, "action": REQUEST, "about": REQUEST,
}  # fmt: skip
LEFT_TO_THE_CHAIN = {
    ("guardian-set", "person"), ("guardian-set", "slot"), ("escrow-lock", "tutor"), ("escrow-lock", "pool"),
    ("rating-seal", "stars"), ("rating-seal", "lesson"), ("rating-open", "lesson"),
}  # fmt: skip
"""Fields that a row lets be empty, and the phone's own ways with ratings."""
WAYS = [(kind, way) for kind, form in FORMS.items() for way in range(len(form.needs))]


def example(kind: str, way: int) -> dict[str, str]:
    """What a form's example says, of actions and people that there are here."""
    here = {name: action.id.hex() for name, action in MEANT.items()}
    people = {"Amina": "ana", "Juma": "tomas", "maths": "mathematics"}
    said = {name: here.get(name) or people.get(text, text) for name, text in FORMS[kind].example(way).items()}
    return {**said, "key": "ana"} if "key" in said else said


@pytest.mark.parametrize(("kind", "way"), WAYS)
def test_a_forms_example_can_be_signed(kind: str, way: int) -> None:
    me = TOMAS if kind == "lesson-confirm" else ANA
    if kind.startswith("rating"):  # sealed and opened by the phone itself: test_phone.py
        compose.read(kind, example(kind, way), WORDS)
    else:
        composed(kind, me=me, views=EVERYTHING, **example(kind, way))


@pytest.mark.parametrize(("kind", "way"), [(kind, way) for kind, way in WAYS if FORMS[kind].needs[way]])
def test_without_a_field_that_a_form_needs_nothing_is_signed(kind: str, way: int) -> None:
    for name in FORMS[kind].needs[way]:
        said = {field: text for field, text in example(kind, way).items() if field != name}
        if any(set(other) <= set(said) for other in FORMS[kind].needs) or (kind, name) in LEFT_TO_THE_CHAIN:
            continue
        with pytest.raises(RemoteError) as caught:
            composed(kind, views=EVERYTHING, **said)
        assert caught.value.code == "field"


@pytest.mark.parametrize("kind", FORMS)
def test_every_field_of_a_form_fills_a_column_that_its_kind_has(kind: str) -> None:
    columns = KINDS[kind].columns
    for name in FORMS[kind].fields:
        column = "content" if name in compose.TEXT_FIELDS else compose.FIELDS[name].column
        is_word_for_payer = kind == "lesson-book" and name in ("earmark", "pool")
        is_hidden = kind == "rating-seal" and name in ("stars", "tags")
        assert columns[column].text or is_word_for_payer or is_hidden, name
        if name in compose.TEXT_FIELDS:
            assert "sealed" not in columns["content"].text


@pytest.mark.parametrize("kind", sorted(set(KINDS) - set(FORMS)))
def test_what_is_on_no_list_is_refused_and_is_no_everyday_kind(kind: str) -> None:
    with pytest.raises(RemoteError) as caught:
        composed(kind, person="tomas", text="words", note="words")
    assert caught.value.code == "kind"
    is_sealed = "sealed" in KINDS[kind].columns["content"].text
    assert is_sealed or KINDS[kind].area == "mesh"
