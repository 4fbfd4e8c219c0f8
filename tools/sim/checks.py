"""What must be true: all the time, and in the end. Every check has a bug in `mutants` that it catches.

lost         what an honest hub acknowledged is on its disk, also after a crash; what nobody has, a phone still keeps
proof        a session that is proven between honest hubs was over one set, which both had on disk at its time
queues       what the machines hold for one link stays within the windows of `hubd.limits`
livelock     sessions of honest hubs do not end again and again without moving or proving anything
cursor       whoever left off at a place holds everything up to it
members      a hub gives nothing to a hub that its set calls no member, and takes nothing from it
content      whatever text an honest hub had comes to all of them, and what was erased is with none
convergence  when all is calm, all honest hubs come to hold the same: count, LtHash and, where asked, views
done         and then every linked hub says so by a proven session
bounds       times and bytes that the scenario expects
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hubd.action.envelope import Action
from hubd.action.sip018 import ActionId
from hubd.fold.folder import fold
from hubd.gossip.peer import Member, SessionEnded
from hubd.gossip.push import PushQueue
from hubd.gossip.transfer import PIECE_ACTIONS_MAX
from hubd.limits import (
    HAVE_QUEUE_IDS_MAX,
    LINK_PUSH_QUEUE_ACTIONS_MAX,
    SESSION_IDS_MAX,
    SPREAD_RECENT_IDS_MAX,
)
from tools.sim.actions import CHARTER, bytes_of
from tools.sim.hub import Hub
from tools.sim.members import Membership, speaks
from tools.sim.phones import Phone

if TYPE_CHECKING:
    from hubd.action.principal import Principal

_ENVELOPE_BYTES_MIN = 100  # anything longer that a machine holds is taken for an envelope
_HELD_ENVELOPES_MAX = LINK_PUSH_QUEUE_ACTIONS_MAX + 2 * PIECE_ACTIONS_MAX
_HELD_IDS_MAX = 2 * SESSION_IDS_MAX + 4 * HAVE_QUEUE_IDS_MAX + SPREAD_RECENT_IDS_MAX
_IDLE_SESSIONS_MAX = 12  # one after another, of one pair in calm times
_FINDINGS_MAX = 20
_MEMBERS_S = 0.5  # from the commit of a steward's word until a hub must act on it
_LOOKED_AT = 8  # hubs whose machines are looked through at a time


@dataclass(frozen=True)
class Finding:
    """Something that is not as it must be."""

    check: str
    text: str


class Checks:
    """Looks on while a story runs. `calm_s` is when nothing goes wrong any more."""

    def __init__(self, calm_s: float) -> None:
        self.findings: list[Finding] = []
        self.hubs: list[Hub] = []
        self.texts: set[ActionId] = set()  # actions whose content an honest hub had, and nobody erased
        self.erased: set[ActionId] = set()
        self.sessions = Counter[str]()
        self.membership: Membership | None = None  # where the set says who belongs to the mesh
        self.arrivals: dict[ActionId, list[float]] = {}  # first, latest, at how many honest hubs
        self.last_new_s = 0.0
        self.deliveries = 0  # of one action at one more honest hub
        self.payload_bytes = 0  # of these actions
        self.proven_at: dict[int, float] = {}
        self.held_max = 0
        self.views_of: Callable[[list[Action]], bytes] = lambda log: fold(CHARTER, log).digest
        self._turn = 0
        self._spoken_at: dict[int, float] = {}  # when a steward's word came to a hub
        self._calm_s = calm_s
        self._promised: dict[int, set[ActionId]] = {}
        self._idle: Counter[tuple[int, Principal]] = Counter()
        self._by_principal: dict[Principal, Hub] = {}

    def watch(self, hubs: list[Hub]) -> None:
        """These are the hubs."""
        self.hubs = hubs
        self._by_principal = {hub.principal: hub for hub in hubs}

    @property
    def honest(self) -> list[Hub]:
        """The hubs that are to be held to their word."""
        return [hub for hub in self.hubs if hub.is_honest]

    def found(self, check: str, text: str) -> None:
        """Note a finding; the first few of a kind tell it all."""
        if len(self.findings) < _FINDINGS_MAX:
            self.findings.append(Finding(check, text))

    # --- while it runs

    def appended(self, hub: Hub, action: Action) -> None:
        """This hub has an action more."""
        now = hub.clock.now
        if speaks([action]):
            self._spoken_at[hub.number] = now
        if not hub.is_honest:
            return
        entry = self.arrivals.get(action.id)
        if entry is None:
            self.arrivals[action.id] = [now, now, 1]
            self.last_new_s = now
        else:
            entry[1], entry[2] = now, entry[2] + 1
            if now > 0:
                self.deliveries += 1
                self.payload_bytes += len(bytes_of(action))

    def ended(self, hub: Hub, event: SessionEnded) -> None:
        """A session of this hub is over."""
        ended, other = event.ended, self._by_principal[event.hub]
        self.sessions["proven" if ended.is_proven else ended.code] += 1
        hub.clock.note(f"ended {hub.number} {other.number} {ended.is_proven} {ended.code} {ended.count}")
        if not (hub.is_honest and other.is_honest):
            return
        pair = hub.number, event.hub
        if ended.is_proven:
            self.proven_at[hub.number] = hub.clock.now
            if len(other.disk.sums) <= ended.count or hub.disk.sums[ended.count] != other.disk.sums[ended.count]:
                self.found("proof", f"hub {hub.number} took {ended.count} actions for what hub {other.number} has")
        if ended.is_proven or ended.received or ended.sent or hub.clock.now < self._calm_s:
            del self._idle[pair]
            return
        self._idle[pair] += 1
        if self._idle[pair] > _IDLE_SESSIONS_MAX:
            self.found("livelock", f"hubs {hub.number} and {other.number}: {ended.code}, again and again")
            del self._idle[pair]

    def dealt(self, hub: Hub, other: int) -> None:
        """This hub gave something to another one, or took something from it."""
        if self.membership is None or hub.number == self.membership.leaver:
            return
        if hub.clock.now <= self._spoken_at.get(hub.number, 0.0) + _MEMBERS_S:
            return
        if not self.membership.belongs(other, hub.disk.ids):
            self.found("members", f"hub {hub.number} deals with hub {other}, which is no member by its set")

    def acknowledged(self, _phone: Phone, hub: Hub, action_id: ActionId) -> None:
        """A hub said OK to a phone."""
        if hub.is_honest:
            self._promised.setdefault(hub.number, set()).add(action_id)

    def kept_its_word(self, hub: Hub) -> None:
        """What this hub acknowledged is on its disk. Asked after a crash, and in the end."""
        lacking = self._promised.get(hub.number, set()) - hub.disk.ids.keys()
        if lacking:
            self.found("lost", f"hub {hub.number} acknowledged {len(lacking)} actions and has them no more")

    def restored(self, hub: Hub) -> None:
        """This hub's card is an earlier one: what it lost so, it can't be held to, and others may have it from it."""
        self._promised.pop(hub.number, None)
        gone = self.arrivals.keys() - {action_id for each in self.honest for action_id in each.disk.ids}
        for action_id in gone:
            del self.arrivals[action_id]

    def queues(self) -> None:
        """What the machines of some hubs hold now; all have their turn."""
        self._turn += 1
        stride = max(1, len(self.hubs) // _LOOKED_AT)
        for hub in self.hubs[self._turn % stride :: stride]:
            if not (hub.is_honest and hub.is_up):
                continue
            envelopes, ids, queues = held([hub.peers, *(channel for channel, _ in hub.channels.values())])
            links = max(1, len(hub.channels))
            self.held_max = max(self.held_max, envelopes)
            if envelopes > _HELD_ENVELOPES_MAX * links or ids > _HELD_IDS_MAX * links:
                self.found("queues", f"hub {hub.number} holds {envelopes} envelopes and {ids} ids for {links} links")
            for queue in queues:
                waiting, _, _ = held(vars(queue).values())
                if waiting > LINK_PUSH_QUEUE_ACTIONS_MAX:
                    self.found("queues", f"hub {hub.number} has {waiting} actions waiting for one peer")

    def left_off(self, phone: Phone) -> None:
        """A reading phone holds everything up to its places. Asked after its battery was empty, and in the end."""
        for number, place in phone.places.items():
            disk = self.hubs[number].disk
            if not self.hubs[number].is_honest or not disk.is_at(place):
                continue
            lacking = sum(action.id not in phone.held for action in disk.log[: place.sequence])
            if lacking:
                at = place.sequence
                self.found("cursor", f"{phone.name} left off at {at} of hub {number} and lacks {lacking} before it")

    # --- in the end

    def is_one(self) -> bool:
        """Whether all honest hubs hold everything that any of them holds."""
        return all(len(hub.disk.log) == len(self.arrivals) for hub in self.honest)

    def are_proven_since(self, moment_s: float) -> bool:
        """Whether every honest hub that has an honest link has proven its set since then."""
        return all(self.proven_at.get(hub.number, -1.0) >= moment_s for hub in self.honest if self._is_linked(hub))

    def _is_linked(self, hub: Hub) -> bool:
        return any(self._by_principal[other].is_honest for other, _ in hub.channels)

    def convergence(self, *, views: bool) -> None:
        """All honest hubs hold the same."""
        counts = {hub.number: len(hub.disk.log) for hub in self.honest}
        lacking = {number: count for number, count in counts.items() if count < len(self.arrivals)}
        if lacking:
            some = dict(list(lacking.items())[:5])
            self.found("convergence", f"{len(lacking)} hubs lack some of {len(self.arrivals)} actions: {some}")
            return
        if len({hub.disk.summary_now().fingerprint for hub in self.honest}) > 1:
            self.found("convergence", "equal counts and different fingerprints")
        if views:
            digests = {self.views_of(hub.disk.log) for hub in self.honest}
            if len(digests) > 1:
                self.found("convergence", f"{len(digests)} different views of one set")

    def are_whole(self) -> bool:
        """Whether all honest hubs hold every text that any of them had."""
        return not any(hub.disk.log[at - 1].id in self.texts for hub in self.honest for at in hub.disk.bare)

    def contents(self) -> None:
        """All honest hubs hold the same texts."""
        for hub in self.honest:
            held = {action.id for action in hub.disk.log if action.content is not None}
            if lacking := len(self.texts - held):
                self.found("content", f"hub {hub.number} lacks {lacking} of {len(self.texts)} texts")
            if beyond := len(held & self.erased):
                self.found("content", f"hub {hub.number} holds {beyond} texts that were erased")

    def delivered(self, phones: Iterable[Phone]) -> None:
        """Everything that was written is in the set, or still in somebody's pocket."""
        for phone in phones:
            for action_id, item in phone.outbox.items():
                if action_id not in self.arrivals and not phone.keeps(item):
                    self.found("lost", f"{phone.name} let go of an action that no honest hub has")


