"""What our own source says of itself, read as syntax trees: error codes, phrases, log events, limits.

Pages and tests are made of this, so that neither can say what the code does not do.
"""

import ast
import re
import tokenize
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.steps import ROOT

PACKAGE = ROOT / "hubd"

# Where codes stand in the code: calls with the position of the code among the arguments, ...
_CALLS = {
    "RemoteError": 0, "FatalError": 0, "LocalError": 0,  # errors
    "Fault": 0, "_end": 0, "_compare": 1,  # how a session of two hubs ends
    "_forget": 1, "_lost": 2,  # why a link ended
}  # fmt: skip
# ... names they are assigned to, functions that return them or pair them with something, and enums of them.
_NAMES = ("code", "reason", "trouble")
_RETURNING = ("judge", "_judge", "send_now")
_PAIRING = ("_asked", "unmet")
_ENUMS = ("DialOutcome",)
_CODE = re.compile(r"[a-z][a-z-]*\Z")
_PHRASING = ("phrase", "say")  # calls that say a phrase of the catalogue, by its name
_LEVELS = ("debug", "info", "warning", "error", "exception", "critical")


@dataclass(frozen=True, slots=True)
class Event:
    """A log event: its name, the levels it is said at, the services that say it, and the fields beside it."""

    name: str
    levels: tuple[str, ...]
    services: tuple[str, ...]
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """A place that says a phrase: its name, where, and the values it is given. "" for a name that can't be told."""

    name: str
    place: str
    values: frozenset[str]


@dataclass(frozen=True, slots=True)
class Limit:
    """A constant of `hubd/limits`: its section, the page that section cites, its expression and its reason."""

    section: str
    page: str
    name: str
    value: str
    reason: str


def modules(folder: Path = PACKAGE) -> Iterator[tuple[Path, ast.Module]]:
    """Every module below a folder with its tree, in order of path."""
    for path in sorted(folder.rglob("*.py")):
        yield path, ast.parse(path.read_text("utf-8"), str(path))


def _name(node: ast.expr) -> str:
    """The last name of `a.b.c` or `c`."""
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _texts(node: ast.expr | None) -> Iterator[str]:
    """The texts that an expression can come out as, as far as it says so itself."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp(body=body, orelse=orelse):
            yield from _texts(body)
            yield from _texts(orelse)
        case ast.BoolOp(values=values):
            for value in values:
                yield from _texts(value)
        case ast.Call(func=ast.Attribute(value=table, attr="get"), args=[_, *default]):
            for value in (*_values(table), *default):
                yield from _texts(value)


def _values(node: ast.expr | None) -> list[ast.expr]:
    return node.values if isinstance(node, ast.Dict) else []


def _codes_of_call(node: ast.Call) -> Iterator[str]:
    at = _CALLS.get(_name(node.func))
    if at is not None and len(node.args) > at:
        yield from _texts(node.args[at])


def _codes_of_class(node: ast.ClassDef) -> Iterator[str]:
    """Values of an enum of codes, and the code that an error class of its own gives itself."""
    if node.name in _ENUMS:
        for statement in node.body:
            if isinstance(statement, ast.Assign):
                yield from _texts(statement.value)
    if any(_name(base) in _CALLS for base in node.bases):
        for call in (inner for inner in ast.walk(node) if isinstance(inner, ast.Call)):
            if _name(call.func) == "__init__" and call.args:
                yield from _texts(call.args[0])


def _codes_of_function(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    for inner in ast.walk(node):
        if node.name in _RETURNING and isinstance(inner, ast.Return):
            yield from _texts(inner.value)
        if node.name in _PAIRING and isinstance(inner, ast.Tuple) and inner.elts:
            yield from _texts(inner.elts[0])


def _codes_of(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Call():
            yield from _codes_of_call(node)
        case ast.ClassDef():
            yield from _codes_of_class(node)
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            yield from _codes_of_function(node)
        case ast.Assign(targets=targets, value=value) if any(_name(target) in _NAMES for target in targets):
            yield from _texts(value)
        case ast.Assign(targets=[ast.Name(id="_CODES")], value=table):
            for value in _values(table):
                yield from _texts(value)


def codes(folder: Path = PACKAGE) -> dict[str, list[str]]:
    """Every code that the program can say of itself, with the places that say it. Void reasons and the chain's codes have
    tables of their own: `hubd.fold.void.REASONS` and `contracts/errors.json`.
    """
    found: dict[str, list[str]] = defaultdict(list)
    for path, tree in modules(folder):
        is_fold = path.parent.name == "fold"  # its reasons are a table, and are assigned by name there
        for node in ast.walk(tree):
            for code in _codes_of(node) if not (is_fold and isinstance(node, ast.Assign)) else ():
                if _CODE.match(code):
                    found[code].append(f"{path.relative_to(folder.parent)}:{getattr(node, 'lineno', 0)}")
    return dict(found)


def _tables(tree: ast.Module) -> dict[str, ast.expr]:
    """The module's own tables by name."""
    return {
        _name(target): node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict)
        for target in node.targets
    }


