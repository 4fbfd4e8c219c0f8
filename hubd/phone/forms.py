"""What a person says for each kind of action that a phone signs: what is needed, what may be said, an example.

What a kind needs beyond that is filled in from what it is about (`hubd/phone/fillers.py`). A kind that is not here is signed
elsewhere: by a hub, by a command for stewards, or where its words can be sealed to the few people whom they are for.
"""

from dataclasses import dataclass

_EXAMPLES = {
    **dict.fromkeys(("about", "action", "add", "lesson", "match", "move", "offer", "recovery", "request"), "3fa2c071"),
    **dict.fromkeys(("class", "earmark", "pool"), "81c09d4e"),
    **dict.fromkeys(("person", "student"), "Amina"),
    **dict.fromkeys(("tutor", "sponsor"), "Juma"),
    "key": "ST2CY5V39NHDPWSXMW9QDT3HC3GD6Q6XX4CFRK9AG",
    **dict.fromkeys(("start", "until", "time"), "2026-12-01T15:00"),
    "week": "mon1,tue5-6,sat",
    "minutes": "60",
    "sum": "100",
    **dict.fromkeys(("ceiling", "price", "rate"), "100"),
    "stars": "5",
    "points": "5000",
    "reason": "1",
    "slot": "0",
    "subjects": "maths",
    "roles": "3",
    "text": "'I teach in the evenings'",
}


@dataclass(frozen=True)
class Form:
    """`needs` are ways to say it, each whole; `may` can be said besides; the example is the first way and `shown`."""

    needs: tuple[tuple[str, ...], ...]
    may: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """All of them."""
        return (*dict.fromkeys(name for way in self.needs for name in way), *self.may)

    def example(self, way: int = 0) -> dict[str, str]:
        """What is said, one way, with made-up values."""
        return {name: _EXAMPLES[name] for name in (*self.needs[way], *(() if way else self.shown))}

    def typed(self, kind: str) -> str:
        """The example as it is typed."""
        return " ".join((f"hubd phone do {kind}", *(f"{name}={text}" for name, text in self.example().items())))


def _form(needs: str, may: str = "", shown: str = "") -> Form:
    """Words in place of tuples; " or " between ways."""
    return Form(tuple(tuple(way.split()) for way in needs.split(" or ")), tuple(may.split()), tuple(shown.split()))


_BIDDING = "asset week level language note"

FORMS: dict[str, Form] = {
    # --- identity
    "user-register": _form("", "roles home", "roles"),
    "profile-set": _form("text", "about"),
    "key-add": _form("key", "scopes cap asset until note"),
    "key-accept": _form("add"),
    "key-revoke": _form("key", "add"),
    "guardian-set": _form("person or slot", "threshold days slot"),
    "recovery-open": _form("person", "note"),
    **dict.fromkeys(("recovery-approve", "recovery-cancel", "recovery-finish"), _form("recovery")),
    "vouch-give": _form("person", "bits"),
    "vouch-withdraw": _form("about person"),
    "content-erase": _form("action"),
    "action-void": _form("action"),
    # --- market
    "offer-set": _form("subjects", f"rate {_BIDDING}", "rate week"),
    "offer-withdraw": _form("offer"),
    "request-open": _form("subjects", f"ceiling {_BIDDING}", "ceiling week"),
    "request-close": _form("request"),
    "match-offer": _form("request start minutes", "price asset student note", "price"),
    "match-accept": _form("match"),
    # --- lesson
    "lesson-book": _form("match or tutor start minutes", "price asset lock guardian earmark pool"),
    "lesson-confirm": _form("lesson", "note"),
    "lesson-decline": _form("lesson", "reason note"),
    "lesson-move": _form("lesson start or move", "minutes note"),
    "lesson-cancel": _form("lesson", "reason note"),
    "lesson-attend": _form("lesson", "time"),
    "lesson-complete": _form("lesson"),
    "lesson-claim": _form("lesson"),
    "class-open": _form("start minutes", "pool price asset"),
    "class-attend": _form("class", "student time"),
    # --- money
    "escrow-lock": _form("lesson or tutor sum or pool sum", "until sponsor asset"),
    "escrow-return": _form("earmark"),
    "escrow-withdraw": _form("sum", "asset person"),
    "payout-note": _form("person sum", "about asset bits note"),
    "payout-received": _form("about sum", "person asset"),
    # --- reputation
    "rating-seal": _form("lesson stars", "tags text"),
    "rating-open": _form("lesson"),
    # --- dispute
    "dispute-open": _form("lesson reason"),
    "dispute-offer": _form("lesson", "points", "points"),
    "dispute-accept": _form("offer"),
    "dispute-vote": _form("lesson", "points reason", "points"),
    "dispute-settle": _form("lesson"),
    # --- care
    "consent-withdraw": _form("about", "person"),
    "tutor-clear": _form("tutor until"),
    "person-hold": _form("person", "reason"),
    "person-release": _form("about person"),
    # --- mesh
    "desk-witness": _form("action person", "note"),
}
