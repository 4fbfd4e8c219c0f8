import pytest
from builders import Village

from hubd.errors import LocalError
from hubd.gossip.sketch import SYMBOL_BYTES, Symbols
from hubd.limits import SKETCH_KEEP_IDS
from hubd.store import sketches
from hubd.store.actions import Store

VILLAGE = Village(seed=11)
ACTIONS = [VILLAGE.register(f"person {number}") for number in range(12)]


@pytest.fixture
async def store(tmp_path):
    opened = await Store.open(tmp_path, VILLAGE.charter.domain)
    yield opened
    await opened.close()


def symbols_of(actions):
    symbols = Symbols()
    symbols.add(action.id for action in actions)
    return symbols


async def test_a_sketch_is_that_of_the_whole_set_however_it_grew(store):
    assert await store.sketch_symbols(0, 64) == Symbols().slice(0, 64)
    for upto in (1, 5, 12):
        await store.append(ACTIONS[:upto])
        assert await store.sketch_symbols(0, 1_024) == symbols_of(ACTIONS[:upto]).to_bytes()
        assert await store.sketch_symbols(60, 7) == symbols_of(ACTIONS[:upto]).slice(60, 7)


async def test_a_sketch_is_written_only_when_many_actions_are_new(store, monkeypatch):
    written = []
    change = store.change

    async def counted(work):
        written.append(work)
        return await change(work)

    people = [VILLAGE.register(f"newcomer {number}") for number in range(SKETCH_KEEP_IDS)]
    monkeypatch.setattr(store, "change", counted)
    for upto in range(SKETCH_KEEP_IDS - 1, 0, -64):
        await store.append(people[:upto])
        assert await store.sketch_symbols(0, 1_024) == symbols_of(people[: SKETCH_KEEP_IDS - 1]).to_bytes()
    assert not written
    await store.append(people)
    assert await store.sketch_symbols(0, 1_024) == symbols_of(people).to_bytes()
    await store.sketch_symbols(0, 1)
    assert len(written) == 1


@pytest.fixture
def kept_at_once(monkeypatch):
    monkeypatch.setattr(sketches, "SKETCH_KEEP_IDS", 1)


@pytest.mark.usefixtures("kept_at_once")
async def test_a_restart_goes_on_from_the_sketch_that_was_kept(tmp_path):
    store = await Store.open(tmp_path, VILLAGE.charter.domain)
    await store.append(ACTIONS[:9])
    await store.sketch_symbols(0, 1)
    await store.append(ACTIONS[9:])
    await store.close()
    store = await Store.open(tmp_path, VILLAGE.charter.domain)
    assert (await store.database.compare(sketches.load)).sequence == 9
    assert await store.sketch_symbols(0, 99) == symbols_of(ACTIONS).slice(0, 99)
    assert (await store.database.compare(sketches.load)).sequence == 12
    await store.close()


async def test_a_sketch_is_told_while_the_set_grows_all_the_time(store, monkeypatch):
    await store.append(ACTIONS[:1])
    left = list(ACTIONS[1:])
    compare = store.database.compare

    async def growing(work):
        found = await compare(work)
        if left:
            await store.append([left.pop()])
        return found

    monkeypatch.setattr(store.database, "compare", growing)
    await store.sketch_symbols(0, 1)
    assert len(left) == len(ACTIONS) - 2, "one look is enough"


@pytest.mark.usefixtures("kept_at_once")
async def test_a_sketch_is_told_where_the_card_keeps_nothing_more(store, monkeypatch):
    await store.append(ACTIONS)

    async def full(_work):
        raise LocalError("disk-full", "the card is full")

    monkeypatch.setattr(store, "change", full)
    assert await store.sketch_symbols(0, 1_024) == symbols_of(ACTIONS).to_bytes()


@pytest.mark.usefixtures("kept_at_once")
@pytest.mark.parametrize("asked_before", [True, False])
async def test_what_rotted_is_in_no_symbol_until_it_came_again(store, asked_before):
    await store.append(ACTIONS)
    if asked_before:
        await store.sketch_symbols(0, SYMBOL_BYTES)
    await store.database.write(lambda writer: writer.execute("update action set digest = x'00' where sequence = 4"))
    assert len(await store.page(0, 99)) == len(ACTIONS) - 1
    assert await store.sketch_symbols(0, 1_024) == symbols_of(ACTIONS[:3] + ACTIONS[4:]).to_bytes()
    await store.append(ACTIONS)
    assert await store.sketch_symbols(0, 1_024) == symbols_of(ACTIONS).to_bytes()


@pytest.mark.usefixtures("kept_at_once")
@pytest.mark.parametrize("at", [1, 8, 16, 24, 40_000])
async def test_a_kept_sketch_whose_bytes_changed_is_made_anew(store, at):
    await store.append(ACTIONS)
    await store.sketch_symbols(0, 1)
    rot = "update meta set value = cast(substr(value, 1, ?) || x'ee' || substr(value, ?) as blob) where key = 'sketch'"
    await store.database.write(lambda writer: writer.execute(rot, (at, at + 2)))
    assert await store.sketch_symbols(0, 1_024) == symbols_of(ACTIONS).to_bytes()
