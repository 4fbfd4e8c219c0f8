"""One visit to a stick: take what others left for us, leave what they lack, and say so in words and in bytes.

The receipts on a stick tell which hubs it goes to, and up to where they have everything of ours. So a stick that goes
back and forth carries what is new only; one that meets a hub for the first time brings it everything.
"""

import errno
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial

from hubd.action.principal import Principal
from hubd.errors import RemoteError
from hubd.limits import BUNDLE_PIECE_BYTES, RECEIPT_BYTES_MAX, STICK_SENDERS_TOLD_MAX
from hubd.post import receipt as receipts
from hubd.post.bundle import Opened, Reader, Seal, Writer
from hubd.post.counter import Office
from hubd.post.growing import Growing
from hubd.post.office import Row, Tally
from hubd.post.result import Result, result_of
from hubd.post.stick import BUNDLE, RECEIPT, RECEIPT_TEXT, Stick
from hubd.post.thread import Patience
from hubd.post.words import giving, text_of
from hubd.post.writing import Writing

_CODES = {errno.EROFS: "stick-read-only", errno.ENOSPC: "stick-full", errno.EDQUOT: "stick-full"}


@dataclass
class Visit:
    """What came of it. `code` says what the stick did not allow, "" where all went well."""

    tally: Tally = field(default_factory=Tally)
    taken: dict[Principal, Tally] = field(default_factory=dict)  # by the hub that wrote it, as far as they are told
    taken_besides: Tally = field(default_factory=Tally)  # from more writers than are told
    bundles: Counter[Result] = field(default_factory=Counter)  # files that lay there, by what they were for this hub
    damaged: int = 0  # parts of bundles for this hub that were skipped
    receipts: int = 0  # that said something new
    given: int = 0
    given_bytes: int = 0
    is_all: bool = True
    is_told: bool = False  # whether RECEIPT.txt says all this
    code: str = ""


def file_name(hub: Principal, suffix: str) -> str:
    """How a hub calls its files."""
    return hub[1:9].hex() + suffix


