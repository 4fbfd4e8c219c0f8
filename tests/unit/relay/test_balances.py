"""Balances: everybody in turn, the touched first, and only news is told."""

from functools import partial

import pytest
from builders import Village

from hubd.action.clarity import NONE, ListCV, PrincipalCV, Some, TupleCV, UInt
from hubd.action.envelope import encode, parse, seal
from hubd.errors import RemoteError
from hubd.fold.anchored import balances_of
from hubd.fold.memory import beyond
from hubd.limits import ANCHORED_CONTENT_BYTES_MAX, INTEGER_MAX, RELAY_BALANCE_ROWS_MAX, RELAY_BALANCES_MAX
from hubd.relay.balances import Balances, WriteBalances, answer, question, sealed_parts
from hubd.relay.chain import Tip

VILLAGE = Village(8)
TIP = Tip(VILLAGE.network.chain_id, 900, 100, b"\x09" * 32)
PEOPLE = [VILLAGE.principal(f"person {number}") for number in range(40)]
ANA, TOMAS = PEOPLE[:2]
everybody = partial(beyond, dict.fromkeys(PEOPLE))


def test_everybody_is_asked_for_once_a_round():
    balances = Balances((None, VILLAGE.hours))
    asked = [balances.next_pairs(everybody), balances.next_pairs(everybody)]
    assert [len(pairs) for pairs in asked] == [RELAY_BALANCES_MAX, 2 * len(PEOPLE) - RELAY_BALANCES_MAX]
    assert set(asked[0] + asked[1]) == {(person, asset) for person in PEOPLE for asset in (None, VILLAGE.hours)}


def test_whom_a_transaction_touched_is_asked_for_first():
    balances = Balances((None,))
    balances.next_pairs(everybody)
    balances.touch([PEOPLE[30]])
    assert balances.next_pairs(everybody)[0] == (PEOPLE[30], None)


def test_nobody_is_asked_for_twice_in_one_call():
    balances = Balances((None,))
    balances.touch([ANA, ANA])
    assert balances.next_pairs(partial(beyond, dict.fromkeys([ANA, TOMAS]))) == ((ANA, None), (TOMAS, None))


def test_only_what_differs_from_the_set_is_told():
    balances = Balances((None,))
    pairs = [(ANA, None), (TOMAS, None)]
    [told] = balances.read(pairs, [(5, 1), (7, 0)], TIP, {(TOMAS, None): (7, 0)})
    assert told.rows == ((ANA, None, 5, 1),)


def test_the_same_news_is_told_once():
    balances = Balances((None,))
    assert balances.read([(ANA, None)], [(5, 1)], TIP, {})
    assert balances.read([(ANA, None)], [(5, 1)], TIP, {}) == []


def test_a_balance_that_came_back_is_news_again():
    balances = Balances((None,))
    known = {(ANA, None): (5, 0)}
    assert balances.read([(ANA, None)], [(5, 0)], TIP, known) == []
    assert balances.read([(ANA, None)], [(6, 0)], TIP, known)
    assert balances.read([(ANA, None)], [(5, 0)], TIP, {(ANA, None): (6, 0)})


def test_nothing_at_all_is_no_news():
    assert Balances((None,)).read([(ANA, None)], [(0, 0)], TIP, {}) == []


def test_long_news_is_told_in_several_actions():
    balances = Balances((None,))
    pairs = [(person, None) for person in PEOPLE]
    told = balances.read(pairs, [(1, 0)] * len(pairs), TIP, {})
    assert [len(request.rows) for request in told] == [RELAY_BALANCE_ROWS_MAX, len(PEOPLE) - RELAY_BALANCE_ROWS_MAX]


def test_the_question_is_what_the_vault_takes():
    expected = (
        TupleCV({"person": PrincipalCV(ANA), "asset": NONE}),
        TupleCV({"person": PrincipalCV(ANA), "asset": Some(PrincipalCV(VILLAGE.hours))}),
    )
    assert question([(ANA, None), (ANA, VILLAGE.hours)]) == ListCV(expected)


def balance(free, locked):
    return TupleCV({"free": UInt(free), "locked": UInt(locked)})


def test_the_answer_is_read_in_order():
    assert answer(ListCV((balance(1, 2), balance(3, 4))), 2) == ((1, 2), (3, 4))


@pytest.mark.parametrize(
    "value", [NONE, ListCV(()), ListCV((UInt(1),)), ListCV((balance(INTEGER_MAX + 1, 0),)), ListCV((TupleCV({}),))]
)
def test_any_other_answer_is_the_nodes_fault(value):
    with pytest.raises(RemoteError):
        answer(value, 1)


def sealed(request):
    hub = VILLAGE.signer("hub")
    statement, content = sealed_parts(request, hub.principal(VILLAGE.network), 5)
    return seal(statement, hub, VILLAGE.domain, content)


def test_the_fold_reads_what_the_relay_writes():
    action = sealed(WriteBalances(((ANA, None, 5, 1), (ANA, VILLAGE.hours, 6, 2)), TIP))
    found = balances_of(action)
    assert (found.height, found.rows) == (100, {(ANA, None): (5, 1), (ANA, VILLAGE.hours): (6, 2)})
    assert action.statement.amount == 900


def test_the_largest_statement_is_a_valid_action():
    asset = VILLAGE.hours[:21] + b"a" * 40
    rows = tuple((person[:21] + b"b" * 40, asset, INTEGER_MAX, INTEGER_MAX) for person in PEOPLE)[
        :RELAY_BALANCE_ROWS_MAX
    ]
    action = sealed(WriteBalances(rows, TIP))
    assert len(action.content) <= ANCHORED_CONTENT_BYTES_MAX
    assert parse(encode(action), VILLAGE.domain) == action
