"""Real processes for the demo and the end-to-end tests: hubs and the local chain, started, killed and started again."""

import asyncio
import ctypes
import json
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hubd.checkout import contracts_folder, node_program
from hubd.control import ask
from hubd.errors import FatalError

_START_S = 30.0
_STOP_S = 10.0
_PR_SET_PDEATHSIG = 1


def free_port() -> int:
    """A TCP port of the loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _die_with_us() -> None:
    """In the child: be told to end when the parent is gone, however it went (Linux, prctl PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass
class Process:
    """One program with its log in a file."""

    name: str
    command: Sequence[str]
    log: Path
    running: asyncio.subprocess.Process | None = field(default=None, init=False)

    async def spawn(self, stdout: int | None = None) -> asyncio.subprocess.Process:
        """Start it; what it says on stderr (and stdout, unless piped) is added to its log. It dies with this process."""
        with self.log.open("ab") as log:
            self.running = await asyncio.create_subprocess_exec(
                *self.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=stdout or log,
                stderr=log,
                preexec_fn=_die_with_us,
            )
        return self.running

    async def end(self, number: int = signal.SIGTERM) -> int | None:
        """Send a signal and wait; a process that does not end in time is killed. Returns its exit code."""
        process, self.running = self.running, None
        if process is None:
            return None
        if process.returncode is None:
            process.send_signal(number)
            try:
                async with asyncio.timeout(_STOP_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
        return process.returncode

    def complaint(self) -> FatalError:
        """What to say when it did not start: the end of its log."""
        tail = self.log.read_text("utf-8", "replace").strip().splitlines()[-3:]
        return FatalError(
            "demo-process", f"{self.name} did not start: {' / '.join(tail)}", hint=f"its log is {self.log}"
        )


class HubProcess(Process):
    """`hubd run` over one data directory."""

    def __init__(self, name: str, directory: Path) -> None:
        command = (sys.executable, "-m", "hubd", "run", "--data", str(directory))
        super().__init__(name, command, directory.with_suffix(".log"))
        self.directory = directory

    async def start(self) -> None:
        """Start it, and wait until it answers."""
        process = await self.spawn()
        try:
            async with asyncio.timeout(_START_S):
                while process.returncode is None:
                    try:
                        await self.status()
                    except FatalError:
                        await asyncio.sleep(0.05)
                    else:
                        return
        except TimeoutError:
            pass
        raise self.complaint()

    async def status(self) -> dict[str, Any]:
        """What `hubd status --json` shows."""
        return dict(await ask(self.directory, "status"))

    async def ask(self, name: str, *arguments: Any) -> Any:
        """Any request of the hub's own door."""
        return await ask(self.directory, name, *arguments)

    async def kill(self) -> None:
        """The power cut of a process: no warning, no clean-up."""
        await self.end(signal.SIGKILL)


class ChainProcess(Process):
    """The local chain: the Clarity VM behind a node's RPC. Its blocks survive a restart in `state`."""

    def __init__(self, folder: Path, balances: dict[str, int], block_ms: int, burn_ms: int) -> None:
        self.port = free_port()
        self.state = folder / "chain.state"
        self._balances = balances
        options = ("--port", str(self.port), "--block-ms", str(block_ms), "--burn-ms", str(burn_ms), "--test")
        script = str(contracts_folder() / "localchain" / "main.mjs")
        super().__init__(
            "the local chain", (node_program(), script, *options, "--state", str(self.state)), folder / "chain.log"
        )
        self._fresh = self.command

    @property
    def url(self) -> str:
        """The node's base URL."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Start it, and wait until it says that it is ready."""
        genesis = (
            [] if self.state.exists() else [f"--balance={address}={ustx}" for address, ustx in self._balances.items()]
        )
        self.command = (*self._fresh, *genesis)
        process = await self.spawn(asyncio.subprocess.PIPE)
        assert process.stdout is not None
        try:
            async with asyncio.timeout(_START_S):
                json.loads(await process.stdout.readline())
        except (TimeoutError, ValueError):
            raise self.complaint() from None
