"""`hubd export` and `hubd import`: carry the set on a stick, sealed to the mesh's hubs."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

import click
import nacl.public

from hubd.cli.local import local_hub
from hubd.cli.terminal import EXIT_PART, command, data_option, json_option, say, show
from hubd.errors import FatalError, RemoteError
from hubd.gossip import bundle
from hubd.hub import CHARTER_NAME, read_charter
from hubd.identity import Identity
from hubd.limits import BUNDLE_BYTES_MAX, BUNDLE_RECIPIENTS_MAX, PAGE_ACTIONS
from hubd.ports import Door, Verdict

MESH_DIGEST_BYTES = 8


@click.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@data_option
@json_option
@command
async def export_bundle(file: Path, directory: Path, as_json: bool) -> None:
    """Write the whole set to FILE, sealed to every admitted hub."""
    if file.exists() and not file.is_file():
        raise FatalError("file", f"{file} is no ordinary file", hint="name a new file on the stick")
    charter = read_charter(directory / CHARTER_NAME)
    async with local_hub(directory) as hub:
        boxes = [each["box"] for each in await hub.hubs() if each["state"] == "admitted"][:BUNDLE_RECIPIENTS_MAX]
        if not boxes:
            raise FatalError(
                "no-recipients", "no hub is admitted yet, so nobody could open the bundle", hint="admit a hub first"
            )
        envelopes = [raw async for raw in hub.envelopes()]
    file_key = secrets.token_bytes(32)
    sealed = [
        (bundle.recipient_of(key), nacl.public.SealedBox(nacl.public.PublicKey(key)).encrypt(file_key)) for key in boxes
    ]
    waiting = file.with_name(file.name + ".part")
    try:
        with waiting.open("wb") as output:
            for piece in bundle.write(envelopes, charter.digest[:MESH_DIGEST_BYTES], file_key, sealed):
                output.write(piece)
            output.flush()
            os.fsync(output.fileno())
        size = waiting.stat().st_size
        waiting.replace(file)
    except OSError as error:
        with suppress(OSError):
            waiting.unlink(missing_ok=True)
        raise FatalError(
            "file", f"{file}: {error.strerror}", hint="is there room on the stick, and may this user write?"
        ) from error
    show({"file": str(file), "actions": len(envelopes), "bytes": size, "hubs": len(sealed)}, as_json,
         [f"{len(envelopes)} actions for {len(sealed)} hubs are in {file} ({size} bytes)"])  # fmt: skip


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@data_option
@json_option
@command
async def import_bundle(file: Path, directory: Path, as_json: bool) -> int:
    """Read a bundle from FILE. Damaged parts are skipped and counted; the others count. Exit code 3: some were damaged."""
    charter = read_charter(directory / CHARTER_NAME)
    if file.stat().st_size > BUNDLE_BYTES_MAX:
        raise FatalError(
            "bundle", f"{file} is larger than {BUNDLE_BYTES_MAX} bytes", hint="ask the sender for a smaller bundle"
        )
    box = Identity.open(directory).box
    try:
        opened = bundle.read(
            file.read_bytes(),
            charter.digest[:MESH_DIGEST_BYTES],
            bytes(box.public_key),
            nacl.public.SealedBox(box).decrypt,
        )
    except RemoteError as error:
        raise FatalError(
            error.code,
            f"{file}: {error.detail}",
            hint="was it made by a hub of this mesh, after this hub was admitted?",
        ) from error
    new = refused = 0
    async with local_hub(directory) as hub:
        for start in range(0, len(opened.envelopes), PAGE_ACTIONS):
            for _, verdict, _, is_new in await hub.offer(opened.envelopes[start : start + PAGE_ACTIONS], Door.BUNDLE):
                new += is_new
                refused += verdict == Verdict.REFUSED
    facts = {
        "actions": len(opened.envelopes),
        "new": new,
        "refused": refused,
        "chunks_good": opened.chunks_good,
        "chunks_bad": opened.chunks_bad,
    }
    show(facts, as_json, [f"{len(opened.envelopes)} actions read, {new} of them new, {refused} refused"])
    if opened.chunks_bad:
        say(f"warning: {opened.chunks_bad} damaged parts were skipped; ask for the bundle again")
    return EXIT_PART if opened.chunks_bad or refused else 0
