"""A phone's conversation with a hub over messages: the phone speaks first, even where the hub dialled.

News may come between any question and its answer; they go to the sink that `pull` was given, or nowhere before it.
Every message of the hub is proven by its key, as the answer to one message of this phone, in the order in which it was
said: whoever stands between can end the conversation and can listen, but cannot say, change or leave out anything.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from hubd.action import cbor
from hubd.action.charter import Charter
from hubd.action.principal import Principal
from hubd.action.signature import SIGNATURE_BYTES
from hubd.action.sip018 import ActionId
from hubd.errors import RemoteError
from hubd.limits import LINK_MESSAGE_BYTES_MAX, PHONE_IDS_MAX
from hubd.phone.link import Authorizer, Sink
from hubd.phone.money import Told, told
from hubd.ports import Outcome, Verdict
from hubd.web import frames
from hubd.web.conversation import Wire
from hubd.web.frames import (
    FROM_HUB,
    VERSION,
    Actions,
    AskBalances,
    AskChallenge,
    Balances,
    Carry,
    Challenge,
    Deferred,
    End,
    Err,
    Frame,
    Get,
    GetContent,
    Hello,
    Neg,
    Ok,
    Put,
    Receipt,
    Welcome,
)
from hubd.web.proofs import NONCE_BYTES, Authorization, Thread, hub_of_answer, message_digest
from hubd.web.standing import Scope

_T = TypeVar("_T")


class SocketLink:
    """See `HubLink`."""

    def __init__(self, wire: Wire, charter: Charter) -> None:
        self._wire, self._charter = wire, charter
        self.hub_time_s = 0
        self._hub: Principal | None = None
        self._authorize: Callable[[bytes], Authorization] | None = None
        self._challenge = b""
        self._thread: Thread | None = None
        self._greeted: Thread | None = None
        self._question = b""
        self._sink: Sink | None = None
        self._end: str | None = None

    async def identify(self) -> Principal:
        """See `HubLink`."""
        asked = AskChallenge(secrets.token_bytes(NONCE_BYTES))
        self._greeted = Thread(asked.nonce, message_digest(frames.encode(asked)))
        await self._say(asked)
        answer = await self._one(Challenge)
        if answer.hub != self._hub:
            raise RemoteError("hub-proof", "the challenge is another hub's")
        self._challenge, self.hub_time_s = answer.challenge, answer.time_s
        return Principal(answer.hub)

    async def membership(self, sink: Sink) -> None:
        """See `HubLink`."""
        await self._hello(None, Scope.MESH)
        self._sink = sink
        await self._up_to_end()
        self._sink = None

    async def put(self, envelopes: Sequence[tuple[ActionId, bytes]]) -> list[tuple[ActionId, Outcome]]:
        """See `HubLink`."""
        await self._say(Put([raw for _, raw in envelopes]))
        outcomes: dict[bytes, Outcome] = {}
        while True:
            frame = await self._answer(Ok, Deferred, Err)
            if isinstance(frame, Err):
                if frame.at is None:
                    raise RemoteError(frame.code, "the hub says no")
                if frame.at >= len(envelopes):
                    raise RemoteError("frame", "an answer to nothing")
                action_id = envelopes[frame.at][0]
                outcomes[action_id] = Outcome(Verdict.REFUSED, action_id, frame.code)
                continue
            verdict = Verdict.OK if isinstance(frame, Ok) else Verdict.DEFERRED
            for action_id, word in frame.items:
                outcomes[action_id] = Outcome(verdict, ActionId(action_id), word if verdict is Verdict.DEFERRED else "")
            if isinstance(frame, Ok):
                return [(asked, outcomes[asked]) for asked, _ in envelopes if asked in outcomes]

    async def authorize(self, authorizer: Authorizer) -> None:
        """See `HubLink`. The hub judges it with the next HELLO."""
        hub = self._hub if self._challenge and self._hub is not None else await self.identify()
        self._authorize = partial(authorizer, hub, self._challenge)

    async def pull(self, cursor: str | None, sink: Sink, scope: Scope) -> None:
        """See `HubLink`."""
        mode = await self._hello(cursor, scope)
        self._sink = sink
        if mode != "cursor":
            raise RemoteError("cursor-void", "this hub's database is another one now")
        await self._up_to_end()

    async def reconcile(self, message: bytes) -> bytes:
        """See `HubLink`."""
        await self._say(Neg(message))
        return (await self._one(Neg)).message

    async def get(self, ids: Sequence[bytes], sink: Sink) -> None:
        """See `HubLink`."""
        await self._hand_over(Get, ids, sink)

    async def content(self, ids: Sequence[bytes], sink: Sink) -> None:
        """See `HubLink`."""
        await self._hand_over(GetContent, ids, sink)

    async def _hand_over(self, ask: type[Get | GetContent], ids: Sequence[bytes], sink: Sink) -> None:
        for at in range(0, len(ids), PHONE_IDS_MAX):
            await self._say(ask(list(ids[at : at + PHONE_IDS_MAX])))
            while isinstance(frame := await self._answer(Actions, End), Actions):
                await sink(frame.envelopes, None)

    async def end(self, scope: Scope) -> str:
        """See `HubLink`."""
        await self._hello("", scope)
        return await self._up_to_end()

    async def bring_post(self, body: bytes) -> bytes:
        """See `HubLink`."""
        for part in frames.carries(body):
            await self._say(part)
        answer = b""
        while True:
            part = await self._one(Carry)
            answer += part.part
            if not part.more:
                return answer
            if len(answer) > LINK_MESSAGE_BYTES_MAX:
                raise RemoteError("too-large", "the hub's answer is larger than any should be")

    async def fetch_post(self, hubs: Sequence[Principal], after: str, bytes_max: int) -> bytes:
        """See `HubLink`."""
        return await self.bring_post(cbor.encode([list(hubs), after or None, bytes_max]))

    async def balances(self) -> list[Told]:
        """See `HubLink`."""
        await self._say(AskBalances())
        return told((await self._one(Balances)).rows, self._charter)

    async def news(self) -> None:
        """Wait until something new has come to the sink, for a phone that stays."""
        await self._answer()

    async def _up_to_end(self) -> str:
        while self._end is None:
            await self._answer()
        return self._end

    async def _hello(self, cursor: str | None, scope: Scope) -> str:
        """Greet, and return how to go on. The first proof tells which hub this is."""
        hello = Hello(VERSION, cursor, scope.value, secrets.token_bytes(NONCE_BYTES), None)
        if self._authorize is not None:
            hello = replace(hello, authorization=self._authorize(hello.question()).fields())
        self._sink = None
        self._greeted = Thread(hello.nonce, message_digest(frames.encode(hello)))
        await self._say(hello)
        welcome = await self._one(Welcome)
        self._end = None
        return welcome.mode

    async def _say(self, frame: Frame) -> None:
        message = frames.encode(frame)
        self._question = message_digest(message)
        try:
            await self._wire.send(message)
        except ConnectionError as error:
            raise _gone() from error

    async def _one(self, kind: type[_T]) -> _T:
        """The one answer to a question, or the code it was refused with."""
        frame = await self._answer(kind, Err)
        if isinstance(frame, Err):
            raise RemoteError(frame.code, "the hub says no")
        assert isinstance(frame, kind)
        return frame

    async def _answer(self, *kinds: type[Any]) -> Any:
        """The next frame of these kinds, or, with none asked for, of any. News go to the sink on the way."""
        while True:
            raw = await self._wire.receive()
            if raw is None:
                raise _gone()
            message, proof = raw[:-SIGNATURE_BYTES], raw[-SIGNATURE_BYTES:]
            self._check_proof(message, proof)
            frame = frames.decode(message, FROM_HUB)
            is_news = isinstance(frame, Receipt) or (isinstance(frame, Actions | End) and frame.cursor is not None)
            if is_news:
                await self._take_news(frame)
                if not kinds:
                    return frame
            elif isinstance(frame, kinds):
                return frame
            elif isinstance(frame, Err):
                raise RemoteError(frame.code, "the hub says no")
            else:
                raise RemoteError("frame", "an answer to nothing")

    def _check_proof(self, message: bytes, proof: bytes) -> None:
        """Raise `RemoteError("hub-proof")` unless this is what the hub says next.

        It answers the last question or, being news, the HELLO; a new HELLO counts from its first answer on.
        """
        for thread in filter(None, (self._greeted, self._thread)):
            for question in {self._question, thread.greeting}:
                hub = hub_of_answer(proof, self._charter, thread.nonce, question, thread.body(message))
                if self._hub in (None, hub):
                    thread.said(message)
                    self._hub, self._thread = hub, thread
                    return
        raise RemoteError("hub-proof", "not what this hub says next")

    async def _take_news(self, frame: Any) -> None:
        if isinstance(frame, Actions) and self._sink is not None:
            await self._sink(frame.envelopes, frame.cursor)
        if isinstance(frame, End):
            self._end = frame.cursor


def _gone() -> RemoteError:
    return RemoteError("hub-gone", "the hub ended the conversation", hint="come again; nothing is lost")
