"""The `hubd` command: one group, its commands in files of their own."""

import click

from hubd import __version__
from hubd.cli.chain import chain, contracts, localchain
from hubd.cli.charter import charter
from hubd.cli.demo import demo
from hubd.cli.hub import init, run, status
from hubd.cli.key import key
from hubd.cli.members import admit, vouch
from hubd.cli.phone import phone
from hubd.cli.post import export_bundle, import_bundle


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="hubd")
def main() -> None:
    """Run a village hub, and everything around it.

    Results go to stdout, everything said to people to stderr. Exit codes: 0 done, 1 a person must act (the hint says how),
    2 the command was written wrong, 3 done in part.
    """


for command in (
    charter,
    key,
    init,
    run,
    status,
    admit,
    vouch,
    export_bundle,
    import_bundle,
    localchain,
    contracts,
    chain,
    phone,
    demo,
):
    main.add_command(command)
