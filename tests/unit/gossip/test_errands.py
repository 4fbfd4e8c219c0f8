"""What is read for a session: whether a place that a peer names is one of this database, and what lies beyond it."""

import pytest
from builders import Village
from twins import MemoryStore

from hubd.gossip.dialogue import LoadSummary
from hubd.gossip.errands import Errands
from hubd.gossip.wire import NOWHERE, Place
from hubd.intake import SetIntake
from hubd.store.actions import Store

VILLAGE = Village(seed=9)
PEER = VILLAGE.principal("peer")
OLD = [VILLAGE.register(f"old-{number}") for number in range(20)]
LATER = [VILLAGE.register(f"later-{number}") for number in range(20)]
OTHERS = [VILLAGE.register(f"other-{number}") for number in range(20)]


@pytest.fixture(params=["memory", "sqlite"])
async def empty(request, tmp_path):
    """A database without actions, over every store there is."""
    store = MemoryStore() if request.param == "memory" else await Store.open(tmp_path / "db", VILLAGE.domain)
    yield store
    if request.param == "sqlite":
        await store.close()


async def asked(store, place: Place):
    return await Errands(store, SetIntake(store, VILLAGE.domain), PEER).run(LoadSummary(place))


async def end_of(store) -> Place:
    summary = await store.summary()
    return Place(summary.sequence, summary.mark)


async def test_a_place_of_this_database_is_known_and_what_lies_beyond_it_counted(empty):
    await empty.append(OLD)
    place = await end_of(empty)
    await empty.append(LATER)
    found = await asked(empty, place)
    assert (found.is_known, found.beyond) == (True, 20)
    assert not (await asked(empty, NOWHERE)).is_known


async def test_a_place_of_another_database_is_void_though_this_one_reaches_as_far(empty):
    """A copy of a card, or a card that was restored and went on, has other places under the same numbers.

    Kills the mutant that asks only whether there is such a place: what a peer lacks would be counted for given.
    """
    copied = MemoryStore(OLD)
    await copied.append(LATER)
    await empty.append([*OLD, *OTHERS])
    place = await end_of(copied)
    assert place.sequence == (await empty.summary()).sequence
    assert not (await asked(empty, place)).is_known
    assert not (await asked(empty, Place(place.sequence, bytes(8)))).is_known
    assert not (await asked(empty, Place(place.sequence + 1, place.mark))).is_known
