"""What the simulated network, disk and clock do, and what they never do."""

import pytest

from hubd.action.sip018 import ActionId
from hubd.gossip.peer import Side
from hubd.gossip.wire import Have
from hubd.limits import LINK_PING_S, LINK_SILENCE_S, PEER_BAN_S, QUOTA_NEWCOMERS_PER_HOUR
from tools.sim import actions, scenario, story
from tools.sim.actions import Person
from tools.sim.clock import Clock, Wait
from tools.sim.disk import Disk, Speed
from tools.sim.middlebox import KINDS, NONE, Damage
from tools.sim.network import Cable, Network
from tools.sim.plan import Plan, plan_of

ACTIONS = [actions.parsed(actions.made(Person("somebody"), number, 0)) for number in range(6)]


class Wire:
    """Two hubs and one connection between them."""

    def __init__(self, damage=NONE, seed=1, **cable):
        self.clock = Clock(1)
        self.network = Network(self.clock, Cable(**cable), lambda _dialler, _accepter: "", damage, seed)
        self.came = []
        self.noticed_s = None
        self.network.dial(0, 1, self._opened)
        self.clock.run(5.0)

    def _opened(self, pipe, reason):
        assert reason == ""
        self.pipe = pipe
        pipe.take = {side: lambda raw: self.came.append((raw, self.clock.now)) for side in Side}
        pipe.ended = lambda: setattr(self, "noticed_s", self.clock.now)

    def send(self, *frames):
        return [self.pipe.send(Side.DIALLED, raw) for raw in frames]


def test_a_connection_keeps_order_and_repeats_nothing_however_much_it_jitters():
    wire = Wire(jitter_s=1.0)
    frames = [bytes([number]) for number in range(50)]
    wire.send(*frames)
    wire.clock.run(100.0)
    assert [raw for raw, _ in wire.came] == frames


def test_bytes_take_their_time_and_a_full_pipe_says_so():
    wire = Wire(latency_s=0.5, bytes_per_s=100.0)
    assert wire.send(*[bytes(100)] * 81) == [""] * 80 + ["stalled"]
    wire.clock.run(7.0)
    assert [at for _, at in wire.came] == [6.5]


def test_a_partition_delays_and_ends_nothing_by_itself():
    wire = Wire()
    wire.network.part({0: 1})
    wire.send(b"late")
    wire.clock.run(60.0)
    assert wire.came == []
    wire.network.heal()
    assert [raw for raw, _ in wire.came] == [b"late"]
    assert wire.noticed_s is None


@pytest.mark.parametrize("is_noticed", [True, False])
def test_an_end_is_told_or_swallows_whatever_is_said(is_noticed):
    wire = Wire()
    wire.pipe.end(is_noticed=is_noticed)
    assert wire.send(b"lost") == ["closed" if is_noticed else ""]
    wire.clock.run(100.0)
    assert wire.came == []
    assert wire.noticed_s == (5.0 if is_noticed else None)


@pytest.mark.parametrize(
    ("damage", "came"),
    [
        (Damage(1.0, lost=2.0), []),
        (Damage(1.0, repeated=2.0), [0, 0, 1, 1, 2, 2, 3, 3]),
        (Damage(1.0, swapped=2.0), [1, 0, 3, 2]),
        (Damage(0.0, lost=2.0), [0, 1, 2, 3]),
        (Damage(1.0, lost=2.0, until_s=5.0), [0, 1, 2, 3]),
    ],
    ids=["lost", "repeated", "swapped", "no middlebox", "mended"],
)
def test_a_middlebox_loses_repeats_and_swaps_single_frames(damage, came):
    wire = Wire(damage)
    wire.send(*[bytes([number]) for number in range(4)])
    wire.clock.run(50.0)
    assert [raw[0] for raw, _ in wire.came] == came


def test_a_frame_that_nobody_overtakes_comes_a_second_late_and_not_on_a_connection_that_ended():
    wire = Wire(Damage(1.0, swapped=2.0))
    wire.send(b"late")
    wire.clock.run(50.0)
    assert wire.came == [(b"late", pytest.approx(6.02))]
    wire.send(b"lost")
    wire.clock.run(50.5)
    wire.pipe.end()
    wire.clock.run(60.0)
    assert len(wire.came) == 1


