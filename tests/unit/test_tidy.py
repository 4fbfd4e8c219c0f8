"""Style that a machine can hold: sizes, docstrings, nothing unfinished, nothing of one machine, floors that are whole."""

import ast
import re
import subprocess

import pytest

from tools import sources
from tools.steps import ROOT

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
SOURCE_SUFFIXES = (".py", ".clar", ".mjs", ".js", ".css", ".html", ".sql")
SOURCE_FOLDERS = ("hubd", "contracts", "phone", "tools", "bench")
READ_FOLDERS = (*SOURCE_FOLDERS, "tests")  # whoever changes code reads its tests, too
FRAGMENT = re.compile(r"[a-z0-9-]+\.(added|changed|fixed|removed|security)\.md\Z")

# Written apart, so that this file does not hold what it forbids.
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|X" + r"XX|HA" + r"CK)\b")
PUT_OFF = re.compile(
    r"pytest\.(mark\.)?(sk" + r"ip|xf" + r"ail|importorsk" + r"ip)|\b(test|it|describe)\.(sk" + r"ip|to" + r"do|only)\("
)
ONE_MACHINE = re.compile(
    r"(?<![\w.-])/(?:work|ro" + r"ot|ho" + r"me|Us" + r"ers)/\w+"  # somebody's own folders
    r"|\b(?:py" + r"pi\.org|pythonhost" + r"ed\.org|registry\.np" + r"mjs\.org|np" + r"mmirror)"
)  # fmt: skip


def tracked():
    """The files of the repository that are there now, and those that are new and not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.split("\0")  # fmt: skip
    return [ROOT / name for name in listed if name and (ROOT / name).is_file()]


FILES = tracked()
SOURCES = [
    path for path in FILES if path.relative_to(ROOT).parts[0] in SOURCE_FOLDERS and path.suffix in SOURCE_SUFFIXES
]
PYTHON = [path for path in SOURCES if path.suffix == ".py"]
READ = [path for path in FILES if path.relative_to(ROOT).parts[0] in READ_FOLDERS and path.suffix in SOURCE_SUFFIXES]


def name(path):
    return str(path.relative_to(ROOT))


def texts(files=FILES):
    """(path, text) of every file that is text."""
    for path in files:
        raw = path.read_bytes()
        if b"\0" not in raw[:8_192]:
            yield path, raw.decode("utf-8")


def functions(tree):
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def public(tree):
    """Classes and functions of a module that others may use: those of the module itself and of its public classes."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from (part for part in functions(node) if part in node.body and not part.name.startswith("_"))


def test_no_file_is_longer_than_can_be_read():
    assert {name(path): lines for path in READ if (lines := len(path.read_text().splitlines())) > FILE_LINES_MAX} == {}


def test_no_function_is_longer_than_a_screen():
    long = {
        f"{name(path)}:{node.name}": lines
        for path in READ
        if path.suffix == ".py"
        for node in functions(ast.parse(path.read_text("utf-8")))
        if (lines := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_LINES_MAX
    }
    assert long == {}


def test_every_module_says_what_it_is():
    modules = [path for path in PYTHON if path.read_text("utf-8").strip()]
    assert [name(path) for path in modules if not ast.get_docstring(ast.parse(path.read_text("utf-8")))] == []


def test_everything_public_says_what_it_means():
    silent = [
        f"{name(path)}:{node.lineno} {node.name}"
        for path in PYTHON
        for node in public(ast.parse(path.read_text("utf-8")))
        if not ast.get_docstring(node) and not any("overload" in ast.unparse(mark) for mark in node.decorator_list)
    ]
    assert silent == []


@pytest.mark.parametrize(
    ("pattern", "what"),
    [
        (UNFINISHED, "unfinished work"),
        (PUT_OFF, "a test that is put off"),
        (ONE_MACHINE, "a place of one machine"),
    ],
    ids=["unfinished", "put off", "one machine"],
)
def test_nothing_is_committed_that_has_no_place_here(pattern, what):
    found = [
        f"{name(path)}:{number}: {what}"
        for path, text in texts()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == []


def test_the_patterns_find_what_they_forbid():
    assert UNFINISHED.search("# TO" + "DO: later")
    assert PUT_OFF.search("@pytest.mark.sk" + 'ip("later")')
    assert PUT_OFF.search("test.sk" + "ip(")
    assert ONE_MACHINE.search("open('/ho" + "me/somebody')")
    assert not ONE_MACHINE.search("/var/lib/hubd and docs/work/page")


def test_every_text_file_ends_with_one_newline():
    ours = [path for path in FILES if path.parent.name not in ("vectors", "fixtures")]  # those are kept as they came
    broken = [name(path) for path, text in texts(ours) if text and not re.search(r"[^\n]\n\Z", text)]
    assert broken == []


def test_changes_are_told_in_fragments():
    fragments = [path for path in (ROOT / "changelog.d").iterdir() if path.name != "README.md"]
    assert [path.name for path in fragments if not FRAGMENT.match(path.name) or not path.read_text().strip()] == []


def test_every_module_of_a_machine_is_held_pure():
    """`.importlinter` names pure modules one by one; a new one that imports no driver belongs there, too."""
    linter = (ROOT / ".importlinter").read_text("utf-8")
    drivers = (
        "asyncio",
        "os",
        "socket",
        "httpx",
        "zmq",
        "aiosqlite",
        "starlette",
        "zeroconf",
        "time",
        "hubd.log",
        "hubd.messages",
        "hubd.post.thread",
        "hubd.post.office",
    )
    missed = [
        name(path)
        for path, tree in sources.modules()
        if path.parent.name in ("gossip", "post", "relay") and path.stem != "__init__"
        if not imported(tree, drivers) and f"hubd.{path.parent.name}.{path.stem}\n" not in linter
        if not imported(tree, ("hubd.relay.node", "hubd.relay.wallet"))
    ]
    assert missed == []


def imported(tree, names):
    """Whether a module imports one of these, or something below it."""
    found = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return any(each == known or each.startswith(known + ".") for each in found for known in names)