_OPAQUE = (Hub, Member, Action, str, int, float, type(None))


def held(roots: Iterable[Any]) -> tuple[int, int, list[PushQueue]]:
    """How many envelopes, how many ids, and which queues are reachable from these machines, without the set behind them."""
    envelopes = ids = 0
    queues: list[PushQueue] = []
    seen: set[int] = set()
    waiting = deque(roots)
    while waiting:
        thing = waiting.pop()
        if isinstance(thing, bytes):
            envelopes += len(thing) >= _ENVELOPE_BYTES_MIN
            ids += len(thing) == 32
        elif not isinstance(thing, _OPAQUE) and not callable(thing) and id(thing) not in seen:
            seen.add(id(thing))
            if isinstance(thing, PushQueue):
                queues.append(thing)
            waiting.extend(_parts(thing))
    return envelopes, ids, queues


def _parts(thing: Any) -> Iterator[Any]:
    if isinstance(thing, dict):
        yield from thing
        yield from thing.values()
    elif isinstance(thing, list | tuple | set | frozenset | deque):
        yield from thing
    elif type(thing).__module__.startswith("hubd.gossip") and type(thing).__name__ != "SortedItems":
        yield from vars(thing).values() if hasattr(thing, "__dict__") else ()
        for name in getattr(type(thing), "__slots__", ()):
            yield getattr(thing, name, None)
