"""One conversation with a phone over messages: the same for a phone that dialled in and for one the hub dialled.

The phone speaks first, whoever dialled. Live news are read from the store by the conversation's own cursor, never queued:
a slow phone costs the hub one task and one page, and loses nothing, for its cursor brings it back.
"""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from hubd.errors import HubdError, RemoteError
from hubd.limits import (
    PHONE_IDS_PER_MESSAGE,
    PHONE_MESSAGES_BURST,
    PHONE_MESSAGES_PER_S,
    PHONE_NEG_MESSAGES,
    PHONE_NEWS_S,
    PHONE_OPEN_S,
    PHONE_PAGE_BYTES_MAX,
    PHONE_PAGE_MESSAGES,
    PHONE_SEND_S,
    RECONCILE_ROUNDS_MAX,
)
from hubd.ports import Cursor, Verdict
from hubd.web import frames
from hubd.web.door import PhoneDoor
from hubd.web.frames import (
    FROM_PHONE,
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
    Get,
    GetContent,
    Hello,
    Neg,
    Ok,
    Put,
    Receipt,
    Welcome,
    cursor_text,
    parse_cursor,
)
from hubd.web.gathering import Bringer
from hubd.web.places import Proven
from hubd.web.proofs import Authorization, Thread, authorization_of, message_digest
from hubd.web.quota import Bucket, Rank
from hubd.web.standing import STRANGER, Scope

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


pause = asyncio.sleep  # before a message beyond the pace is answered


class Wire(Protocol):
    """Messages to and from one phone."""

    async def receive(self) -> bytes | None:
        """The next message, None when the phone has gone."""

    async def send(self, message: bytes) -> None:
        """Send; returns when the phone's side takes more. Raises `ConnectionError` when it has gone."""

    async def close(self) -> None:
        """Part; `receive` gives None from now on."""


