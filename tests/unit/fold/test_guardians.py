"""Guardians and recoveries: who may help, and what a finished recovery makes of the keys."""

import itertools

import pytest
from builders import Village

from hubd.fold.folder import fold
from hubd.fold.keys import SCOPES_ALL
from hubd.fold.views import RecoveryState

DAY_S = 86_400
TX2 = b"\x02" * 32


class Lost:
    """Ana's phone is stolen. Bibi and Tomas may help her."""

    def __init__(self):
        self.v = Village(33)
        self.born = self.v.register("ana")
        self.first = self.v.guardian_set("ana", "bibi")
        self.second = self.v.guardian_set("ana", "tomas", self.first, 1, amount=2, moment=8 * DAY_S)
        self.opening = self.v.recovery_open("fresh", "ana")
        self.finish = self.v.recovery("finish", "lou", self.opening)
        self.base = [
            *self.v.found("hub", uplink=True),
            self.born,
            *map(self.v.register, ("bibi", "tomas")),
            self.first,
            self.second,
            self.opening,
        ]

    def views(self, *actions):
        return fold(self.v.charter, [*self.base, *actions])

    def recovered(self, *actions):
        done = [self.first, self.second, self.finish]
        return self.views(self.finish, self.v.receipt("hub", [(action, 0) for action in done]), *actions)

    def live(self, views):
        return set(views.persons[self.v.principal("ana")].keys)

    def names(self, *names):
        return {self.v.principal(name) for name in names}


def test_the_newest_guardians_are_shown_with_what_the_next_change_names():
    lost = Lost()
    known = lost.views().guardians[lost.v.principal("ana")]
    assert known.slots == (lost.v.principal("bibi"), lost.v.principal("tomas"), None, None, None)
    assert (known.head, known.threshold, known.delay) == (lost.second.id, 2, 8 * DAY_S)
    cleared = lost.v.guardian_set("ana", None, lost.second, 0)
    assert lost.views(cleared).guardians[lost.v.principal("ana")].slots[0] is None


def test_of_two_changes_of_one_version_the_chains_counts():
    lost = Lost()
    rivals = [lost.v.guardian_set("ana", name, lost.second, 2) for name in ("lou", "mzee")]
    smaller = min(rivals, key=lambda each: each.id)
    assert lost.views(*rivals).guardians[lost.v.principal("ana")].head == smaller.id
    for rival in rivals:
        receipt = lost.v.receipt("hub", [(rival, 0)])
        assert lost.views(*rivals, receipt).guardians[lost.v.principal("ana")].head == rival.id


@pytest.mark.parametrize(
    "fields",
    [{"slot": 5}, {"amount": 6}, {"moment": 6 * DAY_S}, {"moment": 366 * DAY_S}],
)
def test_a_change_of_guardians_keeps_its_bounds(fields):
    lost = Lost()
    wrong = lost.v.guardian_set("ana", "bibi", lost.second, **fields)
    assert lost.views(wrong).void[wrong.id].reason == "bounds"


def test_nobody_guards_themselves():
    lost = Lost()
    wrong = lost.v.guardian_set("ana", "ana", lost.second)
    assert lost.views(wrong).void[wrong.id].reason == "self"


def test_a_request_for_recovery_shows_who_of_the_guardians_agreed():
    lost = Lost()
    agreed = [lost.v.recovery("approve", name, lost.opening) for name in ("bibi", "tomas")]
    by_stranger = lost.v.recovery("approve", "lou", lost.opening)
    shown = lost.views(lost.v.register("lou"), agreed[0], by_stranger).recoveries[lost.opening.id]
    assert (shown.person, shown.key) == (lost.v.principal("ana"), lost.v.principal("fresh"))
    assert (shown.approved, shown.state) == ((lost.v.principal("bibi"),), RecoveryState.OPEN)
    assert lost.live(lost.views(*agreed)) == lost.names("ana"), "nothing changes before the chain says so"


def test_the_person_objects_and_nobody_else():
    lost = Lost()
    veto, foreign = lost.v.recovery("cancel", "ana", lost.opening), lost.v.recovery("cancel", "bibi", lost.opening)
    assert lost.views(foreign).recoveries[lost.opening.id].state is RecoveryState.OPEN
    assert lost.views(foreign).void[foreign.id].reason == "not-party"
    assert lost.views(veto).recoveries[lost.opening.id].state is RecoveryState.CANCELLED


def test_a_lesser_key_of_the_person_objects_to_nothing():
    for terms in ({"scopes": 63}, {"scopes": SCOPES_ALL, "amount": 9}, {"scopes": SCOPES_ALL, "moment": 7}):
        lost = Lost()
        add = lost.v.key_add("ana", "phone", lost.born, **terms)
        veto = lost.v.recovery("cancel", "phone", lost.opening)
        views = lost.views(add, lost.v.key_accept("phone", add), veto)
        assert views.recoveries[lost.opening.id].state is RecoveryState.OPEN
        assert views.void[veto.id].reason == "scope"


