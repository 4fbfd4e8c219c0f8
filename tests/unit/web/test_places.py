"""Who keeps a place when all are taken: strangers and crowds of fresh keys make room, people who are known stay."""

import random

from builders import Village

from hubd import limits
from hubd.web.places import Client, Places
from hubd.web.quota import Rank

VILLAGE = Village(1)
KNOWN = VILLAGE.principal("ana")


def at(number: int) -> Client:
    return f"10.42.{number // 250}.{number % 250}", 5_000


def come(places: Places, numbers: range, now: float) -> list[int]:
    """Those of these connections that got a place."""
    return [number for number in numbers if places.take(at(number), now, lambda: None)]


def crowd(places: Places, numbers: range, now: float, a_person: int = 8) -> None:
    """Connections of persons whom nobody vouched for, so many of each."""
    for number in come(places, numbers, now):
        places.prove(at(number), VILLAGE.principal(f"sybil {number // a_person}"), Rank.NEWCOMER)
        places.hear(at(number), now)


def test_one_person_keeps_no_more_than_its_share_of_the_places() -> None:
    person, honest = (Village(1).principal(name) for name in ("ana", "ben"))
    places = Places(total_max=16, per_person_max=2, stranger_s=5.0)
    for number in range(15):
        assert places.take((f"10.42.0.{number}", 5_000), 0.0, lambda: None)
        places.prove((f"10.42.0.{number}", 5_000), person, Rank.VOUCHED)
    assert places.take(("10.42.0.99", 5_000), 0.0, lambda: None)
    places.prove(("10.42.0.99", 5_000), honest, Rank.VOUCHED)
    came = [places.take((f"10.42.1.{number}", 5_000), 10.0, lambda: None) for number in range(15)]
    assert all(came)
    assert places.gave_way == 15, "the last one got the place of another stranger"
    held = sorted((place.person for place in places._held.values() if place.person), key=bytes)
    assert held == sorted((person, honest), key=bytes), "one of the one and the other one stay"


def test_registered_sybils_never_hold_the_whole_door() -> None:
    places = Places()
    crowd(places, range(limits.PHONE_SOCKETS_MAX), 0.0, a_person=1)
    assert places.taken.total() == limits.PHONE_SOCKETS_MAX
    came = come(places, range(1_000, 1_100), 6.0)
    assert len(came) == limits.PHONE_SOCKETS_MAX - limits.PHONE_SOCKETS_UNVOUCHED_MAX
    assert places.gave_way == len(came)


def test_who_was_vouched_for_keeps_a_place_whatever_crowd_comes() -> None:
    places = Places(total_max=32, unvouched_max=24)
    [first] = come(places, range(1), 0.0)
    places.prove(at(first), KNOWN, Rank.VOUCHED)
    dropped: list[int] = []
    for wave in range(1, 20):
        for number in range(100 * wave, 100 * wave + 40):
            if places.take(at(number), 60.0 * wave, lambda number=number: dropped.append(number)):
                places.prove(at(number), VILLAGE.principal(f"sybil {number // 8}"), Rank.NEWCOMER)
    assert len(dropped) > 300
    places.hear(at(first), 2_000.0)
    assert places._held[at(first)].person == KNOWN


def test_a_newcomer_who_is_silent_gives_way_and_one_who_talks_stays() -> None:
    places = Places(total_max=4, unvouched_max=4)
    crowd(places, range(4), 0.0, a_person=1)
    for number in (0, 2):
        places.hear(at(number), 20.0)
    assert come(places, range(10, 20), 31.0) == [10, 11], "those that said nothing for half a minute made room"
    assert {at(0), at(2)} <= set(places._held)


def test_a_stranger_who_asks_nothing_goes_before_one_who_does() -> None:
    places = Places(total_max=2)
    come(places, range(2), 0.0)
    places.hear(at(0), 1.0)
    assert come(places, range(10, 11), 6.0) == [10]
    assert set(places._held) == {at(0), at(10)}


