"""What giving money back leaves behind: which refund it was, why, and whose; and a neighbour's loss is not one's own."""

from sqlalchemy import select

from marketplace.core.db import db, in_transaction
from marketplace.core.outbox import OutboxRow
from marketplace.orders import remaining, repaying, settlement
from marketplace.orders.models import Parcel
from marketplace.orders.states import ParcelState as S
from marketplace.payments.models import Refund
from tests.orders.conftest import Shop, post
from tests.orders.refunding import SENT, Box, ask, bounce, box, clerk_of, deliver


def told(topic: str) -> list[object]:
    db.session.rollback()
    return list(db.session.scalars(select(OutboxRow.payload).where(OutboxRow.topic == topic)))


def refunds() -> list[tuple[object, ...]]:
    return [tuple(row) for row in db.session.execute(select(Refund.public_id, Refund.reason, Refund.fen))]


def is_lost(parcel: Box) -> bool:
    row = db.session.scalars(select(Parcel).where(Parcel.public_id == parcel.public_id)).one()
    return remaining.is_lost(db.session(), row)


def repay_rest(parcel: Box) -> str | None:
    def of_its_row(session: object, *, reason: str) -> str | None:
        row = db.session.scalars(select(Parcel).where(Parcel.public_id == parcel.public_id)).one()
        return repaying.repay_rest(db.session(), row, reason_key=f"parcel:{parcel.public_id}", reason=reason)

    return in_transaction(of_its_row, reason="never fetched")


def test_a_refund_is_told_by_its_number_and_so_is_its_failure(shop: Shop) -> None:
    parcel = deliver(shop, clerk_of(shop), shop.paid_order(shop.browser(), apples=2))
    number = ask(parcel, 1)
    assert refunds() == [(number, "坏了", 4280)]
    assert told(repaying.REQUESTED) == [{"refund": number}]
    bounce(shop, number)
    assert told(repaying.FAILED) == [{"refund": number}]


def test_the_rest_is_given_back_once_and_for_the_reason_that_was_given(shop: Shop) -> None:
    parcel = box(shop.paid_order(shop.browser(), apples=2))
    number = repay_rest(parcel)
    assert number and refunds() == [(number, "never fetched", 8560)]
    assert repay_rest(parcel) is None
    assert refunds() == [(number, "never fetched", 8560)]


def test_a_neighbours_loss_is_not_ones_own(shop: Shop) -> None:
    clerk = clerk_of(shop)
    lost, arrived = (box(shop.paid_order(shop.browser(), apples=1)) for _parcel in range(2))
    for parcel, last in ((lost, ("loss", {"reason": "掉河里了"})), (arrived, ("delivery", {}))):
        for step, data in (*SENT, last):
            assert post(clerk, f"/station/parcels/{parcel.public_id}/{step}", data).status_code == 303
    in_transaction(settlement.confirm, number=arrived.order, parcel=arrived.public_id, actor="buyer")
    db.session.rollback()
    assert (is_lost(lost), is_lost(arrived)) == (True, False)
    row = db.session.scalars(select(Parcel).where(Parcel.public_id == arrived.public_id)).one()
    assert row.state is S.SETTLED


def test_what_is_left_of_each_line_is_what_no_refund_that_arrived_gave_back(shop: Shop) -> None:
    numbers = [shop.paid_order(shop.browser(), apples=2) for _order in range(2)]
    first, second = (deliver(shop, clerk_of(shop), number) for number in numbers)
    bounce(shop, ask(first, 2))
    ask(first, 1)
    ask(second, 1, with_shipping=False)
    found = select(Parcel.id).where(Parcel.public_id.in_((first.public_id, second.public_id))).order_by(Parcel.id)
    left = remaining.of_parcels(db.session(), db.session.scalars(found).all())
    assert [
        (line.units, line.goods_back_fen, line.fee_back_fen, line.shipping_back_fen, line.units_with_shipping_back)
        for (line,) in left.values()
    ] == [(1, 3980, 318, 300, 1), (1, 3980, 318, 0, 0)]
