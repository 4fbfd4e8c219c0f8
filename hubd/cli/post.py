"""`hubd export`, `hubd import` and `hubd post`: carry the set on a stick, sealed to the mesh's hubs."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import click

from hubd.action.principal import address, parse_address
from hubd.cli.local import LocalHub, local_hub
from hubd.cli.terminal import EXIT_PART, command, data_option, json_option, show, warn
from hubd.errors import FatalError, RemoteError
from hubd.hub import read_config
from hubd.limits import BUNDLE_BYTES_MAX, BUNDLE_PIECE_BYTES, RECEIPT_BYTES_MAX, STICK_STEP_S
from hubd.messages import phrase, words
from hubd.post.bundle import Reader, Report, Writer
from hubd.post.counter import Office
from hubd.post.exchange import Exchange
from hubd.post.office import Tally
from hubd.post.stick import FOLDER, RECEIPT_TEXT, Stick
from hubd.post.thread import Patience
from hubd.post.writing import Writing

MEGABYTE = 1_000_000
_UNREAD = {"bundle-mesh": "it belongs to another mesh", "bundle-recipient": "it is not addressed to this hub"}


@click.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--for", "hubs", multiple=True, help="Only what this hub has not confirmed yet; a name, may be repeated.")
@click.option(
    "--after", type=click.IntRange(0), default=None, help="Go on after this arrival, as an export before said."
)
@click.option("--size-mb", type=click.IntRange(1), default=None, help="The most to write; default: post.size_mb.")
@data_option
@json_option
@command
async def export_bundle(
    file: Path, hubs: tuple[str, ...], after: int | None, size_mb: int | None, directory: Path, as_json: bool
) -> int:
    """Write the set to FILE, sealed to every admitted hub. Exit code 3: not all fitted in, and it says how to go on."""
    if file.exists() and not file.is_file():
        raise FatalError("file", f"{file} is no ordinary file", hint="name a new file on the stick")
    size_mb = size_mb or int(read_config(directory)["post.size_mb"])
    async with local_hub(directory) as hub:
        known = {each["name"]: each for each in await hub.hubs() if each["state"] == "admitted"}
        if not known:
            raise FatalError(
                "no-recipients", "no hub is admitted yet, so nobody could open the bundle", hint="admit a hub first"
            )
        if unknown := set(hubs) - set(known):
            raise FatalError(
                "hub-unknown", f"no admitted hub is called {min(unknown)}", hint="`hubd status` names the neighbours"
            )
        post = hub.post()
        if after is None:
            after = await post.since([parse_address(known[name]["hub"]) for name in hubs])
        writing = Writing(Writer(await post.seal()), after, size_mb * MEGABYTE)
        await _write(file, post, writing)
    facts = {"file": str(file), "actions": writing.actions, "bytes": writing.size_bytes, "hubs": len(known),
             "after": after, "position": writing.position, "all": writing.is_all}  # fmt: skip
    size, hubs_known = writing.size_bytes, len(known)
    lines = [phrase("post.exported", actions=writing.actions, hubs=hubs_known, file=file, bytes=size)]
    if not writing.is_all:
        lines.append(phrase("post.go-on", position=writing.position))
    show(facts, as_json, lines)
    return 0 if writing.is_all else EXIT_PART


async def _write(file: Path, post: Office, writing: Writing) -> None:
    waiting = file.with_name(file.name + ".part")
    try:
        waiting.unlink(missing_ok=True)
        with waiting.open("xb") as output:  # a link that lies on a stick would lead to a file of this hub's own
            async for piece in writing.pieces(post.page, post.urgent_page):
                output.write(piece)
            output.flush()
            os.fsync(output.fileno())
        waiting.replace(file)
    except OSError as error:
        with suppress(OSError):
            waiting.unlink(missing_ok=True)
        raise FatalError(
            "file", f"{file}: {error.strerror}", hint="is there room on the stick, and may this user write?"
        ) from error


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@data_option
@json_option
@command
async def import_bundle(file: Path, directory: Path, as_json: bool) -> int:
    """Read a bundle from FILE. Damaged parts are skipped and counted; the others count. Exit code 3: some were damaged."""
    if not file.is_file():
        raise FatalError("file", f"{file} is no ordinary file", hint="name the bundle itself")
    if file.stat().st_size > BUNDLE_BYTES_MAX:
        raise FatalError(
            "bundle", f"{file} is larger than {BUNDLE_BYTES_MAX} bytes", hint="ask the sender for a smaller bundle"
        )
    async with local_hub(directory) as hub:
        if await _is_receipt(file, hub):
            show({"receipt": str(file)}, as_json, [phrase("post.receipt", file=file)])
            return 0
        report, tally = await _read(file, hub.post())
    if not report.chunks:
        code = min(report.codes, default="") or ("bundle-mesh" if report.foreign else "bundle")
        raise FatalError(
            code,
            f"{file}: {_UNREAD.get(code, 'no bundle, or all of it is damaged')}",
            hint="was it made by a hub of this mesh, after this hub was admitted?",
        )
    facts = {
        "actions": tally.actions,
        "new": tally.new,
        "refused": tally.refused,
        "deferred": tally.deferred,
        "chunks_good": report.chunks,
        "chunks_bad": report.damaged + report.unopened,
        "whole": report.is_whole,
    }
    new, refused, deferred = tally.new, tally.refused, tally.deferred
    line = phrase("post.imported", actions=tally.actions, new=new, refused=refused, deferred=deferred)
    show(facts, as_json, [line])
    if facts["chunks_bad"]:
        warn(phrase("post.damaged", parts=facts["chunks_bad"]))
    elif not report.is_whole:
        warn(phrase("post.torn"))
    is_part = bool(facts["chunks_bad"]) or not report.is_whole
    return EXIT_PART if is_part or tally.refused or tally.deferred else 0


async def _is_receipt(file: Path, hub: LocalHub) -> bool:
    if file.stat().st_size > RECEIPT_BYTES_MAX:
        return False
    try:
        await hub.post().heard(file.read_bytes())
    except (RemoteError, FatalError):
        return False
    await hub.post().settle()
    return True


def _pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as source:
        while source.tell() < BUNDLE_BYTES_MAX and (piece := source.read(BUNDLE_PIECE_BYTES)):
            yield piece


async def _read(file: Path, post: Office) -> tuple[Report, Tally]:
    reader, tally = Reader(post.charter, post.box_key, post.unseal), Tally()
    while True:
        for piece in _pieces(file):
            for opened in reader.feed(piece):
                tally.add(await post.take(opened))
        for opened in reader.end():
            tally.add(await post.take(opened))
        if not reader.wants_again:
            break
        reader.again()
    await post.settle()
    return reader.report, tally


@click.command("post")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@data_option
@json_option
@command
async def post_folder(folder: Path, directory: Path, as_json: bool) -> int:
    """Exchange post with a stick: take what is on it for this hub, leave what others lack, with a receipt.

    FOLDER is the stick; everything is in its folder hubd-post. A running hub does it by itself when a stick is plugged in.
    Exit code 3: not all was exchanged, and RECEIPT.txt says what.
    """
    size_mb = int(read_config(directory)["post.size_mb"])
    async with local_hub(directory) as hub:
        names = {parse_address(each["hub"]): str(each["name"]) for each in await hub.hubs()}
        patience = Patience(STICK_STEP_S)
        try:
            (folder / FOLDER).mkdir(exist_ok=True)
            stick = await patience.do(lambda: Stick.open(folder))
            if stick is None:
                raise FatalError("file", f"{folder / FOLDER} is no folder", hint="take it away, and try again")
            exchange = Exchange(
                hub.post(), stick, patience, size_mb * MEGABYTE, lambda each: names.get(each, address(each))
            )
            visit = await exchange.run()
            await patience.do(stick.close)
        finally:
            patience.stop()
    facts = {"actions": visit.tally.actions, "new": visit.tally.new, "deferred": visit.tally.deferred,
             "damaged": visit.damaged, "given": visit.given, "all": visit.is_all, "code": visit.code}  # fmt: skip
    receipt = folder / FOLDER / RECEIPT_TEXT
    show(facts, as_json, [phrase("post.exchanged", new=visit.tally.new, given=visit.given, receipt=receipt)])
    if visit.code:
        warn(words(visit.code))
    return 0 if visit.is_all and not visit.damaged and not visit.tally.deferred else EXIT_PART
