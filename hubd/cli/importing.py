"""`hubd import`: read one file of post, and say what it was for this hub."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import click

from hubd.action.principal import Principal, address, parse_address
from hubd.cli.local import local_hub
from hubd.cli.terminal import EXIT_PART, command, data_option, json_option, show, warn
from hubd.errors import FatalError, RemoteError
from hubd.fold.views import HubState
from hubd.limits import BUNDLE_BYTES_MAX, BUNDLE_PIECE_BYTES, RECEIPT_BYTES_MAX, STICK_SENDERS_TOLD_MAX
from hubd.messages import phrase
from hubd.post import receipt as receipts
from hubd.post.blocks import MAGIC
from hubd.post.bundle import Opened, Reader, Report
from hubd.post.counter import Office
from hubd.post.office import Tally
from hubd.post.result import Result, result_of

Hubs = Mapping[Principal, Mapping[str, Any]]
"""The hubs that are known here, as the hub lists them."""


@dataclass
class _Read:
    """What was read of a file, and by which other hubs it was written, as far as they are told."""

    report: Report
    tally: Tally = field(default_factory=Tally)
    writers: set[Principal] = field(default_factory=set)


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True))
@data_option
@json_option
@command
async def import_bundle(file: Path, directory: Path, as_json: bool) -> int:
    """Read a bundle or a receipt from FILE, and say what it was for this hub.

    Damaged parts are skipped and counted; the others count. Exit code 3: some were damaged, or not taken yet. The hub's own
    bundle, and one that was read before, are no mistake. --json says what it was as `result`.
    """
    _check(file)
    async with local_hub(directory) as hub:
        known = {parse_address(each["hub"]): each for each in await hub.hubs()}
        office = hub.post()
        if told := await _receipt(file, office, known):
            show(told[0], as_json, [told[1]])
            return 0
        read = await _bundle(file, office)
    result = result_of(read.report, read.tally, is_own=not read.writers)
    if result.value.startswith("bundle"):
        _refuse(file, result)
    show(_facts(read, result, known), as_json, list(_lines(file, read, result, known)))
    return _warn(read, result)


def _check(file: Path) -> None:
    """Raise `FatalError` for what is no file that could be read."""
    if file.is_dir():
        raise FatalError(
            "bundle-folder",
            f"{file} is a folder",
            hint=f"exchange post with a stick: hubd post {file}; or name one file",
        )
    if not file.is_file():
        raise FatalError("file", f"{file} is no ordinary file", hint="name the bundle itself")
    if not (size := file.stat().st_size):
        raise FatalError(
            "bundle-empty",
            f"{file} is empty: it was not copied to its end",
            hint="copy it again, and take out the stick only when its light rests",
        )
    if size > BUNDLE_BYTES_MAX:
        raise FatalError(
            "bundle", f"{file} is larger than {BUNDLE_BYTES_MAX} bytes", hint="ask the sender for a smaller bundle"
        )


def _refuse(file: Path, result: Result) -> NoReturn:
    """Say of a file that gives this hub nothing why that is so."""
    if result is Result.OTHER_MESH:
        raise FatalError(
            "bundle-mesh", f"{file} belongs to another mesh", hint="ask a hub of your own mesh for a bundle"
        )
    if result is Result.OTHER_HUBS:
        raise FatalError(
            "bundle-recipient",
            f"{file} is not addressed to this hub",
            hint="it was made before this hub was admitted, or after it was retired: ask for a new one",
        )
    if _begins_a_bundle(file):
        raise FatalError("bundle", f"{file} is a bundle, and no part of it is whole", hint="ask for it again")
    raise FatalError(
        "bundle",
        f"{file} is no bundle, and no receipt of this mesh",
        hint="name what `hubd export` wrote, or a file of a stick's folder hubd-post",
    )


def _begins_a_bundle(file: Path) -> bool:
    with file.open("rb") as source:
        return source.read(len(MAGIC)) == MAGIC


async def _receipt(file: Path, office: Office, known: Hubs) -> tuple[dict[str, Any], str] | None:
    """What is told of a receipt; None for a file that is none."""
    if file.stat().st_size > RECEIPT_BYTES_MAX:
        return None
    raw = file.read_bytes()
    try:
        hub = receipts.parse(raw, office.charter).hub
        heard = await office.heard(raw)
    except (RemoteError, FatalError):
        return None
    await office.settle()
    name = _name(hub, known)
    if hub == office.hub:
        result, line = "receipt-own", phrase("post.receipt-own", file=file)
    elif heard is None:
        result, line = "receipt-stranger", phrase("post.receipt-stranger", file=file, hub=name)
    elif heard[1]:
        result, line = "receipt", phrase("post.receipt", file=file, hub=name)
    else:
        result, line = "receipt-known", phrase("post.receipt-known", file=file, hub=name)
    return {"receipt": str(file), "result": result, "hub": address(hub)}, line


def _pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as source:
        while source.tell() < BUNDLE_BYTES_MAX and (piece := source.read(BUNDLE_PIECE_BYTES)):
            yield piece


async def _bundle(file: Path, office: Office) -> _Read:
    reader = Reader(office.charter, office.box_key, office.unseal)
    read = _Read(reader.report)

    async def take(chunks: list[Opened]) -> None:
        for opened in chunks:
            read.tally.add(await office.take(opened))
            if opened.signer != office.hub and len(read.writers) < STICK_SENDERS_TOLD_MAX:
                read.writers.add(opened.signer)

    while True:
        for piece in _pieces(file):
            await take(reader.feed(piece))
        await take(reader.end())
        if not reader.wants_again:
            break
        reader.again()
    await office.settle()
    return read


def _facts(read: _Read, result: Result, known: Hubs) -> dict[str, Any]:
    report, tally = read.report, read.tally
    return {
        "result": result.value,
        "actions": tally.actions,
        "new": tally.new,
        "refused": tally.refused,
        "deferred": tally.deferred,
        "chunks_good": report.chunks,
        "chunks_bad": report.damaged + report.unopened,
        "whole": report.is_whole,
        "writers": [
            {"hub": address(hub), "name": _name(hub, known), "state": _state(hub, known)}
            for hub in sorted(read.writers)
        ],
    }


def _lines(file: Path, read: _Read, result: Result, known: Hubs) -> Iterator[str]:
    """What it was, and what to do where something is left to do."""
    tally = read.tally
    if result is Result.OWN:
        yield phrase("post.own", file=file)
    elif result is Result.NOTHING:
        yield phrase("post.nothing", file=file)
    elif result is Result.KNOWN and not tally.refused:
        yield phrase("post.known", file=file)
    else:
        new, refused, deferred = tally.new, tally.refused, tally.deferred
        yield phrase("post.imported", actions=tally.actions, new=new, refused=refused, deferred=deferred)
    for hub in sorted(read.writers):
        if _state(hub, known) == HubState.RETIRED:
            yield phrase("post.retired", hub=_name(hub, known))
        elif _state(hub, known) != HubState.ADMITTED:
            yield phrase("post.stranger", hub=_name(hub, known))
    if tally.deferred:
        yield phrase("post.waiting", deferred=tally.deferred)


def _warn(read: _Read, result: Result) -> int:
    """Say what of it did not arrive; the command's exit code."""
    bad = read.report.damaged + read.report.unopened
    is_part = bad or not read.report.is_whole
    if is_part and result is Result.OWN:
        warn(phrase("post.own-damaged"))
    elif bad:
        warn(phrase("post.damaged", parts=bad))
    elif is_part:
        warn(phrase("post.torn"))
    return EXIT_PART if is_part or read.tally.refused or read.tally.deferred else 0


def _name(hub: Principal, known: Hubs) -> str:
    return str(known[hub]["name"] if hub in known else "") or address(hub)


def _state(hub: Principal, known: Hubs) -> str:
    """Where it stands in the mesh, "unknown" where it never announced itself here."""
    return str(known[hub]["state"]) if hub in known else "unknown"
