"""Pages say what is there: nothing undocumented, nothing stale, no link into the void, no promise without its test."""

import ast
import os
import re
import subprocess
from collections import Counter

import click
import pytest

from hubd import config, limits, messages
from hubd.action.kinds import KINDS
from hubd.cli import main
from tools import pages, sources
from tools.steps import ROOT

_TRACKED = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "*.md"],
    cwd=ROOT, check=True, capture_output=True, text=True,
).stdout.split("\0")  # fmt: skip
PAGES = [ROOT / name for name in _TRACKED if name and (ROOT / name).exists()]
_FENCE = re.compile(r"^ {4}.*$|`[^`\n]*`", re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_PROMISE = re.compile(r"`(tests/[\w/.]+?)(?:::(\w+)|: \"([^\"]+)\")?`")
_HABIT = re.compile(r"^ {4}(\w+(?:\|[-\w]+)*)\)", re.MULTILINE)


def text(name):
    return (ROOT / name).read_text("utf-8")


def anchors(page):
    """The names of headings, as forges make them."""
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in _HEADING.findall(page)}


def habits():
    """What ./dev can be asked for, and for those that are Python, the module behind them."""
    script = text("dev")
    return {name for group in _HABIT.findall(script.partition("case $habit in")[2]) for name in group.split("|")}


@pytest.mark.parametrize("name", sorted(pages.PAGES))
def test_a_generated_page_is_as_its_table(name):
    assert name not in pages.stale(), "run ./dev check --fix"


def test_every_command_stands_on_its_page_and_says_what_it_does():
    page = text("docs/commands.md")
    assert len(list(pages.commands())) > 20, "the walk found the commands"
    for words, command in pages.commands():
        assert f"## {words}\n" in page
        assert command.help, f"{words} has no help"


def options_without_help(command, name):
    if isinstance(command, click.Group):
        with click.Context(command) as context:
            for child in command.list_commands(context):
                yield from options_without_help(command.get_command(context, child), f"{name} {child}")
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not parameter.help:
            yield f"{name} {parameter.opts[0]}"


def test_every_option_says_what_it_is_for():
    assert list(options_without_help(main, "hubd")) == []


def test_every_command_with_a_result_can_give_it_to_a_program():
    of_services = {"hubd run", "hubd localchain", "hubd phone serve"}
    mute = {
        words
        for words, command in pages.commands()
        if not isinstance(command, click.Group) and not any("--json" in option.opts for option in command.params)
    }
    assert mute == of_services


def test_every_configuration_key_is_documented():
    page = text("docs/configuration.md")
    assert [key.name for key in config.KEYS if f"`{key.name}`" not in page] == []


def test_every_kind_is_documented_and_says_what_it_means():
    page = text("docs/kinds.md")
    assert [name for name, kind in KINDS.items() if f"| `{name}` | {kind.meaning} |" not in page] == []


def test_every_code_is_documented():
    page = text("docs/errors.md")
    codes = [code for section, table in messages.catalogue().items() if section for code in table]
    assert [code for code in codes if f"| `{code}` |" not in page] == []


def test_every_log_event_has_a_sentence_and_the_reverse():
    assert {event.name for event in sources.events()} == set(pages.log_sentences())


def test_every_field_that_is_logged_passes_the_list_of_fields():
    for event in sources.events():
        assert set(event.fields) <= pages.FIELDS, event.name


def test_every_limit_has_a_reason():
    assert [limit.name for limit in sources.limits() if not limit.reason] == []


def test_no_limit_is_said_twice():
    said = Counter(limit.name for limit in sources.limits())
    assert [name for name, times in said.items() if times > 1] == []


