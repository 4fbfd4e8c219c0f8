"""`./dev lock`: renew the hashed requirement files from their `.in` files. They hold hashes and no addresses."""

from tools.steps import BIN, ROOT, run

COMPILE = ("pip", "compile", "-q", "--universal", "--python-version", "3.11", "--generate-hashes", "--no-header")


def main() -> None:
    """One `.txt` beside each `.in`."""
    folder = ROOT / "requirements"
    for source in sorted(folder.glob("*.in")):
        run(source.name, [str(BIN / "uv"), *COMPILE, source.name, "-o", source.with_suffix(".txt").name], folder)


if __name__ == "__main__":
    main()
