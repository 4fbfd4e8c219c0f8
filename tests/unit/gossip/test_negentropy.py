"""Both sides of the reconciliation protocol."""

import time
from contextlib import suppress

import pytest
from reconciliation import (
    UNBOUNDED_BYTES,
    finds_the_difference,
    is_recorded,
    numbered_id,
    recorded_pairs,
    talk,
    transcripts,
)

from hubd.errors import RemoteError
from hubd.gossip import negentropy
from hubd.gossip.items import SortedItems
from hubd.gossip.negentropy import Initiator, Responder
from hubd.gossip.ranges import Fingerprint, IdList, parse
from hubd.limits import RECONCILE_FRAME_BYTES_MAX


@pytest.mark.parametrize("case", transcripts(), ids=lambda case: case["name"])
def test_both_sides_speak_as_the_reference_to_the_byte(case):
    ours, theirs = recorded_pairs(case["a"]), recorded_pairs(case["b"])

    spoken = talk(
        SortedItems(ours), SortedItems(theirs), case["frame_size_limit_a"], case["frame_size_limit_b"], rounds_max=100
    )

    assert len(spoken.messages) == len(case["messages"])
    for number, (message, recorded) in enumerate(zip(spoken.messages, case["messages"], strict=True)):
        assert is_recorded(message, recorded), f"message {number}"
    assert sorted(id_.hex() for id_ in spoken.have) == sorted(case["have"])
    assert sorted(id_.hex() for id_ in spoken.need) == sorted(case["need"])


def test_equal_sets_are_proven_equal_in_one_round():
    pairs = [(1000 + number, numbered_id(number)) for number in range(500)]
    spoken = talk(SortedItems(pairs), SortedItems(pairs))
    assert spoken.rounds == 1
    assert spoken.messages[1] == b"\x61"


@pytest.mark.parametrize(("count", "modes"), [(31, [IdList]), (32, [Fingerprint] * 16)])
def test_fewer_than_thirty_two_items_are_listed_and_more_are_parted(count, modes):
    opening = Initiator().open(SortedItems((1000 + number, numbered_id(number)) for number in range(count)))
    assert [type(each) for each in parse(opening, bytes_max=UNBOUNDED_BYTES)] == modes


@pytest.mark.parametrize(("frame_bytes_max", "ids_count"), [(4096, 122), (4231, 126), (4232, 126), (4233, 127)])
def test_ids_are_listed_until_the_frame_less_200_bytes_is_exceeded(frame_bytes_max, ids_count):
    items = SortedItems((1000 + number, numbered_id(number)) for number in range(500))
    answer = Responder(frame_bytes_max).handle(items, Initiator().open(SortedItems()))
    listed, rest = parse(answer, bytes_max=UNBOUNDED_BYTES)
    assert isinstance(listed, IdList)
    assert isinstance(rest, Fingerprint)
    assert len(listed.ids) == ids_count


def small_hub_and_full_hub():
    """A full hub asks one that holds the beginnings of its first four buckets and most of the fifth. Tuned so that
    a frame of the small hub is full just behind its last item, and the next one of the full hub just before its end.
    """
    full = [(1000 + 3 * number, numbered_id(number)) for number in range(16 * 368)]
    small = [pair for bucket in range(4) for pair in full[bucket * 368 : bucket * 368 + 27 + (bucket < 2)]]
    last = full[4 * 368 : 5 * 368]
    missing = {367 - 23 * nth for nth in range(5)}
    return full, small + [pair for place, pair in enumerate(last) if place not in missing]


def test_items_behind_a_full_frame_are_not_forgotten():
    full, small = small_hub_and_full_hub()
    assert finds_the_difference(talk(SortedItems(full), SortedItems(small), 4096, 4096), full, small)


def test_closing_a_frame_exactly_as_the_reference_would_forget_them(monkeypatch):
    """The mutant that the test above kills, and the proof that it stands for a real loss."""
    monkeypatch.setattr(negentropy, "_EMPTY", b"")
    full, small = small_hub_and_full_hub()
    assert not finds_the_difference(talk(SortedItems(full), SortedItems(small), 4096, 4096), full, small)


