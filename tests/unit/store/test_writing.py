"""What one transaction does to the rows: known ones are passed over, places are never given twice."""

import re
from importlib import import_module
from itertools import permutations
from pathlib import Path

import pytest

import hubd
from hubd.action import content, envelope
from hubd.action.network import TESTNET
from hubd.action.principal import contract
from hubd.action.signature import Signer
from hubd.action.sip018 import Domain
from hubd.action.statement import Statement
from hubd.store import writing
from hubd.store.actions import Store
from hubd.store.aside import set_aside

SIGNER = Signer(b"\x05" * 32)
DOMAIN = Domain(TESTNET, contract(SIGNER.principal(TESTNET), "access"))


def action(number, kind="vouch-give", body=None):
    statement = Statement(kind, SIGNER.principal(TESTNET), number, number + 9, number.to_bytes(8, "big"))
    return envelope.seal(statement, SIGNER, DOMAIN, body)


@pytest.fixture
async def store(tmp_path):
    opened = await Store.open(tmp_path, DOMAIN)
    yield opened
    await opened.close()


@pytest.mark.parametrize("order", list(permutations((1, 2, 3, 4))))
async def test_of_known_and_new_ones_in_any_order_the_new_ones_arrive_in_that_order(store, order):
    known = [action(2), action(3)]
    await store.append(known)
    new = [action(number) for number in order if number not in (2, 3)]
    assert await store.append([action(number) for number in order]) == new
    assert [found for _, found in await store.page(0, 9)] == known + new
    assert (await store.summary()).count == 4


async def test_what_two_peers_offer_at_once_came_from_the_first_with_the_content_of_the_second(store):
    whole = action(1, "offer-set", content.seal_content({}, bytes(16)))
    offers = [([envelope.without_content(whole)], b"first"), ([whole], b"second")]
    await store.change(lambda connection: writing.append(connection, offers, {}))
    assert await store.page_for(b"second", 0, 9, 9) == ([(1, whole)], 9)
    assert await store.page_for(b"first", 0, 9, 9) == ([], 9)


async def test_actions_that_are_all_known_write_nothing(store):
    actions = [action(number) for number in range(9)]
    await store.append(actions)
    before = await store.database.read("pragma data_version")
    assert await store.append(actions) == []
    assert await store.database.read("pragma data_version") == before
    await store.append([action(9)])
    assert await store.database.read("pragma data_version") != before


@pytest.mark.parametrize("gone", [(3,), (2, 3), (1, 2, 3), (2,)])
async def test_the_place_of_an_action_that_left_is_never_given_again(store, gone):
    await store.append([action(1), action(2), action(3)])
    await store.change(lambda connection: set_aside(connection, gone))
    await store.append([action(4)])
    assert (await store.page(0, 9))[-1] == (4, action(4))


@pytest.mark.parametrize(
    "rot", ["delete from meta where key = 'left'", "update meta set value = 'x' where key = 'left'"]
)
async def test_a_set_whose_highest_place_rotted_still_grows_and_gives_no_later_place_again(store, rot):
    await store.append([action(1), action(2)])
    await store.change(lambda connection: connection.execute(rot))
    assert await store.append([action(3)]) == [action(3)]
    await store.change(lambda connection: set_aside(connection, [3]))
    await store.append([action(4)])
    assert [place for place, _ in await store.page(0, 9)] == [1, 2, 4]


def asked_for():
    """The kinds that each caller of `page_of_kinds` names, by caller."""
    folder = Path(hubd.__file__).parent
    for path in sorted(folder.rglob("*.py")):
        for name in re.findall(r"\.page_of_kinds\((?:tuple\()?(\w+)", path.read_text("utf-8")):
            parts = path.relative_to(folder.parent).with_suffix("").parts
            yield parts[-1], getattr(import_module(".".join(parts)), name)


async def test_every_kind_that_anybody_asks_for_has_an_index_and_is_found_in_it(store):
    body, callers = content.seal_content({}, bytes(16)), dict(asked_for())
    assert {"folding", "gathering", "office"} <= callers.keys()
    asked = sorted({kind for kinds in callers.values() for kind in kinds})
    actions = [action(number, kind, body) for number, kind in enumerate((*asked, "vouch-give"), 1)]
    await store.append(actions)
    assert [found for _, found in await store.page_of_kinds(asked, 0, 99)] == actions[:-1]
    sql = f"explain query plan select sequence from action where kind in (?, ?) and {writing.BY_KIND}"
    [(*_, plan)] = await store.database.read(sql, asked[:2])
    assert "INDEX action_by_kind" in plan


async def test_whoever_asks_for_a_kind_without_an_index_is_refused_and_not_told_that_there_are_none(store):
    with pytest.raises(AssertionError, match="vouch-give"):
        await store.page_of_kinds(("safety-post", "vouch-give"), 0, 9)
