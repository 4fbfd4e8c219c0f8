"""From a scenario and a seed to a world, and from the world to a verdict.

A story has a restless time, in which people write and the planned mishaps happen, and a calm one, in which everything
must come right. It is over when all honest hubs hold the same and have proven it, or when patience ends.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from hubd.action.envelope import Action, without_content
from hubd.ports import Door
from tools.sim import actions
from tools.sim.actions import EPOCH_S, Person
from tools.sim.checks import Checks, Finding
from tools.sim.clock import Clock, Signal
from tools.sim.disk import Speed
from tools.sim.hub import Hub
from tools.sim.members import Membership, member_of
from tools.sim.network import Cable, Network
from tools.sim.phones import Mule, Phone
from tools.sim.plan import Mishap, Plan, Writing, plan_of
from tools.sim.rogues import Liar, Miser, Withholder
from tools.sim.scenario import Scenario

TEN_YEARS_S = 315_576_000
_SAMPLE_S = 5.0
_RESTORED_MAX = 40  # actions that an earlier copy of a card lacks
_DECLARED_S = 2.0  # until a steward tries again
_DECLARATIONS = 3  # a retirement, an announcement and an admission
_MENDED_S = 90.0  # after which links are as if nothing had ever happened to their frames: two proofs and some
_ERASED_EVERY = 10  # of the texts
_ASKS = (0, 1, 2, 3, 7, 12)  # frames of the dialler that wait for an answer: a round trip each


@dataclass
class Result:
    """What came of a story."""

    scenario: Scenario
    seed: int
    findings: list[Finding]
    figures: dict[str, float]
    trace: str
    spent_s: float  # of processor time
    lines: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Nothing was found."""
        return not self.findings


def run(  # noqa: PLR0913  # options of one story, each by name
    scenario: Scenario,
    seed: int,
    *,
    plan: Plan | None = None,
    plant: Callable[["Story"], None] | None = None,
    keeps_lines: bool = False,
    stop_at: str = "",
) -> Result:
    """Play a story. `plan` replaces the one that the seed makes; `plant` puts a bug into the world before it begins.

    With `stop_at`, it is over as soon as this check has found something.
    """
    started = time.process_time()
    story = Story(scenario, seed, plan_of(scenario, seed) if plan is None else plan)
    story.clock.lines = [] if keeps_lines else None
    story.stop_at = stop_at
    if plant is not None:
        plant(story)
    story.play()
    story.clock.close()
    return Result(
        scenario, seed, story.checks.findings, story.figures(), story.clock.digest, time.process_time() - started,
        story.clock.lines or [],
    )  # fmt: skip


