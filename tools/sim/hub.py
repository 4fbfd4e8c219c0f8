"""One simulated hub: the real machines (`Peers`, `Channel` with its sessions, `Putting` with its quotas), performed.

This is the one file that performs the machines' events. What `hubd.gossip.link` does with sockets and tasks, and
`hubd.intake` with a loop, is done here with `network`, `disk` and `clock`; nothing of the protocol is repeated.
"""

from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Sequence
from typing import Any, Protocol

from hubd.action.envelope import Action
from hubd.action.network import TESTNET
from hubd.action.principal import Principal
from hubd.gossip import peer as events
from hubd.gossip import wire
from hubd.gossip.channel import Channel
from hubd.gossip.content import Claims, Sought
from hubd.gossip.dialogue import Parties, Rung, first_rung
from hubd.gossip.peer import Member, Side
from hubd.gossip.peers import Peers
from hubd.ports import Cursor, Outcome
from hubd.web.putting import Putting
from tools.sim import actions, members
from tools.sim.clock import Clock, Signal, Wait
from tools.sim.disk import Disk, Speed
from tools.sim.doors import Intake, Known
from tools.sim.network import Network, Pipe

_MESH = wire.mesh_tag(actions.CHARTER.domain)


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


def principal_of(number: int) -> Principal:
    """The name of a hub."""
    return actions.signer(f"hub {number}").principal(TESTNET)


def member_of(number: int, *, is_near: bool) -> Member:
    """A hub as others know it; only those in reach have an address of it."""
    key = number.to_bytes(32, "big")
    return Member(principal_of(number), key, (f"hub-{number}:7463",) if is_near else (), f"hub {number}")


def number_at(address: str) -> int:
    """The hub behind such an address."""
    return int(address.removeprefix("hub-").partition(":")[0])


