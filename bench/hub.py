"""One side of `bench/fill.py`: a link over a store in a process of its own, so that its CPU is its own.

`python -m bench.hub DIRECTORY NAME PEER COUNT [ADDRESS]` prints its port, dials ADDRESS if one is given, and prints a
line of figures when COUNT actions are proven to be on both sides. It ends with its standard input.
"""

import asyncio
import json
import resource
import sys
import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from bench.actions import CHARTER
from hubd import log
from hubd.action.envelope import Action
from hubd.action.signature import Signer
from hubd.fold.folder import Folder
from hubd.gossip.link import Link, LinkConfig
from hubd.gossip.peer import Member
from hubd.gossip.sockets import CurveKeys
from hubd.intake import SetIntake
from hubd.ports import Door
from hubd.store.actions import Store


def member(name: str, *addresses: str) -> tuple[Member, CurveKeys]:
    """A hub of this bench: all of it follows from its name."""
    seed = sha256(name.encode()).digest()
    keys = CurveKeys.of(seed)
    return Member(Signer(seed).principal(CHARTER.network), keys.public, addresses, name), keys


async def serve(directory: Path, name: str, peer: str, count: int, address: str) -> None:
    """Link until standard input ends."""
    (own, keys), (other, _) = member(name), member(peer, *([address] if address else []))
    store = await Store.open(directory, CHARTER.domain)
    intake = SetIntake(store, CHARTER.domain)
    link = Link(
        store=store,
        intake=intake,
        members=lambda: [own, other],
        domain=CHARTER.domain,
        hub=own.hub,
        curve_secret=keys.secret,
        clock=time.monotonic,
        config=LinkConfig("127.0.0.1", 0, (), 3600.0),
    )

    def notify(actions: list[Action], _door: Door, source: bytes) -> None:
        link.notify(actions, source)

    intake.listeners.append(notify)
    running = asyncio.create_task(link.run())
    while not link.port:  # noqa: ASYNC110  # nothing tells of it
        await asyncio.sleep(0.005)
    started, spent = time.monotonic(), time.process_time()
    print(json.dumps({"port": link.port}), flush=True)
    while not (link.counters["proven"] and (await store.summary()).count == count):  # noqa: ASYNC110  # the same
        await asyncio.sleep(0.02)
    figures = {
        "cpu_s": time.process_time() - spent,
        "wall_s": time.monotonic() - started,
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "frame_bytes": sum(status.bytes_in + status.bytes_out for status in link.status()),
    }
    spent = time.process_time()
    folder, after = Folder(CHARTER), 0
    while page := await store.page(after, 500):
        folder.append([action for _, action in page])
        after = page[-1][0]
    figures["fold_cpu_s"] = time.process_time() - spent
    print(json.dumps(figures), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    await store.close()


if __name__ == "__main__":
    log.configure("error", "json")
    _, folder_name, own_name, peer_name, wanted, *target = sys.argv
    asyncio.run(serve(Path(folder_name), own_name, peer_name, int(wanted), target[0] if target else ""))