def test_the_page_of_limits_shows_every_one_that_code_can_ask_for():
    """Each part is star-imported: one that is forgotten there, or holds what no row shows, is noticed here."""
    shown = {limit.name for limit in sources.limits()}
    parts = {path.stem for path in (ROOT / "hubd" / "limits").glob("*.py")}
    assert {name for name in vars(limits) if not name.startswith("__")} - parts == shown
    assert re.findall(r"^\| `(\w+)` \|", text("docs/limits.md"), re.MULTILINE) == [
        each.name for each in sources.limits()
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page):
    lost = []
    for target in _LINK.findall(_FENCE.sub("", page.read_text("utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        found = (page.parent / name) if name else page
        is_here = found.exists() and (not anchor or anchor in anchors(found.read_text("utf-8")))
        if not is_here:
            lost.append(target)
    assert not lost


def test_every_page_is_reached_from_the_index_or_from_a_page_beside_the_readme():
    reached = {
        os.path.normpath(page.parent / target.partition("#")[0])
        for page in PAGES
        for target in _LINK.findall(page.read_text("utf-8"))
        if ":" not in target
    }
    lonely = [page for page in PAGES if page.parent in (ROOT / "docs", ROOT / "docs" / "decisions")]
    assert [str(page.relative_to(ROOT)) for page in lonely if str(page) not in reached] == []


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_every_habit_that_a_page_names_is_there(page):
    named = set(re.findall(r"\./dev (\w+)", text(page)))
    assert named
    assert named <= habits()


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_every_habit_that_a_page_names_can_be_run(page):
    """Habits in Python are modules of `tools`; a page that names one without its module promises what is not there."""
    in_python = re.search(r"^ {4}([\w|]+)\) bootstrap; exec .*tools\.\$habit", text("dev"), re.MULTILINE)
    assert in_python is not None
    named = set(re.findall(r"\./dev (\w+)", text(page))) & set(in_python[1].split("|"))
    assert [name for name in sorted(named) if not (ROOT / "tools" / f"{name}.py").exists()] == []


def command_lines():
    """(page, words, options) of every call of hubd that stands in a page's code."""
    for page in PAGES:
        code = [
            *re.findall(r"^ {4,}(.+)$", page.read_text("utf-8"), re.MULTILINE),
            *re.findall(r"`([^`\n]+)`", page.read_text("utf-8")),
        ]
        for line in code:
            if found := re.match(
                r"(?:sudo -u \w+ )?(?:/opt/hubd/bin/|ExecStart=/opt/hubd/bin/|\./dev run )?(hubd(?: [a-z][a-z-]*)+)(.*)",
                line,
            ):
                yield str(page.relative_to(ROOT)), found[1].split(), re.findall(r"--[a-z-]+", found[2])


def test_every_command_that_a_page_shows_is_there_with_its_options():
    known = dict(pages.commands())
    wrong = []
    for page, words, options in command_lines():
        length = next(length for length in range(len(words), 0, -1) if " ".join(words[:length]) in known)
        command = known[" ".join(words[:length])]
        if isinstance(command, click.Group) and length < len(words):
            wrong.append((page, " ".join(words)))
        taken = {name for option in command.params for name in option.opts}
        wrong += [(page, " ".join(words), option) for option in options if option not in taken]
    assert wrong == []


def test_the_screen_of_the_readme_is_made_of_what_the_demo_says():
    """Every step of the story that the README shows is one that the demo tells, numbers and names aside."""
    told = text("hubd/locale/en/demo.toml")
    shown = re.findall(r"^ {4} +[\d.]+ s {2}(.+)$", text("README.md"), re.MULTILINE)
    assert shown
    for line in shown:
        words = max(re.split(r"\b(?:hub )?[A-Z]\b|\d+", line), key=len).strip(" ,;")
        assert words in told, line


def test_the_architecture_places_every_package_and_every_module_of_the_top():
    page = text("ARCHITECTURE.md")
    packages = {path.parent.name for path in (ROOT / "hubd").glob("*/__init__.py")}
    assert [name for name in sorted(packages) if f"`hubd/{name}`" not in page] == []
    drawing = page.partition("## The way of an action")[0]
    modules = {path.stem for path in (ROOT / "hubd").glob("*.py")} - {"__init__", "__main__"}
    assert [name for name in sorted(packages | modules) if not re.search(rf"\b{name}\b", drawing)] == []


def test_contributing_names_the_folders_of_tests():
    named = set(re.findall(r"^\| `(\w+)` \|", text("CONTRIBUTING.md"), re.MULTILINE))
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and any(path.rglob("test_*.py"))}
    folders |= {path.parent.name for path in (ROOT / "tests").glob("*/*.test.mjs")}
    assert sorted(folders - named) == []


def promises():
    return _PROMISE.findall(text("ARCHITECTURE.md"))


def test_the_architecture_names_tests():
    assert len(promises()) > 20


@pytest.mark.parametrize(("path", "function", "sentence"), promises())
def test_a_promise_of_the_architecture_has_its_test(path, function, sentence):
    source = text(path)
    if function:
        tree = ast.parse(source)
        names = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert function in names
    if sentence:
        assert f'test("{sentence}"' in source
