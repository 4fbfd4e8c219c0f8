"""A thread for work that may block for ever: a stick that was pulled out can hold a system call until the next boot.

Such a thread is left behind, and it does not keep the program from ending, as the event loop's own threads would.
"""

import asyncio
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from hubd.errors import RemoteError

_T = TypeVar("_T")


class Patience:
    """Does one thing after another in one thread: `await patience.do(work)`. End it with `stop`."""

    def __init__(self, step_s: float) -> None:
        self._step_s = step_s
        self._waiting: queue.SimpleQueue[tuple[Callable[[], Any], asyncio.Future[Any]] | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="stick", daemon=True)
        self._thread.start()

    @property
    def is_over(self) -> bool:
        """Whether the thread has ended; after `stop` it does so unless its work blocks."""
        return not self._thread.is_alive()

    async def do(self, work: Callable[[], _T]) -> _T:
        """The result of `work`, or what it raised. Raises `RemoteError("stick-slow")` when it takes too long."""
        done: asyncio.Future[_T] = self._loop.create_future()
        self._waiting.put((work, done))
        try:
            return await asyncio.wait_for(done, self._step_s)
        except TimeoutError as error:
            raise RemoteError("stick-slow", f"nothing for {self._step_s:g} s") from error

    def later(self, work: Callable[[], Any]) -> None:
        """Do this too, and tell nobody of it."""
        self._waiting.put((work, self._loop.create_future()))

    def stop(self) -> None:
        """Let the thread end when it is done with what it does."""
        self._waiting.put(None)

    def _run(self) -> None:
        while (asked := self._waiting.get()) is not None:
            work, done = asked
            try:
                result, error = work(), None
            except BaseException as raised:  # noqa: BLE001  # whatever it was, it is the caller's
                result, error = None, raised
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._loop.call_soon_threadsafe(_answer, done, result, error)


def _answer(done: "asyncio.Future[Any]", result: object, error: BaseException | None) -> None:
    if done.done():
        return
    if error is None:
        done.set_result(result)
    else:
        done.set_exception(error)
        done.exception()  # whoever waits hears of it; where nobody does, it is no news
