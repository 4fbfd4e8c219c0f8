"""The views' file rots, is cut off, or is another one: no view is wrong, nothing falls over, and it is folded anew.

Thousands of flips are shown to the look through the file, and what it lets pass lives on in a hub, whose views must be those
of the plain fold. The exhaustive twin flips every bit of every kind of row; mutants that it is known to kill are at the end.
"""

import os
import random
import shutil
import sqlite3
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from soups import SOUPS
from structlog.testing import capture_logs

from hubd import folding as module
from hubd.errors import LocalError
from hubd.fold.folder import fold
from hubd.folding import Folding
from hubd.log import configure
from hubd.store import cells, viewcheck, viewfile
from hubd.store.actions import DATABASE_NAME, Store
from hubd.store.viewcheck import steps
from hubd.store.viewfile import FILE_NAME
from hubd.store.views import SqliteMemory

IS_LONG = bool(os.environ.get("HUBD_CAMPAIGN"))
FLIPS = 200_000 if IS_LONG else 5_000
LIVES = 5_000 if IS_LONG else 60
MEMORY = Path("/dev/shm")
SOUP = SOUPS["lesson"]()
CHARTER = SOUP.village.charter
HALF = len(SOUP.actions) * 3 // 4
EARLY, WHOLE = fold(CHARTER, SOUP.actions[:HALF]), fold(CHARTER, SOUP.actions)
VIEWS = [column.name for column in fields(WHOLE) if hasattr(getattr(WHOLE, column.name), "items")]