class Exchange:
    """`await Exchange(...).run()` once. `names` gives a hub's name for people."""

    def __init__(
        self, office: Office, stick: Stick, patience: Patience, bytes_max: int, names: Callable[[Principal], str]
    ) -> None:
        self._office, self._stick, self._do = office, stick, patience.do
        self._bytes_max, self._names = bytes_max, names
        self._visit = Visit()
        self._here: set[Principal] = set()  # hubs that left a receipt on this stick
        self._moved: set[Principal] = set()  # those whose receipt says something new

    async def run(self) -> Visit:
        """The visit. Raises `RemoteError("stick-slow")`; what the stick refuses to do is told by `Visit.code`."""
        files: dict[str, tuple[int, int]] = {}
        with self._noted():
            files = await self._do(self._stick.files)
        for name in files:
            with self._noted():
                if name.endswith(RECEIPT):
                    await self._hear(name)
        for name in files:
            with self._noted():
                if name.endswith(BUNDLE) and name != file_name(self._office.hub, BUNDLE):
                    await self._take(name)
        await self._office.settle()
        said = await self._office.receipt()
        with self._noted():
            await self._leave(said)
        await self._tell(said)
        return self._visit

    @contextmanager
    def _noted(self) -> Iterator[None]:
        """What the stick refuses ends this step and no other. Of several words for it, a clear one counts."""
        try:
            yield
        except OSError as error:
            self._visit.is_all = False
            self._visit.code = _CODES.get(error.errno or 0) or self._visit.code or "stick"

    async def _pieces(self, name: str) -> AsyncIterator[bytes]:
        at = 0
        while piece := await self._do(partial(self._stick.read, name, at, BUNDLE_PIECE_BYTES)):
            at += len(piece)
            yield piece

    # --- taking

    async def _hear(self, name: str) -> None:
        raw = await self._do(partial(self._stick.read, name, 0, RECEIPT_BYTES_MAX + 1))
        try:
            heard = await self._office.heard(raw)
        except RemoteError:
            return
        if heard is None or name != file_name(heard[0], RECEIPT):
            return
        self._here.add(heard[0])
        if heard[1]:
            self._moved.add(heard[0])
            self._visit.receipts += 1

    async def _take(self, name: str) -> None:
        reader, tally, others = Reader(self._office.charter, self._office.box_key, self._office.unseal), Tally(), 0
        while True:
            async for piece in self._pieces(name):
                others += await self._take_in(await self._do(partial(reader.feed, piece)), tally)
            others += await self._take_in(await self._do(reader.end), tally)
            if not reader.wants_again:
                break
            reader.again()
        report = reader.report
        result = result_of(report, tally, is_own=not others)
        self._visit.bundles[result] += 1
        if result.is_for_us:
            self._visit.damaged += max(report.damaged + report.unopened, result is Result.DAMAGED)

    async def _take_in(self, chunks: list[Opened], of_file: Tally) -> int:
        """Take these; how many of them another hub wrote."""
        others = [opened for opened in chunks if opened.signer != self._office.hub]
        for opened in others:
            tally = await self._office.take(opened)
            of_file.add(tally)
            self._visit.tally.add(tally)
            is_told = opened.signer in self._visit.taken or len(self._visit.taken) < STICK_SENDERS_TOLD_MAX
            told = self._visit.taken.setdefault(opened.signer, Tally()) if is_told else self._visit.taken_besides
            told.add(tally)
        return len(others)

    # --- leaving

    async def _leave(self, said: bytes) -> None:
        """The receipt first: what was taken stays taken, whatever becomes of the rest."""
        if await self._do(self._stick.free_bytes) == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        await self._do(partial(self._stick.replace, RECEIPT_TEXT, giving().encode()))
        await self._do(partial(self._stick.replace, file_name(self._office.hub, RECEIPT), said))
        await self._give()

    async def _tell(self, said: bytes) -> None:
        """The last word, in the place of the old one where there is no room beside it.

        Where not even that can be written, no text stays: one that says "wait" would be waited for.
        """
        summary = receipts.parse(said, self._office.charter)
        for write in (self._stick.replace, self._stick.overwrite):
            told = text_of(self._names(self._office.hub), self._visit, summary, self._names)
            with self._noted():
                await self._do(partial(write, RECEIPT_TEXT, told.encode()))
                self._visit.is_told = True
                return
        with suppress(OSError):
            await self._do(partial(self._stick.remove, RECEIPT_TEXT))

    async def _give(self) -> None:
        """Go on with our own bundle, or begin it anew."""
        name = file_name(self._office.hub, BUNDLE)
        own, seal = await self._own(name), await self._office.seal()
        has = {hub: await self._office.since([hub]) for hub in self._here}
        start = own.start if own is not None and own.is_sound and own.start is not None else 0
        # A hub that was passed over where there was no room for all, and that gave no sign since, is waited for no more.
        since = min((place for hub, place in has.items() if place >= start or hub in self._moved), default=0)
        if own is None or not await self._may_grow(own, since, seal):
            await self._begin(name, since, seal)
            start = since
        elif not own.is_ended or await self._office.page(own.place.sequence):
            seal = await self._office.seal(file_key=own.file_key, bundle=own.bundle)
            writing = Writing(Writer(seal, own.chunks), own.place.sequence, await self._room(own.length))
            await self._write(name, own.length, writing)
        if not self._visit.is_all and (since := self._since_of_others(has, start)):
            await self._begin(name, since, await self._office.seal())

    def _since_of_others(self, has: dict[Principal, int], start: int) -> int:
        """From where to begin anew where there is no room for all that the slowest lacks; 0 where it stays as it is.

        Those that gave a sign since the last visit go first; who is passed over is served when it comes.
        """
        ahead = {hub: place for hub, place in has.items() if place > start}
        signs = [place for hub, place in ahead.items() if hub in self._moved]
        return min(signs or ([] if self._visit.given else ahead.values()), default=0)

    async def _begin(self, name: str, since: int, seal: Seal) -> None:
        await self._do(partial(self._stick.begin, name))
        await self._write(name, 0, Writing(Writer(seal), since, await self._room(0)))

    async def _own(self, name: str) -> Growing | None:
        own = Growing(self._office.charter, self._office.hub, self._office.box_key, self._office.unseal)
        try:
            async for piece in self._pieces(name):
                await self._do(partial(own.feed, piece))
        except OSError:
            return None
        await self._do(own.end)
        return own

    async def _may_grow(self, own: Growing, since: int, seal: Seal) -> bool:
        """Whether the file goes on: sound, of this database, sealed to nobody who was retired, mostly still needed, and
        without words that their author erased since.
        """
        if not own.is_sound or own.start is None or own.place.epoch != seal.epoch:
            return False
        if not own.recipients <= {recipient for recipient, _ in seal.keys}:
            return False
        is_needed = own.start <= since and 2 * (since - own.start) <= own.place.sequence - own.start
        if not is_needed or not await self._office.knows(own.place):
            return False
        return not await self._office.has_erased(own.place.sequence)

    async def _room(self, length: int) -> int:
        return min(self._bytes_max - length, await self._do(self._stick.free_bytes))

    async def _write(self, name: str, at: int, writing: Writing) -> None:
        grows = at > 0
        end = await self._office.sequence()

        async def page(after: int) -> list[Row]:
            """Up to what is here now: what is erased while this is written stands behind its end, and is met next time."""
            return [row for row in await self._office.page(after) if row[0] <= end]

        try:
            async for piece in writing.pieces(page, self._office.urgent_page, grows=grows):
                at = await self._do(partial(self._stick.append, name, at, piece))
            await self._do(partial(self._stick.sync, name))
        finally:
            self._visit.given += writing.actions
            self._visit.given_bytes += writing.size_bytes
        self._visit.is_all = writing.is_all
