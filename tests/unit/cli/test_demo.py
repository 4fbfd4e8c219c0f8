"""The demo ends with tables for people: every word by the catalogue, every column as wide as it must be."""

from pseudo import plain_words, spoken

from hubd.demo.report import tables

FACTS = {
    "converged": True,
    "hubs": [{"name": name, "count": count, "fingerprint": "8084cd4c" * 8, "views": "fc672d51" * 8}
             for name, count in (("A", 9), ("B", 1234))],
    "lessons": [
        {"id": "53bbf1fa" * 8, "asset": "hours", "state": "settled", "payment": "released", "level": "final",
         "times": {"confirmed": 2.0, "settled": 4.1}},
        {"id": "8890159a" * 8, "asset": "stx", "state": "cancelled", "payment": "returned", "level": None, "times": {}},
    ],
    "balances": [{"person": "JUMA", "asset": "hours", "before": 0, "after": 200},
                 {"person": "LULU", "asset": "stx", "before": 0, "after": 2_500_000}],
    "returned": {"person": "AMINA", "asset": "hours", "price": 100, "free": 200, "locked": 0, "deposited": 300, "paid": 100},
    "places": {"hours": 2, "stx": 6},
    "chain": {"transactions": 1, "actions": 46, "fees": 56_314},
}  # fmt: skip


def test_the_tables_stand_in_columns_with_numbers_at_the_right():
    lines = tables(FACTS)
    assert lines[1:4] == [
        "hub  actions  fingerprint       views",
        "A          9  8084cd4c8084cd4c  fc672d51fc672d51",
        "B       1234  8084cd4c8084cd4c  fc672d51fc672d51",
    ]
    assert lines[5:8] == [
        "lesson    asset  state      price       level  seen at the first hub after (s)",
        "53bbf1fa  hours  settled    paid        final  confirmed 2.0, settled 4.1",
        "8890159a  stx    cancelled  given back  -",
    ]
    assert lines[9:12] == [
        "tutor  before      after (on the chain)",
        "JUMA   0.00 hours  2.00 hours",
        "LULU   0.00 stx    2.50 stx",
    ]
    assert lines[13].startswith(
        "AMINA's cancelled lesson gave 1.00 hours back; in the vault 2.00 hours are free, 0.00 hou"
    )
    assert "1 transaction carried out 46 actions for 0.056314 stx of fees" in lines


def test_every_word_of_the_tables_comes_from_the_catalogue(monkeypatch):
    shown = ("8084cd4c8084cd4c", "fc672d51fc672d51", "53bbf1fa", "8890159a", "JUMA", "LULU", "AMINA", "hours", "stx")
    with spoken(monkeypatch):
        assert plain_words("\n".join(tables(FACTS)), shown) == []


def test_hubs_that_differ_are_said_to():
    assert tables({**FACTS, "converged": False})[-1] == "THE HUBS DIFFER, or a lesson is not settled"
