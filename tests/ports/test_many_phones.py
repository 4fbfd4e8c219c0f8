"""Many phones on one hub at once: real sockets, real proofs, the hub in a process of its own."""

import asyncio
import os
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from builders import Village
from hub_process import hub_process

from hubd.action import envelope
from hubd.action.envelope import Action
from hubd.phone.socket_link import SocketLink
from hubd.ports import Verdict
from hubd.web.client import ClientWire, dial
from hubd.web.frames import SOCKET_PATH
from hubd.web.proofs import authorize
from hubd.web.standing import Scope

PHONES = 256 if os.environ.get("HUBD_CAMPAIGN") else 40
VILLAGE = Village(1)


@dataclass
class LivePhone:
    """A phone that stays: it has proven its key, and news come to it as they happen."""

    name: str
    link: SocketLink
    news: list[Action] = field(default_factory=list)

    async def hear(self, envelopes: list[bytes], _cursor: str | None) -> None:
        self.news += [envelope.parse(raw, VILLAGE.domain) for raw in envelopes]

    async def join(self, scope: Scope) -> None:
        await self.link.identify()
        await self.link.authorize(partial(authorize, VILLAGE.signer(self.name), VILLAGE.charter))
        place = await self.link.end(scope)
        await self.link.pull(place, self.hear, scope)

    async def bring(self, action: Action) -> bool:
        [(told, outcome)] = await self.link.put([(action.id, envelope.encode(action))])
        return told == action.id and outcome.verdict is Verdict.OK

    async def until(self, count: int) -> None:
        while len(self.news) < count:
            await self.link.news()


async def live_phones(stack: AsyncExitStack, url: str, scope: Scope) -> list[LivePhone]:
    phones = []
    for number in range(PHONES):
        connection = await stack.enter_async_context(dial(url.replace("http", "ws") + SOCKET_PATH))
        phones.append(LivePhone(f"p{number}", SocketLink(ClientWire(connection), VILLAGE.charter)))
        await phones[-1].join(scope)
    return phones


async def test_as_many_phones_as_there_are_places_put_and_hear_live_what_concerns_them(tmp_path: Path) -> None:
    """Each books a lesson with the next one: acknowledged, and pushed to both and to nobody else."""
    async with hub_process(tmp_path, PHONES) as hub, AsyncExitStack() as stack:
        rss, cpu = hub.rss_bytes(), hub.cpu_s()
        phones = await live_phones(stack, hub.url, Scope.OWN)
        joined_rss, joined_cpu = hub.rss_bytes(), hub.cpu_s()
        books = [VILLAGE.book(phone.name, f"p{(at + 1) % PHONES}") for at, phone in enumerate(phones)]
        assert all(await asyncio.gather(*(phone.bring(book) for phone, book in zip(phones, books, strict=True))))
        async with asyncio.timeout(60):
            await asyncio.gather(*(phone.until(2) for phone in phones))
        for at, phone in enumerate(phones):
            assert {action.id for action in phone.news} == {books[at].id, books[at - 1].id}
        each_kib = (joined_rss - rss) / PHONES / 1024
        print(
            f"{PHONES} phones: {each_kib:.0f} KiB and {(joined_cpu - cpu) / PHONES * 1e3:.1f} ms each to join,"
            f" {(hub.cpu_s() - joined_cpu) / PHONES * 1e3:.1f} ms each for a put and two pushes"
        )
        assert each_kib < 200, "256 phones stay below 50 MB"


async def test_news_of_a_village_reach_every_phone_of_it(tmp_path: Path) -> None:
    async with hub_process(tmp_path, PHONES) as hub, AsyncExitStack() as stack:
        phones = await live_phones(stack, hub.url, Scope.VILLAGE)
        cpu = hub.cpu_s()
        posts = [VILLAGE.request(phone.name) for phone in phones[:16]]
        assert all(await asyncio.gather(*(phone.bring(post) for phone, post in zip(phones, posts, strict=False))))
        async with asyncio.timeout(60):
            await asyncio.gather(*(phone.until(len(posts)) for phone in phones))
        assert all({action.id for action in phone.news} == {post.id for post in posts} for phone in phones)
        print(f"{PHONES} phones, 16 actions to all: {(hub.cpu_s() - cpu) / PHONES * 1e3:.1f} ms each")
