"""The pages that are made of tables: `python -m tools.pages` compares them with the files, `--fix` writes them.

`./dev check` runs it, so that a page is never older than the table behind it.
"""

import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import click

from hubd import cli, config, messages
from hubd.action.kinds import AREAS, KINDS, Column, Kind, Scope
from hubd.log import FIELDS
from tools import sources
from tools.steps import ROOT

DOCS = ROOT / "docs"
LOG_SENTENCES = DOCS / "source" / "log.toml"
_EMPTY = "-"


@dataclass(frozen=True)
class Page:
    """A generated page: what it is made of, what it opens with, and the lines that follow."""

    title: str
    source: str
    opening: str
    lines: Callable[[], Iterator[str]]

    def text(self) -> str:
        """The whole page."""
        notice = f"<!-- Made by tools/pages.py: change {self.source}, then run ./dev check --fix. -->"
        head = f"# {self.title}\n\n{notice}\n\n{self.opening.strip()}\n\n"
        return (head + "\n".join(self.lines())).rstrip() + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A Markdown table; bars inside cells are escaped."""

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    yield line(head)
    yield "|" + "---|" * len(head)
    yield from map(line, rows)
    yield ""


def _heading(text: str) -> Iterator[str]:
    yield f"## {text}"
    yield ""


# --- kinds


def _column(column: Column) -> str:
    if not column.text:
        return _EMPTY
    return f"({column.meaning})" if column.admits(is_set=False) else column.meaning


def _scope(kind: Kind) -> str:
    names = [scope.name.lower() for scope in Scope if scope in kind.scope and scope.name]
    return ", ".join(names) or _EMPTY


def _kinds() -> Iterator[str]:
    yield "Scopes are bits: " + ", ".join(f"{scope.value} {scope.name.lower()}" for scope in Scope if scope.name) + "."
    yield ""
    for area in AREAS:
        rows = [kind for kind in KINDS.values() if kind.area == area]
        yield from _heading(area)
        yield from _table(
            ("kind", "meaning", "contract", "scope"),
            ((f"`{row.name}`", row.meaning, row.contract or _EMPTY, _scope(row)) for row in rows),
        )
        yield from _table(
            ("kind", *rows[0].columns), ((f"`{row.name}`", *map(_column, row.columns.values())) for row in rows)
        )


# --- configuration


def _bounds(key: config.Key) -> str:
    if key.choices:
        return ", ".join(f"`{choice or _toml(choice)}`" for choice in key.choices)
    return f"{key.low} to {key.high}" if type(key.default) is int else _EMPTY


def _toml(value: Any) -> str:
    """A value as it stands in the file, written by the product."""
    [line] = (text for text in config.write({}, [config.Key("x.x", value, "")]).decode().splitlines() if " = " in text)
    return line.partition(" = ")[2]


def _configuration() -> Iterator[str]:
    for section in dict.fromkeys(key.section for key in config.KEYS):
        yield from _heading(f"[{section}]")
        rows = [key for key in config.KEYS if key.section == section]
        yield from _table(
            ("key", "default", "may be", "live", "meaning"),
            (
                (f"`{key.name}`", f"`{_toml(key.default)}`", _bounds(key), "live" if key.live else _EMPTY, key.meaning)
                for key in rows
            ),
        )


# --- commands


def commands(group: click.Command = cli.main, path: tuple[str, ...] = ("hubd",)) -> Iterator[tuple[str, click.Command]]:
    """Every command of a click tree, with the words that call it."""
    yield " ".join(path), group
    if isinstance(group, click.Group):
        context = click.Context(group)
        for name in sorted(group.list_commands(context)):
            command = group.get_command(context, name)
            assert command is not None, "a group has the commands that it lists"
            yield from commands(command, (*path, name))


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    options = (option for option in command.params if isinstance(option, click.Option))
    records = [record for option in options if (record := option.get_help_record(context))]
    if records:
        yield from _table(("option", ""), ((f"`{name}`", text) for name, text in records))


def _commands() -> Iterator[str]:
    for words, command in commands():
        yield from _heading(words)
        with click.Context(command, info_name=words) as context:
            yield "    " + " ".join([words, *command.collect_usage_pieces(context)])
            yield ""
            yield " ".join((command.help or "").split())
            yield ""
            yield from _options(command, context)


# --- errors


def _errors() -> Iterator[str]:
    for section, sentences in messages.catalogue().items():
        if section:
            yield from _heading(section)
            yield from _table(
                ("code", "what people are told"), ((f"`{code}`", text) for code, text in sentences.items())
            )


# --- log events


def log_sentences() -> dict[str, str]:
    """What each log event means."""
    return tomllib.loads(LOG_SENTENCES.read_text("utf-8"))


def _event(event: sources.Event, meaning: str) -> Sequence[str]:
    parts = (event.services, event.levels, event.fields)
    return (f"`{event.name}`", *(", ".join(part) or _EMPTY for part in parts), meaning)


def _log() -> Iterator[str]:
    sentences = log_sentences()
    yield ", ".join(f"`{field}`" for field in sorted(FIELDS)) + "."
    yield ""
    yield from _table(
        ("event", "service", "level", "fields", "meaning"),
        (_event(event, sentences.get(event.name, "")) for event in sources.events()),
    )


# --- limits


def _limits() -> Iterator[str]:
    for (section, cited), found in sources.by_section(sources.limits()).items():
        yield from _heading(section)
        if cited and (ROOT / cited).exists():
            yield f"See [{cited}]({cited.removeprefix('docs/')})."
            yield ""
        yield from _table(
            ("limit", "value", "why"), ((f"`{limit.name}`", f"`{limit.value}`", limit.reason) for limit in found)
        )


PAGES: dict[str, Page] = {
    "kinds": Page(
        "Kinds of actions",
        "hubd/action/kinds.py",
        """
