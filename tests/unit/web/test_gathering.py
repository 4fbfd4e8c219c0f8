"""Bodies in parts: what a crowd that never ends its bodies costs a hub."""

import pytest
from builders import Village

from hubd.errors import RemoteError
from hubd.limits import (
    CARRY_GATHERED_MAX,
    CARRY_GATHERED_PER_ADDRESS_MAX,
    CARRY_GATHERED_PER_PERSON_MAX,
    PHONE_PAGE_BYTES_MAX,
    PHONE_POST_BYTES_MAX,
    PHONE_REQUEST_S,
    PHONE_SOCKETS_MAX,
)
from hubd.web.gathering import Bringer, Gathering

VILLAGE = Village(1)
PART = bytes(PHONE_PAGE_BYTES_MAX)


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def by(name: object, *, is_known: bool = False, address: str = "") -> Bringer:
    return Bringer(VILLAGE.principal(str(name)), address, is_known)


def code(gathering: Gathering, who: object) -> str:
    with pytest.raises(RemoteError) as refused:
        gathering.end(who)
    return refused.value.code


def test_parts_are_one_body_and_the_next_begins_anew():
    gathering = Gathering(Clock())
    for part in (b"a", b"b"):
        gathering.add("one", by("ana"), part)
        gathering.add("other", by("ben"), part * 2)
    assert (gathering.end("one"), gathering.end("other")) == (b"ab", b"aabb")
    gathering.add("one", by("ana"), b"")
    assert gathering.end("one") == b""


def test_a_crowd_that_never_ends_its_bodies_is_held_to_few():
    gathering = Gathering(Clock())
    for _ in range(10):
        for who in range(PHONE_SOCKETS_MAX):
            gathering.add(who, by(who), PART)
    held = sum(len(body.parts) for body in gathering._bodies.values() if body is not None)
    assert held <= CARRY_GATHERED_MAX * (PHONE_POST_BYTES_MAX + len(PART)) < 8_000_000
    assert code(gathering, 0) == "too-large"
    assert code(gathering, PHONE_SOCKETS_MAX - 1) == "rate"


def test_a_body_that_takes_too_long_gives_its_room_to_another():
    clock = Clock()
    gathering = Gathering(clock)
    for who in range(CARRY_GATHERED_MAX):
        gathering.add(who, by(who), PART)
    clock.now_s = PHONE_REQUEST_S + 1
    gathering.add("new", by("new"), b"whole")
    gathering.add(0, by(0), b"the end, too late")
    assert gathering.end("new") == b"whole"
    assert code(gathering, 0) == "rate"


def test_who_parts_leaves_nothing():
    gathering = Gathering(Clock())
    for _ in range(3):
        for who in range(CARRY_GATHERED_MAX):
            gathering.add(who, by(who), PART)
            gathering.drop(who)
    gathering.add("new", by("new"), b"whole")
    assert gathering.end("new") == b"whole"
    assert not gathering._bodies


def test_who_is_known_takes_the_place_of_whom_nobody_vouched_for_and_of_nobody_else():
    clock = Clock()
    gathering = Gathering(clock)
    for who in range(CARRY_GATHERED_MAX):
        clock.now_s += 0.1
        gathering.add(who, by(who, is_known=who == 0), PART)
    gathering.add("sybil", by("sybil"), PART)
    gathering.add("known", by("known", is_known=True), b"whole")
    assert gathering.end("known") == b"whole"
    assert code(gathering, "sybil") == "rate"
    assert code(gathering, 1) == "rate", "of those, the one that began first"
    assert gathering.end(0) == PART
    assert gathering.end(2) == PART


def test_known_persons_do_not_push_one_another_out():
    gathering = Gathering(Clock())
    for who in (*range(CARRY_GATHERED_MAX), "late"):
        gathering.add(who, by(who, is_known=True), PART)
    assert code(gathering, "late") == "rate"
    assert gathering.end(0) == PART


