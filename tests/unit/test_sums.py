"""Sums as people read them."""

from pathlib import Path

import pytest
from builders import Village

from hubd.sums import HOURS_TOKEN, places, stx_of, sum_of

KNOWN = {"hours": 2, "stx": 6}


@pytest.mark.parametrize(
    ("amount", "asset", "shown"),
    [
        (60, "hours", "0.60 hours"),
        (100, "hours", "1.00 hours"),
        (2**63 - 1, "hours", "92233720368547758.07 hours"),
        (0, "stx", "0.00 stx"),
        (1, "stx", "0.000001 stx"),
        (1_050_000, "stx", "1.05 stx"),
        (1_000_000, "stx", "1.00 stx"),
        (1, "coin", "1 smallest unit of coin"),
        (150, "coin", "150 smallest units of coin"),
    ],
)
def test_a_sum_is_in_what_people_count_in_and_exact(amount: int, asset: str, shown: str) -> None:
    assert sum_of(amount, asset, KNOWN) == shown


def test_only_the_meshs_own_hours_are_hours_whatever_another_token_is_called() -> None:
    village = Village(1)
    hours = village.charter.contract(HOURS_TOKEN)
    assert places(dict(village.charter.assets), hours) == KNOWN
    assert places({"hours": b"another", "ours": hours}, hours) == {"ours": 2, "stx": 6}


def test_the_token_of_hours_says_the_same() -> None:
    source = (Path(__file__).parents[2] / "contracts" / f"{HOURS_TOKEN}.clar").read_text("utf-8")
    assert "(define-read-only (get-decimals)\n  (ok u2))" in source


def test_fees_are_in_stx() -> None:
    assert stx_of(56_314) == "0.056314 stx"
