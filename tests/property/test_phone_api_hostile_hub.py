"""A phone at a hub that says anything: it raises `RemoteError`, keeps its outbox and believes nothing that is unproven.

The hub's key is real (a rogue hub with a valid key is the worst one): every answer is proven, and wrong.
"""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from builders import Village
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hubd.action import cbor, charter, envelope
from hubd.errors import RemoteError
from hubd.phone.http_link import HttpLink
from hubd.phone.phone import Phone
from hubd.phone.socket_link import SocketLink
from hubd.web import frames
from hubd.web.proofs import Thread, message_digest, prove_answer, request_digest

# Each example opens files of its own: a failure is shown as it was found, for shrinking it would take minutes.
FEW = settings(
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
VILLAGE = Village(1)
HUB = VILLAGE.signer("hub-a")
HUB_PRINCIPAL = VILLAGE.principal("hub-a")
MEMBERSHIP = [envelope.encode(action) for action in VILLAGE.found("hub-a")]

leaves = st.none() | st.booleans() | st.integers(0, 2**63) | st.binary(max_size=70) | st.text(max_size=8)
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=4), max_leaves=10)
answers = st.tuples(
    st.sampled_from([200, 200, 200, 400, 403, 409, 503]), st.binary(max_size=80) | values.map(cbor.encode)
)


def with_phone(work: Callable[[Phone], Awaitable[None]]) -> None:
    async def run() -> None:
        with TemporaryDirectory() as directory:
            phone = await Phone.create(Path(directory) / "p", charter.write(VILLAGE.charter))
            await phone.register("Amina", 1)
            try:
                await work(phone)
                assert [entry["kind"] for entry in (await phone.show())["outbox"]] == ["user-register"]
            finally:
                await phone.close()

    asyncio.run(run())


def proven(request: httpx.Request, status: int, body: bytes) -> httpx.Response:
    nonce = base64.urlsafe_b64decode(request.headers["hubd-nonce"] + "==")
    question = request_digest(request.method, request.url.raw_path, request.content)
    proof = base64.urlsafe_b64encode(prove_answer(HUB, VILLAGE.charter, nonce, question, body)).decode()
    return httpx.Response(status, headers={"hubd-proof": proof}, stream=httpx.ByteStream(body))


@FEW
@given(st.lists(answers, min_size=1, max_size=12), st.integers(0, 6))
def test_over_http(script: list[tuple[int, bytes]], honest: int) -> None:
    """The first answers are an honest hub's, so that the wrong ones meet every step of a sync."""

    async def work(phone: Phone) -> None:
        left = list(script)
        truth = {
            ("GET", "/v1/challenge"): cbor.encode([bytes(40), HUB_PRINCIPAL, 2**40]),
            ("GET", "/v1/actions"): cbor.encode([MEMBERSHIP, "aa.2.bb", False]),
            ("POST", "/v1/actions"): cbor.encode([[bytes(32), "ok", ""]]),
        }
        told = 0

        def answer(request: httpx.Request) -> httpx.Response:
            nonlocal told
            told += 1
            if told <= honest and (request.method, request.url.path) in truth:
                return proven(request, 200, truth[request.method, request.url.path])
            return proven(request, *(left.pop(0) if left else (503, b"")))

        async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://hub") as client:
            try:
                await phone.sync_over(HttpLink(client, phone.charter))
            except RemoteError as error:
                assert error.code

    with_phone(work)


class RogueWire:
    """A hub that proves every message and says what it likes."""

    def __init__(self, script: list[bytes], honest: int) -> None:
        self._script, self._honest = script, honest
        self._waiting: list[bytes] = []
        self._thread = Thread()
        self._question = b""

    async def send(self, message: bytes) -> None:
        frame: Any = frames.decode(message, frames.FROM_PHONE)
        self._question = message_digest(message)
        if isinstance(frame, frames.Hello | frames.AskChallenge):
            self._thread = Thread(frame.nonce, self._question)
        if self._honest <= 0:
            return
        self._honest -= 1
        if isinstance(frame, frames.Hello):
            self._waiting += [
                frames.encode(frames.Welcome(1, "cursor", "village")),
                frames.encode(frames.Actions(MEMBERSHIP, "aa.2.bb")),
                frames.encode(frames.End("aa.2.bb")),
            ]
        if isinstance(frame, frames.AskChallenge):
            self._waiting.append(frames.encode(frames.Challenge(bytes(40), HUB_PRINCIPAL, 0)))

    async def receive(self) -> bytes | None:
        await asyncio.sleep(0)
        said = self._waiting or self._script
        if not said:
            return None
        message = said.pop(0)
        body = self._thread.body(message)
        self._thread.said(message)
        return message + prove_answer(HUB, VILLAGE.charter, self._thread.nonce, self._question, body)

    async def close(self) -> None:
        self._script.clear()


spoken = st.tuples(st.sampled_from(sorted(frames.FROM_HUB)), st.lists(values, max_size=4)).map(
    lambda pair: cbor.encode([pair[0], *pair[1]])
)
plausible = st.sampled_from(
    [
        frames.encode(frames.Ok([])),
        frames.encode(frames.Ok([[bytes(32), "at-hub"]])),
        frames.encode(frames.Err("busy")),
        frames.encode(frames.Err("cbor", 7)),
        frames.encode(frames.End(None)),
        frames.encode(frames.End("aa.9.bb")),
        frames.encode(frames.Actions([b"junk"], "aa.3.bb")),
        frames.encode(frames.Actions([b"junk"], None)),
        frames.encode(frames.Neg(b"a")),
        frames.encode(frames.Receipt(bytes(32), "confirmed", bytes(32))),
    ]
)


@FEW
@given(st.lists(st.binary(max_size=60) | spoken | plausible, max_size=14), st.integers(0, 5))
def test_over_a_socket(script: list[bytes], honest: int) -> None:
    async def work(phone: Phone) -> None:
        async with asyncio.timeout(20):
            try:
                await phone.sync_over(SocketLink(RogueWire(list(script), honest), phone.charter))
            except RemoteError as error:
                assert error.code

    with_phone(work)
