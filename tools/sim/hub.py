"""One simulated hub: the real machines (`Peers`, `Channel` with its sessions, `Putting` with its quotas), performed.

This file and `links` perform the machines' events. What `hubd.gossip.link` does with sockets and tasks, and
`hubd.intake` with a loop, is done here with `network`, `disk` and `clock`; nothing of the protocol is repeated.
"""

from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Sequence
from typing import Any, Protocol

from hubd.action.envelope import Action
from hubd.action.principal import Principal
from hubd.gossip import peer as events
from hubd.gossip import wire
from hubd.gossip.dialogue import Rung, first_rung
from hubd.gossip.peer import Member, Side
from hubd.gossip.peers import Peers
from hubd.ports import Cursor, Outcome
from hubd.web.putting import Putting
from tools.sim import actions, members
from tools.sim.clock import Clock, Signal, Wait
from tools.sim.disk import Disk, Speed
from tools.sim.doors import Intake, Known
from tools.sim.links import Links
from tools.sim.members import number_at, principal_of
from tools.sim.network import Network, Pipe


class Watcher(Protocol):
    """Who looks on: the checks, and the measuring."""

    def appended(self, hub: "Hub", action: Action) -> None:
        """This hub has an action more."""

    def ended(self, hub: "Hub", event: events.SessionEnded) -> None:
        """A session of this hub is over."""

    def began(self, hub: "Hub", other: Principal) -> None:
        """This hub begins a session with one that it dialled."""

    def blamed(self, hub: "Hub", other: Principal, code: str) -> None:
        """This hub says that another one broke the protocol, outside any session."""

    def dealt(self, hub: "Hub", other: int) -> None:
        """This hub gave something to another one, or took something from it."""


