"""For whom a key speaks: adding, accepting, revoking, and who is left when phones are stolen."""

from builders import Village
from keyrings import Ana

from hubd.action.kinds import Scope
from hubd.fold.keys import SCOPES_ALL
from hubd.limits import KEY_CHAIN_MAX, PERSON_KEY_ADDS_MAX


def test_the_first_key_has_every_scope_and_its_principal_is_the_person_for_ever():
    ana = Ana()
    views, principal = ana.views(), ana.village.principal("ana")
    assert views.persons[principal].keys == {principal: SCOPES_ALL}
    assert views.person_of(principal) == principal


def test_an_added_key_counts_when_it_accepted():
    ana = Ana()
    add = ana.add("phone", scopes=Scope.LESSON, accepted=False, amount=90, moment=7, asset=ana.village.hours)
    assert ana.live() == {"ana"}
    key = ana.do(ana.village.key_accept("phone", add)).views().keys[ana.village.principal("phone")]
    assert ana.live() == {"ana", "phone"}
    assert (key.scopes, key.amount_max, key.until, key.asset) == (Scope.LESSON, 90, 7, ana.village.hours)
    assert key.added == add.id


def test_only_the_added_key_can_accept():
    ana = Ana()
    add = ana.add("phone", accepted=False)
    accept = ana.village.key_accept("tablet", add)
    assert ana.do(accept).live() == {"ana"}
    assert ana.views().void[accept.id].reason == "who"


def test_a_key_that_did_not_accept_or_is_a_person_adds_and_revokes_nothing():
    for accepts in (False, True):
        ana = Ana()
        add = ana.add("phone", accepted=accepts)
        if accepts:
            ana.do(ana.village.register("phone"))
        ana.revoke("ana", by="phone")
        ana.add("thief", by="phone", to=add)
        assert ana.live() == {"ana"}


def test_a_key_that_is_a_person_is_never_added():
    ana = Ana()
    add = ana.add("phone")
    ana.do(ana.village.register("phone"))
    assert ana.live() == {"ana"}
    assert ana.views().person_of(ana.village.principal("phone")) == ana.village.principal("phone")
    assert ana.views().void[add.id].reason == "person"


def test_a_key_without_the_identity_scope_adds_and_revokes_nothing():
    ana = Ana()
    add = ana.add("phone", scopes=Scope.LESSON | Scope.MONEY)
    further = ana.add("thief", by="phone", to=add)
    revoke = ana.revoke("ana", by="phone")
    assert ana.live() == {"ana", "phone"}
    assert {ana.views().void[action.id].reason for action in (further, revoke)} == {"scope"}


def test_a_stranger_adds_and_revokes_nothing():
    ana = Ana().do(Village(5).register("tomas"))
    add, revoke = ana.add("thief", by="tomas"), ana.revoke("ana", by="tomas")
    assert ana.live() == {"ana"}
    assert {ana.views().void[action.id].reason for action in (add, revoke)} == {"subject"}


def test_keys_add_further_keys():
    ana = Ana()
    phone = ana.add("phone")
    ana.add("tablet", by="phone", to=phone)
    assert ana.live() == {"ana", "phone", "tablet"}


def test_a_revoked_key_is_no_key_and_stays_in_the_list_of_keys():
    ana = Ana()
    ana.revoke("phone", by="ana", added=ana.add("phone"))
    assert ana.live() == {"ana"}
    principal = ana.village.principal("phone")
    assert not ana.views().keys[principal].is_live
    assert ana.views().person_of(principal) is None


def test_revoking_is_for_ever_whichever_key_add_it_named():
    ana = Ana()
    first, second = ana.add("phone"), ana.add("phone")
    ana.revoke("phone", by="ana", added=max(first, second, key=lambda add: add.id))
    assert ana.live() == {"ana"}
    ana.add("phone", to=first)
    assert ana.live() == {"ana"}


def test_a_revocation_that_names_another_key_revokes_none():
    ana = Ana()
    revoke = ana.revoke("ana", by="ana", added=ana.add("phone"))
    assert ana.live() == {"ana", "phone"}
    assert ana.views().void[revoke.id].reason == "who"


LESSER = ({"scopes": 63}, {"amount": 9}, {"moment": 7})


def test_a_lesser_key_ends_no_wider_one_and_ends_itself():
    for terms in LESSER:
        ana = Ana()
        add = ana.add("phone", **terms)
        revoke = ana.revoke("ana", by="phone")
        assert ana.live() == {"ana", "phone"}
        assert ana.views().void[revoke.id].reason == "scope"
        itself = ana.revoke("phone", by="phone", added=add)
        assert ana.live() == {"ana"}
        assert itself.id not in ana.views().void


def test_a_key_ends_keys_as_wide_as_itself_or_less_and_none_that_lasts_longer():
    within = ({"scopes": 9, "moment": 7}, {"scopes": 1, "moment": 6, "amount": 5})
    beyond = ({"scopes": 9, "moment": 8}, {"scopes": 9}, {"scopes": 13, "moment": 7})
    for terms in (*within, *beyond):
        ana = Ana()
        ana.add("phone", scopes=9, moment=7)
        ana.revoke("tablet", by="phone", added=ana.add("tablet", **terms))
        assert ana.live() == {"ana", "phone", *(["tablet"] if terms in beyond else [])}, terms


