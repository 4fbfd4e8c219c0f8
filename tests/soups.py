"""Soups: sets of actions that disagree with one another, by area, for tests that stir them.

Each soup is a base that has to be there, and a handful of actions that compete: concurrent versions, strangers, late
parents, replays, contradictions, and content of the wrong shape. All are valid; what they mean is the fold's business.
"""

from collections.abc import Callable
from dataclasses import dataclass

from builders import START_S, Village

from hubd.action.envelope import Action
from hubd.action.kinds import DRAWS_ON_EARMARK, KINDS, LOCKS, NEEDS_GUARDIAN

TX1, TX2 = b"\x01" * 32, b"\x02" * 32


@dataclass(frozen=True)
class Soup:
    village: Village
    base: list[Action]
    rivals: list[Action]  # the first five are what the exhaustive test permutes

    @property
    def actions(self) -> list[Action]:
        return self.base + self.rivals


def _mesh() -> Soup:
    v = Village(11)
    first = v.announce("hub", uplink=True)
    second = v.announce("hub", previous=first, addresses=["tcp://192.0.2.2:7463"])
    rival = v.announce("hub", previous=first, name="hub again")
    admit, other = v.admit("steward-1", first, 1), v.admit("steward-2", second, 2)
    stranger = v.announce("stranger")
    return Soup(
        v,
        [first, *v.found("elder", 3, uplink=True)],
        [
            second,
            rival,
            other,
            v.retire("steward-2", admit),
            admit,
            v.retire("steward-3", other),
            stranger,
            v.admit("stranger", stranger),
            v.admit("steward-1", stranger, who="hub"),
            v.announce("hub", text={"name": 5}),
            v.announce("hub", text={"name": "x", "curve": b"", "box": b"", "addresses": "here", "uplink": 1}),
            v.seal("hub", "hub-retire", subject=admit, who="hub"),
            v.steward_remove("steward-1", "steward-2"),
            v.steward_remove("steward-3", "steward-2"),
            v.receipt("hub", []),
        ],
    )


def _council() -> Soup:
    v = Village(12)
    announce = v.announce("hub")
    return Soup(
        v,
        [announce, v.admit("newcomer", announce), v.steward_remove("steward-2", "steward-1")],
        [
            v.steward_remove("steward-3", "steward-1"),
            v.steward_remove("steward-1", "steward-2"),
            v.steward_remove("newcomer", "steward-2"),
            v.steward_add("steward-1", "newcomer"),
            v.steward_add("steward-2", "newcomer"),
            v.steward_add("steward-3", "newcomer"),
            v.steward_add("newcomer", "friend"),
            v.steward_add("steward-3", "friend"),
            v.steward_remove("friend", "steward-3"),
            v.steward_remove("newcomer", "steward-3"),
            v.steward_add("stranger", "newcomer"),
            v.steward_remove("steward-3", "steward-3"),
        ],
    )


def _chain() -> Soup:
    v = Village(13)
    book = v.book("ana", "tomas")
    lost = v.withdraw("ana", 5)
    return Soup(
        v,
        [
            *v.found("one", 1, uplink=True),
            *v.found("two", 2, uplink=True),
            *v.found("twin", 2),
            v.register("ana"),
            book,
        ],
        [
            v.receipt("one", [(book, 0)], txid=TX1),
            v.receipt("one", [(book, 601)], txid=TX1),  # equal in rank: the smaller id counts
            v.receipt("two", [(book, 0)], txid=TX1, level=1, burn_height=901, block_time=7),
            v.balance("one", [("ana", None, 10, 0), ("ana", v.hours, 3, 2)]),
            v.balance("one", [("ana", None, 11, 0)]),
            v.receipt("twin", [(book, 0)], txid=TX2, height=200),
            v.receipt("one", [], txid=TX1, level=3, burn_height=902),
            v.receipt("two", [(book, 4), (lost, 701)], txid=TX2, height=200),
            v.receipt("one", [(book, 4), (lost, 0)], txid=TX2, height=201, level=2, burn_height=907),
            v.receipt("stranger", [(book, 0)], txid=TX1),
            v.receipt("one", [], text={"block": b"", "height": -1, "index": 0, "items": []}),
            v.receipt("two", [], text={"height": 1, "balances": []}),
            v.receipt("two", [(book, 0), (book, 1)], txid=TX2),
            v.receipt("two", [(book, 0)], txid=TX2, level=9, burn_height=999),
            v.balance("two", [("ana", None, 10, 0)], height=140, burn_height=901),
            v.balance("twin", [("ana", None, 12, 0)], height=140, burn_height=901),
            v.balance("stranger", [("ana", None, 10**9, 0)], height=10**6),
            v.balance("one", [], text={"height": 1, "balances": [[b"", None, 1, 1]]}),
            *v.found("far", 3),
            v.receipt("far", [(book, 9)], txid=TX1, burn_height=2**63 - 1),
            v.balance("far", [("ana", None, 99, 0)], burn_height=2**63 - 1),
        ],
    )


