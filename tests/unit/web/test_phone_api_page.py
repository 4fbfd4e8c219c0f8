"""docs/phone-api.md says what is there: every request, frame, scope, quota and field, and no number that has changed."""

import re
from pathlib import Path

import pytest

from hubd import limits
from hubd.phone import compose, show
from hubd.web.frames import FROM_HUB, FROM_PHONE, SOCKET_PATH, SUBPROTOCOL, VISIT_PATH
from hubd.web.http import ROUTES
from hubd.web.proofs import CHALLENGE_BYTES
from hubd.web.quota import HELP_KINDS, NEWCOMER_KINDS
from hubd.web.standing import Scope

PAGE = (Path(__file__).parents[3] / "docs" / "phone-api.md").read_text("utf-8")


def section(title: str) -> str:
    return re.split(r"\n##+ ", PAGE.partition(f"\n## {title}\n")[2])[0]


@pytest.mark.parametrize(("method", "path"), sorted(ROUTES))
def test_every_request_is_there(method: str, path: str) -> None:
    assert f"`{method} {path}" in section("HTTP")


@pytest.mark.parametrize("name", sorted({*FROM_PHONE, *FROM_HUB}))
def test_every_frame_is_there_for_each_side_that_says_it(name: str) -> None:
    sides = (name in FROM_PHONE) + (name in FROM_HUB)
    assert len(re.findall(rf"^\| `{name}`", PAGE, re.MULTILINE)) == sides


WORDS = [*Scope, SOCKET_PATH, SUBPROTOCOL, VISIT_PATH, *sorted(NEWCOMER_KINDS | HELP_KINDS)]


@pytest.mark.parametrize("word", [*WORDS, *compose.FIELDS, *compose.TEXT_FIELDS])
def test_every_word_of_the_interface_is_there(word: str) -> None:
    assert f"`{word}`" in PAGE


@pytest.mark.parametrize("word", [show.ON_THIS_PHONE, show.AT_THE_HUB, show.ON_ITS_WAY, show.DONE, show.NEEDS_YOU])
def test_every_status_word_is_there(word: str) -> None:
    assert f"\n| {word} |" in PAGE


@pytest.mark.parametrize(
    "said",
    [
        f"{limits.QUOTA_NEWCOMERS_PER_HOUR} an hour; {limits.QUOTA_NEWCOMERS_PER_ADDRESS_PER_HOUR} of them from one address",
        f"{limits.QUOTA_HELP_PER_ADDRESS_PER_HOUR} an hour from one address, {limits.QUOTA_HELP_PER_DAY} a day",
        f"{limits.QUOTA_HELP_CONTENT_BYTES_MAX // 1024} KiB of content",
        f"{limits.QUOTA_UNVOUCHED_ACTIONS} in all",
        f"{limits.QUOTA_VOUCHED_PER_HOUR} an hour, {limits.QUOTA_VOUCHED_PER_DAY} a day",
        f"{limits.QUOTA_PHONE_PER_S} a second, {limits.QUOTA_PHONE_BURST} at once",
        f"{limits.QUOTA_HUB_PER_S} a second, {limits.QUOTA_HUB_BURST:,} at once",
        f"{limits.PHONE_SOCKETS_MAX} in all and {limits.PHONE_SOCKETS_PER_ADDRESS_MAX} an address",
        f"come {limits.PHONE_KNOCKS_PER_S} times a second ({limits.PHONE_KNOCKS_BURST} at once)",
        f"beyond {limits.PHONE_ANSWERS_PER_S} a\nsecond",
        f"beyond {limits.PHONE_MESSAGES_ADDRESS_PER_S} a second over all its sockets",
        f"one more for {limits.PHONE_IDS_PER_MESSAGE} ids",
        {10: "as ten"}[limits.PHONE_NEG_MESSAGES],
        {3: "as three"}[limits.PHONE_PAGE_MESSAGES],
        f"{limits.PHONE_SMALL_FRAMES_PER_S} pings, pongs and parts of messages a second",
        f"a second ({limits.PHONE_SMALL_FRAMES_BURST} at once)",
        f"{limits.PHONE_MESSAGES_WAITING_MAX} messages\nwaiting",
        f"{limits.PHONE_REQUESTS_PER_S} requests a second ({limits.PHONE_REQUESTS_BURST} at once)",
        f"{limits.PHONE_OFFERS_PER_S} envelopes a second looked at ({limits.PHONE_OFFERS_BURST:,} at once)",
        f"more than {limits.PHONE_STRANGER_S} s",
        f"silent for {limits.PHONE_SILENT_S} s",
        f"of two one every {limits.PHONE_SPARE_S} s",
        f"One person keeps {limits.PHONE_SOCKETS_PER_PERSON_MAX}",
        f"vouched for keep {limits.PHONE_SOCKETS_UNVOUCHED_MAX}",
        f"card is {limits.DISK_SHORT_PERCENT} % full",
        f"card that is {limits.DISK_FULL_PERCENT} % full",
        f"{limits.PHONE_OPEN_S} s from connecting",
        f"{limits.PHONE_REQUEST_S} s for a request",
        f"good for {limits.CHALLENGE_LIFE_S} s",
        f"**challenge** is {CHALLENGE_BYTES} bytes",
        f"at most {limits.PHONE_MESSAGE_BYTES_MAX // 1024} KiB",
        f"at most {limits.PHONE_PAGE_BYTES_MAX // 1024} KiB of envelopes",
        f"nothing for {limits.PHONE_SEND_S} s",
    ],
)
def test_the_numbers_are_those_of_the_limits(said: str) -> None:
    assert said in PAGE
