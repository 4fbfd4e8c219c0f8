"""The phone API over HTTP: CBOR bodies, one table of routes (docs/phone-api.md, "HTTP").

Whatever the bytes, a caller gets an answer with a code: 4xx when the fault is the caller's, 503 when this hub cannot
write at the moment. Pages of any origin may call (the app of one village syncs with the hub of the next): nothing here
rests on cookies, every private read carries its own signature.
"""

import asyncio
import base64
import binascii
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route, Router, WebSocketRoute
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as ASGIScope
from starlette.websockets import WebSocket

from hubd.action import cbor
from hubd.addresses import holder, is_loopback
from hubd.errors import HubdError, RemoteError
from hubd.limits import (
    CARRY_PARCEL_BYTES_MAX,
    PHONE_IDS_PER_MESSAGE,
    PHONE_NEG_MESSAGES,
    PHONE_POST_BYTES_MAX,
    PHONE_REQUEST_S,
    RECONCILE_FRAME_BYTES_MAX,
)
from hubd.web import frames
from hubd.web.door import PhoneDoor
from hubd.web.frames import SOCKET_PATH, cursor_text, decode_body, expect, parse_cursor
from hubd.web.places import PROVEN
from hubd.web.proofs import NONCE_BYTES, parse_header, request_digest
from hubd.web.socket import serve_socket
from hubd.web.standing import Reader, Scope

