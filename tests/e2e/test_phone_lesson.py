"""Two phones and a hub, over real sockets: a whole lesson, signed offline, and each word the phones show on the way."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from phone_hubs import PhoneHub, phone_hub, served

from hubd.action import charter
from hubd.action.envelope import Action
from hubd.errors import FatalError, RemoteError
from hubd.phone.phone import Phone

VILLAGE_KEY = bytes(range(32))


class Pair:
    """A student's and a tutor's phone at one hub."""

    def __init__(self, hub: PhoneHub, url: str, student: Phone, tutor: Phone) -> None:
        self.hub, self.url, self.student, self.tutor = hub, url, student, tutor

    async def sync(self) -> None:
        for phone in (self.student, self.tutor, self.student):
            await phone.sync(self.url)

    async def request_id(self, phone: Phone) -> str:
        return (await phone.show())["requests"][0]["id"][:8]


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    async with phone_hub(tmp_path) as hub, served(hub) as url:
        file = charter.write(hub.village.charter)
        student = await Phone.create(tmp_path / "amina", file, village_key=VILLAGE_KEY)
        tutor = await Phone.create(tmp_path / "tomas", file, village_key=VILLAGE_KEY)
        await student.register("Amina", 1, home="hub-a") if student.views.hubs else await student.register("Amina", 1)
        await tutor.register("Tomas", 2)
        await hub.take(*(hub.village.vouch("steward-1", phone.principal, 4) for phone in (student, tutor)))
        yield Pair(hub, url, student, tutor)
        await student.close()
        await tutor.close()


async def status_of(phone: Phone, action: Action) -> str:
    shown = {entry["id"]: entry["status"] for entry in (await phone.show())["outbox"]}
    return shown[action.id.hex()]


async def test_a_lesson_goes_from_request_to_opened_ratings(pair: Pair) -> None:
    student, tutor = pair.student, pair.tutor
    request = await student.do("request-open", subjects="reading", ceiling="90", week="mon1-2,sat")
    assert await status_of(student, request) == "on this phone"
    await pair.sync()
    assert await status_of(student, request) == "at the hub"

    offer = await tutor.do(
        "match-offer", request=await pair.request_id(tutor), price="60", minutes="45", start="2026-12-01T15:00"
    )
    assert offer.statement.who == student.principal
    await pair.sync()
    (match,) = (await student.show())["matches"]
    assert (match["tutor"], match["price"], match["asset"], match["minutes"]) == ("Tomas", 60, "hours", 45)

    book = await student.do("lesson-book", match=match["id"][:8])
    assert (book.statement.who, book.statement.amount, book.statement.bits) == (tutor.principal, 60, 45 | 1 << 12)
    await pair.sync()
    lesson = book.id.hex()[:8]
    confirm = await tutor.do("lesson-confirm", lesson=lesson)
    assert (confirm.statement.amount, confirm.statement.moment) == (60, book.statement.moment)
    scanned = await student.do("lesson-attend", lesson=lesson)
    await pair.sync()
    await tutor.do("lesson-attend", about=scanned.id.hex()[:8])
    await pair.sync()
    assert (await tutor.show())["lessons"][0]["state"] == "held"

    await student.do("lesson-complete", lesson=lesson)
    await student.do("rating-seal", lesson=lesson, stars="5", tags="3", text="patient")
    with pytest.raises(RemoteError, match="rating-early"):
        await student.do("rating-open", lesson=lesson)
    await tutor.do("rating-seal", lesson=lesson, stars="4")
    await pair.sync()
    await student.do("rating-open", lesson=lesson)
    wordless = await tutor.do("rating-open", lesson=lesson)
    assert wordless.content is not None, "without a salt, a seal of five possible stars could be tried out"
    await pair.sync()

    for phone, stars in ((student, 4), (tutor, 5)):
        shown = await phone.show()
        (seen,) = shown["lessons"]
        assert (seen["state"], seen["payment"], seen["rated"]) == ("completed", "promised", [True, True])
        assert shown["me"]["ratings"] == {"count": 1, "stars": stars}
        assert not phone.views.void
    assert student.views.digest == tutor.views.digest == pair.hub.folder.views.digest


async def test_a_settled_action_is_done_and_a_refused_one_needs_the_person(pair: Pair) -> None:
    await pair.sync()
    book = await pair.student.do("lesson-book", tutor="Tomas", price="10", minutes="30", start="2026-12-01T15:00")
    other = await pair.student.do("lesson-book", tutor="Tomas", price="10", minutes="30", start="2026-12-02T15:00")
    await pair.sync()
    village = pair.hub.village
    await pair.hub.take(*village.found("uplink", 2, uplink=True))
    await pair.hub.take(village.receipt("uplink", [(book, 0), (other, 600)]))
    await pair.sync()
    assert await status_of(pair.student, book) == "done"
    assert await status_of(pair.student, other) == "needs you"


async def test_a_phone_without_the_hub_keeps_everything(pair: Pair) -> None:
    action = await pair.student.do("request-open", subjects="reading", ceiling="9")
    with pytest.raises(RemoteError) as caught:
        await pair.student.sync("http://127.0.0.1:9")
    assert caught.value.code == "hub-unreachable"
    assert caught.value.hint
    assert await status_of(pair.student, action) == "on this phone"


async def test_a_phone_is_opened_again_with_all_it_knew(tmp_path: Path) -> None:
    async with phone_hub(tmp_path) as hub, served(hub) as url:
        file = charter.write(hub.village.charter)
        phone = await Phone.create(tmp_path / "p", file, "correct horse")
        await phone.register("Amina", 1)
        request = await phone.do("request-open", subjects="mathematics", ceiling="5")
        with pytest.raises(FatalError) as in_use:
            await Phone.open(tmp_path / "p", "correct horse")
        assert in_use.value.code == "data-in-use"
        await phone.close()
        with pytest.raises(FatalError) as wrong:
            await Phone.open(tmp_path / "p", "wrong horse")
        assert wrong.value.code == "key-passphrase"
        phone = await Phone.open(tmp_path / "p", "correct horse")
        assert await status_of(phone, request) == "on this phone"
        await phone.sync(url)
        assert await status_of(phone, request) == "at the hub"
        assert (await phone.show())["me"]["name"] == "Amina"
        await phone.close()


async def test_names_travel_sealed(pair: Pair) -> None:
    await pair.sync()
    everything = b"".join(path.read_bytes() for path in pair.hub.store.database.path.parent.iterdir() if path.is_file())
    assert b"Amina" not in everything
    assert b"Tomas" not in everything
    booked = await pair.student.do("lesson-book", tutor="tomas", minutes="30", start="now")
    assert booked.statement.who == pair.tutor.principal
