"""The node client: one answer from several nodes, and nothing believed before its shape was checked."""

import asyncio
import gc
import gzip
import json
import ssl
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest
from builders import Village
from hypothesis import given, settings
from hypothesis import strategies as st

from hubd.action.clarity import UInt, encode
from hubd.action.principal import address, contract
from hubd.errors import RemoteError
from hubd.limits import NODE_RETRY_AFTER_S_MAX
from hubd.relay import node as nodes
from hubd.relay.chain import STATUSES, Account, Remedy, Seen, Standing, Tip, remedy
from hubd.relay.node import Node, RejectedError

VILLAGE = Village(11)
ANA = VILLAGE.principal("ana")
GATEWAY = contract(VILLAGE.principal("deployer"), "action-gateway")
TXID = b"\x01" * 32
INFO = {"network_id": 1, "burn_block_height": 900, "stacks_tip_height": 100, "stacks_tip": "09" * 32, "more": True}
MINED = {
    "tx_status": "success", "block_height": 100, "block_hash": "0x" + "09" * 32, "tx_index": 2, "burn_block_height": 900,
    "block_time": 1_767_225_600, "tx_result": {"hex": "0x" + encode(UInt(5)).hex(), "repr": "u5"},
    "contract_call": {"contract_id": address(GATEWAY), "function_name": "submit-batch"},
}  # fmt: skip


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def answering(*answers, urls=("http://one", "http://two"), clock=None, asked=None):
    """Nodes that give these answers in turn: (status, JSON value or bytes[, headers]) or an exception."""
    left = list(answers)

    def respond(request):
        if asked is not None:
            asked.append(request)
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        status, value, *headers = answer
        content = value if isinstance(value, bytes) else json.dumps(value).encode()
        return httpx.Response(status, stream=httpx.ByteStream(content), headers=headers[0] if headers else {})

    return Node(urls, transport=httpx.MockTransport(respond), monotonic=clock or Clock())


async def code_of(call):
    with pytest.raises(RemoteError) as caught:
        await call
    return caught.value.code


async def test_the_tip_is_read():
    assert await answering((200, INFO)).tip() == Tip(1, 900, 100, b"\x09" * 32)


async def test_an_account_is_read_whatever_its_balance():
    node = answering((200, {"balance": "0x" + "00" * 15 + "2a", "nonce": 7}))
    assert await node.account(ANA) == Account(7, 42)


async def test_a_transaction_is_sent_as_raw_bytes_with_the_key_where_there_is_one():
    asked = []
    node = answering((200, TXID.hex()), asked=asked)
    node._client.headers["x-api-key"] = "secret"
    assert await node.broadcast(b"raw") == TXID
    [request] = asked
    assert request.content == b"raw"
    assert request.headers["content-type"] == "application/octet-stream"
    assert request.headers["x-api-key"] == "secret"


async def test_a_refusal_carries_reason_and_the_number_wanted():
    refusal = {"error": "transaction rejected", "reason": "FeeTooLow", "reason_data": {"expected": 400, "actual": 3}}
    with pytest.raises(RejectedError) as caught:
        await answering((400, refusal)).broadcast(b"raw")
    assert (caught.value.reason, caught.value.wanted) == ("FeeTooLow", 400)


@pytest.mark.parametrize("data", [None, [], "text", {"expected": "400"}, {"expected": True}])
async def test_a_refusal_with_odd_details_is_a_refusal_all_the_same(data):
    with pytest.raises(RejectedError) as caught:
        await answering((400, {"reason": "FeeTooLow", "reason_data": data})).broadcast(b"raw")
    assert caught.value.wanted is None


async def test_a_mined_transaction_is_read_with_place_and_result():
    seen = await answering((200, MINED)).transaction(TXID)
    assert (seen.standing, seen.contract, seen.function) == (Standing.SUCCESS, GATEWAY, "submit-batch")
    assert (seen.place.height, seen.place.index, seen.place.block_time_s) == (100, 2, 1_767_225_600)
    assert seen.result == encode(UInt(5))


