"""Who reads what: the evaluator's memory of every rule's last evaluation, both ways round.

Most of what is read has one reader, so one is kept bare and only several make a table: a dict for each would be half of a
folder's memory.
"""

from collections.abc import Iterable
from typing import Any, TypeAlias

Node: TypeAlias = tuple[str, Any]  # an entry (view, key), a place (shelf, key), or an action ("", id)


class Trace:
    """What each node read, and who reads each node."""

    def __init__(self) -> None:
        self._reads: dict[Node, tuple[Node, ...]] = {}
        self._readers: dict[Node, Node | dict[Node, None]] = {}

    def readers(self, node: Node) -> Iterable[Node]:
        """Who read a node when last evaluated. The set must not be traced anew while this is looked through."""
        found = self._readers.get(node, ())
        return found if isinstance(found, dict) else (found,) if found else ()

    def remember(self, node: Node, reads: set[Node]) -> None:
        """A node was evaluated, and read these."""
        before = self._reads.get(node, ())
        for gone in before:
            if gone not in reads:
                self._drop(gone, node)
        for fresh in reads.difference(before):
            self._add(fresh, node)
        if reads:
            self._reads[node] = tuple(reads)
        else:
            self._reads.pop(node, None)

    def _add(self, read: Node, reader: Node) -> None:
        known = self._readers.get(read)
        if known is None:
            self._readers[read] = reader
        elif isinstance(known, dict):
            known[reader] = None
        else:
            self._readers[read] = {known: None, reader: None}

    def _drop(self, read: Node, reader: Node) -> None:
        known = self._readers[read]
        if isinstance(known, dict) and len(known) > 1:
            del known[reader]
        else:
            del self._readers[read]
