"""Persons, vouches, and content that its author took back."""

from builders import Village

from hubd.fold.folder import fold


def test_of_two_registrations_the_smallest_id_rules_unless_the_chain_took_the_other():
    village = Village()
    registers = [village.register("ana", roles=roles) for roles in (1, 2, 4)]
    ruling = min(registers, key=lambda action: action.id)
    other = max(registers, key=lambda action: action.id)
    person = fold(village.charter, registers).persons[village.principal("ana")]
    assert (person.registered, person.roles) == (ruling.id, ruling.statement.bits)
    settled = [*registers, *village.found("hub", uplink=True), village.receipt("hub", [(other, 0)])]
    assert fold(village.charter, settled).persons[village.principal("ana")].registered == other.id


def test_the_home_hub_is_the_one_the_registration_names():
    village = Village()
    person = fold(village.charter, [village.register("ana", home="hub")]).persons[village.principal("ana")]
    assert person.home == village.principal("hub")


def _vouches(village, *actions):
    person = fold(village.charter, [village.register("ana"), *actions]).persons[village.principal("ana")]
    return person.vouches, person.steward_vouches


def test_a_person_counts_once_however_often_it_vouches():
    village = Village()
    tomas = village.register("tomas")
    assert _vouches(village, tomas, village.vouch("tomas", "ana"), village.vouch("tomas", "ana")) == (1, 0)


def test_a_stewards_vouch_counts_without_a_registration():
    village = Village()
    vouch = village.vouch("steward-1", "ana")
    assert _vouches(village, vouch) == (1, 1)
    views = fold(village.charter, [village.register("ana"), vouch])
    assert views.vouches[village.principal("steward-1"), village.principal("ana")].id == vouch.id


def test_vouches_by_nobody_and_for_oneself_count_for_nothing():
    village = Village()
    assert _vouches(village, village.vouch("stranger", "ana"), village.vouch("ana", "ana")) == (0, 0)


def test_a_vouch_is_taken_back_by_who_gave_it():
    village = Village()
    people = [village.register(name) for name in ("tomas", "lou")]
    vouch = village.vouch("tomas", "ana")
    assert _vouches(village, *people, vouch, village.vouch_withdraw("lou", vouch)) == (1, 0)
    assert _vouches(village, *people, vouch, village.vouch_withdraw("tomas", vouch)) == (0, 0)
    crossed = village.seal("tomas", "vouch-withdraw", subject=vouch, who="lou")
    assert _vouches(village, *people, vouch, crossed) == (1, 0)
    again = village.vouch("tomas", "ana")
    assert _vouches(village, *people, vouch, village.vouch_withdraw("tomas", vouch), again) == (1, 0)


def test_an_author_takes_back_content_and_nobody_else_does():
    village = Village()
    request = village.request("ana", text={"note": "fractions"})
    people = [village.register("ana"), village.register("tomas"), request]
    by_tomas, by_ana = (village.seal(name, "content-erase", subject=request) for name in ("tomas", "ana"))
    views = fold(village.charter, [*people, by_tomas])
    assert not views.erased
    assert views.void[by_tomas.id].reason == "subject"
    assert fold(village.charter, [*people, by_tomas, by_ana]).erased[request.id].by == by_ana.id


def test_a_one_time_author_takes_back_its_own_words():
    village = Village()
    post = village.seal("nobody", "safety-post", text={"words": b"sealed"})
    erase = village.seal("nobody", "content-erase", subject=post)
    assert post.id in fold(village.charter, [post, erase]).erased


def test_anchored_content_is_never_erased():
    village = Village()
    announce = village.announce("hub")
    erase = village.seal("hub", "content-erase", subject=announce)
    views = fold(village.charter, [announce, erase])
    assert not views.erased
    assert views.void[erase.id].reason == "subject"


def test_kinds_of_tomorrow_are_counted_by_name_and_not_void():
    village = Village()
    actions = [village.seal("ana", "lesson-dance"), village.seal("hub", "hub-dance"), village.seal("x", "lesson-dance")]
    views = fold(village.charter, actions)
    assert {kind: entry.count for kind, entry in views.unknown.items()} == {"lesson-dance": 2, "hub-dance": 1}
    assert not views.void
