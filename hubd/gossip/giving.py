"""What one neighbour was given in sessions, against what became of it: who takes everything again and again has to wait.

A hub that was given what it lacks has it then. So after a session its set has grown, and from one whole set to the next
it is given no more than that. Who is given much and does not grow has a worn-out card, or is a rogue; nobody can tell, so
it is no fault: the next session is twice as far away as the one before.

Growth is told by the neighbour's own counts, at the end of a session, or at its next greeting where there was no such
end. They may be lies. What we sent is none: beyond twice our set within some minutes, everybody waits. Of a link that was
lost only what was acknowledged counts, so that one that breaks again and again costs nobody a wait.
"""

from dataclasses import dataclass

from hubd.gossip.dialogue import Ended
from hubd.limits import GIVEN_SETS_MAX, GIVEN_SETS_S, GIVEN_SPARE_ACTIONS, SESSION_AGAIN_S, SESSION_STALLED_S_MAX

_LOST = frozenset({"closed", "silent"})  # what was on its way then is nobody's fault
_COMPARED = frozenset({"busy", "missing", "refused"})  # both said at the end what their sets are


@dataclass(slots=True)
class Giving:
    """Tell it of every session of one neighbour when it is over, and of its greetings. `now` as machines have it."""

    stalls: int = 0  # sessions in a row that were for nothing
    rests_until: float = 0.0  # no session before
    _taken: int = 0  # actions that it called new and took, in sessions without an end ...
    _had: int = 0  # ... since it said it had so many
    _given: float = 0.0  # actions in a leaky bucket
    _given_at: float = 0.0

    def greeted(self, count: int, now: float) -> None:
        """It begins a session, and says that it has so many."""
        if 2 * max(0, count - self._had) < self._taken:
            self._stall(now)
        self._taken = 0

    def ended(self, ended: Ended, now: float) -> None:
        """A session is over, in whichever way. Those for which our own card could not be read are tried again so, too."""
        sent = ended.landed if ended.code in _LOST else ended.sent
        is_much = self._fill(sent, ended.count, now)
        self._note_taken(ended)
        is_kept = 2 * (max(0, ended.peer_grew) + ended.received) >= ended.sent
        is_for_nothing = ended.code == "database" or (ended.code in _COMPARED and not is_kept)
        if is_for_nothing or (is_much and sent):
            self._stall(now)
        elif ended.is_proven and not is_much:
            self.stalls, self.rests_until = 0, 0.0

    def _note_taken(self, ended: Ended) -> None:
        if ended.is_proven or ended.code in _COMPARED:
            self._taken = 0
        elif ended.fresh:
            self._had = self._had if self._taken else ended.peer_count - ended.peer_grew
            self._taken += ended.fresh

    def _fill(self, sent: int, count: int, now: float) -> bool:
        """So many of our `count` actions went there. Whether that is too much of late."""
        if not count:
            return False
        leaked = (now - self._given_at) * (count + GIVEN_SPARE_ACTIONS) / GIVEN_SETS_S
        self._given, self._given_at = max(0.0, self._given - leaked) + sent, now
        return self._given > GIVEN_SETS_MAX * count + GIVEN_SPARE_ACTIONS

    def _stall(self, now: float) -> None:
        self.stalls += 1
        self.rests_until = now + min(SESSION_STALLED_S_MAX, SESSION_AGAIN_S * 2 ** min(self.stalls, 16))