class Hub:
    """A hub that may crash and come back. It is the `House` of its channels."""

    is_honest = True
    hubs: "list[Hub]"
    numbers: dict[bytes, int]  # of all hubs, by name

    def __init__(self, clock: Clock, network: Network, number: int, watcher: Watcher, speed: Speed) -> None:
        self.number = number
        self.principal = principal_of(number)
        self.is_up = False
        self.starts = 0
        self.interval_s = 30.0
        self.tick_s = 1.0
        self.members: Collection[Member] = ()
        self.is_folding = False  # whether the set says who of these are members
        self.people: Collection[Principal] = ()
        self.counters: Counter[str] = Counter()
        self.clock = clock
        self.network = network
        self.watcher = watcher
        epoch = number.to_bytes(16, "big")
        self.store = self.disk = Disk(clock, epoch, speed, lambda action: watcher.appended(self, action))
        self.disk.gain_listeners.append(self.gained)
        self.intake = self._intake()
        self.links = Links(self)
        self.peers = self._peers()
        self._is_woken = False

    def _intake(self) -> Intake:
        return Intake(self.disk, self.notify)

    def _peers(self) -> Peers:
        return Peers(self.principal, interval_s=self.interval_s, chance=self.clock.chance.random)

    # --- power

    def start(self) -> None:
        """Switch it on."""
        self.is_up = True
        self.starts += 1
        self._is_woken = False  # a call of `_wake` is under way
        self.peers = self._peers()
        self.putting = Putting(
            self.disk, self.intake, Known(self.disk, self.people), actions.CHARTER, lambda: self.clock.now
        )
        self.clock.note(f"start {self.number}")
        self.read_members()
        self.clock.after(self.clock.chance.random() * self.tick_s, self._tick, self.starts)

    def read_members(self) -> None:
        """Look who belongs to the mesh, and let go of whoever does not."""
        within = members.admitted(self.disk.log) if self.is_folding else None
        self.report(events.MembersChanged([each for each in self.members if within is None or each.hub in within]))

    def crash(self, *, is_noticed: bool) -> None:
        """Everything in memory is gone; others notice at once (the process died) or late (the power went)."""
        self.clock.note(f"crash {self.number}")
        self.is_up = False
        self.network.unplug(self.number, is_noticed=is_noticed)
        self.links = Links(self)
        self.disk.crash()

    def alive(self) -> Callable[[], bool]:
        """A question that is true for as long as the present life of this hub lasts."""
        life = self.starts
        return lambda: self.is_up and self.starts == life

    def _tick(self, life: int) -> None:
        if not self.is_up or life != self.starts:
            return
        for channel, _ in list(self.links.channels.values()):
            channel.tick()
        self.report(events.TimerFired())
        self.clock.after(self.tick_s, self._tick, life)

    # --- what channels need (`hubd.gossip.house.House`)

    def first_rung(self, peer: Principal) -> Rung:
        """Where a session with this peer starts."""
        known = self.peers.peers.get(peer)
        return first_rung(known.last if known else None)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run beside, until it is done or we crash."""
        self.clock.spawn(work, self.alive())

    def admits_session(self, hub: Principal) -> bool:
        """Whether this peer may begin one more session now."""
        return self.peers.admits_session(hub, self.clock.now)

    def admits_word(self, hub: Principal) -> bool:
        """Whether this peer may say one more of the frames that no window bounds."""
        return self.peers.admits_word(hub, self.clock.now)

    def rests(self, hub: Principal) -> bool:
        """Whether this peer's session is put off."""
        return self.peers.rests(hub, self.clock.now)

    def takes_fill(self, hub: Principal, side: Side) -> bool:
        """Whether this peer may bring us many actions now."""
        return self.peers.takes_fill(hub, side, self.clock.now)

    def report(self, event: events.InEvent) -> None:
        """Tell the peers machine, and perform what it says."""
        if isinstance(event, events.SessionEnded):
            self.watcher.ended(self, event)
        elif isinstance(event, events.FaultSeen):
            self.watcher.blamed(self, event.hub, event.code)
        for out in self.peers.handle(event, self.clock.now):
            self._perform(out)
        wait_s = self.peers.due_at - self.clock.now
        if not self._is_woken and wait_s <= self.tick_s:
            self._is_woken = True
            self.clock.after(max(0.0, wait_s), self._wake, self.starts)

    def now(self) -> float:
        """Seconds that never go back."""
        return self.clock.now

    async def sleep(self, seconds: float) -> None:
        """Let so much virtual time pass."""
        await Wait(seconds)

    # --- what the peers machine asks for

    def notify(self, fresh: Sequence[Action], source: bytes) -> None:
        """These are new in the set and on disk."""
        ids, raws = [action.id for action in fresh], [actions.bytes_of(action) for action in fresh]
        if source in self.numbers:
            self.watcher.dealt(self, self.numbers[source])
        self.report(events.Appended(ids, raws, source))
        if self.is_folding and members.speaks(fresh):
            self.read_members()

    def gained(self, news: Sequence[Action], source: bytes) -> None:
        """The content of these came to the disk after them."""
        if source in self.numbers:
            self.watcher.dealt(self, self.numbers[source])
        self.report(events.Gained([action.id for action in news], source))

    def _perform(self, out: events.OutEvent) -> None:
        match out:
            case events.Dial(member, target):
                self.links.dial(member.hub, number_at(target))
            case events.HangUp(hub, side):
                self.links.hang_up(hub, side)
            case events.BeginSession(hub) if channel := self.links.channel_to(hub, Side.DIALLED):
                self.watcher.began(self, hub)
                channel.begin()
            case events.SendPush(hub, side, envelopes) if channel := self.links.channel_to(hub, side):
                channel.send(wire.Push(envelopes))
            case events.SendHave(hub, side, ids) if channel := self.links.channel_to(hub, side):
                channel.send(wire.Have(ids))
            case events.SendHaveContent(hub, side, ids) if channel := self.links.channel_to(hub, side):
                channel.send(wire.HaveContent(ids))
            case events.SendAsk(hub, side, ids) if channel := self.links.channel_to(hub, side):
                channel.ask(ids)
            case events.SendPrune(hub, side) if channel := self.links.channel_to(hub, side):
                channel.send(wire.Prune())
            case events.LoadAsked(hub, side, ids) if channel := self.links.channel_to(hub, side):
                channel.load_asked(ids)
            case events.SendNudge(hub) if channel := self.links.channel_to(hub, Side.ACCEPTED):
                channel.send(wire.Nudge())

    def _wake(self, life: int) -> None:
        if life == self.starts and self.is_up:
            self._is_woken = False
            self.report(events.TimerFired())

    def knock(self, dialler: int) -> str:
        """What a hub that dials us finds: "" or a code."""
        if not self.is_up:
            return "unreachable"
        return "" if self.welcomes(principal_of(dialler)) else "not-admitted"

    def welcomes(self, hub: Principal) -> bool:
        """Whether this hub may be linked to us."""
        return self.peers.welcomes(hub, self.clock.now)

    def send(self, pipe: Pipe, side: Side, raw: bytes) -> str:
        """One frame onto the wire. A rogue sends others."""
        self.watcher.dealt(self, next(each for each in pipe.hubs.values() if each != self.number))
        return pipe.send(side, raw)

    # --- doors for whoever comes by

    async def take_in(self, envelopes: Sequence[bytes], address: str) -> list[Outcome]:
        """The phones' door, with its quotas."""
        return await self.putting.put(envelopes, address)

    async def give(self, place: Cursor | None, actions_max: int) -> tuple[list[Action], Cursor]:
        """The next page for whoever left off at a place, and the place after it; from the start where that is void."""
        after = (await self.disk.resume(place) if place is not None else 0) or 0
        page = await self.disk.page(after, actions_max)
        return [action for _, action in page], self.disk.place(after + len(page))

    def ask(self, work: Callable[[], Coroutine[Any, Any, Any]], answer: Signal, delay_s: float) -> None:
        """Do this for a phone; the answer is under way for `delay_s`, and lost with us."""

        async def serve() -> None:
            found = await work()
            self.clock.after(delay_s, answer.give, found)

        self.spawn(serve())
