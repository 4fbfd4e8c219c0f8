"""Whether the views' file still holds what was written: all of it, in steps, over one moment of the file.

A value that changed is met where it is read (`hubd/store/cells.py`). One that is missing, a reader that is told no more or
an action that stands on another shelf is met by nobody: an entry is wrong then, and nothing says so. So the file says what
its tables add up to, and here they are added up again. What does not agree is thrown away and folded anew.
"""

import sqlite3
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from hubd.errors import LocalError
from hubd.limits import SCRUB_STEP_IDS
from hubd.store.cells import CHECK_MASK, NAME_BITS, moment_check, name_check, pair_check, unsealed
from hubd.store.entries import decode
from hubd.store.places import row_check
from hubd.store.viewfile import FAULTS, checks_of
from hubd.store.views import HERE

_PROGRESS_STEPS: Final = 100_000  # of SQLite's machine: some milliseconds
_TABLES: Final = {
    "name": "no, key",
    "entry": "node, body",
    "sum": "node, body",
    "reads": "node, body",
    "reader": "read, reader",
    "shelf": "place, author, first, second, id",
    "moment": "time_s, count",
}


def steps(path: Path, is_given_up: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """Look through the file, a little in each step. Raises `LocalError("views")` where it is not what was written.

    The last step looks at the order of all pages, half a minute for a million actions on a Pi 4, unless it is given up.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False)) as file:
            file.set_progress_handler(is_given_up, _PROGRESS_STEPS)
            file.execute("begin")
            yield from _look(file)
    except FAULTS as error:
        raise error if isinstance(error, LocalError) else LocalError("views", str(error)) from error


def _look(file: sqlite3.Connection) -> Iterator[None]:
    kept = {key: decode(value) for key, value in file.execute("select key, value from fact")}
    checks = checks_of(kept)
    if not checks.facts:  # nothing was ever kept
        return
    titles = kept["titles"]
    found = Counter[str]()
    views = Counter[str]()
    for table, columns in _TABLES.items():
        add = _ADD[table]
        rows = file.execute(f"select {columns} from {table}")
        while some := rows.fetchmany(SCRUB_STEP_IDS):
            found[table] += sum(add(*row) for row in some)
            if table == "entry":
                views.update(titles[node >> NAME_BITS] for node, _ in some)
            yield
    sizes = {view: size for view, size in kept["sizes"].items() if size}
    if kept["count"]:
        sizes[HERE] = kept["count"]
    told = {"name": checks.names, "reads": checks.pairs, "reader": checks.pairs, "shelf": checks.places}
    told |= {"moment": checks.moments, "sum": checks.sums, "entry": found["entry"]}
    wrong = [table for table in _TABLES if (found[table] - told[table]) & CHECK_MASK]
    if wrong or views != sizes:
        raise LocalError("views", f"not what was written: {', '.join(wrong or ['entry'])}")
    if (said := file.execute("pragma integrity_check(1)").fetchone()[0]) != "ok":
        raise LocalError("views", said)


def _reads(node: int, body: Any) -> int:
    return sum(pair_check(read, node) for read in array("q", unsealed(node, body)))


def _one(node: int, body: Any) -> int:
    unsealed(node, body)
    return 1


_ADD: Final[dict[str, Callable[..., int]]] = {
    "name": name_check,
    "entry": _one,
    "sum": _one,
    "reads": _reads,
    "reader": pair_check,
    "shelf": row_check,
    "moment": lambda time_s, count: count * moment_check(time_s),
}
