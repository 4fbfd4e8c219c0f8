"""Names: sealed for the village, opened by its phones, and never trusted further than a screen."""

from builders import Village

from hubd.action.content import read_content, seal_content
from hubd.phone.names import Names

VILLAGE = Village(1)
KEY = bytes(range(32))
ANA, BEN = VILLAGE.principal("ana"), VILLAGE.principal("ben")


def test_a_name_is_read_by_the_village_and_by_nobody_else() -> None:
    sealed = Names(KEY).seal("Amina")
    assert sealed is not None
    assert b"Amina" not in sealed
    registration = VILLAGE.register("ana", text={"name": sealed})
    village, stranger, none = Names(KEY), Names(bytes(32)), Names(None)
    for names in (village, stranger, none):
        names.learn(registration)
    assert village.by_person == {ANA: "Amina"}
    assert stranger.by_person == none.by_person == {}
    assert none.seal("Amina") is None, "without the village's key a name stays on its phone"


def test_the_same_name_is_sealed_differently_each_time() -> None:
    assert Names(KEY).seal("Amina") != Names(KEY).seal("Amina")


def test_junk_instead_of_a_name_is_no_name() -> None:
    names = Names(KEY)
    for junk in (b"", b"x" * 60, "Amina", 5, names.seal(""), names.seal("a" * 41), names.seal("a\x1b[2J")):
        names.learn(VILLAGE.register("ana", text={"name": junk}))
    names.learn(VILLAGE.register("ana", text={}))
    names.learn(VILLAGE.register("ana"))
    assert names.by_person == {}


def test_a_name_that_two_people_bear_means_neither() -> None:
    names = Names(KEY)
    for person in ("ana", "ben"):
        names.learn(VILLAGE.register(person, text={"name": names.seal("Amina")}))
    assert names.by_name() == {}
    names.give(BEN, "Amina the tall")
    assert names.by_name() == {"amina": ANA, "amina the tall": BEN}


def test_what_the_owner_calls_somebody_stands_before_what_they_say() -> None:
    names = Names(KEY)
    names.give(ANA, "Auntie")
    names.learn(VILLAGE.register("ana", text={"name": names.seal("Amina")}))
    assert names.by_person == {ANA: "Auntie"}


def test_the_content_is_an_ordinary_content() -> None:
    sealed = Names(KEY).seal("Amina")
    assert read_content(seal_content({"name": sealed}, bytes(16)), "user-register") == {"name": sealed}
