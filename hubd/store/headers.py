"""Actions of the set one by one and at once: what the fold's rules read again after it left their memory.

A connection of its own that only reads, beside the store's: a point read takes microseconds here, and the event loop's
thread would wait longer for another thread's answer.
"""

import sqlite3
from pathlib import Path

from hubd.action.envelope import Action
from hubd.action.sip018 import ActionId, Domain
from hubd.limits import DATABASE_BUSY_MS, HEADERS_CACHE_KIB
from hubd.store.rows import reopen

_SELECT = (
    "select cast(header as blob), cast(body as blob) from action"
    " left join content on content.id = action.id where action.id = ?"
)


class Headers:
    """The actions of a store's file, by id."""

    def __init__(self, path: Path, domain: Domain) -> None:
        self._domain = domain
        self._connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
        self._connection.execute(f"pragma busy_timeout = {DATABASE_BUSY_MS}")
        self._connection.execute(f"pragma cache_size = -{HEADERS_CACHE_KIB}")

    def __call__(self, action_id: ActionId) -> Action | None:
        """The action, None where the set has it no longer. Raises `RemoteError("rot")` where its bytes changed."""
        row = self._connection.execute(_SELECT, (action_id,)).fetchone()
        return None if row is None else reopen(action_id, row[0], row[1], self._domain)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
