"""A hub that takes everything again and again has to wait, and an honest one on a bad link has not."""

import pytest
from houses import VILLAGE, House, Pair, turns

from hubd.gossip import wire
from hubd.gossip.peer import Side
from hubd.limits import GIVEN_SETS_MAX, GIVEN_SETS_S, GIVEN_SPARE_ACTIONS, PEER_FAULTS_MAX

ACTIONS = [VILLAGE.register(f"person-{number}") for number in range(300)]
STEPS = 60  # of a second
MESH = wire.mesh_tag(VILLAGE.domain)


class Taker:
    """Greets as if it had nothing, acknowledges whatever comes, and keeps none of it."""

    def __init__(self) -> None:
        self.house = House("us", "taker", ACTIONS)
        self.given = 0
        self.is_put_off = False
        self.number = 0
        self.link()

    def link(self) -> None:
        self.channel = self.house.open(Side.ACCEPTED)

    def say(self, frame: wire.Frame) -> None:
        self.channel.take(wire.encode(frame))

    def greet(self, count: int = 0) -> None:
        self.number += 1
        self.say(wire.Hello(1, MESH, self.number, count, bytes(32), wire.NOWHERE, wire.NOWHERE, wire.STREAM))

    async def hear(self, *, fresh: bool = True, acknowledges: bool = True) -> wire.Frame | None:
        """The last of what it is told until nothing more comes."""
        last = None
        await turns()
        while self.house.said:
            last = wire.decode(self.house.said.popleft())
            if isinstance(last, wire.Actions):
                self.given += len(last.envelopes)
                if acknowledges:
                    self.say(wire.Took(self.number, len(last.envelopes) if fresh else 0))
                    await turns()
        self.is_put_off = last == wire.Fault("later")
        return last

    async def done(self, fingerprint: bytes = bytes(32), count: int = 0) -> None:
        self.say(wire.Done(self.number, count, fingerprint, wire.NOWHERE))
        await self.hear()


async def greets_anew(taker: Taker) -> None:
    """It begins another session instead of saying that this one is done."""


async def breaks_off(taker: Taker) -> None:
    taker.say(wire.Fault("order"))
    await taker.hear()


async def hangs_up(taker: Taker) -> None:
    taker.house.cut(Side.ACCEPTED)
    taker.link()


async def says_done(taker: Taker) -> None:
    await taker.done()


async def says_done_and_lies(taker: Taker) -> None:
    """By its own word it has all of it now; at its next greeting it has nothing."""
    await taker.done(count=len(ACTIONS))


async def repeats_our_own_proof(taker: Taker) -> None:
    summary = await taker.house.card.whole.summary()
    await taker.done(summary.fingerprint, summary.count)


ENDS = [greets_anew, breaks_off, hangs_up, says_done, says_done_and_lies, repeats_our_own_proof]


@pytest.mark.parametrize("is_new", [True, False], ids=["new to it", "known to it"])
@pytest.mark.parametrize("end", ENDS)
async def test_who_takes_everything_and_keeps_nothing_soon_waits_however_it_ends_a_session(end, is_new):
    taker = Taker()
    for _ in range(STEPS):
        taker.greet()
        await taker.hear(fresh=is_new)
        await end(taker)
        taker.house.pass_time(1)
        await turns()
        taker.house.said.clear()
    giving = taker.house.peers[taker.house.neighbour].giving
    assert giving.stalls > 1
    free = (GIVEN_SETS_MAX + STEPS / GIVEN_SETS_S) * len(ACTIONS) + (1 + STEPS / GIVEN_SETS_S) * GIVEN_SPARE_ACTIONS
    sets_in_the_first_waits = 6
    assert len(ACTIONS) <= taker.given <= free + sets_in_the_first_waits * len(ACTIONS)
    assert not taker.house.peers[taker.house.neighbour].faults, "it may be honest, and its card worn out"


@pytest.mark.parametrize("end", [greets_anew, breaks_off, hangs_up])
async def test_who_does_not_grow_by_what_it_called_new_waits_after_the_first_time(end):
    taker = Taker()
    for _ in range(20):
        taker.greet()
        await taker.hear()
        await end(taker)
        taker.house.pass_time(1)
        await turns()
        taker.house.said.clear()
    assert taker.given <= 4 * len(ACTIONS), "after two seconds, after four, after eight"


async def test_who_acknowledges_nothing_and_greets_again_and_again_is_given_no_more_than_that():
    taker = Taker()
    for _ in range(100):
        taker.greet()
        await taker.hear(acknowledges=False)
        taker.house.pass_time(0.5)
    first = taker.given
    for _ in range(100):
        taker.greet()
        await taker.hear(acknowledges=False)
        taker.house.pass_time(0.5)
    assert taker.given - first < first / 2
    assert len(taker.house.peers[taker.house.neighbour].faults) < PEER_FAULTS_MAX


async def test_who_waits_is_answered_again_when_the_time_is_over():
    taker = Taker()
    for _ in range(2):
        taker.greet()
        await taker.hear()
    assert taker.is_put_off
    taker.house.pass_time(2)
    taker.greet()
    await taker.hear()
    assert not taker.is_put_off
    assert taker.given == 2 * len(ACTIONS)


# --- honest ones


async def is_never_put_off(pair: Pair, steps: int) -> None:
    """A link that breaks after so many steps of its frames, until both sets are one."""
    for _ in range(40):
        for _ in range(steps):
            await turns(4)
            pair.deliver()
        if await pair.is_whole():
            break
        pair.first.cut(Side.DIALLED)
        pair.second.cut(Side.ACCEPTED)
        await turns()
        for house in (pair.first, pair.second):
            house.pass_time(1)
        pair = Pair(pair.first, pair.second)
    await pair.go_on(40)
    assert await pair.is_whole()
    for house in (pair.first, pair.second):
        giving = house.peers[house.neighbour].giving
        assert (giving.stalls, giving.rests_until) == (0, 0.0)


@pytest.mark.parametrize("steps", [3, 4, 6, 12])
@pytest.mark.parametrize("who_lacks", ["who dialled", "who was dialled", "both"])
async def test_a_hub_whose_link_breaks_again_and_again_is_never_put_off(who_lacks, steps):
    some, others = ACTIONS[:100], ACTIONS[200:]
    first, second = {
        "who dialled": ([], ACTIONS),
        "who was dialled": (ACTIONS, []),
        "both": (some + ACTIONS[100:200], others + ACTIONS[100:200]),
    }[who_lacks]
    await is_never_put_off(Pair(House("first", "second", first), House("second", "first", second)), steps)


async def test_a_hub_that_is_restored_from_a_backup_is_filled_again_at_once():
    first, second = House("first", "second", ACTIONS), House("second", "first", ACTIONS)
    pair = Pair(first, second)
    await pair.go_on(2)
    assert await pair.is_whole()
    first.cut(Side.DIALLED)
    restored = House("second", "first", ACTIONS[:7])
    pair = Pair(first, restored)
    await pair.until_whole(5)
    assert first.peers[first.neighbour].giving.stalls == 0
