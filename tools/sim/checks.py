"""What must be true: all the time, and in the end. Every check has a bug in `mutants` that it catches.

lost         what an honest hub acknowledged is on its disk, also after a crash; what nobody has, a phone still keeps
proof        a session that is proven between honest hubs was over one set, which was the whole set of both, on their
             disks, while it lasted; and who dialled calls nothing proven that the other did not
queues       no queue, window or memory of a machine holds more than `hubd.limits` says of it (`windows`)
livelock     sessions of honest hubs do not end again and again without moving or proving anything
blame        where every frame arrives as it was said, no honest hub says of another that it broke the protocol
bans         whom an honest hub has banned, it gives nothing and takes nothing from
cursor       whoever left off at a place, phone or hub, holds everything up to it
members      a hub gives nothing to a hub that its set calls no member, and takes nothing from it
content      whatever text an honest hub had comes to all of them, and what was erased is with none
convergence  when all is calm, all honest hubs come to hold the same: count, LtHash and, where asked, views
done         and then both hubs of every link say so by a proven session
bounds       times and bytes that the scenario expects
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from hubd.action.envelope import Action
from hubd.action.principal import Principal
from hubd.action.sip018 import ActionId
from hubd.fold.folder import fold
from hubd.gossip.peer import SessionEnded, Side
from hubd.gossip.transfer import PIECE_ACTIONS_MAX
from hubd.limits import (
    HAVE_QUEUE_IDS_MAX,
    LINK_PUSH_QUEUE_ACTIONS_MAX,
    PEER_BAN_S,
    SESSION_IDS_MAX,
    SPREAD_RECENT_IDS_MAX,
)
from tools.sim.actions import CHARTER, bytes_of
from tools.sim.hub import Hub
from tools.sim.members import Membership, speaks
from tools.sim.phones import Phone
from tools.sim.windows import look

_HELD_ENVELOPES_MAX = LINK_PUSH_QUEUE_ACTIONS_MAX + 2 * PIECE_ACTIONS_MAX
_HELD_IDS_MAX = 2 * SESSION_IDS_MAX + 4 * HAVE_QUEUE_IDS_MAX + SPREAD_RECENT_IDS_MAX
_IDLE_SESSIONS_MAX = 12  # one after another, of one pair in calm times
_FINDINGS_MAX = 20  # of one check
_AT_ONCE_S = 0.5  # from the commit of a steward's word until a hub must act on it, and from a ban
_LOOKED_AT = 8  # hubs whose machines are looked through at a time


@dataclass(frozen=True)
class Finding:
    """Something that is not as it must be."""

    check: str
    text: str


class Checks:
    """Looks on while a story runs. `calm_s` is when nothing goes wrong any more, `mended_s` when all frames have been
    arriving as they were said for so long that nobody can be blamed for one that did not.
    """

    def __init__(self, calm_s: float, mended_s: float = 0.0) -> None:
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
        self.proven_at: dict[tuple[int, Principal], float] = {}
        self.held_max = 0
        self.views_of: Callable[[list[Action]], bytes] = lambda log: fold(CHARTER, log).digest
        self._turn = 0
        self._spoken_at: dict[int, float] = {}  # when a steward's word came to a hub
        self._calm_s = calm_s
        self._mended_s = mended_s
        self._began_at: dict[tuple[int, Principal], float] = {}  # the last session, by who dialled and whom
        self._answered: dict[tuple[int, Principal], tuple[int, bytes]] = {}  # what a dialled hub last called proven
        self._restored_at: dict[int, float] = {}
        self._promised: dict[int, set[ActionId]] = {}
        self._idle: Counter[tuple[int, Principal]] = Counter()
        self._by_principal: dict[Principal, Hub] = {}

    def watch(self, hubs: list[Hub]) -> None:
        """These are the hubs."""
        self.hubs = hubs
        self._by_principal = {hub.principal: hub for hub in hubs}
        for hub in hubs:
            hub.disk.kept = partial(self.went_on, hub)

    @property
    def honest(self) -> list[Hub]:
        """The hubs that are to be held to their word."""
        return [hub for hub in self.hubs if hub.is_honest]

    def found(self, check: str, text: str) -> None:
        """Note a finding; the first few of a kind tell it all."""
        if sum(finding.check == check for finding in self.findings) < _FINDINGS_MAX:
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
        if ended.is_fault:
            self.blamed(hub, event.hub, ended.code)
        if ended.is_proven:
            self.proven_at[pair] = hub.clock.now
            self._proven(hub, other, event)
        if ended.is_proven or ended.received or ended.sent or hub.clock.now < self._calm_s:
            del self._idle[pair]
            return
        self._idle[pair] += 1
        if self._idle[pair] > _IDLE_SESSIONS_MAX:
            self.found("livelock", f"hubs {hub.number} and {other.number}: {ended.code}, again and again")
            del self._idle[pair]

    def began(self, hub: Hub, other: Principal) -> None:
        """This hub begins a session with one that it dialled."""
        self._began_at[hub.number, other] = hub.clock.now

    def _proven(self, hub: Hub, other: Hub, event: SessionEnded) -> None:
        """Both are honest, and one of them says that their sets are one."""
        count, what = event.ended.count, (event.ended.count, event.ended.fingerprint)
        dialler, dialled = (hub, other) if event.side is Side.DIALLED else (other, hub)
        began_s = self._began_at[dialler.number, dialled.principal]
        if max(self._restored_at.get(each.number, -1.0) for each in (hub, other)) >= began_s:
            return
        apart = [each.number for each in (hub, other) if not each.disk.had(count, began_s)]
        if apart:
            self.found(
                "proof", f"hub {hub.number} proved {count} actions, which were not all and only what {apart} had"
            )
        elif hub.disk.sums[count] != other.disk.sums[count]:
            self.found("proof", f"hub {hub.number} took {count} actions for what hub {other.number} has")
        if hub is dialled:
            self._answered[hub.number, event.hub] = what
        elif self._answered.get((other.number, hub.principal)) != what:
            self.found("proof", f"hub {hub.number} calls {count} actions proven, and hub {other.number} did not")

    def blamed(self, hub: Hub, other: Principal, code: str) -> None:
        """This hub says that another one broke the protocol."""
        number = self._by_principal[other].number
        if hub.is_honest and self.hubs[number].is_honest and hub.clock.now >= self._mended_s:
            self.found("blame", f"hub {hub.number} blames hub {number}, which is honest: {code}")

    def blames(self) -> None:
        """What honest hubs hold against each other, whatever it is for."""
        for hub in self.honest:
            for principal, peer in hub.peers.peers.items():
                latest = max([*peer.faults, peer.banned_until - PEER_BAN_S])
                if self._by_principal[principal].is_honest and latest > self._mended_s:
                    self.found("blame", f"hub {hub.number} holds a fault against {peer.member.name}, which is honest")

    def dealt(self, hub: Hub, other: int) -> None:
        """This hub gave something to another one, or took something from it."""
        peer = hub.peers.peers.get(self.hubs[other].principal)
        if hub.is_honest and peer is not None and 0 < peer.banned_until - hub.clock.now < PEER_BAN_S - _AT_ONCE_S:
            self.found("bans", f"hub {hub.number} deals with {peer.member.name}, which it has banned")
        if self.membership is None or hub.number == self.membership.leaver:
            return
        if hub.clock.now <= self._spoken_at.get(hub.number, 0.0) + _AT_ONCE_S:
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
        self._restored_at[hub.number] = hub.clock.now
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
            hoard = look([hub.peers, *(channel for channel, _ in hub.links.channels.values())])
            links = max(1, len(hub.links.channels))
            self.held_max = max(self.held_max, hoard.envelopes)
            for beyond in hoard.beyond:
                self.found("queues", f"hub {hub.number} has {beyond}")
            if hoard.envelopes > _HELD_ENVELOPES_MAX * links or hoard.ids > _HELD_IDS_MAX * links:
                self.found(
                    "queues", f"hub {hub.number} holds {hoard.envelopes} envelopes, {hoard.ids} ids, {links} links"
                )

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

    def went_on(self, hub: Hub, peer: bytes) -> None:
        """This hub says that it holds all that a neighbour had before a place. Asked when it notes that.

        Where frames are lost it may not, and where a card was exchanged: then the next proof fails, and finds it out.
        """
        (sequence, mark), other = hub.disk.cursors[peer], self._by_principal[Principal(peer)]
        is_so = sequence <= len(other.disk.log) and other.disk.mark(sequence) == mark
        if self._mended_s or not (is_so and hub.is_honest and other.is_honest) or self._restored_at:
            return
        lacking = sum(action.id not in hub.disk.ids for action in other.disk.log[:sequence])
        if lacking:
            self.found("cursor", f"hub {hub.number} left off at {sequence} of hub {other.number} and lacks {lacking}")

    # --- in the end

    def is_one(self) -> bool:
        """Whether all honest hubs hold everything that any of them holds."""
        return all(len(hub.disk.log) == len(self.arrivals) for hub in self.honest)

    def are_proven_since(self, moment_s: float) -> bool:
        """Whether every honest hub has proven its set since then with every honest one that it is linked to."""
        return all(
            self.proven_at.get((hub.number, other), -1.0) >= moment_s
            for hub in self.honest
            for other, _ in hub.links.channels
            if self._by_principal[other].is_honest
        )

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
