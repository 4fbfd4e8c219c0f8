"""What goes wrong in a village ends in words a coordinator understands, a hint, and an exit code that means something."""

import json
import os
import signal
import socket
import time
import tomllib

import pytest
from commands import hubd, make_hub, running, status, words

from hubd.action.network import TESTNET
from hubd.action.principal import address
from hubd.action.signature import Signer
from hubd.demo.processes import free_port

DEPLOYER = address(Signer(b"\x11" * 32).principal(TESTNET))
STEWARDS = 3


@pytest.fixture(scope="module")
def mesh(tmp_path_factory):
    """A charter with its keys, and a founding hub called Kijiji."""
    folder = tmp_path_factory.mktemp("mesh")
    deployer = hubd("key", "new", folder / "deployer.key", "--purpose", "deployer").stdout.strip()
    hubd("charter", "new", folder / "charter.toml", "--name", "Mtandao", "--deployer", deployer)
    make_hub(folder, "kijiji")
    hubd("charter", "found", folder / "charter.toml", folder / "kijiji", "--steward-key", folder / "steward-1.key")
    return folder


def test_a_charter_with_a_mistake_names_the_line(mesh, tmp_path):
    text = (mesh / "charter.toml").read_text()
    for wrong, expected in (
        (text.replace('money = "hours"', 'money = "gold"'), "money"),
        (text.replace('network = "testnet"', 'network = "moonnet"'), "network"),
        (text.replace("stewards", "stuards"), "stuards"),
        ("not toml [", "can't be read"),
        (text.replace("version = 1", "version = 9"), "version"),
        (text.replace('founding = [\n  "', 'founding = [\n  "AAAA'), "founding"),
    ):
        assert wrong != text
        (tmp_path / "charter.toml").write_text(wrong)
        complaint, hint = words(hubd("charter", "show", tmp_path / "charter.toml", code=1))
        assert expected in complaint
        assert "charter" in hint


def test_a_charter_of_the_other_network_is_refused(mesh, tmp_path):
    (tmp_path / "charter.toml").write_text((mesh / "charter.toml").read_text().replace("testnet", "mainnet"))
    complaint, _ = words(hubd("charter", "show", tmp_path / "charter.toml", code=1))
    assert "no address on mainnet" in complaint


def test_a_hub_of_another_mesh_is_told_so_and_its_data_stay(mesh, tmp_path):
    hub = make_hub(mesh, "mgeni")
    before = status(hub)["count"]
    own = (hub / "charter.toml").read_text()
    deployer = hubd("key", "new", tmp_path / "d.key", "--purpose", "deployer").stdout.strip()
    hubd("charter", "new", tmp_path / "charter.toml", "--name", "Nyingine", "--deployer", deployer)
    (hub / "charter.toml").write_text((tmp_path / "charter.toml").read_text())
    complaint, hint = words(hubd("status", "--data", hub, code=1))
    assert "another mesh" in complaint
    assert "charter" in hint
    (hub / "charter.toml").write_text(own)
    assert status(hub)["count"] == before


@pytest.mark.parametrize("key", ["phones.listen_port", "mesh.listen_port"])
def test_a_port_in_use_is_said_with_its_number(mesh, key):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        hub = make_hub(mesh, f"port-{key.split('.')[0]}", **{key: port})
        complaint, hint = words(hubd("run", "--data", hub, code=1))
        assert str(port) in complaint
        assert hint


def test_a_second_daemon_on_the_same_data_is_told_so(mesh):
    hub = make_hub(mesh, "pili")
    with running(hub):
        complaint, _ = words(hubd("run", "--data", hub, code=1))
        assert "another hubd runs" in complaint


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("[hub]\nnam = 'x'", "did you mean hub.name"),
        ("[mesh]\nlisten_port = 'x'", "whole number"),
        ("[mesh]\npeers = ['nowhere']", "10.0.0.2:7701"),
        ("[relay]\npoll_ms = 1", "between"),
        ("[log]\nlevel = 'loud'", "one of"),
        ("name = 'x'", "section"),
        ("[hub", "can't be read"),
        ('[hub]\nname = "a\\nb"', "letters"),
        ("[post]\nfolders = ['/']", "post.folders"),
        ("[post]\nfolders = ['/media/..']", "post.folders"),
        ('[post]\nfolders = ["/media/\\u0000"]', "post.folders"),
    ],
)
def test_a_mistake_in_the_configuration_is_named(mesh, line, expected):
    path = mesh / "kijiji" / "hubd.toml"
    good = path.read_text()
    try:
        path.write_text(line)
        complaint, hint = words(hubd("run", "--data", mesh / "kijiji", code=1))
    finally:
        path.write_text(good)
    assert expected in complaint
    assert "docs/configuration.md" in hint


