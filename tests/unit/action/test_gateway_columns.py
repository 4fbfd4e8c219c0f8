"""The gateway asks of each kind the columns that the catalogue states, and knows every kind that goes to the chain."""

import re
from pathlib import Path

from hubd.action.kinds import KINDS, Scope

GATEWAY = (Path(__file__).parents[3] / "contracts" / "action-gateway.clar").read_text("utf-8")
_ROW = re.compile(r'^\(map-set columns "([a-z-]+)" \{ area: ([A-Z]+), must: u(\d+), may: u(\d+) \}\)$', re.MULTILINE)
_AREA = re.compile(r"^\(define-constant ([A-Z]+) u(\d+)\)$", re.MULTILINE)
COLUMNS = ("subject", "who", "amount", "asset", "moment", "bits", "content")


def mask(kind, *, is_set):
    """The columns that a kind must (is_set False: may not be left empty) or may set, one bit each."""
    return sum(
        1 << bit
        for bit, name in enumerate(COLUMNS)
        if (kind.columns[name].admits(is_set=True) if is_set else not kind.columns[name].admits(is_set=False))
    )


def test_the_gateways_rows_are_the_catalogues():
    rows = {name: (area, int(must), int(may)) for name, area, must, may in _ROW.findall(GATEWAY)}
    expected = {
        kind.name: (kind.area.upper(), mask(kind, is_set=False), mask(kind, is_set=True))
        for kind in KINDS.values()
        if kind.contract
    }
    assert rows == expected


def test_a_column_that_must_be_set_may_be_set():
    assert all(int(must) & ~int(may) == 0 for _, _, must, may in _ROW.findall(GATEWAY))


def test_an_area_is_the_bit_of_its_scope():
    areas = {name: int(bit) for name, bit in _AREA.findall(GATEWAY) if name in Scope.__members__}
    assert areas == {scope.name: scope.value for scope in Scope}
