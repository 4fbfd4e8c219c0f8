import errno
import os
from pathlib import Path

import pytest
from builders import Village

from hubd.action import charter as charters
from hubd.errors import FatalError
from hubd.phone.phone import KEY_FILE, Phone

CHARTER = charters.write(Village(seed=9).charter)


async def test_who_registers_again_in_the_same_words_signs_nothing_new(tmp_path):
    phone = await Phone.create(tmp_path, CHARTER)
    first = await phone.register("Amina", 1)
    assert await phone.register("Amina", 1) == first
    assert [entry["kind"] for entry in (await phone.show())["outbox"]] == ["user-register"]
    other = await phone.register("Amina", 3)
    assert other.id != first.id
    await phone.close()


async def test_an_action_is_found_by_its_first_digits_without_a_walk_through_the_set(tmp_path):
    phone = await Phone.create(tmp_path, CHARTER)
    await phone.register("Amina", 1)
    requests = [await phone.do("request-open", subjects="0", ceiling="60") for _ in range(3)]
    asked = []
    read = phone._replica.store.database.read

    async def watched(sql, values=()):
        rows = await read(sql, values)
        asked.append(len(rows))
        return rows

    phone._replica.store.database.read = watched
    closed = await phone.do("request-close", request=requests[1].id.hex()[:8].upper())
    assert closed.statement.subject == requests[1].id
    assert max(asked) <= 2
    await phone.close()


async def test_ids_are_found_by_any_number_of_first_digits(tmp_path):
    phone = await Phone.create(tmp_path, CHARTER)
    await phone.register("Amina", 1)
    beginning = phone._replica.store.ids_beginning
    for number in range(16):
        await phone.do("request-open", subjects="0", ceiling=str(number))
    ids = [id_ for digit in "0123456789abcdef" for id_ in await beginning(digit, 99)]
    assert len(ids) == len({*ids}) == (await phone._replica.store.summary()).count
    for id_ in ids:
        assert await beginning(id_.hex()[:63], 2) == await beginning(id_.hex()[:9], 2) == [id_]
    assert 2 in [len(await beginning(digit, 2)) for digit in "0123456789abcdef"]
    await phone.close()


@pytest.mark.parametrize("failing", ["pathlib.Path.replace", "hubd.phone.phone.keyfile.write"])
async def test_a_phone_that_could_not_be_made_is_made_the_next_time(tmp_path, monkeypatch, failing):
    def full(*_of):
        raise OSError(errno.ENOSPC, "no room")

    with monkeypatch.context() as patch:
        patch.setattr(failing, full)
        with pytest.raises(OSError, match="no room"):
            await Phone.create(tmp_path / "phone", CHARTER)
    assert not (tmp_path / "phone" / KEY_FILE).exists()
    await (await Phone.create(tmp_path / "phone", CHARTER)).close()


async def test_a_charter_is_durable_before_it_has_its_name(tmp_path, monkeypatch):
    """Else a power cut may leave a key beside an empty charter, and such a phone neither opens nor is made anew."""
    steps, sync, replace = [], os.fsync, Path.replace

    def synced(file):
        steps.append(("sync", os.fstat(file).st_ino))
        sync(file)

    def replaced(path, other):
        steps.append((other.name, path.stat().st_ino))
        return replace(path, other)

    monkeypatch.setattr("os.fsync", synced)
    monkeypatch.setattr("pathlib.Path.replace", replaced)
    await (await Phone.create(tmp_path, CHARTER)).close()
    named = next(step for step in steps if step[0] == "charter.toml")
    assert ("sync", named[1]) in steps[: steps.index(named)]


async def test_a_phone_that_is_there_keeps_its_key_and_its_charter(tmp_path):
    await (await Phone.create(tmp_path, CHARTER)).close()
    with pytest.raises(FatalError) as refused:
        await Phone.create(tmp_path, charters.write(Village(seed=8).charter))
    assert refused.value.code == "key-exists"
    assert (tmp_path / "charter.toml").read_bytes() == CHARTER
