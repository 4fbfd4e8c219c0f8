"""`hubd steward`: who looks after the mesh. Nobody decides that alone: two stewards have to sign."""

import time
from pathlib import Path

import click

from hubd.action import envelope
from hubd.action.principal import address
from hubd.action.signature import Signer
from hubd.cli.local import local_hub
from hubd.cli.members import check_steward, offer_signed, steward_option
from hubd.cli.naming import address_in
from hubd.cli.terminal import command, data_option, json_option, passphrase_from, passphrase_option, show
from hubd.hub import CHARTER_NAME, read_charter
from hubd.identity import sign_action
from hubd.messages import phrase
from hubd.store import keyfile

_STANDING = {  # by whether somebody is a steward, and whether that is what was asked for
    (True, True): "mesh.is-steward",
    (True, False): "mesh.is-steward-still",
    (False, True): "mesh.no-steward",
    (False, False): "mesh.no-steward-yet",
}


@click.group()
def steward() -> None:
    """Add or remove a steward; two stewards must agree."""


async def _propose(kind: str, text: str, key: Path, directory: Path, passphrase: str | None, as_json: bool) -> None:
    charter = read_charter(directory / CHARTER_NAME)
    signer = Signer(keyfile.read(key, "steward", passphrase))
    who = address_in(text, charter.network)
    action = sign_action(signer, charter.domain, kind, int(time.time()), {"note": kind}, who=who)
    async with local_hub(directory) as hub:
        await check_steward(hub, signer, charter)
        await offer_signed(hub, envelope.encode(action))
        is_one = address(who) in await hub.stewards()
    is_done = is_one == (kind == "steward-add")
    line = phrase(_STANDING[is_one, is_done], person=address(who))
    show({"steward": address(who), "is_steward": is_one, "done": is_done}, as_json, [line])


@steward.command()
@click.argument("who", metavar="ADDRESS")
@steward_option
@data_option
@passphrase_option
@json_option
@command
async def add(who: str, steward_key: Path, directory: Path, passphrase_file: Path | None, as_json: bool) -> None:
    """Sign that the person with ADDRESS shall be a steward. It takes two."""
    await _propose("steward-add", who, steward_key, directory, passphrase_from(passphrase_file), as_json)


@steward.command()
@click.argument("who", metavar="ADDRESS")
@steward_option
@data_option
@passphrase_option
@json_option
@command
async def remove(who: str, steward_key: Path, directory: Path, passphrase_file: Path | None, as_json: bool) -> None:
    """Sign that the person with ADDRESS shall be a steward no more. It takes two others."""
    await _propose("steward-remove", who, steward_key, directory, passphrase_from(passphrase_file), as_json)
