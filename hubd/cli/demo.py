"""`hubd demo`: the main job on one machine, from phones to the chain and back."""

import asyncio
import json
import signal
import tempfile
import time
from pathlib import Path

import click

from hubd import log
from hubd.cli.terminal import EXIT_FATAL, command, say, tell
from hubd.demo.report import report, tables
from hubd.demo.story import Story
from hubd.demo.village import staged
from hubd.messages import phrase

_HUBS_MAX, _PHONES_MAX = 12, 64  # what two cores and a minute of patience bear


@click.command()
@click.option(
    "--hubs",
    type=click.IntRange(1, _HUBS_MAX),
    default=3,
    show_default=True,
    help="Hubs in a line; the last has the uplink.",
)
@click.option(
    "--phones", type=click.IntRange(2, _PHONES_MAX), default=6, show_default=True, help="Half students, half tutors."
)
@click.option("--keep", type=click.Path(path_type=Path, file_okay=False), help="Keep data and logs in this folder.")
@click.option("--json", "as_json", is_flag=True, help="The last line of stdout is one JSON object.")
@command
async def demo(hubs: int, phones: int, keep: Path | None, as_json: bool) -> int:
    """Three villages, one uplink: lessons from asking to being paid, with a link that breaks in the middle."""
    log.configure("warning")
    telling = asyncio.current_task()
    assert telling is not None
    for number in (signal.SIGTERM, signal.SIGHUP):  # as Ctrl-C does: nothing may be left behind
        asyncio.get_running_loop().add_signal_handler(number, telling.cancel)
    started = time.monotonic()

    def narrate(text: str) -> None:
        passed_s = f"{time.monotonic() - started:5.1f}"
        say("demo.step", seconds=passed_s, what=text)

    with tempfile.TemporaryDirectory(prefix="hubd-demo-") as scratch:
        folder = keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        async with staged(folder, hubs, narrate) as village:
            story = Story(village, phones // 2, narrate)
            await story.tell()
            facts = await report(story)
        narrate(phrase("demo.done"))
    for line in tables(facts):
        tell(line)
    if as_json:
        click.echo(json.dumps(facts, sort_keys=True))
    return 0 if facts["converged"] else EXIT_FATAL
