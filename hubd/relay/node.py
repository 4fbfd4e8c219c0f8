"""A client for the RPC of Stacks nodes: several base URLs, one answer.

Core endpoints carry the relay; the public index (`/extended/`) is a convenience, and where it is missing `transaction`
says so by returning None. Nothing a node answers is believed before its shape is checked: whatever is malformed ends in
`RemoteError("node-answer")`, whatever can't be reached in `RemoteError("node-unreachable")` or, where every node asked
us to slow down, `RemoteError("node-busy")`.
"""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

from hubd.action.clarity import Value, decode, encode
from hubd.action.principal import Principal, address, contract_name, owner_of, parse_address
from hubd.errors import RemoteError
from hubd.lean import without_pretty
from hubd.limits import NODE_RESPONSE_BYTES_MAX, NODE_RETRY_AFTER_S_MAX, NODE_TIMEOUT_S
from hubd.relay.chain import MINED, STATUSES, Account, Place, Seen, Standing, Tip

with without_pretty():
    import httpx

_HINT_UNREACHABLE = "relay.nodes in hubd.toml lists the nodes that are asked, one after the other"
_HINT_BUSY = "the node limits requests; a key (relay.api_key_file), a second node or a longer relay.poll_ms helps"
_RETRY_AFTER_S = 60  # where a node says "slow down" without saying for how long
_AGAIN = (408, 425, 429)  # and all of 5xx: another node, or this one later, may answer


class RejectedError(RemoteError):
    """A node refused a transaction. `reason` is stacks-core's name for why, `wanted` the number it asked for, if any."""

    def __init__(self, reason: str, wanted: int | None = None, detail: str = "") -> None:
        super().__init__("node-rejected", f"{reason} {detail}".strip())
        self.reason = reason
        self.wanted = wanted


def _answer(detail: str) -> RemoteError:
    return RemoteError("node-answer", detail, "this node does not speak as a Stacks node does; is the URL right?")


def _object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _answer(f"{what} is no object")
    return value


def _number(table: dict[str, Any], key: str, *, default: int | None = None) -> int:
    value = table.get(key, default)
    if type(value) is not int or not 0 <= value < 2**63:
        raise _answer(f"{key} is no number")
    return value


def _hex(text: Any, what: str, length: int | None = None) -> bytes:
    try:
        raw = bytes.fromhex(text.removeprefix("0x"))
    except (AttributeError, TypeError, ValueError) as error:
        raise _answer(f"{what} is no hex") from error
    if length is not None and len(raw) != length:
        raise _answer(f"{what} has another length")
    return raw


