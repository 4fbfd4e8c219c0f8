"""Soups about who is who: the mesh, its council and its chain, identities and their recovery."""

from builders import Village
from soup import TX1, TX2, Soup


def mesh() -> Soup:
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


def council() -> Soup:
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


def chain() -> Soup:
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


def identity() -> Soup:
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


def recovery() -> Soup:
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
