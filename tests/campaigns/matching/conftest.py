"""A campaign with a sponsor, whose money comes in by the cashier like everybody's."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from crowdfund.campaigns.matching import funds, paying_in
from crowdfund.campaigns.matching.funds import Terms
from crowdfund.campaigns.matching.models import GiftMatch, MatchingFund
from crowdfund.campaigns.models import Contribution
from crowdfund.campaigns.states import FundState
from marketplace.auditing.checks import Difference
from marketplace.core.db import db, in_transaction
from marketplace.core.money import Money
from marketplace.ledger import books
from marketplace.payments import attempts
from marketplace.payments.gateways import gateways
from tests import cashiers
from tests.campaigns.conftest import Fund, build_fund
from tests.campaigns.plans import conftest as monthly

SPONSOR = "晋南示例农机厂"
CONTACT = "boss@example.test"


def promise(fund: Fund, campaign: str, total: int = 10_000, **given: Any) -> str:
    """A draft that doubles gifts, without caps but the whole."""
    gift_cap, giver_cap = (Money(given.pop(name, total)) for name in ("gift_cap", "giver_cap"))
    terms = Terms(given.pop("rate", 100), gift_cap, giver_cap, Money(total))
    said: dict[str, Any] = {"sponsor": SPONSOR, "contact": CONTACT, "terms": terms, "owner_id": fund.officer.id} | given
    return in_transaction(funds.draft, campaign=campaign, **said)


def pay_in(fund: Fund, promised: str, outcome: str = "succeeded", person_id: int | None = None) -> None:
    """At the cashier's, until everything has arrived."""
    attempt = in_transaction(paying_in.start, fund=promised, person_id=person_id)
    attempts.submit(attempt, return_url="/", description="fund")
    fund.cashier.decide(fund.remote_of(promised), outcome)
    fund.work()


def paid_in(fund: Fund, campaign: str, total: int = 10_000, **given: Any) -> str:
    person = given.pop("person_id", None)
    promised = promise(fund, campaign, total, **given)
    pay_in(fund, promised, person_id=person)
    return promised


def open_fund(fund: Fund, campaign: str, total: int = 10_000, **given: Any) -> str:
    """Paid in, and opened by the other officer."""
    promised = paid_in(fund, campaign, total, **given)
    in_transaction(funds.activate, fund=promised, person=fund.approver.id)
    return promised


def get_fund(fund: str) -> MatchingFund:
    db.session.rollback()
    return db.session.scalars(select(MatchingFund).where(MatchingFund.public_id == fund)).one()


def standing(fund: str) -> tuple[FundState, int, int, int]:
    """(state, fen that gifts have, fen that are gone, fen in its account by the books)."""
    row = get_fund(fund)
    return row.state, row.matched_fen, row.gone_fen, -books.balance(db.session(), "matching", fund, book="test")


def matches_of(fund: str) -> list[int]:
    """What each gift still has, in the order in which they came."""
    db.session.rollback()
    mine = select(GiftMatch.fen - GiftMatch.returned_fen).join(MatchingFund, MatchingFund.id == GiftMatch.fund_id)
    return list(db.session.scalars(mine.where(MatchingFund.public_id == fund).order_by(GiftMatch.id)))


def match_of(gift: str) -> GiftMatch | None:
    db.session.rollback()
    mine = select(GiftMatch).join(Contribution, Contribution.id == GiftMatch.contribution_id)
    return db.session.scalar(mine.where(Contribution.public_id == gift))


def differences(fund: Fund) -> list[Difference]:
    """What the auditor finds in books that are rolled back."""
    return monthly.differences(monthly.Monthly(fund))


def opened(app: Flask) -> Iterator[Fund]:
    cashiers.opened(gateways().get("sandbox"))
    yield (built := build_fund(app))
    built.cashier.storage.dispose()


@pytest.fixture
def fund(app: Flask) -> Iterator[Fund]:
    """One whose books are rolled back."""
    yield from opened(app)


@pytest.fixture
def real_fund(real_app: Flask) -> Iterator[Fund]:
    yield from opened(real_app)
