"""Data folders of two hubs as a region's years leave them: people, lessons from booking to rating, receipts; all signed.

`python -m bench.village FOLDER COUNT` makes them: `a` holds COUNT actions, `b` all but the newest 100. Everything follows
from the number of an action, but for the hubs' own keys. Rows go into the database in bulk, as a hub would have left them.
"""

import asyncio
import os
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from itertools import chain, islice
from pathlib import Path
from typing import Any

from bench.actions import CHARTER as PLAIN
from bench.million import fill
from hubd import config
from hubd.action import charter as charters
from hubd.action.charter import Charter
from hubd.action.content import seal_content
from hubd.action.envelope import Action, seal
from hubd.action.principal import Principal
from hubd.action.signature import Signer
from hubd.action.sip018 import ActionId
from hubd.action.statement import Statement
from hubd.fold.reputation import seal_digest
from hubd.hub import CHARTER_NAME
from hubd.identity import Identity, sign_action
from hubd.limits import STATEMENT_LIFE_S
from hubd.store.actions import DATABASE_NAME, EPOCH_BYTES, Store

LACKING = 100
_START_S = 1_767_225_600
_PEOPLE_PER_VILLAGE = 200
_ACTIONS_PER_PERSON = 100
_ITEMS = 25  # actions of one transaction
_STEWARD = Signer(bytes([1]) * 32)


@dataclass(frozen=True)
class Hubs:
    """Two hubs of one mesh."""

    charter: Charter
    full: Path
    lacking: Path


def person_secret(number: int) -> bytes:
    """The key of one of the region's people; the first ones live in the village of hub `a`."""
    return sha256(b"person %d" % number).digest()


class _Author:
    """Signs what a region writes, one second after the other."""

    def __init__(self, charter: Charter, hub: Signer, people: int) -> None:
        self._charter, self._hub, self._people = charter, hub, people
        self._number = 0
        self._settled: list[bytes] = []
        self._homes = people // _PEOPLE_PER_VILLAGE + 1

    @lru_cache(maxsize=20_000)  # noqa: B019  # lives as long as the building
    def _person(self, number: int) -> tuple[Signer, Principal]:
        signer = Signer(person_secret(number))
        return signer, signer.principal(self._charter.network)

    def _seal(self, signer: Signer, author: Principal, kind: str, body: bytes | None = None, **fields: Any) -> Action:
        self._number += 1
        created = _START_S + self._number
        salt = self._number.to_bytes(8, "big")
        statement = Statement(kind, author, created, created + STATEMENT_LIFE_S, salt, **fields)
        return seal(statement, signer, self._charter.domain, body)

    def _lesson(self, number: int) -> Iterator[Action]:
        student, tutor = self._person(number * 7 % self._people), self._person((number * 13 + 1) % self._people)
        price = {"amount": 60, "moment": _START_S + 7 * 86_400 + number}
        book = self._seal(*student, "lesson-book", who=tutor[1], bits=60, **price)
        about: dict[str, Any] = {"subject": book.id}
        yield book
        confirm = self._seal(*tutor, "lesson-confirm", who=student[1], bits=1, **price, **about)
        first = self._seal(*student, "lesson-attend", who=tutor[1], moment=price["moment"], **about)
        second = self._seal(*tutor, "lesson-attend", who=student[1], moment=price["moment"], subject=first.id)
        complete = self._seal(*student, "lesson-complete", who=tutor[1], **about)
        yield from (confirm, first, second, complete)
        self._settled += [each.id for each in (book, confirm, first, second, complete)]
        ratings = []
        for own, other in ((student, tutor), (tutor, student)):
            words = seal_content({"words": "a good lesson"}, salt=book.id[:16])
            opening = self._seal(*own, "rating-open", words, who=other[1], amount=4 + number % 2, **about)
            yield self._seal(*own, "rating-seal", who=other[1], **about, content=seal_digest(opening.statement))
            ratings.append(opening)
        yield from ratings

    def _receipts(self) -> Iterator[Action]:
        while len(self._settled) >= _ITEMS:
            carried, self._settled = self._settled[:_ITEMS], self._settled[_ITEMS:]
            block = {
                "block": sha256(carried[0]).digest(), "height": self._number // 600, "index": 0,
                "items": [[each, 0] for each in carried],
            }  # fmt: skip
            for level in (0, 2):
                yield self._seal(
                    self._hub, self._hub.principal(self._charter.network), "relay-receipt",
                    seal_content(block, salt=bytes(16)), subject=ActionId(sha256(carried[-1]).digest()),
                    amount=self._number // 600, moment=_START_S + self._number, bits=level,
                )  # fmt: skip

    def actions(self) -> Iterator[Action]:
        """Everybody registers, then lessons without end."""
        for number in range(self._people):
            home = self._hub if number < _PEOPLE_PER_VILLAGE else self._person(-1 - number % self._homes)[0]
            yield self._seal(*self._person(number), "user-register", bits=3, who=home.principal(self._charter.network))
        number = 0
        while True:
            yield from self._lesson(number)
            yield from self._receipts()
            number += 1


def _prepare(directory: Path, settings: dict[str, object]) -> Action:
    """A hub's keys and configuration, and what it announces."""
    directory.mkdir(mode=0o700)
    (directory / config.FILE_NAME).write_bytes(config.write(settings))
    identity = Identity.make(directory)
    said = identity.announcement(name=str(settings["hub.name"]), addresses=[], uplink=bool(settings.get("relay.nodes")))
    return sign_action(identity.hub, PLAIN.domain, "hub-announce", int(time.time()), said)


def _admission(announce: Action) -> Action:
    return sign_action(
        _STEWARD, PLAIN.domain, "hub-admit", int(time.time()), {"note": "founding hub"},
        subject=announce.id, who=announce.statement.author, bits=1,
    )  # fmt: skip


async def build(folder: Path, count: int, full: dict[str, object], lacking: dict[str, object]) -> Hubs:
    """Fill two new data folders, `a` and `b`, each with these settings."""
    a, b = folder / "a", folder / "b"
    announces = [_prepare(a, full), _prepare(b, lacking)]
    founding = tuple(action for each in announces for action in (each, _admission(each)))
    charter = replace(PLAIN, founding=founding)
    for directory in (a, b):
        (directory / CHARTER_NAME).write_bytes(charters.write(charter))
    people = max(_PEOPLE_PER_VILLAGE, count // _ACTIONS_PER_PERSON)
    writing = _Author(charter, Identity.open(a).hub, people).actions()
    store = await Store.open(b, charter.domain)
    await store.database.write(lambda new: fill(new, chain(founding, islice(writing, count - LACKING - len(founding)))))
    await store.sketch_symbols(0, 1)
    await store.close()
    shutil.copy(b / DATABASE_NAME, a / DATABASE_NAME)
    store = await Store.open(a, charter.domain)
    await store.change(
        lambda copy: copy.execute("update meta set value = ? where key = 'epoch'", (os.urandom(EPOCH_BYTES),))
    )
    await store.append(list(islice(writing, LACKING)))
    await store.close()
    return Hubs(charter, a, b)


if __name__ == "__main__":
    asyncio.run(build(Path(sys.argv[1]), int(sys.argv[2]), {"hub.name": "a"}, {"hub.name": "b"}))
