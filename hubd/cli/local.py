"""The set of a hub on this machine, for commands: through the running hub, or opened directly when none runs."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import nacl.public

from hubd.control import ask
from hubd.errors import FatalError
from hubd.hub import CHARTER_NAME, Hub, read_charter
from hubd.identity import Identity
from hubd.ports import Door
from hubd.post.counter import Customer, Office


class LocalHub:
    """What a command may ask of a hub. `hub` is None while the daemon answers."""

    def __init__(self, directory: Path, hub: Hub | None) -> None:
        self._directory = directory
        self._hub = hub

    async def _ask(self, name: str, *arguments: Any) -> Any:
        if self._hub is None:
            return await ask(self._directory, name, *arguments)
        return await self._hub.endpoints[name](*arguments)

    async def offer(self, envelopes: Sequence[bytes], door: Door) -> list[tuple[bytes | None, str, str, bool]]:
        """(id, verdict, code, is new) of each envelope."""
        return [tuple(row) for row in await self._ask("offer", list(envelopes), door.value)]

    async def status(self) -> dict[str, Any]:
        """What `hubd status` shows."""
        return dict(await self._ask("status"))

    async def hubs(self) -> list[dict[str, Any]]:
        """The hubs of the mesh that are known here."""
        return list(await self._ask("hubs"))

    async def stewards(self) -> list[str]:
        """The addresses of the mesh's stewards, as known here."""
        return list(await self._ask("stewards"))

    def post(self) -> Office:
        """The hub's post office."""
        if self._hub is not None:
            return self._hub.post
        identity, charter = Identity.open(self._directory), read_charter(self._directory / CHARTER_NAME)
        unseal = nacl.public.SealedBox(identity.box).decrypt
        return Customer(self._ask, charter, identity.hub, bytes(identity.box.public_key), unseal)


@asynccontextmanager
async def local_hub(directory: Path) -> AsyncIterator[LocalHub]:
    """The hub of a data directory: asked while it runs, opened while it does not. Raises `FatalError` in words."""
    async with AsyncExitStack() as stack:
        hub = None
        if not await _is_running(directory):
            try:
                hub = await stack.enter_async_context(Hub.opened(directory))
            except FatalError as error:
                if error.code != "data-in-use" or not await _is_running(directory):  # it has started meanwhile
                    raise
        yield LocalHub(directory, hub)


async def _is_running(directory: Path) -> bool:
    try:
        await ask(directory, "hubs")
    except FatalError as error:
        if error.code != "not-running":
            raise
        return False
    return True
