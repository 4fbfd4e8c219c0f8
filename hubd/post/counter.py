"""The post office's counter: what a command on this machine asks of a running hub's office, and the asking side of it.

`Customer` and `PostOffice` are one to whoever uses them (`Office`), so that a command does the same with a hub that runs
and with one that does not.
"""

from collections.abc import Awaitable, Callable, Collection
from typing import Any, Protocol

from hubd.action.charter import Charter
from hubd.action.principal import Principal
from hubd.action.signature import Signer
from hubd.ports import Cursor
from hubd.post.bundle import Chunk, Opened, Seal, Unseal
from hubd.post.office import PostOffice, Row, Tally


class Office(Protocol):
    """See `PostOffice`."""

    charter: Charter
    hub: Principal

    @property
    def box_key(self) -> bytes:
        """See `PostOffice`."""

    def unseal(self, sealed: bytes) -> bytes:
        """See `PostOffice`."""

    async def take(self, opened: Opened) -> Tally:
        """See `PostOffice`."""

    async def heard(self, raw: bytes) -> tuple[Principal, bool] | None:
        """See `PostOffice`."""

    async def settle(self) -> None:
        """See `PostOffice`."""

    async def receipt(self) -> bytes:
        """See `PostOffice`."""

    async def since(self, hubs: Collection[Principal]) -> int:
        """See `PostOffice`."""

    async def knows(self, place: Cursor) -> bool:
        """See `PostOffice`."""

    async def sequence(self) -> int:
        """See `PostOffice`."""

    async def has_erased(self, after: int) -> bool:
        """See `PostOffice`."""

    async def seal(self, *, file_key: bytes = b"", bundle: bytes = b"") -> Seal:
        """See `PostOffice`."""

    async def page(self, after: int) -> list[Row]:
        """See `PostOffice`."""

    async def urgent_page(self, after: int) -> list[Row]:
        """See `PostOffice`."""


def endpoints(office: PostOffice) -> dict[str, Callable[..., Awaitable[Any]]]:
    """Requests by name (hubd/control.py); arguments and answers are CBOR values."""

    async def take(signer: bytes, epoch: bytes, chunk: list[Any]) -> list[int]:
        tally = await office.take(Opened(Principal(signer), epoch, Chunk(*chunk)))
        return [tally.actions, tally.new, tally.refused, tally.deferred]

    async def seal(file_key: bytes, bundle: bytes) -> list[Any]:
        made = await office.seal(file_key=file_key, bundle=bundle)
        return [made.bundle, made.epoch, made.file_key, [list(pair) for pair in made.keys]]

    async def since(hubs: list[bytes]) -> int:
        return await office.since([Principal(hub) for hub in hubs])

    async def knows(epoch: bytes, sequence: int, prefix: bytes) -> bool:
        return await office.knows(Cursor(epoch, sequence, prefix))

    async def page(after: int) -> list[list[Any]]:
        return [list(row) for row in await office.page(after)]

    async def urgent_page(after: int) -> list[list[Any]]:
        return [list(row) for row in await office.urgent_page(after)]

    return {
        "post-take": take,
        "post-heard": office.heard,
        "post-settle": office.settle,
        "post-receipt": office.receipt,
        "post-since": since,
        "post-knows": knows,
        "post-sequence": office.sequence,
        "post-erased": office.has_erased,
        "post-seal": seal,
        "post-page": page,
        "post-urgent": urgent_page,
    }


class Customer:
    """An office that is asked through `ask`; what it needs the hub's own keys for is done here."""

    def __init__(
        self, ask: Callable[..., Awaitable[Any]], charter: Charter, signer: Signer, box_key: bytes, unseal: Unseal
    ) -> None:
        self.charter = charter
        self.hub = signer.principal(charter.network)
        self.box_key = box_key
        self.unseal = unseal
        self._ask, self._signer = ask, signer

    async def take(self, opened: Opened) -> Tally:
        """See `PostOffice`."""
        chunk = opened.chunk
        said = [chunk.start, chunk.end, chunk.prefix, chunk.envelopes]
        return Tally(*await self._ask("post-take", opened.signer, opened.epoch, said))

    async def heard(self, raw: bytes) -> tuple[Principal, bool] | None:
        """See `PostOffice`."""
        heard = await self._ask("post-heard", raw)
        return None if heard is None else (Principal(heard[0]), bool(heard[1]))

    async def settle(self) -> None:
        """See `PostOffice`."""
        await self._ask("post-settle")

    async def receipt(self) -> bytes:
        """See `PostOffice`."""
        return bytes(await self._ask("post-receipt"))

    async def since(self, hubs: Collection[Principal]) -> int:
        """See `PostOffice`."""
        return int(await self._ask("post-since", list(hubs)))

    async def knows(self, place: Cursor) -> bool:
        """See `PostOffice`."""
        return bool(await self._ask("post-knows", place.epoch, place.sequence, place.id_prefix))

    async def sequence(self) -> int:
        """See `PostOffice`."""
        return int(await self._ask("post-sequence"))

    async def has_erased(self, after: int) -> bool:
        """See `PostOffice`."""
        return bool(await self._ask("post-erased", after))

    async def seal(self, *, file_key: bytes = b"", bundle: bytes = b"") -> Seal:
        """See `PostOffice`."""
        bundle, epoch, file_key, keys = await self._ask("post-seal", file_key, bundle)
        return Seal(self.charter, self._signer, bundle, epoch, file_key, [(name, sealed) for name, sealed in keys])

    async def page(self, after: int) -> list[Row]:
        """See `PostOffice`."""
        return [(sequence, name, raw) for sequence, name, raw in await self._ask("post-page", after)]

    async def urgent_page(self, after: int) -> list[Row]:
        """See `PostOffice`."""
        return [(sequence, name, raw) for sequence, name, raw in await self._ask("post-urgent", after)]
