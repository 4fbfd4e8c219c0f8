"""`hubd admit` and `hubd vouch`: what stewards do. Their keys never stay on a hub."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import httpx

from hubd.action import cbor, envelope
from hubd.action.charter import Charter
from hubd.action.principal import address
from hubd.action.signature import Signer
from hubd.action.sip018 import ActionId
from hubd.cli.local import LocalHub, local_hub
from hubd.cli.naming import address_in
from hubd.cli.terminal import command, data_option, json_option, passphrase_from, passphrase_option, say, show
from hubd.config import check_url
from hubd.errors import FatalError, RemoteError
from hubd.hub import CHARTER_NAME, read_charter
from hubd.identity import sign_action
from hubd.limits import MESH_PAGES_MAX, NODE_TIMEOUT_S, PHONE_POST_BYTES_MAX
from hubd.messages import phrase
from hubd.phone.unreached import tls_trouble
from hubd.ports import Door
from hubd.store import keyfile

steward_option = click.option(
    "--steward-key", type=click.Path(path_type=Path, exists=True), required=True, help="The steward's key file."
)


async def _fetch_mesh(url: str, charter: Charter) -> list[bytes]:
    """The public membership actions of another hub."""
    envelopes: list[bytes] = []
    after = ""
    try:
        async with httpx.AsyncClient(base_url=url, timeout=NODE_TIMEOUT_S, trust_env=False) as client:
            for _ in range(MESH_PAGES_MAX):
                answer = await client.get("/v1/actions", params={"area": "mesh", **({"after": after} if after else {})})
                answer.raise_for_status()
                page, after, more = cbor.decode(answer.content, bytes_max=PHONE_POST_BYTES_MAX)
                envelopes += page
                if not more:
                    break
    except (httpx.HTTPError, RemoteError, ValueError, TypeError) as error:
        if trouble := tls_trouble(error):
            raise FatalError(
                "hub-certificate",
                f"the certificate at {url} can't be trusted: {trouble}",
                hint="is this machine's date right, and the name the certificate's? Else its owner must renew it",
            ) from error
        raise FatalError(
            "hub-unreachable", f"{url} does not answer as a hub", hint="is it switched on, and is this its address?"
        ) from error
    readable, unread = _readable(envelopes, charter)
    if unread and not readable:
        raise FatalError(
            "wrong-mesh", f"{url} belongs to another mesh ({unread[0]})", hint="both hubs need the same charter"
        )
    if unread:
        say("mesh.invalid", invalid=len(unread), actions=len(envelopes), url=url)
    return readable


def _readable(envelopes: Sequence[bytes], charter: Charter) -> tuple[list[bytes], list[RemoteError]]:
    """The valid envelopes, and why the others are none: junk on the way must not keep a hub from being admitted."""
    readable, unread = [], []
    for raw in envelopes:
        try:
            envelope.parse(raw, charter.domain)
        except RemoteError as error:
            unread.append(error)
        else:
            readable.append(raw)
    return readable, unread


async def _candidate(hub: LocalHub, text: str, *, to_retire: bool = False) -> dict[str, Any]:
    """The announced hub that an address, an announce id or else a name means: a name is whatever a stranger chose."""
    hubs = await hub.hubs()
    exact = [each for each in hubs if text in (each["hub"], each["announce"])]
    found = exact or [each for each in hubs if text == each["name"]]
    if not found:
        meant = [each for each in hubs if (each["state"] == "admitted") == to_retire]
        known = ", ".join(f"{each['name']} {each['hub']}" for each in meant) or "none"
        raise FatalError(
            "hub-unknown",
            f"no hub {text!r} is known here (admitted: {known})"
            if to_retire
            else f"no hub {text!r} has announced itself here (waiting: {known})",
            hint="write its name or its address"
            if to_retire
            else "bring its announcement with --from URL, or by a bundle",
        )
    if len(found) > 1:
        addresses = ", ".join(each["hub"] for each in found)
        raise FatalError("hub-unknown", f"several hubs are called {text!r}: {addresses}", hint="name it by its address")
    return found[0]


async def offer_signed(hub: LocalHub, raw: bytes) -> None:
    """Put a signed action into the set. Raises `FatalError` when the hub does not take it."""
    [(_, verdict, code, _)] = await hub.offer([raw], Door.OWN)
    if verdict != "ok":
        raise FatalError(code, "the hub did not take the action", hint="is its charter the same as yours?")


async def check_steward(hub: LocalHub, signer: Signer, charter: Charter) -> None:
    """Refuse a key whose word would have no effect, before anything is signed with it."""
    who = address(signer.principal(charter.network))
    if who not in await hub.stewards():
        raise FatalError("steward", f"{who} is no steward of {charter.name}", hint="use the key of one of its stewards")


@click.command()
@click.argument("hub_name", metavar="HUB")
@steward_option
@click.option(
    "--operator",
    type=click.IntRange(1),
    required=True,
    help="Who runs the hub: a number, the same for all hubs of one operator.",
)
@click.option(
    "--from", "url", help="Fetch the newcomer's announcement from its phone API first, e.g. http://10.42.0.1:7780"
)
@data_option
@passphrase_option
@json_option
@command
async def admit(
    hub_name: str,
    steward_key: Path,
    operator: int,
    url: str | None,
    directory: Path,
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """Admit HUB (its name, address or announcement id) to the mesh. Every hub learns of it by gossip."""
    if url is not None:
        check_url(url, "--from")
    charter = read_charter(directory / CHARTER_NAME)
    steward = Signer(keyfile.read(steward_key, "steward", passphrase_from(passphrase_file)))
    async with local_hub(directory) as hub:
        await check_steward(hub, steward, charter)
        if url is not None:
            await hub.offer(await _fetch_mesh(url, charter), Door.OWN)
        found = await _candidate(hub, hub_name)
        principal = address_in(found["hub"], charter.network)
        action = sign_action(
            steward, charter.domain, "hub-admit", int(time.time()), {"note": "admitted"},
            subject=ActionId(bytes.fromhex(found["announce"])), who=principal, bits=operator,
        )  # fmt: skip
        await offer_signed(hub, envelope.encode(action))
        after = await _candidate(hub, found["hub"])
    if after["state"] != "admitted":
        raise FatalError(
            "steward", "the action was signed, but its author is no steward of this mesh", hint="use a steward's key"
        )
    show(
        {"hub": found["hub"], "name": found["name"], "action": action.id.hex()},
        as_json,
        [phrase("mesh.admitted", name=found["name"], hub=found["hub"])],
    )


@click.command()
@click.argument("hub_name", metavar="HUB")
@steward_option
@click.option("--for-cause", is_flag=True, help="It was stolen or misbehaved; otherwise it merely ended its work.")
@data_option
@passphrase_option
@json_option
@command
async def retire(
    hub_name: str, steward_key: Path, for_cause: bool, directory: Path, passphrase_file: Path | None, as_json: bool
) -> None:
    """Retire HUB (its name or address): every hub that learns of it stops talking to it at once."""
    charter = read_charter(directory / CHARTER_NAME)
    steward = Signer(keyfile.read(steward_key, "steward", passphrase_from(passphrase_file)))
    async with local_hub(directory) as hub:
        await check_steward(hub, steward, charter)
        found = await _candidate(hub, hub_name, to_retire=True)
        if found["state"] != "admitted":
            raise FatalError(
                "hub-unknown", f"{found['name']} is not admitted", hint="`hubd status` lists the neighbours"
            )
        for admission in found["admissions"]:
            action = sign_action(
                steward,
                charter.domain,
                "hub-retire",
                int(time.time()),
                {"note": "retired"},
                subject=ActionId(bytes.fromhex(admission)),
                who=address_in(found["hub"], charter.network),
                bits=int(for_cause),
            )
            await offer_signed(hub, envelope.encode(action))
        after = await _candidate(hub, found["hub"])
    if after["state"] == "admitted":
        raise FatalError("steward", "the action was signed, but its author is no steward", hint="use a steward's key")
    line = phrase("mesh.retired", name=found["name"], hub=found["hub"])
    show({"hub": found["hub"], "name": found["name"]}, as_json, [line])


@click.command()
@click.argument("person", metavar="ADDRESS")
@steward_option
@data_option
@passphrase_option
@json_option
@command
async def vouch(person: str, steward_key: Path, directory: Path, passphrase_file: Path | None, as_json: bool) -> None:
    """Vouch, as a steward, that the person with ADDRESS is real: their phone may then do more in a day."""
    charter = read_charter(directory / CHARTER_NAME)
    steward = Signer(keyfile.read(steward_key, "steward", passphrase_from(passphrase_file)))
    principal = address_in(person, charter.network)
    action = sign_action(steward, charter.domain, "vouch-give", int(time.time()), who=principal, bits=4)
    async with local_hub(directory) as hub:
        await check_steward(hub, steward, charter)
        await offer_signed(hub, envelope.encode(action))
    vouched = address(principal)
    show({"person": vouched, "action": action.id.hex()}, as_json, [phrase("mesh.vouched", person=vouched)])
