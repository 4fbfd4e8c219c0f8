"""Two hubs that run and never see each other, and what people carry between them."""

import json
import time

import pytest
from commands import hubd, make_hub, running, status

from hubd.action.network import TESTNET
from hubd.action.principal import address
from hubd.action.signature import Signer

DEPLOYER = address(Signer(b"\x11" * 32).principal(TESTNET))
HUBS = ("kijiji", "mbali")


@pytest.fixture
def villages(tmp_path):
    """A mesh of two founding hubs that watch the folder `media`, with something to tell on each side."""
    hubd("charter", "new", tmp_path / "charter.toml", "--name", "Mtandao", "--deployer", DEPLOYER)
    (tmp_path / "media").mkdir()
    hubs = [make_hub(tmp_path, name, **{"post.folders": str(tmp_path / "media")}) for name in HUBS]
    hubd("charter", "found", tmp_path / "charter.toml", *hubs, "--steward-key", tmp_path / "steward-1.key")
    for hub in hubs:
        (hub / "charter.toml").write_bytes((tmp_path / "charter.toml").read_bytes())
    return hubs


def vouch(hub):
    hubd("vouch", DEPLOYER, "--data", hub, "--steward-key", hub.parent / "steward-2.key")


def proof(hub):
    facts = status(hub)
    return facts["count"], facts["fingerprint"]


def until(what, seconds=30):
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, "it takes too long"
        time.sleep(0.2)
    return found


def test_a_stick_makes_two_running_hubs_one_set_and_the_receipts_come_back(villages, tmp_path):
    one, two = villages
    stick = tmp_path / "media"
    (stick / "hubd-post").mkdir()
    for hub in (one, two):
        vouch(hub)
    with running(one):
        until(lambda: [each["given"] for each in status(one)["sticks"]] == [proof(one)[0]])
        assert "You may pull the stick out now." in (stick / "hubd-post" / "RECEIPT.txt").read_text()
        with running(two):
            until(lambda: [each["new"] for each in status(two)["sticks"]] == [1])
            facts = json.loads(hubd("post", stick, "--data", one, "--json").stdout)
            assert (facts["new"], facts["all"], facts["damaged"]) == (1, True, 0)
            hubd("post", stick, "--data", two)
            assert proof(one) == proof(two)
            assert [(each["name"], each["same"], each["waiting"]) for each in status(two)["post"]] == [
                ("kijiji", True, 0)
            ]
            assert "post with kijiji: holds the same" in hubd("status", "--data", two).stdout
    facts = json.loads(hubd("post", stick, "--data", one, "--json").stdout)
    assert (facts["new"], facts["given"]) == (0, 0), "a hub that does not run exchanges as well"


def test_one_phones_pocket_makes_two_running_hubs_one_set_and_the_receipts_come_back(villages, tmp_path):
    one, two = villages
    phone = ("--phone", tmp_path / "phone")
    person = json.loads(
        hubd("phone", "register", "Amina", "--charter", tmp_path / "charter.toml", *phone, "--json").stdout
    )
    hubd("phone", "carry", "--mb", 4, *phone)

    def sync(hub):
        url = f"http://127.0.0.1:{status(hub)['phones']['port']}"
        return json.loads(hubd("phone", "sync", url, *phone, "--json").stdout)["post"]

    with running(one), running(two):
        for hub in (one, two):
            vouch(hub)
        sync(one)
        hubd("vouch", person["person"], "--data", one, "--steward-key", tmp_path / "steward-1.key")
        assert sync(one)["fetched"] == 1
        pocket = json.loads(hubd("phone", "status", *phone, "--json").stdout)
        assert [(row["hub"], row["parcels"]) for row in pocket["post"]] == [("kijiji", 1)]
        assert proof(one) != proof(two)
        there = sync(two)
        assert (there["brought"], there["fetched"], there["reason"]) == (1, 1, "")
        assert sync(one)["new"] == 1
        assert proof(one) == proof(two)
        sync(two)
        sync(one)
        for hub, other in ((one, "mbali"), (two, "kijiji")):
            assert [(each["name"], each["same"], each["waiting"]) for each in status(hub)["post"]] == [(other, True, 0)]
        lines = hubd("phone", "status", *phone).stdout
        assert "carries up to 4 MB of post" in lines
        assert "receipts of kijiji, mbali" in lines
