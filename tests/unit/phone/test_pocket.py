"""Which bundles a full pocket lets go."""

from builders import Village

from hubd.action import cbor
from hubd.phone.carry import Carrier
from hubd.phone.outbox import Outbox
from hubd.phone.pocket import Pocket

PLACE = "0000000000000000.{}.0000000000000000"


class Deferring:
    """A hub that takes the later of two bundles alone, and has one for the pocket."""

    async def bring_post(self, _body):
        return cbor.encode([b"receipt", [[1, 0, 1], [1, 1, 0]]])

    async def fetch_post(self, *_of):
        return cbor.encode([b"d" * 100, PLACE.format(0), PLACE.format(1), False])


async def test_a_bundle_that_no_hub_took_stays_where_a_later_one_of_another_hub_arrived(tmp_path):
    village = Village(1)
    first, second, visited = (village.principal(name) for name in ("hub-a", "hub-b", "hub-d"))
    outbox, pocket = await Outbox.open(tmp_path / "outbox.sqlite3"), Pocket(tmp_path)
    for hub in (first, second):
        pocket.put(hub, PLACE.format(1), bytes(100), 0)
    report = await Carrier(pocket, outbox, Deferring(), visited, 250).run()
    await outbox.close()
    assert (report.brought, report.deferred, report.fetched, report.reason) == (1, 1, 1, "")
    assert [each.hub for each in pocket.bundles()] == [first, visited]
