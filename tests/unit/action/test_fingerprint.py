import hashlib
from types import SimpleNamespace

import pytest

from hubd.action import fingerprint as module
from hubd.action.fingerprint import EMPTY, extend, fingerprint, spoken, without
from hubd.action.sip018 import ActionId

IDS = [ActionId(hashlib.sha256(bytes([number])).digest()) for number in range(40)]


def plain(ids):
    """The same sum, lane by lane."""
    lanes = [0] * 1024
    for action_id in ids:
        raw = hashlib.shake_128(action_id).digest(2048)
        lanes = [(lane + int.from_bytes(raw[2 * at : 2 * at + 2], "big")) % 65536 for at, lane in enumerate(lanes)]
    return b"".join(lane.to_bytes(2, "big") for lane in lanes)


@pytest.mark.parametrize("count", [0, 1, 2, 40])
def test_the_sum_of_large_integers_equals_the_sum_of_lanes(count):
    assert extend(EMPTY, IDS[:count]) == plain(IDS[:count])


def test_order_and_portions_make_no_difference():
    assert extend(extend(EMPTY, IDS[20:]), reversed(IDS[:20])) == extend(EMPTY, IDS)


def test_no_lane_runs_over_into_its_neighbour_however_many_ids_come_at_once(monkeypatch):
    """Lanes of all ones, as many as would fill twice the room above a lane; it kills sums of 2^17 ids at once."""
    most = SimpleNamespace(digest=lambda length: b"\xff" * length)
    monkeypatch.setattr(module, "hashlib", SimpleNamespace(shake_128=lambda _: most))
    count = 2**17 + 5
    assert extend(b"\xff" * 2048, [IDS[0]] * count) == (-(count + 1) % 65536).to_bytes(2, "big") * 1024


@pytest.mark.parametrize("gone", [0, 1, 7, 40])
def test_taking_ids_out_undoes_adding_them(gone):
    assert without(extend(EMPTY, IDS), IDS[:gone]) == extend(EMPTY, IDS[gone:])


def test_different_sets_have_different_fingerprints_also_aloud():
    states = [fingerprint(extend(EMPTY, IDS[:count])) for count in range(41)]
    assert len(set(states)) == len({spoken(state) for state in states}) == 41