pause = asyncio.sleep  # before a great question of an address that has asked much is answered
CBOR = "application/cbor"
JSON = "application/json"
STATUS_OF = {
    "authorization": 401,
    "busy": 429,
    "challenge": 401,
    "cursor-void": 409,
    "method": 405,
    "not-found": 404,
    "rate": 429,
    "scope": 403,
    "too-large": 413,
    "too-slow": 408,
    "unregistered": 403,
    "unvouched": 403,
}
"""HTTP status by error code; 400 for the others of the caller's fault, 503 for this hub's own."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A body and what it is."""

    body: bytes
    media_type: str = CBOR
    status: int = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that was read to its end."""

    request: Request
    body: bytes

    @property
    def question(self) -> bytes:
        """The digest that reading is authorized for, and that the answer is proven to answer."""
        query = self.request.scope["query_string"]
        target: bytes = self.request.scope["raw_path"] + (b"?" + query if query else b"")
        return request_digest(self.request.method, target, self.body)


Endpoint = Callable[[PhoneDoor, Asked], Awaitable[Answer]]


def _cbor(value: Any) -> Answer:
    return Answer(cbor.encode(value))


async def _status(door: PhoneDoor, asked: Asked) -> Answer:
    status = await door.status()
    if CBOR in asked.request.headers.get("accept", ""):
        return _cbor(status)
    return Answer(json.dumps(status).encode(), JSON)


async def _charter(door: PhoneDoor, _asked: Asked) -> Answer:
    return Answer(door.charter_file, "application/toml")


async def _challenge(door: PhoneDoor, _asked: Asked) -> Answer:
    return _cbor([door.challenge(), door.hub, door.time_s()])


async def _cursor(door: PhoneDoor, asked: Asked) -> Answer:
    await _reader(door, asked, None)
    return _cbor(cursor_text(await door.reading.end()))


async def _actions(door: PhoneDoor, asked: Asked) -> Answer:
    area = asked.request.query_params.get("area")
    if area not in (None, "mesh"):
        raise RemoteError("query", "the one area that is public is mesh")
    reader = await _reader(door, asked, Scope.MESH if area else None)
    after = asked.request.query_params.get("after")
    cursor = await door.reading.start(parse_cursor(after) if after else None)
    page = await door.reading.page(reader, cursor)
    return _cbor([page.envelopes, cursor_text(page.cursor), page.more])


async def _put(door: PhoneDoor, asked: Asked) -> Answer:
    body = decode_body(asked.body, PHONE_POST_BYTES_MAX)
    envelopes = expect(body, frames.envelopes, "a list of envelopes")
    outcomes = await door.put(envelopes, caller_address(asked.request))
    return _cbor([[outcome.id, outcome.verdict.value, outcome.code] for outcome in outcomes])


async def _reconcile(door: PhoneDoor, asked: Asked) -> Answer:
    reader = await _reader(door, asked, None)
    if len(asked.body) > RECONCILE_FRAME_BYTES_MAX:
        raise RemoteError("too-large", f"a message is at most {RECONCILE_FRAME_BYTES_MAX} bytes")
    await pause(door.messages.wait_s(caller_address(asked.request), door.clock(), PHONE_NEG_MESSAGES))
    return Answer(await door.reading.reconcile(reader, asked.body))


async def _get(door: PhoneDoor, asked: Asked) -> Answer:
    return await _page_of(door, asked, is_bare=False)


async def _get_content(door: PhoneDoor, asked: Asked) -> Answer:
    return await _page_of(door, asked, is_bare=True)


async def _page_of(door: PhoneDoor, asked: Asked, *, is_bare: bool) -> Answer:
    reader = await _reader(door, asked, None)
    ids = expect(decode_body(asked.body, PHONE_POST_BYTES_MAX), frames.ids, "a list of ids")
    work = len(ids) / PHONE_IDS_PER_MESSAGE
    await pause(door.messages.wait_s(caller_address(asked.request), door.clock(), work))
    envelopes, looked_at = await door.reading.get_page(reader, ids, is_bare=is_bare)
    return _cbor([envelopes, looked_at])


async def _bring_post(door: PhoneDoor, asked: Asked) -> Answer:
    return Answer(await door.carriers.brought(await _reader(door, asked, Scope.OWN), asked.body))


async def _fetch_post(door: PhoneDoor, asked: Asked) -> Answer:
    reader = await _reader(door, asked, Scope.OWN)
    query = asked.request.query_params
    named, after, size = query.get("hubs", ""), query.get("after"), query.get("bytes", str(CARRY_PARCEL_BYTES_MAX))
    try:
        hubs = [bytes.fromhex(hub) for hub in named.split(",") if hub]
    except ValueError as error:
        raise RemoteError("query", "hubs are hexadecimal") from error
    bytes_max = int(size) if size.isascii() and size.isdecimal() and len(size) < 10 else -1
    return Answer(await door.carriers.fetched(reader, hubs, after, bytes_max))


async def _balances(door: PhoneDoor, asked: Asked) -> Answer:
    return _cbor(door.balances(await _reader(door, asked, Scope.OWN)))


ROUTES: dict[tuple[str, str], Endpoint] = {
    ("GET", "/v1/status"): _status,
    ("GET", "/v1/charter"): _charter,
    ("GET", "/v1/challenge"): _challenge,
    ("GET", "/v1/cursor"): _cursor,
    ("GET", "/v1/actions"): _actions,
    ("POST", "/v1/actions"): _put,
    ("POST", "/v1/reconcile"): _reconcile,
    ("POST", "/v1/get"): _get,
    ("POST", "/v1/content"): _get_content,
    ("GET", "/v1/balances"): _balances,
    ("GET", "/v1/post"): _fetch_post,
    ("POST", "/v1/post"): _bring_post,
}


def caller_address(request: Request | WebSocket) -> str:
    """The caller's address for quotas; "" for this machine itself, which is no stranger."""
    host = holder(request.client.host) if request.client else ""
    return "" if is_loopback(host) else host


async def _reader(door: PhoneDoor, asked: Asked, fixed: Scope | None) -> Reader:
    """Who asks, by its header; `scope` in the query narrows what it may see."""
    named = asked.request.query_params.get("scope")
    if named not in (None, *Scope):
        raise RemoteError("scope", "a scope is mesh, own or village")
    wanted = fixed or (Scope(named) if named else None)
    header = asked.request.headers.get("authorization")
    if header is None and wanted is None:
        raise RemoteError("authorization", "sign a challenge first", hint="GET /v1/challenge, then sign it")
    given = parse_header(header, door.charter.network) if header is not None else None
    reader = door.reader(given, wanted, asked.question)
    if proven := asked.request.scope.get(PROVEN):
        door.tell(proven, reader)
    return reader


