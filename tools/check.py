"""`./dev check [--fix]`: style, types, floors and generated pages."""

import sys

from tools.steps import BIN, run


def main(arguments: list[str]) -> None:
    """Every check that reads the code without running it."""
    fix = "--fix" in arguments
    run("format", [str(BIN / "ruff"), "format", "-q", *([] if fix else ["--check"]), "."])
    run("lint", [str(BIN / "ruff"), "check", "-q", *(["--fix"] if fix else []), "."])
    run("types", [str(BIN / "mypy")])
    run("floors", [str(BIN / "lint-imports"), "--no-cache"])
    run("pages", [str(BIN / "python"), "-m", "tools.pages", *(["--fix"] if fix else [])])


if __name__ == "__main__":
    main(sys.argv[1:])
