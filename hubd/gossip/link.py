r"""The gossip service of a hub: one listener, one dialled link to each neighbour, and the machines between them.

    Listener ----- frames of those who dialled us   \
                                                     > Channel (one session at a time) > store, intake
    Dialled ------ frames of those whom we dialled  /
    Peers -------- whom to dial, when to talk, what to push, whom to cut off

Runs on one event loop; nothing in it waits for one peer while holding up another. A failure of any part is the failure
of `run`: the supervisor starts it anew, with a fresh ZeroMQ context.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

import zmq.asyncio

from hubd import log
from hubd.action import envelope
from hubd.action.envelope import Action
from hubd.action.principal import Principal, address
from hubd.action.sip018 import Domain
from hubd.errors import FatalError, RemoteError
from hubd.gossip import peer as events
from hubd.gossip import wire
from hubd.gossip.channel import Channel
from hubd.gossip.items import Items, SortedItems
from hubd.gossip.listener import Arrival, Listener
from hubd.gossip.peer import Member, Peer, Side
from hubd.gossip.peers import Peers
from hubd.gossip.session import Parties
from hubd.gossip.sockets import CurveKeys, Dialled, DialOutcome, resolved, send_now
from hubd.limits import LINK_SILENCE_S, SESSION_INTERVAL_S
from hubd.ports import ActionStore, Intake, SetSummary

_TICK_S = 1.0
_RELOAD_S = 60.0  # the whole index is read again at most so often


@dataclass(frozen=True, slots=True)
class LinkConfig:
    """Where to listen (port 0: any free one), whom to dial beside those who announce an address, how often to talk."""

    host: str = "0.0.0.0"  # noqa: S104  # a hub is there to be reached; CURVE and ZAP hold the door
    port: int = 0
    peers: tuple[str, ...] = ()
    interval_s: float = SESSION_INTERVAL_S


@dataclass(frozen=True, slots=True)
class PeerStatus:
    """One neighbour for a status page. Ages are seconds; None: never since this hub started."""

    hub: Principal
    name: str
    address: str
    state: str  # connected, dialling, waiting, banned
    reason: str  # why the last link or dial ended, "" if none did
    last_age_s: float | None  # since the last session's end
    last_code: str  # why it proved nothing, "" if it did
    proven_age_s: float | None  # since both sets were proven equal
    count: int  # our set, as last compared
    bytes_in: int
    bytes_out: int


class Link:
    """Gossip with the admitted hubs. `members` says who they are now, ourselves included; it is asked often.

    The assembly calls `notify` for whatever became new in the set, from whichever door.
    """

    def __init__(  # noqa: PLR0913  # ports and keys, each by name
        self,
        *,
        store: ActionStore,
        intake: Intake,
        members: Callable[[], Collection[Member]],
        domain: Domain,
        hub: Principal,
        curve_secret: bytes,
        clock: Callable[[], float],
        config: LinkConfig | None = None,
    ) -> None:
        self.store = store
        self.intake = intake
        self.counters: Counter[str] = Counter()
        self._members_now = members
        self._members: tuple[Member, ...] = ()
        self._mesh = wire.mesh_tag(domain)
        self._hub = hub
        self._keys = CurveKeys.of(curve_secret)
        self._clock = clock
        self._config = config or LinkConfig()
        interval_s, configured = self._config.interval_s, self._config.peers
        self._peers = Peers(hub, interval_s=interval_s, chance=random.random, configured=configured)
        self._items = SortedItems()
        self._items_at = 0.0
        self._early: list[tuple[int, bytes]] | None = None  # what became new while the index was being read
        self._channels: dict[tuple[Principal, Side], Channel] = {}
        self._routes: dict[bytes, Channel] = {}
        self._dials: dict[Principal, asyncio.Task[None]] = {}
        self._log = log.get("gossip")
        self._group: asyncio.TaskGroup | None = None
        self._context: zmq.asyncio.Context | None = None
        self._listener: Listener | None = None

    # --- for the assembly

    @property
    def port(self) -> int:
        """Where the listener listens; 0 before it does."""
        return self._listener.port if self._listener is not None else 0

    async def run(self) -> None:
        """Gossip until cancelled. Raises `FatalError` where a person must act, `LocalError` for a door that leaks."""
        self._context = zmq.asyncio.Context()
        self._listener = Listener(self._context, self._keys, admitted=self._admitted, arrived=self._arrived)
        try:
            await self._load_items()
            self._refresh()
            await self._listener.open(self._config.host, self._config.port)
            async with asyncio.TaskGroup() as self._group:
                self._group.create_task(self._listener.run(), name="gossip-listener")
                self._log.info("listening", port=self.port)
                while True:
                    self._tick()
                    await asyncio.sleep(_TICK_S)
        except* FatalError as errors:
            raise errors.exceptions[0] from None
        finally:
            self._close()

    def notify(self, actions: Sequence[Action], source: bytes = b"") -> None:
        """These are new in the set and on disk; `source` is the peer they came from, if any."""
        pairs = [(action.statement.created, action.id) for action in actions]
        if self._early is not None:
            self._early.extend(pairs)
        for created, id_ in pairs:
            self._items.add(created, id_)
        if self._group is not None:
            self.report(events.Appended([envelope.encode(action) for action in actions], source))

    def membership_changed(self) -> None:
        """Look at `members` now instead of within a second."""
        self._refresh()

    def hear(self, target: str, key_tag: bytes) -> None:
        """A record of mDNS tells of a hub at host:port that claims a key with this tag."""
        self.report(events.AddressHeard(target, key_tag))

    def reconfigure(self, *, peers: Sequence[str], interval_s: float) -> None:
        """Take over changed settings; another listening address needs a restart."""
        self._peers.configured = tuple(peers)
        self._peers.interval_s = interval_s

    def status(self) -> list[PeerStatus]:
        """Every admitted neighbour, by principal."""
        now = self._clock()
        return [self._status(hub, peer, now) for hub, peer in sorted(self._peers.peers.items())]

    def _status(self, hub: Principal, peer: Peer, now: float) -> PeerStatus:
        traffic = [self._channels[hub, side].traffic for side in Side if (hub, side) in self._channels]
        state = "connected" if peer.is_up else "dialling" if peer.is_dialling else "waiting"
        return PeerStatus(
            hub=hub,
            name=peer.member.name,
            address=peer.address,
            state="banned" if now < peer.banned_until else state,
            reason=peer.reason,
            last_age_s=None if peer.last is None else now - peer.last_at,
            last_code="" if peer.last is None else peer.last.code,
            proven_age_s=None if peer.proven_at is None else now - peer.proven_at,
            count=0 if peer.last is None else peer.last.count,
            bytes_in=sum(each.bytes_in for each in traffic),
            bytes_out=sum(each.bytes_out for each in traffic),
        )

    # --- for the channels

    def items(self) -> Items:
        """The live set, as reconciliation sees it."""
        return self._items

    async def summary(self) -> SetSummary:
        """The store's summary. Where the index disagrees with it, the index is read again."""
        summary = await self.store.summary()
        if summary.count != self._items.size() and self._clock() - self._items_at >= _RELOAD_S:
            await self._load_items()
        return summary

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run beside; a failure is the whole link's. Nothing is begun any more while the link is ending."""
        assert self._group is not None, "running"
        try:
            self._group.create_task(work)
        except RuntimeError:
            work.close()

    def report(self, event: events.InEvent) -> None:
        """Tell the peers machine, and perform what it says."""
        if isinstance(event, events.SessionEnded):
            self._note(event)
        for out in self._peers.handle(event, self._clock()):
            self._perform(out)

    def now(self) -> float:
        """Seconds that never go back."""
        return self._clock()

    def _note(self, event: events.SessionEnded) -> None:
        ended = event.ended
        self.counters["proven" if ended.is_proven else ended.code] += 1
        say = self._log.warning if ended.is_fault else self._log.debug if ended.is_proven else self._log.info
        say("session-ended", peer=address(event.hub), proven=ended.is_proven, code=ended.code, count=ended.count)

    def _perform(self, out: events.OutEvent) -> None:
        assert self._group is not None, "running"
        dialled, accepted = (self._channels.get((_hub_of(out), side)) for side in (Side.DIALLED, Side.ACCEPTED))
        match out:
            case events.Dial(member, target):
                self._dials[member.hub] = self._group.create_task(self._dial(member, target))
            case events.HangUp(hub, side):
                self._hang_up(hub, side)
            case events.BeginSession() if dialled is not None:
                dialled.begin()
            case events.SendPush(hub, side, envelopes) if channel := self._channels.get((hub, side)):
                channel.send(wire.Push(envelopes))
            case events.SendNudge() if accepted is not None:
                accepted.send(wire.Nudge())

    # --- the set and the members

    async def _load_items(self) -> None:
        self._items_at = self._clock()
        early = self._early = []
        self._items = SortedItems([*await self.store.items(), *early])
        self._early = None

    def _refresh(self) -> None:
        members = tuple(self._members_now())
        if members != self._members:
            self._members = members
            self._log.info("members-changed", count=len(members))
            self.report(events.MembersChanged(members))

    def _admitted(self, curve_key: bytes) -> Principal | None:
        self._refresh()
        for member in self._members:
            if member.curve_key == curve_key and self._peers.welcomes(member.hub, self._clock()):
                return member.hub
        return None

    def _tick(self) -> None:
        self._refresh()
        for (hub, side), channel in list(self._channels.items()):
            channel.tick()
            if side is Side.ACCEPTED and self._clock() - channel.heard_at > LINK_SILENCE_S:
                self._forget(hub, channel, "silent")
        self.report(events.TimerFired())

    # --- links that we dial

    async def _dial(self, member: Member, target: str) -> None:
        assert self._context is not None, "running"
        try:
            endpoint = await resolved(target)
        except RemoteError as error:
            self.report(events.LinkLost(member.hub, Side.DIALLED, error.code))
            return
        dialled = Dialled(self._context, endpoint, server_key=member.curve_key, keys=self._keys)
        try:
            outcome = await dialled.opened()
            reason = outcome.value
            if outcome is DialOutcome.OPEN:
                await self._talk(member.hub, dialled)
                reason = "closed"
        finally:
            dialled.close()
        self._log.info("link-lost", peer=address(member.hub), address=target, reason=reason)
        self.report(events.LinkLost(member.hub, Side.DIALLED, reason))

    async def _talk(self, hub: Principal, dialled: Dialled) -> None:
        """Until the peer is gone."""
        over = asyncio.ensure_future(dialled.closed())

        async def read(channel: Channel) -> None:
            while True:
                channel.take(await dialled.socket.recv())
                await asyncio.sleep(0)  # a busy peer must not keep the loop from the others

        def lost(_reason: str) -> None:
            over.cancel()

        channel = self._open(hub, Side.DIALLED, lambda raw: send_now(dialled.socket, [raw]), lost)
        reading = asyncio.ensure_future(read(channel))
        try:
            await asyncio.wait({over, reading}, return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                reading.result()
        finally:
            over.cancel()
            reading.cancel()
            channel.close()
            if self._channels.get((hub, Side.DIALLED)) is channel:
                del self._channels[hub, Side.DIALLED]

    def _open(self, hub: Principal, side: Side, send: Callable[[bytes], str], lost: Callable[[str], None]) -> Channel:
        channel = Channel(self, side, Parties(self._hub, hub, self._mesh), send, lost)
        self._channels[hub, side] = channel
        self._log.info("link-opened", peer=address(hub), state=side.name.lower())
        self.report(events.LinkOpened(hub, side))
        return channel

    # --- links that are dialled to us

    def _arrived(self, arrival: Arrival) -> None:
        hub = arrival.hub
        if self._admitted(arrival.curve_key) != hub:
            self.counters["unwelcome"] += 1
            return
        channel = self._routes.get(arrival.route)
        if channel is None:
            channel = self._accept(hub, arrival.route)
        channel.take(arrival.raw)

    def _accept(self, hub: Principal, route: bytes) -> Channel:
        listener = self._listener
        assert listener is not None, "running"
        former = self._channels.get((hub, Side.ACCEPTED))
        if former is not None:
            self._forget(hub, former, "replaced")

        def lost(reason: str) -> None:
            self._forget(hub, channel, reason)

        channel = self._routes[route] = self._open(hub, Side.ACCEPTED, lambda raw: listener.send(route, raw), lost)
        return channel

    def _forget(self, hub: Principal, channel: Channel, reason: str) -> None:
        channel.close()
        self._routes = {route: other for route, other in self._routes.items() if other is not channel}
        if self._channels.get((hub, Side.ACCEPTED)) is channel:
            del self._channels[hub, Side.ACCEPTED]
            self._log.info("link-lost", peer=address(hub), reason=reason)
            self.report(events.LinkLost(hub, Side.ACCEPTED, reason))

    # --- ends

    def _hang_up(self, hub: Principal, side: Side) -> None:
        if side is Side.DIALLED:
            dial = self._dials.pop(hub, None)
            if dial is not None:
                dial.cancel()
            return
        assert self._listener is not None, "running"
        self._listener.cut()
        for (other, other_side), channel in list(self._channels.items()):
            if other_side is Side.ACCEPTED:
                self._forget(other, channel, "cut")

    def _close(self) -> None:
        self._group = None
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        for channel in self._channels.values():
            channel.close()
        self._channels.clear()
        self._routes.clear()
        self._dials.clear()
        self._members = ()
        self._peers.handle(events.MembersChanged(()), self._clock())
        if self._context is not None:
            self._context.destroy(0)
            self._context = None


def _hub_of(out: events.OutEvent) -> Principal:
    return out.member.hub if isinstance(out, events.Dial) else out.hub
