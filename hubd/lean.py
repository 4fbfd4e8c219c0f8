"""Imports without what a library would read besides, where it is installed, to make its output pretty.

A checkout's tools bring such libraries; in a hub's process they would take 4 MB, and print the values of local variables,
keys among them, into its log.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_PRETTY = ("better_exceptions", "pygments", "rich")


@contextmanager
def without_pretty() -> Iterator[None]:
    """What is imported in here finds none of these libraries, unless this process has read them already."""
    hidden = [name for name in _PRETTY if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: Python takes it for not installed
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