def test_an_unreachable_chain_stops_no_hub_and_is_said_in_its_status(mesh):
    hub = make_hub(mesh, "uplink", **{"relay.nodes": f"http://127.0.0.1:{free_port()}", "relay.poll_ms": 100})
    with running(hub):
        deadline = time.monotonic() + 15
        while not (facts := status(hub))["relay"]["trouble"] and time.monotonic() < deadline:
            time.sleep(0.2)
        assert facts["relay"]["trouble"] == "node-unreachable"
        said = hubd("status", "--data", hub).stdout
        assert "uplink: " in said
        assert "hint: " in said


def test_a_reload_takes_live_keys_and_names_the_others(mesh):
    hub = make_hub(mesh, "reload")
    with running(hub) as process:
        text = (hub / "hubd.toml").read_text()
        (hub / "hubd.toml").write_text(
            text.replace("# session_interval_s = 30", "session_interval_s = 5").replace(
                'name = "reload"', 'name = "mpya"'
            )
        )
        process.send_signal(signal.SIGHUP)
        time.sleep(1)
        assert status(hub)["name"] == "reload"
        (hub / "hubd.toml").write_text("[hub")
        process.send_signal(signal.SIGHUP)
        time.sleep(1)
        assert status(hub)["running"]
        process.send_signal(signal.SIGTERM)
        logged = [json.loads(line) for line in process.communicate(timeout=20)[1].splitlines()]
    assert process.returncode == 0
    events = [line["event"] for line in logged]
    assert events.count("config-reloaded") == 1
    assert events.count("clock-judged") == 1, "what is known of the clock did not change meanwhile"
    assert [line["detail"] for line in logged if line["event"] == "config-needs-restart"] == ["hub.name"]
    assert "config-refused" in events
    assert events[-1] == "hub-stopped"


def test_a_bundle_travels_and_its_damage_is_said(mesh, tmp_path):
    bundle = tmp_path / "post.hubd"
    facts = json.loads(hubd("export", bundle, "--data", mesh / "kijiji", "--json").stdout)
    assert (facts["actions"], facts["all"]) == (2, True)
    assert hubd("import", bundle, "--data", mesh / "kijiji").returncode == 0
    raw = bytearray(bundle.read_bytes())
    raw[20] ^= 1
    (tmp_path / "torn").write_bytes(raw)
    ended = hubd("import", tmp_path / "torn", "--data", mesh / "kijiji", "--json", code=3)
    assert "damaged" in ended.stderr
    assert json.loads(ended.stdout)["chunks_good"] == 2, "the keys that were hit come again at the end"
    (tmp_path / "none").write_bytes(b"a holiday photo")
    complaint, _ = words(hubd("import", tmp_path / "none", "--data", mesh / "kijiji", code=1))
    assert "no bundle" in complaint
    stranger = make_hub(mesh, "stranger")
    complaint, hint = words(hubd("import", bundle, "--data", stranger, code=1))
    assert "not addressed to this hub" in complaint
    assert "admitted" in hint
    complaint, hint = words(hubd("export", bundle, "--data", mesh / "kijiji", "--for", "mbali", code=1))
    assert "mbali" in complaint


def test_links_and_pipes_on_a_stick_hold_up_no_import_and_lead_no_export_astray(mesh, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "endless").symlink_to("/dev/zero")
    for name in ("pipe", "endless"):
        complaint, _ = words(hubd("import", tmp_path / name, "--data", mesh / "kijiji", code=1))
        assert "no ordinary file" in complaint
    (tmp_path / "own.key").write_text("the hub's own")
    (tmp_path / "post.hubd.part").symlink_to(tmp_path / "own.key")
    hubd("export", tmp_path / "post.hubd", "--data", mesh / "kijiji")
    assert (tmp_path / "own.key").read_text() == "the hub's own"
    assert not (tmp_path / "post.hubd").is_symlink()


