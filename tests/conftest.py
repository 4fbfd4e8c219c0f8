"""The order of the files: what takes longest begins first, so that no worker is left with it at the end."""

from pathlib import Path

import pytest

_HERE = Path(__file__).parent
# Those that compute beside those that wait for processes, so that workers in both keep the cores busy.
_LONGEST = (
    "e2e/test_words", "e2e/test_demo", "sim/test_story", "e2e/test_post", "sim/test_mutants", "e2e/test_networks",
    "sim/test_world", "e2e/test_siege", "property/test_faulty_cards", "e2e/test_chain_commands",
    "property/test_hostile_channel", "e2e/test_relay_chain", "ports/test_link_attack", "property/test_hostile_peer",
    "e2e/test_ends_chain", "unit/phone/test_carry", "e2e/test_damaged", "e2e/test_membership",
)  # fmt: skip
_RANKS = {(_HERE / f"{name}.py").resolve(strict=True): rank for rank, name in enumerate(_LONGEST)}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first; the rest stay as they came."""
    items.sort(key=lambda item: _RANKS.get(item.path, len(_RANKS)))