def test_what_the_chain_revoked_is_revoked_though_the_hub_knows_other_terms():
    ana = Ana()
    ana.add("phone", scopes=63)
    revoke = ana.revoke("ana", by="phone")
    assert ana.live() == {"ana", "phone"}
    ana.do(*ana.village.found("hub", uplink=True), ana.village.receipt("hub", [(revoke, 0)]))
    assert "ana" not in ana.live()
    assert revoke.id not in ana.views().void


def test_the_second_phone_revokes_the_stolen_first_one_and_stays():
    ana = Ana()
    ana.add("phone")
    ana.revoke("ana", by="phone")
    assert ana.live() == {"phone"}


def test_the_key_add_that_the_revoking_phone_came_by_is_not_void():
    ana = Ana()
    add, stray = ana.add("phone"), ana.add("tablet")
    ana.revoke("ana", by="phone")
    void = ana.views().void
    assert add.id not in void
    assert void[stray.id].reason == "revoked"


def test_every_key_on_the_way_to_the_revoking_phone_stays():
    ana = Ana()
    tablet = ana.add("tablet")
    ana.add("phone", to=ana.add("old phone", to=tablet))
    ana.revoke("ana", by="phone")
    assert ana.live() == {"phone", "tablet"}


def test_what_one_of_two_revokers_descends_from_stands():
    ana = Ana()
    ana.add("phone")
    ana.add("tablet")
    for by in ("phone", "tablet"):
        ana.revoke("ana", by=by)
    assert ana.live() == {"phone", "tablet"}


def test_what_the_thief_added_goes_with_the_stolen_key():
    ana = Ana()
    phone = ana.add("phone")
    ana.add("thief", to=phone)
    ana.revoke("ana", by="phone")
    assert ana.live() == {"phone"}


def test_what_the_chain_took_from_a_stolen_key_stands():
    ana = Ana()
    ana.add("phone")
    tablet = ana.add("tablet")
    ana.revoke("ana", by="phone")
    assert ana.live() == {"phone"}
    ana.do(*ana.village.found("hub", uplink=True), ana.village.receipt("hub", [(tablet, 0)]))
    assert ana.live() == {"phone", "tablet"}


def test_keys_that_revoke_each_other_both_end():
    ana = Ana()
    phone = ana.add("phone")
    ana.revoke("phone", by="ana", added=phone)
    ana.revoke("ana", by="phone")
    assert ana.live() == set()
    assert ana.views().persons[ana.village.principal("ana")].keys == {}


def test_a_key_that_accepted_two_persons_is_the_first_accepts_by_id():
    ana = Ana()
    village = ana.village
    tomas = village.register("tomas")
    adds = [village.key_add("ana", "phone", ana.born), village.key_add("tomas", "phone", tomas)]
    accepts = [village.key_accept("phone", add) for add in adds]
    ana.do(tomas, *adds, *accepts)
    owner = "ana" if accepts[0].id < accepts[1].id else "tomas"
    assert ana.views().person_of(village.principal("phone")) == village.principal(owner)
    owners = [name for name in ("ana", "tomas") if len(ana.views().persons[village.principal(name)].keys) == 2]
    assert owners == [owner]


def test_a_key_that_one_person_revoked_is_the_others_whose_key_add_it_accepted_too():
    for revoker, heir in (("ana", "tomas"), ("tomas", "ana")):
        ana = Ana()
        village = ana.village
        born = {"ana": ana.born, "tomas": village.register("tomas")}
        adds = {name: village.key_add(name, "phone", born[name]) for name in born}
        accepts = [village.key_accept("phone", add) for add in adds.values()]
        ana.do(born["tomas"], *adds.values(), *accepts, village.key_revoke(revoker, "phone", adds[revoker]))
        assert ana.views().person_of(village.principal("phone")) == village.principal(heir)


def test_an_accept_with_a_broken_column_accepts_nothing_and_spoils_nothing():
    ana = Ana()
    add = ana.add("phone", accepted=False)
    ana.do(ana.village.seal("phone", "key-accept", subject=add, amount=1))
    assert ana.live() == {"ana"}
    assert ana.do(ana.village.key_accept("phone", add)).live() == {"ana", "phone"}


def test_a_key_may_have_every_scope_there_is_and_no_more():
    ana = Ana()
    ana.add("phone", scopes=SCOPES_ALL)
    more = ana.add("tablet", scopes=SCOPES_ALL + 1)
    assert ana.live() == {"ana", "phone"}
    assert ana.views().void[more.id].reason == "bits"


def test_a_chain_of_key_adds_ends_somewhere():
    ana = Ana()
    last = ana.born
    for count in range(KEY_CHAIN_MAX + 3):
        last = ana.add(f"phone {count}", to=last)
    known = ana.views().keys
    assert ana.village.principal("phone 5") in known
    assert ana.village.principal(f"phone {KEY_CHAIN_MAX + 2}") not in known


def test_one_person_has_only_so_many_keys():
    ana = Ana()
    for count in range(PERSON_KEY_ADDS_MAX + 10):
        ana.add(f"phone {count}")
    assert len(ana.views().persons[ana.village.principal("ana")].keys) == PERSON_KEY_ADDS_MAX + 1
