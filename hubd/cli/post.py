"""`hubd export` and `hubd post`: carry the set on a stick, sealed to the mesh's hubs."""

import os
from contextlib import suppress
from pathlib import Path

import click

from hubd.action.principal import address, parse_address
from hubd.cli.local import local_hub
from hubd.cli.terminal import EXIT_PART, command, data_option, json_option, show, warn
from hubd.errors import FatalError
from hubd.hub import read_config
from hubd.limits import STICK_STEP_S
from hubd.messages import phrase, words
from hubd.post.bundle import Writer
from hubd.post.counter import Office
from hubd.post.exchange import Exchange, Visit
from hubd.post.result import Result
from hubd.post.stick import FOLDER, RECEIPT_TEXT, Stick
from hubd.post.thread import Patience
from hubd.post.writing import Writing

MEGABYTE = 1_000_000


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
        latest = await post.sequence()
        if after is None:
            after = await post.since([parse_address(known[name]["hub"]) for name in hubs])
        elif after > latest:
            raise FatalError(
                "arrival",
                f"--after {after}, and the latest arrival at this hub is {latest}",
                hint="leave --after out, or take the number that the last export said here",
            )
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
    except BaseException as error:
        with suppress(OSError):
            waiting.unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        raise FatalError(
            "file", f"{file}: {error.strerror}", hint="is there room on the stick, and may this user write?"
        ) from error


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
             "damaged": visit.damaged, "given": visit.given, "all": visit.is_all, "told": visit.is_told,
             "code": visit.code,
             "bundles": {result.value: count for result, count in sorted(visit.bundles.items())}}  # fmt: skip
    if visit.is_told:
        receipt = folder / FOLDER / RECEIPT_TEXT
        line = phrase("post.exchanged", new=visit.tally.new, given=visit.given, receipt=receipt)
    else:
        line = phrase("post.exchanged-untold", new=visit.tally.new, given=visit.given)
    show(facts, as_json, [line, *_not_taken(visit)])
    if visit.code:
        warn(words(visit.code))
    is_part = bool(visit.damaged or visit.tally.deferred or visit.bundles[Result.OTHER_HUBS])
    return 0 if visit.is_all and not is_part else EXIT_PART


def _not_taken(visit: Visit) -> list[str]:
    """What lay there and gave this hub nothing, and what to do about it."""
    lines = []
    if not any(result.is_for_us for result in visit.bundles):
        lines.append(phrase("post.no-bundles"))
    if count := visit.bundles[Result.OTHER_MESH]:
        lines.append(phrase("post.other-mesh", bundles=count))
    if count := visit.bundles[Result.OTHER_HUBS]:
        lines.append(phrase("post.other-hubs", bundles=count))
    if visit.damaged:
        lines.append(phrase("post.damaged-there", parts=visit.damaged))
    if visit.tally.deferred:
        lines.append(phrase("post.waiting-there", deferred=visit.tally.deferred))
    return lines
