"""What receipts make known: who has to say it, what counts as disagreement, and which transaction speaks for an action."""

import pytest
from builders import START_S, Village

from hubd.fold.folder import Folder, fold
from hubd.fold.views import SettlementState

CLAIMED, CONFIRMED, CONTESTED, REVOKED = SettlementState
TX1, TX2 = b"\x01" * 32, b"\x02" * 32
ITEM = b"\x77" * 32


class Mesh:
    """Hubs one and two of different operators with uplinks, twin of two's operator, and far without an uplink."""

    def __init__(self, *, uplinks: tuple[str, ...] = ("one", "two")) -> None:
        self.village = Village(3)
        operators = {"one": 1, "two": 2, "twin": 2, "far": 3}
        self.founding = [
            action
            for name, operator in operators.items()
            for action in self.village.found(name, operator, uplink=name in uplinks)
        ]

        self.principal = self.village.principal

    def views(self, *receipts):
        return fold(self.village.charter, [*self.founding, *receipts])

    def settlement(self, *receipts):
        return self.views(*receipts).settlement.get(ITEM)

    def receipt(self, hub: str, code: int = 0, **fields):
        return self.village.receipt(hub, [(ITEM, code)], **fields)


def test_one_reporter_is_a_claim_and_two_of_different_operators_confirm():
    mesh = Mesh()
    one, two, twin = (mesh.receipt(hub, txid=TX1) for hub in ("one", "two", "twin"))
    assert mesh.settlement(one).state is CLAIMED
    assert mesh.settlement(two, twin).state is CLAIMED
    assert mesh.settlement(one, twin).state is CONFIRMED
    assert mesh.settlement(one, two).is_done


def test_where_one_operator_alone_has_an_uplink_its_word_is_enough_and_nobody_elses():
    mesh = Mesh(uplinks=("two", "twin"))
    assert mesh.settlement(mesh.receipt("twin")).state is CONFIRMED
    assert mesh.settlement(mesh.receipt("one")).state is CLAIMED


def test_where_no_uplink_was_admitted_the_only_operator_that_ever_reported_is_believed():
    mesh = Mesh(uplinks=())
    one, two, twin = (mesh.receipt(hub) for hub in ("one", "two", "twin"))
    assert mesh.settlement(one).state is CONFIRMED
    assert mesh.settlement(two, twin).state is CONFIRMED
    elsewhere = mesh.village.receipt("far", [], txid=TX2)
    assert mesh.settlement(one, elsewhere).state is CLAIMED
    assert mesh.settlement(one, mesh.village.balance("far", [])).state is CLAIMED


@pytest.mark.parametrize("junk", [{"text": {}}, {"level": 4}])
def test_a_report_that_says_nothing_makes_nobody_a_reporter(junk):
    mesh = Mesh(uplinks=())
    assert mesh.settlement(mesh.receipt("one"), mesh.village.receipt("far", [], **junk)).state is CONFIRMED


def test_a_hub_that_announces_an_uplink_by_itself_or_reports_lowers_nothing():
    mesh = Mesh(uplinks=("one",))
    [admitted] = [a for a in mesh.founding if a.kind == "hub-announce" and a.statement.author == mesh.principal("far")]
    boast = mesh.village.announce("far", previous=admitted, uplink=True)
    views = mesh.views(mesh.receipt("one"), boast, mesh.village.receipt("far", [], txid=TX2))
    assert views.settlement[ITEM].state is CONFIRMED
    assert views.mesh.uplink_operators == (1,)
    assert mesh.settlement(mesh.receipt("far"), boast).state is CLAIMED
    again = mesh.village.admit("steward-1", boast, 3)
    assert mesh.views(again, boast).mesh.uplink_operators == (1, 3)


def test_an_announcement_that_changes_no_membership_asks_no_settlement_anew():
    mesh = Mesh(uplinks=("one",))
    folder = Folder(mesh.village.charter)
    folder.append([*mesh.founding, mesh.receipt("one")])
    [admitted] = [a for a in mesh.founding if a.kind == "hub-announce" and a.statement.author == mesh.principal("far")]
    changes = folder.append([mesh.village.announce("far", previous=admitted, uplink=True)])
    assert {change.view for change in changes} == {"hubs"}


def test_receipts_of_hubs_that_are_not_admitted_are_void():
    mesh = Mesh()
    receipt = mesh.receipt("stranger")
    views = mesh.views(receipt)
    assert not views.settlement
    assert not views.transactions
    assert views.void[receipt.id].reason == "not-admitted"


@pytest.mark.parametrize("change", [{"code": 601}, {"height": 101}])
def test_another_code_or_height_is_contested(change):
    mesh = Mesh()
    settlement = mesh.settlement(mesh.receipt("one"), mesh.receipt("two", **change))
    assert settlement.state is CONTESTED
    assert not settlement.is_done
    assert not settlement.is_refused


