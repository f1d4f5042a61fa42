"""The letter that brings the receipt to whoever left an address."""

from sqlalchemy import select

from crowdfund.campaigns import giving, lifecycle, receipts, returning
from marketplace.core.db import db, in_transaction
from marketplace.notifications.models import Message
from tests.campaigns.conftest import Fund


def letters() -> list[tuple[str, str, str]]:
    db.session.rollback()
    return [(row.fact, row.address, row.text) for row in db.session.scalars(select(Message).order_by(Message.id))]


def test_the_receipt_goes_to_the_address_once_and_in_the_givers_language(fund: Fund) -> None:
    campaign = fund.open()
    gift = fund.give(campaign, 2250, contact="a@example.test", language="zh_CN")
    english = fund.give(campaign, 660, contact="13835172045", language="en")
    fund.give(campaign, 660)
    fund.work()

    (fact, address, text), (_fact, other, said) = letters()
    number, _code = receipts.of(db.session(), contribution=gift) or ("", "")
    assert (fact, address, other) == (f"gift_received:{gift}", "a@example.test", "13835172045")
    assert "¥22.50" in text and number in text and f"/campaigns/{campaign}/gifts/{giving.link_token(gift)}" in text
    assert said.startswith("Your ¥6.60 has reached") and giving.link_token(english) in said


def test_a_gift_that_went_back_before_the_letter_was_written_gets_none(fund: Fund) -> None:
    campaign = fund.open()
    gift = fund.begin(campaign, 660, contact="a@example.test")
    fund.pay(gift)
    fund.arrive(gift)
    in_transaction(lifecycle.cancel, campaign=campaign, person=fund.officer.id, why="over")
    returning.return_page(campaign=campaign)
    fund.work()
    assert [fact for fact, _address, _text in letters() if fact.startswith("gift_received")] == []
