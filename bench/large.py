"""A whole hub, as `hubd run` is, over a large set: its memory at all it does, and how soon it can begin a session.

Memory is what the kernel says of the process (VmRSS, VmHWM); the peak is counted anew for each step.
"""

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic, process_time
from typing import Any

from bench.values import Figures
from bench.village import Hubs, build, person_secret
from hubd import log
from hubd.daemon import Daemon
from hubd.demo.processes import HubProcess, Process, free_port
from hubd.hub import CHARTER_NAME, Hub
from hubd.phone.phone import CHARTER_FILE, KEY_FILE, Phone
from hubd.store import keyfile

_WATCHED_S = 10.0  # the hub folds and scrubs by itself
_SESSION_S = 60.0
_PHONE_S = 20.0


class Watched:
    """A hub process, with its peak memory between two questions."""

    def __init__(self, process: HubProcess) -> None:
        assert process.running is not None, "started"
        self._folder = Path(f"/proc/{process.running.pid}")

    def peak_mb(self) -> float:
        """The most memory it held since the last question."""
        lines = dict(line.split(":", 1) for line in (self._folder / "status").read_text("ascii").splitlines())
        (self._folder / "clear_refs").write_text("5", "ascii")
        return int(lines["VmHWM"].split()[0]) * 1024 / 1e6


async def _until(condition: Callable[[], Any], within_s: float) -> bool:
    """Ask again and again, for so long at most."""
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            while not await condition():  # noqa: ASYNC110  # another process's condition
                await asyncio.sleep(0.1)
            return True
    return False


async def memory(folder: Path, hubs: Hubs, phone_url: str, watched_s: float, node_port: int) -> dict[str, float]:
    """The memory of hub `a`: alone with its uplink, while `b` gets what it lacks, while a phone is filled."""
    full, lacking = HubProcess("a", hubs.full), HubProcess("b", hubs.lacking)
    command = (sys.executable, "-m", "bench.node", str(node_port), str(hubs.full / CHARTER_NAME))
    node = Process("node", command, folder / "node.log")
    try:
        await node.spawn()
        await full.start()
        watched = Watched(full)
        found = {"rss_mb_start": watched.peak_mb()}
        await asyncio.sleep(watched_s)
        found["rss_mb_fold_scrub"] = watched.peak_mb()
        await lacking.start()
        other = Watched(lacking)
        started = monotonic()

        async def is_same() -> bool:
            return bool((await lacking.status())["fingerprint"] == (await full.status())["fingerprint"])

        assert await _until(is_same, _SESSION_S), "the neighbour got what it lacked"
        found |= {
            "session_s": monotonic() - started,
            "rss_mb_session": watched.peak_mb(),
            "rss_mb_asking": other.peak_mb(),
        }
        found |= await _fill_phone(folder, hubs, phone_url)
        found["rss_mb_phone"] = watched.peak_mb()
        found["waiting_for_the_chain"] = (await full.status())["relay"]["waiting"]
        found["folded"] = 1 - (await full.status())["views_behind"] / (await full.status())["count"]
        return found
    finally:
        await asyncio.gather(full.end(), lacking.end(), node.end())


async def _fill_phone(folder: Path, hubs: Hubs, url: str) -> dict[str, float]:
    """The new phone of a villager takes what its person may see, for some time at most: its lessons, when the last came."""
    keyfile.write(folder / "phone" / KEY_FILE, keyfile.KeyFile("person", person_secret(0)))
    shutil.copy(hubs.full / CHARTER_NAME, folder / "phone" / CHARTER_FILE)
    phone = await Phone.open(folder / "phone")
    known, known_s, started = 0, 0.0, monotonic()
    syncing = asyncio.create_task(phone.sync(url))
    try:
        while not syncing.done() and monotonic() - started < _PHONE_S:
            await asyncio.wait((syncing,), timeout=0.1)
            if len(phone.views.lessons) > known:
                known, known_s = len(phone.views.lessons), monotonic() - started
        if syncing.done():
            syncing.result()
        return {"phone_lessons": known, "phone_lessons_s": known_s}
    finally:
        syncing.cancel()
        await asyncio.gather(syncing, return_exceptions=True)
        await phone.close()


async def _cold(directory: Path) -> dict[str, float]:
    """From opening the data to all that a first session needs: the members, and the set's summary."""
    started, spent = monotonic(), process_time()
    async with Hub.opened(directory, is_late=True) as hub:
        opened = monotonic()
        Daemon(hub)
        summary = await hub.store.summary()
        assert summary.count > 0
        assert hub.folder.views.mesh.hubs, "members are known"
        found = {"wall_ms": (monotonic() - started) * 1000, "cpu_ms": (process_time() - spent) * 1000}
        return {**found, "open_ms": (opened - started) * 1000}


def cold_elsewhere(directory: Path) -> dict[str, float]:
    """How soon a fresh process can begin a session."""
    command = [sys.executable, "-m", "bench.large", "--cold", str(directory)]
    said: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)  # noqa: S603  # our own module
    return said


def settings(name: str, port: int, phones: int, peer: int | None, node: int | None = None) -> dict[str, object]:
    """The configuration of a hub on the loopback, which dials one peer or none, and has an uplink or none."""
    return {
        "hub.name": name, "mesh.listen_host": "127.0.0.1", "mesh.listen_port": port, "phones.listen_host": "127.0.0.1",
        "phones.listen_port": phones, "mesh.peers": [f"127.0.0.1:{peer}"] if peer else [], "log.form": "json",
        "relay.nodes": [f"http://127.0.0.1:{node}"] if node else [], "relay.poll_ms": 500,
    }  # fmt: skip


def measure(count: int) -> Figures:
    """Figures by name."""
    ports = [free_port() for _ in range(5)]
    with tempfile.TemporaryDirectory(prefix="hubd-bench-") as scratch:
        folder = Path(scratch)
        a, b = settings("a", ports[0], ports[1], None, ports[4]), settings("b", ports[2], ports[3], ports[0])
        hubs = asyncio.run(build(folder, count, a, b))
        found = asyncio.run(memory(folder, hubs, f"http://127.0.0.1:{ports[1]}", _WATCHED_S, ports[4]))
        return {
            f"whole hub, {count:,} actions": found,
            f"whole hub, {count:,} actions, start to first session": cold_elsewhere(hubs.full),
        }


if __name__ == "__main__":
    log.configure("error", "json")
    print(json.dumps(asyncio.run(_cold(Path(sys.argv[2])))))
