"""What tests of promotions do again and again: make one and let it go live; order goods with it; pay."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.money import Money
from marketplace.orders import paying
from marketplace.orders.models import Order, OrderLine, Parcel
from marketplace.orders.promotions import ending, making
from marketplace.orders.promotions.making import Terms
from marketplace.orders.promotions.models import Promotion
from marketplace.orders.promotions.states import Kind
from marketplace.orders.quoting import Quote, quote
from marketplace.orders.states import ParcelState as S
from marketplace.payments import outcomes
from marketplace.payments.gateways import RemotePayment
from marketplace.payments.models import Attempt
from marketplace.payments.states import AttemptState
from tests import factories
from tests.properties.trading import as_if_asked

TEN_OFF: dict[str, Any] = {"kind": Kind.AMOUNT, "amount_fen": 1000}


def promotion(*, seller: str | None = None, is_live: bool = True, **terms: Any) -> str:
    """Of the province unless `seller` is named; for a week, ¥1,000 at most. Returns its public id."""
    today = clock.today()
    common: dict[str, Any] = {"name_zh": "新秋", "name_en": "New autumn", "code": "XINQIU", "budget_fen": 100_000}
    days = {"first_day": today, "last_day": today + timedelta(days=6)}
    found = common | days | TEN_OFF | terms
    maker = factories.make_person("seller" if seller else "operator")
    made = in_transaction(making.make, terms=Terms(**found), person_id=maker.id, seller=seller)
    if is_live:
        in_transaction(ending.submit, promotion=made, seller=seller, person_id=maker.id)
        if seller is None:
            in_transaction(ending.approve, promotion=made, person_id=factories.make_person("operator").id)
    return made


def row_of(public_id: str) -> Promotion:
    db.session.rollback()
    return db.session.scalars(select(Promotion).where(Promotion.public_id == public_id)).one()


def quoted(*goods: tuple[Any, int]) -> Quote:
    """Of these offers; without a tariff, so without shipping."""
    return quote([(offer.variant, packs, 0) for offer, packs in goods], {offer.variant: offer for offer, _packs in goods})


def pay(number: str) -> None:
    """As if the cashier had said so, early or late."""
    db.session.rollback()
    wanted = select(Attempt).where(Attempt.reference == number).order_by(Attempt.id.desc())
    row = db.session.scalars(wanted.limit(1)).one()
    if row.state is AttemptState.CREATED:
        in_transaction(as_if_asked, attempt=row.public_id)
    remote = RemotePayment(f"pay-{number}", row.public_id, row.amount, AttemptState.SUCCEEDED, "succeeded", "test")
    in_transaction(outcomes.apply_payment, remote=remote, gateway="sandbox", why="test")


def give_up(number: str) -> None:
    """As if it had not been paid in time."""
    attempt = in_transaction(paying.open_attempt, number=number)
    db.session.scalars(select(Attempt).where(Attempt.public_id == attempt)).one().state = AttemptState.EXPIRED
    db.session.commit()
    in_transaction(paying.give_up, number=number, to=paying.LATE[0], actor="system", why="not paid in time")


def line_of(number: str) -> OrderLine:
    db.session.rollback()
    mine = select(OrderLine).join(Parcel).join(Order).where(Order.number == number).order_by(OrderLine.id)
    return db.session.scalars(mine.limit(1)).one()


def move(number: str, state: S) -> str:
    """Its first parcel, as if it were there already; returns the public id."""
    db.session.rollback()
    parcel = db.session.scalars(select(Parcel).join(Order).where(Order.number == number)).first()
    assert parcel is not None
    parcel.state = state
    parcel.delivered_at = clock.now()
    db.session.commit()
    return parcel.public_id


def money(fen: int) -> Money:
    return Money(fen)
