"""The codes of the chain, against the table that comes with the contracts."""

import json
from pathlib import Path

import pytest

from hubd.relay.codes import ABORTED, OK, SPENT, Fate, fate

ERRORS = json.loads((Path(__file__).parents[3] / "contracts" / "errors.json").read_text())
OF_DIRECT_CALLS = ("access", "hour-credit")  # no item of a batch comes back with these, 101 and 107 apart
ITEM_CODES = [*sorted(int(code) for code, row in ERRORS.items() if row["contract"] not in OF_DIRECT_CALLS), 101, 107]


@pytest.mark.parametrize("code", ITEM_CODES)
def test_what_the_contracts_say_may_be_tried_again_waits_and_nothing_else_does(code):
    assert (fate(code) is Fate.WAITS) == ERRORS[str(code)]["retry"]


def test_done_is_done_whoever_did_it():
    assert fate(OK) is fate(SPENT) is Fate.DONE


def test_a_transaction_that_aborts_with_one_action_refuses_it():
    assert fate(ABORTED) is Fate.REFUSED


def test_a_code_of_a_contract_to_come_waits():
    assert fate(4_711) is Fate.WAITS
