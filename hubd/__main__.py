"""`python -m hubd` is the same as the `hubd` command."""

from hubd.cli import main

main()
