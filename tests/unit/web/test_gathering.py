"""Bodies in parts: what a crowd that never ends its bodies costs a hub."""

import pytest

from hubd.errors import RemoteError
from hubd.limits import (
    CARRY_GATHERED_MAX,
    PHONE_PAGE_BYTES_MAX,
    PHONE_POST_BYTES_MAX,
    PHONE_REQUEST_S,
    PHONE_SOCKETS_MAX,
)
from hubd.web.gathering import Gathering

PART = bytes(PHONE_PAGE_BYTES_MAX)


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def code(gathering: Gathering, who: object) -> str:
    with pytest.raises(RemoteError) as refused:
        gathering.end(who)
    return refused.value.code


def test_parts_are_one_body_and_the_next_begins_anew():
    gathering = Gathering(Clock())
    for part in (b"a", b"b"):
        gathering.add("one", part)
        gathering.add("other", part * 2)
    assert (gathering.end("one"), gathering.end("other")) == (b"ab", b"aabb")
    gathering.add("one", b"")
    assert gathering.end("one") == b""


def test_a_crowd_that_never_ends_its_bodies_is_held_to_few():
    gathering = Gathering(Clock())
    for _ in range(10):
        for who in range(PHONE_SOCKETS_MAX):
            gathering.add(who, PART)
    held = sum(len(body.parts) for body in gathering._bodies.values() if body is not None)
    assert held <= CARRY_GATHERED_MAX * (PHONE_POST_BYTES_MAX + len(PART)) < 8_000_000
    assert code(gathering, 0) == "too-large"
    assert code(gathering, PHONE_SOCKETS_MAX - 1) == "rate"


def test_a_body_that_takes_too_long_gives_its_room_to_another():
    clock = Clock()
    gathering = Gathering(clock)
    for who in range(CARRY_GATHERED_MAX):
        gathering.add(who, PART)
    clock.now_s = PHONE_REQUEST_S + 1
    gathering.add("new", b"whole")
    gathering.add(0, b"the end, too late")
    assert gathering.end("new") == b"whole"
    assert code(gathering, 0) == "rate"


def test_who_parts_leaves_nothing():
    gathering = Gathering(Clock())
    for _ in range(3):
        for who in range(CARRY_GATHERED_MAX):
            gathering.add(who, PART)
            gathering.drop(who)
    gathering.add("new", b"whole")
    assert gathering.end("new") == b"whole"
    assert not gathering._bodies