def test_how_bad_a_link_is_and_what_befalls_it_the_seed_says_and_a_new_connection_changes_nothing():
    def fates(seed, connections):
        wire = Wire(Damage(0.5, 0.1, 0.1, 0.1), seed)
        for _ in range(connections):
            wire.network.dial(0, 1, wire._opened)
            wire.clock.run(wire.clock.now + 1)
            wire.send(*[bytes([number]) for number in range(60 // connections)])
            wire.clock.run(wire.clock.now + 9)
        return dict(wire.network.damaged)

    assert fates(1, 1) == fates(1, 3)
    assert len({str(fates(seed, 1)) for seed in range(20)}) > 5
    assert any(fates(seed, 1) == {} for seed in range(9))


def two_linked_hubs():
    """A story in which two hubs are linked and have nothing to tell each other any more."""
    quiet = story.Story(scenario.Scenario("quiet", "", "mesh", 2, 1_000.0, interval_s=1_000.0), 1, Plan((), ()))
    for hub in quiet.hubs:
        hub.start()
    quiet.clock.run(10.0)
    assert all(hub.links.channels for hub in quiet.hubs)
    return quiet


def test_a_link_of_two_hubs_with_nothing_to_say_lives_on_a_ping_and_its_answer():
    quiet = two_linked_hubs()
    before = quiet.network.frames_sent
    quiet.clock.run(10.0 + 20 * LINK_PING_S)
    assert 0 < quiet.network.frames_sent - before <= 2 * 20
    assert all(hub.links.channels for hub in quiet.hubs)


def test_a_link_that_dies_without_a_word_is_given_up_by_both_sides():
    quiet = two_linked_hubs()
    began = quiet.clock.now
    quiet.network.part({0: 1})
    quiet.clock.run(began + LINK_SILENCE_S - LINK_PING_S - 1)
    assert all(hub.links.channels for hub in quiet.hubs)
    quiet.clock.run(began + LINK_SILENCE_S + 1)
    assert not any(hub.links.channels for hub in quiet.hubs)
    quiet.network.heal()
    quiet.clock.run(began + 60.0)
    assert all(hub.links.channels for hub in quiet.hubs)


def test_a_side_that_is_only_told_things_says_now_and_then_that_it_is_there():
    quiet = two_linked_hubs()
    [channel] = [
        channel for hub in quiet.hubs for (_, side), (channel, _) in hub.links.channels.items() if side.name[0] == "A"
    ]
    for second in range(10, 200):
        channel.send(Have((ActionId(bytes(32)),)))
        quiet.clock.run(float(second))
    assert all(hub.links.channels for hub in quiet.hubs)


def spawned(clock, work):
    """What a coroutine returns, once it does."""
    found = []

    async def note():
        found.append(await work)

    clock.spawn(note(), lambda: True)
    return found


def test_what_was_not_committed_is_gone_after_a_crash_and_was_never_said_to_be_there():
    clock = Clock(1)
    disk = Disk(clock, b"epoch", Speed(commit_s=1.0), lambda _action: None)
    first = spawned(clock, disk.append(ACTIONS[:2]))
    clock.run(1.5)
    second = spawned(clock, disk.append(ACTIONS[2:4]))
    clock.run(1.8)
    disk.crash()
    clock.run(10.0)
    assert [each.id for each in first[0]] == [each.id for each in ACTIONS[:2]]
    assert second == []
    assert disk.log == ACTIONS[:2]


def test_appends_that_come_during_a_commit_share_the_next_one_and_none_is_new_twice():
    clock = Clock(1)
    disk = Disk(clock, b"epoch", Speed(commit_s=1.0, commit_action_s=0.0), lambda _action: None)
    found = [spawned(clock, disk.append(ACTIONS[: number + 1])) for number in range(3)]
    clock.run(1.5)
    assert [len(each) for each in found] == [1, 0, 0]
    clock.run(2.5)
    assert [[action.id for action in each[0]] for each in found] == [[action.id] for action in ACTIONS[:3]]


def test_an_equal_set_has_an_equal_summary_also_after_a_crash():
    clock = Clock(1)
    one, other = (Disk(clock, name, Speed(), lambda _action: None) for name in (b"one", b"other"))
    one.inherit(ACTIONS)
    other.is_early = True
    spawned(clock, other.append(ACTIONS[::-1]))
    clock.run(1.0)
    assert other.summary_now().fingerprint == one.summary_now().fingerprint
    other.crash()
    assert (other.log, other.items_now.size()) == ([], 0)
    other.inherit(ACTIONS)
    assert other.summary_now().fingerprint == one.summary_now().fingerprint
    assert other.summary_now().mark != one.summary_now().mark, "a place belongs to one database"


def test_a_coroutine_dies_with_whoever_began_it_and_real_waiting_is_refused():
    clock = Clock(1)
    alive, steps = [True], []

    async def work():
        steps.append("begun")
        await Wait(1.0)
        steps.append("not reached")

    clock.spawn(work(), lambda: bool(alive))
    clock.run(0.5)
    alive.clear()
    clock.run(2.0)
    assert steps == ["begun"]

    class Real:
        def __await__(self):
            yield "a future"

    async def really():
        await Real()

    clock.spawn(really(), lambda: True)
    with pytest.raises(AssertionError, match="real waiting"):
        clock.run(3.0)


def told(name):
    """The world of a scenario after its first story."""
    quick = scenario.load()[name]
    world = story.Story(quick, 0, plan_of(quick, 0))
    world.play()
    world.clock.close()
    return world


def test_liars_are_found_out_and_left_alone_and_honest_hubs_never_are():
    world = told("lies")
    banned = {
        (hub.number, peer.member.name)
        for hub in world.hubs
        for peer in hub.peers.peers.values()
        if hub.is_honest and peer.banned_until
    }
    assert {name for _, name in banned} == {"hub 5", "hub 6"}


def honest_bans(world):
    return [
        peer.banned_until
        for hub in world.hubs
        for peer in hub.peers.peers.values()
        if hub.is_honest and peer.banned_until and world.hubs[hub.numbers[peer.member.hub]].is_honest
    ]


@pytest.mark.parametrize("name", ["middlebox", "garbled"])
def test_frames_are_lost_repeated_and_swapped_between_honest_hubs_and_nobody_is_banned_for_it(name):
    world = told(name)
    assert all(world.network.damaged[kind] > 5 for kind in KINDS)
    assert honest_bans(world) == []


def test_honest_hubs_between_which_a_third_of_the_frames_come_wrong_are_left_alone_for_ten_minutes():
    world = told("ruined")
    assert world.settled_s is not None
    bans = honest_bans(world)
    assert bans
    assert max(bans) <= world.scenario.damage.until_s + PEER_BAN_S


def test_a_hub_that_withholds_has_taken_actions_that_it_does_not_have():
    world = told("withholding")
    withholder = world.hubs[-1]
    assert any(withholder.number in item.hubs for phone in world.phones for item in phone.outbox.values())
    assert withholder.disk.log == []


def test_strangers_get_in_up_to_the_quota_and_no_further():
    world = told("sybils")
    newcomers_max = 1.1 * QUOTA_NEWCOMERS_PER_HOUR * world.scenario.hubs  # each registers, and writes once
    assert 0 < world.figures()["junk"] < 2 * newcomers_max < 2 * world.scenario.sybils


def test_a_hub_that_was_retired_stands_alone_and_the_one_that_was_admitted_holds_what_all_hold():
    world = told("turnover")
    *_, comer, leaver = world.hubs
    assert (world.membership.comer, world.membership.leaver) == (comer.number, leaver.number)
    assert not leaver.links.channels
    assert all(leaver.principal not in hub.peers.peers for hub in world.hubs)
    assert comer.links.channels
    assert len(leaver.disk.log) < len(comer.disk.log) == len(world.hubs[0].disk.log)


def test_mules_carry_what_no_link_does():
    world = told("islands")
    assert not any(
        story.islands(world.scenario)[0].count(hub.number) and story.islands(world.scenario)[1].count(other)
        for hub in world.hubs
        for other in range(len(world.hubs))
        if any(peer.member.name == f"hub {other}" for peer in hub.peers.peers.values())
    ), "no link between the first two islands"
    assert world.settled_s is not None


def test_a_cursor_that_is_ahead_of_what_was_got_costs_a_session_and_no_action():
    quick = scenario.load()["flapping"]

    def plant(world):
        for hub in world.hubs:
            by_name = {other.principal: other.disk for other in world.hubs}

            async def ahead(peer, by_name=by_name):
                place = len(by_name[peer].log)
                return place, await by_name[peer].mark_of(place)

            hub.disk.peer_cursor = ahead

    assert {each.check for each in story.run(quick, 0, plant=plant).findings} == {"cursor"}, "nothing else comes of it"
