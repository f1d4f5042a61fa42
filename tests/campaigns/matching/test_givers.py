"""Who is the same giver, and who is the sponsor."""

from typing import Any

from marketplace.accounts import people
from marketplace.accounts.models import Person
from marketplace.core.db import db
from tests.campaigns.conftest import Fund
from tests.campaigns.matching.conftest import CONTACT, differences, matches_of, open_fund
from tests.factories import make_person


def test_a_giver_is_an_account_else_an_address_else_nobody_known(fund: Fund) -> None:
    campaign, person = fund.open(), make_person()
    opened = open_fund(fund, campaign, giver_cap=1000, gift_cap=700)
    for giver in (
        {"person_id": person.id},
        {"person_id": person.id, "contact": "another@example.test"},  # the account counts
        {"contact": "Wang@Example.test"},
        {"contact": "wang@example.test"},
        {"contact": "13835172045"},
        {"contact": "138 3517 2045"},
        {},
        {},
    ):
        fund.give(campaign, 900, **giver)
    assert matches_of(opened) == [700, 300] * 3 + [700, 700]
    assert differences(fund) == []


def add_phone(person: Person, phone: str) -> None:
    person.phone, person.phone_fingerprint = phone, people.address_fingerprint(phone)
    db.session.commit()


def test_signing_out_is_no_way_round_a_givers_cap(fund: Fund) -> None:
    campaign, person = fund.open(), make_person()
    add_phone(person, "13835172045")
    known: list[dict[str, Any]] = [{"person_id": person.id}, {"contact": person.email}, {"contact": "138 3517 2045"}]
    opened = open_fund(fund, campaign, giver_cap=1000)
    for giver in (*known, *known):
        fund.give(campaign, 400, **giver)
    assert matches_of(opened) == [400, 400, 200]
    fund.give(campaign, 400, contact="somebody@example.test")
    assert matches_of(opened) == [400, 400, 200, 400]
    assert differences(fund) == []


def test_the_sponsors_own_gifts_are_not_matched(fund: Fund) -> None:
    campaign, sponsor, friend = fund.open(), make_person(), make_person(address=CONTACT)
    add_phone(friend, "13835172045")
    opened = open_fund(fund, campaign, person_id=sponsor.id)
    for own in (
        {"person_id": sponsor.id},
        {"contact": CONTACT.upper()},
        {"person_id": friend.id},
        {"contact": sponsor.email},
        {"contact": "138 3517 2045"},  # of the account that has the address
    ):
        fund.give(campaign, 100, **own)
    assert matches_of(opened) == []
    fund.give(campaign, 100, contact="somebody@example.test")
    assert matches_of(opened) == [100]
    assert differences(fund) == []
