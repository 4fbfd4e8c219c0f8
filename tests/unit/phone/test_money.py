"""What a phone keeps of one hub's word on its person's money, and when that word is shown."""

from pathlib import Path

import pytest
from builders import Village

from hubd.fold.views import Balance, SettlementState
from hubd.phone.money import Told, forget, keep, kept, own, told
from hubd.phone.outbox import Outbox

VILLAGE = Village(1)
ME, BEN = VILLAGE.principal("me"), VILLAGE.principal("ben")
STRANGE = VILLAGE.principal("somebody's own coin")


def reported(person=ME, asset=None, burn_height: int = 900) -> Balance:
    return Balance(person, asset, 9, 1, 100, burn_height, SettlementState.CONFIRMED)


def shown(balances: list[Balance], said: list[Told]) -> dict:
    known = {(each.person, each.asset): each for each in balances}
    return {each.asset: (each.free, each.locked, each.state) for each in own(known, ME, said)}


def test_of_a_hubs_answer_the_assets_of_the_charter_are_kept_and_no_others() -> None:
    rows = [(None, 9, 1, 900, True), (STRANGE, 10**9, 0, 900, True), (VILLAGE.hours, 60, 30, 901, False)]
    assert told(rows, VILLAGE.charter) == [Told(None, 9, 1, 900), Told(VILLAGE.hours, 60, 30, 901)]


@pytest.mark.parametrize(("burn_height", "is_believed"), [(899, False), (900, False), (901, True)])
def test_only_a_newer_word_than_the_own_report_is_shown_and_as_a_claim(burn_height: int, *, is_believed: bool) -> None:
    claim, report = (70, 0, SettlementState.CLAIMED), (9, 1, SettlementState.CONFIRMED)
    assert shown([reported()], [Told(None, 70, 0, burn_height)]) == {None: claim if is_believed else report}


def test_a_word_on_what_no_report_tells_is_shown_and_nobody_elses_money_is() -> None:
    assert shown([reported(BEN)], [Told(VILLAGE.hours, 60, 30, 1)]) == {
        VILLAGE.hours: (60, 30, SettlementState.CLAIMED)
    }


async def test_what_is_said_of_an_asset_takes_the_place_of_what_was_said_of_it_before(tmp_path: Path) -> None:
    outbox = await Outbox.open(tmp_path / "outbox.sqlite3")
    assert await kept(outbox) == []
    one, other, newer = Told(None, 9, 1, 900), Told(VILLAGE.hours, 60, 30, 901), Told(None, 8, 1, 902)
    for said, left in (([one, other], [one, other]), ([newer], [newer, other]), ([], [newer, other])):
        await keep(outbox, said)
        assert await kept(outbox) == left
    await forget(outbox)
    assert await kept(outbox) == []
    await outbox.close()
