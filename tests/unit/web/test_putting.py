"""The quarantine at the door: small, fair, and empty again when its people are known."""

from builders import Village

from hubd.action import envelope
from hubd.limits import QUARANTINE_AUTHOR_BYTES_MAX, QUARANTINE_BYTES_MAX, QUARANTINE_PER_AUTHOR_MAX
from hubd.ports import Outcome, Verdict
from hubd.web.putting import Quarantine, tally

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
