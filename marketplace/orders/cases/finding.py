"""A case, looked for only where whoever asks may look. Its order is locked: two decisions about one wait for each other."""

from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core.errors import NotFound, Refusal
from marketplace.core.records import record
from marketplace.orders import fulfilment
from marketplace.orders.cases.models import AfterSalesCase, CaseAppeal
from marketplace.orders.institutions.models import AccountOrder, InstitutionMember
from marketplace.orders.models import Order, OrderLine, Parcel


class OwnPurchase(Refusal):
    status = 403
    message = _l("Whoever bought these goods, or acts for the institution that did, does not decide about them.")


@record
class Reach:
    """How far somebody may look: one order, one station, one seller's goods; everywhere where nothing is said."""

    order: str | None = None
    station: str | None = None
    seller: str | None = None


EVERYWHERE = Reach()


def get_case(session: Session, case: str, reach: Reach) -> tuple[AfterSalesCase, Parcel]:
    """Both as the database has them now. Raises NotFound, alike for a case of others."""
    wanted = select(AfterSalesCase, Parcel.public_id).join(Parcel, Parcel.id == AfterSalesCase.parcel_id)
    wanted = wanted.join(OrderLine, OrderLine.id == AfterSalesCase.order_line_id)
    wanted = wanted.join(Order, Order.id == Parcel.order_id).where(AfterSalesCase.public_id == case)
    found = session.execute(within(wanted, reach)).first()
    if found is None:
        raise NotFound(case)
    parcel = fulfilment.get_parcel(session, found[1], station=None)
    session.refresh(found[0])
    return found[0], parcel


def within(wanted: Any, reach: Reach) -> Any:
    """A statement about cases with their lines, parcels and orders, only as far as somebody may look."""
    if reach.order is not None:
        wanted = wanted.where(Order.number == reach.order)
    if reach.station is not None:
        wanted = wanted.where(Parcel.station_code == reach.station)
    if reach.seller is not None:
        wanted = wanted.where(OrderLine.seller_public_id == reach.seller)
    return wanted


def appeal_of(session: Session, case: AfterSalesCase) -> CaseAppeal | None:
    mine = select(CaseAppeal).where(CaseAppeal.case_id == case.id)
    return session.scalar(mine.execution_options(populate_existing=True))


def refuse_own(session: Session, order: Order, actor: str) -> None:
    """A clerk or an operator may be the buyer as well. Raises OwnPurchase."""
    if is_own(session, order, actor):
        raise OwnPurchase(order.number)


def is_own(session: Session, order: Order, actor: str) -> bool:
    members = select(InstitutionMember.person_id)
    members = members.join(AccountOrder, AccountOrder.institution_id == InstitutionMember.institution_id)
    theirs = [order.buyer_id, *session.scalars(members.where(AccountOrder.order_id == order.id))]
    return actor in {f"person:{each}" for each in theirs if each is not None}
