"""A phone's first fill from a hub that holds a region's years: many pages in many syncs, what is its person's first."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from builders import Village
from phone_hubs import PhoneHub, phone_hub, phone_of

from hubd.errors import RemoteError
from hubd.phone.http_link import HttpLink
from hubd.phone.phone import Phone

_PAGES = 4  # of what everybody sees


class Line:
    """Counts the pages that a phone asks for, and breaks before one."""

    def __init__(self, hub: PhoneHub) -> None:
        self._hub = hub
        self.pages = self.pages_max = 0
        hub.http.event_hooks = {"request": [self._ask]}

    async def _ask(self, request: httpx.Request) -> None:
        if "scope" in request.url.params:
            self.pages += 1
            if self.pages > self.pages_max:
                raise httpx.ConnectError("out of reach")

    async def sync(self, phone: Phone, pages_max: int) -> bool:
        """Whether a sync comes to its end within so many pages."""
        self.pages, self.pages_max = 0, pages_max
        try:
            await phone.sync_over(HttpLink(self._hub.http, phone.charter))
        except RemoteError as error:
            assert error.code == "hub-unreachable"
            return False
        return True


@asynccontextmanager
async def large_hub(directory: Path, village: Village, phone: Phone) -> AsyncIterator[PhoneHub]:
    """A hub at which much happened before this phone's person came."""
    async with phone_hub(directory, village) as hub:
        await hub.take(village.register("ana"))
        await hub.take(*(village.register(f"person {number}") for number in range(230 * _PAGES)))
        await phone.register("Amina", 1)
        yield hub


@pytest.mark.parametrize("is_vouched", [False, True])
async def test_who_is_new_to_a_large_mesh_gets_its_own_lessons_first_in_each_sync(
    tmp_path: Path, is_vouched: bool
) -> None:
    village = Village(1)
    async with phone_of(tmp_path, village) as phone, large_hub(tmp_path, village, phone) as hub:
        if is_vouched:
            await hub.take(village.vouch("steward-1", phone.principal, 4))
        line = Line(hub)
        for number in range(2):
            lesson = village.book("ana", phone.principal)
            await hub.take(lesson)
            assert not await line.sync(phone, 2)
            assert lesson.id in phone.views.lessons
            assert len(phone.views.lessons) == number + 1
            assert len(phone.views.persons) < 230 * _PAGES, "the rest is still to come"
        assert await line.sync(phone, 2 * _PAGES)
        assert len(phone.views.persons) == 230 * _PAGES + 2
        assert await line.sync(phone, 1), "who has it all asks once"


async def test_a_phone_whose_fill_is_done_is_sent_its_own_actions_once(tmp_path: Path) -> None:
    village = Village(1)
    async with phone_of(tmp_path, village) as phone, phone_hub(tmp_path, village) as hub:
        await phone.register("Amina", 1)
        await hub.take(village.register("ana"))
        line = Line(hub)
        assert await line.sync(phone, 2)
        await hub.take(village.book("ana", phone.principal))
        await line.sync(phone, 1)
        assert (line.pages, len(phone.views.lessons)) == (1, 1)
