"""How well a tutor's offer fits a student's request: the same number as `matching-engine.score-of`, without a chain.

Advice for screens, not a view: nothing depends on it. A test compares it with the contract over random pairs.
"""

from hubd.fold.views import Offer, Request
from hubd.limits import INTEGER_MAX

SCORE_MAX = 10_000
_WEEK = (1 << 56) - 1
_SUBJECTS = (1 << 32) - 1
_LEVELS = 0xFF << 32
_LANGUAGES = 0xFFFF << 40
_SHARE_SUBJECTS = _SHARE_TIME = 3_000
_SHARE_PRICE = _SHARE_STARS = 2_000
_SHARE_UNRATED = 1_000  # of the stars' share: nobody is worth nothing before the first rating
_STARS_ABOVE = 4  # above the one star that every rating has


def score(request: Request, offer: Offer, stars: int, ratings: int) -> int:
    """0 to 10,000; `stars` is the sum of `ratings` ratings of 1 to 5 as a tutor.

    0 = they don't fit: another asset, no subject, level, language or hour in common, a rate above the ceiling, or numbers
    that no rating and no amount can have.
    """
    asked, offered = request.bits, offer.bits
    week_asked, week_offered = request.week & _WEEK, offer.week & _WEEK
    fits = (
        request.asset == offer.asset
        and max(request.ceiling, offer.rate, stars, ratings) <= INTEGER_MAX
        and (request.ceiling == 0 or offer.rate <= request.ceiling)
        and ratings <= stars <= ratings + _STARS_ABOVE * ratings
        and asked & offered & _SUBJECTS
        and _agree(asked & _LEVELS, offered & _LEVELS)
        and _agree(asked & _LANGUAGES, offered & _LANGUAGES)
        and _agree(week_asked, week_offered)
    )
    if not fits:
        return 0
    return (
        _covered(_SHARE_SUBJECTS, asked & _SUBJECTS, offered & _SUBJECTS)
        + _covered(_SHARE_TIME, week_asked, week_offered)
        + (_SHARE_PRICE * (request.ceiling - offer.rate) // request.ceiling if request.ceiling else _SHARE_PRICE)
        + (_SHARE_STARS * (stars - ratings) // (_STARS_ABOVE * ratings) if ratings else _SHARE_UNRATED)
    )


def _agree(one: int, other: int) -> bool:
    """Whether two masks agree where both say something; no bits = any."""
    return not one or not other or bool(one & other)


def _covered(share: int, asked: int, offered: int) -> int:
    """The part of `share` that an offer covers; all of it where either side says "any"."""
    return share * (asked & offered).bit_count() // asked.bit_count() if asked and offered else share
