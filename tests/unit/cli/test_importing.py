"""What `hubd import` and `hubd post` say of whatever lies on a stick, and what is to be done then."""

import asyncio
import json
import time

import pytest
from click.testing import CliRunner

from hubd.action import envelope
from hubd.action.network import TESTNET
from hubd.action.principal import address
from hubd.action.signature import Signer
from hubd.action.statement import Statement
from hubd.cli import main
from hubd.hub import Hub
from hubd.ports import Door

DEPLOYER = address(Signer(b"\x11" * 32).principal(TESTNET))


def run(*arguments, code=0):
    """What a command says on stdout and on stderr; its exit code must be the expected one."""
    ended = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert ended.exit_code == code, (ended.output, ended.exception)
    return ended.stdout, ended.stderr


def make_mesh(folder, *names):
    folder.mkdir()
    file = folder / "charter.toml"
    run("charter", "new", file, "--name", folder.name, "--deployer", DEPLOYER)
    hubs = [folder / name for name in names]
    for hub in hubs:
        run("init", "--data", hub, "--charter", file, "--set", f"hub.name={hub.name}")
    run("charter", "found", file, *hubs, "--steward-key", folder / "steward-1.key")
    for hub in hubs:
        (hub / "charter.toml").write_bytes(file.read_bytes())
    return hubs


@pytest.fixture
def hubs(tmp_path):
    """Two founding hubs of one mesh, the second of which has something that the first has not."""
    made = make_mesh(tmp_path / "tatu", "kijiji", "mbali")
    run("vouch", DEPLOYER, "--data", made[1], "--steward-key", tmp_path / "tatu" / "steward-1.key")
    return made


@pytest.fixture
def bundle(hubs, tmp_path):
    """What the second hub has."""
    run("export", tmp_path / "post.hubd", "--data", hubs[1])
    return tmp_path / "post.hubd"


def imported(file, hub, code=0):
    """The result, and what people are told."""
    facts = json.loads(run("import", file, "--data", hub, "--json", code=code)[0])
    told, _ = run("import", file, "--data", hub, code=code)
    return facts, told


def refused(file, hub):
    """The complaint and the hint."""
    complaint, hint = run("import", file, "--data", hub, code=1)[1].splitlines()
    return complaint, hint


def test_a_hubs_own_bundle_is_said_to_be_its_own(hubs, bundle):
    facts, told = imported(bundle, hubs[1])
    assert (facts["result"], facts["actions"], facts["writers"]) == ("own", 0, [])
    assert told == f"{bundle} is this hub's own bundle, so nothing in it is new here; import it at the other hubs\n"


def test_what_is_new_is_counted_and_the_same_bundle_again_was_here_already(hubs, bundle):
    first = json.loads(run("import", bundle, "--data", hubs[0], "--json")[0])
    assert (first["result"], first["new"]) == ("new", 1)
    assert [(each["name"], each["state"]) for each in first["writers"]] == [("mbali", "admitted")]
    facts, told = imported(bundle, hubs[0])
    assert (facts["result"], facts["new"], facts["actions"]) == ("known", 0, first["actions"])
    assert told == f"all of {bundle} was here already; nothing is left to do\n"


def test_a_bundle_that_holds_nothing_is_no_mistake(hubs, tmp_path):
    ended = json.loads(run("export", tmp_path / "all", "--data", hubs[1], "--json")[0])["position"]
    run("export", tmp_path / "none", "--data", hubs[1], "--after", ended)
    facts, told = imported(tmp_path / "none", hubs[0])
    assert facts["result"] == "nothing"
    assert "the hub that wrote it had nothing to carry" in told


def test_a_damaged_part_is_told_beside_what_the_others_were(hubs, bundle):
    raw = bytearray(bundle.read_bytes())
    raw[20] ^= 1
    bundle.write_bytes(raw)
    out, err = run("import", bundle, "--data", hubs[0], "--json", code=3)
    assert (json.loads(out)["result"], json.loads(out)["chunks_bad"]) == ("new", 1)
    assert "1 damaged part was skipped; ask for the bundle again" in err
    out, err = run("import", bundle, "--data", hubs[1], "--json", code=3)
    assert json.loads(out)["result"] == "own"
    assert "export it again before it is carried" in err


def test_whatever_is_no_bundle_for_this_hub_says_what_it_is_and_what_to_do(hubs, bundle, tmp_path):
    [other] = make_mesh(tmp_path / "nne", "zamani")
    run("export", tmp_path / "others", "--data", other)
    assert refused(tmp_path / "others", hubs[0]) == (
        f"hubd: {tmp_path / 'others'} belongs to another mesh",
        "hint: ask a hub of your own mesh for a bundle",
    )
    run("init", "--data", tmp_path / "mpya", "--charter", tmp_path / "tatu" / "charter.toml")
    complaint, hint = refused(bundle, tmp_path / "mpya")
    assert "is not addressed to this hub" in complaint
    assert "ask for a new one" in hint
    (tmp_path / "photo").write_bytes(b"a holiday photo")
    assert "no bundle, and no receipt of this mesh" in refused(tmp_path / "photo", hubs[0])[0]
    (tmp_path / "torn").write_bytes(bundle.read_bytes()[:40])
    assert "is a bundle, and no part of it is whole" in refused(tmp_path / "torn", hubs[0])[0]
    (tmp_path / "empty").touch()
    complaint, hint = refused(tmp_path / "empty", hubs[0])
    assert "is empty: it was not copied to its end" in complaint
    assert "copy it again" in hint
    complaint, hint = refused(tmp_path, hubs[0])
    assert "is a folder" in complaint
    assert f"hubd post {tmp_path}" in hint