def test_what_is_contested_shows_the_newest_word():
    mesh = Mesh()
    words = [mesh.receipt("one", 5, burn_height=901), mesh.receipt("two", 6, burn_height=902), mesh.receipt("far", 7)]
    settlement = mesh.settlement(*words)
    assert (settlement.state, settlement.code, settlement.burn_height) == (CONTESTED, 6, 902)
    higher = mesh.receipt("far", 8, burn_height=902, level=1)
    assert mesh.settlement(*words[:2], higher).code == 8


ROGUE = {"burn_height": 2**63 - 1, "level": 2}


@pytest.mark.parametrize("lie", [{"code": 1}, {"height": 7}, {"level": 3}])
def test_what_two_operators_agree_on_nobody_contests_alone(lie):
    mesh = Mesh()
    honest = [mesh.receipt("one", burn_height=903), mesh.receipt("two", burn_height=904)]
    settlement = mesh.settlement(*honest, mesh.receipt("far", **{**ROGUE, **lie}))
    assert settlement == mesh.settlement(*honest)
    assert settlement.is_done
    assert mesh.views(*honest, mesh.receipt("far", **{**ROGUE, **lie})).time_s == START_S


def test_two_operators_contest_what_two_others_agree_on_and_twins_are_one():
    mesh = Mesh()
    honest = [mesh.receipt("one"), mesh.receipt("far")]
    assert mesh.settlement(*honest, mesh.receipt("two", 1), mesh.receipt("twin", 1)).state is CONFIRMED
    more = mesh.village.found("more", 4)
    assert mesh.settlement(*honest, *more, mesh.receipt("two", 1), mesh.receipt("more", 1)).state is CONTESTED
    assert mesh.settlement(*honest, *more, mesh.receipt("two", 1), mesh.receipt("more", 2)).state is CONFIRMED


def test_who_has_no_uplink_does_not_contest_the_only_one_that_has():
    mesh = Mesh(uplinks=("one",))
    assert mesh.settlement(mesh.receipt("one"), mesh.receipt("far", 1, **ROGUE)) == mesh.settlement(mesh.receipt("one"))
    both = [mesh.receipt("two", 1), mesh.receipt("far", 1)]
    assert mesh.settlement(mesh.receipt("one"), *both).state is CONTESTED


def test_of_two_operators_that_disagree_neither_is_believed():
    mesh = Mesh()
    assert mesh.settlement(mesh.receipt("one"), mesh.receipt("two", 1, **ROGUE)).state is CONTESTED


def test_what_is_believed_is_not_hidden_by_one_hubs_other_transaction():
    mesh = Mesh()
    for code in (4, 602):  # spent elsewhere; refused for good
        honest = [mesh.receipt(hub, code) for hub in ("one", "two")]
        assert mesh.settlement(*honest, mesh.receipt("far", 0, txid=TX2, **ROGUE)) == mesh.settlement(*honest)


def test_a_receipt_that_does_not_name_an_action_says_nothing_of_it():
    mesh = Mesh()
    silent = mesh.village.receipt("far", [])
    assert mesh.settlement(mesh.receipt("one"), mesh.receipt("two"), silent).state is CONFIRMED


def test_the_level_is_what_enough_operators_reached():
    mesh = Mesh()
    words = [mesh.receipt("one", level=2, burn_height=907), mesh.receipt("two", level=1, burn_height=901)]
    settlement = mesh.settlement(*words)
    assert (settlement.state, settlement.level, settlement.burn_height) == (CONFIRMED, 1, 901)
    assert mesh.settlement(words[0]).level == 2
    claims = [mesh.receipt("two", level=0, burn_height=905), mesh.receipt("twin", level=1, burn_height=902)]
    assert mesh.settlement(*claims).level == 1


def test_the_highest_burn_height_then_level_of_a_hub_counts():
    mesh = Mesh(uplinks=("one",))
    old, new = mesh.receipt("one", burn_height=900, height=100), mesh.receipt("one", burn_height=902, height=150)
    raised = mesh.receipt("one", burn_height=902, height=150, level=1)
    assert mesh.settlement(old, new).height == 150
    assert mesh.settlement(old, new, raised).level == 1


def test_of_equal_receipts_of_one_hub_the_lowest_id_counts():
    mesh = Mesh(uplinks=("one",))
    words = [mesh.receipt("one", code) for code in (5, 6, 7, 8)]
    ruling = min(words, key=lambda action: action.id)
    assert mesh.settlement(*words).code == 5 + words.index(ruling)


def test_a_batch_may_be_reported_in_several_receipts():
    mesh = Mesh(uplinks=("one",))
    other = b"\x78" * 32
    views = mesh.views(mesh.receipt("one"), mesh.village.receipt("one", [(other, 601)]))
    assert (views.settlement[ITEM].code, views.settlement[other].code) == (0, 601)


