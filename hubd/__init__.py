"""hubd: a hub for villages that teach each other, with or without an internet.

`ARCHITECTURE.md` draws the floors that these packages stand on.
"""

__version__ = "0.1.0"