class Hub:
    """A hub that may crash and come back. It is the `House` of its channels."""

    is_honest = True

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
        self.channels: dict[tuple[Principal, Side], tuple[Channel, Pipe]] = {}
        self.dialled: dict[Principal, Pipe] = {}
        self._dials: dict[Principal, object] = {}  # that have no answer yet, and were not hung up
        self.peers = self._peers()
        self.sought: dict[Principal, Sought] = {}
        self.claims = Claims()
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
        self.sought, self.claims = {}, Claims()
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
        self.channels.clear()
        self.dialled.clear()
        self._dials.clear()
        self.disk.crash()

    def alive(self) -> Callable[[], bool]:
        """A question that is true for as long as the present life of this hub lasts."""
        life = self.starts
        return lambda: self.is_up and self.starts == life

    def _tick(self, life: int) -> None:
        if not self.is_up or life != self.starts:
            return
        for channel, _ in list(self.channels.values()):
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
                answer = self._answered(member)
                self.network.dial(self.number, number_at(target), answer)
            case events.HangUp(hub, Side.DIALLED):
                self._hang_up(hub)
            case events.HangUp(hub) if entry := self.channels.get((hub, Side.ACCEPTED)):
                entry[1].end()
                self._forget(hub, entry[0], "cut")
            case events.BeginSession(hub) if channel := self._channel_to(hub, Side.DIALLED):
                self.watcher.began(self, hub)
                channel.begin()
            case events.SendPush(hub, side, envelopes) if channel := self._channel_to(hub, side):
                channel.send(wire.Push(envelopes))
            case events.SendHave(hub, side, ids) if channel := self._channel_to(hub, side):
                channel.send(wire.Have(ids))
            case events.SendHaveContent(hub, side, ids) if channel := self._channel_to(hub, side):
                channel.send(wire.HaveContent(ids))
            case events.SendAsk(hub, side, ids) if channel := self._channel_to(hub, side):
                channel.ask(ids)
            case events.SendPrune(hub, side) if channel := self._channel_to(hub, side):
                channel.send(wire.Prune())
            case events.LoadAsked(hub, side, ids) if channel := self._channel_to(hub, side):
                channel.load_asked(ids)
            case events.SendNudge(hub) if channel := self._channel_to(hub, Side.ACCEPTED):
                channel.send(wire.Nudge())

    def _channel_to(self, hub: Principal, side: Side) -> Channel | None:
        entry = self.channels.get((hub, side))
        return entry[0] if entry is not None else None

    def _wake(self, life: int) -> None:
        if life == self.starts and self.is_up:
            self._is_woken = False
            self.report(events.TimerFired())

    # --- links that we dial

    def _answered(self, member: Member) -> Callable[[Pipe | None, str], None]:
        is_alive, dial = self.alive(), object()
        self._dials[member.hub] = dial

        def answer(pipe: Pipe | None, reason: str) -> None:
            is_wanted = is_alive() and self._dials.get(member.hub) is dial
            if is_wanted:
                del self._dials[member.hub]
            if not is_wanted:
                if pipe is not None:
                    pipe.end()
            elif pipe is None:
                self.report(events.LinkLost(member.hub, Side.DIALLED, reason))
            else:
                self._dialled(member.hub, pipe)

        return answer

    def _dialled(self, hub: Principal, pipe: Pipe) -> None:
        is_alive = self.alive()
        self.dialled[hub] = pipe

        def over(_reason: str = "") -> None:
            pipe.ended = lambda: None
            pipe.end()
            entry = self.channels.get((hub, Side.DIALLED))
            if entry is not None and entry[1] is pipe:
                entry[0].close()
                del self.channels[hub, Side.DIALLED]
            if self.dialled.get(hub) is pipe:
                del self.dialled[hub]
                self.report(events.LinkLost(hub, Side.DIALLED, "closed"))

        pipe.ended = lambda: over() if is_alive() else None
        channel = self._channel(hub, Side.DIALLED, pipe, lambda _reason: self.clock.after(0.0, pipe.ended))
        pipe.take[Side.DIALLED] = self._taker(hub, Side.DIALLED, channel)
        other = self.hubs[pipe.hubs[Side.ACCEPTED]]
        pipe.take[Side.ACCEPTED] = other.accepting(self.principal, pipe)
        self.report(events.LinkOpened(hub, Side.DIALLED))

    hubs: "list[Hub]"
    numbers: dict[bytes, int]  # of all hubs, by name

    def _hang_up(self, hub: Principal) -> None:
        self._dials.pop(hub, None)
        pipe = self.dialled.pop(hub, None)
        if pipe is not None:
            pipe.ended = lambda: None
            pipe.end()
        entry = self.channels.pop((hub, Side.DIALLED), None)
        if entry is not None:
            entry[0].close()

    # --- links that are dialled to us

    def knock(self, dialler: int) -> str:
        """What a hub that dials us finds: "" or a code."""
        if not self.is_up:
            return "unreachable"
        return "" if self.peers.welcomes(principal_of(dialler), self.clock.now) else "not-admitted"

    def accepting(self, hub: Principal, pipe: Pipe) -> Callable[[bytes], None]:
        """Takes the frames of a hub that dialled us. Our side of a link begins with its first one."""
        is_alive = self.alive()
        opened: list[Callable[[bytes], None]] = []

        def take(raw: bytes) -> None:
            if not is_alive():
                return
            if not self.peers.welcomes(hub, self.clock.now):
                self.counters["unwelcome"] += 1
                return
            if not opened:
                opened.append(self._accept(hub, pipe))
            opened[0](raw)

        return take

    def _accept(self, hub: Principal, pipe: Pipe) -> Callable[[bytes], None]:
        former = self.channels.get((hub, Side.ACCEPTED))
        if former is not None:
            self._forget(hub, former[0], "replaced")
        channel = self._channel(hub, Side.ACCEPTED, pipe, lambda reason: self._forget(hub, channel, reason))
        self.report(events.LinkOpened(hub, Side.ACCEPTED))
        return self._taker(hub, Side.ACCEPTED, channel)

    def _forget(self, hub: Principal, channel: Channel, reason: str) -> None:
        channel.close()
        entry = self.channels.get((hub, Side.ACCEPTED))
        if entry is not None and entry[0] is channel:
            del self.channels[hub, Side.ACCEPTED]
            self.report(events.LinkLost(hub, Side.ACCEPTED, reason))

    # --- both

    def _channel(self, hub: Principal, side: Side, pipe: Pipe, lost: Callable[[str], None]) -> Channel:
        is_alive = self.alive()
        parties = Parties(self.principal, hub, _MESH)
        channel = Channel(
            self,
            side,
            parties,
            self.sought.setdefault(hub, Sought(self.claims)),
            send=lambda raw: self.send(pipe, side, raw),
            lost=lambda reason: lost(reason) if is_alive() else None,
        )
        self.channels[hub, side] = channel, pipe
        return channel

    def send(self, pipe: Pipe, side: Side, raw: bytes) -> str:
        """One frame onto the wire. A rogue sends others."""
        self.watcher.dealt(self, next(each for each in pipe.hubs.values() if each != self.number))
        return pipe.send(side, raw)

    def _taker(self, hub: Principal, side: Side, channel: Channel) -> Callable[[bytes], None]:
        is_alive = self.alive()

        def take(raw: bytes) -> None:
            if is_alive():
                self.clock.note(f"frame {self.number} {side.name[0]} {hub[-2:].hex()} {len(raw)} {raw[-8:].hex()}")
                channel.take(raw)

        return take

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
