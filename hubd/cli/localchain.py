"""`hubd localchain`: the local chain in place of this process, so that signals reach it."""

import os
import sys

import click

from hubd.checkout import contracts_folder, node_program
from hubd.cli.terminal import EXIT_FATAL, complain
from hubd.errors import HubdError


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def localchain(arguments: tuple[str, ...]) -> None:
    """Run a local Stacks chain: the real Clarity VM behind a node's RPC. For tests and demos; --help says more."""
    try:
        program, script = node_program(), contracts_folder() / "localchain" / "main.mjs"
    except HubdError as error:
        complain(error)
        sys.exit(EXIT_FATAL)
    os.execv(program, [program, str(script), *arguments])  # noqa: S606  # no shell: the program and its arguments
