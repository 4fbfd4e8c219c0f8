"""`./dev test [--campaign] [PYTEST ARGUMENT ...]`: checks, vectors, contracts on the real VM, then pytest."""

import os
import sys

from tools import check
from tools.steps import BIN, NODE, run

# Most end-to-end tests wait for processes: two cores carry one worker more than they are. `tests/conftest.py` says in
# which order files begin; xdist would keep those of few tests for the end, which take longest.
SHARED = ("-n", "3", "--dist", "loadfile", "--no-loadscope-reorder")
# Handed on to each suite. With its usual threads, V8 takes twice the work for a suite that deploys much.
COLLECTING = "--single-threaded-gc"


def main(arguments: list[str]) -> None:
    """Everything that must be green before a change lands. With arguments for pytest, pytest alone."""
    campaign = "--campaign" in arguments
    rest = [argument for argument in arguments if argument != "--campaign"]
    os.environ["HUBD_CAMPAIGN"] = "1" if campaign else ""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else each of hundreds of processes compiles everything anew
    if not rest:
        check.main([])
        run("vectors", [str(BIN / "python"), "-m", "tools.vectors", "tests/vectors"])
        run("contracts", [NODE, COLLECTING, "tools/contracts.mjs"])
    forms = ["-m", ""] if campaign else []  # the long form leaves nothing out
    run("pytest", [str(BIN / "pytest"), *forms, *(rest or SHARED)])


if __name__ == "__main__":
    main(sys.argv[1:])
