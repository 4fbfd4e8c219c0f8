"""Hubs: announced, admitted, retired, and which word of theirs rules."""

import pytest
from builders import Village

from hubd.fold import membership
from hubd.fold.folder import Folder, fold
from hubd.fold.views import HubState
from hubd.limits import HUB_ADDRESS_CHARS_MAX, HUB_ADDRESSES_MAX, HUB_NAME_CHARS_MAX


def _hub(village: Village, actions, name: str = "hub"):
    return fold(village.charter, actions).hubs.get(village.principal(name))


def test_a_hub_is_announced_until_a_steward_admits_it():
    village = Village()
    announce, admit = village.found("hub", operator=7, uplink=True)
    assert _hub(village, [announce]).state is HubState.ANNOUNCED
    views = fold(village.charter, [announce, admit])
    hub = views.hubs[village.principal("hub")]
    assert (hub.state, hub.operator, hub.uplink, hub.announce) == (HubState.ADMITTED, 7, True, announce.id)
    assert (views.mesh.hubs, views.mesh.operators, views.mesh.uplink_operators) == ((hub.principal,), (7,), (7,))


def test_an_admission_without_its_announcement_waits():
    village = Village()
    _, admit = village.found("hub")
    views = fold(village.charter, [admit])
    assert not views.hubs
    assert not views.void
    assert _hub(village, [admit, village.announce("hub")]).state is HubState.ANNOUNCED


def test_an_admission_holds_for_whatever_the_hub_announces_later():
    village = Village()
    announce, admit = village.found("hub")
    moved = village.announce("hub", previous=announce, addresses=["tcp://192.0.2.9:1"])
    hub = _hub(village, [announce, admit, moved])
    assert (hub.state, hub.addresses) == (HubState.ADMITTED, ("tcp://192.0.2.9:1",))


def test_the_announcement_that_nothing_replaced_rules_and_ties_fall_to_the_smallest_id():
    village = Village()
    first = village.announce("hub")
    later = [village.announce("hub", previous=first, name=f"hub {n}") for n in range(4)]
    ruling = min(later, key=lambda action: action.id)
    assert _hub(village, [first, *later]).announce == ruling.id
    after = village.announce("hub", previous=ruling, name="last")
    others = [action.id for action in later if action is not ruling]
    assert _hub(village, [first, *later, after]).announce == min([*others, after.id])


def test_of_a_hub_that_announces_itself_without_end_some_are_looked_at_and_those_that_stewards_named():
    village = Village()
    flood = sorted((village.announce("hub", name=f"hub {n}") for n in range(200)), key=lambda action: action.id)
    last = flood[-1]
    assert _hub(village, flood).announce == flood[0].id
    after = village.announce("hub", previous=flood[0])
    assert after.id > flood[15].id
    assert _hub(village, [*flood, after]).announce == flood[0].id, "it came too late to say anything"
    admitted = _hub(village, [*flood, village.admit(village.stewards[0], last)])
    assert (admitted.state, admitted.announce) == (HubState.ADMITTED, flood[0].id)


def test_one_announcement_more_costs_no_more_after_hundreds_than_after_some(monkeypatch):
    village, looked, announce_of = Village(), [], membership.announce_of
    monkeypatch.setattr(membership, "announce_of", lambda action: looked.append(action) or announce_of(action))
    costs = []
    for count in (90, 400):
        folder = Folder(village.charter)
        announces = [village.announce("hub", name=f"hub {n}") for n in range(count)]
        folder.append(announces[:-1])
        looked.clear()
        folder.append(announces[-1:])
        costs.append(len(looked))
    assert costs[1] <= costs[0] < 64


def test_an_announcement_that_replaces_anothers_is_void_and_announces_nobody():
    village = Village()
    first = village.announce("hub")
    foreign = village.announce("other", previous=first)
    views = fold(village.charter, [first, foreign])
    assert views.void[foreign.id].reason == "subject"
    assert set(views.hubs) == {village.principal("hub")}


