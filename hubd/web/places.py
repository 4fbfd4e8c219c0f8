"""Who is connected to the phones' server: bounded in all, by address, and with a way out for newcomers."""

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf

from hubd import limits
from hubd.action.principal import Principal
from hubd.addresses import holder, is_loopback
from hubd.web.quota import Pace, Rank

Client = tuple[str, int]
_PAIR = 2  # places of one person: a phone and a desk
Proven = Callable[[Principal, Rank], None]
PROVEN = "hubd.proven"
"""In an ASGI scope: the `Proven` that is told whose key the other end of this connection has proven, and how far that
person is known.
"""


@dataclass
class _Place:
    host: str  # by what it is counted
    since: float
    drop: Callable[[], None]
    heard: float | None = None  # when something was asked last
    person: Principal | None = None  # whose it is, as long as that one has no more than its share
    is_known: bool = False  # somebody vouched for that person

    @property
    def spoke(self) -> float:
        """When it came, or asked something last."""
        return self.since if self.heard is None else self.heard


@dataclass
class Places:
    """Open connections, all and by address; addresses of this machine itself are limited in all only.

    When all places are taken, whoever comes gets that of a stranger, unless he came just now: of one who has asked nothing,
    else of the one who came first. Failing that, of a person whom nobody vouched for and who has been silent for a while: to
    register costs nothing, so a crowd may do it. Failing that, of the person who holds most of them, if it is more than one:
    a few whom everybody knows may collude, or have broken phones. Of three and more one goes at once, however new it is:
    whoever comes anew all the time would keep them for ever. Of two one goes only every `spare_s`: where most people have a
    phone and a desk, they would push one another out all day. One place a known person keeps in any case, up to
    `per_person_max` while nobody waits; all the others together keep `unvouched_max`, so that some are always to be had.

    Failing all that, where strangers who came just now hold most places, one of them goes: of the address that holds most,
    so that one machine with many addresses pushes out itself; by lot, so that one with more addresses than there are places
    shuts nobody out for good.

    `knocks` bounds how often one address may come: a handshake of TLS costs more than what is asked then.
    `open_s` is for a first request's head, `idle_s` for each further one, `stall_s` for somebody who reads nothing,
    `stranger_s` what a stranger has in any case, `silent_s` what a registered person has after its last word.
    `turned_away`, `let_go` and `gave_way` count connections.
    """

    total_max: int = limits.PHONE_SOCKETS_MAX
    per_address_max: int = limits.PHONE_SOCKETS_PER_ADDRESS_MAX
    per_person_max: int = limits.PHONE_SOCKETS_PER_PERSON_MAX
    unvouched_max: int = limits.PHONE_SOCKETS_UNVOUCHED_MAX
    open_s: float = limits.PHONE_OPEN_S
    idle_s: float = limits.PHONE_IDLE_S
    stall_s: float = limits.PHONE_SEND_S
    stranger_s: float = limits.PHONE_STRANGER_S
    silent_s: float = limits.PHONE_SILENT_S
    spare_s: float = limits.PHONE_SPARE_S
    is_own: Callable[[str], bool] = is_loopback
    choose: Callable[[Sequence[Client]], Client] = secrets.choice
    knocks: Pace = field(default_factory=lambda: Pace(limits.PHONE_KNOCKS_PER_S, limits.PHONE_KNOCKS_BURST))
    taken: Counter[str] = field(default_factory=Counter)
    turned_away: int = 0
    let_go: int = 0
    gave_way: int = 0
    _held: dict[Client, _Place] = field(default_factory=dict)  # the oldest first
    _crowd: Pace = field(default_factory=lambda: Pace(limits.PHONE_CROWD_PER_S, limits.PHONE_CROWD_PER_S))
    _spared: float = -inf  # when one of two places was given up last

    def take(self, client: Client, now: float, drop: Callable[[], None]) -> bool:
        """Whether there was a place, or one could be made free. `drop` ends the connection."""
        host = holder(client[0])
        is_crowd = not self.is_own(host) and (
            self.taken[host] >= self.per_address_max or not self.knocks.take(host, now)
        )
        if is_crowd or (len(self._held) >= self.total_max and not self._make_room(now)):
            self.turned_away += 1
            return False
        self._held[client] = _Place(host, now, drop)
        self.taken[host] += 1
        return True

    def prove(self, client: Client, person: Principal, rank: Rank) -> None:
        """Whoever is there has proven a key of this person."""
        place = self._held.get(client)
        if place is None:
            return
        place.person = None
        is_known = rank >= Rank.VOUCHED
        kept = sum(each.person == person for each in self._held.values())
        unvouched = sum(each.person is not None and not each.is_known for each in self._held.values())
        has_share = kept < self.per_person_max and (is_known or unvouched < self.unvouched_max)
        place.person, place.is_known = person if has_share else None, is_known

    def hear(self, client: Client, now: float) -> None:
        """Something was asked there."""
        place = self._held.get(client)
        if place is not None:
            place.heard = now

    def leave(self, client: Client) -> None:
        """A connection has ended."""
        if self._held.pop(client, None) is not None:
            host = holder(client[0])
            self.taken[host] -= 1
            if not self.taken[host]:
                del self.taken[host]

    def _make_room(self, now: float) -> bool:
        client = (
            self._of_strangers(now) or self._of_the_silent(now) or self._of_the_richest(now) or self._of_the_crowd(now)
        )
        if client is None:
            return False
        drop = self._held[client].drop
        self.gave_way += 1
        self.leave(client)
        drop()
        return True

    def _of_strangers(self, now: float) -> Client | None:
        spare = [
            (place.heard is not None, place.since, client)
            for client, place in self._held.items()
            if place.person is None and now - place.since >= self.stranger_s
        ]
        return min(spare)[2] if spare else None

    def _of_the_silent(self, now: float) -> Client | None:
        spare = [
            (place.spoke, client)
            for client, place in self._held.items()
            if place.person is not None and not place.is_known and now - place.spoke >= self.silent_s
        ]
        return min(spare)[1] if spare else None

    def _of_the_richest(self, now: float) -> Client | None:
        """Of persons who hold equally many, whom nobody vouched for goes first, then who has been silent the longest."""
        holds = Counter(place.person for place in self._held.values() if place.person is not None)
        is_time = now - self._spared >= self.spare_s
        spare = [
            (-holds[place.person], place.is_known, place.spoke, client)
            for client, place in self._held.items()
            if place.person is not None
            and (
                holds[place.person] > _PAIR
                or (holds[place.person] == _PAIR and is_time and now - place.since >= self.stranger_s)
            )
        ]
        if not spare:
            return None
        many, _, _, client = min(spare)
        if -many == _PAIR:
            self._spared = now
        return client

    def _of_the_crowd(self, now: float) -> Client | None:
        strangers = [(client, place.host) for client, place in self._held.items() if place.person is None]
        if 2 * len(strangers) <= self.total_max or not self._crowd.take("all", now):
            return None
        held = Counter(host for _, host in strangers)
        most = max(held.values())
        return self.choose([client for client, host in strangers if held[host] == most])


def client_of(transport: asyncio.BaseTransport) -> Client:
    """Address and port of the other end, as the application sees them."""
    peer = transport.get_extra_info("peername")
    return (str(peer[0]), int(peer[1])) if peer else ("", 0)
