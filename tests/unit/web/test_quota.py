"""Quotas: each word of the policy, and that they only ever defer."""

from builders import Village

from hubd import limits
from hubd.web.quota import HELP_KINDS, NEWCOMER_KINDS, Bucket, Pace, Quota, Rank

VILLAGE = Village(1)
ANA = VILLAGE.principal("ana")
PHONE = "192.0.2.7"
_HOUR_S, _DAY_S = 3_600, 86_400


def spend(quota: Quota, count: int, rank: Rank, *, now: float = 0.0, address: str = "", who: str = "ana") -> list[str]:
    person = VILLAGE.principal(who)
    return [quota.judge("request-open", person, rank, address, now) for _ in range(count)]


def test_a_stranger_may_only_bring_what_makes_it_known() -> None:
    quota = Quota(0.0)
    assert quota.judge("lesson-book", ANA, Rank.STRANGER, PHONE, 0.0) == "unregistered"
    for kind in NEWCOMER_KINDS:
        assert quota.judge(kind, ANA, Rank.STRANGER, PHONE, 0.0) == ""


def test_an_unvouched_person_has_a_first_fifty_and_time_adds_none() -> None:
    quota = Quota(0.0)
    first = limits.QUOTA_UNVOUCHED_ACTIONS
    assert spend(quota, first + 1, Rank.NEWCOMER) == [""] * first + ["unvouched"]
    assert spend(quota, 1, Rank.NEWCOMER, now=365 * _DAY_S) == ["unvouched"]
    assert spend(quota, 1, Rank.NEWCOMER, who="ben") == [""]
    assert spend(quota, 1, Rank.VOUCHED) == [""], "a vouch opens the door again"


def test_a_vouched_person_has_an_hour_and_a_day() -> None:
    quota = Quota(0.0)
    hour = limits.QUOTA_VOUCHED_PER_HOUR
    assert spend(quota, hour + 1, Rank.VOUCHED) == [""] * hour + ["hour"]
    taken = hour
    for nth in range(1, 6):
        taken += spend(quota, hour, Rank.VOUCHED, now=nth * _HOUR_S).count("")
    assert limits.QUOTA_VOUCHED_PER_DAY <= taken < limits.QUOTA_VOUCHED_PER_DAY * 1.3
    assert spend(quota, 100, Rank.VOUCHED, now=5 * _HOUR_S + 600)[-1] in ("hour", "day")
    assert spend(quota, 1, Rank.VOUCHED, now=2 * _DAY_S) == [""]


def test_hubs_and_stewards_have_no_personal_quota() -> None:
    assert set(spend(Quota(0.0), 500, Rank.OFFICE)) == {""}


def test_one_phone_is_slowed_and_this_machine_is_not() -> None:
    quota = Quota(0.0)
    burst = limits.QUOTA_PHONE_BURST
    assert spend(quota, burst + 1, Rank.OFFICE, address=PHONE) == [""] * burst + ["rate"]
    assert spend(quota, 1, Rank.OFFICE, address="192.0.2.8") == [""]
    assert spend(quota, 1, Rank.OFFICE, address="") == [""]
    assert spend(quota, 30, Rank.OFFICE, address=PHONE, now=1.0).count("") == limits.QUOTA_PHONE_PER_S


def test_all_phones_together_leave_room_for_gossip() -> None:
    quota = Quota(0.0)
    assert spend(quota, limits.QUOTA_HUB_BURST + 1, Rank.OFFICE)[-1] == "rate"
    assert spend(quota, 1, Rank.OFFICE, now=0.1) == [""]


def test_sybils_share_one_bucket_of_newcomers() -> None:
    quota = Quota(0.0)
    codes = [
        quota.judge("user-register", VILLAGE.principal(bytes([26]) + nth.to_bytes(20, "big")), Rank.STRANGER, "", 0.0)
        for nth in range(limits.QUOTA_NEWCOMERS_PER_HOUR + 1)
    ]
    assert codes[-1] == "newcomers"
    assert set(codes[:-1]) == {""}


