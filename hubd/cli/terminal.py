"""What every command shares: how results are printed, how errors are said, and what exit codes mean.

0 done · 1 a person must act (the hint says how) · 2 the command was written wrong · 3 done in part
"""

import asyncio
import io
import json
import os
import shutil
import sys
import textwrap
import tomllib
from collections.abc import Callable, Coroutine, Iterable
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TextIO

import click

from hubd import log, messages
from hubd.config import FILE_NAME
from hubd.errors import FatalError, HubdError
from hubd.messages import phrase, words

EXIT_FATAL = 1
EXIT_PART = 3
EXIT_INTERRUPTED = 130  # as a shell counts Ctrl-C
_TYPED = ("asset", "field", "kind", "url")  # codes of what somebody typed: the detail names it
_COLUMNS_MIN = 20  # a terminal that says less doesn't know its width
_INDENT = 2  # of what goes on, below its line
_P = ParamSpec("_P")


def _speak(_context: click.Context, _option: click.Parameter, directory: Path) -> Path:
    """Speak the language that the hub's folder asks for. A file that can't be read is for the command to complain of."""
    try:
        language = tomllib.loads((directory / FILE_NAME).read_text("utf-8"))["hub"]["language"]
    except (OSError, ValueError, LookupError, TypeError):
        language = ""
    messages.speak(str(language))
    return directory


data_option = click.option(
    "--data",
    "directory",
    callback=_speak,
    envvar="HUBD_DATA",
    type=click.Path(path_type=Path),
    default=Path("/var/lib/hubd"),
    show_default=True,
    help="The hub's data folder.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
passphrase_option = click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path, exists=True),
    help="A file with the key's passphrase; or set HUBD_PASSPHRASE.",
)


def passphrase_from(file: Path | None) -> str | None:
    """The passphrase in a file's first line, else HUBD_PASSPHRASE, else None. A file that holds none is a mistake."""
    if file is None:
        return os.environ.get("HUBD_PASSPHRASE") or None
    try:
        first = file.read_text("utf-8").partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise FatalError(
            "passphrase", f"{file} can't be read as text", hint="put the passphrase alone into a text file"
        ) from error
    if not first:
        raise FatalError(
            "passphrase", f"the first line of {file} is empty", hint="put the passphrase into its first line"
        )
    return first


def warn_unsealed(path: Path, passphrase: str | None) -> None:
    """Say that a key which speaks for somebody is written without a seal."""
    if passphrase is None:
        warn(phrase("terminal.unsealed", path=path))


def tell(text: str) -> None:
    """A line for people, on stderr: stdout belongs to results."""
    click.echo(_fitted(text, sys.stderr), err=True)


def _fitted(line: str, stream: TextIO) -> str:
    """A line as it stands on a terminal, broken between words where it is too long for it; elsewhere as it is."""
    if not stream.isatty():
        return line
    columns = max(shutil.get_terminal_size().columns, _COLUMNS_MIN)
    indent = " " * (len(line) - len(line.lstrip()) + _INDENT)
    broken = textwrap.wrap(
        line,
        columns,
        subsequent_indent=indent,
        replace_whitespace=False,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(broken)


def _bear_all_letters() -> None:
    """Show what a terminal has no letters for as "?", where Python would end with an error of its own."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def say(name: str, /, **values: object) -> None:
    """A phrase for people, on stderr."""
    tell(phrase(name, **values))


def warn(what: str) -> None:
    """Something that somebody should look after, on stderr."""
    say("terminal.warning", what=what)


def listed(parts: Iterable[str]) -> str:
    """Some things in one line."""
    return phrase("terminal.list").join(parts)


def time_of(seconds: int) -> str:
    """A moment as people read it, in UTC."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime(phrase("terminal.time"))
    except (ValueError, OverflowError, OSError):  # whatever somebody signed
        return str(seconds)


def show(result: dict[str, Any], as_json: bool, lines: list[str]) -> None:
    """The result of a command: one JSON object, or lines for people."""
    if as_json:
        click.echo(json.dumps(result, sort_keys=True))
    else:
        for line in lines:
            click.echo(_fitted(line, sys.stdout))


def complain(error: HubdError) -> None:
    """An error in words: what is wrong, then what to do.

    What the code says of it is English, for logs and engineers. It is clear enough for whoever must act, or typed what was
    wrong, and speaks English; all others are told the code's sentence, which says what to do, too, and for engineers the
    detail in brackets. The hint beside what was typed shows how it is written, and does so in every language.
    """
    is_plain = (isinstance(error, FatalError) or error.code in _TYPED) and messages.is_english()
    what = error.detail if is_plain else words(error.code)
    if error.detail and not is_plain:
        what = phrase("terminal.detail", what=what, detail=error.detail)
    say("terminal.complaint", what=what)
    if error.hint and (messages.is_english() or error.code in _TYPED):
        say("terminal.hint", what=error.hint)


def command(function: Callable[_P, Coroutine[Any, Any, int | None]]) -> Callable[_P, None]:
    """Turn a coroutine into a command body: runs it, says errors in words, and exits with its code."""

    @wraps(function)
    def body(*args: _P.args, **kwargs: _P.kwargs) -> None:
        log.configure("warning")
        _bear_all_letters()
        try:
            code = asyncio.run(function(*args, **kwargs))
        except HubdError as error:
            complain(error)
            sys.exit(EXIT_FATAL)
        except BrokenPipeError:
            sys.exit(EXIT_FATAL)
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            say("terminal.complaint", what=f"{where}{error.strerror or error}")
            say("terminal.hint", what=phrase("terminal.no-place"))
            sys.exit(EXIT_FATAL)
        except (KeyboardInterrupt, asyncio.CancelledError):
            say("terminal.complaint", what=phrase("terminal.ended"))
            sys.exit(EXIT_INTERRUPTED)
        sys.exit(code or 0)

    return body
