"""From actions to one contract call, and back to one code an action."""

import itertools

import pytest
from builders import Village
from hypothesis import given
from hypothesis import strategies as st
from relay_twin import place_at, venue_of

from hubd.action.clarity import Ascii, Buff, Err, ListCV, Ok, PrincipalCV, TupleCV, UInt, decode, encode
from hubd.action.kinds import KINDS
from hubd.action.principal import contract
from hubd.errors import RemoteError
from hubd.limits import INTEGER_MAX
from hubd.relay.batch import (
    _ORDER,
    Candidate,
    build,
    choose,
    codes_of,
    contents,
    has_venue,
    in_causal_order,
    is_carried,
    results,
)
from hubd.relay.chain import Seen, Standing
from hubd.relay.codes import ABORTED
from hubd.relay.tx import Call, Compare, PostCondition, Token, Transaction, proven, sign

VILLAGE = Village(4)
VENUE = venue_of(VILLAGE)
PEOPLE = [VILLAGE.register("ana"), VILLAGE.register("tomas")]
LESSON = VILLAGE.thread("ana", "tomas")
OTHER_TOKEN = contract(VILLAGE.principal("someone"), "other-token")


def chosen(actions, actions_max=50, crowd_max=100):
    return list(choose([Candidate(action, crowd_max) for action in actions], actions_max))


def needs(action):
    """What must stand before an action, by the contracts' own rules."""
    before = {"lesson-confirm": 1, "lesson-attend": 2, "lesson-complete": 4, "rating-seal": 4, "rating-open": 6}
    return [*PEOPLE, *LESSON.actions[: before.get(action.kind, 0)]]


@given(st.permutations([*PEOPLE, *LESSON.actions]))
def test_what_an_action_needs_stands_before_it_in_whatever_order_they_came(actions):
    ordered = chosen(actions)
    assert len(ordered) == len(actions)
    for action in LESSON.actions:
        kinds_before = [other.kind for other in ordered[: ordered.index(action)]]
        for needed in needs(action):
            assert needed.kind in kinds_before


def test_the_relay_carries_exactly_the_kinds_that_a_contract_executes():
    assert set(_ORDER) == {kind.name for kind in KINDS.values() if kind.contract}
    assert len(_ORDER) == len(set(_ORDER))


def test_what_is_withdrawn_finds_its_withdrawal_done():
    voids = [
        VILLAGE.seal("ana", "action-void", subject=LESSON.book),
        VILLAGE.seal("ana", "action-void", subject=b"v" * 32),
    ]
    for actions in itertools.permutations([LESSON.book, *voids]):
        ordered = [candidate.action for candidate in in_causal_order(map(Candidate, actions))]
        assert ordered[2] is LESSON.book


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("key-accept", "key-revoke"),  # a revoked key is one first
        ("recovery-cancel", "recovery-finish"),  # the veto wins
        ("escrow-lock", "lesson-book"),  # a booking draws on an earmark
        ("escrow-lock", "class-attend"),  # a pool pays from what it was given
        ("lesson-complete", "lesson-cancel"),  # what both said, before what one says
        ("lesson-cancel", "dispute-open"),  # who gives back has nothing to quarrel about
        ("dispute-open", "lesson-claim"),  # a person's word before that of time
        ("escrow-return", "escrow-withdraw"),
    ],
)
def test_of_two_kinds_the_one_that_should_win_stands_first(first, then):
    assert _ORDER.index(first) < _ORDER.index(then)


def test_an_attendance_that_names_another_stands_behind_it_in_every_order():
    book, (first, second) = LESSON.book, LESSON.attends
    for actions in itertools.permutations([book, first, second]):
        ordered = [candidate.action for candidate in in_causal_order(map(Candidate, actions))]
        assert ordered.index(second) > ordered.index(first) > ordered.index(book)


def test_the_same_actions_make_the_same_batch():
    actions = [*PEOPLE, *LESSON.actions]
    assert build(chosen(actions), VENUE) == build(chosen(reversed(actions)), VENUE)


