"""`./dev check [--fix]`: style, types and floors."""

import sys

from tools.steps import BIN, run


def main(arguments: list[str]) -> None:
    """Every check that reads the code without running it."""
    fix = "--fix" in arguments
    run("format", [str(BIN / "ruff"), "format", "-q", *([] if fix else ["--check"]), "."])
    run("lint", [str(BIN / "ruff"), "check", "-q", *(["--fix"] if fix else []), "."])
    run("types", [str(BIN / "mypy")])
    run("floors", [str(BIN / "lint-imports"), "--no-cache"])


if __name__ == "__main__":
    main(sys.argv[1:])
