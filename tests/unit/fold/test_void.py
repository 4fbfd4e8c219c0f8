"""Void: every reason, by the shortest way to it; and what is not void but waits."""

from collections.abc import Callable

import pytest
from builders import Village

from hubd.action.envelope import Action
from hubd.action.kinds import KINDS
from hubd.fold.checks import CHECKS, OWN, SUBJECTS
from hubd.fold.folder import fold
from hubd.fold.speaking import SPEAKERS, Speaker
from hubd.fold.void import REASONS


def _revoked(v: Village) -> list[Action]:
    born = v.register("ana")
    add = v.key_add("ana", "phone", born)
    return [born, add, v.key_accept("phone", add), v.key_revoke("ana", "phone", add)]


# reason -> the set, its last action being void for it
SHORTEST: dict[str, Callable[[Village], list[Action]]] = {
    "columns": lambda v: [v.seal("ana", "user-register", amount=1)],
    "content": lambda v: [v.announce("hub", text={})],
    "unregistered": lambda v: [v.request("ana")],
    "scope": lambda v: [
        born := v.register("ana"),
        add := v.key_add("ana", "phone", born, scopes=8),
        v.key_accept("phone", add),
        v.book("phone", "tomas"),
    ],
    "revoked": lambda v: [*_revoked(v), v.request("phone")],
    "not-steward": lambda v: [v.steward_add("ana", "tomas")],
    "not-officer": lambda v: [v.register("ana"), v.seal("ana", "tutor-clear", who="tomas", moment=1)],
    "not-admitted": lambda v: [v.receipt("hub", [])],
    "subject": lambda v: [v.register("ana"), request := v.request("ana"), v.offer_withdraw("ana", request)],
    "not-party": lambda v: [v.register("ana"), book := v.book("ana", "tomas"), v.confirm("ana", book)],
    "self": lambda v: [v.register("ana"), v.book("ana", "ana")],
    "who": lambda v: [announce := v.announce("hub"), v.admit("steward-1", announce, who="other")],
    "person": lambda v: [born := v.register("ana"), v.register("tomas"), v.key_add("ana", "tomas", born)],
    "terms": lambda v: [
        v.register("ana"),
        v.register("tomas"),
        book := v.book("ana", "tomas"),
        v.confirm("tomas", book, amount=1),
    ],
    "bounds": lambda v: [v.register("ana"), v.guardian_set("ana", "tomas", slot=5)],
    "bits": lambda v: [v.register("ana"), v.book("ana", "tomas", minutes=0)],
    "stars": lambda v: [v.register("ana"), book := v.book("ana", "tomas"), v.rating_open("ana", book, "tomas", 6)],
}


def test_every_reason_has_a_sentence_and_a_way_to_it():
    assert set(SHORTEST) == set(REASONS)
    assert all(sentence.endswith(".") for sentence in REASONS.values())


@pytest.mark.parametrize("reason", SHORTEST)
def test_the_shortest_way_to(reason):
    village = Village(8)
    actions = SHORTEST[reason](village)
    void = fold(village.charter, actions).void
    assert {action_id: entry.reason for action_id, entry in void.items()} == {actions[-1].id: reason}


def test_what_somebody_signs_before_their_registration_arrives_is_void_until_it_does():
    village = Village(8)
    request = village.request("ana")
    assert request.id in fold(village.charter, [request]).void
    assert not fold(village.charter, [request, village.register("ana")]).void


def test_an_action_about_something_that_is_not_here_waits():
    village = Village(8)
    people = [village.register("ana"), village.register("tomas")]
    thread = village.thread("ana", "tomas")
    request = village.request("ana")
    match = village.match_offer("tomas", request)
    waiting = [*thread.actions[1:], match, village.match_accept("ana", match), village.request_close("ana", request)]
    views = fold(village.charter, [*people, *waiting])
    assert not views.void
    assert not views.lessons


def test_what_is_about_a_void_action_is_void():
    village = Village(8)
    book = village.book("ana", "tomas", minutes=0)
    actions = [village.register("ana"), village.register("tomas"), book, village.confirm("tomas", book)]
    void = fold(village.charter, actions).void
    assert [void[action.id].reason for action in actions[2:]] == ["bits", "subject"]


def test_officers_clear_tutors_and_stewards_may_too():
    village = Village(8)
    actions = [village.seal(name, "tutor-clear", who="tomas", moment=1) for name in ("officer-1", "steward-1")]
    assert not fold(village.charter, actions).void


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_broken_column_makes_any_kind_void(kind):
    filled = {"amount": 1, "moment": 1, "bits": 1, "subject": b"\x01" * 32, "who": "tomas"}
    columns = {name: KINDS[kind].columns[name] for name in filled}
    lacks_one = any(not column.admits(is_set=False) for column in columns.values())
    village = Village(8)
    action = village.seal("ana", kind, **({} if lacks_one else filled))
    assert fold(village.charter, [action]).void[action.id].reason == "columns"


def test_the_tables_name_known_kinds_and_columns_that_they_have():
    assert set(SPEAKERS) == set(KINDS)
    assert set(CHECKS) <= set(KINDS)
    assert all(KINDS[kind].subject for kind in set(SUBJECTS) | OWN)
    assert all(kinds <= set(KINDS) for kinds in SUBJECTS.values())
    assert {kind for kind, who in SPEAKERS.items() if who is Speaker.HUB} == {"relay-receipt", "relay-balance"}
