"""`hubd phone`: the native reference phone. Everything is signed here, without a network, and synced when there is one."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from hubd.action.kinds import KINDS
from hubd.action.principal import address
from hubd.addresses import EVERYWHERE
from hubd.cli import affairs
from hubd.cli.terminal import (
    command,
    complain,
    json_option,
    listed,
    passphrase_from,
    passphrase_option,
    say,
    show,
    tell,
    time_of,
    warn,
    warn_unsealed,
)
from hubd.config import check_url
from hubd.errors import FatalError, HubdError, RemoteError
from hubd.gossip.presence import PhoneAdvertiser
from hubd.limits import CLOCKS_APART_S
from hubd.messages import phrase, tabled, term, words
from hubd.phone.dial import SCHEMES
from hubd.phone.forms import FORMS, Form
from hubd.phone.phone import KEY_FILE, Phone
from hubd.phone.serve import VisitedPhone
from hubd.phone.show import ON_THIS_PHONE
from hubd.phone.sync import SyncReport

ROLES = {"student": 1, "tutor": 2, "guardian": 4, "mediator": 8}

phone_option = click.option(
    "--phone",
    "directory",
    envvar="HUBD_PHONE",
    type=click.Path(path_type=Path),
    required=True,
    help="The phone's folder.",
)


@click.group()
def phone() -> None:
    """A person's phone: register, act, sync, look."""


@asynccontextmanager
async def _opened(directory: Path, passphrase_file: Path | None) -> AsyncIterator[Phone]:
    if not (directory / KEY_FILE).exists():
        raise FatalError(
            "no-phone",
            f"there is no phone in {directory}",
            hint="name its folder with --phone, or make one: hubd phone register NAME --charter FILE",
        )
    try:
        opened = await Phone.open(directory, passphrase_from(passphrase_file))
    except FatalError as error:
        if error.code != "data-in-use":
            raise
        raise FatalError(
            error.code,
            f"another hubd has the phone in {directory}",
            hint="end it first (`hubd phone serve` ends with Ctrl-C), or wait until it is done",
        ) from error
    try:
        yield opened
    finally:
        await opened.close()