def test_an_objection_falls_before_all_guardians_from_three_up():
    lost = Lost()
    veto = lost.v.recovery("cancel", "ana", lost.opening)
    agreed = [lost.v.recovery("approve", name, lost.opening) for name in ("bibi", "tomas")]
    assert lost.views(veto, *agreed).recoveries[lost.opening.id].state is RecoveryState.CANCELLED
    third = [lost.v.register("lou"), lost.v.guardian_set("ana", "lou", lost.second, 2, amount=2)]
    assert lost.views(veto, *agreed, *third).recoveries[lost.opening.id].state is RecoveryState.CANCELLED
    all_agreed = [*agreed, *third, lost.v.recovery("approve", "lou", lost.opening)]
    assert lost.views(veto, *all_agreed).recoveries[lost.opening.id].state is RecoveryState.OPEN


def test_a_finished_recovery_makes_the_new_key_the_only_one():
    lost = Lost()
    add = lost.v.key_add("ana", "phone", lost.born)
    phone = [add, lost.v.key_accept("phone", add)]
    views = lost.recovered(*phone)
    assert views.recoveries[lost.opening.id].state is RecoveryState.FINISHED
    assert lost.live(views) == lost.names("fresh")
    assert views.person_of(lost.v.principal("fresh")) == lost.v.principal("ana")
    assert lost.live(lost.recovered(*phone, lost.v.receipt("hub", [(add, 0)], txid=TX2))) == lost.names("fresh")


def test_only_the_chain_finishes_a_recovery():
    lost = Lost()
    for actions in ([lost.finish], [lost.finish, lost.v.receipt("hub", [(lost.finish, 230)])]):
        assert lost.live(lost.views(*actions)) == lost.names("ana")


def test_the_old_keys_can_neither_act_nor_add_nor_revoke():
    lost = Lost()
    request = lost.v.request("ana")
    add = lost.v.key_add("ana", "lodger", lost.born)
    revoke = lost.v.key_revoke("ana", "fresh", lost.opening)
    views = lost.recovered(request, add, lost.v.key_accept("lodger", add), revoke)
    assert lost.live(views) == lost.names("fresh")
    assert views.void[request.id].reason == "revoked"
    assert request.id not in views.requests


def test_the_new_key_speaks_adds_and_is_revoked_by_what_it_added():
    lost = Lost()
    request, add = lost.v.request("fresh"), lost.v.key_add("fresh", "spare", lost.opening, SCOPES_ALL)
    accepted = [add, lost.v.key_accept("spare", add)]
    views = lost.recovered(request, *accepted)
    assert views.requests[request.id].student == lost.v.principal("ana")
    assert lost.live(views) == lost.names("fresh", "spare")
    assert views.persons[lost.v.principal("ana")].head == add.id
    revoke = lost.v.key_revoke("spare", "fresh", lost.opening)
    assert lost.live(lost.recovered(*accepted, revoke)) == lost.names("spare")


def test_the_next_change_names_the_recovery():
    lost = Lost()
    views = lost.recovered()
    ana = lost.v.principal("ana")
    assert (views.persons[ana].head, views.guardians[ana].head) == (lost.opening.id, lost.opening.id)
    change = lost.v.guardian_set("fresh", "tomas", lost.opening, 4)
    assert lost.recovered(change).guardians[ana].slots[4] == lost.v.principal("tomas")


def test_of_two_recoveries_the_later_on_the_chain_counts():
    lost = Lost()
    again = lost.v.recovery_open("newest", "ana")
    finish = lost.v.recovery("finish", "lou", again)
    for height, key in ((200, "newest"), (50, "fresh")):
        receipt = lost.v.receipt("hub", [(finish, 0)], txid=TX2, height=height)
        assert lost.live(lost.recovered(again, finish, receipt)) == lost.names(key)


def test_a_key_that_is_somebodys_asks_for_no_recovery():
    lost = Lost()
    wrong, own = lost.v.recovery_open("bibi", "ana"), lost.v.recovery_open("mzee", "mzee")
    views = lost.views(wrong, own)
    assert [views.void[each.id].reason for each in (wrong, own)] == ["person", "self"]
    assert lost.opening.id not in lost.recovered().void


def test_the_head_of_the_keys_passes_over_what_the_chain_refused():
    lost = Lost()
    ana = lost.v.principal("ana")
    add = lost.v.key_add("ana", "phone", lost.born)
    assert lost.views().persons[ana].head == lost.born.id
    assert lost.views(add).persons[ana].head == add.id
    assert lost.views(add, lost.v.receipt("hub", [(add, 5)])).persons[ana].head == lost.born.id


def test_every_order_of_a_theft_ends_with_the_same_keys():
    lost = Lost()
    thief = lost.v.key_add("ana", "thief", lost.born, SCOPES_ALL)
    actions = [
        lost.finish,
        lost.v.receipt("hub", [(lost.finish, 0)]),
        thief,
        lost.v.key_accept("thief", thief),
        lost.v.key_revoke("thief", "ana", lost.born),
        lost.v.recovery("cancel", "thief", lost.opening),
    ]
    assert {frozenset(lost.live(lost.views(*order))) for order in itertools.permutations(actions)} == {
        frozenset(lost.names("fresh"))
    }
