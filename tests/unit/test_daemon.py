import subprocess
import sys
from dataclasses import replace

from builders import Village

from hubd.daemon import one_hub_per_key
from hubd.fold.folder import fold

VILLAGE = Village(seed=3)
ACTIONS = [action for number, name in enumerate(("a", "b", "c"), 1) for action in VILLAGE.found(name, number)]
HUBS = [fold(VILLAGE.charter, ACTIONS).hubs[VILLAGE.principal(name)] for name in ("a", "b", "c")]


def test_every_hub_with_a_key_of_its_own_is_a_neighbour():
    assert one_hub_per_key(HUBS, {}) == HUBS


def test_a_hub_that_announces_anothers_key_takes_nobodys_place_in_whatever_order_it_is_listed():
    a, b, c = HUBS
    owners = {}
    one_hub_per_key(HUBS, owners)
    thief = replace(c, curve=a.curve)
    assert one_hub_per_key([thief, a, b], owners) == [a, b]
    assert one_hub_per_key([a, b, thief], {}) == [a, b], "founders are listed first"


def test_a_key_is_free_again_when_its_owner_left_it():
    a, b, c = HUBS
    owners = {}
    one_hub_per_key(HUBS, owners)
    renewed = replace(a, curve=b"n" * 32)
    assert one_hub_per_key([renewed, b, replace(c, curve=a.curve)], owners) == [renewed, b, replace(c, curve=a.curve)]
    assert one_hub_per_key([b, replace(c, curve=renewed.curve)], owners) == [b, replace(c, curve=renewed.curve)]


def test_a_hub_without_an_uplink_reads_no_http_client():
    said = "import sys, hubd.daemon; print('httpx' in sys.modules or 'hubd.relay.driver' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", said], text=True).strip() == "False"


def test_an_uplink_reads_its_http_client_only_when_it_runs():
    said = "import sys, hubd.daemon, hubd.uplink; print('httpx' in sys.modules or 'hubd.relay.driver' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", said], text=True).strip() == "False"
