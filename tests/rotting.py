"""A small set in a real file, what SQLite's pages hold where, and everybody who reads the set."""

import asyncio
import sqlite3
from typing import NamedTuple

from builders import Village

from hubd.action.audience import ANYBODY, GUESTS
from hubd.action.fingerprint import EMPTY, extend, fingerprint
from hubd.errors import FatalError, LocalError
from hubd.intake import SetIntake
from hubd.ports import Door
from hubd.store.actions import DATABASE_NAME, Store
from hubd.store.scrubber import Scrubber

VILLAGE = Village(seed=5)
DOMAIN = VILLAGE.charter.domain
ACTIONS = [
    *VILLAGE.found("hub"),
    *(VILLAGE.register(f"person {number}") for number in range(8)),
    *(VILLAGE.seal(f"person {number}", "offer-set", text={"note": f"words of {number} " * 9}) for number in range(8)),
]
LATE = VILLAGE.register("late")
IDS = [action.id for action in ACTIONS]
_LEAF_OF_A_TABLE = 13  # file format, section 1.6

READERS = {
    "page": lambda store: store.page(0, 512),
    "page_for": lambda store: store.page_for(b"a neighbour", 0, 512, 512),
    "seen_page": lambda store: store.seen_page([ANYBODY, GUESTS], 0, 512),
    "seen_items": lambda store: store.seen_items([ANYBODY, GUESTS], 0, 512),
    "page_of_names": lambda store: store.page_of_names(0, 512),
    "page_of_kinds": lambda store: store.page_of_kinds(["hub-admit"], 0, 512),
    "get": lambda store: store.get(IDS),
    "items": lambda store: store.items(),
    "ids": lambda store: store.over_items(lambda items: items.ids(0, items.size())),
    "fingerprints": lambda store: store.over_items(lambda items: items.fingerprints([(0, items.size()), (3, 9)])),
    "ids_beginning": lambda store: store.ids_beginning("0", 99),
    "sketch": lambda store: store.sketch_symbols(0, 1_024),
    "lacking": lambda store: store.lacking(0, 99),
    "mark_of": lambda store: store.mark_of(9),
    "cursor": lambda store: store.cursor(),
    "summary": lambda store: store.summary(),
    "rotten": lambda store: store.rotten(),
}
"""Everybody who reads the set, by name."""


async def opened(directory):
    """The store of a folder, and its scrub."""
    store = await Store.open(directory, DOMAIN)
    intake = SetIntake(store, DOMAIN)

    async def offer(raws):
        return await intake.offer(raws, Door.OWN)

    return store, Scrubber(store, offer)


def whole_file(directory, actions=ACTIONS):
    """The bytes of a database that holds these."""

    async def fill():
        store = await Store.open(directory, DOMAIN)
        await store.append(actions)
        await store.close()

    asyncio.run(fill())
    with sqlite3.connect(directory / DATABASE_NAME) as raw:
        raw.execute("vacuum")  # so that no page holds bytes that nobody reads any more
    raw.close()
    return (directory / DATABASE_NAME).read_bytes()


async def in_words(reading):
    """A step that is answered, or refused in words."""
    try:
        await reading
    except LocalError as error:
        assert error.code == "database-damaged", error


async def is_whole(store):
    """Whether the store holds `ACTIONS` and `LATE`, for everybody who asks, and nothing else."""
    actions = [*ACTIONS, LATE]
    summary = await store.summary()
    return (
        (summary.count, summary.fingerprint)
        == (len(actions), fingerprint(extend(EMPTY, [each.id for each in actions])))
        and {each.id: each for _, each in await store.page(0, 99)} == {each.id: each for each in actions}
        and set(await store.over_items(lambda items: items.ids(0, items.size()))) == {each.id for each in actions}
    )


async def lived_through(directory):
    """What becomes of a hub whose database is damaged, its neighbour having all: how it got over it.

    Everybody reads, something is written, the scrub comes by, and where that ends the hub it is started again.
    """
    ended = "mended"
    for _ in range(3):
        try:
            store, scrubber = await opened(directory)
        except FatalError as error:
            assert error.code in ("database-damaged", "schema-newer"), error
            return "refused"
        try:
            for read in READERS.values():
                await in_words(read(store))
            await in_words(store.append([LATE]))
            await scrubber.scrub()
            await store.append([*ACTIONS, LATE])
            found = await scrubber.scrub()
            assert (found.damaged, found.counted_again) == (0, False)
            assert await is_whole(store)
        except (FatalError, LocalError) as error:
            assert error.code == "database-damaged", error
            assert store.database.damaged.is_set(), "and the scrub ends the hub"
            ended = "written anew"
        else:
            return ended
        finally:
            await store.close()
    return "damaged for ever"


def heads(raw):
    """Where the heads of the file's pages are, and the places of their cells: what SQLite finds all else by."""
    page_bytes = int.from_bytes(raw[16:18], "big")
    for page in range(page_bytes, len(raw), page_bytes):
        yield from range(page, page + 12 + 2 * int.from_bytes(raw[page + 3 : page + 5], "big"))


class Cell(NamedTuple):
    """Where in the file the parts of a row begin."""

    size: int  # of its record, a varint
    rowid: int
    header: int  # of the record
    types: list[int]  # of the columns
    body: int
    end: int


def varint(raw, at):
    """A number, and where the next begins (file format, section 1.6)."""
    value = 0
    for place in range(at, at + 8):
        value = value << 7 | raw[place] & 0x7F
        if raw[place] < 0x80:
            return value, place + 1
    return value << 8 | raw[at + 8], at + 9


def row_with(raw, value):
    """The cell of the table row that holds these bytes, which lies on one page."""
    page_bytes = int.from_bytes(raw[16:18], "big")
    for page in range(page_bytes, len(raw), page_bytes):
        if raw[page] == _LEAF_OF_A_TABLE:
            count = int.from_bytes(raw[page + 3 : page + 5], "big")
            for pointer in range(page + 8, page + 8 + 2 * count, 2):
                cell = _cell(raw, page + int.from_bytes(raw[pointer : pointer + 2], "big"))
                if raw.find(value, cell.body, cell.end) >= 0:
                    return cell
    raise LookupError


def _cell(raw, at):
    size, rowid = varint(raw, at)
    _, header = varint(raw, rowid)
    header_bytes, place = varint(raw, header)
    types, body = [], header + header_bytes
    while place < body:
        types.append(place)
        _, place = varint(raw, place)
    return Cell(at, rowid, header, types, body, header + size)
