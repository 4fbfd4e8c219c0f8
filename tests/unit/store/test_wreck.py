"""Pages of a database can't be read: what SQLite still gives to anybody is in the one that is written anew."""

import random
import sqlite3
from contextlib import closing

import pytest
from rotting import DOMAIN, VILLAGE, heads, row_with, varint, whole_file

from hubd.limits import RESCUE_BLIND_MAX
from hubd.store import rescue, wreck
from hubd.store.actions import DATABASE_NAME
from hubd.store.database import connect_damaged

PAGE_BYTES = 4_096
LEAF_OF_AN_INDEX = 10  # file format, section 1.6
FEW = 20  # keys on a page of a small table
ACTIONS = [*VILLAGE.found("hub"), *(VILLAGE.register(f"person {number}") for number in range(400))]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The bytes of a database of some tens of pages of actions."""
    return whole_file(tmp_path_factory.mktemp("pages"), ACTIONS)


@pytest.fixture
def path(tmp_path):
    return tmp_path / DATABASE_NAME


@pytest.fixture(scope="module")
def leaves(whole):
    """The pages of actions, by arrival."""
    at = {whole.index(action.header) // PAGE_BYTES: None for action in ACTIONS}
    assert len(at) > 25
    return list(at)


def index_pages(whole):
    """The pages on which indexes of actions have their keys."""
    pages = {at // PAGE_BYTES * PAGE_BYTES for at in heads(whole)}
    return sorted(at // PAGE_BYTES for at in pages if whole[at] == LEAF_OF_AN_INDEX and whole[at + 4] > FEW)


def without_pages(path, whole, pages):
    raw = bytearray(whole)
    for page in pages:
        raw[page * PAGE_BYTES : (page + 1) * PAGE_BYTES] = bytes(PAGE_BYTES)
    path.write_bytes(raw)


def read_one_by_one(path):
    """The headers that SQLite gives to whoever asks for each place."""
    found = set()
    with closing(sqlite3.connect(path)) as raw:
        for sequence in range(1, len(ACTIONS) + 1):
            try:
                found.update(raw.execute("select header from action not indexed where sequence = ?", (sequence,)))
            except sqlite3.DatabaseError:
                continue
    return {header for (header,) in found}


def rescued(path):
    before = read_one_by_one(path)
    assert 0 < len(before) < len(ACTIONS)
    rescue.rescue(path, DOMAIN)
    return before, read_one_by_one(path)


@pytest.mark.parametrize("bad", [[9], [9, 11], [9, 10, 12], [5, 6, 7, 9, 10, 12, 14, 15, 16], [0], [-1], [-3, -1]])
def test_of_pages_that_cannot_be_read_only_their_own_rows_are_lost(path, whole, leaves, bad):
    without_pages(path, whole, [leaves[each] for each in bad])
    before, after = rescued(path)
    lost = [action for action in ACTIONS if whole.index(action.header) // PAGE_BYTES in {leaves[each] for each in bad}]
    assert before <= after
    assert after == {action.header for action in ACTIONS} - {action.header for action in lost}


def test_whatever_pages_of_actions_and_of_their_indexes_are_gone_all_that_can_be_read_is_kept(path, whole, leaves):
    chance, of_indexes = random.Random(26), index_pages(whole)
    for _ in range(12):
        first = chance.randrange(len(leaves) - 12)
        bad = [leaves[first + each] for each in chance.sample(range(12), chance.choice([2, 4, 6]))]
        without_pages(path, whole, [*bad, *chance.sample(of_indexes, 2)])
        before, after = rescued(path)
        assert before <= after


def test_one_bit_makes_a_page_another_kind_of_page_and_its_neighbours_are_kept(path, whole, leaves):
    raw = bytearray(whole)
    raw[leaves[9] * PAGE_BYTES] ^= 0x80
    path.write_bytes(raw)
    before, after = rescued(path)
    assert before <= after


def a_row_that_lies(path, whole, leaves):
    """One page is gone, and the first row of the next one says that it came after all others."""
    without_pages(path, whole, [leaves[20]])
    raw = bytearray(path.read_bytes())
    cell = leaves[21] * PAGE_BYTES + int.from_bytes(raw[leaves[21] * PAGE_BYTES + 8 :][:2], "big")
    _, place = varint(raw, cell)
    sequence, end = varint(raw, place)
    assert end - place == 2, "a number of two bytes"
    raw[place] ^= 0x40
    assert varint(raw, place)[0] > len(ACTIONS) > sequence
    path.write_bytes(raw)


def test_past_a_row_that_lies_about_its_place_the_indexes_lead_on(path, whole, leaves):
    a_row_that_lies(path, whole, leaves)
    with closing(connect_damaged(path)) as old:
        walked = [row for rows in wreck.rows(old, old) for row in rows]
    assert max(row[0] for row in walked) > len(ACTIONS), "the walk ends there"
    before, after = rescued(path)
    assert before <= after
    assert len(after) > len(walked)


@pytest.mark.parametrize("bad", [[9, 11], [9, 10, 12, 14], [-3, -1]])
def test_without_any_index_no_row_before_the_last_that_can_be_read_is_passed_over(path, whole, leaves, bad):
    without_pages(path, whole, [leaves[each] for each in bad])
    before = read_one_by_one(path)
    with closing(connect_damaged(path)) as old, closing(sqlite3.connect(":memory:")) as names:
        walked = {row[2] for rows in wreck.rows(old, names) for row in rows}
    assert walked == (before if -1 not in bad else walked & before)
    assert len(walked) > len(before) // 2


def test_of_one_row_that_cannot_be_read_the_next_one_is_the_next(path, whole):
    raw = bytearray(whole)
    raw[row_with(whole, ACTIONS[200].signature).types[1]] ^= 0x80
    path.write_bytes(raw)
    with closing(connect_damaged(path)) as old, closing(sqlite3.connect(":memory:")) as names:
        walked = {row[2] for rows in wreck.rows(old, names) for row in rows}
    assert walked == {action.header for action in ACTIONS} - {ACTIONS[200].header}


def test_an_index_is_read_past_its_own_damage(path, whole):
    everything = {*range(1, len(ACTIONS) + 1)}
    for page in index_pages(whole):
        without_pages(path, whole, [page])
        on_it = whole[page * PAGE_BYTES : (page + 1) * PAGE_BYTES]
        lost = {number for number, action in enumerate(ACTIONS, 1) if action.id in on_it}
        with closing(connect_damaged(path)) as names:
            there = {place for places in wreck._named(names) for place in places}
            by_item = {
                place
                for order in ("asc", "desc")
                for places in wreck._until_damage(names, wreck._BY_ITEM.format(order))
                for place in places
            }
            sliced = {place for byte in wreck._BYTES for places in wreck._by_id(names, byte) for place in places}
        assert there == everything
        assert everything in (by_item, sliced)
        assert len(everything - lost - (by_item & sliced)) <= 2, "the keys beside it"


def test_where_nothing_is_named_the_search_ends(path, whole, leaves, monkeypatch):
    without_pages(path, whole, leaves[-1:])
    asked = []
    monkeypatch.setattr(wreck, "_last", lambda *_: asked.append(1) or 2**62)
    monkeypatch.setattr(wreck, "RESCUE_BLIND_MAX", 500)
    with closing(connect_damaged(path)) as old:
        walked = [row for rows in wreck.rows(old, old) for row in rows]
    assert len(asked) == 1
    assert 0 < len({row[0] for row in walked}) < len(ACTIONS)
    assert RESCUE_BLIND_MAX >= 10**6, "a million actions are a set that there may be"
