"""What tests of refunds do again and again: a clerk's form, and refunds that arrive or do not."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from marketplace.core.db import db, in_transaction
from marketplace.core.money import Money
from marketplace.orders import refunding, remaining
from marketplace.orders.models import Order, OrderLine, Parcel
from marketplace.orders.states import ParcelState as S
from marketplace.payments import outcomes
from marketplace.payments.gateways import RemoteRefund
from marketplace.payments.models import Refund
from marketplace.payments.sandbox.storage import payment, refund as at_the_cashier
from marketplace.payments.states import RefundState
from tests.factories import signed_in
from tests.orders.conftest import JIXIAN, Shop, hidden, parcels, post

PACKED: tuple[tuple[str, dict[str, str]], ...] = (("acceptance", {}), ("collection", {}), ("packing", {"shelf": "A"}))
NEVER_ARRIVED = (S.REFUSED, S.CANCELLED, S.RETURNED_TO_SELLER)
SENT = (*PACKED, ("dispatch", {"carrier": "邮政", "tracking_number": "123456"}))


@dataclass(frozen=True)
class Box:
    """A parcel by name: rows do not outlive what tests do between."""

    order: str
    public_id: str


def box(number: str, position: int = 0) -> Box:
    return Box(number, parcels(number)[position].public_id)


def clerk_of(shop: Shop, station: str = JIXIAN) -> FlaskClient:
    clerk = shop.browser()
    signed_in(clerk, "station_clerk", station=station)
    return clerk


def deliver(shop: Shop, clerk: FlaskClient, number: str) -> Box:
    """The first parcel of the order, which has arrived and is not settled yet."""
    parcel = box(number)
    for step, data in (*SENT, ("delivery", {})):
        assert post(clerk, f"/station/parcels/{parcel.public_id}/{step}", data).status_code == 303
    return parcel


def lines_of(parcel: Box) -> list[str]:
    db.session.rollback()
    mine = select(OrderLine.public_id).join(Parcel).where(Parcel.public_id == parcel.public_id)
    return list(db.session.scalars(mine.order_by(OrderLine.id)))


def address(parcel: Box) -> str:
    return f"/station/parcels/{parcel.public_id}/refunds"


def form_for(clerk: FlaskClient, parcel: Box, *units: Any, **entered: Any) -> dict[str, Any]:
    """The form as a browser would send it with so many units of each line."""
    page = clerk.get(address(parcel))
    typed = {f"units-{line}": number for line, number in zip(lines_of(parcel), units, strict=False)}
    carried = {name: hidden(page, name) for name in ("seen", "idempotency_key")}
    return {**carried, "reason": "两箱冻坏了", "action": "check", **typed, **entered}


def refund(clerk: FlaskClient, parcel: Box, *units: Any, **entered: Any) -> TestResponse:
    """Look at the sum, then send what that page carries."""
    data = form_for(clerk, parcel, *units, **entered)
    check = post(clerk, address(parcel), data)
    return check if check.status_code != 200 else post(clerk, address(parcel), data | {"action": "send"})


def ask(parcel: Box, *units: int, with_shipping: bool = True, station: str | None = JIXIAN) -> str:
    """The command itself."""
    return in_transaction(
        refunding.refund_units,
        parcel=parcel.public_id,
        station=station,
        units=dict(zip(lines_of(parcel), units, strict=False)),
        with_shipping=with_shipping,
        reason="坏了",
        actor="clerk",
    )


def bounce(shop: Shop, public_id: str) -> None:
    """The wallet hands the money back: the cashier says so, and we hear of it."""
    shop.work()
    with shop.cashier.writing() as connection:
        its = at_the_cashier.c.refund == public_id
        row = connection.execute(select(at_the_cashier.c.payment_id, at_the_cashier.c.amount).where(its)).one()
        connection.execute(update(at_the_cashier).where(its).values(status="failed"))
        less = update(payment).where(payment.c.id == row.payment_id).values(refunded=payment.c.refunded - row.amount)
        connection.execute(less)
    db.session.rollback()
    ours = db.session.scalars(select(Refund).where(Refund.public_id == public_id)).one()
    assert ours.remote_id
    answer = RemoteRefund(ours.remote_id, public_id, Money(ours.fen), RefundState.FAILED, "failed", "test")
    in_transaction(outcomes.apply_refund, remote=answer, why="the wallet is gone")


def refund_again() -> None:
    """What never reached its buyer, and whose refund did not either: a person sees to it."""
    db.session.rollback()
    paid = select(Parcel.public_id).join(Order, Order.id == Parcel.order_id).where(Order.paid_at.is_not(None))
    for public_id in db.session.scalars(paid.order_by(Parcel.id)).all():
        db.session.rollback()
        parcel = db.session.scalars(select(Parcel).where(Parcel.public_id == public_id)).one()
        if parcel.state in NEVER_ARRIVED or remaining.is_lost(db.session(), parcel):
            with suppress(refunding.AlreadyRefunded):
                in_transaction(refunding.refund_rest, parcel=public_id, station=None, reason="again", actor="clerk")
