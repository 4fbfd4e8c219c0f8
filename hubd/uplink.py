"""A running hub's uplink: the relay over its set, its ledger and the chain's nodes. Read only where nodes are named.

With its HTTP client it takes 7 MB of memory, and most hubs have no uplink; and a tenth of a second, two on a Pi, for which
no neighbour waits: it is read beside the event loop when everything else runs.
"""

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from hubd import log
from hubd.action.principal import address
from hubd.config import Config
from hubd.errors import FatalError
from hubd.hub import Hub
from hubd.limits import UPLINK_AGAIN_S
from hubd.relay.status import Status

if TYPE_CHECKING:
    from hubd.relay.driver import Relay
    from hubd.relay.node import Node
    from hubd.relay.packing import Terms


class Uplink:
    """The relay as a service. Use `async with`, which closes its connections. Raises `FatalError` for a missing key file."""

    def __init__(self, hub: Hub) -> None:
        self._hub, self._config = hub, hub.config
        self._log = log.get("hub")
        self._error: FatalError | None = None
        self._api_key = _api_key(self._config["relay.api_key_file"])
        self._node: Node | None = None
        self._relay: Relay | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._node is not None:
            await self._node.close()

    def _read(self) -> "tuple[Node, Relay]":
        import anyio  # noqa: PLC0415  # see above

        from hubd.relay.driver import Keys, Relay  # noqa: PLC0415
        from hubd.relay.gathering import Links  # noqa: PLC0415
        from hubd.relay.node import Node  # noqa: PLC0415

        # What the client stands on would be read at the first request: in the event loop, and on top of the fold's memory.
        anyio.run(anyio.sleep, 0)
        hub = self._hub
        node = Node(self._config["relay.nodes"], api_key=self._api_key)
        links = Links(
            hub.store, hub.store.ledger(), hub.intake, lambda: hub.folder.views, node, hub.folding.circle,
            is_late=lambda: hub.folding.behind > 0,
        )  # fmt: skip
        keys = Keys(wallet=hub.identity.wallet, hub=hub.identity.hub)
        return node, Relay(links, keys, hub.charter, _terms(self._config), self._config["relay.poll_ms"] / 1000)

    async def _opened(self) -> "Relay":
        node, relay = await asyncio.to_thread(self._read)
        self._node, self._relay = node, relay
        return relay

    async def run(self) -> None:
        """Relay. What a person must mend there is said in log and status, and the village's hub goes on."""
        relay = self._relay or await self._opened()
        while True:
            try:
                await relay.run()
            except FatalError as error:
                self._error = error
                self._log.error("uplink-stopped", code=error.code, detail=error.detail, hint=error.hint)
                await asyncio.sleep(UPLINK_AGAIN_S)
                self._error = None

    def status(self) -> dict[str, Any]:
        """What `hubd status` shows of it."""
        wallet = address(self._hub.identity.wallet.principal(self._hub.charter.network))
        facts, error = asdict(self._relay.status() if self._relay is not None else Status(wallet)), self._error
        if error is not None:
            facts |= {"trouble": error.code, "hint": error.hint}
        return facts

    def reload(self) -> None:
        """Take up the terms and the pace of the changed configuration."""
        if self._relay is not None:
            self._relay.terms = _terms(self._config)
            self._relay.poll_s = self._config["relay.poll_ms"] / 1000


def _terms(settings: Config) -> "Terms":
    from hubd.relay.packing import Terms  # noqa: PLC0415

    return Terms(
        actions_max=settings["relay.batch_actions_max"],
        fee_ustx_per_byte=settings["relay.fee_ustx_per_byte"],
        fees_day_ustx_max=settings["relay.fees_day_ustx_max"],
        gather_s=settings["relay.gather_ms"] / 1000,
    )


def _api_key(path: str) -> str:
    if not path:
        return ""
    try:
        return Path(path).read_text("utf-8").strip()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is no text"
        raise FatalError(
            "config", f"relay.api_key_file: {path}: {reason}", hint="put the node's API key into that file"
        ) from error
