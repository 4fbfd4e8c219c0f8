"""`hubd run`: the daemon in the foreground; systemd or a terminal looks after it."""

from pathlib import Path

import click

from hubd import log
from hubd.cli.terminal import command, data_option
from hubd.daemon import Daemon
from hubd.hub import Hub, read_config


@click.command()
@data_option
@command
async def run(directory: Path) -> None:
    """Run the hub until it is told to stop (SIGTERM). SIGHUP reads hubd.toml again."""
    settings = read_config(directory)
    log.configure(settings["log.level"], settings["log.form"])
    async with Hub.opened(directory, is_late=True) as hub:
        await Daemon(hub).run()
