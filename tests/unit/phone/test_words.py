"""How people write the fields of an action, and what they are told when nobody could understand it."""

import pytest
from builders import Village

from hubd.action.principal import address
from hubd.action.sip018 import ActionId
from hubd.errors import RemoteError
from hubd.phone.words import Words

VILLAGE = Village(1)
ANA = VILLAGE.principal("ana")
IDS = [ActionId(bytes.fromhex(head + "00" * 30)) for head in ("abcd", "abce", "1234")]
WORDS = Words(VILLAGE.charter, {"ana": ANA}, IDS, now=1_700_000_000)


def told(read: object, text: str) -> RemoteError:
    with pytest.raises(RemoteError) as caught:
        read(text)  # type: ignore[operator]
    assert caught.value.hint, "every refusal says what would be right"
    return caught.value


def test_a_person_is_a_name_this_phone_knows_or_an_address() -> None:
    assert WORDS.person(" Ana ") == ANA
    assert WORDS.person(address(ANA)) == ANA
    assert WORDS.person(address(ANA).lower()) == ANA
    for text in ("ben", "", address(ANA)[:-1] + "0", "SP000000000000000000002Q6VF78"):
        assert told(WORDS.person, text).code == "field"


def test_an_id_is_known_by_its_first_characters() -> None:
    assert WORDS.action_id("abcd") == IDS[0]
    assert WORDS.action_id("ABCD00") == IDS[0]
    assert WORDS.action_id("ff" * 32) == b"\xff" * 32, "a whole id need not be here yet"


@pytest.mark.parametrize("text", ["abc", "ab", "", "xyzx", "ffff", "aa" * 33])
def test_an_id_that_is_unknown_or_too_short_is_asked_for_again(text: str) -> None:
    told(WORDS.action_id, text)


def test_one_beginning_of_two_ids_means_neither() -> None:
    words = Words(VILLAGE.charter, {}, [ActionId(b"\xab\xcd" + bytes([nth]) * 30) for nth in (1, 2)], now=0)
    assert "more than one" in told(words.action_id, "abcd").detail
    assert words.action_id("abcd01") == b"\xab\xcd" + b"\x01" * 30


def test_an_asset_is_a_short_name_of_the_charter_or_a_contract() -> None:
    assert WORDS.asset("stx") is None
    assert WORDS.asset("Hours") == VILLAGE.hours
    assert WORDS.asset(address(VILLAGE.hours)) == VILLAGE.hours
    with pytest.raises(RemoteError, match="asset"):
        WORDS.asset("gold")


def test_numbers_are_whole_and_fit() -> None:
    assert WORDS.number("60") == 60
    assert WORDS.number(" 1_000 ") == 1_000
    for text in ("-1", "1.5", "", "_1", "1__0", "6e3", str(2**63), "9" * 5_000, "\u0661", "\u00b2"):
        told(WORDS.number, text)


def test_a_time_is_now_seconds_or_a_date() -> None:
    assert WORDS.moment("now") == 1_700_000_000
    assert WORDS.moment("1800000000") == 1_800_000_000
    assert WORDS.moment("2026-12-01T15:00") == 1_796_137_200
    assert WORDS.moment("2026-12-01T18:00+03:00") == 1_796_137_200
    for text in ("tomorrow", "", "2026-13-01", "1900-01-01", "9" * 30, "\u00b2", "0001-01-01T00:00+23:00"):
        told(WORDS.moment, text)


def test_a_week_is_days_and_slots() -> None:
    assert WORDS.week("mon1") == 1
    assert WORDS.week("mon1-3") == 0b111
    assert WORDS.week("tue") == 0xFF << 8
    assert WORDS.week("MON1, sun8") == 1 | 1 << 55
    for text in ("", "mon9", "mon0", "mo1", "mon1-", "mon1,,"):
        told(WORDS.week, text)


def test_subjects_are_names_of_the_charter_or_numbers() -> None:
    assert WORDS.subjects("reading") == 1
    assert WORDS.subjects("Mathematics, reading") == 0b11
    assert WORDS.subjects("31") == 1 << 31
    for text in ("chess", "32", "", "-1", "\u00b2", "9" * 5_000):
        told(WORDS.subjects, text)


def test_yes_and_no() -> None:
    assert [WORDS.yes(text) for text in ("yes", "No", "1", "off")] == [True, False, True, False]
    told(WORDS.yes, "perhaps")
