"""Stewards: a function of the set that is defined through itself, and still has one answer."""

import itertools

from builders import Village

from hubd.fold.folder import fold


def _live(village: Village, actions) -> set[str]:
    names = [*village.stewards, "ella", "jon", "kim", "lou"]
    live = fold(village.charter, actions).mesh.stewards
    return {name for name in names if village.principal(name) in live}


def test_two_stewards_add_a_third_and_one_does_not():
    village = Village()
    first = village.steward_add("steward-1", "ella")
    assert "ella" not in _live(village, [first, village.steward_add("steward-1", "ella")])
    assert "ella" in _live(village, [first, village.steward_add("steward-2", "ella")])


def test_nobody_counts_towards_their_own_addition_or_removal():
    village = Village()
    assert "ella" not in _live(village, [village.steward_add("steward-1", "ella"), village.steward_add("ella", "ella")])
    removals = [village.steward_remove("steward-1", "steward-2"), village.steward_remove("steward-2", "steward-2")]
    assert "steward-2" in _live(village, removals)


def test_two_stewards_remove_a_third():
    village = Village()
    removals = [village.steward_remove(by, "steward-3") for by in ("steward-1", "steward-2")]
    assert _live(village, removals) == {"steward-1", "steward-2"}


def test_a_removal_is_for_ever():
    village = Village()
    removals = [village.steward_remove(by, "steward-3") for by in ("steward-1", "steward-2")]
    again = [village.steward_add(by, "steward-3") for by in ("steward-1", "steward-2")]
    assert "steward-3" not in _live(village, removals + again)


def test_what_a_removed_steward_added_goes_with_him():
    village = Village()
    added = [village.steward_add(by, "ella") for by in ("steward-1", "steward-3")]
    removals = [village.steward_remove(by, "steward-3") for by in ("steward-1", "steward-2")]
    assert "ella" in _live(village, added)
    assert "ella" not in _live(village, added + removals)
    assert "ella" in _live(village, [*added, *removals, village.steward_add("steward-2", "ella")])


def test_a_removed_steward_removes_nobody():
    village = Village()
    ella = [village.steward_add(by, "ella") for by in ("steward-2", "steward-3")]
    removals = [village.steward_remove(by, "ella") for by in ("steward-1", "steward-2")]
    revenge = [village.steward_remove(by, "steward-1") for by in ("ella", "steward-3")]
    assert _live(village, ella + revenge) == {"steward-2", "steward-3", "ella"}
    assert _live(village, ella + removals + revenge) == set(village.stewards)


def test_nobody_is_removed_by_whom_he_holds_up():
    village = Village()
    ella = [village.steward_add(by, "ella") for by in ("steward-1", "steward-2")]
    removals = [village.steward_remove(by, "steward-1") for by in ("ella", "steward-3")]
    assert "steward-1" in _live(village, ella + removals)
    assert "steward-1" not in _live(village, [*ella, *removals, village.steward_add("steward-3", "ella")])


def test_of_two_pairs_that_remove_each_other_the_senior_stays():
    village = Village()
    ella = [village.steward_add(by, "ella") for by in ("steward-1", "steward-2", "steward-3")]
    one = [village.steward_remove(by, who) for by in ("steward-1", "steward-2") for who in ("steward-3", "ella")]
    other = [village.steward_remove(by, who) for by in ("steward-3", "ella") for who in ("steward-1", "steward-2")]
    assert _live(village, ella + one + other) == {"steward-1", "steward-2"}


def test_strangers_who_add_one_another_stay_strangers():
    village = Village()
    strangers = ("ella", "jon", "kim", "lou")
    ring = [village.steward_add(by, who) for by in strangers for who in strangers if by != who]
    assert _live(village, ring) == set(village.stewards)


def test_every_quarrel_of_four_leaves_a_council_that_keeps_its_own_rules():
    """Exhaustive over any two removals by pairs: no founder falls without two live voices, undisputed founders prevail."""
    village = Village()
    four = ("steward-1", "steward-2", "steward-3", "ella")
    ella = [village.steward_add(by, "ella") for by in four[:3]]
    removal = {(by, who): village.steward_remove(by, who) for by in four for who in four if by != who}
    pairs = [(pair, who) for pair in itertools.combinations(four, 2) for who in four if who not in pair]
    for quarrel in itertools.combinations(pairs, 2):
        live = _live(village, ella + [removal[by, who] for pair, who in quarrel for by in pair])
        votes = {who: {by for pair, named in quarrel if named == who for by in pair} for who in four}
        undisputed = {who for who in four[:3] if not votes[who]}
        assert len(live) >= 2
        assert all(len(votes[who] & live) >= 2 for who in four[:3] if who not in live)
        assert not any(who in live for who in four if len(votes[who] & undisputed) >= 2)
