"""A card fills up: people are told in time, the set stops growing before anything breaks, and the ledger goes on."""

import os
from types import SimpleNamespace

import pytest
from builders import Village

from hubd.errors import LocalError
from hubd.limits import BALLAST_BYTES, DISK_PLENTY_BYTES
from hubd.ports import LedgerEntry, TransactionState
from hubd.store.actions import DATABASE_NAME, Store
from hubd.store.room import KEPT_NAME, Level, Room

VILLAGE = Village(seed=3)
ANA, TOMAS = VILLAGE.register("ana"), VILLAGE.register("tomas")
BLOCKS, BLOCK_BYTES = 100_000, 4_096  # a card of 400 MB


@pytest.fixture
def filled(monkeypatch):
    """Injects how full the partition is, in percent."""

    def fill(percent, blocks=BLOCKS):
        space = SimpleNamespace(f_blocks=blocks, f_bavail=blocks * (100 - percent) // 100, f_frsize=BLOCK_BYTES)
        monkeypatch.setattr(os, "statvfs", lambda _: space)

    return fill


@pytest.mark.parametrize(
    ("percent", "level"),
    [
        (0, "plenty"),
        (89, "plenty"),
        (90, "low"),
        (94, "low"),
        (95, "short"),
        (97, "short"),
        (98, "full"),
        (100, "full"),
    ],
)
def test_each_watermark_has_its_name(tmp_path, filled, percent, level):
    filled(percent)
    assert Room(tmp_path).level == level


def test_a_large_disk_is_not_called_full_while_gigabytes_are_free(tmp_path, filled):
    filled(99, blocks=200 * DISK_PLENTY_BYTES // BLOCK_BYTES)
    assert Room(tmp_path).level is Level.PLENTY


async def test_a_card_above_the_last_watermark_takes_no_action_and_still_the_ledger(tmp_path, filled):
    store = await Store.open(tmp_path, VILLAGE.charter.domain)
    await store.append([ANA])
    filled(98)
    with pytest.raises(LocalError) as full:
        await store.append([TOMAS])
    assert full.value.code == "disk-full"
    await store.ledger().record(LedgerEntry(b"t" * 32, 1, 500, b"", "gap", (), TransactionState.SIGNED, 9))
    assert [found for _, found in await store.page(0, 9)] == [ANA]
    filled(97)
    assert await store.append([TOMAS]) == [TOMAS]
    await store.close()


async def test_the_ballast_goes_when_the_card_is_full_after_all(tmp_path):
    store = await Store.open(tmp_path, VILLAGE.charter.domain)
    assert store.room.take_ballast()
    assert (tmp_path / "ballast").stat().st_blocks * 512 >= BALLAST_BYTES
    [(pages,)] = await store.database.read("pragma page_count")
    await store.change(lambda writer: writer.execute(f"pragma max_page_count = {pages}"))
    big = [VILLAGE.seal("ana", "offer-set", text={"note": "x" * 12_000}) for _ in range(9)]
    with pytest.raises(LocalError):
        await store.append(big)
    assert not (tmp_path / "ballast").exists()
    assert (tmp_path / DATABASE_NAME).exists()
    await store.close()


def test_a_damaged_database_that_is_kept_goes_before_anything_is_refused(tmp_path, filled):
    room, kept = Room(tmp_path), tmp_path / KEPT_NAME
    for percent, stays in ((89, True), (90, False), (98, False)):
        kept.touch()
        filled(percent)
        assert room.relieved() is room.level
        assert kept.exists() == stays
    kept.touch()
    with pytest.raises(LocalError, match="disk-full"):
        room.check()
    assert not kept.exists()


def test_what_only_the_kept_database_took_up_is_free_at_once(tmp_path, monkeypatch):
    room, kept = Room(tmp_path), tmp_path / KEPT_NAME
    monkeypatch.setattr(Room, "level", property(lambda _: Level.FULL if kept.exists() else Level.PLENTY))
    for ask in (room.check, room.relieved, room.take_ballast):
        kept.touch()
        assert ask() in (None, Level.PLENTY, True)


def test_for_room_that_is_needed_the_kept_database_goes_before_the_ballast_and_no_more_than_has_to(
    tmp_path, monkeypatch
):
    room, held = Room(tmp_path), {tmp_path / KEPT_NAME: 10, tmp_path / "ballast": 5}
    monkeypatch.setattr(Room, "free_bytes", property(lambda _: 3 + sum(held[p] for p in held if not p.exists())))
    for needed, is_free, left in (
        (3, True, 2),
        (4, True, 1),
        (13, True, 1),
        (14, True, 0),
        (18, True, 0),
        (19, False, 0),
    ):
        for path in held:
            path.touch()
        assert (room.make(needed), sum(path.exists() for path in held)) == (is_free, left)


def test_no_ballast_is_laid_down_where_room_is_low(tmp_path, filled):
    filled(90)
    assert not Room(tmp_path).take_ballast()
    assert not (tmp_path / "ballast").exists()
    filled(50)
    assert Room(tmp_path).take_ballast()
    assert Room(tmp_path).drop_ballast()
    assert not Room(tmp_path).drop_ballast()
