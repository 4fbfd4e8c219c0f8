"""The neighbours of this hub: whom to dial, when to talk, what to push, whom to leave alone.

A hub that is linked in either direction is not dialled; where both sides dialled at once, the one with the greater
principal drops its own link. Retired hubs are cut off with the event that says so. Four parts of it are machines of
their own: where hubs may be (`callbook`), who may bring much at once (`floor`), what becomes of news (`spread`), and who
is told of content that came late (`tidings`).

The machine keeps no clock and takes no chances of its own: `now` comes with each event, `chance` is handed in.
"""

from collections.abc import Callable, Collection, Iterable, Sequence

from hubd.action.principal import Principal
from hubd.gossip import spread, tidings
from hubd.gossip.callbook import Callbook
from hubd.gossip.dialogue import Ended
from hubd.gossip.floor import Floor
from hubd.gossip.peer import (
    AddressHeard,
    Appended,
    AskedLoaded,
    AskReceived,
    BeginSession,
    FaultSeen,
    FoundKnown,
    Gained,
    Greeted,
    HangUp,
    HaveReceived,
    InEvent,
    LinkLost,
    LinkOpened,
    Member,
    MembersChanged,
    NetworkChanged,
    NudgeReceived,
    OutEvent,
    Peer,
    PeerCounted,
    PruneReceived,
    PushJudged,
    PushTaken,
    SendNudge,
    SessionEnded,
    SessionLeft,
    Side,
    TimerFired,
)
from hubd.limits import (
    PEER_BAN_S,
    PEER_FAULTS_MAX,
    PEER_FAULTS_S,
    SESSION_AGAIN_S,
    SESSION_REFUSED_MAX,
)

_NOT_NOW = frozenset(
    {"deferred", "database", "remote-fault"}
)  # one of the two takes nothing now; it would say so again
_SPREADING = (PushTaken, HaveReceived, AskReceived, PruneReceived, AskedLoaded, FoundKnown)


