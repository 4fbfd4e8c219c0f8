"""What the clock's machine is told on a real system, and what is kept over a restart."""

import asyncio

import pytest
import structlog

from hubd import timekeeper
from hubd.timekeeper import Timekeeper, is_synchronised, keep_mark, read_mark

T = 1_767_225_600


@pytest.fixture
def served(monkeypatch):
    """Whether time servers keep the clock, which shows T."""
    answers = [False]
    monkeypatch.setattr(timekeeper, "is_synchronised", lambda: answers[-1])
    monkeypatch.setattr("time.time", lambda: T)
    return answers


def made(directory, chain_s=None):
    return Timekeeper(directory, 0, lambda: chain_s, lambda key: key)


def test_the_system_is_asked_and_its_clock_left_alone():
    assert is_synchronised() in (True, False)


def test_a_mark_is_read_as_it_was_kept_and_any_flipped_bit_makes_it_none(tmp_path):
    path = tmp_path / "clock"
    assert read_mark(path) == 0
    keep_mark(path, T)
    keep_mark(path, T + 3_600)
    assert read_mark(path) == T + 3_600
    whole = path.read_bytes()
    for bit in range(8 * len(whole)):
        rotten = bytearray(whole)
        rotten[bit // 8] ^= 1 << bit % 8
        path.write_bytes(rotten)
        assert read_mark(path) in (0, T + 3_600)
    assert [each.name for each in tmp_path.iterdir()] == ["clock"]


async def test_a_clock_that_went_back_over_a_restart_is_called_wrong(tmp_path, served, monkeypatch):
    served.append(True)
    await made(tmp_path).look()
    served.append(False)
    monkeypatch.setattr("time.time", lambda: 0)
    with structlog.testing.capture_logs() as logs:
        again = made(tmp_path)
        await again.look()
        await again.look()
    said = {"event": "clock-judged", "log_level": "warning", "service": "clock"}
    assert logs == [{**said, "state": "behind", "detail": "mark", "delay_s": T}]
    assert again.status() == {"time_s": 0, "state": "behind", "by": "mark", "off_s": T, "age_s": None}


async def test_a_card_that_takes_no_mark_stops_nothing(tmp_path, served):
    served.append(True)
    (tmp_path / "clock.new").mkdir()
    keeper = made(tmp_path)
    await keeper.look()
    assert keeper.status()["state"] == "confirmed"


async def test_a_status_says_what_a_hub_that_does_not_run_would_find_and_writes_nothing(tmp_path, served):
    served.append(True)
    assert made(tmp_path).status()["by"] == "ntp"
    served.append(False)
    assert made(tmp_path, chain_s=T + 86_400).status()["by"] == "chain"
    assert list(tmp_path.iterdir()) == []


async def test_a_running_hub_looks_by_itself(tmp_path, served):
    served.append(True)
    running = asyncio.create_task(made(tmp_path).run())
    async with asyncio.timeout(5):
        while not (tmp_path / "clock").exists():
            await asyncio.sleep(0.01)
    running.cancel()
    assert read_mark(tmp_path / "clock") == T
