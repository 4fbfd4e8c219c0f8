"""Meshes of linked hubs, over every store there is."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from linked import VILLAGE, Mesh
from twins import MemoryStore

from hubd.store.actions import Store


@pytest.fixture
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Links that look around twenty times a second and dial again soon."""
    monkeypatch.setattr("hubd.gossip.link._TICK_S", 0.05)
    monkeypatch.setattr("hubd.gossip.callbook.DIAL_WAIT_S_MIN", 0.1)
    monkeypatch.setattr("hubd.gossip.peers.SESSION_AGAIN_S", 0.1)


@pytest.fixture
async def mesh() -> AsyncIterator[Mesh]:
    """Hubs over sets in memory."""

    async def make_store(_name: str) -> MemoryStore:
        return MemoryStore()

    mesh = Mesh(make_store)
    yield mesh
    await mesh.stop()


@pytest.fixture(params=["memory", "sqlite"])
async def stored(request: Any, tmp_path: Path) -> AsyncIterator[Mesh]:
    """Like `mesh`, over every store there is."""
    async with contextlib.AsyncExitStack() as stack:

        async def make_store(name: str) -> Any:
            if request.param == "memory":
                return MemoryStore()
            store = await Store.open(tmp_path / name, VILLAGE.domain)
            stack.push_async_callback(store.close)
            return store

        mesh = Mesh(make_store)
        yield mesh
        await mesh.stop()