def test_no_id_is_reported_twice_though_full_frames_ask_again():
    ours = [(1000 + number, numbered_id(number)) for number in range(3000) if number % 7]
    theirs = [(1000 + number, numbered_id(number)) for number in range(3000) if number % 5]
    spoken = talk(SortedItems(ours), SortedItems(theirs), 4096, 4096)
    assert spoken.rounds > 10
    assert len(spoken.have) == len(set(spoken.have))
    assert len(spoken.need) == len(set(spoken.need))
    assert finds_the_difference(spoken, ours, theirs)


@pytest.mark.parametrize("frame_bytes_max", [4096, 5000, 65536])
def test_every_message_fits_its_frame(frame_bytes_max):
    ours = [(1000 + number // 40, numbered_id(number)) for number in range(0, 6000, 2)]
    theirs = [(1000 + number // 40, numbered_id(number)) for number in range(0, 6000, 3)]
    spoken = talk(SortedItems(ours), SortedItems(theirs), frame_bytes_max, frame_bytes_max)
    assert max(map(len, spoken.messages)) <= frame_bytes_max


def test_items_may_be_added_between_messages():
    ours, theirs = SortedItems(), SortedItems((1000 + number, numbered_id(number)) for number in range(400))
    for number in range(0, 400, 3):
        ours.add(1000 + number, numbered_id(number))
    initiator, responder = Initiator(), Responder()
    message, need = initiator.open(ours), []
    while message is not None:
        message, have, found = initiator.handle(ours, responder.handle(theirs, message))
        assert not have
        need += found
        for number in range(400):
            if numbered_id(number) in found:
                ours.add(1000 + number, numbered_id(number))
    assert len(need) == theirs.size() - 134
    assert ours.fingerprints([(0, 400)]) == theirs.fingerprints([(0, 400)])


@pytest.mark.parametrize("version", [0x60, 0x62, 0x6F])
def test_a_responder_answers_another_version_with_its_own(version):
    assert Responder().handle(SortedItems(), bytes([version]) + b"whatever that version says") == b"\x61"


@pytest.mark.parametrize("version", [0x60, 0x62])
def test_an_initiator_cannot_go_on_with_a_peer_of_another_version(version):
    with pytest.raises(RemoteError) as refusal:
        Initiator().handle(SortedItems(), bytes([version]))
    assert refusal.value.code == "reconcile-version"


@pytest.mark.parametrize("message", [b"", b"\x00", b"\x5f", b"\x70", b"GET / HTTP/1.1"])
def test_bytes_of_no_version_are_refused(message):
    for side in (Initiator(), Responder()):
        with pytest.raises(RemoteError) as refusal:
            side.handle(SortedItems(), message)
        assert refusal.value.code == "reconcile"


def test_a_message_above_the_limit_is_refused_unread():
    message = b"\x61" + bytes(RECONCILE_FRAME_BYTES_MAX)
    for side in (Initiator(), Responder()):
        with pytest.raises(RemoteError) as refusal:
            side.handle(SortedItems(), message)
        assert refusal.value.code == "reconcile-too-large"


def test_a_frame_too_small_for_the_protocol_is_our_own_mistake():
    for side in (Initiator, Responder):
        with pytest.raises(AssertionError):
            side(4095)


@pytest.mark.parametrize(
    "range_bytes", [b"\x02\x00\x00", b"\x02\x00\x01" + bytes(16), b"\x02\x00\x02\x00"], ids=["skip", "print", "list"]
)
def test_the_densest_message_costs_little_time(range_bytes):
    """About 0.15 s where this was written; the bound is for slow machines."""
    items = SortedItems((number, numbered_id(number)) for number in range(30_000))
    message = b"\x61" + range_bytes * ((RECONCILE_FRAME_BYTES_MAX - 1) // len(range_bytes))
    for side in (Initiator(), Responder()):
        start = time.process_time()
        with suppress(RemoteError):  # more ranges than an honest message of this size
            side.handle(items, message)
        assert time.process_time() - start < 3


def test_an_answer_is_bounded_by_the_frame_whatever_was_asked():
    items = SortedItems((number, numbered_id(number)) for number in range(30_000))
    asks = b"\x61" + (b"\x02\x00\x01" + bytes(16)) * 3000
    assert len(Responder(4096, message_bytes_max=UNBOUNDED_BYTES).handle(items, asks)) <= 4096