def request_of_nobody(hub):
    """A request of a key that nobody registered, in the set of a hub."""

    async def put():
        async with Hub.opened(hub) as opened:
            now = int(time.time())
            signer = Signer(b"\x22" * 32)
            statement = Statement(
                action="request-close", author=signer.principal(TESTNET), created=now, expires=now + 1_000,
                salt=bytes(8), subject=bytes(32),
            )  # fmt: skip
            action = envelope.seal(statement, signer, opened.charter.domain)
            await opened.intake.offer([envelope.encode(action)], Door.PEER)

    asyncio.run(put())


def test_a_bundle_of_a_retired_hub_says_so_and_what_waits(hubs, tmp_path):
    key = ("--steward-key", tmp_path / "tatu" / "steward-1.key")
    request_of_nobody(hubs[1])
    run("export", tmp_path / "post.hubd", "--data", hubs[1])
    run("retire", "mbali", "--data", hubs[0], *key)
    first = json.loads(run("import", tmp_path / "post.hubd", "--data", hubs[0], "--json", code=3)[0])
    assert (first["result"], first["new"], first["deferred"]) == ("new", 1, 1)
    assert [(each["name"], each["state"]) for each in first["writers"]] == [("mbali", "retired")]
    facts, told = imported(tmp_path / "post.hubd", hubs[0], code=3)
    assert (facts["result"], facts["deferred"]) == ("waiting", 1)
    assert "mbali wrote it and was retired, so what it brings counts as a stranger's" in told
    assert "1 action was not taken yet: import the file again later" in told


def test_a_receipt_is_told_by_whose_it_is_and_whether_it_says_anything_new(hubs, tmp_path):
    key = ("--steward-key", tmp_path / "tatu" / "steward-1.key")
    (tmp_path / "stick").mkdir()
    run("post", tmp_path / "stick", "--data", hubs[1])
    [receipt] = (tmp_path / "stick" / "hubd-post").glob("*.receipt")
    first = json.loads(run("import", receipt, "--data", hubs[0], "--json")[0])
    assert first["result"] == "receipt"
    facts, told = imported(receipt, hubs[0])
    assert (facts["result"], facts["hub"]) == ("receipt-known", first["hub"])
    assert "a receipt of mbali that says nothing new" in told
    facts, told = imported(receipt, hubs[1])
    assert facts["result"] == "receipt-own"
    assert "this hub's own receipt" in told
    run("retire", "mbali", "--data", hubs[0], *key)
    facts, told = imported(receipt, hubs[0])
    assert facts["result"] == "receipt-stranger"
    assert "a receipt of mbali, which is not admitted here" in told


def posted(stick, hub, code=0):
    facts = json.loads(run("post", stick, "--data", hub, "--json", code=code)[0])
    receipt = (stick / "hubd-post" / "RECEIPT.txt").read_text()
    return facts, run("post", stick, "--data", hub, code=code)[0], receipt


def test_a_stick_without_bundles_says_so(hubs, tmp_path):
    facts, told, receipt = posted(tmp_path, hubs[0])
    assert (facts["bundles"], facts["given"] > 0) == ({}, True)
    assert "no other hub has left post there yet: carry the stick to the next hub" in told
    assert "Nothing on this stick was for this hub." in receipt


def test_what_lies_on_a_stick_and_is_not_for_this_hub_is_no_damage(hubs, bundle, tmp_path):
    [other] = make_mesh(tmp_path / "nne", "zamani")
    folder = tmp_path / "stick" / "hubd-post"
    folder.mkdir(parents=True)
    run("export", folder / "1111111111111111.post", "--data", other)
    run("export", folder / "2222222222222222.post", "--data", hubs[0])
    facts, told, receipt = posted(tmp_path / "stick", hubs[0])
    assert (facts["bundles"], facts["damaged"]) == ({"bundle-mesh": 1, "own": 1}, 0)
    assert "1 bundle there belongs to another mesh and was left alone" in told
    assert "no other hub has left post there yet" in told
    assert "1 bundle on this stick belongs to another mesh and was left alone." in receipt
    run("init", "--data", tmp_path / "mpya", "--charter", tmp_path / "tatu" / "charter.toml")
    facts, told, receipt = posted(tmp_path / "stick", tmp_path / "mpya", code=3)
    assert (facts["bundles"]["bundle-recipient"], facts["damaged"]) == (2, 0)
    assert (
        "2 bundles there are not addressed to this hub: carry the stick to the hubs that wrote them, and back" in told
    )
    assert "2 bundles are not addressed to this hub." in receipt


def test_what_is_damaged_or_waits_on_a_stick_is_told_with_what_to_do(hubs, tmp_path):
    request_of_nobody(hubs[1])
    folder = tmp_path / "stick" / "hubd-post"
    folder.mkdir(parents=True)
    (folder / "1111111111111111.post").touch()
    run("export", folder / "2222222222222222.post", "--data", hubs[1])
    run("retire", "mbali", "--data", hubs[0], "--steward-key", tmp_path / "tatu" / "steward-1.key")
    facts, told, _ = posted(tmp_path / "stick", hubs[0], code=3)
    assert (facts["bundles"], facts["damaged"], facts["deferred"]) == ({"bundle": 1, "new": 1}, 1, 1)
    assert "1 part was damaged: carry the stick once more, it is written anew" in told
    assert "1 action was not taken yet: exchange post again later" in told
