"""The catalogue and the code say the same codes, and every sentence is one a coordinator can use."""

import json
import re
import subprocess
import sys
import tomllib
import zipfile

import pytest

from hubd import messages
from hubd.fold import codes as chain_codes
from hubd.fold.void import REASONS
from tools import sources
from tools.steps import ROOT

CATALOGUE = messages.catalogue()
SENTENCES = {code: text for section in CATALOGUE.values() for code, text in section.items()}
CONTRACT_ERRORS = json.loads((ROOT / "contracts" / "errors.json").read_text("utf-8"))
WORDS_MAX = 45  # of one sentence for people: what is read at once on a small screen
OF_THE_RELAY = {f"chain-{chain_codes.ABORTED}"}


def family(prefix):
    return {code for code in SENTENCES if code.startswith(prefix)}


def test_every_code_of_the_source_has_a_sentence():
    said = sources.codes()
    assert not {code: said[code] for code in sorted(set(said) - set(SENTENCES))}


def test_every_sentence_has_a_code_in_the_source():
    spoken = set(sources.codes()) | {"unknown"} | family("void-") | family("chain-")
    assert sorted(set(SENTENCES) - spoken) == []


def test_every_reason_of_a_void_action_has_a_sentence_and_the_reverse():
    assert family("void-") == {f"void-{reason}" for reason in REASONS}


def test_the_chains_codes_are_the_contracts_in_their_own_words():
    expected = {f"chain-{number}": row["words"] for number, row in CONTRACT_ERRORS.items()}
    assert {code: SENTENCES[code] for code in family("chain-") - OF_THE_RELAY} == expected


def test_the_contracts_words_stand_in_their_own_table_and_nowhere_else():
    for language in messages.languages():
        text = (ROOT / "hubd" / "locale" / f"{language}.toml").read_text("utf-8")
        own = set(tomllib.loads(text).get("chain", {}))
        assert language != messages.DEFAULT_LANGUAGE or own == OF_THE_RELAY


def test_an_installed_hub_carries_the_catalogue_and_the_contracts_words(tmp_path):
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as files:
        files.extractall(tmp_path / "installed")
    asked = "import hubd.messages as m; print(m.__file__, m.words('chain-604'), m.phrase('status.alone'), sep='|')"
    said = subprocess.run(
        [sys.executable, "-c", asked], cwd=tmp_path / "installed", check=True, capture_output=True, text=True
    ).stdout
    expected = [f"{tmp_path}/installed/hubd/messages.py", CONTRACT_ERRORS["604"]["words"], "no neighbour is known yet"]
    assert said.strip().split("|") == expected


def test_the_relays_own_code_has_its_sentence():
    assert set(SENTENCES) >= OF_THE_RELAY


def test_the_folds_tables_name_codes_that_have_a_sentence():
    known = {f"chain-{code}" for code in chain_codes.REFUSED | chain_codes.DONE if code}
    assert known <= set(SENTENCES)


def test_no_code_stands_twice():
    codes = [code for section in CATALOGUE.values() for code in section]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("code", sorted(SENTENCES))
def test_a_sentence_is_plain_and_whole(code):
    text = SENTENCES[code]
    assert text[0].isupper() or text.startswith("hubd")
    assert text[-1] in ".?)"
    assert len(text.split()) <= WORDS_MAX
    assert not re.search(r"[{}%]|Error|exception|null", text)


def test_a_code_is_said_in_its_sentence_and_nothing_is_said_of_no_code():
    assert messages.words("rate") == SENTENCES["rate"]
    assert messages.words("") == ""


def test_a_code_without_a_sentence_is_named_in_a_general_one():
    assert messages.words("no-such-code") == SENTENCES["unknown"] + " (no-such-code)"
    assert messages.words("unknown") == SENTENCES["unknown"] + " (unknown)"


@pytest.mark.parametrize("language", ["en", "en-GB", "en_US.UTF-8", "EN", "C", "", "../secrets", "xx", "toolong"])
def test_a_language_that_is_not_there_is_english(language):
    assert messages.words("rate", language) == SENTENCES["rate"]


def test_another_language_speaks_where_it_can(monkeypatch):
    monkeypatch.setattr(messages, "languages", lambda: frozenset(("en", "sw")))
    tables = {"en": dict(SENTENCES), "sw": {"rate": "Subiri kidogo."}}
    monkeypatch.setattr(messages, "_sentences", tables.__getitem__)
    assert messages.words("rate", "sw-KE") == "Subiri kidogo."
    assert messages.words("hour", "sw") == SENTENCES["hour"]
    assert messages.words("no-such-code", "sw") == SENTENCES["unknown"] + " (no-such-code)"


def test_a_translation_translates_only_what_there_is():
    for language in messages.languages():
        codes = {code for section in messages.catalogue(language).values() for code in section}
        assert codes <= set(SENTENCES), language
