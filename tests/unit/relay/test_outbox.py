"""The outbox: what is signed when, and who goes first. The twin chain answers; `tests/property` has the chaos."""

from outboxes import LESSON, PEOPLE, VILLAGE, many, states, uplink_with
from relay_twin import TERMS, venue_of

from hubd.limits import RELAY_FEE_USTX_MIN, RELAY_IN_FLIGHT_MAX, RELAY_NEWCOMER_ACTIONS_MAX, RELAY_NEWCOMERS_PERCENT_MAX
from hubd.relay import events as ev
from hubd.relay.chain import Account
from hubd.relay.outbox import Outbox
from hubd.relay.packing import Terms

# --- signing


def test_what_waits_travels_together_and_is_done_when_it_was_mined():
    uplink = uplink_with([*PEOPLE, *LESSON.actions])
    uplink.tick()
    [entry] = uplink.ledger.values()
    assert set(entry.ids) == {action.id for action in [*PEOPLE, *LESSON.actions]}
    uplink.chain.mine()
    uplink.tick()
    assert (states(uplink), len(uplink.outbox.queue), uplink.outbox.slots.open) == (["included"], 0, {})


def test_actions_are_gathered_before_a_batch_leaves():
    uplink = uplink_with(PEOPLE, Terms(gather_s=30))
    uplink.tick(29)
    assert not uplink.ledger
    uplink.tick(1)
    assert len(uplink.ledger) == 1


def test_nothing_is_signed_before_a_node_told_the_account_nonce():
    outbox = Outbox(venue_of(VILLAGE), TERMS)
    outbox.handle(ev.ActionsAppended(tuple(PEOPLE)), 0)
    assert outbox.handle(ev.TimerFired(0), 1) == []


def test_at_most_so_many_account_nonces_are_open_at_once():
    uplink = uplink_with(many(10), Terms(actions_max=1, gather_s=0))
    uplink.tick()
    uplink.tick()
    assert sorted(uplink.outbox.slots.open) == list(range(RELAY_IN_FLIGHT_MAX))


def test_the_fee_follows_the_size_and_never_falls_below_the_floor():
    small, large = uplink_with(PEOPLE[:1]), uplink_with(many(40))
    small.tick()
    large.tick()
    [entry] = small.ledger.values()
    assert entry.fee_ustx == RELAY_FEE_USTX_MIN
    [entry] = large.ledger.values()
    assert entry.fee_ustx > 2 * 400 * 40


def test_a_spent_budget_stops_signing_and_says_so():
    outbox = Outbox(venue_of(VILLAGE), Terms(gather_s=0, fees_day_ustx_max=RELAY_FEE_USTX_MIN + 10))
    outbox.handle(ev.AccountSeen(Account(0, 10**9)), 0)
    outbox.handle(ev.ActionsAppended((PEOPLE[0],)), 0)
    assert outbox.handle(ev.TimerFired(11), 1) == []
    assert outbox.packing.trouble == "fees-day"
    [request] = outbox.handle(ev.TimerFired(10), 2)
    assert (request.transaction.fee_ustx, outbox.packing.trouble) == (RELAY_FEE_USTX_MIN, "")


def test_an_action_whose_parent_may_not_travel_yet_waits_with_it():
    uplink = uplink_with([LESSON.book, LESSON.confirm])
    uplink.outbox.queue.postpone(LESSON.book.id, uplink.now + 10_000)
    uplink.tick()
    assert not uplink.ledger


def test_a_child_may_follow_its_parent_in_the_very_next_transaction():
    uplink = uplink_with([LESSON.book, LESSON.confirm], Terms(actions_max=1, gather_s=0))
    uplink.tick()
    assert [slot.entry.ids for slot in uplink.outbox.slots.open.values()] == [(LESSON.book.id,), (LESSON.confirm.id,)]


def test_a_nonce_that_was_just_used_is_not_signed_for_again_before_the_account_was_seen():
    uplink = uplink_with(PEOPLE)
    uplink.tick()
    [entry] = uplink.ledger.values()
    uplink.chain.mine()
    uplink.react(ev.TransactionSeen(entry.txid, uplink.chain.seen(entry.txid)))
    uplink.react(ev.ActionsAppended((LESSON.book,)))
    uplink.react(ev.TimerFired(0))
    assert list(uplink.outbox.slots.open) == [1]


