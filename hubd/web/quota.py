"""How much this hub takes at its phones' door: the one place where junk is slowed (docs/phone-api.md, "Quotas").

Policy only defers, and only here: an action that is not taken is kept by the phone, which comes again; what another
door took is in the set all the same. Sans-IO, in memory, forgotten by a restart: a limit on nuisance, not a rule.
"""

from collections import OrderedDict
from collections.abc import Callable
from enum import IntEnum
from typing import Generic, TypeVar

from hubd import limits
from hubd.action.principal import Principal


class Rank(IntEnum):
    """What the views say about an author, least first."""

    STRANGER = 0  # no live key of anybody
    NEWCOMER = 1  # registered; nobody vouched yet
    VOUCHED = 2
    OFFICE = 3  # an admitted hub or a steward: bounded by credit elsewhere, never by a quota


NEWCOMER_KINDS = frozenset(("user-register", "key-accept", "recovery-open", "hub-announce"))
"""What a key that nobody knows may bring: how persons, further keys and hubs come to be known."""
HELP_KINDS = frozenset(("safety-post",))
"""Calls for help, of anybody: no other quota holds them up, and they have one of their own, generous for people."""

_PER_ADDRESS = limits.QUOTA_NEWCOMERS_PER_ADDRESS_PER_HOUR
_HOUR_S = 3_600
_DAY_S = 86_400
_K = TypeVar("_K")
_V = TypeVar("_V")


class Bucket:
    """Tokens that refill with time. `burst` is what it holds when full."""

    __slots__ = ("_at", "_burst", "_per_s", "_tokens")

    def __init__(self, per_s: float, burst: float, now: float) -> None:
        self._per_s, self._burst = per_s, burst
        self._tokens, self._at = burst, now

    def level(self, now: float) -> float:
        """The tokens in it at this moment."""
        self._tokens = min(self._burst, self._tokens + max(0.0, now - self._at) * self._per_s)
        self._at = max(now, self._at)
        return self._tokens

    def spend(self, tokens: float = 1) -> None:
        """Take some out; whoever asks looked at the level first."""
        self._tokens -= tokens

    def wait_s(self, now: float) -> float:
        """How long until one token is there."""
        return max(0.0, (1 - self.level(now)) / self._per_s)


class _Remembered(Generic[_K, _V]):
    """The most recently seen entries of a table, bounded."""

    def __init__(self, make: Callable[[float], _V]) -> None:
        self._make = make
        self._entries: OrderedDict[_K, _V] = OrderedDict()

    def get(self, key: _K, now: float) -> _V:
        entry = self._entries.get(key)
        if entry is None:
            entry = self._entries[key] = self._make(now)
            if len(self._entries) > limits.QUOTA_REMEMBERED_MAX:
                self._entries.popitem(last=False)
        self._entries.move_to_end(key)
        return entry


class Pace:
    """How fast each address may make this hub work, whatever comes of it. Addresses of "" are not limited."""

    def __init__(self, per_s: float, burst: float) -> None:
        self._buckets: _Remembered[str, Bucket] = _Remembered(lambda at: Bucket(per_s, burst, at))
        self._burst = burst

    def take(self, address: str, now: float, work: int = 1) -> bool:
        """Whether so much work is within the pace. Work may overdraw what is left: then the next has to wait longer."""
        if not address or not work:
            return True
        bucket = self._buckets.get(address, now)
        if bucket.level(now) < 1:
            return False
        bucket.spend(work)
        return True

    def wait_s(self, address: str, now: float, work: float = 1) -> float:
        """How long this work has to wait for its turn, which it takes: of two at once, the second waits longer.

        Whoever takes turns and goes away runs up a debt for all at its address: no more than one burst is worth.
        """
        if not address:
            return 0.0
        bucket = self._buckets.get(address, now)
        waits = bucket.wait_s(now)
        bucket.spend(min(work, max(0.0, bucket.level(now) + self._burst)))
        return waits


class Quota:
    """Judges one new action after another."""

    def __init__(self, now: float) -> None:
        self._hub = Bucket(limits.QUOTA_HUB_PER_S, limits.QUOTA_HUB_BURST, now)
        newcomers = limits.QUOTA_NEWCOMERS_PER_HOUR
        self._newcomers = Bucket(newcomers / _HOUR_S, newcomers, now)
        self._newcomers_of: _Remembered[str, Bucket] = _Remembered(
            lambda at: Bucket(_PER_ADDRESS / _HOUR_S, _PER_ADDRESS, at)
        )
        self._help = Bucket(limits.QUOTA_HELP_PER_DAY / _DAY_S, limits.QUOTA_HELP_PER_DAY, now)
        self._help_of: _Remembered[str, Bucket] = _Remembered(
            lambda at: Bucket(
                limits.QUOTA_HELP_PER_ADDRESS_PER_HOUR / _HOUR_S, limits.QUOTA_HELP_PER_ADDRESS_PER_HOUR, at
            )
        )
        self._phones: _Remembered[str, Bucket] = _Remembered(
            lambda at: Bucket(limits.QUOTA_PHONE_PER_S, limits.QUOTA_PHONE_BURST, at)
        )
        self._hours: _Remembered[Principal, Bucket] = _Remembered(
            lambda at: Bucket(limits.QUOTA_VOUCHED_PER_HOUR / _HOUR_S, limits.QUOTA_VOUCHED_PER_HOUR, at)
        )
        self._days: _Remembered[Principal, Bucket] = _Remembered(
            lambda at: Bucket(limits.QUOTA_VOUCHED_PER_DAY / _DAY_S, limits.QUOTA_VOUCHED_PER_DAY, at)
        )
        # What an unvouched person may ever bring, so it does not refill.
        self._firsts: _Remembered[Principal, Bucket] = _Remembered(
            lambda at: Bucket(0.0, limits.QUOTA_UNVOUCHED_ACTIONS, at)
        )

    def judge(self, kind: str, person: Principal, rank: Rank, address: str, now: float) -> str:
        """The code under which an action new to this hub is deferred, "" if it may pass; passing it is counted.

        `person` is the author's person, or the author where nobody knows it; `address` is the phone's, "" for one that
        is not limited (the hub's own machine).
        """
        if kind not in HELP_KINDS and rank is Rank.STRANGER and kind not in NEWCOMER_KINDS:
            return "unregistered"
        buckets = self._for_help(address, now) if kind in HELP_KINDS else self._asked(person, rank, address, now)
        for code, bucket in buckets:
            if bucket.level(now) < 1:
                return code
        for _, bucket in buckets:
            bucket.spend()
        return ""

    def _for_help(self, address: str, now: float) -> list[tuple[str, Bucket]]:
        return [("rate", self._help_of.get(address, now)), ("rate", self._help)] if address else []

    def _asked(self, person: Principal, rank: Rank, address: str, now: float) -> list[tuple[str, Bucket]]:
        buckets = [("rate", self._hub)]
        if address:
            buckets.append(("rate", self._phones.get(address, now)))
        if rank is Rank.STRANGER:
            buckets.append(("newcomers", self._newcomers))
            if address:
                buckets.append(("newcomers", self._newcomers_of.get(address, now)))
        if rank in (Rank.STRANGER, Rank.NEWCOMER):
            buckets.append(("unvouched", self._firsts.get(person, now)))
        if rank is Rank.VOUCHED:
            buckets.append(("hour", self._hours.get(person, now)))
            buckets.append(("day", self._days.get(person, now)))
        return buckets
