"""A card fills up: people are told in time, the set stops growing before anything breaks, and the ledger goes on."""

import os
from types import SimpleNamespace

import pytest
from builders import Village

from hubd.errors import LocalError
from hubd.limits import BALLAST_BYTES, DISK_PLENTY_BYTES
from hubd.ports import LedgerEntry, TransactionState
from hubd.store.actions import DATABASE_NAME, Store
from hubd.store.room import Level, Room

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


def test_no_ballast_is_laid_down_where_room_is_low(tmp_path, filled):
    filled(90)
    assert not Room(tmp_path).take_ballast()
    assert not (tmp_path / "ballast").exists()
    filled(50)
    assert Room(tmp_path).take_ballast()
    assert Room(tmp_path).drop_ballast()
    assert not Room(tmp_path).drop_ballast()
