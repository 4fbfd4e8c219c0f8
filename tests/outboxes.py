"""A village, its actions, and an uplink with a twin of the chain: what tests of the outbox begin with."""

from builders import Village
from relay_twin import TERMS, TwinChain, TwinUplink, parents_of

VILLAGE = Village(6)
PEOPLE = [VILLAGE.register("ana"), VILLAGE.register("tomas")]
LESSON = VILLAGE.thread("ana", "tomas")


def uplink_with(actions, terms=TERMS, **chain):
    return TwinUplink(VILLAGE, actions, TwinChain(parents=parents_of(actions), **chain), terms)


def states(uplink):
    return sorted(entry.state.value for entry in uplink.ledger.values())


def many(count, author="ana"):
    return [VILLAGE.book(author, "tomas", price=0) for _ in range(count)]
