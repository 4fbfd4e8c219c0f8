"""Spreading machines in a web of wires that take time, each with its set."""

import random
from collections import Counter
from collections.abc import Iterable
from heapq import heappop, heappush
from itertools import combinations, count

from hubd.action.network import TESTNET
from hubd.action.principal import Principal, standard
from hubd.action.sip018 import ActionId
from hubd.gossip.peer import LoadAsked, PushJudged, SendAsk, SendHave, SendPrune, SendPush, Side
from hubd.gossip.spread import FellBehind, Spread

DELAY_S = 0.05


def hub(number: int) -> Principal:
    return standard(TESTNET.single_sig, number.to_bytes(20, "big"))


def action(number: int) -> ActionId:
    return ActionId(number.to_bytes(32, "big"))


class Web:
    """Spreading machines, their sets, and wires that take time. An envelope is its id."""

    def __init__(self, hubs: int, wires: Iterable[tuple[int, int]], *, seed: int = 0, jitter: float = 0.0) -> None:
        self.now = 100.0
        self.spreads = [Spread() for _ in range(hubs)]
        self.sets: list[dict[ActionId, float]] = [{} for _ in range(hubs)]
        self.sent: Counter[str] = Counter()
        self.wires: set[tuple[int, int]] = set()
        self._chance = random.Random(seed)
        self._jitter = jitter
        self._post: list[tuple[float, int, int, int, object]] = []
        self._order = count()
        for one, other in wires:
            self.join(one, other)

    def join(self, one: int, other: int) -> None:
        self.wires.add((one, other))
        self.spreads[one].opened(hub(other), Side.DIALLED)
        self.spreads[other].opened(hub(one), Side.ACCEPTED)

    def cut(self, one: int, other: int) -> None:
        self.wires.remove((one, other))
        self.spreads[one].lost(hub(other), Side.DIALLED)
        self.spreads[other].lost(hub(one), Side.ACCEPTED)
        self._post = [entry for entry in self._post if {entry[2], entry[3]} != {one, other}]

    def publish(self, where: int, id_: ActionId, source: bytes = b"") -> None:
        self.sets[where][id_] = self.now
        self._perform(where, self.spreads[where].appended([id_], [id_], source, self.now))

    def run(self, seconds: float) -> None:
        until = self.now + seconds
        while True:
            due_at = min(spread.due_at for spread in self.spreads)
            next_at = min(due_at, self._post[0][0] if self._post else until)
            if next_at > until or (next_at == until and not self._post):
                break
            self.now = max(self.now, next_at)
            if due_at <= self.now:
                for number, spread in enumerate(self.spreads):
                    self._perform(number, spread.tick(self.now))
                continue
            _, _, sender, receiver, what = heappop(self._post)
            self._deliver(sender, receiver, what)
        self.now = until

    def reached(self, id_: ActionId) -> int:
        return sum(id_ in each for each in self.sets)

    def last_at(self, id_: ActionId) -> float:
        return max(each[id_] for each in self.sets)

    def tree(self) -> set[tuple[int, int]]:
        return {
            (one, other)
            for one, other in self.wires
            if self.spreads[one].is_eager(hub(other)) and self.spreads[other].is_eager(hub(one))
        }

    def _perform(self, here: int, outs: list) -> None:
        for out in outs:
            there = int.from_bytes(out.hub[1:21], "big")
            match out:
                case LoadAsked(_, _, ids):
                    envelopes = [id_ for id_ in ids if id_ in self.sets[here]]
                    self._perform(here, self.spreads[here].loaded(out.hub, envelopes))
                case SendAsk(_, side, ids):
                    known = [id_ for id_ in ids if id_ in self.sets[here]]
                    self.spreads[here].known(known)
                    missing = tuple(id_ for id_ in ids if id_ not in known)
                    self._send(here, there, SendAsk(out.hub, side, missing)) if missing else None
                case SendPush() | SendHave() | SendPrune():
                    self._send(here, there, out)
                case FellBehind():
                    self.sent["behind"] += 1

    def _send(self, here: int, there: int, what: object) -> None:
        self.sent[type(what).__name__] += 1
        delay_s = DELAY_S * (1 + self._jitter * self._chance.random())
        heappush(self._post, (self.now + delay_s, next(self._order), here, there, what))

    def _deliver(self, sender: int, here: int, what: object) -> None:
        spread, peer = self.spreads[here], hub(sender)
        match what:
            case SendPush(_, side, envelopes):
                self.sent["bodies"] += len(envelopes)
                new = [id_ for id_ in envelopes if id_ not in self.sets[here]]
                self.sets[here].update(dict.fromkeys(new, self.now))
                self._perform(here, spread.appended(new, new, peer, self.now) if new else [])
                self._perform(here, spread.judged(PushJudged(peer, new, [e for e in envelopes if e not in new])))
                self._perform(sender, self.spreads[sender].taken(hub(here), side))
            case SendHave(_, _, ids):
                self._perform(here, spread.told(peer, ids, self.now))
            case SendAsk(_, _, ids):
                self._perform(here, spread.asked(peer, ids))
            case SendPrune():
                spread.pruned(peer)


def full(hubs: int) -> Web:
    return Web(hubs, combinations(range(hubs), 2))