def _names(node: ast.expr, tables: Mapping[str, ast.expr]) -> Iterator[str]:
    """The names of phrases that an argument can be: written there, or rows of a table of the module."""
    if isinstance(node, ast.Subscript):
        for value in _values(tables.get(_name(node.value))):
            yield from _texts(value)
    else:
        yield from _texts(node)


def phrases(folder: Path = PACKAGE) -> Iterator[Said]:
    """Every place that says a phrase. `say` is a phrase's only where it is imported so: machines have one of their own."""
    for path, tree in modules(folder):
        mine = {each.name for node in tree.body if isinstance(node, ast.ImportFrom) for each in node.names}
        mine |= {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        tables = _tables(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in mine & set(_PHRASING):
                place = f"{path.relative_to(folder.parent)}:{node.lineno}"
                values = frozenset(word.arg or "" for word in node.keywords)
                for name in list(_names(node.args[0], tables)) or [""]:
                    yield Said(name, place, values)


def _service(tree: ast.Module) -> str:
    """The name given to `log.get` in a module."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name("log"), attr="get"), args=[name]):
                return next(_texts(name), "")
    return ""


def _notes(tree: ast.Module) -> Iterator[str]:
    """Names of the relay's notes: a machine hands them out, its driver logs them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func) == "Note" and node.args:
            yield from _texts(node.args[0])


def _levels(tree: ast.Module) -> dict[str, tuple[str, ...]]:
    """By what names a module logs: the levels, and `say` where it is chosen among them."""
    known = {level: (level,) for level in _LEVELS}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and [_name(target) for target in node.targets] == ["say"]:
            inner = (part.attr for part in ast.walk(node.value) if isinstance(part, ast.Attribute))
            known["say"] = tuple(level for level in inner if level in _LEVELS)
    return known


def _said(tree: ast.Module) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """(event, level, fields) of every line a module logs."""
    known = _levels(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args:
            fields = tuple(word.arg for word in node.keywords if word.arg)
            for name in _texts(node.args[0]):
                for level in known.get(_name(node.func), ()) if _CODE.match(name) else ():
                    yield name, level, fields


def events(folder: Path = PACKAGE) -> list[Event]:
    """Every log event of the program, by name."""
    found: dict[str, tuple[set[str], set[str], set[str]]] = {}

    def note(name: str, service: str, level: str, fields: tuple[str, ...]) -> None:
        levels, services, seen = found.setdefault(name, (set(), set(), set()))
        levels.add(level)
        services.add(service)
        seen.update(fields)

    for path, tree in modules(folder):
        service = _service(tree)
        if service:
            for name, level, fields in _said(tree):
                note(name, service, level, fields)
        if path.parent.name == "relay":
            for name in _notes(tree):
                note(name, "relay", "info", ("detail", "actions"))
    return [Event(name, *(tuple(sorted(part)) for part in found[name])) for name in sorted(found)]


_CITED = re.compile(r"docs/[\w-]+\.md")


def limits(folder: Path = PACKAGE / "limits") -> list[Limit]:
    """Every constant of the parts of limits, part by part: a part is a section, and its docstring may cite its page."""
    found = []
    for path, tree in modules(folder):
        with path.open("rb") as file:
            comments = {
                token.start[0]: token.string
                for token in tokenize.tokenize(file.readline)
                if token.type == tokenize.COMMENT
            }
        cited = _CITED.search(ast.get_docstring(tree) or "")
        for node in tree.body:
            if not isinstance(node, ast.Assign):
                continue
            lines = range(node.lineno, (node.end_lineno or node.lineno) + 1)
            reason = " ".join(comments[line].removeprefix("#").strip() for line in lines if line in comments)
            name, value = _name(node.targets[0]), ast.unparse(node.value)
            found.append(Limit(path.stem, cited[0] if cited else "", name, value, reason))
    return found


def by_section(found: list[Limit]) -> Mapping[tuple[str, str], list[Limit]]:
    """Limits grouped as the files group them."""
    groups: dict[tuple[str, str], list[Limit]] = defaultdict(list)
    for limit in found:
        groups[limit.section, limit.page].append(limit)
    return groups
