"""The codes that views understand are the contracts' own."""

import json
from pathlib import Path

from hubd.fold import codes

ERRORS = json.loads((Path(__file__).parents[3] / "contracts" / "errors.json").read_text())
_NOT_OF_ACTIONS = ("access", "hour-credit")  # called by owners and wallets, never through a batch


def test_a_refusal_is_an_error_of_an_action_that_the_contracts_call_final():
    final = {int(code) for code, row in ERRORS.items() if not row["retry"] and row["contract"] not in _NOT_OF_ACTIONS}
    assert codes.REFUSED - {codes.ABORTED} == final - codes.DONE


def test_done_is_executed_now_or_executed_before():
    assert {0, codes.SPENT} == codes.DONE
    assert ERRORS[str(codes.SPENT)]["name"] == "CODE-SPENT"
