"""What a store does while its card fills up, told as JSON lines: `python card_story.py FOLDER`, a small card."""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

from builders import Village

from hubd.errors import LocalError
from hubd.ports import LedgerEntry, TransactionState
from hubd.store.actions import Store

VILLAGE = Village(seed=3)
OTHERS = "what others wrote"  # logs, photos: whatever else is on a card


def tell(name: str, fact: Any) -> None:
    print(json.dumps([name, fact]), flush=True)


def fill(folder: Path, percent: float) -> None:
    """Let others use so much of the card, all else included."""
    space = os.statvfs(folder)
    free = space.f_blocks * (100 - percent) / 100
    more = int((space.f_bavail - free) * space.f_frsize)
    with (folder / OTHERS).open("ab") as file:
        at = file.tell()
        if more > 0:
            os.posix_fallocate(file.fileno(), at, more)
        else:
            file.truncate(max(0, at + more))


def cram(folder: Path) -> None:
    """Let others use all of it, to the last block."""
    with (folder / "the last block").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4_096))
        except OSError:
            pass


def people(count: int = 1) -> list[Any]:
    return [VILLAGE.register(os.urandom(8).hex()) for _ in range(count)]


def big() -> list[Any]:
    return [VILLAGE.seal("ana", "offer-set", text={"note": os.urandom(6_000).hex()}) for _ in range(20)]


async def said(work: Awaitable[Any]) -> str:
    try:
        await work
    except LocalError as error:
        return error.code
    return "ok"


async def main(folder: Path) -> None:
    """The story."""
    store, written = await Store.open(folder, VILLAGE.charter.domain), []

    async def append(fresh: list[Any]) -> str:
        answer = await said(store.append(fresh))
        written.extend(fresh if answer == "ok" else [])
        return answer

    def record(number: int) -> Awaitable[Any]:
        entry = LedgerEntry(bytes([number]) * 32, number, 500, b"", "gap", (), TransactionState.SIGNED, 9)
        return store.ledger().record(entry)

    tell("ballast is laid down", store.room.take_ballast())
    for percent in (50, 91, 96):
        fill(folder, percent)
        tell(f"{percent} %", [store.room.level.value, await append(people())])
    fill(folder, 98.5)
    tell("98.5 %", [store.room.level.value, await append(people()), (folder / "ballast").exists()])
    tell("after the ballast", [store.room.level.value, await append(people())])
    fill(folder, 98.5)
    tell("98.5 % again", [store.room.level.value, await append(people()), await said(record(1))])
    cram(folder)
    tell("the last block", [await append(people()), len(await store.page(0, 999)) == len(written)])
    tell("the ledger then", await said(record(2)))
    (folder / "the last block").unlink()
    (folder / OTHERS).unlink()
    tell("room again", [store.room.level.value, await append(people(50)), await said(record(3))])
    answers = {await append(big()) for _ in range(600)}
    tell("up to its own share", sorted(answers))
    space = os.statvfs(folder)
    tell("left for others", (space.f_bavail / space.f_blocks) > 0.2)
    await store.close()
    store = await Store.open(folder, VILLAGE.charter.domain)
    tell(
        "whole after a restart",
        [
            {found.id for _, found in await store.page(0, 99_999)} == {action.id for action in written},
            (await store.database.read("pragma integrity_check"))[0][0],
            [entry.account_nonce for entry in await store.ledger().entries([TransactionState.SIGNED])],
        ],
    )
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
