"""The set of one hub: what is on the disk, what a crash takes away, and how long things take.

A model of `hubd.store`: one writer, commits in groups, new actions visible when their commit is through. What SQLite does
to get there (torn pages, full cards, rot) is tested with SQLite itself, not here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from hubd.action.envelope import Action, without_content
from hubd.action.fingerprint import EMPTY, extend, fingerprint
from hubd.action.sip018 import ActionId
from hubd.gossip.items import Items, SortedItems
from hubd.gossip.sketch import Symbols
from hubd.limits import APPEND_ACTIONS_MAX, PAGE_WINDOW_ROWS
from hubd.ports import Cursor, GainListener, SetSummary, T
from tools.sim.clock import Clock, Signal, Wait

_SUM_MODULUS = 1 << 256
_WRITE_BACK_S = 5.0  # until a system writes by itself what nobody told it to sync


@dataclass(frozen=True)
class Speed:
    """Seconds, as measured on a small computer with a good card."""

    commit_s: float = 0.004
    commit_action_s: float = 0.00003
    read_s: float = 0.0005
    verify_action_s: float = 0.0002


class Disk:
    """See `hubd.ports.ActionStore`. `log` is the set in arrival order, `sums[n]` the sum of its first n ids.

    `appended` is told of every action that is there now. `is_early` plants the bug of a store that answers unsynced.
    """

    def __init__(self, clock: Clock, epoch: bytes, speed: Speed, appended: Callable[[Action], None]) -> None:
        self.epoch = epoch
        self.gain_listeners: list[GainListener] = []
        self.log: list[Action] = []
        self.ids: dict[ActionId, int] = {}
        self.bare: set[int] = set()  # sequences of actions whose content is missing here
        self._sources: list[bytes] = []
        self._entered_at: list[float] = []  # when each of the log came
        self._erased: set[tuple[ActionId, bytes]] = set()
        self.sums = [0]
        self.items_now = SortedItems()
        self._symbols = Symbols()
        self.is_early = False
        self.speed = speed
        self.cursors: dict[bytes, tuple[int, bytes]] = {}
        self.kept: Callable[[bytes], None] = lambda _peer: None  # is told when a cursor of a peer is on disk
        self._clock = clock
        self._appended = appended
        self._state = EMPTY
        self._summed = 0
        self._durable = 0  # how many of the log a crash leaves: all of them, but for the planted bug
        self._waiting: list[tuple[Sequence[Action], bytes, Signal]] = []
        self._is_writing = False
        self._lives = 0  # crashes so far

    # --- writing

    async def append(self, actions: Sequence[Action], source: bytes = b"") -> list[Action]:
        """Add actions; returns the new ones once their commit is through."""
        if not actions:
            return []
        if self.is_early:
            fresh = self._enter(actions, source)
            self._clock.after(_WRITE_BACK_S, self._harden, len(self.log), self._lives)
            return fresh
        done = Signal(self._clock)
        self._waiting.append((actions, source, done))
        if not self._is_writing:
            self._write()
        fresh = await done
        return list(fresh)

    def _write(self) -> None:
        """Begin the next commit, with everything that fits it."""
        batch = self._waiting[:1]
        size = len(batch[0][0]) if batch else 0
        for entry in self._waiting[1:]:
            if size + len(entry[0]) > APPEND_ACTIONS_MAX:
                break
            batch.append(entry)
            size += len(entry[0])
        del self._waiting[: len(batch)]
        self._is_writing = bool(batch)
        if batch:
            took_s = self.speed.commit_s + size * self.speed.commit_action_s
            self._clock.after(took_s, self._commit, batch, self._lives)

    def _commit(self, batch: list[tuple[Sequence[Action], bytes, Signal]], life: int) -> None:
        if life != self._lives:
            return
        for actions, source, done in batch:
            done.give(self._enter(actions, source))
        self._durable = len(self.log)
        self._write()

    def _harden(self, count: int, life: int) -> None:
        if life == self._lives:
            self._durable = max(self._durable, count)

    def _enter(self, actions: Sequence[Action], source: bytes = b"") -> list[Action]:
        fresh, gained = [], []
        for offered in actions:
            action = self._judged(offered)
            known = self.ids.get(action.id)
            if known is not None:
                if known in self.bare and action.content is not None:
                    self.log[known - 1] = action
                    self.bare.discard(known)
                    gained.append(action)
                continue
            self.log.append(action)
            if action.lacks_content and not self._is_erased(action):
                self.bare.add(len(self.log))
            self._sources.append(source)
            self._entered_at.append(self._clock.now)
            self.ids[action.id] = len(self.log)
            self.sums.append((self.sums[-1] + int.from_bytes(action.id, "big")) % _SUM_MODULUS)
            self.items_now.add(action.statement.created, action.id)
            self._appended(action)
            fresh.append(action)
        self._symbols.add(action.id for action in fresh)
        for listener in self.gain_listeners if gained else ():
            listener(gained, source)
        return fresh

    def _judged(self, action: Action) -> Action:
        """Without its content if its author erased that; an erasure takes effect here."""
        if action.kind == "content-erase":
            named = (action.statement.subject, action.statement.author)
            self._erased.add(named)
            known = self.ids.get(named[0])
            if known is not None and self.log[known - 1].statement.author == named[1]:
                self.log[known - 1] = without_content(self.log[known - 1])
                self.bare.discard(known)
        return without_content(action) if self._is_erased(action) else action

    def _is_erased(self, action: Action) -> bool:
        return (action.id, action.statement.author) in self._erased

    def inherit(self, actions: Sequence[Action]) -> None:
        """These are here from the beginning."""
        self._enter(actions)
        self._durable = len(self.log)

    def crash(self) -> None:
        """The power is gone, and with it what was not committed."""
        self._lives += 1
        self._waiting.clear()
        self._is_writing = False
        if self._durable < len(self.log):
            self._cut()

    def restore(self, lost: int) -> None:
        """The card is exchanged for an earlier copy of itself: the last actions are gone, and nothing says so."""
        self.crash()
        self._durable = max(0, len(self.log) - lost)
        self._cut()

    def _cut(self) -> None:
        del self.sums[self._durable + 1 :]
        for action in self.log[self._durable :]:
            del self.ids[action.id]
        self._symbols.remove(action.id for action in self.log[self._durable :])
        del self.log[self._durable :]
        del self._sources[self._durable :]
        del self._entered_at[self._durable :]
        self.bare = {sequence for sequence in self.bare if sequence <= self._durable}
        self.items_now = SortedItems((action.statement.created, action.id) for action in self.log)
        self._state, self._summed = EMPTY, 0

    def had(self, count: int, since_s: float) -> bool:
        """Whether its first so many actions, and no more, were the set at some time since then; and are on disk."""
        if count > self._durable:
            return False
        return count == len(self.log) or self._entered_at[count] >= since_s

    # --- reading

    async def get(self, ids: Sequence[ActionId]) -> list[Action]:
        """The actions that are here, in the order asked for."""
        await Wait(self.speed.read_s)
        return [self.log[self.ids[id_] - 1] for id_ in ids if id_ in self.ids]

    async def page(self, after: int, actions_max: int) -> list[tuple[int, Action]]:
        """Actions by arrival sequence, beyond `after`."""
        await Wait(self.speed.read_s)
        return list(enumerate(self.log[after : after + actions_max], after + 1))

    async def page_for(
        self, peer: bytes, after: int, until: int, actions_max: int
    ) -> tuple[list[tuple[int, Action]], int]:
        """Actions up to `until` that did not come from this peer, and how far was looked."""
        await Wait(self.speed.read_s)
        page: list[tuple[int, Action]] = []
        reached = min(until, after + PAGE_WINDOW_ROWS)
        for sequence in range(after + 1, min(reached, len(self.log)) + 1):
            if self._sources[sequence - 1] != peer:
                page.append((sequence, self.log[sequence - 1]))
            if len(page) == actions_max:
                return page, sequence
        return page, reached

    async def items(self) -> list[tuple[int, ActionId]]:
        """Every (created, id), sorted."""
        await Wait(self.speed.read_s)
        return sorted((action.statement.created, action.id) for action in self.log)

    async def over_items(self, work: Callable[[Items], T]) -> T:
        """What `work` returns, over the items of this moment."""
        await Wait(self.speed.read_s)
        return work(self.items_now)

    async def lacking(self, after: int, actions_max: int) -> list[tuple[int, ActionId]]:
        """(sequence, id) of actions whose content is missing here, beyond `after`."""
        await Wait(self.speed.read_s)
        beyond = sorted(sequence for sequence in self.bare if sequence > after)
        return [(sequence, self.log[sequence - 1].id) for sequence in beyond[:actions_max]]

    async def lacking_of(self, ids: Sequence[ActionId]) -> list[ActionId]:
        """Those of these whose content is missing here."""
        await Wait(self.speed.read_s)
        return [id_ for id_ in ids if self.ids.get(id_) in self.bare]

    async def sketch_symbols(self, first: int, count: int) -> bytes:
        """The coded symbols [first, first + count) of the whole set."""
        await Wait(self.speed.read_s)
        return self._symbols.slice(first, count)

    async def summary(self) -> SetSummary:
        """Count, fingerprint and latest sequence."""
        await Wait(self.speed.read_s)
        return self.summary_now()

    def summary_now(self) -> SetSummary:
        """The summary without the time that reading it takes."""
        self._state = extend(self._state, (action.id for action in self.log[self._summed :]))
        self._summed = len(self.log)
        count = len(self.log)
        return SetSummary(count, fingerprint(self._state), count, self.mark(count), len(self.bare))

    async def cursor(self) -> Cursor:
        """The cursor at the end of the set."""
        await Wait(self.speed.read_s)
        return self.place(len(self.log))

    async def resume(self, cursor: Cursor) -> int | None:
        """The sequence to continue after, or None where the cursor is void."""
        await Wait(self.speed.read_s)
        return cursor.sequence if self.is_at(cursor) else None

    def is_at(self, cursor: Cursor) -> bool:
        """Whether this is a place in the arrival order of now."""
        is_ours = cursor.epoch == self.epoch and 0 <= cursor.sequence <= len(self.log)
        return is_ours and cursor.id_prefix == self._prefix(cursor.sequence)

    def place(self, sequence: int) -> Cursor:
        """The cursor at a place."""
        return Cursor(self.epoch, sequence, self._prefix(sequence))

    def _prefix(self, sequence: int) -> bytes:
        return self.log[sequence - 1].id[:8] if sequence else bytes(8)

    async def mark_of(self, sequence: int) -> bytes:
        """The name of a place in this arrival order, b"" where there is no such place."""
        await Wait(self.speed.read_s)
        return self.mark(sequence)

    def mark(self, sequence: int) -> bytes:
        """`mark_of` without the time that reading it takes."""
        if not 0 < sequence <= len(self.log):
            return b""
        return sha256(self.epoch + sequence.to_bytes(8, "big") + self.log[sequence - 1].id).digest()[:8]

    async def peer_cursor(self, peer: bytes) -> tuple[int, bytes]:
        """Up to where in a peer's arrival order we have what it has."""
        await Wait(self.speed.read_s)
        return self.cursors.get(peer, (0, b""))

    async def keep_cursor(self, peer: bytes, sequence: int, mark: bytes) -> None:
        """Remember that place; durable when this returns."""
        await Wait(self.speed.commit_s)
        self.cursors[peer] = sequence, mark
        self.kept(peer)
