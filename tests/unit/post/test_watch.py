"""The watch over what is plugged in: every stick by itself, none of them holds up another, all of it said."""

import asyncio
import threading
import time
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from builders import Village
from posts import found, post_hub

from hubd.errors import RemoteError
from hubd.post.stick import FOLDER, Stick
from hubd.post.watch import PostWatch, Times, mounts_below

LINES = r"""23 1 8:1 / / rw - ext4 /dev/sda1 rw
41 23 8:17 / /media/pi/MY\040STICK rw,nosuid,nodev shared:5 - vfat /dev/sdb1 rw
42 23 0:40 / /media/pi/share rw - cifs //server/share rw
43 23 0:41 / /media/pi/cloud rw - fuse.sshfs x rw
44 23 8:33 / /media/pi/ntfs rw - fuseblk /dev/sdc1 rw
45 23 0:42 / /mediated rw - tmpfs x rw
46 23 0:43 / /media autofs
x y z

"""


def test_sticks_are_mounts_below_the_named_folders_and_no_network():
    found_here = mounts_below(LINES, ["/media", "/run/media"])
    assert [(mount.number, str(mount.place)) for mount in found_here] == [
        (41, "/media/pi/MY STICK"),
        (44, "/media/pi/ntfs"),
    ]


@asynccontextmanager
async def watching(directory, monkeypatch, *sticks, **bounds):
    """The watch of a hub over these places."""
    places = [directory / "media" / name for name in sticks]
    for place in places:
        place.mkdir(parents=True)
    plugged(directory, *places)
    monkeypatch.setattr("hubd.post.watch.MOUNTS", directory / "mountinfo")
    monkeypatch.setattr("hubd.post.watch.STICK_LOOK_S", 0.02)
    settings = {"post.folders": [str(directory / "media")], "post.size_mb": 1}
    village = Village(1)
    async with post_hub(directory, village, "hub-a", found(village, "hub-a")) as hub:
        yield PostWatch(hub.office, lambda _: "hub-a", settings.__getitem__, Times(**bounds))


def plugged(directory, *places, first=41):
    """What the kernel says of these places from now on."""
    lines = (f"{number} 23 8:1 / {place} rw - vfat /dev/sd rw\n" for number, place in enumerate(places, first))
    (directory / "mountinfo").write_text("".join(lines))


def told(watch):
    """(is busy, code, given) of each stick by its name."""
    return {each["place"].rpartition("/")[2]: (each["busy"], each["code"], each["given"]) for each in watch.status()}


async def watched(watch, *ready):
    """Let it run until all of this has come about, one after the other."""
    task = asyncio.create_task(watch.run())
    try:
        async with asyncio.timeout(15):
            for each in ready:
                while not each():
                    await asyncio.sleep(0.02)
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_a_stick_that_is_plugged_in_is_visited_and_said(tmp_path, monkeypatch):
    async with watching(tmp_path, monkeypatch, "STICK", again_s=0.05) as watch:
        await watched(watch, lambda: told(watch) == {"STICK": (False, "", 2)})
        assert watch.status()[0]["all"]
        receipt = tmp_path / "media" / "STICK" / FOLDER / "RECEIPT.txt"
        text = receipt.read_text()
        plugged(tmp_path)
        await watched(watch, lambda: watch.status() == [])
        assert receipt.read_text() == text


async def test_a_stick_that_cannot_be_opened_is_said_once_and_the_watch_goes_on(tmp_path, monkeypatch):
    async with watching(tmp_path, monkeypatch, again_s=0.05) as watch:
        place = tmp_path / "media" / "STICK"
        plugged(tmp_path, place)
        await watched(watch, lambda: told(watch) == {"STICK": (False, "stick", 0)})
        place.mkdir(parents=True)
        await watched(watch, lambda: told(watch) == {"STICK": (False, "", 2)})


@pytest.fixture
def hung(tmp_path, monkeypatch):
    """What was asked of the stick called SLOW, which answers when the list is cleared."""
    release, asked, real = threading.Event(), [], Stick.replace

    def hang(stick, name, raw):
        if Path(f"/proc/self/fd/{stick._folder}").samefile(tmp_path / "media" / "SLOW" / FOLDER):
            asked.append(name)
            release.wait(20)
        real(stick, name, raw)

    monkeypatch.setattr(Stick, "replace", hang)
    yield asked, release
    release.set()


async def test_a_stick_that_hangs_holds_up_no_other_one(tmp_path, monkeypatch, hung):
    asked, release = hung
    async with watching(tmp_path, monkeypatch, "SLOW", "QUICK", again_s=0.05) as watch:
        await watched(
            watch,
            lambda: asked and told(watch) == {"SLOW": (True, "", 0), "QUICK": (False, "", 2)},
        )
        release.set()


async def test_a_stick_that_hangs_is_told_and_left_alone_until_it_answers(tmp_path, monkeypatch, hung):
    asked, release = hung
    async with watching(tmp_path, monkeypatch, "SLOW", again_s=0.02, step_s=0.3) as watch:
        await watched(watch, lambda: asked and told(watch) == {"SLOW": (False, "stick-slow", 0)})
        again = asyncio.get_running_loop().time() + 0.2
        await watched(watch, lambda: asyncio.get_running_loop().time() > again)
        assert len(asked) == 1, "nobody comes again while it still blocks a thread"
        release.set()
        await watched(watch, lambda: told(watch) == {"SLOW": (False, "", 2)})


async def test_a_stick_that_gives_a_little_now_and_then_is_left_after_its_time(tmp_path, monkeypatch):
    real = Stick.free_bytes

    def slowly(stick):
        time.sleep(0.2)
        return real(stick)

    monkeypatch.setattr(Stick, "free_bytes", slowly)
    async with watching(tmp_path, monkeypatch, "SLOW", again_s=60, visit_s=0.1) as watch:
        await watched(watch, lambda: told(watch).get("SLOW") == (False, "stick-slow", 0))


async def test_hanging_sticks_that_are_pulled_and_plugged_cost_a_bounded_number_of_threads(tmp_path, monkeypatch):
    release, begun = threading.Event(), []

    def hang(place, *, may_make):
        begun.append(place)
        release.wait(20)

    monkeypatch.setattr(Stick, "open", hang)
    monkeypatch.setattr("hubd.post.watch.STICK_THREADS_MAX", 3)
    async with watching(tmp_path, monkeypatch, "SLOW", again_s=0.0, step_s=0.02) as watch:

        def is_plugged(number):
            plugged(tmp_path, tmp_path / "media" / "SLOW", first=number)
            until = asyncio.get_running_loop().time() + 0.08
            return lambda: asyncio.get_running_loop().time() > until

        try:
            for number in range(50, 60):
                await watched(watch, is_plugged(number))
            assert len(begun) == 3
        finally:
            release.set()


async def test_a_stick_that_is_mounted_twice_is_visited_once_at_a_time(tmp_path):
    place = tmp_path / "stick"
    place.mkdir()
    stick = Stick.open(place)
    with pytest.raises(RemoteError) as caught:
        Stick.open(place)
    assert caught.value.code == "stick-busy"
    stick.close()
    Stick.open(place).close()