class Conversation:
    """Runs until the phone parts, or breaks the rules of the wire. `proven` is told whose key it has proven."""

    def __init__(self, door: PhoneDoor, wire: Wire, address: str, proven: Proven = lambda _person, _rank: None) -> None:
        self._door, self._wire, self._address = door, wire, address
        self._proven = proven
        self._reader = STRANGER
        self._thread = Thread()
        self._question = self._thread.greeting
        self._challenge = b""
        self._rounds = 0
        self._saying = asyncio.Lock()
        self._pushing: asyncio.Task[None] | None = None
        self._pace = Bucket(PHONE_MESSAGES_PER_S, PHONE_MESSAGES_BURST, door.clock())
        self._answers: dict[type[Any], Callable[[Any], Awaitable[None]]] = {
            AskChallenge: self._ask_challenge,
            Hello: self._hello,
            Put: self._put,
            Get: self._get,
            GetContent: self._get,
            Neg: self._neg,
            Carry: self._carry,
            AskBalances: self._balances,
        }

    async def run(self) -> None:
        """Answer until the end. Raises `TimeoutError` for a phone that connects and says nothing, or reads nothing."""
        try:
            async with asyncio.timeout(PHONE_OPEN_S):
                message = await self._wire.receive()
            while message is not None:
                await pause(self._wait_s(1))
                self._pace.spend()
                await self._answer(message)
                message = await self._wire.receive()
        finally:
            self._door.gathering.drop(self)
            await self._stop_pushing()

    def _wait_s(self, work: float) -> float:
        """The pace of this conversation, and that of all from one address."""
        now = self._door.clock()
        return max(self._pace.wait_s(now), self._door.messages.wait_s(self._address, now, work))

    async def _answer(self, message: bytes) -> None:
        self._question = message_digest(message)
        try:
            frame = frames.decode(message, FROM_PHONE)
            await self._answers[type(frame)](frame)
        except HubdError as error:
            self._door.counters[f"socket:{error.code}"] += 1
            await self._say(Err(error.code))

    async def _say(self, frame: frames.Frame, question: bytes | None = None) -> None:
        """Say it, proven as the answer to the message that is being answered, or to another one."""
        message = frames.encode(frame)
        async with asyncio.timeout(PHONE_SEND_S), self._saying:
            body = self._thread.body(message)
            proof = self._door.prove_answer(self._thread.nonce, question or self._question, body)
            self._thread.said(message)
            await self._wire.send(message + proof)

    async def _ask_challenge(self, asked: AskChallenge) -> None:
        """Prove which hub this is. News end: a HELLO follows."""
        await self._stop_pushing()
        self._thread = Thread(asked.nonce, self._question)
        self._challenge = self._door.challenge()
        await self._say(Challenge(self._challenge, self._door.hub, self._door.time_s()))

    async def _hello(self, hello: Hello) -> None:
        """Agree on a version, learn who it is, say how to go on; then news flow until the end."""
        await self._stop_pushing()
        self._thread = Thread(hello.nonce, self._question)
        self._reader, self._rounds = STRANGER, 0
        self._door.gathering.drop(self)
        self._door.admit_request(self._address)  # a page follows each: from many sockets it would be any number
        if hello.version < 1:
            raise RemoteError("version", f"this hub speaks version {VERSION}")
        wanted = _scope(hello.scope)
        self._reader = self._door.reader(self._authorization(hello), wanted, hello.question())
        self._door.tell(self._proven, self._reader)
        mode, start = await self._start(hello.cursor)
        await self._say(Welcome(min(hello.version, VERSION), mode, self._reader.scope.value))
        self._pushing = asyncio.create_task(self._push(start), name="phone-push")

    async def _start(self, cursor: str | None) -> tuple[str, Cursor]:
        """How to go on and from where: behind everything for a phone that reconciles, as it wants to or has to."""
        if cursor != "":
            try:
                return "cursor", await self._door.reading.start(parse_cursor(cursor) if cursor else None)
            except RemoteError as error:
                if error.code != "cursor-void":
                    raise
        return "reconcile", await self._door.reading.end()

    def _authorization(self, hello: Hello) -> Authorization | None:
        """Who greets: the answer to the challenge of this conversation, for what was seen elsewhere opens nothing here."""
        if hello.authorization is None:
            return None
        given = authorization_of(hello.authorization, self._door.charter.network)
        if not self._challenge or given.challenge != self._challenge:
            raise RemoteError("challenge", "not the one of this conversation", hint="ask for a challenge here")
        return given

    async def _put(self, put: Put) -> None:
        """DEFERRED and ERR as needed, then OK, which closes the answer."""
        outcomes = await self._door.put(put.envelopes, self._address)
        deferred = [[each.id, each.code] for each in outcomes if each.verdict is Verdict.DEFERRED]
        if deferred:
            await self._say(Deferred(deferred))
        for at, outcome in enumerate(outcomes):
            if outcome.verdict is Verdict.REFUSED:
                await self._say(Err(outcome.code, at))
        taken = [each.id for each in outcomes if each.verdict is Verdict.OK and each.id is not None]
        await self._say(Ok([[action_id, self._door.standing.settlement(action_id)[0]] for action_id in taken]))

    async def _get(self, get: Get | GetContent) -> None:
        await pause(self._wait_s(len(get.ids) / PHONE_IDS_PER_MESSAGE))
        at, is_bare = 0, isinstance(get, GetContent)
        while at < len(get.ids):
            reader = self._door.still(self._reader)
            page, at = await self._door.reading.get_page(reader, get.ids, at, is_bare=is_bare)
            if page:
                await self._say(Actions(page, None))
        await self._say(End(None))

    async def _neg(self, neg: Neg) -> None:
        self._rounds += 1
        await pause(self._wait_s(PHONE_NEG_MESSAGES))
        if self._rounds > RECONCILE_ROUNDS_MAX:
            raise RemoteError("reconcile-rounds", "no two sets take so many rounds", hint="say HELLO, and begin anew")
        await self._say(Neg(await self._door.reading.reconcile(self._door.still(self._reader), neg.message)))

    async def _balances(self, _asked: AskBalances) -> None:
        await self._say(Balances(self._door.balances(self._door.still(self._reader))))

    async def _carry(self, carry: Carry) -> None:
        """Post, in parts both ways: a bundle is larger than a message.

        The last part is answered, whatever was wrong with one before; nothing is gathered for a stranger.
        """
        if self._reader.person is not None and self._reader.key is not None:
            is_known = self._door.standing.rank(self._reader.key) >= Rank.VOUCHED
            self._door.gathering.add(self, Bringer(self._reader.person, self._address, is_known), carry.part)
        if carry.more:
            return
        if self._reader.person is None:
            raise RemoteError("authorization", "say HELLO with a key first")
        body = self._door.gathering.end(self)
        for part in frames.carries(await self._door.carriers.answered(self._door.still(self._reader), body)):
            await self._say(part)

    async def _push(self, cursor: Cursor) -> None:
        """Everything from the cursor on, then news as they come. Whatever ends it ends the conversation."""
        try:
            await self._push_on(cursor)
        except (ConnectionError, TimeoutError):
            self._door.counters["socket:too-slow"] += 1
        except HubdError as error:
            self._door.counters[f"socket:{error.code}"] += 1
            with suppress(ConnectionError, TimeoutError):
                await self._say(Err(error.code), self._thread.greeting)
        except Exception:
            await self._part()
            raise  # a bug: `run` ends with it
        await self._part()

    async def _part(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(PHONE_SEND_S):
                await self._wire.close()

    async def _push_on(self, cursor: Cursor) -> None:
        """Actions first, then texts that came late to what this phone may have by now, a page at a time."""
        told: Cursor | None = None
        asked, late = self._thread.greeting, self._door.late.count
        while True:
            seen = self._door.news_count
            page = await self._door.reading.page(self._door.still(self._reader), cursor)
            await self._tell(page.envelopes, page.cursor, asked)
            for action_id, state, txid in await self._door.receipts(self._reader, page.actions):
                await self._say(Receipt(action_id, state, txid), asked)
            cursor = page.cursor
            if page.more:
                continue
            texts, late = await self._door.late.page(self._door.still(self._reader), late)
            if texts:
                await self._tell(texts, cursor, asked)
                told = None
                continue
            if cursor != told:
                await self._say(End(cursor_text(cursor)), asked)
                told = cursor
            await self._door.news(seen)
            await asyncio.sleep(PHONE_NEWS_S)

    async def _tell(self, envelopes: list[bytes], cursor: Cursor, asked: bytes) -> None:
        """Say these, as news, at the pace of the phone's address; nothing where there are none."""
        if envelopes:
            work = PHONE_PAGE_MESSAGES * sum(map(len, envelopes)) / PHONE_PAGE_BYTES_MAX
            await pause(self._door.messages.wait_s(self._address, self._door.clock(), work))
            await self._say(Actions(envelopes, cursor_text(cursor)), asked)

    async def _stop_pushing(self) -> None:
        if self._pushing is not None:
            pushing, self._pushing = self._pushing, None
            pushing.cancel()
            await asyncio.wait([pushing])
            if not pushing.cancelled():
                pushing.result()


def _scope(named: str) -> Scope | None:
    """The scope a HELLO asks for; "" is the most it may have."""
    if named not in ("", *Scope):
        raise RemoteError("scope", "a scope is mesh, own or village")
    return Scope(named) if named else None
