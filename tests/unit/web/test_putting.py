"""What phones bring: the quarantine at the door, small and fair, and the rest of a card, kept for people who are known."""

from pathlib import Path

import pytest
from builders import Village
from phone_hubs import phone_hub

from hubd.action import envelope
from hubd.action.envelope import Action
from hubd.limits import QUARANTINE_AUTHOR_BYTES_MAX, QUARANTINE_BYTES_MAX, QUARANTINE_PER_AUTHOR_MAX
from hubd.ports import Door, Outcome, Verdict
from hubd.web.putting import Putting, Quarantine, tally

VILLAGE = Village(1)


def kept(quarantine: Quarantine, author: str, note: str = "") -> bool:
    action = VILLAGE.request(author, text={"note": note} if note else None)
    return quarantine.keep(action, envelope.encode(action))


def test_an_author_has_a_share_in_number_and_in_bytes() -> None:
    quarantine = Quarantine()
    assert [kept(quarantine, "ana") for _ in range(QUARANTINE_PER_AUTHOR_MAX + 1)][-2:] == [True, False]
    large = "x" * (QUARANTINE_AUTHOR_BYTES_MAX // 3)
    assert [kept(quarantine, "ben", large) for _ in range(3)] == [True, True, False]


def test_the_same_action_again_takes_no_more_room() -> None:
    quarantine = Quarantine()
    action = VILLAGE.request("ana")
    for _ in range(20):
        assert quarantine.keep(action, envelope.encode(action))
    assert quarantine.size_bytes == len(envelope.encode(action))


def test_strangers_without_end_make_each_other_leave() -> None:
    quarantine = Quarantine()
    assert kept(quarantine, "first")
    for nth in range(120):
        assert kept(quarantine, f"stranger {nth}", "x" * 10_000)
    assert quarantine.size_bytes <= QUARANTINE_BYTES_MAX
    assert quarantine.release([VILLAGE.principal("first")]) == []
    assert len(quarantine.release([VILLAGE.principal("stranger 119")])) == 1


def test_what_is_released_is_gone_from_it() -> None:
    quarantine = Quarantine()
    kept(quarantine, "ana")
    kept(quarantine, "ben")
    assert len(quarantine.release([VILLAGE.principal("ana"), VILLAGE.principal("nobody")])) == 1
    assert quarantine.release([VILLAGE.principal("ana")]) == []
    quarantine.release([VILLAGE.principal("ben")])
    assert quarantine.size_bytes == 0


def test_outcomes_are_counted_by_what_is_worth_watching() -> None:
    counted = tally(
        [
            Outcome(Verdict.OK, None, "", is_new=True),
            Outcome(Verdict.OK),
            Outcome(Verdict.DEFERRED, None, "hour"),
            Outcome(Verdict.REFUSED, None, "cbor"),
        ]
    )
    assert counted == {"ok": 1, "known": 1, "deferred:hour": 1, "refused:cbor": 1}


@pytest.mark.parametrize("door", [Door.PHONE, Door.BUNDLE])
async def test_on_a_card_that_is_nearly_full_only_people_who_are_known_bring_anything(
    tmp_path: Path, door: Door
) -> None:
    full = [False]
    async with phone_hub(tmp_path) as hub:
        village = hub.village
        await hub.take(village.register("ana"), village.register("zoe"), village.vouch("steward-1", "ana"))
        putting = Putting(
            hub.store, hub.intake, hub.door.standing, village.charter, lambda: 0.0, door=door, is_short=lambda: full[0]
        )

        async def told(*actions: Action) -> list[tuple[str, str]]:
            outcomes = await putting.put([envelope.encode(action) for action in actions], "10.0.0.9")
            return [(outcome.verdict.value, outcome.code) for outcome in outcomes]

        known = village.request("zoe")
        assert await told(known) == [("ok", "")]
        full[0] = True
        assert await told(
            village.request("ana"),
            village.request("zoe"),
            village.register("somebody new"),
            village.request("nobody"),
            village.seal("nobody", "safety-post", text={"note": "help"}),
            known,
        ) == [
            ("ok", ""),
            ("deferred", "card-short"),
            ("deferred", "card-short"),
            ("deferred", "card-short"),
            ("ok", ""),
            ("ok", ""),
        ]
        full[0] = False
        assert await told(village.request("zoe")) == [("ok", "")]
