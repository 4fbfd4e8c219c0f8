"""Whatever chain, nodes and power do: no action is lost, and none is paid for twice.

Mutants that these tests are known to kill: candidates that ignore the open slots (`not in self.slots` left out of
`Outbox._candidates`) or the spoiled slot's own, a receipt written after the ledger's mark, halves that are not made.
"""

import itertools
import os

import pytest
from builders import Village
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from relay_twin import TwinChain, TwinUplink, parents_of

from hubd.ports import TransactionState
from hubd.relay.chain import Standing
from hubd.relay.codes import SPENT

EXAMPLES = 5_000 if os.environ.get("HUBD_CAMPAIGN") else 150
VILLAGE = Village(3)
PEOPLE = [VILLAGE.register(name) for name in ("ana", "tomas", "mira")]
THREADS = [VILLAGE.thread("ana", "tomas"), VILLAGE.thread("mira", "tomas")]
LESSONS = [action for thread in THREADS for action in thread.actions]
WITHDRAWALS = [VILLAGE.withdraw("tomas", 10), VILLAGE.withdraw("ana", 5, asset=None)]
ACTIONS = [*PEOPLE, *LESSONS, *WITHDRAWALS]

MOVES = ("tick", "mine", "mine one", "drop", "forget", "too heavy", "fork", "fork two", "crash", "long tick")
FAULTS = ("", "", "", "", "crash", "crash-after", "lose", "refuse")


def make(poison=0, refused=0, items_max=100, actions=ACTIONS):
    chain = TwinChain(
        poison=frozenset(action.id for action in actions[:poison]),
        refused=frozenset(action.id for action in actions[poison : poison + refused]),
        parents=parents_of(actions),
        items_max=items_max,
    )
    return TwinUplink(VILLAGE, actions, chain)


def move(uplink, name):
    chain = uplink.chain
    match name:
        case "tick":
            uplink.tick()
        case "long tick":
            uplink.tick(4_000)
        case "mine":
            chain.mine()
        case "mine one":
            chain.mine(1)
        case "drop":
            chain.drop()
        case "forget":
            chain.drop(Standing.UNKNOWN)
        case "too heavy":
            chain.drop(Standing.TOO_HEAVY)
        case "fork":
            chain.fork(1)
        case "fork two":
            chain.fork(2)
        case "crash":
            uplink.restart()


def assert_one_place(uplink):
    """No action stands in two account nonces of which neither is decided."""
    places: dict[bytes, int] = {}
    for nonce, slot in uplink.outbox.slots.open.items():
        for id_ in slot.ids:
            assert places.setdefault(id_, nonce) == nonce


def assert_paid_once(uplink):
    """On the chain as it is, nothing was carried again after it was done."""
    codes = [code for mined in uplink.chain.mined for _, code in mined.codes]
    assert SPENT not in codes


def settle(uplink, turns=400):
    """Fair weather: blocks come, nodes answer, until nothing is left to do."""
    uplink.faults = iter(())
    for _ in range(turns):
        uplink.tick(400)
        uplink.chain.mine()
        if not len(uplink.outbox.queue) and not uplink.outbox.slots.open:
            break
    uplink.tick()


def assert_nothing_lost(uplink):
    done, chain = uplink.chain.spent, uplink.chain
    hopeless = chain.poison | chain.refused
    while more := {child for child, parent in chain.parents.items() if parent in hopeless} - hopeless:
        hopeless |= more
    for id_ in uplink.actions:
        assert id_ in done or id_ in hopeless
    assert not uplink.outbox.slots.open


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.sampled_from(MOVES), max_size=40),
    st.lists(st.sampled_from(FAULTS), max_size=60),
    st.integers(0, 1),
    st.integers(0, 2),
    st.sampled_from((3, 100)),
)
def test_no_action_is_lost_and_none_is_paid_for_twice(moves, faults, poison, refused, items_max):
    uplink = make(poison, refused, items_max)
    uplink.faults = iter(faults)
    # A fork may bring back an aborted batch whose halves are under way already; then the chain pays twice, not the relay.
    is_strict = "fork" not in "".join(moves)
    for name in moves:
        move(uplink, name)
        if is_strict:
            assert_one_place(uplink)
    settle(uplink)
    assert_nothing_lost(uplink)
    if is_strict:
        assert_paid_once(uplink)


SMALL_MOVES = ("tick", "mine one", "drop", "too heavy", "fork", "crash")


@pytest.mark.parametrize("fault", ["crash", "crash-after", "lose"])
@pytest.mark.parametrize("quiet", range(9))
def test_every_short_story_of_three_actions_ends_well(fault, quiet):
    """The fault strikes after so many requests: sign, broadcast, mark, look up, report, mark, and again."""
    actions = [THREADS[0].book, THREADS[0].confirm, THREADS[0].attends[0]]
    for story in itertools.product(SMALL_MOVES, repeat=3):
        uplink = make(actions=actions)
        uplink.faults = iter([""] * quiet + [fault])
        for name in ("tick", *story):
            move(uplink, name)
            assert_one_place(uplink)
        settle(uplink)
        assert_nothing_lost(uplink)
        assert_paid_once(uplink)


def test_without_an_index_the_gateway_itself_proves_what_was_done():
    uplink = make()
    uplink.chain.has_index = False
    for name in ("tick", "mine", "crash", "tick", "mine", "fork", "tick"):
        move(uplink, name)
    settle(uplink)
    assert_nothing_lost(uplink)
    assert_paid_once(uplink)


def test_a_finished_ledger_holds_nothing_open():
    uplink = make()
    settle(uplink)
    open_states = {TransactionState.SIGNED, TransactionState.BROADCAST, TransactionState.DROPPED}
    assert not [entry for entry in uplink.ledger.values() if entry.state in open_states]
