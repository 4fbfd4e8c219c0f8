"""Counts take the forms that CLDR says, shown on the samples that its tables have beside each rule."""

import pytest

from hubd import plurals

# CLDR, plural rules of cardinals: language, rules, and whole numbers of each category as its samples name them.
ENGLISH = {"one": "i = 1 and v = 0"}
FRENCH = {"one": "i = 0,1", "many": "e = 0 and i != 0 and i % 1000000 = 0 and v = 0 or e != 0..5"}
ARABIC = {"zero": "n = 0", "one": "n = 1", "two": "n = 2", "few": "n % 100 = 3..10", "many": "n % 100 = 11..99"}
RUSSIAN = {
    "one": "v = 0 and i % 10 = 1 and i % 100 != 11",
    "few": "v = 0 and i % 10 = 2..4 and i % 100 != 12..14",
    "many": "v = 0 and i % 10 = 0 or v = 0 and i % 10 = 5..9 or v = 0 and i % 100 = 11..14",
}
LATVIAN = {
    "zero": "n % 10 = 0 or n % 100 = 11..19 or v = 2 and f % 100 = 11..19",
    "one": "n % 10 = 1 and n % 100 != 11 or v = 2 and f % 10 = 1 and f % 100 != 11 or v != 2 and f % 10 = 1",
}
SAMPLES = [
    (ENGLISH, "one", (1,)),
    (ENGLISH, "other", (0, *range(2, 17), 100, 1000, 10_000, 1_000_000)),
    (FRENCH, "one", (0, 1)),
    (FRENCH, "many", (1_000_000,)),
    (FRENCH, "other", (*range(2, 18), 100, 1000, 100_000)),
    (ARABIC, "zero", (0,)),
    (ARABIC, "one", (1,)),
    (ARABIC, "two", (2,)),
    (ARABIC, "few", (*range(3, 11), *range(103, 111), 1003)),
    (ARABIC, "many", (*range(11, 27), 111, 1011)),
    (ARABIC, "other", (*range(100, 103), *range(200, 203), 300, 1000, 1_000_000)),
    (RUSSIAN, "one", (1, 21, 31, 41, 51, 61, 71, 81, 101, 1001)),
    (RUSSIAN, "few", (*range(2, 5), *range(22, 25), 32, 42, 102, 1002)),
    (RUSSIAN, "many", (0, *range(5, 20), 100, 1000, 1_000_000)),
    (LATVIAN, "zero", (0, *range(10, 21), 30, 40, 50, 60, 100, 1000, 1_000_000)),
    (LATVIAN, "one", (1, 21, 31, 41, 51, 61, 71, 81, 101, 1001)),
    (LATVIAN, "other", (*range(2, 10), *range(22, 30), 102, 1002)),
    ({}, "other", (0, 1, 2, 100)),
]


@pytest.mark.parametrize(("rules", "expected", "counts"), SAMPLES)
def test_a_count_takes_the_form_of_its_category(rules, expected, counts):
    assert {plurals.category(rules, count) for count in counts} == {expected}


@pytest.mark.parametrize("rule", ["", "n", "n = ", "n = x", "n == 1", "count = 1", "n = 1 and", "__import__('os')"])
def test_what_is_no_rule_is_refused(rule):
    with pytest.raises(ValueError):
        plurals.fits(rule, 1)
