r"""The gossip service of a hub: one listener, one dialled link to each neighbour, and the machines between them.

    Acceptor --- frames of those who dialled us    \
                                                    > Switchboard > Channel (one session at a time) > store, intake
    Dialler ---- frames of those whom we dialled   /
    Peers ------ whom to dial, when to talk, what to push, whom to cut off

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
from hubd.addresses import EVERYWHERE, Held, is_cut_off
from hubd.errors import FatalError, LocalError
from hubd.gossip import peer as events
from hubd.gossip import wire
from hubd.gossip.acceptor import Acceptor
from hubd.gossip.company import Company
from hubd.gossip.dialler import Dialler
from hubd.gossip.dialogue import Rung, first_rung, hints_at_rot
from hubd.gossip.listener import Listener
from hubd.gossip.peer import Member, Side
from hubd.gossip.peers import Peers
from hubd.gossip.sockets import CurveKeys
from hubd.gossip.status import PeerStatus, peer_status
from hubd.gossip.switchboard import Switchboard
from hubd.limits import SESSION_INTERVAL_S
from hubd.ports import ActionStore, Intake

_TICK_S = 1.0


@dataclass(frozen=True, slots=True)
class LinkConfig:
    """Where to listen (port 0: any free one), whom to dial beside those who announce an address, how often to talk."""

    host: str = EVERYWHERE  # a hub is there to be reached; CURVE and ZAP hold the door
    port: int = 0
    peers: tuple[str, ...] = ()
    interval_s: float = SESSION_INTERVAL_S


class Link:
    """Gossip with the admitted hubs. `members` says who they are now, ourselves included; it is asked often.

    The assembly calls `notify` for whatever became new in the set, from whichever door, and `gained` for content that came
    to what was in it. `doubted` is called when a session hints that our rows may not be what we count.
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
        doubted: Callable[[], None] = lambda: None,
    ) -> None:
        self.store = store
        self.intake = intake
        self.counters: Counter[str] = Counter()
        self._members_now = members
        self._members: tuple[Member, ...] = ()
        self._tags: set[bytes] = set()
        self._held: Sequence[Held] = ()
        self._keys = CurveKeys.of(curve_secret)
        self._clock = clock
        self._doubted = doubted
        self._config = config or LinkConfig()
        interval_s, configured = self._config.interval_s, self._config.peers
        self._peers = Peers(hub, interval_s=interval_s, chance=random.random, configured=configured)
        self._board = Switchboard(self, hub, wire.mesh_tag(domain))
        self._acceptor = Acceptor(self._board, admitted=self._admitted, lost=self.report, counters=self.counters)
        self._company = Company()
        self._port = self._config.port  # the same one again after a failure: others were told of it
        self._has_listened = False
        self._door_trouble = ""  # a code
        self._dialler: Dialler | None = None
        self._group: asyncio.TaskGroup | None = None
        self._is_woken = False  # a call of `_wake` is under way
        self._log = log.get("gossip")

    # --- for the assembly

    @property
    def port(self) -> int:
        """Where the listener listens; 0 before it does."""
        listener = self._acceptor.listener
        return listener.port if listener is not None else 0

    @property
    def trouble(self) -> str:
        """What a person should know about this hub's links: a code, or ""."""
        peers = self._peers.peers.values()
        is_unreadable = any(peer.last is not None and peer.last.code == "database" for peer in peers)
        listener = self._acceptor.listener
        door = self._door_trouble if listener is None else self._door_trouble or listener.trouble
        return "database" if is_unreadable else door or self._company.trouble

    async def run(self) -> None:
        """Gossip until cancelled.

        Raises `FatalError` where the door cannot be opened the first time and a person must act; `LocalError` for a door
        that leaks, and for one that was open and does not open again: an address comes back with its cable.
        """
        context = zmq.asyncio.Context()
        listener = Listener(
            context, self._keys, admitted=self._admitted, arrived=self._acceptor.arrived, flooded=self._flooded
        )
        self._acceptor.listener = listener
        try:
            self._refresh()
            await self._open(listener)
            async with asyncio.TaskGroup() as self._group:
                self._dialler = Dialler(self._group, context, self._keys, self._board, self.report)
                self._group.create_task(listener.run(), name="gossip-listener")
                self._log.info("listening", port=self.port)
                while True:
                    self._tick()
                    await asyncio.sleep(_TICK_S)
        except* FatalError as errors:
            raise errors.exceptions[0] from None
        finally:
            self._close()
            context.destroy(0)

    async def _open(self, listener: Listener) -> None:
        try:
            await listener.open(self._config.host, self._port)
        except FatalError as error:
            if not self._has_listened:
                raise
            self._door_trouble = error.code
            raise LocalError(error.code, error.detail) from error
        self._has_listened, self._port, self._door_trouble = True, listener.port, ""

    def notify(self, actions: Sequence[Action], source: bytes = b"") -> None:
        """These are new in the set and on disk; `source` is the peer they came from, if any."""
        if self._group is not None:
            ids, raws = [action.id for action in actions], [envelope.encode(action) for action in actions]
            self.report(events.Appended(ids, raws, source))

    def gained(self, actions: Sequence[Action], source: bytes = b"") -> None:
        """The content of these, which were here without it, is on disk now."""
        if self._group is not None:
            self.report(events.Gained([action.id for action in actions], source))

    def membership_changed(self) -> None:
        """Look at `members` now instead of within a second."""
        self._refresh()

    def hear(self, target: str, key_tag: bytes) -> None:
        """A record of mDNS tells of a hub at host:port that claims a key with this tag."""
        self.report(events.AddressHeard(target, key_tag))

    def knows(self, key_tag: bytes) -> bool:
        """Whether an admitted hub has a key with this tag."""
        return key_tag in self._tags

    def network_changed(self, held: Sequence[Held]) -> None:
        """This machine has these addresses now: let go of what went through others, and dial whoever is not linked."""
        before, self._held = self._held, held
        if self._dialler is not None:
            for door in (self._dialler, self._acceptor):
                door.give_up(lambda host: is_cut_off(host, before, held))
        self.report(events.NetworkChanged())

    def reconfigure(self, *, peers: Sequence[str], interval_s: float) -> None:
        """Take over changed settings; another listening address needs a restart."""
        self._peers.reconfigure(configured=peers, interval_s=interval_s)

    def status(self) -> list[PeerStatus]:
        """Every admitted neighbour, by principal."""
        now = self._clock()
        return [peer_status(peer, self._board.traffic(hub), now) for hub, peer in sorted(self._peers.peers.items())]

    # --- for the channels

    def first_rung(self, peer: Principal) -> Rung:
        """Where a session with this peer starts, after how the last one ended."""
        known = self._peers.peers.get(peer)
        return first_rung(known.last if known else None)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run beside; a failure is the whole link's. Nothing is begun any more while the link is ending."""
        assert self._group is not None, "running"
        try:
            self._group.create_task(work)
        except RuntimeError:
            work.close()

    def admits_session(self, hub: Principal) -> bool:
        """Whether this peer may begin one more session now."""
        return self._peers.admits_session(hub, self._clock())

    def admits_word(self, hub: Principal) -> bool:
        """Whether this peer may say one more of the frames that no window bounds."""
        return self._peers.admits_word(hub, self._clock())

    def rests(self, hub: Principal) -> bool:
        """Whether this peer's session is put off."""
        return self._peers.rests(hub, self._clock())

    def takes_fill(self, hub: Principal, side: Side) -> bool:
        """Whether this peer may bring us many actions now."""
        return self._peers.takes_fill(hub, side, self._clock())

    def report(self, event: events.InEvent) -> None:
        """Tell the peers machine, and perform what it says."""
        if isinstance(event, events.SessionEnded):
            self._note(event)
        for out in self._peers.handle(event, self._clock()):
            self._perform(out)
        self._wake_at(self._peers.due_at)

    def now(self) -> float:
        """Seconds that never go back."""
        return self._clock()

    async def sleep(self, seconds: float) -> None:
        """Let so much time pass."""
        await asyncio.sleep(seconds)

    def _note(self, event: events.SessionEnded) -> None:
        ended = event.ended
        self.counters["proven" if ended.is_proven else ended.code] += 1
        if hints_at_rot(ended):
            self._doubted()
        say = (
            self._log.warning
            if ended.is_fault or ended.code == "database"
            else self._log.debug
            if ended.is_proven
            else self._log.info
        )
        say("session-ended", peer=address(event.hub), proven=ended.is_proven, code=ended.code, count=ended.count)

    def _perform(self, out: events.OutEvent) -> None:
        assert self._dialler is not None, "running"
        match out:
            case events.Dial(member, target):
                self._dialler.dial(member, target)
            case events.HangUp(hub, Side.DIALLED):
                self._dialler.hang_up(hub)
            case events.HangUp(hub):
                self._acceptor.hang_up(hub)
            case events.BeginSession(hub) if channel := self._board.get(hub, Side.DIALLED):
                channel.begin()
            case events.SendPush(hub, side, envelopes) if channel := self._board.get(hub, side):
                channel.send(wire.Push(envelopes))
            case events.SendHave(hub, side, ids) if channel := self._board.get(hub, side):
                channel.send(wire.Have(ids))
            case events.SendHaveContent(hub, side, ids) if channel := self._board.get(hub, side):
                channel.send(wire.HaveContent(ids))
            case events.SendAsk(hub, side, ids) if channel := self._board.get(hub, side):
                channel.ask(ids)
            case events.SendPrune(hub, side) if channel := self._board.get(hub, side):
                channel.send(wire.Prune())
            case events.LoadAsked(hub, side, ids) if channel := self._board.get(hub, side):
                channel.load_asked(ids)
            case events.SendNudge(hub) if channel := self._board.get(hub, Side.ACCEPTED):
                channel.send(wire.Nudge())

    def _wake_at(self, due_at: float) -> None:
        """Come back before the next tick, once, if something is due by then."""
        wait_s = due_at - self._clock()
        if self._group is None or self._is_woken or wait_s > _TICK_S:
            return
        self._is_woken = True
        asyncio.get_running_loop().call_later(max(0.0, wait_s), self._wake)

    def _wake(self) -> None:
        self._is_woken = False
        if self._group is not None:
            self.report(events.TimerFired())

    # --- the members

    def _refresh(self) -> None:
        members = tuple(self._members_now())
        if members != self._members:
            self._members = members
            self._tags = {events.key_tag(member.curve_key) for member in members}
            self._log.info("members-changed", count=len(members))
            self.report(events.MembersChanged(members))

    def _flooded(self, hub: Principal) -> None:
        self.report(events.FaultSeen(hub, "flood"))

    def _admitted(self, curve_key: bytes) -> Principal | None:
        self._refresh()
        for member in self._members:
            if member.curve_key == curve_key and self._peers.welcomes(member.hub, self._clock()):
                return member.hub
        return None

    def _tick(self) -> None:
        self._refresh()
        for channel in self._board:
            channel.tick()
        self.report(events.TimerFired())
        linked = sum(peer.is_up for peer in self._peers.peers.values())
        if self._company.look(linked, len(self._peers.peers), self._clock()):
            if self._company.trouble:
                self._log.warning("few-peers", count=linked)
            else:
                self._log.info("enough-peers", count=linked)

    def _close(self) -> None:
        self._group = self._dialler = None
        self._acceptor.close()
        self._board.close()
        self._members = ()
        self._peers.handle(events.MembersChanged(()), self._clock())
