"""`hubd run`: the daemon in the foreground; systemd or a terminal looks after it."""

import resource
from pathlib import Path

import click

from hubd import log
from hubd.cli.terminal import command, data_option
from hubd.daemon import Daemon
from hubd.hub import Hub, read_config
from hubd.limits import DESCRIPTORS_MAX


@click.command()
@data_option
@command
async def run(directory: Path) -> None:
    """Run the hub until it is told to stop (SIGTERM). SIGHUP reads hubd.toml again."""
    settings = read_config(directory)
    log.configure(settings["log.level"], settings["log.form"])
    allow_descriptors()
    async with Hub.opened(directory, is_late=True) as hub:
        await Daemon(hub).run()


def allow_descriptors() -> None:
    """Take as many descriptors as both doors may need, if the system gives them: a shell begins with 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS_MAX if hard == resource.RLIM_INFINITY else min(DESCRIPTORS_MAX, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
