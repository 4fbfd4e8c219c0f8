"""What a hub keeps of texts that came late, for however many phones."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from phone_hubs import PhoneHub, phone_hub

from hubd.action import envelope
from hubd.action.envelope import Action, without_content
from hubd.limits import PHONE_LATE_TEXTS_MAX, PHONE_PAGE_BYTES_MAX
from hubd.web.standing import Reader, Scope

ALL = Reader(Scope.VILLAGE)


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[PhoneHub]:
    async with phone_hub(tmp_path) as opened:
        yield opened


async def late(hub: PhoneHub, count: int, size: int = 20) -> list[Action]:
    """Texts that came to this hub after their headers."""
    whole = [hub.village.seal("bo", "profile-set", text={"text": "x" * size}) for _ in range(count)]
    await hub.take(*map(without_content, whole))
    await hub.take(*whole)
    return whole


def ids(hub: PhoneHub, envelopes: list[bytes]) -> list[bytes]:
    return [envelope.parse(raw, hub.village.domain).id for raw in envelopes]


async def test_whoever_has_looked_at_all_is_given_what_comes_next_and_nothing_again(hub: PhoneHub) -> None:
    looked_at = 0
    for count in (1, 3, 2):
        whole = await late(hub, count)
        envelopes, looked_at = await hub.door.late.page(ALL, looked_at)
        assert envelopes == [envelope.encode(each) for each in whole]
        assert await hub.door.late.page(ALL, looked_at) == ([], looked_at)


async def test_a_page_is_no_larger_than_one_of_actions_and_says_where_to_go_on(hub: PhoneHub) -> None:
    whole = await late(hub, 20, size=9_000)
    found, looked_at = [], 0
    while looked_at < len(whole):
        envelopes, looked_at = await hub.door.late.page(ALL, looked_at)
        assert 0 < sum(map(len, envelopes)) <= PHONE_PAGE_BYTES_MAX
        found += ids(hub, envelopes)
    assert found == [each.id for each in whole]


async def test_who_looks_too_late_is_given_the_latest_and_asks_for_the_others(hub: PhoneHub) -> None:
    whole = await late(hub, PHONE_LATE_TEXTS_MAX + 10)
    found, looked_at = [], 3
    while looked_at < len(whole):
        envelopes, looked_at = await hub.door.late.page(ALL, looked_at)
        found += ids(hub, envelopes)
    assert found == [each.id for each in whole[10:]]


async def test_no_text_is_kept(hub: PhoneHub) -> None:
    await late(hub, 2, size=9_000)
    assert all(each.content is None for each in hub.door.late._headers)
