"""docs/views.md says what is there: every view, field, reason, and kind that no view heeds."""

import re
from dataclasses import fields
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from hubd.action.kinds import KINDS
from hubd.fold import folder, views
from hubd.fold.agenda import AGENDA_STRATA
from hubd.fold.strata import STRATA
from hubd.fold.views import Views
from hubd.fold.void import REASONS

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "views.md").read_text()
ROWS = dict(re.findall(r"^\| `([a-z-]+)` \| (.*) \|$", PAGE, re.MULTILINE))
AGENDA = [stratum.name for stratum in AGENDA_STRATA]
PUBLIC = [stratum.name for stratum in STRATA if stratum.public]


def _entry_type(view: str):
    return views.Mesh if view == "mesh" else get_args(get_type_hints(Views)[view])[1]


def test_the_views_are_the_public_strata():
    assert {field.name for field in fields(Views)} - {"digest", "time_s"} == {*PUBLIC, *AGENDA}


@pytest.mark.parametrize("view", PUBLIC)
def test_the_page_names_the_fields_in_their_order(view):
    named = re.findall(r"`([a-z_]+)`", ROWS[view])
    assert named[: len(fields(_entry_type(view)))] == [field.name for field in fields(_entry_type(view))]


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_the_page_gives_every_reason_its_sentence(reason):
    assert ROWS[reason] == REASONS[reason]


def test_the_page_lists_the_kinds_that_no_view_heeds():
    listed = PAGE.split("## Kinds that no view heeds yet")[1].split("## ")[0]
    source = "".join(path.read_text() for path in (ROOT / "hubd" / "fold").glob("*.py") if path.name not in _TABLES)
    heeded = {kind for kind in KINDS if f'"{kind}"' in source or f'"{kind}/' in source}
    assert set(re.findall(r"`([a-z]+-[a-z]+)`", listed)) == set(KINDS) - heeded


_TABLES = (
    "checks.py",
    "lesson_checks.py",
    "speaking.py",
    "void.py",
    "anchored.py",
    "filing.py",
)  # name kinds without heeding them


def test_the_page_gives_the_rule_of_the_digest():
    assert "sum of all entries modulo 2^256" in PAGE
    assert folder.FOLD_VERSION >= 1
