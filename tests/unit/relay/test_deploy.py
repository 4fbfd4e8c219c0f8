"""The deployment plan: what the file says, and words where it is wrong. `tests/e2e` deploys it."""

import json
from pathlib import Path

import pytest
from builders import Village

from hubd.action.clarity import NONE, Ascii, Bool, Buff, PrincipalCV, Some, UInt
from hubd.action.principal import address, contract
from hubd.errors import FatalError
from hubd.relay.deploy import has_effect, read_plan

CONTRACTS = Path(__file__).parents[3] / "contracts"
VILLAGE = Village(12)
DEPLOYER = VILLAGE.principal("deployer")
ANA = VILLAGE.principal("ana")


def folder_with(path, arguments, **changes):
    table = {
        "clarity_version": 5,
        "order": ["a"],
        "calls": [{"contract": "a", "function": "set", "args": arguments}],
        **changes,
    }
    (path / "deployment.json").write_text(json.dumps(table))
    (path / "a.clar").write_text("(ok true)")
    return path


def test_the_projects_own_plan_is_read_with_every_source():
    plan = read_plan(CONTRACTS, DEPLOYER)
    assert {"access", "action-gateway", "payment-escrow"} <= set(plan.sources)
    assert all(source for source in plan.sources.values())
    assert {call.contract for call in plan.calls} <= set(plan.sources)


def test_the_chain_can_be_asked_for_every_call_of_the_projects_own_plan():
    calls = read_plan(CONTRACTS, DEPLOYER).calls
    assert len(calls) > 10
    assert [call for call in calls if not has_effect(call)] == []


def test_every_type_of_argument_is_read(tmp_path):
    arguments = [
        {"type": "none"},
        {"type": "some", "value": {"type": "uint", "value": "5"}},
        {"type": "bool", "value": False},
        {"type": "string-ascii", "value": "word"},
        {"type": "buff", "value": "00ff"},
        {"type": "principal", "value": "$deployer"},
        {"type": "principal", "value": ".a"},
        {"type": "principal", "value": address(ANA)},
    ]
    [call] = read_plan(folder_with(tmp_path, arguments), DEPLOYER).calls
    assert call.arguments == (
        NONE,
        Some(UInt(5)),
        Bool(False),
        Ascii("word"),
        Buff(b"\x00\xff"),
        PrincipalCV(DEPLOYER),
        PrincipalCV(contract(DEPLOYER, "a")),
        PrincipalCV(ANA),
    )


@pytest.mark.parametrize(
    "argument",
    [
        None,
        {},
        {"type": "uint", "value": 5},
        {"type": "uint", "value": "-5"},
        {"type": "bool", "value": "true"},
        {"type": "float", "value": 1.5},
        {"type": "buff", "value": "xyz"},
        {"type": "principal", "value": "nobody"},
        {"type": "string-ascii", "value": "é"},
        {"type": "some", "value": None},
    ],
)
def test_an_argument_that_makes_no_sense_is_refused_in_words(tmp_path, argument):
    with pytest.raises(FatalError) as caught:
        read_plan(folder_with(tmp_path, [argument]), DEPLOYER)
    assert caught.value.code == "deployment-file"
    assert "contracts/README.md" in caught.value.hint


@pytest.mark.parametrize("changes", [{"order": ["b"]}, {"order": None}, {"calls": [{}]}, {"clarity_version": "x"}])
def test_a_plan_with_something_missing_is_refused_in_words(tmp_path, changes):
    with pytest.raises(FatalError, match="deployment-file"):
        read_plan(folder_with(tmp_path, [], **changes), DEPLOYER)


def test_a_folder_without_a_plan_is_refused_in_words(tmp_path):
    with pytest.raises(FatalError, match="deployment-file"):
        read_plan(tmp_path, DEPLOYER)