def test_withdrawals_leave_in_transactions_of_their_own():
    hours, stx = VILLAGE.withdraw("ana", 3), VILLAGE.withdraw("ana", 4, asset=None)
    uplink = uplink_with([hours, *PEOPLE, stx])
    uplink.tick()
    functions = [entry.function for entry in sorted(uplink.ledger.values(), key=lambda entry: entry.account_nonce)]
    assert sorted(functions[1:]) == ["submit-batch", "submit-token-batch"]
    assert functions[0] == "submit-batch"


def test_a_token_that_became_known_travels():
    uplink = uplink_with([VILLAGE.withdraw("ana", 3)])
    uplink.react(ev.TokensSeen({}))
    uplink.tick()
    assert not uplink.ledger
    uplink.react(ev.TokensSeen({VILLAGE.hours: "hour-credit"}))
    uplink.tick()
    assert len(uplink.ledger) == 1


# --- newcomers


def with_known(actions, *names, terms=TERMS, **chain):
    uplink = uplink_with(actions, terms, **chain)
    uplink.react(ev.PeopleKnown(frozenset(VILLAGE.principal(name) for name in names)))
    return uplink


def test_those_who_are_vouched_for_go_first_and_newcomers_after_them():
    newcomer, known = many(1, "stranger"), many(1, "ana")
    uplink = with_known([*newcomer, *known], "ana")
    uplink.tick()
    assert [slot.entry.ids for slot in uplink.outbox.slots.open.values()] == [(known[0].id,), (newcomer[0].id,)]


def test_newcomers_together_have_a_share_of_the_days_fees_and_the_rest_is_for_the_others():
    newcomer, known = many(1, "stranger"), many(1, "ana")
    uplink = with_known([*newcomer], "ana")
    share_ustx = TERMS.fees_day_ustx_max * RELAY_NEWCOMERS_PERCENT_MAX // 100
    outbox = uplink.outbox
    outbox.handle(ev.AccountSeen(uplink.chain.account), uplink.now)
    assert outbox.handle(ev.TimerFired(share_ustx, share_ustx - RELAY_FEE_USTX_MIN + 1), uplink.now + 1) == []
    assert outbox.trouble == ""
    outbox.handle(ev.ActionsAppended(tuple(known)), uplink.now)
    [request] = outbox.handle(ev.TimerFired(share_ustx, share_ustx), uplink.now + 1)
    assert (request.ids, request.is_newcomers) == ((known[0].id,), False)
    [request] = outbox.handle(ev.TimerFired(0, share_ustx - RELAY_FEE_USTX_MIN - 9_000), uplink.now + 1)[1:]
    assert (request.ids, request.is_newcomers) == ((newcomer[0].id,), True)


def test_a_newcomers_action_that_came_too_early_is_tried_once_and_waits_for_a_change():
    uplink = with_known([LESSON.confirm], "mira")
    uplink.chain.parents = {LESSON.confirm.id: LESSON.book.id}
    for _ in range(60):
        uplink.tick()
        uplink.chain.mine()
    assert (len(uplink.ledger), uplink.outbox.queue.parked) == (1, 1)
    uplink.react(ev.PeopleKnown(frozenset([LESSON.confirm.statement.author])))
    uplink.tick()
    assert len(uplink.ledger) == 2


def test_one_newcomer_does_not_fill_a_transaction():
    crowd, single = many(3 * RELAY_NEWCOMER_ACTIONS_MAX, "stranger"), many(1, "other")
    uplink = with_known([*crowd, *single], "ana")
    uplink.tick()
    ids = uplink.outbox.slots.open[0].entry.ids
    assert (len(ids), single[0].id in ids) == (RELAY_NEWCOMER_ACTIONS_MAX + 1, True)


def test_a_newcomers_actions_that_wait_for_an_earlier_one_do_not_keep_it_from_going():
    books = many(2, "stranger")
    children = [VILLAGE.complete("stranger", book) for book in books for _ in range(5)]
    uplink = with_known([*children, *books], "ana")
    for _ in range(10):
        uplink.tick()
        uplink.chain.mine()
    assert uplink.chain.spent == {action.id for action in [*children, *books]}


def test_where_nobody_is_vouched_for_nobody_is_a_newcomer():
    uplink = with_known(many(20, "stranger"))
    uplink.tick()
    assert len(uplink.outbox.slots.open[0].entry.ids) == 20
