"""Balances: whose word, which word, and when it is sure."""

import pytest
from builders import Village

from hubd.fold.folder import fold
from hubd.fold.views import SettlementState


class Mesh:
    def __init__(self, *, uplinks: tuple[str, ...] = ("one", "two")) -> None:
        self.village = Village(4)
        founded = [self.village.found(name, n, uplink=name in uplinks) for n, name in enumerate(("one", "two"), 1)]
        self.founding = [action for pair in founded for action in pair]
        self.ana = self.village.principal("ana")

    def report(self, hub: str, free: int, **fields):
        return self.village.balance(hub, [("ana", None, free, 1)], **fields)

    def balance(self, *reports, asset=None):
        return fold(self.village.charter, [*self.founding, *reports]).balances.get((self.ana, asset))


def test_the_newest_by_burn_height_and_then_height_is_shown():
    mesh = Mesh(uplinks=("one",))
    reports = [
        mesh.report("one", 10, burn_height=900, height=300),
        mesh.report("one", 20, burn_height=901, height=200),
        mesh.report("one", 30, burn_height=901, height=199),
    ]
    balance = mesh.balance(*reports)
    assert (balance.free, balance.locked, balance.height, balance.burn_height) == (20, 1, 200, 901)


def test_of_two_hubs_the_one_that_saw_more_is_shown():
    mesh = Mesh()
    early, late = (
        mesh.report("one", 10, burn_height=900, height=300),
        mesh.report("two", 20, burn_height=901, height=200),
    )
    assert mesh.balance(early, late).free == 20
    assert mesh.balance(early, mesh.report("two", 30, burn_height=900, height=301)).free == 30


def test_equal_sums_of_two_operators_are_confirmed_whatever_their_heights():
    mesh = Mesh()
    one, two = mesh.report("one", 10, height=100), mesh.report("two", 10, height=140)
    assert mesh.balance(one).state is SettlementState.CLAIMED
    assert mesh.balance(one, two).state is SettlementState.CONFIRMED
    assert mesh.balance(one, two).height == 140


def test_a_newer_word_that_differs_is_a_claim():
    mesh = Mesh()
    balance = mesh.balance(mesh.report("one", 10), mesh.report("two", 99, height=140))
    assert (balance.free, balance.state) == (99, SettlementState.CLAIMED)


def test_what_two_operators_hold_is_shown_whatever_a_third_says():
    mesh = Mesh()
    honest = [mesh.report("one", 10), mesh.report("two", 10, height=140)]
    rogue = [*mesh.village.found("far", 3), mesh.report("far", 99, burn_height=2**63 - 1, height=2**63 - 1)]
    assert mesh.balance(*honest, *rogue) == mesh.balance(*honest)
    assert mesh.balance(*honest, *rogue).state is SettlementState.CONFIRMED


def test_of_two_sums_that_are_each_believed_the_newer_is_shown():
    mesh = Mesh()
    more = [*mesh.village.found("far", 3), *mesh.village.found("more", 4)]
    early = [mesh.report("one", 10), mesh.report("two", 10)]
    late = [mesh.report(hub, 11, burn_height=901) for hub in ("far", "more")]
    assert mesh.balance(*more, *early, *late).free == 11


def test_the_only_uplinks_word_is_shown_before_a_newer_one_of_who_has_none():
    mesh = Mesh(uplinks=("one",))
    balance = mesh.balance(mesh.report("one", 10), mesh.report("two", 99, burn_height=2**63 - 1))
    assert (balance.free, balance.state) == (10, SettlementState.CONFIRMED)


def test_an_older_word_of_the_same_hub_supports_nothing():
    mesh = Mesh()
    reports = [mesh.report("one", 10), mesh.report("one", 11, height=120), mesh.report("two", 10, height=140)]
    assert mesh.balance(*reports).state is SettlementState.CLAIMED


def test_the_only_operator_with_an_uplink_is_believed():
    assert Mesh(uplinks=("one",)).balance(Mesh().report("one", 10)).state is SettlementState.CONFIRMED


def test_strangers_report_nothing():
    mesh = Mesh()
    assert mesh.balance(mesh.report("stranger", 10**9)) is None


def test_assets_are_apart():
    mesh = Mesh(uplinks=("one",))
    hours = mesh.village.hours
    report = mesh.village.balance("one", [("ana", None, 1, 0), ("ana", hours, 2, 0), ("tomas", hours, 3, 0)])
    assert (mesh.balance(report).free, mesh.balance(report, asset=hours).free) == (1, 2)


PERSON = b"\x1a" + bytes(20)
WRONG = {
    "nothing": {},
    "no height": {"balances": []},
    "a row of three": {"height": 1, "balances": [[PERSON, None, 1]]},
    "a short person": {"height": 1, "balances": [[PERSON[:20], None, 1, 1]]},
    "a long person": {"height": 1, "balances": [[PERSON + b"x" * 41, None, 1, 1]]},
    "an asset of text": {"height": 1, "balances": [[PERSON, "stx", 1, 1]]},
    "a negative sum": {"height": 1, "balances": [[PERSON, None, -1, 1]]},
    "a sum of false": {"height": 1, "balances": [[PERSON, None, 1, False]]},
    "a row twice": {"height": 1, "balances": [[PERSON, None, 1, 1], [PERSON, None, 2, 1]]},
}


@pytest.mark.parametrize("what", WRONG)
def test_a_report_with(what):
    mesh = Mesh(uplinks=("one",))
    report = mesh.village.balance("one", [], text=WRONG[what])
    views = fold(mesh.village.charter, [*mesh.founding, report])
    assert views.void[report.id].reason == "content"
    assert not views.balances
