"""A running hub holds what it needs and no more."""

import asyncio
import sys

from bench import large, village
from hubd.demo.processes import HubProcess, free_port

_TELLS_WHAT_IT_READ = """
import atexit, sys
from hubd.cli import main
atexit.register(lambda: print(*{name.partition(".")[0] for name in sys.modules}, file=sys.stderr))
main()
"""


async def test_a_running_hub_with_an_uplink_reads_nothing_that_only_people_or_other_hubs_need(tmp_path):
    ports = [free_port() for _ in range(3)]
    uplink = {"relay.nodes": [f"http://127.0.0.1:{ports[2]}"]}
    hubs = await village.build(tmp_path, 300, large.settings("a", ports[0], ports[1], None) | uplink, {"hub.name": "b"})
    hub = HubProcess("a", hubs.full)
    hub.command = (sys.executable, "-c", _TELLS_WHAT_IT_READ, *hub.command[3:])
    await hub.start()
    assert (await hub.status())["relay"]["waiting"] == 0, "an uplink says of itself what it can from the first moment"
    while not (await hub.status())["relay"]["trouble"]:
        await asyncio.sleep(0.05)
    await hub.end()
    read = set(hub.log.read_text("utf-8").splitlines()[-1].split())
    assert {"structlog", "httpx", "hubd"} <= read
    assert not read & {"rich", "pygments", "better_exceptions"}, "pretty output"
    assert "html" not in read, "pages for people"
