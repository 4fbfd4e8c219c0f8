"""What a relay says of itself. Apart from it, so that a hub which just started can say it before its relay is read."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Status:
    """For `hubd status`. Counts are of actions unless they say otherwise; None: no node has answered yet."""

    wallet: str
    balance_ustx: int | None = None
    account_nonce: int | None = None
    burn_height: int | None = None
    height: int | None = None
    waiting: int = 0  # for a transaction to travel in; at most `RELAY_WAITING_MAX`, what is beyond waits in the set
    parked: int = 0  # of these, for something else to change first
    expired: int = 0  # not sent in time: the chain would refuse them; their authors may sign them anew
    transactions_open: int = 0
    transactions_watched: int = 0  # not final yet
    fees_day_ustx: int = 0
    fees_newcomers_ustx: int = 0  # of these, for people whom nobody vouches for
    trouble: str = ""  # a code of hubd/messages.py, "" when all is well
    hint: str = ""
