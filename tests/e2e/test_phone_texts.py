"""A text that reaches a hub after its header reaches the phones that had taken the header, and only who may read it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from builders import Village
from click.testing import CliRunner
from commands import hubd, make_hub, running, status
from phone_hubs import PhoneHub, phone_hub, phone_of, served

from hubd.action import charter, envelope
from hubd.action.envelope import Action, without_content
from hubd.action.principal import address, parse_address
from hubd.cli import main
from hubd.limits import PHONE_LACKING_IDS_MAX, PHONE_LACKING_PAGES_MAX, PHONE_LACKING_S_MAX, PHONE_LACKING_S_MIN
from hubd.phone.dial import called
from hubd.phone.http_link import HttpLink
from hubd.phone.phone import Phone
from hubd.phone.socket_link import SocketLink
from hubd.web.proofs import authorize
from hubd.web.standing import Scope


def texts(village: Village, count: int, author: str = "ben") -> list[Action]:
    return [village.seal(author, "profile-set", text={"text": f"words {number}"}) for number in range(count)]


async def lacking(phone: Phone) -> int:
    return (await phone._replica.store.summary()).lacking


@asynccontextmanager
async def at_home(tmp_path: Path) -> AsyncIterator[tuple[PhoneHub, Phone]]:
    """A hub, and a phone that sees all of its village."""
    village = Village(1)
    async with phone_hub(tmp_path, village) as hub, phone_of(tmp_path, village) as phone:
        await phone.register("Amina", 1)
        await hub.take(village.register("ben"), village.vouch("steward-1", phone.principal, 4))
        await sync(hub, phone)
        yield hub, phone


async def sync(hub: PhoneHub, phone: Phone) -> int:
    return (await phone.sync_over(HttpLink(hub.http, phone.charter))).texts


class Counted(HttpLink):
    """Counts the questions for texts, and the ids in them."""

    asked: list[int]

    async def content(self, ids: Any, sink: Any) -> None:
        self.asked.append(len(ids))
        await super().content(ids, sink)


async def asked(hub: PhoneHub, phone: Phone) -> list[int]:
    link = Counted(hub.http, phone.charter)
    link.asked = []
    await phone.sync_over(link)
    return link.asked


@pytest.mark.parametrize("is_over_a_socket", [False, True])
async def test_a_text_that_came_late_is_taken_by_a_phone_that_has_its_header(
    tmp_path: Path, is_over_a_socket: bool
) -> None:
    async with at_home(tmp_path) as (hub, phone), served(hub) as url:
        whole = texts(hub.village, 5)
        await hub.take(*map(without_content, whole))
        reached = url.replace("http", "ws") if is_over_a_socket else url
        assert (await phone.sync(reached)).texts == 0
        assert await lacking(phone) == 5
        await hub.take(*whole[:4])
        phone._clock = later(PHONE_LACKING_S_MIN)
        assert (await phone.sync(reached)).texts == 4
        assert await phone._replica.store.get([each.id for each in whole]) == [*whole[:4], without_content(whole[4])]


def later(seconds: float) -> Callable[[], float]:
    return lambda: 2_000_000_000.0 + seconds


async def test_a_guest_asks_for_what_it_is_named_in_and_gets_nothing_else(tmp_path: Path) -> None:
    village = Village(1)
    async with phone_hub(tmp_path, village, "hub-b") as away, phone_of(tmp_path, village) as phone:
        await phone.register("Amina", 1, home=address(village.principal("hub-a")))
        sealed = [village.register(name, text={"name": b"sealed"}) for name in ("ben", "carla")]
        mine = village.seal("ben", "vouch-give", who=phone.principal, bits=1, text={"note": "she reads"})
        await away.take(*village.found("hub-a"), *sealed, without_content(mine))
        assert await asked(away, phone) == [1]
        await away.take(mine)
        phone._clock = later(PHONE_LACKING_S_MIN)
        assert await asked(away, phone) == [1]
        assert await phone._replica.action(mine.id) == mine
        assert await lacking(phone) == len(sealed), "names stay in their village"


async def test_what_no_hub_has_is_asked_for_more_and_more_seldom_and_what_is_new_at_once(tmp_path: Path) -> None:
    async with at_home(tmp_path) as (hub, phone):
        whole = texts(hub.village, 3)
        await hub.take(*map(without_content, whole[:2]))
        times = []
        for minute in range(0, 3_000, 10):
            phone._clock = later(60.0 * minute)
            times += [minute] * len(await asked(hub, phone))
        waits = [60 * (after - before) for before, after in pairwise(times)]
        assert waits == [min(PHONE_LACKING_S_MAX, PHONE_LACKING_S_MIN * 2**n) for n in range(len(waits))]
        assert len(times) < 10
        await hub.take(without_content(whole[2]))
        assert await asked(hub, phone) == [1], "only the new one"
        phone._clock = later(-3_600.0)
        assert await asked(hub, phone) == [3], "a clock that was set back"


async def test_a_long_list_comes_in_several_syncs_and_stops_where_nothing_comes_of_it(tmp_path: Path) -> None:
    page, pages = PHONE_LACKING_IDS_MAX, PHONE_LACKING_PAGES_MAX
    async with at_home(tmp_path) as (hub, phone):
        whole = texts(hub.village, page * (pages + 1))
        await hub.take(*map(without_content, whole))
        assert await asked(hub, phone) == [page], "in vain"
        assert await asked(hub, phone) == [page], "the next ones, in vain"
        await hub.take(*whole)
        assert await asked(hub, phone) == [page] * (pages - 1)
        phone._clock = later(PHONE_LACKING_S_MIN)
        assert await asked(hub, phone) == [page] * 2
        assert await lacking(phone) == 0
        assert await asked(hub, phone) == []


async def test_an_erased_text_is_not_asked_for(tmp_path: Path) -> None:
    async with at_home(tmp_path) as (hub, phone):
        [text] = texts(hub.village, 1)
        await hub.take(text)
        await sync(hub, phone)
        await hub.take(hub.village.seal("ben", "content-erase", subject=text))
        assert await asked(hub, phone) == []
        assert await phone._replica.action(text.id) == without_content(text)


async def test_a_hub_that_answers_with_something_else_gains_nothing_by_it(tmp_path: Path) -> None:
    async with at_home(tmp_path) as (hub, phone):
        whole, bare = texts(hub.village, 2)
        await hub.take(without_content(bare))

        class Rogue(HttpLink):
            async def content(self, _ids: Any, sink: Any) -> None:
                await sink([b"bad", *[each.header for each in (whole, bare)]], None)

        assert (await phone.sync_over(Rogue(hub.http, phone.charter))).texts == 0
        assert await phone._replica.action(bare.id) == without_content(bare)


async def test_a_phone_that_stays_takes_a_text_as_it_comes(tmp_path: Path) -> None:
    async with at_home(tmp_path) as (hub, phone), served(hub) as url:
        [whole] = texts(hub.village, 1)
        await hub.take(without_content(whole))
        async with called(url.replace("http", "ws"), phone.charter) as link:
            assert isinstance(link, SocketLink)
            await phone.sync_over(link)
            assert await lacking(phone) == 1
            await hub.take(whole)
            async with asyncio.timeout(5):
                while await lacking(phone):
                    await link.news()
        assert await phone._replica.action(whole.id) == whole


async def test_a_running_hub_tells_a_phone_that_stays_of_a_text_that_another_brings(tmp_path: Path) -> None:
    deployer = hubd("key", "new", tmp_path / "deployer.key", "--purpose", "deployer").stdout.strip()
    hubd("charter", "new", tmp_path / "charter.toml", "--name", "Tatu", "--deployer", deployer)
    directory = make_hub(tmp_path, "mto")
    hubd("charter", "found", tmp_path / "charter.toml", directory, "--steward-key", tmp_path / "steward-1.key")
    phone = await Phone.create(tmp_path / "amina", (tmp_path / "charter.toml").read_bytes())
    heard: list[bytes] = []

    async def hear(envelopes: list[bytes], _cursor: str | None) -> None:
        heard.extend(envelopes)

    with running(directory):
        port = (await asyncio.to_thread(status, directory))["phones"]["port"]
        await phone.register("Amina", 1)
        await phone.sync(f"http://127.0.0.1:{port}")
        whole = await phone.do("request-open", subjects="0", ceiling="60", note="after dark")
        async with (
            called(f"ws://127.0.0.1:{port}", phone.charter) as link,
            called(f"http://127.0.0.1:{port}", phone.charter) as other,
        ):
            assert isinstance(link, SocketLink)
            await link.authorize(partial(authorize, phone._replica.signer, phone.charter))
            await other.identify()
            await other.put([(whole.id, whole.header)])
            await link.pull(None, hear, Scope.OWN)
            assert whole.header in heard
            await other.put([(whole.id, envelope.encode(whole))])
            async with asyncio.timeout(5):
                while envelope.encode(whole) not in heard:
                    await link.news()
    await phone.close()


async def told(*arguments: object) -> str:
    """What a command of the phone says."""
    ended = await asyncio.to_thread(CliRunner().invoke, main, ["phone", *map(str, arguments)])
    assert ended.exit_code == 0, ended.output
    return ended.stdout


@pytest.mark.parametrize("is_json", [False, True])
async def test_the_command_says_how_many_texts_came(tmp_path: Path, is_json: bool) -> None:
    village = Village(1)
    phone, as_json = ("--phone", tmp_path / "phone"), ("--json",) * is_json
    (tmp_path / "charter.toml").write_bytes(charter.write(village.charter))
    person = json.loads(await told("register", "Amina", "--charter", tmp_path / "charter.toml", "--json", *phone))
    named = village.seal("ben", "vouch-give", who=parse_address(person["person"]), bits=1, text={"note": "she reads"})
    async with phone_hub(tmp_path, village, "a") as bare, phone_hub(tmp_path, village, "b") as whole:
        await bare.take(*village.found("b"), without_content(named))
        await whole.take(named)
        async with served(bare) as one, served(whole) as other:
            said = [await told("sync", url, *phone, *as_json) for url in (one, other, other)]
    if is_json:
        assert [json.loads(each)["texts"] for each in said] == [0, 0, 1]
    else:
        assert ["1 text came to an action that was here without it" in each for each in said] == [False, False, True]
