"""A running hub's uplink: the relay over its set, its ledger and the chain's nodes. Read only where nodes are named.

With its HTTP client it takes 3 MB of memory, and most hubs have no uplink.
"""

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from hubd import log
from hubd.config import Config
from hubd.errors import FatalError
from hubd.hub import Hub
from hubd.limits import UPLINK_AGAIN_S
from hubd.relay.driver import Keys, Links, Relay
from hubd.relay.node import Node
from hubd.relay.outbox import Terms


class Uplink:
    """The relay as a service. Use `async with`, which closes its connections."""

    def __init__(self, hub: Hub) -> None:
        self._config = hub.config
        self._log = log.get("hub")
        self._error: FatalError | None = None
        self._node = Node(self._config["relay.nodes"], api_key=_api_key(self._config["relay.api_key_file"]))
        links = Links(
            hub.store, hub.store.ledger(), hub.intake, lambda: hub.folder.views, self._node, hub.folding.circle,
            is_late=lambda: hub.folding.behind > 0,
        )  # fmt: skip
        keys = Keys(wallet=hub.identity.wallet, hub=hub.identity.hub)
        self._relay = Relay(links, keys, hub.charter, _terms(self._config), self._config["relay.poll_ms"] / 1000)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._node.close()

    async def run(self) -> None:
        """Relay. What a person must mend there is said in log and status, and the village's hub goes on."""
        while True:
            try:
                await self._relay.run()
            except FatalError as error:
                self._error = error
                self._log.error("uplink-stopped", code=error.code, detail=error.detail, hint=error.hint)
                await asyncio.sleep(UPLINK_AGAIN_S)
                self._error = None

    def status(self) -> dict[str, Any]:
        """What `hubd status` shows of it."""
        facts, error = asdict(self._relay.status()), self._error
        if error is not None:
            facts |= {"trouble": error.code, "hint": error.hint}
        return facts

    def reload(self) -> None:
        """Take up the terms and the pace of the changed configuration."""
        self._relay.terms = _terms(self._config)
        self._relay.poll_s = self._config["relay.poll_ms"] / 1000


def _terms(settings: Config) -> Terms:
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
