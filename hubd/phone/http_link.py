"""A phone's conversation with a hub over HTTP (docs/phone-api.md, "HTTP").

Every answer must carry the proof of one and the same hub key over this request and its nonce: a stranger's box between
phone and hub can drop an answer, but can neither make an OK, nor change one, nor get one for something else.
"""

import asyncio
import base64
import binascii
import secrets
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

import httpx

from hubd.action import cbor
from hubd.action.charter import Charter
from hubd.action.principal import Principal
from hubd.action.sip018 import ActionId
from hubd.errors import RemoteError
from hubd.limits import (
    LINK_MESSAGE_BYTES_MAX,
    PHONE_ENVELOPES_MAX,
    PHONE_IDS_MAX,
    PHONE_OPEN_S,
    PHONE_REQUEST_S,
    RECONCILE_FRAME_BYTES_MAX,
)
from hubd.phone.link import Authorizer, Sink
from hubd.phone.money import Told, told
from hubd.phone.unreached import unreached
from hubd.ports import Outcome, Verdict
from hubd.web import frames
from hubd.web.frames import blob, decode_body, expect, list_of, nullable, row, text, uint
from hubd.web.proofs import NONCE_BYTES, hub_of_answer, request_digest
from hubd.web.standing import Scope

_page = row(frames.envelopes, text, lambda value: isinstance(value, bool))
_outcomes = list_of(row(nullable(frames.action_id), lambda value: value in list(Verdict), text), PHONE_ENVELOPES_MAX)

_TIMEOUT = httpx.Timeout(PHONE_REQUEST_S, connect=PHONE_OPEN_S)
_PATIENCE = 5  # times that a request is made which the hub finds too fast
_PATIENCE_S = 2.0  # between them: a hub's bucket holds 40 requests more then