async def test_a_block_that_was_forked_off_counts_as_waiting():
    assert await answering((200, MINED | {"canonical": False})).transaction(TXID) == Seen(Standing.PENDING)


@pytest.mark.parametrize(("status", "standing"), sorted(STATUSES.items()))
async def test_every_status_has_its_standing(status, standing):
    seen = await answering((200, MINED | {"tx_status": status})).transaction(TXID)
    assert seen.standing is standing


@pytest.mark.parametrize(("status", "standing"), [("dropped_for_fun", Standing.DROPPED), ("new", Standing.PENDING)])
async def test_a_status_nobody_knows_is_the_mildest_of_its_family(status, standing):
    seen = await answering((200, {"tx_status": status})).transaction(TXID)
    assert seen == Seen(standing)


async def test_a_transaction_that_the_index_does_not_know_is_unknown():
    missing = b'{"error":"could not find transaction by ID"}'
    assert await answering((404, missing)).transaction(TXID) == Seen(Standing.UNKNOWN)


async def test_a_node_without_an_index_says_nothing():
    assert await answering((404, b"Not found")).transaction(TXID) is None


async def test_a_read_only_call_gives_its_value():
    asked = []
    node = answering((200, {"okay": True, "result": "0x" + encode(UInt(5)).hex()}), asked=asked)
    assert await node.call_read(GATEWAY, "get-counts", [UInt(1)], sender=ANA) == UInt(5)
    [request] = asked
    assert request.url.path.endswith("/action-gateway/get-counts")
    assert json.loads(request.content) == {"sender": address(ANA), "arguments": ["0x" + encode(UInt(1)).hex()]}


@pytest.mark.parametrize("answer", [(404, b"No such contract"), (200, {"okay": False, "cause": "Unchecked"})])
async def test_a_call_that_fails_is_told_from_a_node_that_fails(answer):
    assert await code_of(answering(answer).call_read(GATEWAY, "get-counts", [])) == "node-call"


async def test_a_contracts_source_is_read_or_is_not_there():
    assert await answering((200, {"source": "(ok)"})).source(GATEWAY) == "(ok)"
    assert await answering((404, b"No contract")).source(GATEWAY) is None


# --- several nodes


async def test_the_next_node_answers_when_one_can_not_be_reached_and_stays_first():
    asked = []
    node = answering(httpx.ConnectError("no"), (200, INFO), asked=asked)
    await node.tip()
    await node.tip()
    assert [request.url.host for request in asked] == ["one", "two", "two"]


@pytest.mark.parametrize("status", [500, 502, 503, 408])
async def test_the_next_node_answers_when_one_is_broken(status):
    assert await answering((status, b"oops"), (200, INFO)).tip()


async def test_when_no_node_answers_the_error_says_what_to_do():
    with pytest.raises(RemoteError) as caught:
        await answering(httpx.ConnectError("no")).tip()
    assert caught.value.code == "node-unreachable"
    assert "relay.nodes" in caught.value.hint
    assert "http://one" in caught.value.detail


async def test_a_node_that_asks_for_a_pause_gets_it():
    clock, asked = Clock(), []
    node = answering((429, b"", {"retry-after": "30"}), (200, INFO), clock=clock, asked=asked, urls=["http://one"])
    assert await code_of(node.tip()) == "node-busy"
    clock.now = 29
    assert await code_of(node.tip()) == "node-busy"
    assert len(asked) == 1
    clock.now = 30
    assert await node.tip()


@pytest.mark.parametrize("word", ["99999999", "999999999999", "Wed, 21 Oct 2026 07:28:00 GMT", "-5", "", "1e9"])
async def test_no_node_can_ask_for_more_than_an_hour(word):
    clock = Clock()
    node = answering((429, b"", {"retry-after": word}), (200, INFO), clock=clock, urls=["http://one"])
    assert await code_of(node.tip()) == "node-busy"
    clock.now = NODE_RETRY_AFTER_S_MAX
    assert await node.tip()


