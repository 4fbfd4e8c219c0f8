"""What one transaction does to the rows: known ones are passed over, places are never given twice."""

from itertools import permutations

import pytest

from hubd.action import content, envelope
from hubd.action.network import TESTNET
from hubd.action.principal import contract
from hubd.action.signature import Signer
from hubd.action.sip018 import Domain
from hubd.action.statement import Statement
from hubd.fold.membership import MEMBER_KINDS
from hubd.post.office import URGENT_KINDS
from hubd.store import writing
from hubd.store.actions import Store

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
    await store.change(lambda connection: writing.set_aside(connection, gone))
    await store.append([action(4)])
    assert (await store.page(0, 9))[-1] == (4, action(4))


async def test_every_kind_that_is_asked_for_has_an_index_and_is_found_in_it(store):
    body = content.seal_content({}, bytes(16))
    asked = sorted({*MEMBER_KINDS, *URGENT_KINDS})
    actions = [action(number, kind, body) for number, kind in enumerate((*asked, "vouch-give"), 1)]
    await store.append(actions)
    assert [found for _, found in await store.page_of_kinds(asked, 0, 99)] == actions[:-1]
    sql = f"explain query plan select sequence from action where kind in (?, ?) and {writing.BY_KIND}"
    [(*_, plan)] = await store.database.read(sql, asked[:2])
    assert "INDEX action_by_kind" in plan