def test_a_revoked_transaction_takes_its_actions_with_it_though_it_names_none():
    mesh = Mesh(uplinks=("one",))
    done = mesh.receipt("one")
    revoked = mesh.village.receipt("one", [], level=3, burn_height=905)
    again = mesh.receipt("one", burn_height=906, height=160)
    assert mesh.settlement(done, revoked).state is REVOKED
    assert mesh.views(done, revoked).transactions[TX1].state is REVOKED
    assert not mesh.views(done, revoked).void
    assert mesh.settlement(done, revoked, again).state is CONFIRMED


def test_one_hub_that_revokes_what_another_saw_contests_it():
    mesh = Mesh()
    revoked = mesh.village.receipt("two", [], level=3, burn_height=905)
    assert mesh.settlement(mesh.receipt("one"), mesh.receipt("two"), revoked).state is CONTESTED


def test_success_in_one_transaction_beats_the_error_of_a_replay_in_another():
    mesh = Mesh(uplinks=("one",))
    words = [mesh.receipt("one", 4, txid=TX1, level=2), mesh.receipt("one", 0, txid=TX2)]
    assert (mesh.settlement(*words).code, mesh.settlement(*words).txid) == (0, TX2)


def test_of_two_transactions_alike_the_higher_level_speaks():
    mesh = Mesh(uplinks=("one",))
    for levels in ((0, 1), (1, 0)):
        words = [mesh.receipt("one", txid=txid, level=level) for txid, level in zip((TX1, TX2), levels, strict=True)]
        assert mesh.settlement(*words).level == 1


def test_an_action_known_only_as_spent_was_done_elsewhere():
    mesh = Mesh(uplinks=("one",))
    assert mesh.settlement(mesh.receipt("one", 4)).is_done


def test_a_revoked_success_gives_way_to_an_error_that_stands():
    mesh = Mesh(uplinks=("one",))
    revoked = mesh.receipt("one", 0, txid=TX1, level=3, burn_height=905)
    assert mesh.settlement(revoked, mesh.receipt("one", 602, txid=TX2)).is_refused


def test_codes_that_may_still_turn_are_no_refusal():
    mesh = Mesh(uplinks=("one",))
    assert not mesh.settlement(mesh.receipt("one", 601)).is_refused
    assert not mesh.settlement(mesh.receipt("one", 601)).is_done


def test_time_is_the_highest_block_time_that_is_confirmed():
    mesh = Mesh()
    one = mesh.receipt("one", block_time=START_S + 60)
    two = mesh.receipt("two", block_time=START_S)
    far = mesh.receipt("far", txid=TX2, block_time=2**62)
    assert mesh.views(one).time_s is None
    assert mesh.views(one, two).time_s == START_S  # no hub alone pushes time forward
    assert mesh.views(one, two, far).time_s == START_S
    assert mesh.views(one, two, far).transactions[TX2].state is CLAIMED


def test_time_goes_back_when_its_transaction_is_contested():
    mesh = Mesh()
    early = [mesh.receipt(hub, txid=TX1, block_time=10) for hub in ("one", "two")]
    late = [mesh.receipt(hub, txid=TX2, block_time=20) for hub in ("one", "two")]
    assert mesh.views(*early, *late).time_s == 20
    assert mesh.views(*early, *late, mesh.receipt("far", txid=TX2, height=9)).time_s == 20
    more = [*mesh.village.found("more", 4), mesh.receipt("more", txid=TX2, height=9)]
    assert mesh.views(*early, *late, mesh.receipt("far", txid=TX2, height=9), *more).time_s == 10


GOOD = {"block": bytes(32), "height": 1, "index": 0, "items": [[ITEM, 0]]}
WRONG = {
    "no map of a receipt": {},
    "a short block": {**GOOD, "block": bytes(31)},
    "a negative height": {**GOOD, "height": -1},
    "a height beyond 2^63": {**GOOD, "height": 2**63},
    "a height of true": {**GOOD, "height": True},
    "an index of text": {**GOOD, "index": "0"},
    "items in a map": {**GOOD, "items": {ITEM.hex(): 0}},
    "an item of three": {**GOOD, "items": [[ITEM, 0, 0]]},
    "an item that is no list": {**GOOD, "items": [ITEM]},
    "a short id": {**GOOD, "items": [[bytes(31), 0]]},
    "a code of null": {**GOOD, "items": [[ITEM, None]]},
    "an id twice": {**GOOD, "items": [[ITEM, 0], [ITEM, 1]]},
}


@pytest.mark.parametrize("what", WRONG)
def test_a_receipt_with(what):
    mesh = Mesh(uplinks=("one",))
    receipt = mesh.village.receipt("one", [], text=WRONG[what])
    views = mesh.views(receipt)
    assert views.void[receipt.id].reason == "content"
    assert not views.transactions


def test_a_receipt_of_a_level_that_does_not_exist_is_void():
    mesh = Mesh(uplinks=("one",))
    receipt = mesh.receipt("one", level=4)
    assert mesh.views(receipt).void[receipt.id].reason == "bits"
    assert mesh.settlement(receipt) is None