def _identity() -> Soup:
    v = Village(14)
    born = v.register("ana")
    add = v.key_add("ana", "phone", born)
    further = v.key_add("phone", "tablet", add)
    accept = v.key_accept("phone", add)
    foreign = v.key_add("tomas", "phone", v.register("tomas"))
    by_phone = v.request("phone")
    vouch, steadfast = v.vouch("phone", "tomas"), v.vouch("steward-2", "tomas")
    spare = v.key_add("ana", "spare", add)
    return Soup(
        v,
        [born, add, *v.found("hub", uplink=True)],
        [
            accept,
            v.key_revoke("phone", "ana", born),
            v.key_revoke("ana", "phone", add),
            v.register("ana", roles=4),
            v.register("phone"),
            further,
            v.key_accept("tablet", further),
            v.key_revoke("tablet", "phone", add),
            v.register("tomas"),
            foreign,
            v.key_accept("phone", foreign),
            by_phone,
            v.match_offer("tomas", by_phone, who="ana"),
            vouch,
            v.vouch_withdraw("ana", vouch),
            v.vouch("steward-1", "ana"),
            steadfast,
            v.match_offer("tomas", by_phone, 70, who="ana"),
            v.vouch("tomas", "ana"),
            v.vouch_withdraw("steward-2", steadfast),
            spare,
            v.key_accept("spare", spare),
            v.vouch("spare", "tomas", how=2),
            v.offer("spare"),
            v.vouch("ana", "ana"),
            v.vouch("stranger", "ana"),
            v.receipt("hub", [(add, 0), (by_phone, 0)]),
            v.seal("ana", "content-erase", subject=by_phone),
            v.seal("tomas", "content-erase", subject=by_phone),
            v.key_add("ana", "ana", born),
        ],
    )


def _market() -> Soup:
    v = Village(15)
    offer = v.offer("tomas")
    newer, rival = v.offer("tomas", 70, previous=offer), v.offer("tomas", 80, previous=offer)
    request = v.request("ana")
    match, dear = v.match_offer("tomas", request), v.match_offer("tomas", request, 90)
    return Soup(
        v,
        [v.register("ana"), v.register("tomas"), request],
        [
            newer,
            rival,
            v.offer_withdraw("tomas", newer),
            v.match_accept("ana", match),
            match,
            offer,
            v.offer_withdraw("ana", rival),
            v.offer("tomas", 50, asset=None),
            v.offer("ana", 50, previous=offer),
            dear,
            v.match_accept("ana", dear, amount=1),
            v.match_accept("tomas", dear),
            v.book("ana", "tomas", 90, subject=dear.id),
            v.request_close("tomas", request),
            v.request_close("ana", request),
            v.match_offer("ana", request),
            v.match_offer("stranger", request),
            v.request("stranger"),
        ],
    )


def _lesson() -> Soup:
    v = Village(16)
    thread = v.thread("ana", "tomas")
    book, (mine, theirs) = thread.book, thread.attends
    stranger = v.attend("stranger", book, "ana")
    flattery = v.rating_open("ana", book, "tomas", 5, tags=3)
    return Soup(
        v,
        [v.register("ana"), v.register("tomas"), *v.found("hub", uplink=True), book],
        [
            thread.confirm,
            mine,
            theirs,
            v.cancel("ana", book),
            thread.complete,
            v.decline("tomas", book),
            v.confirm("tomas", book, amount=1),
            v.confirm("ana", book),
            v.confirm("tomas", book),
            stranger,
            v.attend("tomas", stranger, "ana"),
            v.attend("ana", theirs, "tomas"),
            v.attend("ana", mine, "tomas"),
            v.complete("tomas", book),
            v.book("ana", "ana"),
            v.receipt("hub", [(action, 0) for action in thread.chained[:3]]),
            v.receipt("hub", [(thread.chained[3], 610), (thread.complete, 607)], txid=TX2),
            *thread.seals,
            *thread.opens,
            flattery,
            v.rating_seal("ana", flattery),
            v.rating_open("tomas", book, "ana", 9),
            v.rating_open("stranger", book, "tomas", 1),
            v.seal("ana", "kind-of-tomorrow", subject=book),
            v.seal("ana", "lesson-attend", subject=book),
        ],
    )


