"""`./dev test [--campaign] [PYTEST ARGUMENT ...]`: checks, vectors, contracts on the real VM, then pytest."""

import os
import sys

from tools import check
from tools.steps import BIN, NODE, ROOT, run

WORKERS = "3"  # most end-to-end tests wait for processes; two cores carry one more than they are


def main(arguments: list[str]) -> None:
    """Everything that must be green before a change lands. With arguments for pytest, pytest alone."""
    campaign = "--campaign" in arguments
    rest = [argument for argument in arguments if argument != "--campaign"]
    os.environ["HUBD_CAMPAIGN"] = "1" if campaign else ""
    if not rest:
        check.main([])
        run("vectors", [str(BIN / "python"), "-m", "tools.vectors", "tests/vectors"])
        suites = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests" / "contracts").rglob("*.test.mjs"))
        run("contracts", [NODE, "--test", "--test-concurrency=2", "--test-reporter=tap", *suites])
    forms = ["-m", ""] if campaign else []  # the long form leaves nothing out
    run("pytest", [str(BIN / "pytest"), *forms, *(rest or ("-n", WORKERS, "--dist", "loadfile"))])


if __name__ == "__main__":
    main(sys.argv[1:])
