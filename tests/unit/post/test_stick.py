"""A stick may hold anything. We touch our folder and nothing else, and nothing on it holds us up."""

import errno
import os
import socket
import threading
from pathlib import Path

import pytest

from hubd.limits import STICK_FILES_MAX
from hubd.post import stick as sticks
from hubd.post.stick import FOLDER, Stick

NAME = "0123456789abcdef.post"


@pytest.fixture
def stick(tmp_path):
    opened = Stick.open(tmp_path)
    assert opened is not None
    yield opened
    opened.close()


def test_an_empty_stick_needs_no_preparation(tmp_path):
    (tmp_path / "System Volume Information").mkdir()
    (tmp_path / ".Trashes").mkdir()
    opened = Stick.open(tmp_path)
    assert opened is not None
    opened.close()
    assert (tmp_path / FOLDER).is_dir()


def test_a_stick_with_somebodys_files_is_left_alone_until_it_is_meant(tmp_path):
    (tmp_path / "holiday.jpg").write_bytes(b"sea")
    assert Stick.open(tmp_path) is None
    assert [each.name for each in tmp_path.iterdir()] == ["holiday.jpg"]
    (tmp_path / "HUBD").touch()
    opened = Stick.open(tmp_path)
    assert opened is not None
    opened.close()
    assert (tmp_path / "holiday.jpg").read_bytes() == b"sea"


def test_a_place_that_is_no_stick_gets_no_folder(tmp_path):
    assert Stick.open(tmp_path, may_make=False) is None
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_link_is_not_followed(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "stick").mkdir()
    (tmp_path / "stick" / FOLDER).symlink_to(tmp_path / "elsewhere")
    assert Stick.open(tmp_path / "stick") is None


def strange_files(folder):
    """What a hostile stick can put where a bundle is expected."""
    outside = folder.parent / "outside"
    outside.write_bytes(b"secret")
    pipe, link, device = folder / ("1" * 16 + ".post"), folder / ("2" * 16 + ".post"), folder / ("3" * 16 + ".receipt")
    os.mkfifo(pipe)
    link.symlink_to(outside)
    device.symlink_to("/dev/zero")
    (folder / ("4" * 16 + ".post")).mkdir()
    served = socket.socket(socket.AF_UNIX)
    served.bind(os.path.relpath(folder / ("5" * 16 + ".post")))
    served.close()
    return outside, [str(number) * 16 + (".receipt" if number == 3 else ".post") for number in range(1, 6)]


def test_links_pipes_devices_and_folders_are_neither_listed_read_nor_written(stick, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outside, names = strange_files(tmp_path / FOLDER)
    assert stick.files() == {}
    for name in names:
        for use in (lambda: stick.read(name, 0, 10), lambda: stick.append(name, 0, b"x"), lambda: stick.sync(name)):  # noqa: B023
            ended = in_time(use)
            assert isinstance(ended, OSError), (name, ended)
    assert outside.read_bytes() == b"secret"


def in_time(work):
    """What work returned or raised; it must not block."""
    ended = []

    def run():
        try:
            ended.append(work())
        except OSError as error:
            ended.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(5)
    assert ended, "it blocks"
    return ended[0]


def test_whatever_has_our_name_gives_way_and_what_it_points_to_stays(stick, tmp_path):
    outside = tmp_path / "outside"
    outside.write_bytes(b"secret")
    for name in (NAME, "RECEIPT.txt", "RECEIPT.txt.new"):
        (tmp_path / FOLDER / name).symlink_to(outside)
    stick.begin(NAME)
    stick.append(NAME, 0, b"post")
    stick.replace("RECEIPT.txt", b"words")
    assert outside.read_bytes() == b"secret"
    assert (tmp_path / FOLDER / NAME).read_bytes() == b"post"
    assert (tmp_path / FOLDER / "RECEIPT.txt").read_bytes() == b"words"


def test_names_made_to_harm_are_not_looked_at(stick, tmp_path):
    for name in (
        "a\nb.post",
        "\x1b[31m.post",
        "..post",
        "x" * 200 + ".post",
        NAME.upper(),
        NAME + ".new",
        "\udcff.post",
    ):
        (tmp_path / FOLDER / name).write_bytes(b"x")
    (tmp_path / FOLDER / NAME).write_bytes(b"x")
    assert list(stick.files()) == [NAME]


def test_thousands_of_files_cost_a_bounded_look(stick, tmp_path):
    for number in range(STICK_FILES_MAX + 50):
        (tmp_path / FOLDER / f"{number:016x}.post").touch()
    assert len(stick.files()) == STICK_FILES_MAX


def test_a_file_without_end_is_read_up_to_a_bound(stick, tmp_path, monkeypatch):
    monkeypatch.setattr(sticks, "BUNDLE_BYTES_MAX", 1000)
    with (tmp_path / FOLDER / NAME).open("wb") as file:
        file.truncate(1 << 40)
    at = 0
    while piece := stick.read(NAME, at, 300):
        at += len(piece)
    assert at == 1200


def test_what_stood_behind_is_cut_off_when_a_file_goes_on(stick, tmp_path):
    stick.begin(NAME)
    assert stick.append(NAME, 0, b"whole torn tail") == 15
    assert stick.append(NAME, 5, b" again") == 11
    stick.sync(NAME)
    assert (tmp_path / FOLDER / NAME).read_bytes() == b"whole again"


def test_some_room_is_left_to_the_owner(stick, monkeypatch):
    class Space:
        f_flag, f_bavail, f_frsize = 0, 10, 1024

    monkeypatch.setattr(sticks.os, "fstatvfs", lambda _: Space)
    assert stick.free_bytes() == 0
    Space.f_bavail = 2048
    assert stick.free_bytes() == 1024 * 1024
    Space.f_flag = os.ST_RDONLY
    with pytest.raises(OSError) as refused:
        stick.free_bytes()
    assert refused.value.errno == errno.EROFS


def test_what_cannot_be_replaced_leaves_nothing_beside_it(stick, monkeypatch, tmp_path):
    stick.replace("a", b"first")
    with monkeypatch.context() as patch:
        patch.setattr(sticks, "_write_all", broken)
        with pytest.raises(OSError):
            stick.replace("a", b"second")
    assert [(path.name, path.read_bytes()) for path in (tmp_path / FOLDER).iterdir()] == [("a", b"first")]
    stick.overwrite("a", b"2nd")
    assert stick.read("a", 0, 9) == b"2nd"
    stick.remove("a")
    stick.remove("a")
    assert list((tmp_path / FOLDER).iterdir()) == []


def broken(*_of):
    raise OSError(errno.ENOSPC, "no room")


def test_a_place_that_is_gone_is_an_ordinary_error(tmp_path):
    with pytest.raises(OSError):
        Stick.open(Path(tmp_path / "gone"))
