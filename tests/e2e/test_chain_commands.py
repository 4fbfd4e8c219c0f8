"""The operator's chain commands, as typed, against the local chain started by its own command."""

import json
import subprocess
import sys

import pytest
from commands import hubd, words

from hubd.demo.processes import free_port


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """(folder, node URL, deployer's address) with a charter and a running chain that knows the deployer."""
    folder = tmp_path_factory.mktemp("chain")
    deployer = hubd("key", "new", folder / "deployer.key", "--purpose", "deployer").stdout.strip()
    hubd("charter", "new", folder / "charter.toml", "--name", "Mtandao", "--deployer", deployer)
    command = [
        sys.executable,
        "-m",
        "hubd",
        "localchain",
        "--port",
        "0",
        "--block-ms",
        "50",
        "--balance",
        f"{deployer}=1000000000000",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as chain:
        yield folder, json.loads(chain.stdout.readline())["url"], deployer
        chain.terminate()


def paying(stage, *arguments, code=0, charter="charter.toml", key="deployer.key", url=None):
    folder, node, _ = stage
    options = ("--charter", folder / charter, "--node", url or node, "--key", folder / key, "--poll-ms", "50")
    return hubd(*arguments, *options, code=code)


def balance(stage, person, asset):
    folder, node, _ = stage
    return json.loads(
        hubd(
            "chain", "balance", person, "--asset", asset, "--charter", folder / "charter.toml", "--node", node, "--json"
        ).stdout
    )


def test_contracts_are_published_once_and_money_moves_as_said(stage):
    folder, _, deployer = stage
    complaint, hint = words(paying(stage, "chain", "deposit-for", deployer, "5", "--asset", "hours", code=1))
    assert "action-gateway" in complaint
    assert "deployed" in hint
    first = json.loads(paying(stage, "contracts", "deploy", "--json").stdout)
    assert "access" in first["deployed"]
    assert first["skipped"] == 0
    again = json.loads(paying(stage, "contracts", "deploy", "--json").stdout)
    assert (again["deployed"], again["called"]) == ([], 0)
    person = hubd("key", "show", folder / "steward-1.key").stdout.strip()
    paying(stage, "chain", "mint", deployer, "500")
    paying(stage, "chain", "deposit-for", person, "300", "--asset", "hours")
    paying(stage, "chain", "deposit-for", person, "7000")
    paying(stage, "chain", "transfer", person, "11")
    assert balance(stage, person, "hours") | {"person": ""} == {
        "asset": "hours",
        "free": 300,
        "locked": 0,
        "person": "",
        "wallet": 0,
    }
    assert balance(stage, person, "stx")["free"] == 7000
    assert balance(stage, person, "stx")["wallet"] == 11
    assert balance(stage, deployer, "hours")["wallet"] == 200


def test_what_cannot_be_done_is_said_in_words(stage):
    folder, _, deployer = stage
    hubd("key", "new", folder / "poor.key")
    wrong = {
        "no asset called": paying(stage, "chain", "mint", deployer, "5", "--asset", "gold", code=1),
        "cannot be minted": paying(stage, "chain", "mint", deployer, "5", "--asset", "stx", code=1),
        "no address": paying(stage, "chain", "transfer", "STWRONG", "5", code=1),
        "not the key": paying(stage, "contracts", "deploy", key="steward-1.key", code=1),
        "node": paying(stage, "chain", "transfer", deployer, "5", url=f"http://127.0.0.1:{free_port()}", code=1),
        "has 0 uSTX, and the fee alone is 3000": paying(
            stage, "chain", "transfer", deployer, "5", key="poor.key", code=1
        ),
    }
    for expected, ended in wrong.items():
        complaint, hint = words(ended)
        assert expected in complaint
        assert len(hint) > len("hint: ")


def test_a_node_of_another_network_is_told_apart_before_anything_is_signed(stage):
    folder, _, _ = stage
    deployer = hubd(
        "key", "show", folder / "deployer.key", "--purpose", "deployer", "--network", "mainnet"
    ).stdout.strip()
    arguments = ("--name", "Kuu", "--deployer", deployer, "--network", "mainnet")
    (folder / "main").mkdir()
    hubd("charter", "new", folder / "main" / "charter.toml", *arguments)
    complaint, hint = words(paying(stage, "contracts", "deploy", charter="main/charter.toml", code=1))
    assert "another network" in complaint
    assert "mainnet" in hint