def test_one_address_leaves_newcomers_of_others_their_share() -> None:
    quota = Quota(0.0)
    share = limits.QUOTA_NEWCOMERS_PER_ADDRESS_PER_HOUR
    people = [VILLAGE.principal(bytes([26]) + nth.to_bytes(20, "big")) for nth in range(300)]
    codes = [quota.judge("user-register", person, Rank.STRANGER, PHONE, 0.0) for person in people]
    assert codes == [""] * share + ["newcomers"] * (300 - share)
    assert quota.judge("user-register", ANA, Rank.STRANGER, "192.0.2.8", 0.0) == ""


def test_no_other_quota_holds_up_a_call_for_help() -> None:
    quota = Quota(0.0)
    spend(quota, limits.QUOTA_HUB_BURST + 1, Rank.OFFICE, address=PHONE)
    for kind in HELP_KINDS:
        assert quota.judge(kind, ANA, Rank.STRANGER, PHONE, 0.0) == ""


def test_calls_for_help_are_bounded_by_address_and_in_all() -> None:
    quota = Quota(0.0)
    hour, day = limits.QUOTA_HELP_PER_ADDRESS_PER_HOUR, limits.QUOTA_HELP_PER_DAY

    def call(address: str, now: float = 0.0) -> str:
        return quota.judge("safety-post", ANA, Rank.STRANGER, address, now)

    assert [call(PHONE) for _ in range(hour + 1)] == [""] * hour + ["rate"]
    assert call(PHONE, _HOUR_S) == ""
    codes = [call(f"192.0.2.{nth}", _HOUR_S) for nth in range(8, 250)]
    assert codes.count("") <= day
    assert codes[-1] == "rate"
    assert call("", _HOUR_S) == "", "this machine itself is no stranger"


def test_what_is_deferred_is_not_counted() -> None:
    quota = Quota(0.0)
    spend(quota, limits.QUOTA_PHONE_BURST + 1_000, Rank.VOUCHED, address=PHONE)
    assert spend(quota, 1, Rank.OFFICE, address="192.0.2.9") == [""], "the hub's bucket paid for the taken ones only"


def test_memory_is_bounded_whoever_comes() -> None:
    quota = Quota(0.0)
    for nth in range(limits.QUOTA_REMEMBERED_MAX + 50):
        spend_as = VILLAGE.principal(bytes([26]) + nth.to_bytes(20, "big"))
        quota.judge("request-open", spend_as, Rank.NEWCOMER, "", float(nth))
    assert len(quota._firsts._entries) == limits.QUOTA_REMEMBERED_MAX


def test_a_bucket_never_runs_backwards() -> None:
    bucket = Bucket(1.0, 2.0, 10.0)
    bucket.spend()
    assert bucket.level(5.0) == 1.0
    assert bucket.level(10.5) == 1.5
    assert bucket.level(1_000.0) == 2.0
    bucket.spend()
    bucket.spend()
    assert bucket.wait_s(1_000.0) == 1.0


def test_a_pace_counts_work_and_lets_this_machine_pass() -> None:
    pace = Pace(10.0, 20.0)
    assert pace.take(PHONE, 0.0, 19)
    assert pace.take(PHONE, 0.0, 21), "a whole message is looked at while anything is left"
    assert not pace.take(PHONE, 1.9)
    assert pace.take(PHONE, 2.2)
    assert pace.take("192.0.2.8", 0.0)
    assert all(pace.take("", 0.0, 1_000) for _ in range(100))
    assert pace.take(PHONE, 2.2, 0)


def test_whoever_takes_turns_and_goes_away_runs_up_a_debt_of_one_burst_at_most() -> None:
    pace = Pace(10.0, 20.0)
    assert [pace.wait_s(PHONE, 0.0, 10) for _ in range(3)] == [0, 0, 0.1]
    for _ in range(1_000):
        pace.wait_s(PHONE, 0.0, 17)
    assert pace.wait_s(PHONE, 0.0) == (1 + 20) / 10
    assert pace.wait_s("192.0.2.8", 0.0) == 0
    assert all(pace.wait_s("", 0.0, 1_000) == 0 for _ in range(9))
