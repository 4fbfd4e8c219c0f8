"""Who is connected to the phones' server: bounded in all, by address, and with a way out for newcomers."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from hubd import limits
from hubd.action.principal import Principal
from hubd.addresses import holder, is_loopback

Client = tuple[str, int]
Proven = Callable[[Principal], None]
PROVEN = "hubd.proven"
"""In an ASGI scope: the `Proven` that is told whose key the other end of this connection has proven."""


@dataclass
class _Place:
    since: float
    drop: Callable[[], None]
    person: Principal | None = None  # whose it is, as long as that one has no more than its share


@dataclass
class Places:
    """Open connections, all and by address; addresses of this machine itself are limited in all only.

    When all places are taken, a newcomer gets that of the stranger who came first, unless he came just now; who has proven
    a key keeps his, up to `per_person_max` places of one person: a single key must not hold them all.

    `open_s` is for a first request's head, `idle_s` for each further one, `stall_s` for somebody who reads nothing,
    `stranger_s` what a stranger has in any case. `turned_away`, `let_go` and `gave_way` count connections.
    """

    total_max: int = limits.PHONE_SOCKETS_MAX
    per_address_max: int = limits.PHONE_SOCKETS_PER_ADDRESS_MAX
    per_person_max: int = limits.PHONE_SOCKETS_PER_PERSON_MAX
    open_s: float = limits.PHONE_OPEN_S
    idle_s: float = limits.PHONE_IDLE_S
    stall_s: float = limits.PHONE_SEND_S
    stranger_s: float = limits.PHONE_STRANGER_S
    is_own: Callable[[str], bool] = is_loopback
    taken: Counter[str] = field(default_factory=Counter)
    turned_away: int = 0
    let_go: int = 0
    gave_way: int = 0
    _held: dict[Client, _Place] = field(default_factory=dict)  # the oldest first

    def take(self, client: Client, now: float, drop: Callable[[], None]) -> bool:
        """Whether there was a place, or one could be made free. `drop` ends the connection."""
        host = holder(client[0])
        is_crowd = not self.is_own(host) and self.taken[host] >= self.per_address_max
        if is_crowd or (len(self._held) >= self.total_max and not self._make_room(now)):
            self.turned_away += 1
            return False
        self._held[client] = _Place(now, drop)
        self.taken[host] += 1
        return True

    def prove(self, client: Client, person: Principal) -> None:
        """Whoever is there has proven a key of this person."""
        place = self._held.get(client)
        if place is None or place.person == person:
            return
        kept = sum(each.person == person for each in self._held.values())
        place.person = person if kept < self.per_person_max else None

    def leave(self, client: Client) -> None:
        """A connection has ended."""
        if self._held.pop(client, None) is not None:
            host = holder(client[0])
            self.taken[host] -= 1
            if not self.taken[host]:
                del self.taken[host]

    def _make_room(self, now: float) -> bool:
        for client, place in self._held.items():
            if now - place.since < self.stranger_s:
                return False
            if place.person is None:
                self.gave_way += 1
                self.leave(client)
                place.drop()
                return True
        return False


def client_of(transport: asyncio.BaseTransport) -> Client:
    """Address and port of the other end, as the application sees them."""
    peer = transport.get_extra_info("peername")
    return (str(peer[0]), int(peer[1])) if peer else ("", 0)