class _Base:
    """One base URL, and until when it asked to be left alone."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.rests_until_s = 0.0


class Node:
    """The nodes of this hub as one. Tries the last that answered first; never sleeps: pace is the relay's business."""

    def __init__(
        self,
        urls: Sequence[str],
        *,
        api_key: str = "",
        transport: httpx.AsyncBaseTransport | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        assert urls, "no node is configured"
        self._bases = [_Base(url) for url in urls]
        self._monotonic = monotonic
        # Nothing is unpacked: 64 kB of a hostile gzip are 64 MB of a Pi's memory.
        headers = {"accept-encoding": "identity", **({"x-api-key": api_key} if api_key else {})}
        # Where no node is asked by https, and none can send us to another one, no authority's certificate is of use: 2 MB.
        is_plain = all(httpx.URL(url).scheme == "http" for url in urls)
        self._client = httpx.AsyncClient(
            headers=headers, timeout=NODE_TIMEOUT_S, transport=transport, trust_env=False, follow_redirects=False,
            verify=not is_plain,
        )  # fmt: skip

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    # --- what the relay asks

    async def tip(self) -> Tip:
        """The chain's end (`/v2/info`)."""
        table = _object(await self._json("GET", "/v2/info"), "info")
        return Tip(
            network_id=_number(table, "network_id"),
            burn_height=_number(table, "burn_block_height"),
            height=_number(table, "stacks_tip_height"),
            block=_hex(table.get("stacks_tip"), "stacks_tip", 32),
        )

    async def account(self, principal: Principal) -> Account:
        """Account nonce and balance (`/v2/accounts`)."""
        table = _object(await self._json("GET", f"/v2/accounts/{address(principal)}?proof=0"), "account")
        balance = int.from_bytes(_hex(table.get("balance"), "balance"), "big")
        return Account(_number(table, "nonce"), balance)

    async def broadcast(self, raw: bytes) -> bytes:
        """Hand a transaction to a node; its txid. Raises `RejectedError` where the node refuses it."""
        status, body = await self._ask("POST", "/v2/transactions", content=raw)
        answer = _parse(body)
        if status == 200:
            return _hex(answer, "txid", 32)
        table = _object(answer, "refusal")
        reason, details = table.get("reason"), table.get("reason_data")
        if status != 400 or not isinstance(reason, str):
            raise _answer(f"status {status} for a transaction")
        wanted = details.get("expected") if isinstance(details, dict) else None
        raise RejectedError(reason, wanted if type(wanted) is int else None, _words(details))

    async def transaction(self, txid: bytes) -> Seen | None:
        """A transaction as the index knows it; None where this node has no index."""
        status, body = await self._ask("GET", f"/extended/v1/tx/0x{txid.hex()}")
        if status == 404:
            return Seen(Standing.UNKNOWN) if b"could not find" in body else None
        if status != 200:
            return None
        return _seen(_object(_parse(body), "transaction"))

    async def call_read(
        self, contract: Principal, function: str, arguments: Sequence[Value], sender: Principal | None = None
    ) -> Value:
        """The value of a read-only function at the tip. Raises `RemoteError("node-call")` where the call fails."""
        path = f"/v2/contracts/call-read/{address(owner_of(contract))}/{contract_name(contract)}/{function}"
        request = {
            "sender": address(owner_of(sender or contract)),
            "arguments": ["0x" + encode(argument).hex() for argument in arguments],
        }
        status, body = await self._ask("POST", path, json=request)
        if status == 404:
            raise RemoteError("node-call", f"{contract_name(contract)}.{function}: there is no such contract")
        table = _object(_parse(body) if status == 200 else None, "call")
        if table.get("okay") is not True:
            raise RemoteError("node-call", f"{contract_name(contract)}.{function}: {_words(table.get('cause'))}")
        return decode(_hex(table.get("result"), "result"))

    async def source(self, contract: Principal) -> str | None:
        """The source of a deployed contract, None where there is none."""
        path = f"/v2/contracts/source/{address(owner_of(contract))}/{contract_name(contract)}?proof=0"
        status, body = await self._ask("GET", path)
        if status == 404:
            return None
        source = _object(_parse(body), "source").get("source") if status == 200 else None
        if not isinstance(source, str):
            raise _answer("no contract source")
        return source

    # --- how it asks

    async def _json(self, method: str, path: str, **request: Any) -> Any:
        status, body = await self._ask(method, path, **request)
        if status != 200:
            raise _answer(f"status {status} for {path.partition('?')[0]}")
        return _parse(body)

    async def _ask(self, method: str, path: str, **request: Any) -> tuple[int, bytes]:
        """Status and body of the first node that answers at all."""
        if "content" in request:
            request["headers"] = {"content-type": "application/octet-stream"}
        failures: list[str] = []
        for base in list(self._bases):
            if base.rests_until_s > self._monotonic():
                continue
            try:
                async with asyncio.timeout(NODE_TIMEOUT_S):
                    status, body, retry_after = await self._once(method, base.url + path, request)
            except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as error:
                failures.append(f"{base.url}: {type(error).__name__}")
                continue
            if status not in _AGAIN and status < 500:
                self._bases.sort(key=lambda other: other is not base)
                return status, body
            failures.append(f"{base.url}: status {status}")
            if status == 429 or retry_after:
                base.rests_until_s = self._monotonic() + _pause_s(retry_after)
        if any(base.rests_until_s <= self._monotonic() for base in self._bases):
            raise RemoteError("node-unreachable", "; ".join(failures), _HINT_UNREACHABLE)
        raise RemoteError("node-busy", "; ".join(failures) or "every node asked for a pause", _HINT_BUSY)

    async def _once(self, method: str, url: str, request: dict[str, Any]) -> tuple[int, bytes, str]:
        async with self._client.stream(method, url, **request) as response:
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > NODE_RESPONSE_BYTES_MAX:
                    raise _answer("an answer larger than any of ours can be")
            return response.status_code, bytes(body), response.headers.get("retry-after", "")


def _pause_s(retry_after: str) -> float:
    seconds = int(retry_after) if retry_after.isdecimal() and len(retry_after) < 9 else _RETRY_AFTER_S
    return min(seconds, NODE_RETRY_AFTER_S_MAX)


def _parse(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _answer("no JSON") from error


def _words(value: Any) -> str:
    """A node's explanation, short enough for a log."""
    return str(value)[:200] if value is not None else ""


def _seen(table: dict[str, Any]) -> Seen:
    status = table.get("tx_status")
    if not isinstance(status, str):
        raise _answer("tx_status is no text")
    standing = STATUSES.get(status, Standing.DROPPED if status.startswith("dropped_") else Standing.PENDING)
    if standing not in MINED:
        return Seen(standing)
    if table.get("canonical", True) is not True:  # its block was forked off: back in the mempool
        return Seen(Standing.PENDING)
    place = Place(
        height=_number(table, "block_height"),
        block=_hex(table.get("block_hash"), "block_hash", 32),
        index=_number(table, "tx_index", default=0),
        burn_height=_number(table, "burn_block_height"),
        block_time_s=_number(table, "block_time", default=_number(table, "burn_block_time", default=0)),
    )
    result = _hex(_object(table.get("tx_result"), "tx_result").get("hex"), "tx_result.hex")
    call = table.get("contract_call")
    if not isinstance(call, dict):
        return Seen(standing, place, result)
    contract, function = call.get("contract_id"), call.get("function_name")
    if not isinstance(contract, str) or not isinstance(function, str):
        raise _answer("contract_call names no function")
    return Seen(standing, place, result, parse_address(contract), function)