class HttpLink:
    """See `HubLink`. `client` has the hub's base URL; the caller closes it."""

    def __init__(self, client: httpx.AsyncClient, charter: Charter) -> None:
        self._client, self._charter = client, charter
        self.hub_time_s = 0
        self._hub: Principal | None = None
        self._authorizer: Authorizer | None = None
        self._challenge: bytes | None = None
        self._scope = {"scope": Scope.OWN.value}

    async def identify(self) -> Principal:
        """See `HubLink`."""
        body = await self._ask("GET", "/v1/challenge")
        found = expect(decode_body(body, 256), row(blob(1, 64), blob(21, 21), uint), "a challenge")
        self._challenge, hub, self.hub_time_s = found
        if hub != self._hub:
            raise RemoteError("hub-proof", "the challenge is another hub's")
        return Principal(hub)

    async def membership(self, sink: Sink) -> None:
        """See `HubLink`."""
        await self._walk({"area": "mesh"}, sink)

    async def put(self, envelopes: Sequence[tuple[ActionId, bytes]]) -> list[tuple[ActionId, Outcome]]:
        """See `HubLink`."""
        body = await self._ask("POST", "/v1/actions", content=cbor.encode([raw for _, raw in envelopes]))
        rows = expect(decode_body(body, LINK_MESSAGE_BYTES_MAX), _outcomes, "one outcome for each envelope")
        if len(rows) != len(envelopes):
            raise RemoteError("frame", "not one outcome for each envelope")
        return [
            (asked, Outcome(Verdict(verdict), asked, code))
            for (asked, _), (told, verdict, code) in zip(envelopes, rows, strict=True)
            if told == asked or (told is None and verdict == Verdict.REFUSED)
        ]

    async def authorize(self, authorizer: Authorizer) -> None:
        """See `HubLink`."""
        self._authorizer = authorizer
        if self._challenge is None:
            await self.identify()

    async def pull(self, cursor: str | None, sink: Sink, scope: Scope) -> None:
        """See `HubLink`."""
        await self._walk({"scope": scope.value, **({"after": cursor} if cursor else {})}, sink)

    async def reconcile(self, message: bytes) -> bytes:
        """See `HubLink`."""
        return await self._ask(
            "POST", "/v1/reconcile", content=message, params=self._scope, bytes_max=RECONCILE_FRAME_BYTES_MAX
        )

    async def get(self, ids: Sequence[bytes], sink: Sink) -> None:
        """See `HubLink`."""
        await self._hand_over("/v1/get", ids, sink)

    async def content(self, ids: Sequence[bytes], sink: Sink) -> None:
        """See `HubLink`."""
        await self._hand_over("/v1/content", ids, sink)

    async def _hand_over(self, path: str, ids: Sequence[bytes], sink: Sink) -> None:
        waiting = list(ids)
        while waiting:
            body = await self._ask("POST", path, content=cbor.encode(waiting[:PHONE_IDS_MAX]))
            found, looked_at = expect(
                decode_body(body, LINK_MESSAGE_BYTES_MAX), row(frames.envelopes, uint), "a page of envelopes"
            )
            if not 0 < looked_at <= len(waiting):
                raise RemoteError("frame", "a page that goes nowhere")
            await sink(found, None)
            waiting = waiting[looked_at:]

    async def balances(self) -> list[Told]:
        """See `HubLink`."""
        body = await self._ask("GET", "/v1/balances")
        return told(expect(decode_body(body, LINK_MESSAGE_BYTES_MAX), frames.balances, "balances"), self._charter)

    async def end(self, scope: Scope) -> str:
        """See `HubLink`."""
        self._scope = {"scope": scope.value}
        body = await self._ask("GET", "/v1/cursor", params=self._scope)
        cursor: str = expect(decode_body(body, 256), text, "a cursor")
        return cursor

    async def _walk(self, query: dict[str, str], sink: Sink) -> None:
        more = True
        while more:
            body = await self._ask("GET", "/v1/actions", params=query)
            found, cursor, more = expect(decode_body(body, LINK_MESSAGE_BYTES_MAX), _page, "a page of envelopes")
            if more and cursor == query.get("after"):
                raise RemoteError("frame", "a page that goes nowhere")
            query = {**query, "after": cursor}
            await sink(found, cursor)

    async def bring_post(self, body: bytes) -> bytes:
        """See `HubLink`."""
        return await self.ask("POST", "/v1/post", content=body)

    async def fetch_post(self, hubs: Sequence[Principal], after: str, bytes_max: int) -> bytes:
        """See `HubLink`."""
        said = {"bytes": str(bytes_max), "hubs": ",".join(hub.hex() for hub in hubs), "after": after}
        return await self.ask("GET", "/v1/post", params={name: value for name, value in said.items() if value})

    async def ask(self, method: str, path: str, **request: Any) -> bytes:
        """The proven body of an answer to a request of another file of this phone."""
        return await self._ask(method, path, **request)

    async def _ask(self, method: str, path: str, **request: Any) -> bytes:
        """The proven body of an answer; a hub that asks for patience gets some, and for a fresh challenge that."""
        for _ in range(_PATIENCE):
            try:
                return await self._ask_once(method, path, **request)
            except RemoteError as error:
                if error.code == "challenge" and self._challenge is not None:
                    self._challenge = None
                    await self.identify()
                    continue
                if error.code != "rate":
                    raise
            await asyncio.sleep(_PATIENCE_S)
        raise RemoteError("rate", "the hub is too busy", hint="sync again in a minute")

    async def _ask_once(
        self,
        method: str,
        path: str,
        *,
        content: bytes | None = None,
        params: dict[str, str] | None = None,
        bytes_max: int = LINK_MESSAGE_BYTES_MAX,
    ) -> bytes:
        """One request and its answer; an error's code is raised as the hub gave it."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        headers = {"hubd-nonce": _base64url(nonce)}
        request = self._client.build_request(
            method, path, content=content, params=params, headers=headers, timeout=_TIMEOUT
        )
        question = request_digest(method, request.url.raw_path, content or b"")
        if self._authorizer is not None and self._challenge is not None and self._hub is not None:
            request.headers["authorization"] = self._authorizer(self._hub, self._challenge, question).header()
        try:
            response = await self._client.send(request, stream=True)
            async with aclosing(response):
                body = bytearray()
                async for part in response.aiter_raw():
                    body += part
                    if len(body) > bytes_max:
                        raise RemoteError("too-large", "the hub's answer is larger than any should be")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise unreached(error) from error
        self._check_proof(response.headers.get("hubd-proof", ""), nonce, question, bytes(body))
        if response.status_code != httpx.codes.OK:
            raise _refusal(bytes(body))
        return bytes(body)

    def _check_proof(self, proof: str, nonce: bytes, question: bytes, body: bytes) -> None:
        try:
            signature = base64.b64decode(proof + "=" * (-len(proof) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError) as error:
            raise RemoteError("hub-proof", "no base64url") from error
        if not signature:
            raise RemoteError("hub-proof", "none", hint="this address is no hub of this mesh")
        hub = hub_of_answer(signature, self._charter, nonce, question, body)
        if self._hub not in (None, hub):
            raise RemoteError("hub-proof", "another hub answers now")
        self._hub = hub


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _refusal(body: bytes) -> RemoteError:
    told: Any = decode_body(body, 4_096)
    if not isinstance(told, dict) or not text(told.get("code")) or not text(told.get("hint")):
        return RemoteError("frame", "an error without a code")
    return RemoteError(told["code"], "the hub says no", hint=told["hint"])
