"""A node of a chain that stands still: it takes every transaction and mines none. For a hub that is measured with an uplink.

`python -m bench.node PORT CHARTER`
"""

import asyncio
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from hubd.action import charter as charters
from hubd.action.charter import Charter
from hubd.action.clarity import NONE, Buff, ListCV, TupleCV, UInt, Value, decode, encode

_OK = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
_NOTHING = TupleCV({"free": UInt(0), "locked": UInt(0)})


def _read(function: str, arguments: list[str], charter: Charter) -> Value:
    match function:
        case "get-domain":
            return Buff(hashlib.sha256(charter.domain.clarity()).digest())
        case "get-grace-seconds":
            return UInt(45 * 86_400)
        case "get-balances":
            asked = decode(bytes.fromhex(arguments[0].removeprefix("0x")))
            assert isinstance(asked, ListCV)
            return ListCV(tuple(_NOTHING for _ in asked.items))
    return NONE


def _answer(path: str, body: bytes, charter: Charter) -> Any:
    if path == "/v2/info":
        tip = {"network_id": charter.network.chain_id, "burn_block_height": 900, "stacks_tip_height": 5_000}
        return {**tip, "stacks_tip": "00" * 32}
    if path.startswith("/v2/accounts/"):
        return {"balance": f"{10**12:#034x}", "nonce": 0}
    if path == "/v2/transactions":
        return hashlib.new("sha512_256", body).hexdigest()
    if path.startswith("/extended/v1/tx/"):
        return {"tx_status": "pending"}
    value = _read(path.rpartition("/")[2], json.loads(body)["arguments"], charter)
    return {"okay": True, "result": "0x" + encode(value).hex()}


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, charter: Charter) -> None:
    try:
        while request := await reader.readline():
            length = 0
            while (line := await reader.readline()).strip():
                name, _, value = line.decode("latin-1").partition(":")
                length = int(value) if name.lower() == "content-length" else length
            body = await reader.readexactly(length)
            raw = json.dumps(_answer(request.split()[1].decode("ascii").partition("?")[0], body, charter)).encode(
                "ascii"
            )
            writer.write(_OK.format(length=len(raw)).encode("ascii") + raw)
            await writer.drain()
    finally:
        writer.close()


async def main(port: int, charter: Charter) -> None:
    """Answer until killed."""
    server = await asyncio.start_server(lambda reader, writer: _serve(reader, writer, charter), "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), charters.read(Path(sys.argv[2]).read_bytes())))
