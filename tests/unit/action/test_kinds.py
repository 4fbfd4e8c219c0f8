import itertools

import pytest

from hubd.action.kinds import AREAS, KINDS, goes_to_chain
from hubd.action.principal import Principal
from hubd.action.sip018 import ActionId
from hubd.action.statement import Statement

SET = {
    "subject": ActionId(b"s" * 32), "who": Principal(bytes(21)), "amount": 1, "asset": Principal(bytes(21)), "moment": 1,
    "bits": 1, "content": b"c" * 32,
}  # fmt: skip
CATALOGUE = """
user-register profile-set key-add key-accept key-revoke guardian-set recovery-open recovery-approve recovery-cancel
recovery-finish vouch-give vouch-withdraw content-erase action-void offer-set offer-withdraw request-open
request-close match-offer match-accept lesson-book lesson-confirm lesson-decline lesson-move lesson-cancel
lesson-attend lesson-complete lesson-claim class-open class-attend escrow-lock escrow-return escrow-withdraw
payout-note payout-received rating-seal rating-open dispute-open dispute-evidence dispute-offer dispute-accept
dispute-vote dispute-settle consent-give consent-withdraw tutor-clear person-hold person-release safety-post
hub-announce hub-admit hub-retire steward-add steward-remove desk-witness relay-receipt relay-balance
""".split()


def statement(kind, fields):
    return Statement(action=kind, author=Principal(bytes(21)), created=1, expires=2, salt=bytes(8), **fields)


def test_the_table_is_the_catalogue_of_the_protocol():
    assert list(KINDS) == CATALOGUE
    assert all(len(name) <= 24 and name.isascii() for name in KINDS)
    assert {kind.area for kind in KINDS.values()} == set(AREAS)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_combination_of_set_columns_is_judged_as_the_row_says(kind):
    for chosen in itertools.product((False, True), repeat=len(SET)):
        fields = {name: value for (name, value), is_set in zip(SET.items(), chosen, strict=True) if is_set}
        expected = {
            name
            for name, column in kind.columns.items()
            if (name in fields and not column.text)
            or (name not in fields and column.text and not column.text.startswith("?"))
        }
        assert set(kind.broken_columns(statement(kind.name, fields))) == expected


def test_only_well_formed_actions_of_contract_kinds_go_to_the_chain():
    assert goes_to_chain(statement("user-register", {}))
    assert not goes_to_chain(statement("user-register", {"amount": 1}))
    assert not goes_to_chain(statement("vouch-give", {"who": SET["who"]}))
    assert not goes_to_chain(statement("kind-of-next-year", {}))
