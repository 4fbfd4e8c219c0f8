"""Every phrase is said somewhere, every place of it is filled there, and no word of a result by-passes the catalogue."""

import ast
import re
from pathlib import Path
from shutil import copytree
from string import Formatter

import pytest

from hubd import config, messages, plurals
from hubd.action.kinds import KINDS
from hubd.cli import affairs
from hubd.demo import report
from hubd.fold.lesson_views import DisputeState, EarmarkState
from hubd.fold.views import LessonState, Payment, SettlementState
from hubd.phone import show
from tools import sources
from tools.steps import ROOT

EN = messages.DEFAULT_LANGUAGE
SAID = [
    each for each in sources.phrases() if each.place.split(":")[0] not in ("hubd/messages.py", "hubd/cli/terminal.py")
]
OF_TERMINAL = [each for each in sources.phrases() if each.place.startswith("hubd/cli/terminal.py") and each.name]
TERMS = {
    "lesson": set(LessonState),
    "payment": set(Payment),
    "level": set(affairs.LEVELS),
    "earmark": set(EarmarkState),
    "dispute": set(DisputeState),
    "stage": set(report.STAGES),
    "price": set(report.ENDS.values()),
    "balance": set(SettlementState),
    "settlement": set(SettlementState),
    "status": {show.ON_THIS_PHONE, show.AT_THE_HUB, show.ON_ITS_WAY, show.DONE, show.NEEDS_YOU, show.WITHDRAWN},
}
PLACES = [
    (subject, name) for subject in messages.subjects() for name in messages.phrases(EN, subject) if subject != "terms"
]


def forms(found):
    """Each text of a phrase with the values it is chosen by."""
    if isinstance(found, str):
        yield found, ()
        return
    [(counted, table)] = found.items()
    for text in table.values():
        for form, others in forms(text):
            yield form, (counted, *others)


def places(found):
    """What a phrase's texts have places for, and what they are chosen by."""
    written = {place for text, _ in forms(found) for _, place, _, _ in Formatter().parse(text) if place is not None}
    return written | {counted for _, chosen in forms(found) for counted in chosen}


def test_a_phrase_that_is_said_is_there_and_one_that_is_there_is_said():
    said = {each.name for each in (*SAID, *OF_TERMINAL)}
    assert sorted(each.place for each in SAID if not each.name) == [], "its name can't be read from the source"
    assert sorted(said ^ {f"{subject}.{name}" for subject, name in PLACES}) == []


def test_who_says_a_phrase_gives_it_exactly_the_values_it_has_places_for():
    for each in (*SAID, *OF_TERMINAL):
        subject, _, name = each.name.partition(".")
        assert places(messages.phrases(EN, subject)[name]) == each.values, (each.name, each.place)


def test_every_state_that_is_shown_has_its_word_and_every_word_its_state():
    states = {f"{family}-{state.replace(' ', '-')}" for family, values in TERMS.items() for state in values}
    assert sorted(states ^ set(messages.phrases(EN, "terms"))) == []


def test_a_state_of_a_newer_hub_is_shown_as_it_is():
    assert messages.term("lesson", "dreamt") == "dreamt"


@pytest.mark.parametrize("language", sorted(messages.languages()))
def test_a_language_says_what_english_says_with_the_same_places_and_has_every_form(language):
    rules = messages.phrases(language, "plurals")
    assert set(rules) <= set(plurals.CATEGORIES)
    assert set(messages.phrases(language, "kinds")) <= set(KINDS)
    for subject in set(messages.subjects(language)) - {"kinds"}:
        for name, found in messages.phrases(language, subject).items():
            known = places(messages.phrases(EN, subject)[name])
            for text, counted in forms(found):
                written = {place for _, place, _, _ in Formatter().parse(text) if place is not None}
                assert known - set(counted) <= written <= known, (language, subject, name)
                assert all(place.isidentifier() for place in written), (language, subject, name)
            assert_every_form(found, {*rules, plurals.OTHER})


def assert_every_form(found, categories):
    if not isinstance(found, str):
        [table] = found.values()
        assert set(table) == categories
        for text in table.values():
            assert_every_form(text, categories)


