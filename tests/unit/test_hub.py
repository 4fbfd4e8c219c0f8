import pytest
from builders import EPOCH_S, Village

from hubd import config
from hubd.action import charter as charters
from hubd.action import envelope
from hubd.errors import FatalError
from hubd.fold.folder import fold
from hubd.hub import CHARTER_NAME, Hub
from hubd.identity import Identity
from hubd.ports import Door

VILLAGE = Village(seed=5)


@pytest.fixture
def directory(tmp_path):
    (tmp_path / config.FILE_NAME).write_bytes(config.write({"hub.name": "Kijiji"}))
    (tmp_path / CHARTER_NAME).write_bytes(charters.write(VILLAGE.charter))
    Identity.make(tmp_path)
    return tmp_path


async def test_a_kind_of_a_newer_hub_is_carried_and_shown_as_unknown(directory):
    future = VILLAGE.seal("ana", "kind-of-next-year")
    async with Hub.opened(directory) as hub:
        await hub.intake.offer([envelope.encode(VILLAGE.register("ana")), envelope.encode(future)], Door.PHONE)
        assert (await hub.status())["unknown"] == {"kind-of-next-year": 1}
        assert future in [action for _, action in await hub.store.page(0, 10)]
        digest = (await hub.status())["views"]
    async with Hub.opened(directory) as hub:
        assert (await hub.status())["views"] == digest, "views are rebuilt from the set"


async def test_a_hub_announces_itself_once_and_anew_when_something_changed(directory):
    async with Hub.opened(directory) as hub:
        first = await hub.announce()
        assert await hub.announce() == first
    (directory / config.FILE_NAME).write_bytes(config.write({"hub.name": "Kijiji kipya"}))
    async with Hub.opened(directory) as hub:
        second = await hub.announce()
        assert second.statement.subject == first.id
        assert hub.folder.views.hubs[hub.principal].name == "Kijiji kipya"
        assert (await hub.status())["admitted"] is False


async def test_a_folder_without_keys_is_no_hub_and_stays_as_it_was(directory):
    for path in (directory / "keys").iterdir():
        path.unlink()
    with pytest.raises(FatalError) as fatal:
        async with Hub.opened(directory):
            raise AssertionError
    assert fatal.value.code == "key-missing"
    assert not (directory / "hubd.sqlite3").exists()


YEARS_S = 10 * 365 * 86_400


@pytest.mark.parametrize(
    ("clock_s", "state"), [(0, "behind"), (EPOCH_S + 60, "confirmed"), (EPOCH_S + YEARS_S, "ahead")]
)
async def test_a_wrong_clock_changes_no_view(directory, monkeypatch, clock_s, state):
    """... and the status says that it is wrong, once three people whom somebody vouches for have been there."""
    monkeypatch.setattr("hubd.timekeeper.is_synchronised", lambda: False)
    people = ("ana", "tomas", "zuri")
    actions = [action for name in people for action in (VILLAGE.register(name), VILLAGE.vouch("steward-1", name))]
    news = [VILLAGE.book("ana", "tomas"), VILLAGE.book("zuri", "tomas"), VILLAGE.offer("tomas")]
    digests = []
    monkeypatch.setattr("time.time", lambda: clock_s)
    async with Hub.opened(directory) as hub:
        await hub.intake.offer([envelope.encode(action) for action in actions], Door.PEER)
        assert (await hub.status())["clock"]["state"] == "unconfirmed", "what neighbours bring may be of any age"
        await hub.intake.offer([envelope.encode(action) for action in news[:2]], Door.PHONE)
        assert (await hub.status())["clock"]["state"] == "unconfirmed", "two persons are too few"
        await hub.intake.offer([envelope.encode(action) for action in news[2:]], Door.PHONE)
        told = await hub.status()
        assert (told["clock"]["state"], told["clock"]["by"]) == (state, "phones")
        assert told["clock"]["off_s"] == pytest.approx(abs(clock_s - EPOCH_S), abs=60) or state == "confirmed"
        digests.append(told["views"])
    monkeypatch.undo()
    async with Hub.opened(directory) as hub:
        assert [(await hub.status())["views"]] == digests
    assert digests == [fold(VILLAGE.charter, [*actions, *news]).digest.hex()]


async def test_people_whom_nobody_vouched_for_say_nothing_of_the_clock(directory, monkeypatch):
    monkeypatch.setattr("hubd.timekeeper.is_synchronised", lambda: False)
    async with Hub.opened(directory) as hub:
        for name in ("ana", "tomas", "zuri"):
            await hub.intake.offer([envelope.encode(VILLAGE.register(name))], Door.PHONE)
            await hub.intake.offer([envelope.encode(VILLAGE.offer(name))], Door.PHONE)
        assert (await hub.status())["clock"]["state"] == "unconfirmed"
