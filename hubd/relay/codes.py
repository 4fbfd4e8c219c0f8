"""What the chain's word on one action means for the relay. The table of codes is the fold's (`hubd/fold/codes.py`).

0 and the gateway's own codes are 1-99, the contracts' follow in their ranges (contracts/README.md); from 10,000 up stand
the relay's, for what the chain can't say of a single item. A code without a row waits: it costs a few fees to be wrong
that way, and a person's action to be wrong the other.
"""

from enum import Enum

from hubd.fold.codes import ABORTED, DONE, REFUSED, SPENT

__all__ = ["ABORTED", "OK", "SPENT", "Fate", "fate"]

OK = 0  # executed by this very transaction


class Fate(Enum):
    """What the relay does with an action after a code."""

    DONE = "done"  # the chain has it: nothing is left to do
    WAITS = "waits"  # something it needs is not there yet: again later, and when that changes
    REFUSED = "refused"  # no later attempt can go better: its author is told, once


def fate(code: int) -> Fate:
    """What follows from a code."""
    if code in DONE:
        return Fate.DONE
    return Fate.REFUSED if code in REFUSED else Fate.WAITS