def test_the_configuration_takes_the_languages_there_are():
    assert set(config.BY_NAME["hub.language"].choices) == {"", *messages.languages()}


def speaking(monkeypatch, tables):
    """Let there be such languages: {language: {subject: phrases}}; the others are as they are."""
    real = messages.phrases
    monkeypatch.setattr(messages, "languages", lambda: frozenset((EN, *tables)))
    monkeypatch.setattr(
        messages, "phrases", lambda language, subject: {**real(EN, subject), **tables.get(EN, {}).get(subject, {})}
        if language == EN else tables[language].get(subject, {}),
    )  # fmt: skip


ENGLISH = {
    "fish": {"caught": {"count": {"one": "{count} fish by {who}", "other": "{count} fishes by {who}"}}, "none": "none"},
    "plurals": {"one": "n = 1"},
}
ARABIC = {
    "zero": "n = 0", "one": "n = 1", "two": "n = 2", "few": "n % 100 = 3..10", "many": "n % 100 = 11..99",
}  # fmt: skip


@pytest.fixture
def languages(monkeypatch):
    caught = {"count": {name: f"{name} {{count}} {{who}}" for name in (*plurals.CATEGORIES, "other")}}
    speaking(monkeypatch, {EN: ENGLISH, "ar": {"plurals": ARABIC, "fish": {"caught": caught}}})
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.delenv("LC_MESSAGES", raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")
    messages.speak("")


def test_the_form_goes_with_the_number(languages):
    said = [messages.phrase("fish.caught", count=count, who="Ana") for count in (0, 1, 2)]
    assert said == ["0 fishes by Ana", "1 fish by Ana", "2 fishes by Ana"]


def test_a_language_has_the_forms_it_needs(languages):
    messages.speak("ar")
    said = {
        count: messages.phrase("fish.caught", count=count, who="").split()[0] for count in (0, 1, 2, 7, 110, 26, 102)
    }
    assert said == {0: "zero", 1: "one", 2: "two", 7: "few", 110: "few", 26: "many", 102: "other"}
    messages.speak("")


def test_what_a_language_lacks_is_said_in_english_with_its_forms(languages, monkeypatch):
    messages.speak("ar")
    assert messages.phrase("fish.none") == "none"
    messages.speak("")


@pytest.mark.parametrize(
    ("environment", "chosen", "expected"),
    [
        ({"LANG": "ar_EG.UTF-8"}, "", "two"),
        ({"LANG": "ar", "LC_ALL": "C"}, "", "2"),
        ({"LANG": "C", "LC_MESSAGES": "ar"}, "", "two"),
        ({"LANG": "xx"}, "", "2"),
        ({"LANG": ""}, "", "2"),
        ({"LANG": "en"}, "ar", "two"),
        ({"LANG": "ar"}, "en", "2"),
    ],
)
def test_the_hub_chooses_the_language_and_else_the_environment(languages, monkeypatch, environment, chosen, expected):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    messages.speak(chosen)
    assert messages.phrase("fish.caught", count=2, who="").split()[0] == expected
    messages.speak("")


def test_a_name_that_a_stranger_chose_neither_commands_a_terminal_nor_fills_a_place(languages):
    assert messages.phrase("fish.caught", count=1, who="\x1b[2J{count}\n") == "1 fish by ?[2J{count}?"


@pytest.mark.parametrize(
    "name", ["\u0915\u094d\u200d\u0937", "\u0646\u0645\u06cc\u200c\u062e", "5\u00a0STX", "\u200fa"]
)
def test_letters_that_hidden_characters_join_and_part_stay_as_they_are(languages, name):
    """Hindi, Persian, French: it kills the rule that takes whatever Python does not print for a command."""
    assert messages.phrase("fish.caught", count=1, who=name) == f"1 fish by {name}"
    assert messages.phrase("fish.caught", count=1, who="\u202e" + name) == f"1 fish by ?{name}"


def test_a_phrase_in_a_phrase_keeps_its_own_lines(monkeypatch, languages):
    speaking(monkeypatch, {EN: {"fish": {**ENGLISH["fish"], "none": "none\nat all"}, "plurals": ENGLISH["plurals"]}})
    inner = messages.phrase("fish.none")
    assert messages.phrase("fish.caught", count=1, who=inner) == "1 fish by none\nat all"


@pytest.mark.parametrize(
    "caught",
    ["{fisher}", "{", {"count": {"few": "x"}}, {"number": {"other": "x"}}, {"count": "x"}, {}, 5],
    ids=["another place", "no text", "no form", "counts something else", "no forms", "empty", "a number"],
)
def test_a_phrase_that_rotted_is_said_in_english(monkeypatch, languages, caught):
    speaking(monkeypatch, {EN: ENGLISH, "ar": {"plurals": ARABIC, "fish": {"caught": caught}}})
    messages.speak("ar")
    assert messages.phrase("fish.caught", count=1, who="Ana") == "1 fish by Ana"
    messages.speak("")


@pytest.mark.parametrize("raw", [b"caught = ", b"\xff\xfe", b""])
def test_a_language_whose_files_rotted_is_silent_and_english_speaks(monkeypatch, tmp_path, raw):
    locale = tmp_path / "locale"
    copytree(Path(messages.__file__).parent / "locale", locale)
    (locale / "sw").mkdir()
    for file in (locale / "sw.toml", locale / "sw" / "status.toml", locale / "sw" / "terms.toml"):
        file.write_bytes(raw)
    monkeypatch.setattr(messages, "files", lambda _package: tmp_path)
    for cached in (messages.languages, messages.catalogue, messages._sentences, messages.phrases):
        cached.cache_clear()
    messages.speak("sw")
    try:
        assert "sw" in messages.languages()
        assert messages.words("stick-full") == messages.words("stick-full", EN)
        assert messages.phrases("sw", "status") == {}
        assert messages.term("lesson", "booked") == messages.phrases(EN, "terms")["lesson-booked"]
    finally:
        messages.speak("")
        monkeypatch.undo()
        for cached in (messages.languages, messages.catalogue, messages._sentences, messages.phrases):
            cached.cache_clear()


def test_a_row_of_a_table_is_said_by_the_language_and_else_by_the_table(monkeypatch, languages):
    assert messages.tabled("kinds", "vouch-give", KINDS["vouch-give"].meaning) == KINDS["vouch-give"].meaning
    speaking(monkeypatch, {"ar": {"kinds": {"vouch-give": "…"}}})
    messages.speak("ar")
    assert messages.tabled("kinds", "vouch-give", KINDS["vouch-give"].meaning) == "…"
    messages.speak("")


SPEAKING = ("hubd/cli/", "hubd/demo/report.py", "hubd/demo/story.py", "hubd/post/words.py")
IN_ENGLISH = ("help", "hint", "show_default")  # options explain themselves; an error's words are its own
ERRORS = ("FatalError", "RemoteError", "fail", "_until")


def sentences(node):
    """Texts of several words below a node of the tree, without docstrings, help texts and details of errors."""
    match node:
        case ast.Expr(value=ast.Constant()) | ast.Assign(targets=[ast.Name(id="COMMANDS" | "_UNREAD")]):
            return
        case ast.Dict(keys=[ast.Constant(value="note")]):
            return  # what an action says is signed, and no word of the program's
        case ast.keyword(arg=name) if name in IN_ENGLISH:
            return
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in ERRORS:
            return
        case ast.Constant(value=str(text)) if re.search(r"[A-Za-z]{2,} [A-Za-z]{2,}", text):
            yield f"{node.lineno}: {text}"
    for child in ast.iter_child_nodes(node):
        yield from sentences(child)


def test_no_sentence_for_people_stands_in_the_code_of_a_command():
    found = [
        f"{path.relative_to(ROOT)}:{text}"
        for path, tree in sources.modules()
        if str(path.relative_to(ROOT)).startswith(SPEAKING)
        for text in sentences(tree)
    ]
    assert "\n".join(found) == ""