class Hub:
    """A folder with a set of which the views hold everything."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder, folder / FILE_NAME

    async def begin(self) -> None:
        store = await Store.open(self.folder, CHARTER.domain)
        await store.append(SOUP.actions[:HALF])
        folding = Folding(self.folder, store, CHARTER)
        await folding.open()
        await folding.catch_up()
        for suffix in ("", "-wal"):  # as a kill leaves it
            shutil.copy(f"{self.path}{suffix}", f"{self.path}.killed{suffix}")
        await folding.close()
        await store.close()
        self.raw, self.set = self.path.read_bytes(), (self.folder / DATABASE_NAME).read_bytes()

    def changed(self, at: int, bit: int) -> bytes:
        raw = bytearray(self.raw)
        raw[at] ^= 1 << bit
        return bytes(raw)

    def places(self) -> list[int]:
        """Bytes that may say something."""
        return [at for at in range(len(self.raw)) if any(self.raw[max(0, at - 4) : at + 5])]

    async def lives_on(self, raw: bytes | None = None, may_miss: bool = False) -> bool:
        """Open the hub with this file, read, and let more come. Whether that was said to be folded anew."""
        if raw is not None:
            self.path.write_bytes(raw)
        (self.folder / DATABASE_NAME).write_bytes(self.set)
        store = await Store.open(self.folder, CHARTER.domain)
        folding = Folding(self.folder, store, CHARTER)
        configure("info")
        with capture_logs() as logs:
            await folding.open()
            if not folding.behind:
                with suppress(LocalError):
                    assert_right_or_missing(folding.views, EARLY) if may_miss else assert_right(folding.views, EARLY)
            with suppress(LocalError):
                await folding.check()
                may_miss = False
            if may_miss:
                folding._met(LocalError("views"))  # as the service does after a look
            await folding.catch_up()
            assert_right(folding.views, EARLY)
            await store.append(SOUP.actions[HALF:])
            folding.heard(SOUP.actions[HALF:], None, b"")
            await folding.catch_up()
            assert_right(folding.views, WHOLE)
            assert folding.views.digest == WHOLE.digest
            await folding.close()
        await store.close()
        return "views-anew" in {log["event"] for log in logs}


def assert_right(views, expected):
    """Whatever is read, whole or by key, is what the rules say."""
    for name in VIEWS:
        found, wanted = getattr(views, name), getattr(expected, name)
        assert all(found.get(key) == entry for key, entry in wanted.items()), name
        assert (set(found), len(found)) == (set(wanted), len(wanted)), name
    assert (views.mesh, views.time_s) == (expected.mesh, expected.time_s)


def assert_right_or_missing(views, expected):
    """No entry says anything else than the rules; some may not be found."""
    for name in VIEWS:
        for key, entry in getattr(expected, name).items():
            with suppress(LocalError):
                assert getattr(views, name).get(key) in (None, entry), name


@pytest.fixture
async def hub():
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        made = Hub(Path(folder))
        await made.begin()
        yield made


def is_noticed(path: Path) -> bool:
    try:
        for _ in steps(path):
            pass
    except LocalError:
        return True
    return False


async def test_a_sound_file_is_used_as_it_is(hub):
    assert not is_noticed(hub.path)
    assert not await hub.lives_on()


async def test_a_bit_may_flip_anywhere_and_no_view_is_wrong(hub):
    chance, places, other, passed = random.Random(6), hub.places(), hub.folder / "other", []
    for _ in range(FLIPS):
        at, bit = chance.choice(places), chance.randrange(8)
        other.write_bytes(hub.changed(at, bit))
        if not is_noticed(other):
            passed.append((at, bit))
    assert len(passed) < FLIPS // 10, "free room, and names of what nobody asks for"
    for at, bit in passed[: LIVES * 3]:
        await hub.lives_on(hub.changed(at, bit))


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_hub_whose_file_rotted_says_that_it_folds_anew(hub, monkeypatch, at_once):
    if not at_once:  # as a file that is too large for it
        monkeypatch.setattr(module, "VIEWS_CHECK_AT_ONCE_BYTES", 0)
    chance, places = random.Random(9), hub.places()
    said = [
        await hub.lives_on(hub.changed(chance.choice(places), chance.randrange(8)), not at_once) for _ in range(LIVES)
    ]
    assert sum(said) > LIVES // 2


RUINS = {
    "empty": lambda _: b"",
    "noise": lambda raw: random.Random(1).randbytes(len(raw)),
    "half": lambda raw: raw[: len(raw) // 2],
    "cut off in a page": lambda raw: raw[:-1_000],
    "no first page": lambda raw: bytes(4_096) + raw[4_096:],
    "no last page": lambda raw: raw[:-4_096] + bytes(4_096),
    "an earlier middle": lambda raw: raw[:8_192] + bytes(8_192) + raw[16_384:],
    "another format": lambda raw: raw.replace(b"stamp", b"stump"),
}


@pytest.mark.parametrize("name", RUINS)
async def test_a_file_that_is_torn_or_another_one_is_folded_anew(hub, name):
    assert await hub.lives_on(RUINS[name](hub.raw)) or name == "empty"


async def test_a_file_of_another_mesh_or_version_is_folded_anew(hub, monkeypatch):
    SqliteMemory.open(hub.path, b"of another mesh", lambda _: None).close()
    assert await hub.lives_on()
    hub.path.write_bytes(hub.raw)
    monkeypatch.setattr(viewfile, "_FORMAT", viewfile._FORMAT + 1)
    assert await hub.lives_on()


async def test_a_log_that_rotted_or_was_cut_off_beside_the_file_leaves_no_view_wrong(hub):
    chance = random.Random(4)
    file, log = (Path(f"{hub.path}.killed{suffix}").read_bytes() for suffix in ("", "-wal"))
    for number in range(LIVES):
        raw = bytearray(log)
        raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
        Path(f"{hub.path}-wal").write_bytes(raw if number % 2 else raw[: chance.randrange(len(raw))])
        await hub.lives_on(file)


async def test_what_cannot_be_a_file_ends_the_hub_in_words(hub):
    hub.path.unlink()
    hub.path.mkdir()
    (hub.path / "inside").touch()
    store = await Store.open(hub.folder, CHARTER.domain)
    folding = Folding(hub.folder, store, CHARTER)
    with pytest.raises(Exception, match="views") as caught:
        await folding.open()
    assert "move" in caught.value.hint
    await store.close()


# --- every bit of a row of every table

COLUMNS = {
    "name": ("no", "key"),
    "entry": ("node", "body"),
    "sum": ("node", "body"),
    "reads": ("node", "body"),
    "reader": ("read", "reader"),
    "shelf": ("place", "author", "first", "second", "id"),
    "moment": ("time_s", "count"),
    "fact": ("key", "value"),
}


def flips(value):
    """The value with each of its bits changed."""
    raw = (
        value.to_bytes(8, "big", signed=True) if type(value) is int else value.encode() if type(value) is str else value
    )
    for at in range(8 * len(raw)):
        changed = bytearray(raw)
        changed[at // 8] ^= 1 << at % 8
        yield int.from_bytes(changed, "big", signed=True) if type(value) is int else bytes(changed)


def passed_over(hub, step=1):
    """Which columns, with one bit of their first or last row changed, the look through the file lets pass."""
    passed = set()
    raw = sqlite3.connect(hub.path, isolation_level=None)
    for table, columns in COLUMNS.items():
        rows = raw.execute(f"select {', '.join(columns)} from {table}").fetchall()
        for row in rows[:: max(1, len(rows) - 1)]:
            where = " and ".join(f"{column} is ?" for column in columns)
            for column, value in zip(columns, row, strict=True):
                for changed in list(flips(value))[::step]:
                    now = [changed if each == column else was for each, was in zip(columns, row, strict=True)]
                    if raw.execute(f"select 1 from {table} where {where}", now).fetchone():
                        continue
                    with suppress(sqlite3.IntegrityError):
                        raw.execute(f"update {table} set {column} = ? where {where}", (changed, *row))
                        if not is_noticed(hub.path):
                            passed.add((table, column))
                        raw.execute(f"update {table} set {column} = ? where {where}", (value, *now))
    raw.close()
    return passed


async def test_every_bit_of_every_kind_of_row_is_watched(hub):
    assert passed_over(hub, 1 if IS_LONG else 7) == set()
    assert not is_noticed(hub.path)


async def test_a_row_that_is_missing_is_noticed(hub):
    for table in COLUMNS:
        hub.path.write_bytes(hub.raw)
        with sqlite3.connect(hub.path) as raw:
            key = ", ".join(COLUMNS[table][: 5 if table == "shelf" else 2 if table == "reader" else 1])
            raw.execute(f"delete from {table} where ({key}) in (select {key} from {table} order by 1 desc limit 1)")
        raw.close()
        assert is_noticed(hub.path) or table == "fact"


MUTANTS = {
    "values without a check": (viewcheck, "unsealed", lambda _node, raw: raw[4:]),
    "a check that does not know its node": (viewcheck, "unsealed", lambda _node, raw: cells.unsealed(0, raw)),
    "tables that are not added up": (viewcheck, "CHECK_MASK", 0),
}


@pytest.mark.parametrize("name", MUTANTS)
async def test_a_look_that_looks_less_is_noticed(hub, name, monkeypatch):
    monkeypatch.setattr(*MUTANTS[name])
    assert passed_over(hub, 17) or is_noticed(hub.path)
