"""Virtual time: events on a heap, one source of chance, and one trace of all that happened.

Coroutines of the hub run here without a loop. They wait for a `Wait` (some seconds of disk or processor), for a
`Signal`, or for nothing at all (`asyncio.sleep(0)`, a turn for others); anything else would be real, and is an error.
"""

import heapq
import random
from collections.abc import Callable, Coroutine, Generator
from hashlib import sha256
from typing import Any


class Wait:
    """Await it: so many seconds pass."""

    __slots__ = ("seconds",)

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __await__(self) -> Generator["Wait", None, None]:
        yield self


class Signal:
    """Await it: until somebody calls `give`, whose value is what awaiting it returns."""

    __slots__ = ("_clock", "resume", "value")

    def __init__(self, clock: "Clock") -> None:
        self._clock = clock
        self.value: Any = None
        self.resume: tuple[Any, ...] | None = None

    def give(self, value: Any) -> None:
        """Wake whoever waits, now."""
        self.value = value
        if self.resume is not None:
            self._clock.after(0.0, *self.resume)

    def __await__(self) -> Generator["Signal", None, Any]:
        yield self
        return self.value


class Clock:
    """`chance` is the only chance there is; `note` adds a line to the trace, which `digest` sums up."""

    def __init__(self, seed: int) -> None:
        self.now = 0.0
        self.chance = random.Random(seed)  # noqa: S311  # the point is that it can be repeated
        self.events = 0
        self.lines: list[str] | None = None  # set to a list to keep the trace
        self._trace = sha256()
        self._running: dict[Coroutine[Any, Any, None], None] = {}
        self._heap: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._sequence = 0

    def after(self, delay_s: float, work: Callable[..., None], *arguments: Any) -> None:
        """Do this when so many seconds have passed. What is due at one moment is done in the order of asking."""
        self._sequence += 1
        heapq.heappush(self._heap, (self.now + delay_s, self._sequence, work, arguments))

    def spawn(self, work: Coroutine[Any, Any, None], is_alive: Callable[[], bool]) -> None:
        """Run a coroutine beside everything else, for as long as whoever began it lives."""
        self._running[work] = None
        self.after(0.0, self._step, work, is_alive)

    def close(self) -> None:
        """It is all over: whoever still waits waits no more."""
        for work in self._running:
            work.close()
        self._running.clear()
        self._heap.clear()

    def _step(self, work: Coroutine[Any, Any, None], is_alive: Callable[[], bool]) -> None:
        if not is_alive():
            del self._running[work]
            work.close()
            return
        try:
            waited = work.send(None)
        except StopIteration:
            del self._running[work]
            return
        if isinstance(waited, Signal):
            waited.resume = (self._step, work, is_alive)
            return
        assert waited is None or isinstance(waited, Wait), f"real waiting in virtual time: {waited!r}"
        self.after(waited.seconds if waited is not None else 0.0, self._step, work, is_alive)

    def note(self, line: str) -> None:
        """Something happened."""
        line = f"{self.now:.6f} {line}\n"
        self._trace.update(line.encode())
        if self.lines is not None:
            self.lines.append(line)

    @property
    def digest(self) -> str:
        """A name of everything that happened so far, in order."""
        return self._trace.hexdigest()

    def run(self, until_s: float, is_over: Callable[[], bool] = lambda: False) -> None:
        """Let time pass until a moment, or until `is_over` says so after an event."""
        while self._heap and self._heap[0][0] <= until_s:
            self.now, _, work, arguments = heapq.heappop(self._heap)
            self.events += 1
            work(*arguments)
            if is_over():
                return
        self.now = max(self.now, until_s)
