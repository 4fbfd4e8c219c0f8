"""The hub and the contract give a pair of request and offer the same score, on the real Clarity VM."""

import json
import os
import subprocess
from itertools import product
from pathlib import Path
from random import Random

from hubd.action.network import TESTNET
from hubd.action.principal import contract
from hubd.action.signature import Signer
from hubd.checkout import node_program
from hubd.fold.score import SCORE_MAX, score
from hubd.fold.views import Offer, Request, RequestState
from hubd.limits import INTEGER_MAX

SCORES = Path(__file__).parents[1] / "contracts" / "lib" / "scores.mjs"
PAIRS = 20_000 if os.environ.get("HUBD_CAMPAIGN") else 600
ME = Signer(b"\x01" * 32).principal(TESTNET)
HOURS = contract(ME, "hour-credit")
MATHS, PHYSICS, ALL_SUBJECTS = 1, 2, (1 << 32) - 1
LEVEL, LANGUAGE, WEEK = 1 << 32, 1 << 40, (1 << 56) - 1


def pair(request=(), offer=(), stars=0, ratings=0):
    """A pair that fits, with what is said changed."""
    request = {"ceiling": 100, "asset": None, "week": 0, "bits": MATHS, **dict(request)}
    offer = {"rate": 50, "asset": None, "week": 0, "bits": MATHS, **dict(offer)}
    return (
        Request(id=bytes(32), student=ME, state=RequestState.OPEN, **request),
        Offer(id=bytes(32), tutor=ME, **offer),
        stars,
        ratings,
    )


def by_the_contract(pairs):
    """What the contract says of each pair."""

    def numbers(side, *names):
        return {name: str(getattr(side, name)) for name in names} | {"asset": side.asset is not None}

    lines = [
        json.dumps(
            {
                "request": numbers(request, "ceiling", "week", "bits"),
                "offer": numbers(offer, "rate", "week", "bits"),
                "stars": str(stars),
                "ratings": str(ratings),
            }
        )
        for request, offer, stars, ratings in pairs
    ]
    done = subprocess.run(
        [node_program(), SCORES], input="\n".join(lines), capture_output=True, text=True, check=True, timeout=600
    )
    return [int(line) for line in done.stdout.split()]


def some_mask(chance, width):
    """No bits, few, many, or all of `width`."""
    few = chance.getrandbits(width) & chance.getrandbits(width) & chance.getrandbits(width)
    return chance.choice((0, few, few, chance.getrandbits(width), (1 << width) - 1))


def some_pair(chance):
    """A pair at random, such that about half of them fit."""

    def bits():
        return (
            (some_mask(chance, 32) | MATHS * chance.randrange(8))
            | some_mask(chance, 8) << 32
            | some_mask(chance, 16) << 40
        )

    ceiling = chance.choice((0, 1, 7, chance.randrange(10_000), chance.getrandbits(63)))
    rate = chance.choice((0, ceiling, chance.randrange(ceiling + 1), chance.getrandbits(63)))
    ratings = chance.choice((0, 1, chance.randrange(50), chance.getrandbits(60)))
    return pair(
        {
            "ceiling": ceiling,
            "asset": chance.choice((None, None, None, HOURS)),
            "week": some_mask(chance, 56),
            "bits": bits(),
        },
        {
            "rate": rate,
            "asset": chance.choice((None, None, None, HOURS)),
            "week": some_mask(chance, 56),
            "bits": bits(),
        },
        stars=chance.randint(ratings, 5 * ratings + chance.randrange(2)),
        ratings=ratings,
    )


def test_random_pairs_have_the_same_score():
    """Known to kill: dividing before multiplying; a count of bits that shifts its pairs too little."""
    chance = Random(20_251)  # a test's choice
    pairs = [some_pair(chance) for _ in range(PAIRS)]
    ours = [score(*one) for one in pairs]
    assert by_the_contract(pairs) == ours
    assert sum(map(bool, ours)) > PAIRS / 5, "too few pairs fit to say anything"
    assert max(ours) <= SCORE_MAX


def test_every_pair_of_edges_has_the_same_score():
    masks = (0, MATHS, PHYSICS | 1 << 31, ALL_SUBJECTS, MATHS | LEVEL, MATHS | LEVEL << 7 | LANGUAGE, (1 << 56) - 1)
    weeks = (0, 1, 1 << 55, WEEK)
    pairs = [
        pair({"bits": asked, "week": week}, {"bits": offered, "week": other})
        for (asked, offered), (week, other) in product(product(masks, masks), product(weeks, weeks))
    ]
    pairs += [
        pair({"ceiling": ceiling}, {"rate": rate}, stars, ratings)
        for ceiling, rate in product((0, 1, 2, 3, INTEGER_MAX), (0, 1, 2, 3, INTEGER_MAX))
        for stars, ratings in ((0, 0), (1, 0), (0, 1), (1, 1), (5, 1), (6, 1), (INTEGER_MAX, INTEGER_MAX))
    ]
    assert by_the_contract(pairs) == [score(*one) for one in pairs]


def test_numbers_beyond_the_protocol_fit_nobody_and_abort_nothing():
    most = 2**128 - 1
    pairs = [
        pair({"ceiling": most}),
        pair({"ceiling": 0}, {"rate": most}),
        pair(stars=most, ratings=most),
        pair(stars=most),
        pair({"bits": most, "week": most}, {"bits": most, "week": most}),
    ]
    assert by_the_contract(pairs) == [score(*one) for one in pairs] == [0, 0, 0, 0, 3000 + 3000 + 1000 + 1000]


def test_the_shares_are_the_documented_ones():
    assert score(*pair()) == 3000 + 3000 + 1000 + 1000
    assert score(*pair({"ceiling": 0}, stars=5, ratings=1)) == SCORE_MAX
    assert score(*pair({"bits": MATHS | PHYSICS | 4}, {"rate": 100}, stars=1, ratings=1)) == 1000 + 3000
    assert score(*pair({"week": 0b111}, {"week": 0b1}, stars=8, ratings=2)) == 3000 + 1000 + 1000 + 1500
    assert score(*pair({"asset": HOURS})) == 0