def test_a_hub_that_runs_and_one_that_does_not_export_and_import_alike(mesh, tmp_path):
    hubd("export", tmp_path / "stopped", "--data", mesh / "kijiji")
    with running(mesh / "kijiji"):
        hubd("export", tmp_path / "running", "--data", mesh / "kijiji")
        facts = json.loads(hubd("import", tmp_path / "stopped", "--data", mesh / "kijiji", "--json").stdout)
    assert (facts["new"], facts["chunks_bad"], facts["whole"]) == (0, 0, True)
    facts = json.loads(hubd("import", tmp_path / "running", "--data", mesh / "kijiji", "--json").stdout)
    assert (facts["refused"], facts["chunks_bad"], facts["whole"]) == (0, 0, True)


def test_stewards_admit_vouch_and_retire_and_nobody_else_does(mesh, tmp_path):
    newcomer = make_hub(mesh, "mpya")
    nobody = hubd("key", "new", tmp_path / "nobody.key").stdout.strip()
    first, second = (("--data", mesh / "kijiji", "--steward-key", mesh / f"steward-{number}.key") for number in (1, 2))
    with running(newcomer):
        port = status(newcomer)["phones"]["port"]
        admission = ("admit", "mpya", "--operator", "2", "--from", f"http://127.0.0.1:{port}")
        complaint, _ = words(
            hubd(*admission, "--data", mesh / "kijiji", "--steward-key", tmp_path / "nobody.key", code=1)
        )
        assert "no steward" in complaint
        assert "mpya is admitted" in hubd(*admission, *second).stdout
    assert "mpya is retired" in hubd("retire", "mpya", *first).stdout
    complaint, _ = words(hubd("retire", "mpya", *first, code=1))
    assert "not admitted" in complaint
    complaint, _ = words(hubd("vouch", "STNOTANADDRESS", *first, code=1))
    assert "no address" in complaint
    assert hubd("vouch", nobody, *first).returncode == 0
    complaint, _ = words(
        hubd("vouch", nobody, "--data", mesh / "kijiji", "--steward-key", tmp_path / "nobody.key", code=1)
    )
    assert "no steward" in complaint


def test_a_neighbour_is_said_to_be_the_same_only_where_that_is_proven(mesh, tmp_path):
    """Two hubs: compared and the same, then one is off and the other goes on."""
    folder = tmp_path / "pair"
    folder.mkdir()
    deployer = hubd("key", "new", folder / "deployer.key", "--purpose", "deployer").stdout.strip()
    hubd("charter", "new", folder / "charter.toml", "--name", "Wawili", "--deployer", deployer)
    first = make_hub(folder, "mto", **{"mesh.session_interval_s": 5})
    port = tomllib.loads((first / "hubd.toml").read_text())["mesh"]["listen_port"]
    second = make_hub(folder, "mlima", **{"mesh.peers": f"127.0.0.1:{port}", "mesh.session_interval_s": 5})
    hubd("charter", "found", folder / "charter.toml", first, second, "--steward-key", folder / "steward-1.key")
    with running(first):
        with running(second):
            facts = _until_status(first, lambda facts: facts["peers"][0]["proven"])
            [peer] = facts["peers"]
            assert (peer["proven_count"], peer["newer"], peer["peer_count"]) == (facts["count"], 0, facts["count"])
            assert peer["proven_spoken"] == facts["spoken"]
            same = f"by its own word holds the same {facts['count']} actions"
            assert f"neighbour mlima: connected, {same}" in _said(first)
        hubd("vouch", DEPLOYER, "--data", first, "--steward-key", folder / "steward-1.key")
        facts = status(first)
        assert (facts["peers"][0]["proven"], facts["peers"][0]["newer"]) == (False, 1)
        said = _said(first)
        assert "holds the same" not in said
        assert "; 1 here is newer" in said


def _said(hub):
    return hubd("status", "--data", hub).stdout


def _until_status(hub, is_so):
    deadline = time.monotonic() + 20
    while not is_so(facts := status(hub)):
        assert time.monotonic() < deadline, facts
        time.sleep(0.2)
    return facts


def test_stewards_change_when_two_of_them_say_so(mesh, tmp_path):
    heir = hubd("key", "new", tmp_path / "heir.key").stdout.strip()
    first, second = (("--data", mesh / "kijiji", "--steward-key", mesh / f"steward-{number}.key") for number in (1, 2))
    for change, before, after in (
        ("add", "no steward until", "is a steward"),
        ("remove", "is a steward until", "no steward"),
    ):
        assert before in hubd("steward", change, heir, *first).stdout
        assert after in hubd("steward", change, heir, *second).stdout


