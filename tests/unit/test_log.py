"""What the hub writes into its log when something breaks."""

import subprocess
import sys

BREAKS = """
from hubd import log
log.configure("info", "{form}")
def work():
    key = "the secret key"
    raise ValueError("no room")
try:
    work()
except ValueError:
    log.get("hub").exception("service-failed", detail="relay")
"""


def said(form: str, before: str = "") -> str:
    ran = subprocess.run(
        [sys.executable, "-c", before + BREAKS.format(form=form)], capture_output=True, text=True, check=True
    )
    return ran.stderr


def test_a_traceback_says_where_and_no_value_of_any_variable():
    for form in ("console", "json"):
        for before in ("", "import importlib.util as u; u.find_spec('rich') and __import__('rich.traceback')\n"):
            text = said(form, before)
            assert "no room" in text
            assert "work" in text
            assert "the secret key" not in text


HIDES = """
import sys
from hubd.lean import without_pretty
with without_pretty():
    try:
        import pygments
    except ImportError:
        print("hidden", file=sys.stderr)
assert "pygments" not in sys.modules
"""


def test_what_was_hidden_from_an_import_is_as_it_was_afterwards():
    assert said("json", HIDES).startswith("hidden")