def test_a_batch_holds_no_more_than_it_may():
    assert len(chosen([*PEOPLE, *LESSON.actions], actions_max=3)) == 3
    assert len(chosen([*PEOPLE, *LESSON.actions], crowd_max=1)) == 1


def test_one_action_that_must_travel_alone_ends_the_group_before_it():
    crowds = [Candidate(PEOPLE[0]), Candidate(PEOPLE[1]), Candidate(LESSON.book, 1), Candidate(LESSON.confirm)]
    assert set(choose(crowds, 50)) == set(PEOPLE)
    assert choose(crowds[2:], 50) == (LESSON.book,)


def test_withdrawals_travel_after_everything_else_and_asset_by_asset():
    hours, more, stx = VILLAGE.withdraw("tomas", 5), VILLAGE.withdraw("ana", 7), VILLAGE.withdraw("ana", 9, asset=None)
    left = [stx, hours, *LESSON.actions, more]
    lanes = []
    while left:
        group = chosen(left)
        lanes.append(set(group))
        left = [action for action in left if action not in group]
    assert lanes[0] == set(LESSON.actions)
    assert sorted(lanes[1:], key=len) == [{stx}, {hours, more}]


def test_a_batch_that_moves_nothing_has_no_condition():
    batch = build(LESSON.actions, VENUE)
    assert (batch.conditions, batch.call.function, batch.call.contract) == ((), "submit-batch", VENUE.gateway)
    assert batch.ids == tuple(action.id for action in LESSON.actions)


def test_a_batch_without_actions_is_a_call_with_an_empty_list():
    assert build((), VENUE).call.arguments == (encode(ListCV(())),)


def test_stx_leaves_the_vault_up_to_the_sum_and_no_further():
    batch = build([VILLAGE.withdraw("ana", 9, asset=None), VILLAGE.withdraw("tomas", 4, asset=None)], VENUE)
    assert batch.conditions == (PostCondition(VENUE.escrow, Compare.AT_MOST, 13),)
    assert batch.call.function == "submit-batch"


def test_a_token_leaves_with_its_own_contract_at_hand():
    batch = build([VILLAGE.withdraw("ana", 9)], VENUE)
    token = Token(VILLAGE.hours, "hour-credit")
    assert batch.conditions == (PostCondition(VENUE.escrow, Compare.AT_MOST, 9, token),)
    assert batch.call.function == "submit-token-batch"
    assert decode(batch.call.arguments[0]) == PrincipalCV(VILLAGE.hours)


def test_sums_beyond_the_wire_are_cut_to_what_it_can_say():
    huge = [VILLAGE.withdraw("ana", INTEGER_MAX, asset=None) for _ in range(3)]
    assert build(huge, VENUE).conditions[0].amount == 2**64 - 1


def test_the_list_holds_signature_and_statement_of_each_action():
    [argument] = build(LESSON.actions, VENUE).call.arguments
    for action, item in zip(LESSON.actions, decode(argument).items, strict=True):
        assert item.entries["signature"] == Buff(action.signature)
        assert encode(item.entries["statement"]) == action.statement.clarity()


def test_mixed_lanes_are_a_programmers_error():
    with pytest.raises(AssertionError, match="withdrawals travel apart"):
        build([LESSON.book, VILLAGE.withdraw("ana", 9)], VENUE)


def test_only_kinds_that_the_gateway_knows_are_carried():
    assert is_carried(LESSON.book)
    assert not is_carried(VILLAGE.vouch("tomas", "ana"))
    assert not is_carried(VILLAGE.seal("ana", "a-kind-of-tomorrow"))


def test_an_action_that_breaks_its_columns_is_not_carried():
    assert not is_carried(VILLAGE.seal("ana", "lesson-complete"))


