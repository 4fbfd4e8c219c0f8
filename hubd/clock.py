"""Whether this machine's clock can be believed: who spoke of it, and what follows from that.

Sans-IO: `handle(event, now)` returns what to do, `verdict(now)` is for people. No rule of the set asks this machine. What a
witness says is kept as a distance to the monotonic clock, so that it stays true when somebody sets the clock.

In this order: time servers know. What the chain confirmed, and what servers agreed to before, are behind us for certain.
Phones of several persons count where they outnumber those who say otherwise: what is signed is no older than the clock
of a phone, but may be brought months later. Last, a mesh is no younger than its charter.
"""

from dataclasses import dataclass
from enum import StrEnum

from hubd.limits import (
    CLOCK_CHAIN_S,
    CLOCK_MARK_S,
    CLOCK_OLDER_S,
    CLOCK_PERSONS_MAX,
    CLOCK_PERSONS_MIN,
    CLOCK_WORD_S,
    CLOCKS_APART_S,
)


class State(StrEnum):
    """What is known of the clock."""

    CONFIRMED = "confirmed"
    UNCONFIRMED = "unconfirmed"
    BEHIND = "behind"
    AHEAD = "ahead"


class Witness(StrEnum):
    """Who can speak of it."""

    NTP = "ntp"
    CHAIN = "chain"
    MARK = "mark"  # this hub itself, which knew a later time before
    PHONES = "phones"
    CHARTER = "charter"
    NOBODY = ""


@dataclass(frozen=True, slots=True)
class Now:
    """One moment on both clocks: the machine's, in Unix seconds, right or wrong, and the monotonic one."""

    wall_s: float
    steady_s: float

    @property
    def shift_s(self) -> float:
        """By how much the first shows more; it changes where somebody sets the clock, and else hardly."""
        return self.wall_s - self.steady_s


@dataclass(frozen=True, slots=True)
class Looked:
    """The system was asked whether servers keep its clock, the views for the latest confirmed block time."""

    is_synchronised: bool
    chain_s: int | None


@dataclass(frozen=True, slots=True)
class Brought:
    """Something new came to the phones' door, signed at `created_s` by this person whom somebody vouched for."""

    person: bytes
    created_s: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """The clock lacks (behind) or has too many (ahead) `off_s` seconds at least; the witness spoke `age_s` ago."""

    state: State
    by: Witness = Witness.NOBODY
    off_s: int = 0
    age_s: int | None = None


@dataclass(frozen=True, slots=True)
class KeepMark:
    """Keep this time over a restart: no right clock shows less from now on."""

    time_s: int


@dataclass(frozen=True, slots=True)
class Tell:
    """What is known of the clock has changed."""

    verdict: Verdict


@dataclass(frozen=True, slots=True)
class _Word:
    """A clock that shows so much more than the monotonic one, heard at this moment of the latter."""

    shift_s: float
    at_s: float

    def counts(self, now: Now) -> bool:
        return now.steady_s - self.at_s < CLOCK_WORD_S

    def age_s(self, now: Now) -> int:
        return int(now.steady_s - self.at_s)


class Clock:
    """`mark_s` was kept before the start, `charter_s` is when the charter's founding actions say they were signed."""

    def __init__(self, mark_s: int = 0, charter_s: int = 0) -> None:
        self._mark_s, self._charter_s, self._chain_s = mark_s, charter_s, 0
        self._servers: _Word | None = None
        self._phones: dict[bytes, _Word] = {}  # by person; who was silent longest comes first
        self._told: tuple[State, Witness] | None = None

    def handle(self, event: Looked | Brought, now: Now) -> list[KeepMark | Tell]:
        """Take one event; returns what to do."""
        if isinstance(event, Brought):
            self._hear(event, now)
            return []
        outs: list[KeepMark | Tell] = []
        self._chain_s = event.chain_s or 0
        if event.is_synchronised:
            self._servers = _Word(now.shift_s, now.steady_s)
            if not 0 <= now.wall_s - self._mark_s < CLOCK_MARK_S:  # a mark that proves wrong goes back
                self._mark_s = int(now.wall_s)
                outs.append(KeepMark(self._mark_s))
        verdict = self.verdict(now)
        if (verdict.state, verdict.by) != self._told:
            self._told = verdict.state, verdict.by
            outs.append(Tell(verdict))
        return outs

    def verdict(self, now: Now) -> Verdict:
        """What is known of the clock at this moment."""
        return (
            self._by_servers(now)
            or _by_bound(Witness.CHAIN, self._chain_s - CLOCK_CHAIN_S, now)
            or _by_bound(Witness.MARK, self._mark_s, now)
            or self._by_phones(now)
            or _by_bound(Witness.CHARTER, self._charter_s, now)
            or Verdict(State.UNCONFIRMED)
        )

    def _hear(self, event: Brought, now: Now) -> None:
        """Of all that a person brings, the newest tells most: the rest waited."""
        word, known = _Word(event.created_s - now.steady_s, now.steady_s), self._phones.pop(event.person, None)
        is_told = known is not None and known.counts(now) and known.shift_s > word.shift_s
        self._phones[event.person] = known if known is not None and is_told else word
        if len(self._phones) > CLOCK_PERSONS_MAX:
            del self._phones[next(iter(self._phones))]

    def _by_servers(self, now: Now) -> Verdict | None:
        """Their word outlives the network until the clock is set by hand, or may have strayed."""
        if self._servers is None or not self._servers.counts(now):
            return None
        age_s, off_s = self._servers.age_s(now), self._servers.shift_s - now.shift_s
        if abs(off_s) <= CLOCKS_APART_S:
            return Verdict(State.CONFIRMED, Witness.NTP, 0, age_s)
        return Verdict(State.BEHIND if off_s > 0 else State.AHEAD, Witness.NTP, int(abs(off_s)), age_s)

    def _by_phones(self, now: Now) -> Verdict | None:
        """The largest of three groups; a distance is believed as far as so many persons go who are needed at least."""
        words = sorted(
            ((word.shift_s - now.shift_s, word) for word in self._phones.values() if word.counts(now)),
            key=lambda each: -each[0],
        )
        groups = {
            State.BEHIND: [each for each in words if each[0] > CLOCKS_APART_S],
            State.CONFIRMED: [each for each in words if abs(each[0]) <= CLOCKS_APART_S],
            State.AHEAD: [each for each in words if each[0] < -CLOCK_OLDER_S],
        }
        second, first = sorted(groups, key=lambda state: len(groups[state]))[1:]
        group = groups[first]
        if len(group) < CLOCK_PERSONS_MIN or len(group) == len(groups[second]):
            return None
        off_s = 0 if first is State.CONFIRMED else int(abs(group[CLOCK_PERSONS_MIN - 1][0]))
        return Verdict(first, Witness.PHONES, off_s, min(word.age_s(now) for _, word in group))


def _by_bound(by: Witness, time_s: int, now: Now) -> Verdict | None:
    """No right clock shows less than `time_s`; those of two machines may still be a little apart."""
    off_s = int(time_s - now.wall_s)
    return Verdict(State.BEHIND, by, off_s) if off_s > CLOCKS_APART_S else None
