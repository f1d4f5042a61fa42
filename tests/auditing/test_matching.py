"""The independent reader of matching funds: silent where all is well, naming what is not."""

from collections.abc import Iterator

import pytest
from flask import Flask

from marketplace.auditing import matching
from marketplace.core.db import db, in_transaction
from tests.auditing.test_giving import named
from tests.campaigns.conftest import Fund
from tests.campaigns.matching.conftest import open_fund, opened, promise
from tests.campaigns.matching.test_matching import send_back
from tests.factories import make_person

OF_ONE = "id = (SELECT MIN(id) FROM gift_match)"
TAMPERING: tuple[tuple[str, str], ...] = (
    ("funds' accounts belong to funds", "UPDATE ledger_account SET owner = 'nobody' WHERE kind = 'matching'"),
    ("funds have what was paid in", "UPDATE matching_fund SET received_fen = received_fen - 1 WHERE state = 'active'"),
    ("funds have what was paid in", "UPDATE attempt SET is_surplus = TRUE WHERE purpose = 'matching_fund'"),
    ("money that came in has a fund", "UPDATE entry SET key = 'match_in:nobody' WHERE kind = 'match_in'"),
    ("funds' sums are those of the books", "UPDATE matching_fund SET matched_fen = matched_fen - 1 WHERE matched_fen > 0"),
    ("funds' sums are those of the books", "UPDATE matching_fund SET gone_fen = 1 WHERE state = 'active'"),
    ("matches are booked from their fund to its campaign", f"UPDATE gift_match SET fen = fen + 1 WHERE {OF_ONE}"),
    (
        "matches are booked from their fund to its campaign",
        "UPDATE ledger_account SET owner = 'other' WHERE kind = 'restricted'",
    ),
    ("entries of matches have their gift", f"DELETE FROM gift_match WHERE {OF_ONE}"),
    ("matches that came back are booked", "UPDATE gift_match SET returned_fen = 0"),
    ("matches that came back are booked", "UPDATE gift_match SET returns = returns + 1 WHERE returned_fen > 0"),
    ("matches that came back are booked", "DELETE FROM gift_match WHERE returned_fen > 0"),
    ("only received gifts of its campaign are matched", "UPDATE contribution SET state = 'pending'"),
    ("only received gifts of its campaign are matched", "UPDATE contribution SET campaign_id = campaign_id + 1"),
    ("matches keep the rate and the cap of a gift", "UPDATE matching_fund SET gift_cap_fen = 1"),
    ("matches keep the rate and the cap of a gift", "UPDATE matching_fund SET rate_percent = 49"),
    ("matches keep the cap of a giver", "UPDATE matching_fund SET giver_cap_fen = 100"),
    ("matches are counted for whoever gave", "UPDATE gift_match SET giver = 'person:999' WHERE giver LIKE 'person:%'"),
    ("matches are counted for whoever gave", "UPDATE gift_match SET giver = '' WHERE giver LIKE 'contact:%'"),
    (
        "no fund matches its sponsor",
        "UPDATE matching_fund SET person_id = (SELECT MAX(person_id) FROM contribution)",
    ),
    (
        "no fund matches its sponsor",
        "UPDATE matching_fund SET contact_key = (SELECT MAX(giver) FROM gift_match WHERE giver LIKE 'contact:%')",
    ),
    ("what went back took its match along", "UPDATE gift_match SET fen = fen + 9 WHERE returned_fen > 0"),
    ("what is noted as spent was spent", f"UPDATE gift_match SET spent_fen = 1 WHERE {OF_ONE}"),
    ("funds are where their money says", "UPDATE matching_fund SET state = 'exhausted' WHERE state = 'active'"),
    ("funds are where their money says", "UPDATE matching_fund SET state = 'funded' WHERE state = 'draft'"),
    ("two people opened each fund", "UPDATE event SET actor = 'person:999' WHERE subject LIKE 'matching_fund:%'"),
    ("rows of matches are those of the books", "UPDATE public_row SET who = 'somebody else' WHERE kind = 'match'"),
    ("rows of matches are those of the books", "UPDATE public_row SET kind = 'gift' WHERE kind = 'match'"),
    ("states have traces", "UPDATE matching_fund SET state = 'closed' WHERE state = 'active'"),
    (
        "no account is overdrawn",
        "UPDATE line SET amount = amount * 3 WHERE entry_id IN (SELECT id FROM entry WHERE kind = 'match')",
    ),
)


@pytest.fixture
def matched(real_app: Flask) -> Iterator[Fund]:
    """A fund that has matched gifts of an account, of an address and of nobody known, one of which went back in part;
    and one that waits for its money."""
    for fund in opened(real_app):
        campaign, person = fund.open(), make_person()
        open_fund(fund, campaign, 1000, rate=50)
        fund.give(campaign, 300, person_id=person.id)
        fund.give(campaign, 300, contact="wang@example.test")
        gift = fund.give(campaign, 300)
        in_transaction(send_back, gift, campaign, 100)
        promise(fund, fund.open())
        fund.work()
        db.session.remove()
        yield fund


@pytest.mark.full
def test_an_honest_fund_has_no_differences_and_whatever_was_tampered_with_is_named(matched: Fund) -> None:
    assert named() == set()
    assert [(check, sql) for check, sql in TAMPERING if check not in named(sql)] == []


def test_each_check_is_proved() -> None:
    assert {check.name for check in matching.FUNDS} <= {check for check, _sql in TAMPERING}
