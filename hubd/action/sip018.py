"""Action ids: the SIP-018 digest of a statement in its mesh's domain (docs/protocol.md, "Domain, digest, id")."""

import hashlib
from dataclasses import dataclass, field
from typing import NewType

from hubd.action.clarity import Ascii, PrincipalCV, TupleCV, UInt, encode
from hubd.action.network import Network
from hubd.action.principal import Principal

ActionId = NewType("ActionId", bytes)
NO_ID = ActionId(bytes(32))  # "about nothing": a statement's empty `subject`

_PREFIX = b"SIP018"


@dataclass(frozen=True, slots=True)
class Domain:
    """A mesh's domain: `mesh` is the principal of its `access` contract, its anchor even before it is deployed."""

    network: Network
    mesh: Principal
    _prefix: bytes = field(init=False, repr=False, compare=False, default=b"")

    def __post_init__(self) -> None:
        object.__setattr__(self, "_prefix", _PREFIX + hashlib.sha256(self.clarity()).digest())

    def clarity(self) -> bytes:
        """Consensus bytes of the domain tuple."""
        return encode(
            TupleCV(
                {
                    "chain-id": UInt(self.network.chain_id),
                    "mesh": PrincipalCV(self.mesh),
                    "name": Ascii("hubd"),
                    "version": Ascii("1"),
                }
            )
        )

    def digest(self, clarity_bytes: bytes) -> ActionId:
        """The SIP-018 digest of a message's consensus bytes: for a statement, the action's id."""
        return ActionId(hashlib.sha256(self._prefix + hashlib.sha256(clarity_bytes).digest()).digest())
