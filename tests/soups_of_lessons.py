"""Soups about what people do together: the market, lessons and their ends, disputes and money."""

from builders import START_S, Village
from soup import TX2, Soup

from hubd.action.kinds import DRAWS_ON_EARMARK, LOCKS, NEEDS_GUARDIAN


def market() -> Soup:
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


def lesson() -> Soup:
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


def ends() -> Soup:
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


def dispute() -> Soup:
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


def money() -> Soup:
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
