"""The `hubd` command: one group, each command in a file of its own that is read only when it is asked for.

A Raspberry Pi takes seconds to import everything a hub needs; `hubd status` must not.
"""

import importlib
from typing import Any

import click

from hubd import __version__

# Command, where it lives, and its one line in `hubd --help`: known without importing it.
COMMANDS = {
    "charter": ("hubd.cli.charter:charter", "Found a mesh: its charter file, its stewards, its first hubs."),
    "key": ("hubd.cli.key:key", "Make and show secret keys (stewards, the contracts' deployer)."),
    "init": ("hubd.cli.init:init", "Prepare a hub's data folder."),
    "run": ("hubd.cli.run:run", "Run the hub until it is told to stop."),
    "status": ("hubd.cli.status:status", "Say how the hub is: its set, its neighbours, its uplink."),
    "admit": ("hubd.cli.members:admit", "Admit a hub to the mesh, as a steward."),
    "retire": ("hubd.cli.members:retire", "Retire a hub from the mesh, as a steward."),
    "steward": ("hubd.cli.stewards:steward", "Add or remove a steward; two stewards must agree."),
    "vouch": ("hubd.cli.members:vouch", "Vouch, as a steward, that a person is real."),
    "export": ("hubd.cli.post:export_bundle", "Write the whole set to a file, sealed to the mesh's hubs."),
    "import": ("hubd.cli.importing:import_bundle", "Read a bundle from a file."),
    "post": ("hubd.cli.post:post_folder", "Exchange post with a stick or a folder."),
    "phone": ("hubd.cli.phone:phone", "A person's phone: register, act, sync, look."),
    "contracts": ("hubd.cli.contracts:contracts", "Publish the mesh's contracts."),
    "chain": ("hubd.cli.chain:chain", "Move the organisation's money: fund, mint, deposit, look."),
    "localchain": ("hubd.cli.localchain:localchain", "Run a local Stacks chain, for tests and demos."),
    "demo": ("hubd.cli.demo:demo", "Three villages, one uplink: lessons from asking to being paid."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the table."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name; None where there is none."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        found: Any = getattr(importlib.import_module(module), attribute)
        assert isinstance(found, click.Command)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is asked for; one that is mistyped is named as it may have been meant."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches  # noqa: PLC0415  # read only for who mistyped

            if near := get_close_matches(args[0], COMMANDS, n=1):
                ctx.fail(f"No such command {args[0]!r}. Did you mean {near[0]!r}?")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table, without importing what it names."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="hubd")
def main() -> None:
    """Run a village hub, and everything around it.

    Results go to stdout, everything said to people to stderr. Exit codes: 0 done, 1 a person must act (the hint says how),
    2 the command was written wrong, 3 done in part.
    """
