"""`hubd status` says everything by the catalogue, whatever it has to say."""

from dataclasses import asdict, replace

import pytest
from pseudo import plain_words, spoken

from hubd.cli.status import _lines
from hubd.relay.status import Status

PEER = {
    "name": "MLIMA", "state": "connected", "reason": "", "proven": True, "proven_age_s": 70.0, "proven_count": 1,
    "proven_spoken": "BEBE-BEBE", "newer": 0, "last_age_s": 7_300.0, "code": "", "rung": "hello", "count": 1,
    "peer_count": 1, "missing": 0, "refused": 0, "lacking": 0,
}  # fmt: skip
FACTS = {
    "name": "KIJIJI", "running": True, "mesh": "MTANDAO", "network": "TESTNET", "count": 1, "lacking": 0,
    "spoken": "BABA-BABA", "views": "ABCDEF" * 8, "views_behind": 0, "admitted": True, "phones": {"port": 7780},
    "gossip": {"port": 7701, "trouble": ""}, "peers": [], "sticks": [], "post": [], "relay": None, "wallet": "STWALLET",
    "clock": {"time_s": 1_767_225_600, "state": "unconfirmed", "by": "", "off_s": 0, "age_s": None},
    "unknown": {}, "disk": "plenty", "unmet": [], "rotten": 0, "scrubbed_age_s": None,
}  # fmt: skip
VALUES = (
    "KIJIJI",
    "MTANDAO",
    "TESTNET",
    "stx",
    "BABA BEBE",
    "ABCDEF" * 2 + "ABCD",
    "STWALLET",
    "MLIMA",
    "MTO",
    "/PLACE",
)
RELAY = Status("STWALLET")
PEERS = (
    {},
    {"lacking": 2, "count": 2, "proven_age_s": 100_000.0, "rung": "cursor"},
    {"proven": False, "newer": 1, "state": "dialling", "reason": "silent", "rung": "sketch"},
    {"proven": False, "newer": 3, "proven_count": 4},
    {"proven": False, "state": "waiting", "reason": "unreachable"},
    {"proven_age_s": None, "code": "missing", "missing": 1, "refused": 2, "rung": "negentropy", "state": "banned"},
    {"proven_age_s": None, "code": "refused", "missing": 2, "refused": 1, "count": 5},
    {"proven_age_s": None, "code": "busy", "peer_count": 0, "last_age_s": 3.0},
    {"proven_age_s": None, "last_age_s": None},
)
STICKS = [
    {"place": "/PLACE", "busy": busy, "new": 1, "given": 2, "code": code}
    for busy, code in ((True, ""), (False, ""), (False, "stick-full"))
]
POST = [{"name": "MTO", "same": same, "waiting": waiting} for same, waiting in ((True, 0), (False, 1), (False, 2))]
WITNESSES = {
    "confirmed": ("ntp", "phones"),
    "behind": ("ntp", "chain", "mark", "phones", "charter"),
    "ahead": ("ntp", "phones"),
}
CLOCKS = [
    {"clock": {"time_s": 1_767_225_600, "state": state, "by": by, "off_s": 86_400, "age_s": 3}}
    for state, witnesses in WITNESSES.items()
    for by in witnesses
]
STATES = (
    {},
    {"running": False, "admitted": False, "views_behind": 1, "lacking": 1},
    {"count": 20, "views_behind": 4, "lacking": 3},
    {"gossip": {"port": 1, "trouble": "few-peers"}, "unknown": {"MTO": 1, "MLIMA": 1}},
    {"peers": [{**PEER, **each} for each in PEERS]},
    {"sticks": STICKS, "post": POST},
    {"relay": asdict(RELAY)},
    {"relay": asdict(replace(RELAY, balance_ustx=5, waiting=1, trouble="node-busy", hint="HINT"))},
    {"disk": "low", "rotten": 1, "unmet": [("folder-missing", "/PLACE")]},
    {"disk": "short", "rotten": 2},
    {"disk": "full"},
    {"scrubbed_age_s": 7_300.0},
    *CLOCKS,
)


def said(capsys, **changes):
    """All that a status says, on both streams."""
    lines = _lines({**FACTS, **changes})
    return "\n".join([*lines, capsys.readouterr().err])


@pytest.mark.parametrize("changes", STATES)
def test_every_word_of_a_status_comes_from_the_catalogue(monkeypatch, capsys, changes):
    with spoken(monkeypatch):
        assert plain_words(said(capsys, **changes), VALUES) == []


def test_one_of_a_thing_is_one_and_two_are_several(capsys):
    text = said(capsys, views_behind=1, rotten=1, peers=[PEER])
    assert "set: 1 action," in text
    assert "behind by 1 action\n" in text
    assert "1 action on this card is damaged; neighbours will fill it in" in text
    assert "holds the same 1 action, " in text
    text = said(capsys, count=0, views_behind=2, rotten=2)
    assert "set: 0 actions," in text
    assert "behind by 2 actions\n" in text
    assert "2 actions on this card are damaged; neighbours will fill them in" in text


def test_how_long_ago_the_card_was_read_to_its_end_is_said_where_the_hub_runs(capsys):
    assert "card: every action on it was last read again 2 hours ago" in said(capsys, scrubbed_age_s=7_300.0)
    assert "card: not every action on it was read again yet" in said(capsys)
    assert "card:" not in said(capsys, running=False)


def test_a_clock_that_is_wrong_is_said_with_what_would_be_right_and_how_to_set_it(capsys):
    clock = {"time_s": 0, "state": "behind", "by": "chain", "off_s": 1_767_225_600, "age_s": None}
    text = said(capsys, clock=clock)
    assert (
        "warning: the clock shows 1970-01-01 00:00 UTC; by the chain's time it is 2026-01-01 00:00 UTC or later" in text
    )
    assert "sudo date -u -s" in text
    text = said(
        capsys, clock={**clock, "time_s": 2_082_758_400, "state": "ahead", "by": "phones", "off_s": 315_532_800}
    )
    assert "shows 2036-01-01 00:00 UTC; nothing that phones of several people bring is newer than 2026-01-01" in text


def test_a_clock_that_nobody_confirmed_is_to_be_compared_with_a_watch(capsys):
    assert "clock: 2026-01-01 00:00 UTC, confirmed by nobody as yet: compare it with a watch" in said(capsys)


def test_a_name_that_a_stranger_chose_is_shown_and_not_obeyed(capsys):
    assert "\x1b" not in said(capsys, peers=[{**PEER, "name": "\x1b[2J\x1b[H"}])