class Story:
    """The world of one scenario and one seed."""

    def __init__(self, scenario: Scenario, seed: int, plan: Plan) -> None:
        self.scenario = scenario
        self.plan = plan
        self.clock = Clock(seed)
        self.checks = Checks(scenario.calm_s, scenario.damage.until_s + _MENDED_S if scenario.damage.links else 0.0)
        self.network = Network(
            self.clock,
            Cable(scenario.latency_s, scenario.jitter_s, scenario.bytes_per_s),
            lambda dialler, accepter: self.hubs[accepter].knock(dialler),
            scenario.damage,
            seed,
        )
        self.hubs = [self._hub(number) for number in range(scenario.hubs)]
        self.phones = [self._phone(number) for number in range(scenario.phones)]
        self.mules = [
            Mule(self.clock, f"mule {number}", break_share=scenario.contact_breaks) for number in range(scenario.mules)
        ]
        self.stop_at = ""
        self.settled_s: float | None = None
        self.written = 0
        self.declared = 0
        self.membership = self.checks.membership = Membership(scenario.hubs) if scenario.retire_s else None
        self._near = neighbours(scenario, seed)
        self.checks.watch(self.hubs)
        self._introduce(seed)

    # --- making the world

    def _hub(self, number: int) -> Hub:
        scenario = self.scenario
        kinds = [Hub] * scenario.honest + [Liar] * scenario.liars + [Withholder] * scenario.withholders
        kind = (kinds + [Miser] * scenario.misers)[number]
        hub = kind(self.clock, self.network, number, self.checks, Speed())
        hub.interval_s, hub.tick_s = scenario.interval_s, scenario.tick_s
        return hub

    def _phone(self, number: int) -> Phone:
        scenario = self.scenario
        skew_s = (TEN_YEARS_S if number % 2 else -EPOCH_S) if scenario.wrong_clocks and number % 3 == 0 else 0
        person = Person(f"person {number}", skew_s)
        return Phone(
            self.clock, person, self.checks, break_share=scenario.contact_breaks, reads=scenario.reads,
            letters=scenario.letters,
        )  # fmt: skip

    def _introduce(self, seed: int) -> None:
        people = frozenset(phone.person.principal for phone in self.phones)
        for hub in self.hubs:
            hub.hubs, hub.people = self.hubs, people
            near = sorted({hub.number, *self._near[hub.number]})
            hub.members = [member_of(number, is_near=True) for number in near]
            hub.numbers = {other.principal: other.number for other in self.hubs}
        if self.membership is not None:
            self.hubs[self.membership.leaver].is_honest = False  # nobody holds it to what it took before it had to go
            for hub in self.hubs:
                hub.is_folding = True
                hub.disk.inherit(self.membership.inherited(hub.number))
        elder, bare = Person("elder"), self.scenario.bare
        raws = [actions.made(elder, number, 0, has_text=bool(bare)) for number in range(self.scenario.prior)]
        prior = [actions.parsed(raw) for raw in raws]
        honest, newcomers = self.scenario.honest, self.scenario.newcomers
        holders = self.hubs[: honest - newcomers] + self.hubs[honest:]
        chance = random.Random(f"{seed} bare")  # noqa: S311
        for hub in holders:
            hub.disk.inherit([without_content(each) if chance.random() < bare else each for each in prior])
        if bare:
            erased = prior[::_ERASED_EVERY]
            held = {each.id for hub in self.checks.honest for each in hub.disk.log if each.content is not None}
            self.checks.erased = {each.id for each in erased}
            self.checks.texts = held - self.checks.erased
            self.hubs[0].disk.inherit([actions.erasure(elder, each) for each in erased])

    # --- playing it

    def play(self) -> None:
        """From the first second to the verdict."""
        scenario, clock = self.scenario, self.clock
        for hub in self.hubs:
            clock.after(clock.chance.random() * 2, self._start, hub)
        for phone in self.phones:
            clock.after(clock.chance.random() * scenario.visit_s, self._visit, phone)
        for position, mule in enumerate(self.mules):
            clock.after(clock.chance.random() * scenario.hop_s, self._hop, mule, position)
        for number in range(scenario.sybils):
            clock.after(scenario.write_from_s + clock.chance.random() * scenario.write_s, self._intrude, number)
        for writing in self.plan.writings:
            clock.after(writing.at_s, self._write, writing)
        for mishap in self.plan.mishaps:
            clock.after(mishap.at_s, self._strike, mishap)
        if self.membership is not None:
            clock.after(scenario.retire_s, self._declare, self.membership.retirement())
            clock.after(scenario.admit_s, self._declare, self.membership.admission())
        clock.after(_SAMPLE_S, self._sample)
        try:
            clock.run(scenario.end_s, self._is_over)
        except Exception as error:  # noqa: BLE001  # whatever a machine raises is a finding of this story
            self.checks.found("exception", f"{type(error).__name__}: {error}")
        self._judge()

    def _start(self, hub: Hub) -> None:
        if not hub.is_up:
            hub.start()

    def _visit(self, phone: Phone) -> None:
        self.clock.after(self.scenario.visit_s * (0.5 + self.clock.chance.random()), self._visit, phone)
        home = self.phones.index(phone) % len(self.hubs)
        reach = sorted({home, *self._near[home]})
        phone.visit(self.hubs[self.clock.chance.choice(reach)])

    def _hop(self, mule: Mule, stop: int) -> None:
        self.clock.after(self.scenario.hop_s * (0.8 + 0.4 * self.clock.chance.random()), self._hop, mule, stop + 1)
        island = islands(self.scenario)[stop % self.scenario.islands]
        mule.visit(self.hubs[self.clock.chance.choice(island)])

    def _write(self, writing: Writing) -> None:
        self.written += 1
        self.phones[int(writing.pick * len(self.phones))].write()

    def _intrude(self, number: int) -> None:
        """A stranger registers and writes, from one of a few addresses."""
        hub, person = self.hubs[number % len(self.hubs)], Person(f"sybil {number}")
        raws = [actions.made(person, nth, 0) for nth in range(2)]
        hub.ask(lambda: hub.take_in(raws, f"10.0.0.{number % 40}"), Signal(self.clock), 0.0)

    def _declare(self, said: list[Action]) -> None:
        """A steward brings this to a hub that stays, again and again until it took it."""
        if all(action.id in self.checks.arrivals for action in said):
            self.declared += len(said)
            return
        standing = [hub for hub in self.hubs[:-2] if hub.is_up]
        if standing:
            hub, raws = self.clock.chance.choice(standing), [actions.bytes_of(action) for action in said]
            hub.ask(lambda: hub.intake.offer(raws, Door.OWN), Signal(self.clock), 0.0)
        self.clock.after(_DECLARED_S, self._declare, said)

    def _junk(self) -> int:
        """How many actions of strangers came in."""
        people = {phone.person.principal for phone in self.phones} | {Person("elder").principal}
        return sum(action.statement.author not in people for action in self.checks.honest[0].disk.log)

    def _strike(self, mishap: Mishap) -> None:
        chosen, how, split = mishap.picks
        self.clock.note(f"strike {mishap.kind}")
        match mishap.kind:
            case "partition":
                chance = random.Random(split)  # noqa: S311
                self.network.part({hub.number: int(chance.random() < 0.5) for hub in self.hubs})
                self.clock.after(mishap.for_s, self.network.heal)
            case "crash":
                hub = self.hubs[int(chosen * len(self.hubs))]
                if hub.is_up:
                    hub.crash(is_noticed=how < 0.5)
                    self.checks.kept_its_word(hub)
                    self.clock.after(mishap.for_s, self._start, hub)
            case "restore":
                hub = self.hubs[int(chosen * len(self.hubs))]
                if hub.is_up and hub.is_honest:
                    hub.crash(is_noticed=how < 0.5)
                    hub.disk.restore(int(split * _RESTORED_MAX))
                    self.checks.restored(hub)
                    self.clock.after(mishap.for_s, self._start, hub)
            case "break" if self.network.pipes:
                list(self.network.pipes)[int(chosen * len(self.network.pipes))].end(is_noticed=how < 0.5)
            case "battery" if self.phones:
                awake = [phone for phone in self.phones if phone.is_busy] or self.phones
                phone = awake[int(chosen * len(awake))]
                phone.die()
                self.checks.left_off(phone)

    # --- judging it

    def _sample(self) -> None:
        self.clock.after(_SAMPLE_S, self._sample)
        self.checks.queues()
        self.checks.blames()

    def _is_over(self) -> bool:
        """Also notes when all came to hold the same."""
        if self.stop_at and any(finding.check == self.stop_at for finding in self.checks.findings):
            return True
        if self.clock.now < self.scenario.calm_s or self.written < len(self.plan.writings):
            return False
        if self.membership is not None and self.declared < _DECLARATIONS:
            return False
        if not self.checks.is_one() or not self._is_delivered():
            self.settled_s = None
            return False
        if self.settled_s is None:
            self.settled_s = self.clock.now
        return self.checks.are_proven_since(self.settled_s) and self.checks.are_whole()

    def _is_delivered(self) -> bool:
        arrivals = self.checks.arrivals
        return all(action_id in arrivals for phone in self.phones for action_id in phone.outbox)

    def _judge(self) -> None:
        found, expect, figures = self.checks, self.scenario.expect, self.figures()
        found.queues()
        found.blames()
        for hub in found.honest:
            found.kept_its_word(hub)
        for phone in self.phones:
            found.left_off(phone)
        found.delivered(self.phones)
        if not self._is_delivered():
            found.found("convergence", "something that was written has reached no honest hub")
        if self.membership is not None and self.declared < _DECLARATIONS:
            found.found("convergence", "what a steward said of members has reached no honest hub")
        found.convergence(views=self.scenario.views)
        found.contents()
        if self.settled_s is not None and not found.are_proven_since(self.settled_s):
            found.found("done", "all hubs hold the same and some never say so")
        for name, most in vars(expect).items():
            figure = figures.get(name.removesuffix("_max"), 0.0)
            if most and figure > most:
                found.found("bounds", f"{name.removesuffix('_max')} is {figure:,.3f}, expected at most {most:,.3f}")

    def figures(self) -> dict[str, float]:
        """What came of it, in numbers."""
        network, found = self.network, self.checks
        end_s = self.clock.now if self.settled_s is None else self.settled_s
        whole = len(found.honest)
        complete = [(first, last) for first, last, count in found.arrivals.values() if first > 0 and count == whole]
        spreads = [last - first for first, last in complete]
        mended_s = self.scenario.damage.until_s + _MENDED_S
        later = [last - first for first, last in complete if first > mended_s]
        sessions = sum(found.sessions.values()) / 2
        asked = sum(network.asked[number] for number in _ASKS)
        return {
            "settle_s": max(0.0, end_s - max(self.scenario.calm_s, found.last_new_s)),
            "prove_s": self.clock.now - end_s,
            "spread_s": max(spreads, default=0.0),
            "mended_spread_s": max(later, default=0.0),
            "sessions": sessions,
            "rounds": asked / max(1.0, network.asked[0]),
            "frames": network.frames_sent,
            "bytes": network.bytes_sent,
            "delivery_bytes": network.bytes_sent / max(1, found.deliveries),
            "wire": network.bytes_sent / max(1, found.payload_bytes),
            "held": found.held_max,
            "junk": self._junk(),
            "damaged": network.damaged.total(),
            "events": self.clock.events,
            "virtual_s": self.clock.now,
        }


def islands(scenario: Scenario) -> list[list[int]]:
    """The hubs of each island."""
    size = -(-scenario.hubs // scenario.islands)
    return [list(range(start, min(start + size, scenario.hubs))) for start in range(0, scenario.hubs, size)]


def neighbours(scenario: Scenario, seed: int) -> list[set[int]]:
    """For each hub those in its reach."""
    count = scenario.hubs
    near: list[set[int]] = [set() for _ in range(count)]
    match scenario.shape:
        case "line":
            pairs = [(number, number + 1) for number in range(count - 1)]
        case "star":
            pairs = [(0, number) for number in range(1, count)]
        case "mesh":
            pairs = [(one, other) for one in range(count) for other in range(one)]
        case "islands":
            pairs = [(one, other) for island in islands(scenario) for one in island for other in island if other < one]
        case _:
            chance = random.Random(f"{seed} web")  # noqa: S311
            ring = [(number, (number + 1) % count) for number in range(count)]
            extra = count * max(0, scenario.degree - 2) // 2
            pairs = ring + [(chance.randrange(count), chance.randrange(count)) for _ in range(extra)]
    for one, other in pairs:
        if one != other:
            near[one].add(other)
            near[other].add(one)
    return near
