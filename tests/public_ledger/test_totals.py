"""Sums of campaigns: right at any moment, whether their rows are sealed, wait, or came in later than their number says."""

from sqlalchemy import select

from crowdfund.campaigns import totals
from crowdfund.campaigns.models import Campaign
from marketplace.core.db import db, in_transaction
from tests.public_ledger.conftest import Giving
from tests.public_ledger.test_receipts import give, send_back

NAMES = ("raised", "spent", "returned", "gifts", "rows")


def told(campaign: Campaign, book: str = "test", only: int | None = None) -> tuple[int, ...] | None:
    db.session.rollback()
    sums = totals.sums(book, only)
    row = db.session.execute(select(*(sums.c[name] for name in NAMES)).where(sums.c.campaign_id == campaign.id)).first()
    return tuple(map(int, row)) if row else None


def test_sums_are_the_same_before_and_after_the_seal(giving: Giving) -> None:
    books, lights = giving.campaign(), giving.campaign()
    gift = in_transaction(give, books.public_id, fen=2000)
    giving.gift(lights, 7)
    assert told(books) == (2000, 0, 0, 1, 1)
    giving.seal()
    assert told(books) == (2000, 0, 0, 1, 1)
    giving.pay_out(books, 815)
    giving.gift(books, 1)
    in_transaction(send_back, gift, 300)

    for _moment in ("some rows wait", "all are sealed"):
        assert told(books) == told(books, only=books.id) == (1701, 815, 300, 2, 4)
        assert told(lights) == (7, 0, 0, 1, 1)
        assert told(lights, only=books.id) is None
        assert told(books, "live") is None
        assert totals.raised(db.session(), books.id, "test") == 1701
        giving.seal()


def test_a_campaign_that_got_nothing(giving: Giving) -> None:
    campaign = giving.campaign()
    assert told(campaign) is None and totals.raised(db.session(), campaign.id, "test") == 0
