"""A text that comes later than its header: at once to everybody who lacks it, once, and past whoever lies about it."""

import pytest

from hubd.action.envelope import without_content
from hubd.gossip.peers import Peers
from hubd.gossip.wire import Content, HaveContent, decode
from hubd.limits import ASK_ANSWER_S, HAVE_GATHER_S, HAVE_REST_S
from hubd.ports import Door
from tools.sim import actions, story
from tools.sim.actions import Person, made
from tools.sim.scenario import Scenario

DELAY_S = 0.05
READING_S = 0.02  # of one hop: two looks into a store, a signature, a commit
COMES_S = 45.0  # when everybody has proven everything
SEEDS = range(4)
RAWS = [made(Person("elder"), number, 0, has_text=True) for number in range(1, 9)]
TEXTS = [actions.parsed(raw) for raw in RAWS]
IDS = {each.id for each in TEXTS}


class Journey:
    """What becomes of eight texts, of which the first hub gets one after the other and nobody has more than the headers."""

    def __init__(self, seed, *, shape="line", hubs=20, apart_s=0.0, erased_at=(), **others):
        self.gained = {}  # when, by hub and text
        self.told = self.given = self.given_bytes = 0
        self.apart_s, self.erased_at = apart_s, erased_at
        numbers = {"shape": shape, "hubs": hubs, "latency_s": DELAY_S, "end_s": 2_000.0, **others}
        self.result = story.run(Scenario(name="texts", about="", **numbers), seed, plant=self.plant)

    def plant(self, world):
        world.checks.texts = IDS
        for hub in world.hubs:
            hub.disk.inherit([without_content(each) for each in TEXTS])
            hub.disk.gain_listeners.append(lambda news, _source, hub=hub: self.note(hub, news))
            hub.send = self.counted(hub.send)
        for number in self.erased_at:
            world.hubs[number].disk.bare.clear()
            world.hubs[number].disk._erased.update((each.id, each.statement.author) for each in TEXTS)
        first = world.hubs[0]
        for number, raw in enumerate(RAWS):
            at_s = COMES_S + number * self.apart_s
            world.clock.after(at_s, lambda raw=raw: first.spawn(first.intake.offer([raw], Door.PHONE)))

    def note(self, hub, news):
        for each in news:
            assert (hub.number, each.id) not in self.gained, "a hub gains a text once"
            self.gained[hub.number, each.id] = hub.clock.now

    def counted(self, send):
        def counting(pipe, side, raw):
            frame = decode(raw)
            if isinstance(frame, HaveContent):
                self.told += len(frame.ids)
            if isinstance(frame, Content):
                self.given += len(frame.envelopes)
            return send(pipe, side, raw)

        return counting

    @property
    def longest_s(self):
        return max(at - self.gained[0, id_] for (_, id_), at in self.gained.items())


@pytest.mark.parametrize("seed", SEEDS)
def test_along_a_line_of_hubs_a_text_takes_three_delays_a_hop_and_is_told_and_given_once(seed):
    journey = Journey(seed, apart_s=1.0)
    hops = 19
    assert journey.result.is_good, journey.result.findings
    assert len(journey.gained) == 20 * len(TEXTS)
    assert journey.longest_s <= hops * (3 * DELAY_S + READING_S)
    assert (journey.told, journey.given) == (hops * len(TEXTS), hops * len(TEXTS))


def test_without_being_told_each_hop_waits_for_a_proof(monkeypatch):
    """What it was like; so the bounds above are no accident. Kills the mutant that tells nobody."""
    take = Peers.handle
    monkeypatch.setattr(Peers, "handle", lambda peers, event, now: (
        [] if type(event).__name__ == "Gained" else take(peers, event, now)
    ))  # fmt: skip
    journey = Journey(0, hubs=6)
    assert journey.result.is_good, journey.result.findings
    assert journey.told == 0
    assert journey.longest_s > 5 * 10


@pytest.mark.parametrize("seed", SEEDS)
def test_what_comes_together_travels_together(seed):
    journey = Journey(seed)
    assert journey.result.is_good, journey.result.findings
    assert journey.longest_s <= 19 * (3 * DELAY_S + READING_S + HAVE_GATHER_S)


@pytest.mark.parametrize("seed", SEEDS)
def test_where_all_are_linked_every_hub_is_given_it_once_and_told_by_each_of_the_others_at_most_once(seed):
    hubs = 12
    journey = Journey(seed, shape="mesh", hubs=hubs, apart_s=1.0)
    assert journey.result.is_good, journey.result.findings
    assert journey.given == (hubs - 1) * len(TEXTS)
    assert journey.told <= hubs * (hubs - 1) * len(TEXTS)
    assert journey.longest_s <= 3 * DELAY_S + READING_S


@pytest.mark.parametrize("seed", SEEDS)
def test_a_hub_at_which_it_was_erased_neither_takes_it_nor_passes_it_on(seed):
    journey = Journey(seed, hubs=6, erased_at=[3], end_s=300.0)
    assert {hub for hub, _ in journey.gained} == {0, 1, 2}
    assert journey.told == 3 * len(TEXTS), "the one that erased it is told, and asks for nothing"
    assert journey.given == 2 * len(TEXTS)


@pytest.mark.parametrize("seed", SEEDS)
def test_hubs_that_lie_about_everything_do_not_keep_it_from_others(seed):
    journey = Journey(seed, shape="mesh", hubs=8, liars=2, apart_s=1.0)
    assert journey.result.is_good, journey.result.findings
    assert journey.longest_s <= ASK_ANSWER_S + HAVE_REST_S
