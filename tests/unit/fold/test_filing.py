"""Shelves: where actions stand, and in which order they are handed out."""

from builders import Village, erased

from hubd.fold.filing import Shelves, offer_key, places, row_key


def _places(action):
    return [place for place, _ in places(action)]


def test_an_action_stands_under_its_subject_on_the_shelf_of_its_kind():
    village = Village()
    book = village.book("ana", "tomas")
    assert _places(book) == []
    assert _places(village.confirm("tomas", book)) == [("lesson-confirm", book.id)]


def test_kinds_that_are_sought_otherwise_stand_on_further_shelves():
    village = Village()
    ana, tomas = village.principal("ana"), village.principal("tomas")
    announce, admit = village.found("hub")
    assert _places(village.register("ana")) == [("user-register/by", ana)]
    assert _places(village.vouch("ana", "tomas")) == [("vouch-give/who", tomas)]
    assert _places(village.offer("ana")) == [("offer-set/asset", offer_key(ana, village.hours))]
    assert _places(admit) == [
        ("hub-admit", announce.id),
        ("hub-admit/by", village.principal("steward-1")),
        ("hub-admit/who", village.principal("hub")),
    ]


def test_receipts_and_balances_stand_under_what_they_name():
    village = Village()
    items = [(b"\x07" * 32, 0), (b"\x08" * 32, 0)]
    receipt = village.receipt("hub", items, txid=b"\x01" * 32)
    hub = village.principal("hub")
    rows = [("relay-receipt", b"\x01" * 32), ("relay-report/by", hub)]
    rows += [("relay-receipt/item", items[0][0]), ("relay-receipt/item", items[1][0])]
    assert _places(receipt) == rows
    balance = village.balance("hub", [("ana", None, 1, 0)])
    assert _places(balance) == [
        ("relay-report/by", hub),
        ("relay-balance/row", row_key(village.principal("ana"), None)),
    ]


def test_unknown_kinds_and_content_of_the_wrong_shape_stand_nowhere():
    village = Village()
    assert _places(village.seal("ana", "kind-of-tomorrow", subject=b"\x01" * 32)) == []
    assert _places(village.balance("hub", [], text={"height": "high"})) == []


def test_keys_of_balances_never_meet():
    contract, asset = b"\x1a" + bytes(20) + b"vault", b"\x1a" + bytes(20)
    assert row_key(contract, None) != row_key(contract[:21], b"vault")
    assert row_key(contract[:21], asset) != row_key(contract[:21] + asset, None)


def test_one_author_is_handed_out_alone_best_rank_first_and_ties_by_id():
    village = Village()
    receipts = [village.receipt("hub", [], burn_height=burn, level=level) for burn, level in ((5, 0), (7, 0), (7, 2))]
    twins = [village.receipt("hub", [], burn_height=6, level=1) for _ in range(5)]
    shelves = Shelves()
    others = [f"other {n}" for n in range(6)]
    for action in [*receipts, *twins, *(village.receipt(name, [], burn_height=99) for name in others)]:
        shelves.file(action)
    found = list(shelves.filed("relay-receipt", b"\x01" * 32, village.principal("hub")))
    assert found == [receipts[2], receipts[1], *sorted(twins, key=lambda action: action.id), receipts[0]]
    everybody = sorted(village.principal(name) for name in ["hub", *others])
    assert shelves.authors("relay-receipt", b"\x01" * 32) == everybody


def test_an_action_is_filed_once():
    village = Village()
    shelves, close = Shelves(), village.request_close("ana", village.request("ana"))
    assert shelves.file(close)
    assert not shelves.file(close)
    assert len(shelves) == 1
    assert close.id in shelves


def test_content_that_no_rule_reads_is_not_kept():
    village = Village()
    shelves = Shelves()
    photo = village.seal("ana", "profile-set", text={"photo": b"\xff" * 2_000})
    announce = village.announce("hub")
    for action in (photo, announce):
        shelves.file(action)
    kept = {action.id: action.content for action in shelves.actions()}
    assert kept == {photo.id: None, announce.id: announce.content}


def test_anchored_content_that_comes_later_is_filed_then_and_once():
    village = Village()
    receipt = village.receipt("hub", [(b"\x07" * 32, 0)])
    shelves = Shelves()
    assert shelves.file(erased(receipt)) == [("relay-receipt", b"\x01" * 32)]
    assert not shelves.file(erased(receipt))
    assert shelves.file(receipt) == _places(receipt)
    assert not shelves.file(erased(receipt))
    for shelf, key in _places(receipt):
        assert list(shelves.filed(shelf, key, village.principal("hub"))) == [receipt]