def test_a_retirement_ends_one_admission():
    village = Village()
    announce, admit = village.found("hub", operator=1)
    second = village.admit("steward-2", announce, 2)
    retire = village.retire("steward-3", admit)
    assert _hub(village, [announce, admit, retire]).state is HubState.RETIRED
    hub = _hub(village, [announce, admit, second, retire])
    assert (hub.state, hub.operator) == (HubState.ADMITTED, 2)
    both = [announce, admit, second, retire, village.retire("steward-1", second)]
    assert _hub(village, both).state is HubState.RETIRED


def test_a_retirement_that_names_another_hub_retires_nobody():
    village = Village()
    announce, admit = village.found("hub")
    retire = village.retire("steward-1", admit, who="other")
    assert _hub(village, [announce, admit, retire]).state is HubState.ADMITTED
    assert fold(village.charter, [announce, admit, retire]).void[retire.id].reason == "who"


@pytest.mark.parametrize("founder", [True, False])
def test_a_retirement_outlasts_the_steward_who_signed_it(founder):
    village = Village()
    retirer = "steward-2" if founder else "ella"
    announce, admit = village.found("stolen")
    retire = village.retire(retirer, admit)
    added = [] if founder else [village.steward_add(by, "ella") for by in village.stewards]
    removed = [village.steward_remove(by, retirer) for by in ("steward-1", "steward-3")]
    actions = [announce, admit, retire, *added, *removed]
    assert _hub(village, actions, "stolen").state is HubState.RETIRED
    assert retire.id not in fold(village.charter, actions).void
    assert _hub(village, [*actions, village.admit("steward-1", announce)], "stolen").state is HubState.ADMITTED


def test_only_live_stewards_admit_and_only_stewards_retire():
    village = Village()
    announce, admit = village.found("hub")
    by_hub = village.seal("hub", "hub-admit", subject=announce, who="hub", bits=1)
    assert _hub(village, [announce, by_hub]).state is HubState.ANNOUNCED
    assert _hub(village, [announce, admit, village.retire("stranger", admit)]).state is HubState.ADMITTED
    gone = [village.steward_remove(by, "steward-1") for by in ("steward-2", "steward-3")]
    assert _hub(village, [announce, admit, *gone]).state is HubState.ANNOUNCED


def test_an_admission_of_another_hubs_announcement_admits_nobody():
    village = Village()
    announce, other = village.announce("hub"), village.announce("other")
    crossed = village.admit("steward-1", other, who="hub")
    views = fold(village.charter, [announce, other, crossed])
    assert {hub.state for hub in views.hubs.values()} == {HubState.ANNOUNCED}
    assert views.void[crossed.id].reason == "who"


WRONG = {
    "no name": {"name": ""},
    "a name of bytes": {"name": b"hub"},
    "a long name": {"name": "x" * (HUB_NAME_CHARS_MAX + 1)},
    "a short curve key": {"curve": bytes(31)},
    "a box key of text": {"box": "0" * 32},
    "addresses of bytes": {"addresses": [b"tcp://"]},
    "one address": {"addresses": "tcp://192.0.2.1:1"},
    "many addresses": {"addresses": ["tcp://a:1"] * (HUB_ADDRESSES_MAX + 1)},
    "a long address": {"addresses": ["a" * (HUB_ADDRESS_CHARS_MAX + 1)]},
    "an uplink of 1": {"uplink": 1},
    "no uplink": {"uplink": None},
}


@pytest.mark.parametrize("what", WRONG)
def test_an_announcement_with(what):
    village = Village()
    announce = village.announce("hub", **WRONG[what])
    views = fold(village.charter, [announce, village.admit("steward-1", announce)])
    assert views.void[announce.id].reason == "content"
    assert not views.hubs


def test_an_announcement_may_say_more_than_this_version_knows():
    village = Village()
    assert _hub(village, [village.announce("hub", colour="blue", addresses=[])]).addresses == ()


def test_an_announcement_may_be_as_long_as_its_limits():
    village = Village()
    addresses = ["a" * HUB_ADDRESS_CHARS_MAX] * HUB_ADDRESSES_MAX
    assert _hub(village, [village.announce("hub", name="x" * HUB_NAME_CHARS_MAX, addresses=addresses)]) is not None
