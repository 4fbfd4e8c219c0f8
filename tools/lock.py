"""`./dev lock`: renew the hashed requirement files from their `.in` files. They hold hashes and no addresses."""

from tools.steps import BIN, ROOT, run

COMPILE = ("pip", "compile", "-q", "--universal", "--python-version", "3.11", "--generate-hashes", "--no-header")


def main() -> None:
    """One `.txt` beside each `.in`."""
    for source in sorted((ROOT / "requirements").glob("*.in")):
        target = source.with_suffix(".txt")
        run(source.name, [str(BIN / "uv"), *COMPILE, str(source), "-o", str(target)])


if __name__ == "__main__":
    main()
