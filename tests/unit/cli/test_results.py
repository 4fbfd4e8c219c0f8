"""The main commands say every word of a result by the catalogue: in a language of wide letters, none is in plain ones."""

import errno
import json
import os
import re
import shlex

import pytest
from click.testing import CliRunner
from pseudo import plain_words, spoken

from hubd.cli import main
from hubd.post.stick import Stick
from hubd.store import database

ADDRESS = "ST2CY5V39NHDPWSXMW9QDT3HC3GD6Q6XX4CFRK9AG"
# What is no language: addresses, digests, words read aloud, paths, file names, options.
VALUES = re.compile(r"ST[0-9A-Z]{30,}(\.[a-z-]+)?|[0-9a-f]{8,}|[a-z]{4}(-[a-z]{4}){3}|/\S+|\S+\.(key|toml)\b|--[a-z-]+")
NAMES = ("MTANDAO", "KIJIJI", "AMINA", "testnet", "maths")


def told(*arguments, code=0):
    """What a command says on both streams; its exit code must be the expected one."""
    ended = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert ended.exit_code == code, (ended.output, ended.exception)
    return ended.output


def in_plain_letters(*arguments, code=0):
    return plain_words(VALUES.sub(" ", told(*arguments, code=code)), NAMES)


@pytest.fixture
def mesh(tmp_path):
    """A folder with a charter, its keys, and a founding hub."""
    told("charter", "new", tmp_path / "charter.toml", "--name", "MTANDAO", "--deployer", ADDRESS, "--subject", "maths")
    settings = ("--set", "hub.name=KIJIJI", "--set", "mesh.discover=false")
    told("init", "--data", tmp_path / "hub", "--charter", tmp_path / "charter.toml", *settings)
    told("charter", "found", tmp_path / "charter.toml", tmp_path / "hub", "--steward-key", tmp_path / "steward-1.key")
    return tmp_path


def test_founding_a_mesh_and_a_hub_is_told_by_the_catalogue(monkeypatch, tmp_path):
    charter, key = tmp_path / "charter.toml", tmp_path / "steward-1.key"
    with spoken(monkeypatch):
        assert in_plain_letters("charter", "new", charter, "--name", "MTANDAO", "--deployer", ADDRESS) == []
        assert in_plain_letters("init", "--data", tmp_path / "hub", "--charter", charter) == []
        assert in_plain_letters("charter", "found", charter, tmp_path / "hub", "--steward-key", key) == []
        assert in_plain_letters("charter", "show", charter) == ["hours"], (
            "what lessons are paid in is a word of the charter"
        )


def test_what_stewards_do_is_told_by_the_catalogue(monkeypatch, mesh):
    first, second = (("--data", mesh / "hub", "--steward-key", mesh / f"steward-{number}.key") for number in (1, 2))
    with spoken(monkeypatch):
        for key in (first, second):
            assert in_plain_letters("steward", "add", ADDRESS, *key) == []
        for key in (first, second):
            assert in_plain_letters("steward", "remove", ADDRESS, *key) == []
        assert in_plain_letters("vouch", ADDRESS, *first) == []
        assert in_plain_letters("retire", "KIJIJI", *first) == []
        assert in_plain_letters("admit", "KIJIJI", "--operator", 1, *first) == []


def test_post_is_told_by_the_catalogue_and_so_is_its_receipt(monkeypatch, mesh):
    (mesh / "stick").mkdir()
    data = ("--data", mesh / "hub")
    with spoken(monkeypatch):
        assert in_plain_letters("export", mesh / "bundle", *data) == []
        assert in_plain_letters("import", mesh / "bundle", *data) == []
        assert in_plain_letters("post", mesh / "stick", *data) == []
        assert in_plain_letters("status", *data) == []
        receipt = (mesh / "stick" / "hubd-post" / "RECEIPT.txt").read_text()
    assert plain_words(VALUES.sub(" ", receipt), NAMES) == []


def test_an_export_from_beyond_the_end_is_refused_and_writes_nothing(mesh):
    data = ("--data", mesh / "hub")
    end = json.loads(told("export", mesh / "bundle", *data, "--json"))["position"]
    told("export", mesh / "bundle", *data, "--after", end)
    said = told("export", mesh / "other", *data, "--after", end + 1, code=1)
    assert f"--after {end + 1}, and the latest arrival at this hub is {end}" in said
    assert not (mesh / "other").exists()


def test_an_export_that_is_ended_leaves_nothing_and_says_so(monkeypatch, mesh):
    def ctrl_c(_descriptor):
        raise KeyboardInterrupt

    monkeypatch.setattr("hubd.cli.post.os.fsync", ctrl_c)
    said = told("export", mesh / "bundle", "--data", mesh / "hub", code=130)
    assert said == "hubd: ended before it was done\n"
    assert not [path.name for path in mesh.iterdir() if path.name.startswith("bundle")]