@phone.command()
@click.argument("name")
@click.option(
    "--role",
    "roles",
    multiple=True,
    type=click.Choice(sorted(ROLES)),
    default=("student",),
    show_default=True,
    help="What the person is here; may be repeated.",
)
@click.option("--home", help="The home hub's name or address.")
@click.option(
    "--charter",
    "charter_file",
    type=click.Path(path_type=Path, exists=True),
    help="The mesh's charter; needed the first time.",
)
@phone_option
@passphrase_option
@json_option
@command
async def register(
    name: str,
    roles: tuple[str, ...],
    home: str | None,
    charter_file: Path | None,
    directory: Path,
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """Make the phone if it is new, and sign a registration as NAME. The name stays on this phone."""
    if not (directory / KEY_FILE).exists():
        if charter_file is None:
            raise FatalError("charter", "a new phone needs the mesh's charter", hint="give it with --charter")
        passphrase = passphrase_from(passphrase_file)
        warn_unsealed(directory / KEY_FILE, passphrase)
        made = await Phone.create(directory, charter_file.read_bytes(), passphrase)
        await made.close()
    async with _opened(directory, passphrase_file) as mine:
        before = mine.views.persons.get(mine.principal)
        action = await mine.register(name, sum(ROLES[role] for role in set(roles)), home)
        who = address(mine.principal)
    is_new = before is None or before.registered != action.id
    line = phrase("phone.registered" if is_new else "phone.registered-already", name=name, person=who)
    show({"person": who, "action": action.id.hex(), "new": is_new}, as_json, [line])


@phone.command()
@click.argument("kind")
@click.argument("fields", nargs=-1, metavar="[FIELD=VALUE]...")
@phone_option
@passphrase_option
@json_option
@command
async def do(kind: str, fields: tuple[str, ...], directory: Path, passphrase_file: Path | None, as_json: bool) -> None:
    """Sign an action of KIND, offline.

    For example `request-open subjects=maths ceiling=100`: maths, for one hour at most. `hubd phone kinds` lists the kinds
    with their fields, docs/phone-api.md how each field is written.
    """
    said = {}
    for text in fields:
        name, equals, value = text.partition("=")
        if not equals:
            raise FatalError("field", f"{text!r} is no field", hint="write FIELD=VALUE")
        said[name.replace("-", "_")] = value
    async with _opened(directory, passphrase_file) as mine:
        action = await mine.do(kind, **said)
    line = phrase("phone.signed", kind=kind, id=action.id.hex()[:12], status=term("status", ON_THIS_PHONE))
    show({"action": action.id.hex(), "kind": kind}, as_json, [line])


@phone.command()
@click.argument("name")
@click.argument("who")
@phone_option
@passphrase_option
@json_option
@command
async def know(name: str, who: str, directory: Path, passphrase_file: Path | None, as_json: bool) -> None:
    """Call the person with the address WHO by NAME, on this phone only."""
    async with _opened(directory, passphrase_file) as mine:
        await mine.know(name, who)
    show({"person": who, "name": name}, as_json, [phrase("phone.known", person=who, name=name)])


@phone.command()
@click.argument("names", metavar="[KIND]...", nargs=-1)
@json_option
@command
async def kinds(names: tuple[str, ...], as_json: bool) -> None:
    """List the kinds of action that `do` can sign, or those named: the fields each needs and may have, and an example."""
    if unknown := [name for name in names if name not in FORMS]:
        raise FatalError("kind", f"no kind is called {unknown[0]!r}", hint="`hubd phone kinds` lists them all")
    chosen = {name: form for name, form in FORMS.items() if not names or name in names}
    table = {name: {"needs": form.needs, "may": form.may, "example": form.typed(name)} for name, form in chosen.items()}
    show(table, as_json, [line for name, form in chosen.items() for line in _kind(name, form)])


def _kind(name: str, form: Form) -> list[str]:
    ways = phrase("phone.or").join(listed(way) for way in form.needs if way)
    lines = [
        phrase("phone.kind-needs", fields=ways) if ways else "",
        phrase("phone.kind-may", fields=listed(form.may)) if form.may else "",
        phrase("phone.kind-example", line=form.typed(name)),
    ]
    head = phrase("phone.kind", name=name, meaning=tabled("kinds", name, KINDS[name].meaning))
    return [head, *(phrase("terminal.indented", what=line) for line in lines if line)]


def clocks_apart(report: SyncReport, now_s: int) -> str:
    """What to tell of two clocks that differ, "" where they agree. Which of them is wrong nobody knows."""
    if abs(report.clock_ahead_s) < CLOCKS_APART_S:
        return ""
    mine, theirs = time_of(now_s), time_of(now_s - report.clock_ahead_s)
    return phrase("phone.clocks-apart", mine=mine, theirs=theirs)


def _warn_of_clocks(report: SyncReport) -> None:
    if text := clocks_apart(report, int(time.time())):
        warn(text)


def _report(report: SyncReport) -> dict[str, Any]:
    return {
        "hub": address(report.hub), "hub_name": report.hub_name, "acknowledged": report.acknowledged,
        "deferred": report.deferred, "refused": report.refused, "received": report.received,
        "texts": report.texts, "reconciled": report.reconciled, "reason": report.reason,
        "clock_ahead_s": report.clock_ahead_s,
        "post": asdict(report.carried) if report.carried else None,
    }  # fmt: skip


def _texts(texts: int) -> list[str]:
    return [phrase("phone.texts", texts=texts)] if texts else []


@phone.command()
@click.argument("urls", metavar="URL...", nargs=-1, required=True)
@phone_option
@passphrase_option
@json_option
@command
async def sync(urls: tuple[str, ...], directory: Path, passphrase_file: Path | None, as_json: bool) -> None:
    """Sync with the first hub that answers of those at URL...: bring what waits, take what is new, and part.

    A URL begins with http, https, ws or wss; name the home hub first, then the town hub.
    """
    for url in urls:
        check_url(url, "URL", SCHEMES)
    async with _opened(directory, passphrase_file) as mine:
        report = await mine.sync(*urls)
    facts = _report(report)
    acknowledged, deferred, received = (facts[name] for name in ("acknowledged", "deferred", "received"))
    hub = facts["hub_name"]
    line = phrase("phone.synced", hub=hub, acknowledged=acknowledged, deferred=deferred, received=received)
    show(facts, as_json, [line, *_texts(facts["texts"])])
    _warn_of_clocks(report)
    if facts["reason"]:
        say("phone.unread", why=words(facts["reason"]))
    if post := facts["post"]:
        say("phone.brought", parcels=post["brought"], new=post["new"])
        say("phone.fetched", parcels=post["fetched"])
        if post["reason"]:
            say("terminal.indented", what=words(post["reason"]))


@phone.command()
@click.option("--mb", type=click.IntRange(0, 1_000), default=16, show_default=True, help="The most to carry; 0: none.")
@phone_option
@passphrase_option
@json_option
@command
async def carry(mb: int, directory: Path, passphrase_file: Path | None, as_json: bool) -> None:
    """Allow this phone to carry other villages' post, sealed, with each sync from now on."""
    async with _opened(directory, passphrase_file) as mine:
        await mine.allow_carrying(mb)
    show({"mb": mb}, as_json, [_carries(mb)])


def _carries(mb: int) -> str:
    return phrase("phone.carries", mb=mb) if mb else phrase("phone.carries-none")


@phone.command("status")
@phone_option
@passphrase_option
@json_option
@command
async def phone_status(directory: Path, passphrase_file: Path | None, as_json: bool) -> None:
    """Say what this phone carries for whom."""
    async with _opened(directory, passphrase_file) as mine:
        mb, bundles, receipts = await mine.carries_mb(), mine.pocket.bundles(), mine.pocket.receipts()
        name = {hub: mine.hub_name(hub) or address(hub) for hub in {*receipts, *(each.hub for each in bundles)}}
    rows = [
        {"hub": name[hub], "parcels": len(mine_of), "bytes": sum(each.size for each in mine_of)}
        for hub in sorted({each.hub for each in bundles})
        if (mine_of := [each for each in bundles if each.hub == hub])
    ]
    heard = sorted(name[hub] for hub in receipts)
    facts = {"mb": mb, "post": rows, "receipts": heard}
    lines = [_carries(mb)]
    lines += [phrase("phone.carried", hub=row["hub"], parcels=row["parcels"], bytes=row["bytes"]) for row in rows]
    lines += [phrase("phone.receipts", hubs=listed(heard))] if heard else []
    show(facts, as_json, lines)


@phone.command("show")
@phone_option
@passphrase_option
@json_option
@command
async def show_phone(directory: Path, passphrase_file: Path | None, as_json: bool) -> None:
    """Show this person's affairs: lessons, requests, money, and what waits to be synced."""
    async with _opened(directory, passphrase_file) as mine:
        facts = await mine.show()
    show(facts, as_json, list(affairs.lines(facts)))


@phone.command()
@click.option("--host", default=EVERYWHERE, show_default="all addresses", help="Where hubs may connect.")
@click.option("--port", type=click.IntRange(0, 65_535), default=0, show_default="a free one", help="Port for hubs.")
@click.option(
    "--interface", "interfaces", multiple=True, help="IP address to be found at; default: all of this machine."
)
@phone_option
@passphrase_option
@command
async def serve(
    host: str, port: int, interfaces: tuple[str, ...], directory: Path, passphrase_file: Path | None
) -> None:
    """Wait to be found: advertise this phone by mDNS, so that a hub discovers it and syncs unasked."""

    def told(report: SyncReport | RemoteError) -> None:
        if isinstance(report, HubdError):
            complain(report)
        else:
            say("phone.visited", hub=report.hub_name, acknowledged=report.acknowledged, received=report.received)
            for line in _texts(report.texts):
                tell(line)
            _warn_of_clocks(report)

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with _opened(directory, passphrase_file) as mine:
        served = VisitedPhone(mine, host, port, told)
        async with PhoneAdvertiser(served.port, interfaces=interfaces or None):
            say("phone.waiting", port=served.port)
            serving = asyncio.create_task(served.run())
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            serving.cancel()
            await asyncio.gather(serving, stopping, return_exceptions=True)
