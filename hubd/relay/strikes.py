"""Authors whose actions abort whole transactions: who does so often pauses for a day.

Each strike is a transaction that was paid for, and none of its actions is ever sent again: the fees of a day, which each
hub sets for itself, bound how many there are. Where they pay for more authors than a table holds, none who pauses goes.
"""

from hubd.action.principal import Principal
from hubd.limits import RELAY_STRIKES_MAX, RELAY_STRUCK_MAX

STRIKE_PAUSE_S = 86_400


class Strikes:
    """How many each author has, and until when it pauses.

    Of those who do not pause, the one whose last is the oldest is forgotten first. Nobody who pauses ever is: a table full
    of them remembers nobody new until the first pause is over.
    """

    def __init__(self) -> None:
        self._of: dict[Principal, tuple[int, float]] = {}

    def __len__(self) -> int:
        return len(self._of)

    def add(self, author: Principal, now: float) -> None:
        """An action of this author aborted its transaction, alone."""
        count = self._of.pop(author, (0, now))[0] + 1
        self._of[author] = count, now + STRIKE_PAUSE_S if count >= RELAY_STRIKES_MAX else now
        if len(self._of) > RELAY_STRUCK_MAX:
            del self._of[next(each for each, (_, until) in self._of.items() if until <= now)]

    def is_paused(self, author: Principal, now: float) -> bool:
        """Whether nothing of this author's travels now."""
        return author in self._of and self._of[author][1] > now