def _ends() -> Soup:
    """Moves, a guardian's word, and every way for a lesson to end."""
    v = Village(18)
    book = v.book("ana", "tomas", bits=60 | LOCKS | NEEDS_GUARDIAN)
    later, sooner = v.move("tomas", book), v.move("ana", book, START_S - 60, 30)
    agreed = v.agree("ana", later)
    again = v.move("tomas", later, START_S + 9)
    claim, cancel = v.claim("stranger", book), v.cancel("ana", book)
    confirm = v.confirm("tomas", book, moment=later.statement.moment)
    mine = v.attend("ana", book, "tomas")
    return Soup(
        v,
        [*map(v.register, ("ana", "tomas", "bibi")), *v.found("hub", uplink=True), v.guardian_set("ana", "bibi"), book],
        [
            later,
            agreed,
            sooner,
            v.agree("tomas", sooner),
            confirm,
            v.confirm("bibi", book, moment=later.statement.moment, bits=2),
            v.confirm("bibi", book, bits=2),
            v.confirm("tomas", book),
            again,
            v.agree("ana", again),
            v.agree("tomas", later),
            v.move("stranger", book),
            cancel,
            v.cancel("tomas", book),
            v.decline("tomas", book),
            mine,
            v.attend("tomas", mine, "ana"),
            claim,
            v.void("ana", book),
            v.void("tomas", book),
            v.receipt("hub", [(book, 0), (agreed, 0), (cancel, 606)]),
            v.receipt("hub", [(claim, 0), (mine, 0)], txid=TX2),
        ],
    )


def _dispute() -> Soup:
    v = Village(19)
    thread = v.thread("ana", "tomas")
    book = thread.book
    opening, rival = v.dispute("ana", book), v.dispute("tomas", book, 2)
    offer, other = v.dispute_offer("ana", book, 2_000), v.dispute_offer("tomas", book, 9_000)
    mediated = v.dispute_offer("elder", book, 5_000)
    votes = [v.dispute_vote(name, book, points) for name, points in (("elder", 1), ("sage", 7), ("mzee", 7))]
    takes = [v.dispute_accept("ana", mediated), v.dispute_accept("tomas", mediated)]
    settle = v.dispute_settle("stranger", book)
    return Soup(
        v,
        [*map(v.register, ("ana", "tomas", "elder", "sage", "mzee")), *v.found("hub", uplink=True), book],
        [
            opening,
            v.receipt("hub", [(book, 0), (opening, 0), (mediated, 0), *((take, 0) for take in takes)]),
            mediated,
            takes[0],
            takes[1],
            thread.confirm,
            rival,
            offer,
            other,
            v.dispute_accept("tomas", offer),
            v.dispute_accept("ana", offer),
            v.dispute_accept("elder", other),
            v.dispute_offer("ana", book, 10_001),
            v.dispute_offer("tomas", other, 8_000),
            v.dispute_offer("ana", other, 8_000),
            *votes,
            settle,
            v.receipt("hub", [(vote, 0) for vote in votes[1:]], txid=TX2),
            v.receipt("hub", [(settle, 0)], txid=b"\x03" * 32),
            thread.complete,
            *thread.attends,
            v.cancel("tomas", book),
        ],
    )


