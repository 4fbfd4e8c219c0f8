import pytest
from builders import Village

from hubd import config
from hubd.action import charter as charters
from hubd.action import envelope
from hubd.errors import FatalError
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


@pytest.mark.parametrize("clock_s", [0, 2_100_000_000])
async def test_a_wrong_clock_changes_no_view(directory, monkeypatch, clock_s):
    actions = [
        envelope.encode(action)
        for action in (VILLAGE.register("ana"), VILLAGE.register("tomas"), VILLAGE.book("ana", "tomas"))
    ]
    async with Hub.opened(directory) as hub:
        await hub.intake.offer(actions, Door.PHONE)
        right = (await hub.status())["views"]
    monkeypatch.setattr("time.time", lambda: clock_s)
    async with Hub.opened(directory) as hub:
        assert (await hub.status())["views"] == right
