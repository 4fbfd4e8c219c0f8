"""Any bytes at the phones' door: an answer with a code, never a 500, and a hub that goes on. In process, on real parts.

Mutants these are known to kill: an endpoint that lets a KeyError through, a frame table without its shape checks, a
decoder that is asked before the profile check.
"""

import asyncio
import base64
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from phone_hubs import PhoneHub, phone_hub

from hubd.action import cbor, envelope
from hubd.action.signature import SIGNATURE_BYTES
from hubd.errors import RemoteError
from hubd.ports import Verdict
from hubd.web import frames
from hubd.web.conversation import Conversation
from hubd.web.frames import FROM_HUB, FROM_PHONE
from hubd.web.http import ROUTES

# Each example opens files of its own: a failure is shown as it was found, for shrinking it would take minutes.
FEW = settings(
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**64 - 1) | st.binary(max_size=80) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)
bodies = st.binary(max_size=300) | values.map(cbor.encode)
headers = st.dictionaries(
    st.sampled_from(["authorization", "hubd-nonce", "accept", "content-type"]),
    st.one_of(
        st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60),
        st.binary(max_size=40).map(lambda raw: "Hubd " + raw.hex()),
    ),
)
queries = st.dictionaries(
    st.sampled_from(["after", "scope", "area", "x"]), st.text(st.characters(codec="utf-8"), max_size=30)
)


def with_hub(work: Callable[[PhoneHub], Awaitable[None]]) -> None:
    """Run a coroutine against a fresh hub with one registered person."""

    async def run() -> None:
        with TemporaryDirectory() as directory:
            async with phone_hub(Path(directory)) as hub:
                await hub.take(hub.village.register("ana"))
                await work(hub)
                assert (await hub.http.get("/v1/status")).status_code == 200

    asyncio.run(run())


@FEW
@given(st.lists(st.tuples(st.sampled_from(sorted(ROUTES)), bodies, headers, queries, st.booleans()), min_size=5))
def test_every_endpoint_answers_anything_with_a_code(
    requests: list[tuple[tuple[str, str], bytes, dict[str, str], dict[str, str], bool]],
) -> None:
    async def work(hub: PhoneHub) -> None:
        for (method, path), body, said, query, signed in requests:
            head = {**said, **await hub.auth("ana")} if signed else said
            answer = await hub.http.request(method, path, content=body, headers=head, params=query)
            assert answer.status_code < 500
            if answer.status_code != 200:
                is_json = "application/json" in head.get("accept", "")
                told = answer.json() if is_json else cbor.decode(answer.content)
                assert set(told) == {"code", "hint"}
                assert told["code"]

    with_hub(work)


claims = st.one_of(
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60),
    st.one_of(st.binary(max_size=60), values.map(cbor.encode)).map(
        lambda raw: "Hubd " + base64.urlsafe_b64encode(raw).decode()
    ),
)


@FEW
@given(st.lists(claims, min_size=20, max_size=40))
def test_any_claim_to_be_somebody_is_refused_with_a_code(said: list[str]) -> None:
    async def work(hub: PhoneHub) -> None:
        for claim in said:
            answer = await hub.http.get("/v1/cursor", headers={"authorization": claim})
            assert answer.status_code == 401
            assert cbor.decode(answer.content)["code"] in ("authorization", "challenge")

    with_hub(work)


def mutations(raw: bytes, chance: random.Random, count: int) -> list[bytes]:
    """Copies of a valid envelope with bytes flipped, cut, doubled or inserted."""
    made = []
    for _ in range(count):
        changed = bytearray(raw)
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(changed))
            match chance.randrange(4):
                case 0:
                    changed[at] ^= 1 << chance.randrange(8)
                case 1:
                    del changed[at : at + chance.randint(1, 8)]
                case 2:
                    changed[at:at] = changed[at : at + 8]
                case _:
                    changed.insert(at, chance.randrange(256))
            if not changed:
                break
        made.append(bytes(changed) or b"\0")
    return made


def test_a_changed_envelope_is_never_the_action_it_was_made_from() -> None:
    async def work(hub: PhoneHub) -> None:
        chance = random.Random(7)  # the same mutants every time
        original = hub.village.request("ana", text={"note": "help with fractions"})
        raw = envelope.encode(original)
        before = (await hub.store.summary()).count
        for _ in range(8):
            for action_id, verdict, code in await hub.post(*mutations(raw, chance, 100)):
                if verdict == Verdict.OK.value:
                    assert action_id == original.id, "only the content beside the header may have changed"
                else:
                    assert code
        assert (await hub.store.summary()).count <= before + 1
        assert await hub.post(original) == [[original.id, "ok", ""]]

    with_hub(work)


class ScriptedWire:
    """A phone that says what it was given and then parts."""

    def __init__(self, messages: list[bytes]) -> None:
        self._messages = messages
        self.heard: list[bytes] = []

    async def receive(self) -> bytes | None:
        await asyncio.sleep(0)
        return self._messages.pop(0) if self._messages else None

    async def send(self, message: bytes) -> None:
        self.heard.append(message)

    async def close(self) -> None:
        self._messages.clear()


named = st.tuples(st.sampled_from([*FROM_PHONE, *FROM_HUB, "X", 1, None]), st.lists(values, max_size=6))
messages = bodies | named.map(lambda pair: cbor.encode([pair[0], *pair[1]]))


@FEW
@given(st.lists(messages, min_size=3, max_size=25))
def test_a_conversation_survives_any_messages(said: list[bytes]) -> None:
    async def work(hub: PhoneHub) -> None:
        wire = ScriptedWire(list(said))
        async with asyncio.timeout(10):
            await Conversation(hub.door, wire, "").run()
        for raw in wire.heard:
            frames.decode(raw[:-SIGNATURE_BYTES], FROM_HUB)

    with_hub(work)


@given(st.one_of(messages, st.binary(max_size=200)), st.sampled_from([FROM_PHONE, FROM_HUB]))
@settings(max_examples=400)
def test_frames_are_decoded_or_refused_and_nothing_else(raw: bytes, shapes: Any) -> None:
    try:
        frame = frames.decode(raw, shapes)
    except RemoteError as error:
        assert error.code in ("cbor", "frame")
    else:
        assert frames.encode(frame) == raw, "one encoding only"
