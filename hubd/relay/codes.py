"""What the chain's word on one action means for the relay: one row for each code an item may come back with.

0 and the gateway's own codes are 1-99, the contracts' follow in their ranges (contracts/README.md); from 10,000 up stand
the relay's, for what the chain can't say of a single item. A code without a row waits: it costs a few fees to be wrong
that way, and a person's action to be wrong the other.
"""

from enum import Enum

DONE = 0
SPENT = 4
ABORTED = 10_000  # alone in its transaction, and the transaction aborted


class Fate(Enum):
    """What the relay does with an action after a code."""

    DONE = "done"  # the chain has it: nothing is left to do
    WAITS = "waits"  # something it needs is not there yet: again later, and when that changes
    REFUSED = "refused"  # no later attempt can go better: its author is told, once


_DONE = (DONE, SPENT)
_REFUSED = (
    1, 2, 3, 5, 6, 7, 10,  # signature, author, range, expired, unknown kind, who is missing, length
    200, 202, 203, 204, 205, 206,  # key taken, revoked, ended, beyond its scope or its cap; unknown roles
    600, 602, 603, 604, 606, 608, 609, 610, 612,  # exists, no party, oneself, not open, over, terms, bits, twice, range
    700, 702, 704, 706,  # amount, lock exists, lock settled, recipient
    802, 803, 804, 806, 807, 808,  # not a party, other, sealed twice, stars, differs from its seal, opened twice
    ABORTED,
)  # fmt: skip
_WAITS = (
    8, 9,  # a token in the wrong batch
    101, 105, 106, 107,  # set-up calls are still to come; deposits paused; the asset is closed or not admitted yet
    201,  # the key is nobody's yet
    601, 605, 607, 611,  # booking, confirmation, attendance, or the tutor's registration is on its way
    701, 703, 705,  # a deposit or a lock is on its way; the token refused for now
    800, 801, 805, 809,  # lesson, attendance, own seal or the other's seal is on its way
)  # fmt: skip
FATES: dict[int, Fate] = (
    dict.fromkeys(_DONE, Fate.DONE) | dict.fromkeys(_REFUSED, Fate.REFUSED) | dict.fromkeys(_WAITS, Fate.WAITS)
)


def fate(code: int) -> Fate:
    """The row of a code; `WAITS` where there is none."""
    return FATES.get(code, Fate.WAITS)