def test_post_names_a_receipt_only_where_it_wrote_one(monkeypatch, mesh):
    def refuse(*_of):
        raise OSError(errno.EROFS, "read-only")

    (mesh / "stick").mkdir()
    assert "RECEIPT.txt says more" in told("post", mesh / "stick", "--data", mesh / "hub")
    for name in ("replace", "overwrite", "free_bytes", "remove"):
        monkeypatch.setattr(Stick, name, refuse)
    said = told("post", mesh / "stick", "--data", mesh / "hub", code=3)
    assert "no receipt could be written" in said
    assert "can only be read" in said
    assert "RECEIPT.txt" not in said


def test_a_phone_is_told_by_the_catalogue(monkeypatch, mesh):
    phone = ("--phone", mesh / "phone")
    with spoken(monkeypatch):
        assert in_plain_letters("phone", "register", "AMINA", "--charter", mesh / "charter.toml", *phone) == []
        assert in_plain_letters("phone", "know", "AMINA", ADDRESS, *phone) == []
        asked = in_plain_letters("phone", "do", "request-open", "subjects=maths", "ceiling=60", *phone)
        assert asked == ["open", "request"], "a kind's name is typed, and the same in every language"
        listed = in_plain_letters("phone", "kinds", "request-close")
        assert set(listed) <= {"hubd", "phone", "do", "request", "close", "ends", "fa", "c"}, "what is typed"
        assert in_plain_letters("phone", "carry", *phone) == []
        assert in_plain_letters("phone", "status", *phone) == []
        asked = told("phone", "do", "request-open", "subjects=maths", "ceiling=sixty", *phone, code=1).splitlines()
        assert asked[1].endswith(": write digits only: of hours 100 make one, of stx 1000000"), "how it is written"
        unreached = in_plain_letters("phone", "sync", "http://127.0.0.1:9", *phone, code=1)
        assert unreached == ["ConnectError"], "what engineers ask for"
        assert in_plain_letters("phone", "show", *phone) == ["hours", "open", "register", "request", "user"]


def test_a_phone_that_another_program_has_is_said_to_be(mesh, monkeypatch):
    phone = ("--phone", mesh / "phone")
    told("phone", "register", "AMINA", "--charter", mesh / "charter.toml", *phone)
    monkeypatch.setattr(database, "LOCK_WAIT_S", 0.1)
    descriptor = database.lock_directory(mesh / "phone")
    said = told("phone", "show", *phone, code=1)
    os.close(descriptor)
    assert "another hubd has the phone" in said
    assert "hubd phone serve" in said
    assert "--data" not in said
    told("phone", "show", *phone)


def test_every_example_of_the_list_of_kinds_is_a_command_that_can_be_typed(mesh):
    """What such a command lacks is what it is about, which this phone has not heard of."""
    phone = ("--phone", mesh / "phone")
    told("phone", "register", "AMINA", "--charter", mesh / "charter.toml", *phone)
    for name, row in json.loads(told("phone", "kinds", "--json")).items():
        typed = shlex.split(row["example"])
        assert typed[:4] == ["hubd", "phone", "do", name]
        ended = CliRunner().invoke(main, [*typed[1:], *map(str, phone)])
        said = re.search(r"no field|is no |takes no|There is no such action", ended.output)
        assert ended.exit_code == 0 or not said, ended.output
    assert "--help" not in told("phone", "kinds")


def test_a_kind_that_a_phone_does_not_sign_is_not_listed(mesh):
    del mesh
    assert "no kind is called 'relay-receipt'" in told("phone", "kinds", "relay-receipt", code=1)


def test_a_hub_speaks_the_language_that_its_configuration_names(monkeypatch, mesh):
    config = mesh / "hub" / "hubd.toml"
    with spoken(monkeypatch):
        config.write_text(config.read_text().replace('# language = ""', 'language = "en"'))
        assert "stopped" in told("status", "--data", mesh / "hub")


def test_programs_are_told_the_same_in_every_language(monkeypatch, mesh):
    def facts():
        found = json.loads(told("status", "--data", mesh / "hub", "--json"))
        return {name: value for name, value in found.items() if name != "counters"}

    plainly = facts()
    with spoken(monkeypatch):
        assert facts() == plainly


def test_a_complaint_is_the_codes_sentence_and_only_its_detail_is_english(monkeypatch, tmp_path):
    with spoken(monkeypatch):
        said = told("status", "--data", tmp_path, code=1)
    [line] = said.splitlines()
    sentence, bracket, detail = line.partition(" (")
    assert plain_words(sentence, ("hubd",)) == []
    assert bracket + detail == f" (there is no hub in {tmp_path})"


def test_in_english_a_complaint_is_what_happened_here_and_what_to_do(tmp_path):
    assert told("status", "--data", tmp_path, code=1).splitlines() == [
        f"hubd: there is no hub in {tmp_path}",
        "hint: name its folder with --data, or prepare one with `hubd init`",
    ]
