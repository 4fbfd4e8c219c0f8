"""`hubd phone show` says every word by the catalogue, and what a person needs to go on."""

import pytest
from pseudo import plain_words, spoken

from hubd.cli.affairs import lines

NAMES = ("AMINA", "JUMA", "ABCDEF", "FEDCBA", "hours", "stx", "STKEY.coin", "maths", "STKEY", "lesson-book")
ID, LESSON = "ABCDEF" * 8, "FEDCBA" * 8
EMPTY = {
    title: []
    for title in ("lessons", "requests", "matches", "balances", "outbox", "moves", "disputes", "classes", "earmarks",
                  "recoveries")
}  # fmt: skip
PLACES = {"hours": 2, "stx": 6}
ME = {"name": "AMINA", "person": "STKEY", "registered": True}
START = {"start": 1_767_830_400, "minutes": 60}
PRICE = {"price": 150, "asset": "hours"}
BOOKED = {
    **START, **PRICE, "id": ID, "side": "student", "with": "JUMA", "state": "booked", "payment": "promised",
    "attended": [False, False], "sealed": [False, False], "rated": [False, False], "settled": False, "level": None,
}  # fmt: skip
DONE = {"state": "completed", "payment": "released", "rated": [True, True], "settled": True, "level": 2}
CLASS = {
    **START, **PRICE, "id": ID, "tutor": "JUMA", "mine": False, "attended": 1, "settled": 0, "waiting": [],
}  # fmt: skip
AFFAIRS = [
    ("lessons", BOOKED, "ABCDEFABCDEF with the tutor JUMA: booked; 2026-01-08 00:00 UTC, 60 minutes; 1.50 hours, price"),
    ("lessons", {**BOOKED, "side": "tutor", "sealed": [True, False]}, "the other side's rating waits for yours"),
    ("lessons", {**BOOKED, "side": "guardian", "sealed": [True, False]}, "ABCDEFABCDEF of JUMA, whom you guard: booked"),
    ("lessons", {**BOOKED, **DONE}, "both rated; settled, final"),
    ("lessons", {**BOOKED, "start": 2**62}, "4611686018427387904, 60 minutes"),
    ("requests", {"id": ID, "student": "JUMA", "mine": False, "ceiling": 150, "asset": "hours", "subjects": ["maths"]},
     "ABCDEFABCDEF of JUMA: maths; for at most 1.50 hours"),
    ("requests", {"id": ID, "student": "AMINA", "mine": True, "ceiling": 150, "asset": "hours", "subjects": []},
     "ABCDEFABCDEF, yours: no subject named; for at most 1.50 hours"),
    ("requests", {"id": ID, "student": "JUMA", "mine": False, "ceiling": 0, "asset": "hours", "subjects": ["maths"]},
     "ABCDEFABCDEF of JUMA: maths; at any price"),
    ("requests", {"id": ID, "student": "JUMA", "mine": False, "ceiling": 7, "asset": "STKEY.coin", "subjects": []},
     "for at most 7 smallest units of STKEY.coin"),
    ("balances", {"asset": "stx", "free": 1, "locked": 2_000_000, "state": "confirmed"}, "0.000001 stx free, 2.00 stx loc"),
    ("matches", {**START, **PRICE, "id": ID, "tutor": "JUMA", "student": "AMINA", "mine": False, "accepted": True},
     "ABCDEFABCDEF of JUMA: for 1.50 hours; 2026-01-08 00:00 UTC, 60 minutes; taken"),
    ("matches", {**START, **PRICE, "id": ID, "tutor": "AMINA", "student": "JUMA", "mine": True, "accepted": False},
     "ABCDEFABCDEF to JUMA, yours: for 1.50 hours"),
    ("balances", {"asset": "hours", "free": 3, "locked": 4, "state": "confirmed"}, "0.03 hours free, 0.04 hours locked, "),
    ("outbox", {"id": ID, "kind": "lesson-book", "status": "on this phone", "reason": "", "hubs": 0},
     "lesson-book ABCDEFABCDEF: on this phone"),
    ("outbox", {"id": ID, "kind": "lesson-book", "status": "needs you", "reason": "void-terms", "hubs": 1},
     "lesson-book ABCDEFABCDEF: needs you\n    This doesn't repeat the price"),
    ("outbox", {"id": ID, "kind": "lesson-book", "status": "on its way", "reason": "contested", "hubs": 2},
     "on its way; 2 hubs have it\n    hubs disagree about what the chain did with it; they look again"),
    ("moves", {**START, "id": ID, "lesson": LESSON, "mine": True}, "ABCDEFABCDEF, yours, for the lesson FEDCBAFEDCBA; 2026"),
    ("moves", {**START, "id": ID, "lesson": LESSON, "mine": False}, "ABCDEFABCDEF of the other side, for the lesson FEDCBA"),
    ("disputes", {"lesson": LESSON, "by": "JUMA", "reason": 1, "state": "open", "points": None,
                  "offers": [{"id": ID, "by": "JUMA", "points": 2_550}]},
     "about the lesson FEDCBAFEDCBA, opened by JUMA: open\n    JUMA would settle for 25.5 % to the tutor (ABCDEFABCDEF)"),
    ("disputes", {"lesson": LESSON, "by": "JUMA", "reason": 1, "state": "settled", "points": 5_000, "offers": []},
     "settled; 50 % to the tutor"),
    ("earmarks", {"id": ID, "student": "AMINA", "tutor": "JUMA", "asset": "hours", "amount": 9, "left": 8,
                  "until": 1_767_830_400, "state": "safe"},
     "ABCDEFABCDEF: 0.09 hours of AMINA for JUMA, 0.08 hours left, until 2026-01-08 00:00 UTC: safe"),
    ("classes", CLASS, "ABCDEFABCDEF of JUMA: 1.50 hours; 2026-01-08 00:00 UTC, 60 minutes; 1 was there"),
    ("classes", {**CLASS, "mine": True, "attended": 2, "settled": 1, "waiting": ["AMINA", "JUMA"]},
     "2 were there; 1 of them settled\n    wait for your word: AMINA, JUMA"),
    ("recoveries", {"id": ID, "person": "AMINA", "key": "STKEY", "approved": []}, "STKEY asks to speak for AMINA"),
    ("recoveries", {"id": ID, "person": "AMINA", "key": "STKEY", "approved": ["JUMA"]}, "approved by JUMA"),
]  # fmt: skip


@pytest.mark.parametrize(("title", "entry", "expected"), AFFAIRS)
def test_an_affair_is_said_in_words(title, entry, expected):
    assert expected in "\n".join(lines({**EMPTY, "me": ME, "places": PLACES, title: [entry]}))


@pytest.mark.parametrize(("title", "entry", "expected"), AFFAIRS)
def test_every_word_of_it_comes_from_the_catalogue(monkeypatch, title, entry, expected):
    with spoken(monkeypatch):
        said = "\n".join(lines({**EMPTY, "me": ME, "places": PLACES, title: [entry]}))
    assert set(plain_words(said, NAMES)) <= {"ABCDEFABCDEF", "FEDCBAFEDCBA"}


def test_a_phone_without_affairs_says_what_there_could_be():
    assert list(lines({**EMPTY, "me": {**ME, "registered": False}, "places": PLACES})) == [
        "AMINA is not registered yet", "lessons: none", "requests: none", "offers: none", "money: none",
        "signed here: none",
    ]  # fmt: skip
