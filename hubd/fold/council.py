"""The stewards: who may admit hubs and name further stewards.

The charter's stewards, with whomever two live ones added and without whomever two live ones removed. "Live" is defined
through itself, so it needs care to be one function of the set, whatever the order:

- additions and removals count only while those who signed them are live; nobody counts towards their own;
- a steward is *certain* where every reading of the doubtful removals agrees, found by the alternating fixpoint of
  well-founded semantics (Van Gelder, Ross, Schlipf 1991);
- where pairs remove one another the rules alone decide nothing: then the most senior steward in doubt stays, and the rest
  follows from that. Seniority is the charter's order, then how many additions away from it, then the principal.

A removal is for ever; who comes back comes with a new key. Whom a removed steward added or admitted lapses with him, so
live stewards sign again what should outlast him; and nobody is removed by the voice of one whom he himself holds up. What
he retired stays retired: a stolen hub must not come back because a steward left.
"""

from dataclasses import dataclass

from hubd.action.kinds import KINDS
from hubd.action.principal import Principal
from hubd.fold.read import Read, View

_NEEDED = 2  # different live stewards (decisions D10)
HERE = b""  # the key of views that have one entry


@dataclass(frozen=True, slots=True)
class Council:
    """The live stewards, and everybody who ever was one or whom two such added; both sorted."""

    live: tuple[Principal, ...]
    ever: tuple[Principal, ...]


@dataclass(frozen=True, slots=True)
class _Voices:
    """Who ever was a steward, senior first, and who spoke for and against whom."""

    seniority: list[Principal]
    founders: frozenset[Principal]
    adders: dict[Principal, set[Principal]]
    removers: dict[Principal, set[Principal]]


def _spoken(kind: str, steward: Principal, read: Read) -> list[Principal]:
    """Whom a steward's actions of a kind name, himself left out."""
    row = KINDS[kind]
    named = (a.statement.who for a in read.filed(f"{kind}/by", steward, steward) if not row.broken_columns(a.statement))
    return [who for who in named if who is not None and who != steward]


def _voices(read: Read) -> _Voices:
    """The closure of additions with no removal counted: everybody whose liveness is a question at all."""
    founders = list(dict.fromkeys(read.charter.stewards))
    seniority, adders, removers = list(founders), dict[Principal, set[Principal]](), dict[Principal, set[Principal]]()
    generation = founders
    while generation:
        for steward in generation:
            for who in _spoken("steward-add", steward, read):
                adders.setdefault(who, set()).add(steward)
            for who in _spoken("steward-remove", steward, read):
                removers.setdefault(who, set()).add(steward)
        known = set(seniority)
        generation = sorted(who for who, by in adders.items() if len(by) >= _NEEDED and who not in known)
        seniority += generation
    return _Voices(seniority, frozenset(founders), adders, removers)


def _grow(voices: _Voices, counted: set[Principal], kept: set[Principal]) -> set[Principal]:
    """The stewards there are if exactly the removals by `counted` count, except those of `kept`."""
    stands = [
        who for who in voices.seniority if who in kept or len(voices.removers.get(who, set()) & counted) < _NEEDED
    ]
    grown: set[Principal] = set()
    while True:
        more = {
            who for who in stands if who in voices.founders or len(voices.adders.get(who, set()) & grown) >= _NEEDED
        }
        if more == grown:
            return grown
        grown = more


def _live(voices: _Voices) -> set[Principal]:
    kept: set[Principal] = set()
    while True:
        certain: set[Principal] = set()
        while True:
            possible = _grow(voices, certain, kept)
            surer = _grow(voices, possible, kept)
            if surer == certain:
                break
            certain = surer
        doubtful = next((who for who in voices.seniority if who in possible - certain - kept), None)
        if doubtful is None:
            return certain
        kept.add(doubtful)


def _council(_key: bytes, read: Read) -> Council:
    voices = _voices(read)
    return Council(tuple(sorted(_live(voices))), tuple(sorted(voices.seniority)))


COUNCIL: View[bytes, Council] = View("council", _council, always=(HERE,), public=False)


def stewards(read: Read) -> tuple[Principal, ...]:
    """The live stewards, sorted."""
    council = read.entry(COUNCIL, HERE)
    return council.live if council is not None else ()


def stewards_ever(read: Read) -> tuple[Principal, ...]:
    """Everybody who is or ever was a steward, sorted. Unlike the live ones they only become more as the set grows."""
    council = read.entry(COUNCIL, HERE)
    return council.ever if council is not None else ()