What people and hubs can sign. The fields are those of the statement ([protocol](protocol.md)): in brackets may be empty,
`-` must be empty, all others must be set. *Contract* is the one that executes it on the chain
([contracts](../contracts/README.md)); a kind without one is finished at the hub. *Scope* is what the signing key needs
there. A kind that is not in this list is carried all the same and shown as unknown.
""",
        _kinds,
    ),
    "configuration": Page(
        "Configuration",
        "hubd/config.py",
        f"""
One file, `{config.FILE_NAME}`, in the hub's folder. `hubd init` writes it with every line and its meaning. A line left
out takes its default; a line that can't be meant so stops the hub, which says what would be right. *Live* lines count
after SIGHUP (`systemctl reload hubd`), the others after a restart.
""",
        _configuration,
    ),
    "commands": Page(
        "Commands",
        "hubd/cli",
        """
Results go to standard output, everything said to people to standard error. With `--json` a result is one JSON object. Exit
codes: 0 done, 1 a person must act (the hint says how), 2 the command was written wrong, 3 done in part.
""",
        _commands,
    ),
    "errors": Page(
        "What a code means",
        "hubd/locale/en.toml",
        """
Codes are stable; sentences may change and may be translated (`hubd/locale`, one file a language). `void-` codes say why an
action is carried without effect, `chain-` codes what a contract answered about one action.
""",
        _errors,
    ),
    "log": Page(
        "What a hub logs",
        "docs/source/log.toml or the code that logs",
        """
Lines go to standard error: readable on a terminal, one JSON object each otherwise (`log.form`). `event` is one of the names
below. No line holds a name, a text or a number of a person: only these fields pass, whatever the code says:
""",
        _log,
    ),
    "limits": Page(
        "Limits",
        "hubd/limits",
        """
Every bound of the program. The last word of a name is its unit, `S` for seconds, `MS` for milliseconds.
""",
        _limits,
    ),
}


def stale() -> list[str]:
    """Generated pages whose file says something else, by name."""
    files = {name: DOCS / f"{name}.md" for name in PAGES}
    return [name for name, file in files.items() if not file.exists() or file.read_text("utf-8") != PAGES[name].text()]


def main(arguments: list[str]) -> int:
    """Returns the exit code."""
    found = stale()
    if "--fix" in arguments:
        for name in found:
            (DOCS / f"{name}.md").write_text(PAGES[name].text(), "utf-8")
            print(f"wrote docs/{name}.md", file=sys.stderr)
        return 0
    for name in found:
        print(f"docs/{name}.md is older than what it is made of: run ./dev check --fix", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