class Peers:
    """See the module. `hub` is ourselves, `configured` are addresses of unnamed neighbours, `chance` is in [0, 1)."""

    def __init__(
        self, hub: Principal, *, interval_s: float, chance: Callable[[], float], configured: Sequence[str] = ()
    ) -> None:
        self.peers: dict[Principal, Peer] = {}
        self.interval_s = interval_s
        self._former: dict[Principal, Peer] = {}  # no members now, but what they did counts; no more than ever were
        self._hub = hub
        self._chance = chance
        self._callbook = Callbook(hub, self.peers, chance=chance, configured=configured)
        self._spread = spread.Spread()
        self._tidings = tidings.Tidings()
        self._floor = Floor()
        self._filled_by = b""  # by whom, if the others were not told of it

    def handle(self, event: InEvent, now: float) -> list[OutEvent]:
        """Take one event; `now` is any clock of seconds that never goes back. Returns what to do, in order."""
        match event:
            case MembersChanged(members):
                return self._take_members(members)
            case AddressHeard(address, tag):
                self._callbook.hear(address, tag, now)
                return []
            case Appended(ids, envelopes, source):
                self._floor.brought(source, sum(map(len, envelopes)), now)
                is_fill = self._floor.is_filled_by(source, now)
                self._filled_by = source if is_fill else self._filled_by
                return self._performed(self._spread.appended(ids, envelopes, source, now, is_told=not is_fill), now)
            case Gained(ids, source):
                return [*self._tidings.gained(ids, source, now)]
            case NetworkChanged():
                self._callbook.network_changed(now)
                return []
            case TimerFired():
                return self._tick(now)
        peer = self.peers.get(event.hub)
        if peer is None:
            return []
        if isinstance(event, _SPREADING):
            return self._performed(self._take_spreading(event, now), now)
        return self._take_peer_event(peer, event, now)

    def reconfigure(self, *, configured: Sequence[str], interval_s: float) -> None:
        """From now on, dial these and talk so often."""
        self._callbook.configured = tuple(configured)
        self.interval_s = interval_s

    @property
    def due_at(self) -> float:
        """When a `TimerFired` is wanted, if it is before the next second is over."""
        return min(self._spread.due_at, self._tidings.due_at)

    def welcomes(self, hub: Principal, now: float) -> bool:
        """Whether this hub may be linked: admitted, not ourselves, not banned now."""
        peer = self.peers.get(hub)
        return peer is not None and now >= peer.banned_until

    def admits_session(self, hub: Principal, now: float) -> bool:
        """Whether this hub, which dialled us, may begin one more session now."""
        peer = self.peers.get(hub)
        return peer is not None and peer.sessions.take(now)

    def admits_word(self, hub: Principal, now: float) -> bool:
        """Whether this hub may say one more of the frames that no window bounds."""
        peer = self.peers.get(hub)
        return peer is not None and peer.words.take(now)

    def rests(self, hub: Principal, now: float) -> bool:
        """Whether this hub is asked to come again later with its session."""
        peer = self.peers.get(hub)
        return peer is not None and now < peer.giving.rests_until

    def takes_fill(self, hub: Principal, side: Side, now: float) -> bool:
        """Whether this hub, with which a session begins, may bring us many actions now. See `hubd.gossip.floor`."""
        return hub in self.peers and self._floor.claim(hub, side, now)

    def _take_peer_event(
        self,
        peer: Peer,
        event: LinkOpened
        | LinkLost
        | Greeted
        | PeerCounted
        | SessionEnded
        | SessionLeft
        | PushJudged
        | NudgeReceived
        | FaultSeen,
        now: float,
    ) -> list[OutEvent]:
        match event:
            case LinkOpened(_, side):
                return self._opened(peer, side, now)
            case LinkLost(_, side, reason):
                self._lost(peer, side, reason, now)
                return []
            case PeerCounted(_, side, ahead):
                self._floor.counted(peer.member.hub, side, ahead, now)
                if self._floor.waits(peer.member.hub):
                    self._reconcile_soon(peer, now)
                return []
            case Greeted(_, count):
                peer.giving.greeted(count, now)
                return []
            case SessionEnded(_, side, ended):
                return self._session_ended(peer, side, ended, now)
            case SessionLeft(_, ended):
                peer.giving.ended(ended, now)
                return []
            case PushJudged():
                return self._pushed(peer, event, now)
            case NudgeReceived():
                self._reconcile_soon(peer, now)
                return []
            case FaultSeen():
                return self._fault(peer, now)

    def _take_spreading(
        self, event: PushTaken | HaveReceived | AskReceived | PruneReceived | AskedLoaded | FoundKnown, now: float
    ) -> list[spread.OutEvent]:
        match event:
            case PushTaken(hub, side):
                return self._spread.taken(hub, side)
            case HaveReceived(hub, ids):
                return self._spread.told(hub, ids, now)
            case AskReceived(hub, ids):
                return self._spread.asked(hub, ids)
            case AskedLoaded(hub, envelopes):
                return self._spread.loaded(hub, envelopes)
            case PruneReceived(hub):
                self._spread.pruned(hub)
            case FoundKnown(_, ids):
                self._spread.known(ids)
        return []

    # --- members

    def _take_members(self, members: Collection[Member]) -> list[OutEvent]:
        out: list[OutEvent] = []
        admitted = {member.hub: member for member in members if member.hub != self._hub}
        for hub, peer in list(self.peers.items()):
            member = admitted.get(hub)
            if member is None or member.curve_key != peer.member.curve_key:
                out += self._cut(peer)
                self._former[hub] = self.peers.pop(hub)
        for hub, member in admitted.items():
            if hub not in self.peers:
                self.peers[hub] = self._former.pop(hub, Peer(member))
                self._callbook.meet(self.peers[hub])
            self.peers[hub].member = member
        return out

    # --- links

    def _tick(self, now: float) -> list[OutEvent]:
        if self._filled_by and not self._floor.is_filled(now):
            for hub, peer in self.peers.items():
                if hub != self._filled_by:
                    self._reconcile_soon(peer, now)
            self._filled_by = b""
        told = [*self._performed(self._spread.tick(now), now), *self._tidings.tick(now)]
        return [*told, *self._callbook.due(now), *self._talk(now)]

    def _talk(self, now: float) -> list[OutEvent]:
        out: list[OutEvent] = []
        for peer in self.peers.values():
            hub, can_begin = peer.member.hub, Side.DIALLED in peer.links
            if now < peer.session_at or peer.is_in_session or not (can_begin or (peer.wants_session and peer.is_up)):
                continue
            side = Side.DIALLED if can_begin else Side.ACCEPTED
            if self._floor.waits(hub) and not self._floor.claim(hub, side, now):
                continue
            peer.is_in_session, peer.wants_session = can_begin, False
            out.append(BeginSession(hub) if can_begin else SendNudge(hub))
        return out

    def _opened(self, peer: Peer, side: Side, now: float) -> list[OutEvent]:
        peer.links.add(side)
        self._spread.opened(peer.member.hub, side)
        self._tidings.opened(peer.member.hub, side)
        if side is Side.DIALLED:
            peer.is_dialling = False
        if len(peer.links) == len(Side) and self._hub > peer.member.hub:
            peer.is_surplus = True
            return [] if peer.is_in_session else self._drop_surplus(peer, now)
        if side is Side.DIALLED:
            peer.session_at, peer.wants_session = max(now, peer.giving.rests_until), False
            peer.is_in_session = peer.session_at <= now
            return [BeginSession(peer.member.hub)] if peer.is_in_session else []
        return []

    def _drop_surplus(self, peer: Peer, now: float) -> list[OutEvent]:
        peer.is_surplus = False
        if self._unlink(peer, Side.DIALLED):
            self._reconcile_soon(peer, now)  # what was pushed over it may be lost
        return [HangUp(peer.member.hub, Side.DIALLED)]

    def _lost(self, peer: Peer, side: Side, reason: str, now: float) -> None:
        was_up = self._unlink(peer, side)
        if was_up:
            self._reconcile_soon(peer, now)  # what was pushed over it may be lost
        peer.reason = reason
        peer.is_surplus = False
        if side is Side.DIALLED:
            peer.is_dialling = peer.is_in_session = False
            self._callbook.ended(peer, now, was_up=was_up)

    def _unlink(self, peer: Peer, side: Side) -> bool:
        peer.links.discard(side)
        self._floor.ended(peer.member.hub, side, has_more=False)
        if not peer.links:
            self._floor.forget(peer.member.hub)
        self._tidings.lost(peer.member.hub, side)
        return self._spread.lost(peer.member.hub, side)

    def _cut(self, peer: Peer) -> list[OutEvent]:
        sides = {*peer.links, *([Side.DIALLED] if peer.is_dialling else [])}
        for side in Side:
            self._unlink(peer, side)
        peer.is_dialling = peer.is_in_session = peer.is_surplus = False
        return [HangUp(peer.member.hub, side) for side in Side if side in sides]

    def _fault(self, peer: Peer, now: float) -> list[OutEvent]:
        peer.faults.append(now)
        while now - peer.faults[0] > PEER_FAULTS_S:
            peer.faults.popleft()
        if len(peer.faults) < PEER_FAULTS_MAX:
            return []
        peer.faults.clear()
        peer.banned_until = now + PEER_BAN_S
        peer.reason = "banned"
        return self._cut(peer)

    # --- sessions and pushes

    def _session_ended(self, peer: Peer, side: Side, ended: Ended, now: float) -> list[OutEvent]:
        peer.last, peer.last_at = ended, now
        if ended.is_proven:
            peer.proven, peer.proven_at = ended, now
        peer.giving.ended(ended, now)
        has_more = ended.code not in _NOT_NOW and not ended.is_proven
        self._floor.ended(peer.member.hub, side, has_more=has_more and bool(ended.received))
        out = self._performed(self._spread.proven(peer.member.hub, side, now), now) if ended.is_proven else []
        out += self._fault(peer, now) if ended.is_fault else []
        if side is Side.ACCEPTED or Side.DIALLED not in peer.links:
            return out
        peer.is_in_session = False
        if peer.is_surplus:
            return out + self._drop_surplus(peer, now)
        if ended.code == "silent":
            self._lost(peer, Side.DIALLED, "silent", now)
            return [*out, HangUp(peer.member.hub, Side.DIALLED)]
        peer.failures = 0
        is_soon = (has_more and bool(ended.received or ended.sent)) or self._floor.waits(peer.member.hub)
        wait_s = SESSION_AGAIN_S if is_soon else self.interval_s * (0.75 + self._chance() / 2)
        peer.session_at = max(now + wait_s, peer.giving.rests_until)
        return out

    def _pushed(self, peer: Peer, event: PushJudged, now: float) -> list[OutEvent]:
        """Now and then an invalid action is a rotten row on a worn card; many are a fault."""
        out = self._performed(self._spread.judged(event), now)
        peer.refused += event.refused
        if peer.refused <= SESSION_REFUSED_MAX:
            return out
        peer.refused = 0
        return [*out, *self._fault(peer, now)]

    def _performed(self, outs: Iterable[spread.OutEvent], now: float) -> list[OutEvent]:
        """What spreading asks for; two of it are for ourselves."""
        done: list[OutEvent] = []
        for out in outs:
            match out:
                case spread.FellBehind(hub):
                    self._reconcile_soon(self.peers[hub], now)
                case spread.Overdrew(hub):
                    done += self._fault(self.peers[hub], now)
                case _:
                    done.append(out)
        return done

    def _reconcile_soon(self, peer: Peer, now: float) -> None:
        peer.session_at = max(min(peer.session_at, now + SESSION_AGAIN_S), peer.giving.rests_until)
        peer.wants_session = True