def test_a_sealed_key_opens_with_its_passphrase_only(tmp_path):
    environment = os.environ | {"HUBD_PASSPHRASE": "tembo na simba"}
    made = hubd("key", "new", tmp_path / "steward.key", env=environment).stdout
    assert hubd("key", "show", tmp_path / "steward.key", env=environment).stdout == made
    for wrong in ({}, {"HUBD_PASSPHRASE": "tembo"}):
        _, hint = words(hubd("key", "show", tmp_path / "steward.key", env=os.environ | wrong, code=1))
        assert hint
    complaint, _ = words(hubd("key", "new", tmp_path / "steward.key", env=environment, code=1))
    assert "there already" in complaint


@pytest.mark.parametrize("text", [b"", b"\nsecret\n", b"\xff\xfe"])
def test_a_passphrase_file_that_holds_none_seals_nothing_and_says_so(tmp_path, text):
    (tmp_path / "passphrase").write_bytes(text)
    arguments = ("key", "new", tmp_path / "steward.key", "--passphrase-file", tmp_path / "passphrase")
    _, hint = words(hubd(*arguments, code=1))
    assert "passphrase" in hint
    assert not (tmp_path / "steward.key").exists()


def test_keys_that_are_written_unsealed_are_always_said_to_be(mesh, tmp_path):
    assert "not sealed" in hubd("key", "new", tmp_path / "k.key").stderr
    made = hubd("charter", "new", tmp_path / "c.toml", "--name", "x", "--deployer", DEPLOYER)
    assert made.stderr.count("not sealed") == STEWARDS
    phone = tmp_path / "phone"
    assert (
        "not sealed" in hubd("phone", "register", "Amina", "--charter", mesh / "charter.toml", "--phone", phone).stderr
    )


def test_a_charter_that_cannot_be_written_leaves_no_keys_behind(tmp_path):
    arguments = (
        "charter",
        "new",
        tmp_path / "charter.toml",
        "--name",
        "x",
        "--deployer",
        DEPLOYER,
        "--money",
        "tokens",
    )
    complaint, hint = words(hubd(*arguments, code=1))
    assert "answers_for_money" in complaint
    assert "nothing was written" in hint
    assert list(tmp_path.iterdir()) == []
    hubd(*arguments, "--answers-for-money", "an organisation")


def test_a_lost_key_is_not_replaced_in_silence(mesh):
    hub = make_hub(mesh, "lost")
    (hub / "keys" / "box.key").unlink()
    complaint, _ = words(hubd("status", "--data", hub, code=1))
    assert "box.key" in complaint
    complaint, _ = words(hubd("init", "--data", hub, "--charter", mesh / "charter.toml", code=1))
    assert "already" in complaint
    assert not (hub / "keys" / "box.key").exists()


def test_a_place_where_nothing_can_be_written_is_said_in_words(mesh, tmp_path):
    (tmp_path / "file").touch()
    for arguments in (
        ("key", "new", tmp_path / "file" / "k.key"),
        ("init", "--data", tmp_path / "file", "--charter", mesh / "charter.toml"),
        ("export", tmp_path / "file" / "post", "--data", mesh / "kijiji"),
        ("export", "/dev/null", "--data", mesh / "kijiji"),
    ):
        complaint, hint = words(hubd(*arguments, code=1))
        assert complaint
        assert hint


def test_founding_twice_founds_once(mesh):
    before = (mesh / "charter.toml").read_text()
    hubd("charter", "found", mesh / "charter.toml", mesh / "kijiji", "--steward-key", mesh / "steward-1.key")
    assert (mesh / "charter.toml").read_text() == before


def test_an_address_that_is_no_url_is_refused_where_it_is_typed(mesh, tmp_path):
    arguments = (
        "init",
        "--data",
        tmp_path / "hub",
        "--charter",
        mesh / "charter.toml",
        "--set",
        "relay.nodes=nonsense",
    )
    complaint, hint = words(hubd(*arguments, code=1))
    assert "relay.nodes" in complaint
    assert "http://" in hint
    assert not (tmp_path / "hub").exists()
