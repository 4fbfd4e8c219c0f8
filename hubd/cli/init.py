"""`hubd init`: a hub's data folder, from nothing."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from hubd import config as configuration
from hubd.action.principal import address
from hubd.addresses import joined
from hubd.cli.terminal import command, data_option, json_option, show
from hubd.errors import FatalError
from hubd.hub import CHARTER_NAME, Hub, read_charter
from hubd.identity import Identity
from hubd.messages import phrase
from hubd.store.actions import DATABASE_NAME


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
    "--town",
    metavar="NAME",
    help="A town hub, which the internet reaches by this name: https for phones, no mDNS (docs/town-hub.md).",
)
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="A line of hubd.toml, for example hub.name=Kijiji."
)
@json_option
@command
async def init(directory: Path, charter_file: Path, town: str | None, settings: tuple[str, ...], as_json: bool) -> None:
    """Prepare a hub's data folder: its keys, its configuration, its charter."""
    made = read_charter(charter_file)
    chosen = dict(_setting(text) for text in settings)
    values = {**(_town(town, directory, chosen) if town else {}), **chosen}
    configuration.check_together(configuration.Config(values))
    written = configuration.write(values)
    _check_new(directory, written)
    with _all_or_nothing(directory):
        _write(directory / configuration.FILE_NAME, written)
        identity = Identity.make(directory)
        _write(directory / CHARTER_NAME, charter_file.read_bytes())  # last: without it, there is no hub yet
        async with Hub.opened(directory) as hub:
            announce = await hub.announce()
    facts = {
        "hub": address(identity.principal(made.domain)),
        "wallet": address(identity.wallet.principal(made.network)),
        "announce": announce.id.hex(),
        "data": str(directory),
    }
    show(facts, as_json, [
        phrase("hub.ready", hub=facts["hub"], directory=directory),
        phrase("hub.wallet", wallet=facts["wallet"]),
        phrase("hub.next"),
    ])  # fmt: skip


def _check_new(directory: Path, written: bytes) -> None:
    """Refuse a folder with a hub. One without charter and set is no hub yet: power failed while it was made.

    A `hubd.toml` in it is then the one that is to be `written`; any other is somebody's own, and stays.
    """
    has_charter = (directory / CHARTER_NAME).exists()
    if has_charter or (directory / DATABASE_NAME).exists():
        raise FatalError(
            "already-initialised",
            f"{directory} holds a hub already",
            hint="start it with `hubd run`; to begin anew, choose an empty folder"
            if has_charter
            else "copy the mesh's charter there, as charter.toml; to begin anew, choose an empty folder",
        )
    path = directory / configuration.FILE_NAME
    if path.exists() and path.read_bytes() != written:
        raise FatalError(
            "already-initialised",
            f"{directory} holds a {path.name} already, which this would overwrite",
            hint="move it elsewhere, and change the lines of the new one when the hub is made",
        )


@contextmanager
def _all_or_nothing(directory: Path) -> Iterator[None]:
    """Make the folder. If what is done in it fails, take away what this put there, so that it can be tried again."""
    is_new = not directory.exists()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    before = set(directory.iterdir())
    try:
        yield
    except BaseException:
        for path in set(directory.iterdir()) - before:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        if is_new:
            directory.rmdir()
        raise


def _write(path: Path, raw: bytes) -> None:
    """Write a file whole, durably, or not at all."""
    waiting = path.with_name(f".{path.name}.part")
    with waiting.open("wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
    waiting.replace(path)


_HTTPS_PORT = 443
_CERTIFICATES = "tls"  # the folder in the hub's own where the renewal of docs/town-hub.md puts them


def _town(name: str, directory: Path, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """What `hubd.toml` of a hub on the internet says otherwise, besides the lines that are `chosen`."""
    port = chosen.get("mesh.listen_port", configuration.BY_NAME["mesh.listen_port"].default)
    values = {
        "mesh.addresses": [joined(name, port)],
        "mesh.discover": False,
        "phones.listen_port": _HTTPS_PORT,
        "phones.tls_cert": str(directory.absolute() / _CERTIFICATES / "fullchain.pem"),
        "phones.tls_key": str(directory.absolute() / _CERTIFICATES / "privkey.pem"),
        "phones.discover": False,
    }
    others = {key: value for key, value in values.items() if key not in chosen}
    return {key: configuration.check(configuration.BY_NAME[key], value) for key, value in others.items()}


_READERS: dict[type, Callable[[str], Any]] = {
    bool: lambda text: {"true": True, "false": False}.get(text, text),
    int: lambda text: int(text) if text.isdecimal() else text,
    list: lambda text: [item for item in text.split(",") if item],
    str: str,
}


def _setting(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise FatalError("config", f"--set {text} says no value", hint="write --set KEY=VALUE, as in hub.name=Kijiji")
    key = configuration.named(name)
    return name, configuration.check(key, _READERS[type(key.default)](value))
