"""Statements that replace one another, and statements of which only one can count."""

from collections.abc import Sequence

from hubd.action.envelope import Action
from hubd.action.kinds import KINDS


def in_order(action: Action) -> bool:
    """Whether an action keeps to the columns of its kind."""
    row = KINDS.get(action.kind)
    return row is not None and not row.broken_columns(action.statement)


def ruling(versions: Sequence[Action]) -> Action:
    """The version that counts: one that no other names as the one before; between several, the smallest id.

    `created` is never asked (decisions D4). A version whose predecessor isn't here is a version all the same. At least one
    is never replaced, because ids are hashes and can't run in a ring.
    """
    replaced = {version.statement.subject for version in versions}
    return min((version for version in versions if version.id not in replaced), key=lambda version: version.id)