def _money() -> Soup:
    v = Village(20)
    earmark = v.earmark("ana", "tomas")
    bits = 60 | DRAWS_ON_EARMARK
    drawing, dear = v.book("ana", "tomas", 60, bits=bits, subject=earmark.id), v.book("ana", "tomas", 70, bits=60)
    lock, back = v.lock("bibi", 70, subject=dear), v.give_back("tomas", earmark)
    taught = v.class_open("tomas", b"\x09" * 32, 5)
    cancel = v.cancel("tomas", drawing)
    there = v.class_attend("ana", taught)
    return Soup(
        v,
        [*map(v.register, ("ana", "tomas", "bibi")), *v.found("hub", uplink=True)],
        [
            earmark,
            v.receipt("hub", [(earmark, 0), (drawing, 0), (there, 0)]),
            drawing,
            back,
            cancel,
            v.receipt("hub", [(cancel, 0), (lock, 0), (dear, 0), (back, 0)], txid=TX2),
            dear,
            lock,
            v.lock("tomas", 70, subject=dear),
            v.lock("ana", 71, subject=dear),
            v.lock("ana", 70, 1, b"\x09" * 32, who="bibi"),
            v.earmark("ana", "ana"),
            v.give_back("bibi", lock),
            v.give_back("stranger", earmark),
            v.book("ana", "tomas", 9, bits=bits | LOCKS),
            taught,
            there,
            v.class_attend("ana", taught),
            v.class_attend("bibi", taught),
            v.class_attend("tomas", taught),
            v.class_attend("tomas", taught, who="ana"),
            v.class_attend("tomas", taught, who="chi"),
            v.cancel("ana", dear),
        ],
    )


def _recovery() -> Soup:
    v = Village(21)
    born = v.register("ana")
    add = v.key_add("ana", "phone", born)
    opening = v.recovery_open("fresh", "ana")
    stolen = v.recovery_open("thief", "ana")
    finish, other = v.recovery("finish", "stranger", opening), v.recovery("finish", "thief", stolen)
    spare = v.key_add("fresh", "spare", opening)
    first = v.guardian_set("ana", "bibi")
    return Soup(
        v,
        [born, *map(v.register, ("bibi", "tomas")), *v.found("hub", uplink=True), add, v.key_accept("phone", add)],
        [
            v.receipt("hub", [(finish, 0)]),
            finish,
            opening,
            spare,
            v.key_accept("spare", spare),
            v.key_revoke("ana", "fresh", opening),
            v.key_revoke("spare", "phone", add),
            v.key_revoke("fresh", "spare", spare),
            v.request("fresh"),
            v.request("phone"),
            v.recovery("approve", "bibi", opening),
            v.recovery("approve", "tomas", opening),
            v.recovery("cancel", "ana", stolen),
            v.recovery("cancel", "fresh", stolen),
            stolen,
            other,
            v.receipt("hub", [(other, 0)], txid=TX2, height=200),
            first,
            v.guardian_set("ana", "tomas", first, 1, amount=2),
            v.guardian_set("ana", None, first, amount=3),
            v.guardian_set("fresh", "tomas", opening, 4),
            v.guardian_set("ana", "ana", first),
            v.guardian_set("ana", "bibi", first, 5),
            v.key_add("thief", "lodger", stolen),
        ],
    )


SOUPS: dict[str, Callable[[], Soup]] = {
    "mesh": _mesh,
    "council": _council,
    "chain": _chain,
    "identity": _identity,
    "market": _market,
    "lesson": _lesson,
    "ends": _ends,
    "dispute": _dispute,
    "money": _money,
    "recovery": _recovery,
}


PEOPLE = ("ana", "tomas", "phone", "steward-1", "steward-2", "hub")
Drawn = tuple[str, str, int, str, int, int, int]  # kind, author, index of the subject, who, and three small numbers


def stir(village: Village, drawn: list[Drawn]) -> list[Action]:
    """Actions of any kinds by a handful of people about one another's, their columns mostly in order."""
    actions: list[Action] = []
    for kind, author, about, who, amount, bits, moment in drawn:
        row = KINDS[kind]
        fields = {
            "subject": actions[-1 - about % len(actions)] if actions else b"\x07" * 32,
            "who": who,
            "amount": amount,
            "bits": bits,
            "moment": moment,
            "asset": village.hours,
        }
        fields = {name: value for name, value in fields.items() if row.columns[name].meaning}
        actions.append(village.seal(author, kind, text=_text(village, kind, actions, amount, bits), **fields))
    return actions


def _text(village: Village, kind: str, actions: list[Action], height: int, code: int) -> dict | None:
    """Content for the kinds that the fold reads."""
    if kind == "hub-announce":
        return {"name": "hub", "curve": bytes(32), "box": bytes(32), "addresses": [], "uplink": bool(code % 2)}
    if kind == "relay-receipt":
        items = [[bytes(action.id), code] for action in actions[-6:]]
        return {"block": bytes(32), "height": height, "index": 0, "items": items}
    if kind == "relay-balance":
        return {"height": height, "balances": [[bytes(village.principal("ana")), None, height, code]]}
    return {} if KINDS[kind].columns["content"].meaning else None
