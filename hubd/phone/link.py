"""What a phone asks of a hub, whichever way they are connected: over HTTP, or over a socket that the hub dialled."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from hubd.action.principal import Principal
from hubd.action.sip018 import ActionId
from hubd.phone.money import Told
from hubd.ports import Outcome
from hubd.web.proofs import Authorization
from hubd.web.standing import Scope

Sink = Callable[[list[bytes], str | None], Awaitable[None]]
"""Takes envelopes, and the cursor behind them where there is one."""
Authorizer = Callable[[Principal, bytes, bytes], Authorization]
"""Answers a hub's challenge with this phone's key, for one question."""


class HubLink(Protocol):
    """One conversation with one hub. Everything a hub says wrongly is a `RemoteError`.

    `hub_time_s` is what the hub's clock showed when it was identified.
    """

    hub_time_s: int

    async def identify(self) -> Principal:
        """The hub's principal, proven by its key. Whether it is admitted is for the caller to say.

        Says nothing of who asks, and gets the challenge that `authorize` answers.
        """

    async def membership(self, sink: Sink) -> None:
        """Hand over the public actions of the mesh: who its hubs and stewards are."""

    async def put(self, envelopes: Sequence[tuple[ActionId, bytes]]) -> list[tuple[ActionId, Outcome]]:
        """Bring actions; an outcome for each that the hub spoke of, by its id."""

    async def authorize(self, authorizer: Authorizer) -> None:
        """Say who this is, for what follows. Raises `RemoteError("unregistered")` where the hub does not know the key."""

    async def pull(self, cursor: str | None, sink: Sink, scope: Scope) -> None:
        """Hand over all that is new since the cursor.

        Raises `RemoteError`: `cursor-void` (reconcile, then pull on), `scope` for more than this phone may see.
        """

    async def reconcile(self, message: bytes) -> bytes:
        """One round of Negentropy v1, in the scope that `end` named."""

    async def get(self, ids: Sequence[bytes], sink: Sink) -> None:
        """Hand over these actions, as far as the hub has them."""

    async def content(self, ids: Sequence[bytes], sink: Sink) -> None:
        """Hand over those of these actions of which the hub has the content and shows it to this phone."""

    async def bring_post(self, body: bytes) -> bytes:
        """Bring `[[receipt, ...], [bundle, ...]]`; the body of the answer (docs/phone-api.md, "Carrying post")."""

    async def fetch_post(self, hubs: Sequence[Principal], after: str, bytes_max: int) -> bytes:
        """Ask for what these hubs lack; the body of the answer."""

    async def balances(self) -> list[Told]:
        """What the hub says the vault holds for this person."""

    async def end(self, scope: Scope) -> str:
        """The cursor at the hub's end: where to go on after a reconciliation that begins now, in this scope."""
