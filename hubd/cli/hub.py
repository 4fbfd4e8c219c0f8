"""`hubd init`, `run` and `status`: a hub from its first minute to its daily one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from hubd import config as configuration
from hubd import log
from hubd.action.principal import address
from hubd.cli.terminal import command, data_option, json_option, say, show
from hubd.control import ask
from hubd.daemon import Daemon
from hubd.errors import FatalError
from hubd.hub import CHARTER_NAME, Hub, read_charter, read_config
from hubd.identity import Identity
from hubd.messages import words


@click.command()
@data_option
@click.option(
    "--charter",
    "charter_file",
    type=click.Path(path_type=Path, exists=True),
    required=True,
    help="The mesh's charter file.",
)
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="A line of hubd.toml, for example hub.name=Kijiji."
)
@json_option
@command
async def init(directory: Path, charter_file: Path, settings: tuple[str, ...], as_json: bool) -> None:
    """Prepare a hub's data folder: its keys, its configuration, its charter."""
    made = read_charter(charter_file)
    if (directory / CHARTER_NAME).exists():
        raise FatalError(
            "already-initialised",
            f"{directory} holds a hub already",
            hint="start it with `hubd run`; to begin anew, choose an empty folder",
        )
    values = dict(_setting(text) for text in settings)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    (directory / configuration.FILE_NAME).write_bytes(configuration.write(values))
    identity = Identity.open(directory)
    (directory / CHARTER_NAME).write_bytes(charter_file.read_bytes())
    async with Hub.opened(directory) as hub:
        announce = await hub.announce()
    facts = {
        "hub": address(identity.principal(made.domain)),
        "wallet": address(identity.wallet.principal(made.network)),
        "announce": announce.id.hex(),
        "data": str(directory),
    }
    show(facts, as_json, [
        f"hub {facts['hub']} is ready in {directory}",
        f"its wallet for fees is {facts['wallet']}",
        "next: a steward admits it (hubd admit), then `hubd run`",
    ])  # fmt: skip


_READERS: dict[type, Callable[[str], Any]] = {
    bool: lambda text: {"true": True, "false": False}.get(text, text),
    int: lambda text: int(text) if text.isdecimal() else text,
    list: lambda text: [item for item in text.split(",") if item],
    str: str,
}


def _setting(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    key = configuration.BY_NAME.get(name)
    if not equals or key is None:
        raise FatalError(
            "config", f"--set {text!r}: no such key", hint="docs/configuration.md lists them; write --set KEY=VALUE"
        )
    return name, configuration.check(key, _READERS[type(key.default)](value))


@click.command()
@data_option
@command
async def run(directory: Path) -> None:
    """Run the hub until it is told to stop (SIGTERM). SIGHUP reads hubd.toml again."""
    settings = read_config(directory)
    log.configure(settings["log.level"], settings["log.form"])
    async with Hub.opened(directory) as hub:
        await Daemon(hub).run()


@click.command()
@data_option
@json_option
@command
async def status(directory: Path, as_json: bool) -> None:
    """Say how the hub is: its set, its neighbours, its uplink. Works with a running hub and with a stopped one."""
    try:
        facts = await ask(directory, "status")
    except FatalError as error:
        if error.code != "not-running" or not (directory / CHARTER_NAME).exists():
            raise
        async with Hub.opened(directory) as hub:
            facts = await hub.status()
    show(facts, as_json, _lines(facts))


def _age(seconds: float | None) -> str:
    if seconds is None:
        return "never"
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}{'s' if seconds >= 2 * size else ''} ago"
    return f"{int(seconds)} s ago"


def _lines(facts: dict[str, Any]) -> list[str]:
    lines = [
        f"{facts['name']} ({'running' if facts['running'] else 'stopped'}) in {facts['mesh']} on {facts['network']}",
        f"set: {facts['count']} actions, read aloud: {facts['spoken']}",
        f"views: {facts['views'][:16]}",
    ]
    for peer in facts["peers"]:
        done = "in step" if peer["proven"] else "not compared yet"
        lines.append(f"neighbour {peer['name']}: {peer['state']}, {done}, last {_age(peer['last_age_s'])}")
    if not facts["peers"]:
        lines.append("no neighbour is known yet")
    relay = facts["relay"]
    if relay is None:
        lines.append("no uplink: other hubs carry this village's actions to the chain")
    else:
        well = words(relay["trouble"]) if relay["trouble"] else "all is well"
        lines.append(f"uplink: {well}, {relay['waiting']} actions wait, {relay['balance_ustx']} uSTX for fees")
        if relay["hint"]:
            lines.append(f"hint: {relay['hint']}")
    if facts["unknown"]:
        kinds = ", ".join(sorted(facts["unknown"]))
        lines.append(f"carried for newer hubs, not understood here: {kinds}")
    if facts["rotten"]:
        say(f"warning: {facts['rotten']} actions on this card are damaged; neighbours will fill them in")
    return lines