def test_a_token_without_an_asset_name_waits_and_everything_else_goes():
    assert has_venue(VILLAGE.withdraw("ana", 9), VENUE.tokens)
    assert not has_venue(VILLAGE.withdraw("ana", 9, asset=OTHER_TOKEN), VENUE.tokens)
    assert has_venue(VILLAGE.withdraw("ana", 9, asset=None), {})
    assert has_venue(LESSON.book, {})


def result(*items):
    return encode(Ok(ListCV(tuple(TupleCV({"id": Buff(id_), "code": UInt(code)}) for id_, code in items))))


def test_results_come_back_as_they_were_given():
    assert results(result((b"\x01" * 32, 0), (b"\x02" * 32, 601))) == ((b"\x01" * 32, 0), (b"\x02" * 32, 601))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        encode(Err(UInt(1))),
        encode(Ok(UInt(1))),
        encode(Ok(ListCV((UInt(1),)))),
        encode(Ok(ListCV((TupleCV({"id": Buff(b"short"), "code": UInt(0)}),)))),
        encode(Ok(ListCV((TupleCV({"id": Ascii("x"), "code": UInt(0)}),)))),
        result((b"\x01" * 32, INTEGER_MAX + 1)),
        result(*((bytes([number]) * 32, 0) for number in range(201))),
    ],
)
def test_any_other_value_is_no_result(raw):
    with pytest.raises(RemoteError):
        results(raw)


def test_an_aborted_transaction_blames_its_action_only_where_there_is_one():
    aborted = Seen(Standing.ABORTED, place_at(1))
    assert codes_of(aborted, [LESSON.book.id]) == ((LESSON.book.id, ABORTED),)
    assert codes_of(aborted, [LESSON.book.id, LESSON.confirm.id]) == ()
    assert codes_of(Seen(Standing.SKIPPED, place_at(1)), [LESSON.book.id]) == ()


def test_a_result_that_cannot_be_read_says_nothing_of_any_action():
    assert codes_of(Seen(Standing.SUCCESS, place_at(1), b"\xff"), [LESSON.book.id]) == ()


# --- what was signed, read again

WALLET = VILLAGE.signer("wallet")
BATCHES = {
    "nothing": [],
    "lesson": [*PEOPLE, *LESSON.actions],
    "ustx": [VILLAGE.withdraw("tomas", 5, asset=None), VILLAGE.withdraw("ana", 7, asset=None)],
    "hours": [VILLAGE.withdraw("tomas", 5)],
}


def signed(actions, fee_ustx=3_000):
    batch = build(actions, VENUE)
    return sign(Transaction(batch.call, 7, fee_ustx, conditions=batch.conditions), WALLET, VILLAGE.network), batch


@pytest.mark.parametrize("name", BATCHES)
def test_a_signed_batch_says_itself_what_it_was(name):
    made, batch = signed(BATCHES[name])
    own = proven(made.raw, WALLET, VILLAGE.network)
    assert (own.signed, own.account_nonce, own.fee_ustx) == (made, 7, 3_000)
    assert contents(made.raw, VENUE.gateway, VILLAGE.domain) == (batch.call.function, batch.ids)


def test_bytes_with_another_bit_or_of_another_wallet_or_cut_off_prove_nothing():
    made, _ = signed(PEOPLE)
    for at in range(0, 8 * len(made.raw), 5):
        changed = bytearray(made.raw)
        changed[at // 8] ^= 1 << at % 8
        assert proven(bytes(changed), WALLET, VILLAGE.network) is None
    assert proven(made.raw, VILLAGE.signer("thief"), VILLAGE.network) is None
    for length in range(len(made.raw)):
        assert proven(made.raw[:length], WALLET, VILLAGE.network) is None


@pytest.mark.parametrize("call", [Call(VENUE.escrow, "submit-batch"), Call(VENUE.gateway, "other", (encode(UInt(1)),))])
def test_a_call_that_is_no_batch_says_so(call):
    made = sign(Transaction(call, 7, 3_000), WALLET, VILLAGE.network)
    with pytest.raises(RemoteError, match="transaction"):
        contents(made.raw, VENUE.gateway, VILLAGE.domain)
