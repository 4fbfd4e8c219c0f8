"""`hubd run`: the daemon in the foreground; systemd or a terminal looks after it."""

import ctypes
import resource
from contextlib import suppress
from pathlib import Path

import click

from hubd import log
from hubd.cli.terminal import command, data_option
from hubd.daemon import Daemon
from hubd.hub import Hub, read_config
from hubd.limits import DESCRIPTORS_MAX, HEAPS_MAX

_M_ARENA_MAX = -8  # malloc.h of glibc


@click.command()
@data_option
@command
async def run(directory: Path) -> None:
    """Run the hub until it is told to stop (SIGTERM). SIGHUP reads hubd.toml again."""
    settings = read_config(directory)
    log.configure(settings["log.level"], settings["log.form"])
    allow_descriptors()
    share_heap()
    async with Hub.opened(directory, is_late=True) as hub:
        await Daemon(hub).run()


def allow_descriptors() -> None:
    """Take as many descriptors as both doors may need, if the system gives them: a shell begins with 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS_MAX if hard == resource.RLIM_INFINITY else min(DESCRIPTORS_MAX, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def share_heap() -> None:
    """Let all threads take memory from one heap, where the C library would give each its own (glibc).

    What one thread freed no other could use: 5 MB in a hub with an uplink. Threads that exist already keep theirs.
    """
    with suppress(AttributeError):  # another C library, without this habit
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, HEAPS_MAX)
