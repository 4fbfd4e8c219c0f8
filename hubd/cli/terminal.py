"""What every command shares: how results are printed, how errors are said, and what exit codes mean.

0 done · 1 a person must act (the hint says how) · 2 the command was written wrong · 3 done in part
"""

import asyncio
import json
import os
import sys
from collections.abc import Callable, Coroutine
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec

import click

from hubd import log
from hubd.errors import FatalError, HubdError
from hubd.messages import words

EXIT_FATAL = 1
EXIT_PART = 3
EXIT_INTERRUPTED = 130  # as a shell counts Ctrl-C
_P = ParamSpec("_P")

data_option = click.option(
    "--data",
    "directory",
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
        say(f"warning: {path} is not sealed; give HUBD_PASSPHRASE or --passphrase-file to seal it")


def say(text: str) -> None:
    """A line for people, on stderr: stdout belongs to results."""
    click.echo(text, err=True)


def show(result: dict[str, Any], as_json: bool, lines: list[str]) -> None:
    """The result of a command: one JSON object, or lines for people."""
    if as_json:
        click.echo(json.dumps(result, sort_keys=True))
    else:
        for line in lines:
            click.echo(line)


def complain(error: HubdError) -> None:
    """An error in words: what is wrong, then what to do. Details of somebody else's fault are for engineers, in brackets."""
    if isinstance(error, FatalError):
        say(f"hubd: {error.detail}")
    else:
        say(f"hubd: {words(error.code)}" + (f" ({error.detail})" if error.detail else ""))
    if error.hint:
        say(f"hint: {error.hint}")


def command(function: Callable[_P, Coroutine[Any, Any, int | None]]) -> Callable[_P, None]:
    """Turn a coroutine into a command body: runs it, says errors in words, and exits with its code."""

    @wraps(function)
    def body(*args: _P.args, **kwargs: _P.kwargs) -> None:
        log.configure("warning")
        try:
            code = asyncio.run(function(*args, **kwargs))
        except HubdError as error:
            complain(error)
            sys.exit(EXIT_FATAL)
        except BrokenPipeError:
            sys.exit(EXIT_FATAL)
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            say(f"hubd: {where}{error.strerror or error}")
            say("hint: is the name right, may this user write there, and is there room?")
            sys.exit(EXIT_FATAL)
        except (KeyboardInterrupt, asyncio.CancelledError):
            sys.exit(EXIT_INTERRUPTED)
        sys.exit(code or 0)

    return body