def test_one_person_and_one_address_hold_few():
    gathering = Gathering(Clock())
    for who in range(CARRY_GATHERED_PER_PERSON_MAX + 1):
        gathering.add(who, by("ana", is_known=True, address=f"10.0.0.{who}"), PART)
    assert code(gathering, CARRY_GATHERED_PER_PERSON_MAX) == "rate"
    for who in range(100, 101 + CARRY_GATHERED_PER_ADDRESS_MAX):
        gathering.add(who, by(who, address="10.0.1.1"), PART)
    assert code(gathering, 100 + CARRY_GATHERED_PER_ADDRESS_MAX) == "rate"
    gathering.add("other", by("other", address="10.0.1.2"), b"whole")
    assert gathering.end("other") == b"whole"


def test_a_known_person_takes_the_place_of_whom_nobody_vouched_for_also_behind_one_address():
    clock = Clock()
    gathering = Gathering(clock)
    for who in range(CARRY_GATHERED_PER_ADDRESS_MAX):
        clock.now_s += 0.1
        gathering.add(who, by(who, address="10.0.0.1"), PART)
    gathering.add("sybil", by("sybil", address="10.0.0.1"), PART)
    gathering.add("known", by("known", is_known=True, address="10.0.0.1"), b"whole")
    assert gathering.end("known") == b"whole"
    assert code(gathering, "sybil") == "rate"
    assert code(gathering, 0) == "rate", "the one that began first"
    assert all(gathering.end(who) == PART for who in range(1, CARRY_GATHERED_PER_ADDRESS_MAX))


def test_where_one_address_has_its_share_nobody_elsewhere_makes_room():
    gathering = Gathering(Clock())
    gathering.add("elsewhere", by("elsewhere", address="10.0.0.2"), PART)
    for who in range(CARRY_GATHERED_PER_ADDRESS_MAX):
        gathering.add(who, by(who, is_known=True, address="10.0.0.1"), PART)
    gathering.add("late", by("late", is_known=True, address="10.0.0.1"), PART)
    assert code(gathering, "late") == "rate"
    assert gathering.end("elsewhere") == PART


@pytest.mark.parametrize(
    ("room", "address"), [(CARRY_GATHERED_MAX, "10.0.0.{}"), (CARRY_GATHERED_PER_ADDRESS_MAX, "10.0.0.1")]
)
def test_of_known_persons_who_bring_two_the_oldest_makes_room_for_who_brings_none(room, address):
    clock = Clock()
    gathering = Gathering(clock)
    for who in range(room):
        clock.now_s += 0.1
        gathering.add(who, by(who // 2, is_known=True, address=address.format(who)), PART)
    gathering.add("first", by("late", is_known=True, address=address.format(200)), b"whole")
    gathering.add("second", by("late", is_known=True, address=address.format(201)), PART)
    assert code(gathering, "second") == "rate", "who has one takes none of another's"
    gathering.add("unknown", by("unknown", address=address.format(202)), PART)
    assert code(gathering, "unknown") == "rate"
    assert gathering.end("first") == b"whole"
    assert code(gathering, 0) == "rate"
    assert all(gathering.end(who) == PART for who in range(1, room))


def test_whom_nobody_vouched_for_makes_room_before_a_known_person_who_brings_two():
    clock = Clock()
    gathering = Gathering(clock)
    for who in range(CARRY_GATHERED_MAX):
        clock.now_s += 0.1
        gathering.add(who, by(who // 2, is_known=who < CARRY_GATHERED_MAX - 1), PART)
    gathering.add("known", by("known", is_known=True), b"whole")
    assert gathering.end("known") == b"whole"
    assert code(gathering, CARRY_GATHERED_MAX - 1) == "rate", "though it began last"
    assert all(gathering.end(who) == PART for who in range(CARRY_GATHERED_MAX - 1))


def test_this_machine_itself_is_no_crowd():
    gathering = Gathering(Clock())
    for who in range(CARRY_GATHERED_MAX):
        gathering.add(who, by(who, address=""), PART)
    assert all(gathering.end(who) == PART for who in range(CARRY_GATHERED_MAX))
