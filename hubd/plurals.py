"""Which form of a word goes with a number, by the rules of CLDR: a language's own file says them, none is built in.

A rule is what Unicode's tables have before their samples, "n % 10 = 2..4 and n % 100 != 12..14". Counts here are whole, so
n and i are the number and the operands of decimals (v, w, f, t, c, e) are 0.
"""

import re
from collections.abc import Mapping

CATEGORIES = ("zero", "one", "two", "few", "many")  # in the order they are tried; what fits none is "other"
OTHER = "other"
_RELATION = re.compile(r"\s*([nivwftce])(?:\s*%\s*(\d+))?\s*(!?=)\s*(\d[\d.,\s]*)\Z")


def category(rules: Mapping[str, str], count: int) -> str:
    """The category of a count. `rules` are by category; one that is left out never fits."""
    return next((name for name in CATEGORIES if name in rules and fits(rules[name], count)), OTHER)


def fits(rule: str, count: int) -> bool:
    """Whether a count is as a rule says. Raises `ValueError` for what is no rule."""
    return any(
        all(_is_so(relation, count) for relation in re.split(r"\sand\s", part)) for part in re.split(r"\sor\s", rule)
    )


def _is_so(relation: str, count: int) -> bool:
    match = _RELATION.match(relation)
    if match is None:
        raise ValueError(relation)
    operand, modulus, sign, ranges = match.groups()
    number = abs(count) if operand in "ni" else 0
    number = number % int(modulus) if modulus else number
    return any(_within(number, each) for each in ranges.split(",")) == (sign == "=")


def _within(number: int, text: str) -> bool:
    first, dots, last = text.partition("..")
    return int(first) <= number <= int(last if dots else first)