def test_who_is_vouched_for_meanwhile_is_known_from_the_next_proof_on() -> None:
    places = Places(total_max=1, unvouched_max=1)
    come(places, range(1), 0.0)
    places.prove(at(0), KNOWN, Rank.NEWCOMER)
    places.prove(at(0), KNOWN, Rank.VOUCHED)
    assert come(places, range(10, 11), 90.0) == []


def colluding(places: Places, now: float, persons: int = 32) -> None:
    """So many known persons take all places, eight each."""
    for number in come(places, range(limits.PHONE_SOCKETS_MAX), now):
        places.prove(at(number), VILLAGE.principal(f"rogue {number % persons}"), Rank.VOUCHED)
        places.hear(at(number), now)


def test_known_persons_with_eight_places_each_keep_nobody_out_and_push_nobody_out() -> None:
    places = Places()
    colluding(places, 0.0)
    assert places.taken.total() == limits.PHONE_SOCKETS_MAX
    for number in range(60):
        now, mine, theirs = 6.0 + number, 1_000 + number, range(2_000 + 4 * number, 2_004 + 4 * number)
        assert come(places, range(mine, mine + 1), now) == [mine]
        places.prove(at(mine), VILLAGE.principal(f"honest {number}"), Rank.VOUCHED)
        for rogue in come(places, theirs, now):
            places.prove(at(rogue), VILLAGE.principal(f"rogue {rogue % 32}"), Rank.VOUCHED)
    kept = {place.person for place in places._held.values()}
    assert {VILLAGE.principal(f"honest {number}") for number in range(60)} <= kept, "who has one keeps it"


