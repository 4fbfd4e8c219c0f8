"""Messages of reconciliation grow only where the link has shown that it carries them."""

import pytest

from hubd.gossip.pace import Pace
from hubd.limits import RECONCILE_FRAME_BYTES_MAX, RECONCILE_LINK_BYTES_MAX


@pytest.mark.parametrize(
    ("said", "heard", "took_s", "frame_bytes_max"),
    [
        (60_000, 60_000, 20.0, RECONCILE_FRAME_BYTES_MAX),  # 6 kB/s
        (400, 400, 0.2, RECONCILE_FRAME_BYTES_MAX),  # nothing is known yet
        (60_000, 60_000, 4.0, 120_000),
        (60_000, 60_000, 0.1, RECONCILE_LINK_BYTES_MAX),
        (60_000, 60_000, 0.0, RECONCILE_LINK_BYTES_MAX),
    ],
)
def test_the_next_message_is_as_large_as_the_link_carries_in_a_few_seconds(said, heard, took_s, frame_bytes_max):
    pace = Pace()
    assert pace.frame_bytes_max == RECONCILE_FRAME_BYTES_MAX
    pace.said(said, 100.0)
    pace.heard(heard, 100.0 + took_s)
    assert pace.frame_bytes_max == frame_bytes_max


def test_a_link_that_becomes_slow_gets_small_messages_again():
    pace = Pace()
    pace.heard(200_000, 50.0)
    assert pace.frame_bytes_max == RECONCILE_FRAME_BYTES_MAX, "an answer to nothing tells nothing"
    pace.said(60_000, 100.0)
    pace.heard(60_000, 100.1)
    pace.said(200_000, 101.0)
    pace.heard(200_000, 161.0)
    assert pace.frame_bytes_max == RECONCILE_FRAME_BYTES_MAX
