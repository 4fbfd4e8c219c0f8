"""Whether the contracts on the chain are this mesh's, which tokens their vault pays out, and how long they wait."""

import hashlib

from hubd.action.charter import Charter
from hubd.action.clarity import Ascii, Buff, PrincipalCV, Some, TupleCV, UInt
from hubd.action.principal import Principal, address
from hubd.errors import FatalError, RemoteError
from hubd.relay.node import Node


async def learn_tokens(node: Node, charter: Charter) -> dict[Principal, str]:
    """Asset names of the charter's tokens, as `access` lists them; those that it does not admit are left out.

    Raises `RemoteError("contracts-missing")` where the gateway does not answer, and `FatalError("contracts-differ")` where
    it serves another mesh.
    """
    gateway = charter.contract("action-gateway")
    try:
        domain = await node.call_read(gateway, "get-domain", [])
    except RemoteError as error:
        if error.code != "node-call":
            raise
        raise RemoteError(
            "contracts-missing",
            f"nothing answers at {address(gateway)}",
            "the mesh's contracts are not deployed yet; actions wait safely until `hubd contracts deploy` was run",
        ) from error
    if domain != Buff(hashlib.sha256(charter.domain.clarity()).digest()):
        raise FatalError(
            "contracts-differ",
            f"{address(gateway)} serves another mesh",
            hint="the charter's anchor and the deployed contracts do not belong together; ask whoever deployed them",
        )
    tokens = {}
    for _, asset in charter.assets:
        match await node.call_read(charter.anchor, "get-asset", [Some(PrincipalCV(asset))]):
            case Some(TupleCV({"name": Ascii(name)})):
                tokens[asset] = name
    return tokens


async def learn_grace_s(node: Node, charter: Charter) -> int:
    """Seconds of silence after which a default takes effect. Raises `RemoteError("node-answer")` for anything else."""
    match await node.call_read(charter.anchor, "get-grace-seconds", []):
        case UInt(seconds):
            return seconds
    raise RemoteError("node-answer", "get-grace-seconds")