async def _read(request: Request) -> Asked:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > PHONE_POST_BYTES_MAX:
            raise RemoteError("too-large", f"a body is at most {PHONE_POST_BYTES_MAX} bytes")
    return Asked(request, bytes(body))


def failure(error: HubdError, request: Request) -> Answer:
    """The answer that carries an error: CBOR, or JSON for whoever asks for it."""
    status = STATUS_OF.get(error.code, 400) if isinstance(error, RemoteError) else 503
    told = {"code": error.code, "hint": error.hint}
    if JSON in request.headers.get("accept", ""):
        return Answer(json.dumps(told).encode(), JSON, status)
    return Answer(cbor.encode(told), CBOR, status)


def _nonce(request: Request) -> bytes | None:
    text = request.headers.get("hubd-nonce")
    if text is None:
        return None
    try:
        nonce = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise RemoteError("nonce", "Hubd-Nonce is base64url of 16 bytes") from error
    if len(nonce) != NONCE_BYTES:
        raise RemoteError("nonce", "Hubd-Nonce is base64url of 16 bytes")
    return nonce


def _respond(door: PhoneDoor, answer: Answer, nonce: bytes | None = None, asked: Asked | None = None) -> Response:
    """The response; proven where the phone wants it and its request was read to the end."""
    headers = {"cache-control": "no-store"}
    if nonce is not None and asked is not None:
        proof = base64.urlsafe_b64encode(door.prove_answer(nonce, asked.question, answer.body))
        headers["hubd-proof"] = proof.rstrip(b"=").decode("ascii")
    return Response(answer.body, answer.status, headers, answer.media_type)


def _guarded(door: PhoneDoor, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that always answers in time and in words."""

    async def answer(request: Request) -> Response:
        nonce = asked = None
        try:
            nonce = _nonce(request)
            async with asyncio.timeout(PHONE_REQUEST_S):
                asked = await _read(request)  # before anything is said about it: the proof names what was asked
                door.admit_request(caller_address(request))
                found = await endpoint(door, asked)
        except HubdError as error:
            door.counters[f"http:{error.code}"] += 1
            found = failure(error, request)
        except TimeoutError:
            door.counters["http:too-slow"] += 1
            found = failure(RemoteError("too-slow", "the request took too long"), request)
        except ClientDisconnect:
            found = Answer(b"")
        return _respond(door, found, nonce, asked)

    return answer


def build(door: PhoneDoor) -> ASGIApp:
    """The application of a hub's phone API: what `Starlette` is made of, without its pages for people (1 MB of memory)."""

    async def socket(websocket: WebSocket) -> None:
        await serve_socket(door, websocket, caller_address(websocket))

    async def unknown(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 404
        code = {404: "not-found", 405: "method"}.get(status, "http")
        return _respond(door, failure(RemoteError(code), request))

    routes = [Route(path, _guarded(door, endpoint), methods=[method]) for (method, path), endpoint in ROUTES.items()]
    router = Router([*routes, WebSocketRoute(SOCKET_PATH, socket)])

    async def routed(scope: ASGIScope, receive: Receive, send: Send) -> None:
        scope["app"] = (
            router  # who is in an application raises what it does not find; alone, it would answer in its words
        )
        await router(scope, receive, send)

    return CORSMiddleware(
        ExceptionMiddleware(routed, handlers={HTTPException: unknown}),
        allow_origins=["*"],
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization", "Content-Type", "Hubd-Nonce"],
        expose_headers=["Hubd-Proof"],
        allow_private_network=True,  # a page from the internet calls a hub in the Wi-Fi
        max_age=86_400,
    )
