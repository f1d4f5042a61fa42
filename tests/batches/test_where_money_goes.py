"""Where the buyers' money went, from the books: also after a refund, a lost parcel and the payment of what was owed."""

from typing import Any

from sqlalchemy import select

from marketplace.accounts.models import Person
from marketplace.core.db import db, in_transaction
from marketplace.ledger import queries as ledger_queries
from marketplace.orders import fulfilment, refunding, settlement, undelivered
from marketplace.orders.batches import approving, confirming, drafting, payees
from marketplace.orders.batches.models import BatchLine, PayoutAccount, SettlementBatch
from marketplace.orders.models import OrderLine
from marketplace.payments.models import Attempt
from marketplace.site.money import Shares, shares_lately
from tests.factories import make_person, signed_in
from tests.orders.conftest import JIXIAN, Shop, differences, parcels, shop

__all__ = ["shop"]


def lately() -> Shares | None:
    db.session.rollback()
    return shares_lately(db.session())


def ship(parcel: str, station: str) -> dict[str, Any]:
    who: dict[str, Any] = {"parcel": parcel, "station": station, "actor": "clerk"}
    in_transaction(fulfilment.accept, **who)
    in_transaction(fulfilment.collect, **who)
    in_transaction(fulfilment.pack, shelf="A", **who)
    in_transaction(fulfilment.ship, carrier="邮政", tracking_number="123456", **who)
    return who


def test_what_buyers_did_not_get_back_is_shared_out(shop: Shop) -> None:
    number = shop.paid_order(shop.browser(), apples=1, millet=1)
    assert lately() == Shares(sellers=3662 + 5336, stations=318 + 464, shipping=1200)

    kept, refused = parcels(number)
    in_transaction(fulfilment.refuse, parcel=refused.public_id, station=refused.station_code, actor="clerk", reason="霜")
    lost = parcels(shop.paid_order(shop.browser(), apples=1))[0].public_id
    in_transaction(undelivered.lose, reason="车翻了", **ship(lost, JIXIAN))
    shop.work()
    apples = Shares(sellers=3662, stations=318, shipping=600)
    assert lately() == apples

    ship(kept.public_id, JIXIAN)
    in_transaction(settlement.confirm, number=number, parcel=kept.public_id, actor="guest")
    assert lately() == apples
    pay_the_grower(number)
    assert lately() == apples
    assert ledger_queries.shares_of(db.session(), number) == {"seller": 3662, "station": 918}
    assert differences(shop) == []


def test_shipping_that_went_back_with_a_unit_is_not_the_couriers(shop: Shop) -> None:
    number = shop.paid_order(shop.browser(), apples=2)
    (parcel,) = parcels(number)
    ship(parcel.public_id, JIXIAN)
    told: dict[str, Any] = {"units": {parcel.lines[0].public_id: 1}, "with_shipping": True, "reason": "碰伤", "actor": "c"}
    in_transaction(refunding.refund_units, parcel=parcel.public_id, station=JIXIAN, **told)
    assert lately() == Shares(sellers=3662, stations=318, shipping=300)


def pay_the_grower(number: str) -> None:
    """Both parcels of apples, the lost one as well; the station owes for that one, so nothing is paid to it."""
    drafter, approver = (make_person("finance_operator", station="140000").id for _each in range(2))
    grower = db.session.scalars(select(OrderLine.seller_public_id).where(OrderLine.title_zh.contains("苹果")).limit(1)).one()
    owner = db.session.scalars(select(Person.id).where(Person.public_id == grower)).one()
    account: dict[str, Any] = {"owner_kind": "seller", "owner": grower, "holder": "冯", "bank": "农信"}
    in_transaction(payees.keep, number="6217001234567890", person_id=owner, **account)
    row = db.session.scalars(select(PayoutAccount.public_id)).one()
    in_transaction(payees.verify, account=row, number="6217001234567890", revision=1, person_id=drafter)
    batch = in_transaction(drafting.draft, station=JIXIAN, drafter_id=drafter)
    in_transaction(approving.approve, batch=batch, approver_id=approver)
    in_transaction(approving.send, batch=batch, way="transfer", actor="person:1")
    lines = db.session.execute(select(BatchLine.public_id, BatchLine.fen).where(BatchLine.left_out == "")).all()
    assert [line.fen for line in lines] == [2 * 3662]
    in_transaction(confirming.confirm, batch=batch, line=lines[0].public_id, reference="B", actor="person:1")


def test_every_fen_is_followed_to_its_bank_line_and_back(shop: Shop) -> None:
    number = shop.paid_order(shop.browser(), apples=2)
    (parcel,) = parcels(number)
    ship(parcel.public_id, JIXIAN)
    in_transaction(settlement.confirm, number=number, parcel=parcel.public_id, actor="guest")
    pay_the_grower(number)
    operator = shop.browser()
    signed_in(operator, "operator")

    attempt = db.session.scalars(select(Attempt.public_id).where(Attempt.reference == number)).one()
    page = operator.get(f"/operator/payments/{attempt}").text
    paying = select(BatchLine.public_id, SettlementBatch.public_id.label("batch")).join(SettlementBatch)
    line = db.session.execute(paying.where(BatchLine.left_out == "")).one()
    path = f"/operator/settlements/{line.batch}/lines/{line.public_id}"
    assert f'href="{path}"' in page
    back = operator.get(path).text
    assert f"/operator/payments?number={number}" in back and "¥73.24" in back
