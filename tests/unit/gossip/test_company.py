"""Whether a hub has company enough."""

from hubd.gossip.company import Company
from hubd.limits import COMPANY_HUBS_MIN, COMPANY_SHORT_S


def test_a_hub_that_is_alone_with_one_neighbour_for_a_while_says_so_once_and_when_it_is_over():
    company = Company()
    assert not company.look(1, 5, 0)
    assert not company.look(1, 5, COMPANY_SHORT_S - 1)
    assert company.look(1, 5, COMPANY_SHORT_S)
    assert company.trouble == "few-peers"
    assert not company.look(1, 5, COMPANY_SHORT_S + 500)
    assert company.look(COMPANY_HUBS_MIN, 5, COMPANY_SHORT_S + 501)
    assert company.trouble == ""


def test_a_short_absence_is_no_trouble():
    company = Company()
    for now in range(0, 10 * COMPANY_SHORT_S, COMPANY_SHORT_S // 2):
        assert not company.look(now // (COMPANY_SHORT_S // 2) % 2 * 2, 5, now)


def test_a_mesh_of_two_hubs_needs_one_link_and_a_mesh_of_one_none():
    for known in (0, 1):
        company = Company()
        for now in (0, COMPANY_SHORT_S * 2):
            assert not company.look(known, known, now)