def test_they_keep_nobody_out_either_where_all_their_places_are_always_new() -> None:
    places, count, step = Places(), limits.PHONE_SOCKETS_MAX, 16
    newest = {slot: slot for slot in range(count)}
    colluding(places, 0.0)
    for tick in range(1, 2 * count // step):
        now = tick * 4.8 * step / count
        for slot in range(tick % (count // step) * step, tick % (count // step) * step + step):
            places.leave(at(newest[slot]))
            newest[slot] = 1_000 * tick + slot
            if come(places, range(newest[slot], newest[slot] + 1), now):
                places.prove(at(newest[slot]), VILLAGE.principal(f"rogue {slot % 32}"), Rank.VOUCHED)
        mine = 60_000 + tick
        assert come(places, range(mine, mine + 1), now) == [mine]
        places.prove(at(mine), VILLAGE.principal(f"honest {tick}"), Rank.VOUCHED)


def proven(places: Places, persons: str, now: float = 0.0) -> None:
    """A connection of each of these known persons."""
    for number in come(places, range(len(persons)), now):
        places.prove(at(number), VILLAGE.principal(persons[number]), Rank.VOUCHED)


def test_of_who_holds_most_the_place_gives_way_where_nothing_was_asked_for_the_longest() -> None:
    places = Places(total_max=7)
    proven(places, "aaabbbb")
    for number, heard in ((0, 4.0), (1, 2.0), (2, 3.0), (3, 4.0), (4, 2.5), (5, 2.4), (6, 3.5)):
        places.hear(at(number), heard)
    left = []
    for number in range(10, 13):
        assert come(places, range(number, number + 1), 4.5) == [number], "of three or more one goes, however new it is"
        left.append({at(each) for each in range(7)} - set(places._held))
    assert left == [{at(5)}, {at(5), at(1)}, {at(5), at(1), at(4)}]
    assert come(places, range(13, 14), 4.5) == [], "each has two, and came just now"


def test_of_two_places_one_gives_way_only_now_and_then() -> None:
    places = Places(total_max=4)
    proven(places, "aabb")
    places.hear(at(2), 1.0)
    assert come(places, range(10, 11), 4.5) == [], "they came just now"
    assert come(places, range(10, 11), 6.0) == [10]
    places.prove(at(10), VILLAGE.principal("c"), Rank.VOUCHED)
    assert come(places, range(11, 12), 5.9 + limits.PHONE_SPARE_S) == []
    assert come(places, range(11, 12), 6.0 + limits.PHONE_SPARE_S) == [11]
    assert {at(number) for number in (1, 2, 10, 11)} == set(places._held), (
        "the one who was silent longer, then the other"
    )


def test_who_gave_up_one_of_many_does_not_make_those_with_two_wait() -> None:
    places = Places(total_max=5)
    proven(places, "aaabb")
    assert come(places, range(10, 12), 6.0) == [10, 11]


def test_people_with_two_devices_each_do_not_push_one_another_out_all_the_time() -> None:
    places, minute = Places(), 60
    outside = dict.fromkeys(range(260), 0)  # by device: when it comes again
    inside: dict[int, Client] = {}

    def dropped(device: int) -> None:
        del inside[device]
        outside[device] = now + 1

    for now in range(minute):
        for device in [each for each, due in outside.items() if due <= now]:
            client = (f"10.0.{device // 250}.{device % 250}", now)
            if places.take(client, now, lambda device=device: dropped(device)):
                places.prove(client, VILLAGE.principal(f"person {device // 2}"), Rank.VOUCHED)
                inside[device] = client
                del outside[device]
    assert minute // limits.PHONE_SPARE_S - 1 <= places.gave_way <= minute // limits.PHONE_SPARE_S
    assert places.turned_away > 100, "four devices had no place and asked every second"


def laptop(places: Places, addresses: int, honest_s: float, per_s: int = 145) -> float:
    """The share of honest phones that stay for so long, while one machine comes again wherever a place of its is taken."""
    stayed, chance, now, number = 0, random.Random(1), 0.0, 0
    places.choose = chance.choice

    def attack(count: int) -> None:
        nonlocal number, now
        for _ in range(count):
            number += 1
            now += 1 / per_s
            places.take((f"10.1.{number % addresses // 250}.{number % addresses % 250}", number), now, lambda: None)

    attack(3 * per_s)
    for phone in range(50):
        is_here = [True]
        client = (f"10.2.0.{phone}", 1)
        is_here[0] = places.take(client, now, lambda is_here=is_here: is_here.clear() or is_here.append(False))
        attack(int(honest_s * per_s))
        stayed += is_here[0]
        places.leave(client)
    return stayed / 50


def test_one_machine_with_sixty_addresses_that_always_comes_anew_shuts_nobody_out() -> None:
    assert laptop(Places(), 60, 2.0) == 1.0


def test_with_more_addresses_than_there_are_places_it_shuts_out_some_and_not_all() -> None:
    assert 0.3 < laptop(Places(), 5_000, 1.0) < 0.9


def test_a_stranger_keeps_its_few_seconds_where_others_of_the_door_are_known() -> None:
    places = Places(total_max=8)
    for number in come(places, range(5), 0.0):
        places.prove(at(number), VILLAGE.principal(f"person {number}"), Rank.VOUCHED)
    assert come(places, range(10, 13), 0.0) == [10, 11, 12]
    assert come(places, range(20, 24), 1.0) == []
    assert come(places, range(20, 24), 6.0) == [20, 21, 22], "and then the oldest give way"


def test_more_newcomers_than_there_is_time_to_shake_hands_with_are_turned_away() -> None:
    places = Places(total_max=8)
    came = come(places, range(8 + 2 * limits.PHONE_CROWD_PER_S), 0.0)
    assert len(came) == 8 + limits.PHONE_CROWD_PER_S
    assert come(places, range(5_000, 5_001), 1.0)


def test_of_young_strangers_those_of_the_address_with_the_most_give_way() -> None:
    places = Places(total_max=8)
    dropped: list[str] = []
    for number, host in enumerate(("a", "a", "a", "b", "b", "c", "d", "e")):
        assert places.take((host, number), 0.0, lambda host=host: dropped.append(host))
    for number in range(3):
        assert places.take((f"new {number}", 1), 1.0, lambda number=number: dropped.append(f"new {number}"))
    assert sorted(dropped) in (["a", "a", "b"], ["a", "b", "b"])
