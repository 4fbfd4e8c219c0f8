"""The `hubd` command."""

import click

from hubd import __version__


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="hubd")
def main() -> None:
    """Run a village hub, and everything around it."""