# --- whatever a node says

CALLS = {
    "tip": lambda node: node.tip(),
    "account": lambda node: node.account(ANA),
    "broadcast": lambda node: node.broadcast(b"raw"),
    "transaction": lambda node: node.transaction(TXID),
    "call": lambda node: node.call_read(GATEWAY, "get-counts", []),
    "source": lambda node: node.source(GATEWAY),
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("body", [b"", b"\xff", b"[" * 100_000, b"null", b"[]", b'"text"', b"{}", b"1e999"])
async def test_malformed_answers_are_the_nodes_fault(name, body):
    for status in (200, 400, 418):
        node = answering((status, body))
        if name == "transaction" and status != 200:
            assert await CALLS[name](node) is None
        else:
            with pytest.raises(RemoteError):
                await CALLS[name](node)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(INFO) + sorted(MINED)), JSON)
def test_no_field_of_any_type_raises_anything_else(field, value):
    async def ask():
        for table, call in ((INFO, CALLS["tip"]), (MINED, CALLS["transaction"])):
            with suppress(RemoteError):
                await call(answering((200, table | {field: value})))

    asyncio.run(ask())


@pytest.mark.parametrize("reason", ["BadNonce", "ConflictingNonceInMempool", "NotEnoughFunds"])
def test_the_reasons_that_matter_have_a_remedy_of_their_own(reason):
    assert remedy(reason) is not Remedy.WAIT


async def test_a_packed_answer_is_not_unpacked():
    packed = gzip.compress(json.dumps(INFO).encode())
    assert await code_of(answering((200, packed, {"content-encoding": "gzip"})).tip()) == "node-answer"


# --- real sockets


@asynccontextmanager
async def server(answer, tls=None, others=()):
    async def serve(reader, writer):
        try:
            await reader.readuntil(b"\r\n\r\n")
            await answer(writer)
        finally:
            writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        async with Node([*others, f"{'http' if tls is None else 'https'}://127.0.0.1:{port}"]) as node:
            yield node


def authorities():
    gc.collect()
    return sum(each.cert_store_stats()["x509"] for each in gc.get_objects() if isinstance(each, ssl.SSLContext))


async def test_authorities_certificates_lie_in_memory_only_where_a_node_is_asked_by_https():
    before = authorities()
    async with Node(["http://one", "HTTP://two"]):
        assert authorities() == before
    async with Node(["http://one", "HTTPS://two"]):
        assert authorities() > before


@pytest.mark.parametrize("others", [(), ("http://127.0.0.1:1",)])
async def test_a_node_is_spoken_with_over_tls_only_where_an_authority_vouches_for_it(others):
    files = Path(__file__).parents[2] / "fixtures" / "tls"
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(files / "first.pem", files / "first.key")

    async def answer(writer):
        body = json.dumps(INFO).encode()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))

    async with server(answer) as node:
        assert (await node.tip()).height == 100
    async with server(answer, tls, others) as node:
        assert await code_of(node.tip()) == "node-unreachable"


async def test_a_node_that_hangs_up_is_unreachable():
    async def hang_up(writer):
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")

    async with server(hang_up) as node:
        assert await code_of(node.tip()) == "node-unreachable"


async def test_a_node_that_drips_is_unreachable(monkeypatch):
    monkeypatch.setattr(nodes, "NODE_TIMEOUT_S", 0.3)

    async def drip(writer):
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n")
        for _ in range(20):
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    async with server(drip) as node:
        assert await code_of(node.tip()) == "node-unreachable"


async def test_an_endless_answer_is_cut_off(monkeypatch):
    monkeypatch.setattr(nodes, "NODE_RESPONSE_BYTES_MAX", 10_000)

    async def flood(writer):
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(100):
            writer.write(b"x" * 1_000)
            await writer.drain()

    async with server(flood) as node:
        assert await code_of(node.tip()) == "node-answer"
