"""A hub's phone door in a process of its own, so that what its phones cost it can be read off the kernel.

async with hub_process(tmp_path, people=256) as hub:
    hub.url, hub.rss_bytes(), hub.cpu_s()

People are `p0`, `p1`, ... of `Village(1)`, registered here and vouched for by a steward.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from builders import Village
from phone_hubs import phone_hub, served

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class HubProcess:
    """A running hub, seen from outside."""

    url: str
    pid: int

    def rss_bytes(self) -> int:
        """Memory that it holds now."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * _PAGE_BYTES

    def cpu_s(self) -> float:
        """Processor time that it has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS


@asynccontextmanager
async def hub_process(directory: Path, people: int) -> AsyncIterator[HubProcess]:
    """Start it and stop it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, __file__, str(directory), str(people),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        url = (await process.stdout.readline()).decode().strip()
        assert url, "the hub did not start"
        yield HubProcess(url, process.pid)
    finally:
        process.stdin.close()
        await process.wait()


async def _main(directory: Path, people: int) -> None:
    village = Village(1)
    async with phone_hub(directory, village) as hub:
        names = [f"p{number}" for number in range(people)]
        await hub.take(*(village.register(name, home="hub-a") for name in names))
        await hub.take(*(village.vouch("steward-1", name, 4) for name in names))
        async with served(hub) as url:
            print(url, flush=True)
            await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1]), int(sys.argv[2])))
