"""A conversion that writes all rows a second time: it takes as little room as that takes, and says what it needs."""

import os
import shutil
import sqlite3
from pathlib import Path
from types import SimpleNamespace

import pytest

from hubd.action.network import TESTNET
from hubd.action.principal import contract
from hubd.action.signature import Signer
from hubd.action.sip018 import Domain
from hubd.errors import FatalError
from hubd.limits import MIGRATION_ROOM_PERCENT
from hubd.store import migrations
from hubd.store.actions import DATABASE_NAME, Store
from hubd.store.room import Room

DOMAIN = Domain(TESTNET, contract(Signer(b"\x05" * 32).principal(TESTNET), "access"))
FIXTURE = Path(__file__).parent.parent.parent / "fixtures" / "schema-4.sqlite3"
ROWS = 16_000  # twice what goes from the log to the file when a step ends


@pytest.fixture
def path(tmp_path):
    """A copy of a database of schema 4."""
    return Path(shutil.copy(FIXTURE, tmp_path / DATABASE_NAME))


def filled(path):
    """So many rows beside the two."""
    with sqlite3.connect(path) as raw:
        raw.executemany(
            "insert into action (id, created, kind, author, header, digest) values (?, ?, 'lesson-book', ?, ?, ?)",
            ((number.to_bytes(32, "little"), number, bytes(21), bytes(300), bytes(8)) for number in range(ROWS)),
        )
    raw.close()
    return path.stat().st_size


def test_a_conversion_takes_no_more_room_than_it_asks_for_and_gives_the_log_back(path):
    size, most = filled(path), 0

    def look(_):
        nonlocal most
        most = max(most, sum(each.stat().st_size for each in path.parent.iterdir()))

    converting = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode = wal", "secure_delete = on"):
        converting.execute(f"pragma {pragma}")
    converting.set_trace_callback(look)
    migrations.migrate(converting, path)
    assert size < most - size <= size * MIGRATION_ROOM_PERCENT // 100
    assert converting.execute("pragma secure_delete").fetchone() == (1,)
    assert Path(f"{path}-wal").stat().st_size == 0
    converting.close()


@pytest.fixture
def free(monkeypatch):
    """Injects how many bytes are free on a card of 4 GB, less what the ballast holds."""

    def set_free(number, ballast=None):
        def look(_):
            held = ballast.stat().st_size if ballast is not None and ballast.exists() else 0
            return SimpleNamespace(f_blocks=2**22, f_bavail=(number - held) // 1_024, f_frsize=1_024)

        monkeypatch.setattr(os, "statvfs", look)

    return set_free


async def test_too_little_room_for_a_conversion_is_told_in_megabytes_and_nothing_is_changed(path, free):
    size = filled(path)
    before = path.read_bytes()
    free(size)
    with pytest.raises(FatalError) as told:
        await Store.open(path.parent, DOMAIN)
    assert told.value.code == "migration-room"
    assert f"{-(-2 * size // 10**6)} MB must be free" in told.value.detail
    assert f"{size // 10**6} MB are" in told.value.detail
    with sqlite3.connect(path) as raw:
        assert raw.execute("pragma user_version").fetchone() == (4,)
    raw.close()
    assert path.read_bytes()[100:] == before[100:]
    free(2 * size + 1_024)
    await (await Store.open(path.parent, DOMAIN)).close()


async def test_the_ballast_makes_room_for_a_conversion(path, free):
    size, ballast = filled(path), path.parent / "ballast"
    assert Room(path.parent).take_ballast()
    free(ballast.stat().st_size + 2 * size, ballast)
    await (await Store.open(path.parent, DOMAIN)).close()
    assert ballast.exists()
    shutil.copy(FIXTURE, path)
    filled(path)
    free(ballast.stat().st_size + size, ballast)
    await (await Store.open(path.parent, DOMAIN)).close()
    assert not ballast.exists()
