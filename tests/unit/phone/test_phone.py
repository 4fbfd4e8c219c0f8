from builders import Village

from hubd.action import charter as charters
from hubd.phone.phone import Phone

CHARTER = charters.write(Village(seed=9).charter)


async def test_who_registers_again_in_the_same_words_signs_nothing_new(tmp_path):
    phone = await Phone.create(tmp_path, CHARTER)
    first = await phone.register("Amina", 1)
    assert await phone.register("Amina", 1) == first
    assert [entry["kind"] for entry in (await phone.show())["outbox"]] == ["user-register"]
    other = await phone.register("Amina", 3)
    assert other.id != first.id
    await phone.close()
