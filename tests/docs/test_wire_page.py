"""docs/wire.md says what the frames are: the code's table and the page's are one."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from hubd.gossip import wire

PAGE = (Path(__file__).parents[2] / "docs" / "wire.md").read_text("utf-8")
ROWS = re.findall(r"^\| (\d+) \| (\w+) \| ([\w, ]*)\| .+ \|$", PAGE, re.MULTILINE)


def test_the_page_lists_every_frame_and_no_other():
    assert [int(number) for number, _, _ in ROWS] == sorted(wire._FRAMES)


@pytest.mark.parametrize(("number", "name", "listed"), ROWS, ids=[name for _, name, _ in ROWS])
def test_each_frame_has_the_fields_of_the_page_in_its_order(number, name, listed):
    frame, _ = wire._FRAMES[int(number)]
    assert frame.__name__ == name
    assert [field.name for field in fields(frame)] == [word for word in listed.replace(" ", "").split(",") if word]


def test_every_field_is_explained():
    explained = set(re.findall(r"^\| (\w+) \| .+ \| .*\|$", PAGE, re.MULTILINE))
    for frame, _ in wire._FRAMES.values():
        assert {field.name for field in fields(frame)} <= explained


@pytest.mark.parametrize(
    ("frame", "shown"),
    [(wire.Ping(), "810a"), (wire.Took(3, 2), "83050302"), (wire.Fault("order"), "820b656f72646572")],
)
def test_the_examples_of_the_page_are_the_bytes_of_the_code(frame, shown):
    assert f"`{shown}`" in PAGE
    assert wire.encode(frame).hex() == shown


def test_a_done_frame_begins_as_the_page_shows():
    raw = wire.encode(wire.Done(1, 7, bytes(range(32)), wire.Place(9, bytes(8))))
    assert raw == bytes.fromhex("86070107" + "5820") + bytes(range(32)) + bytes.fromhex("820948") + bytes(9)
    assert "`86070107`, then `5820` and the fingerprint, then `820948`, the mark and `00`" in PAGE
