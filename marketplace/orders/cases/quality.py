"""How many of the packs that arrived were refunded: of a seller and of a station, for everybody to read."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, case, delete, func, select
from sqlalchemy.orm import Session

from listings.models import Listing
from marketplace.accounts.models import Person
from marketplace.core import clock, page_cache
from marketplace.core.db import Columns, add_rows
from marketplace.core.formats import count as with_commas
from marketplace.core.records import record
from marketplace.orders.cases.models import AfterSalesCase, CaseAppeal, QualityCount
from marketplace.orders.cases.rules import Bearer
from marketplace.orders.institutions.models import BillCredit
from marketplace.orders.models import Order, OrderLine, Parcel, RefundLine
from marketplace.payments.models import Refund
from marketplace.payments.states import RefundState
from marketplace.stations.models import Seller

LATELY: Final = timedelta(days=180)
LEAST: Final = 20  # packs in LATELY; of fewer a rate says nothing
OTHERS: Final = (Bearer.STATION, Bearer.PLATFORM)
NEVER_BROUGHT: Final = ("short:", "declined:")  # how the keys of refunds begin that `receiving` makes for what did not come
FIGURES: Final = (
    *(QualityCount.delivered_lately, QualityCount.refunded_lately),
    *(QualityCount.delivered, QualityCount.refunded),
)

Owner = tuple[str, str]  # "seller" and a public id, or "station" and a code
Figures = tuple[int, int, int, int]  # delivered lately, of these refunded, delivered, of these refunded


@record
class Quality:
    """Packs that arrived in the last 180 days and ever, and how many of each were refunded; never of fewer than LEAST."""

    delivered_lately: int
    refunded_lately: int
    delivered: int
    refunded: int

    @property
    def words(self) -> str:
        """Whole sentences, no percentage."""
        told = {"packs": with_commas(self.delivered_lately), "back": with_commas(self.refunded_lately)}
        lately = str(_("%(packs)s packs in the last half year, %(back)s of them refunded.", **told))
        if self.delivered == self.delivered_lately:
            return lately
        ever = {"packs": with_commas(self.delivered), "back": with_commas(self.refunded)}
        return lately + str(_("%(packs)s ever, %(back)s refunded.", **ever))


def counted(session: Session) -> dict[Owner, Figures]:
    """From the orders themselves, outside any writing: it reads through all of them.

    A pack counts once it has arrived (delivered or picked up) and was sold: not what was refused, cancelled, lost on the
    way or never fetched, not what its grower could not bring, and not replacements. Refunded is every unit of those that a
    refund gave back and that did not fail, or that came off an institution's bill, whoever decided it and whatever the
    reason, a change of mind too.
    The one exception is what the province laid on the station or on itself: that was not the seller's to answer for; the
    station's own count has it."""
    return figures(session, by_station=False) | figures(session, by_station=True)


def keep_all(session: Session, *, found: Mapping[Owner, Figures]) -> None:
    """Write down what has changed, and have the pages of stations whose figures these are made anew."""
    known = {
        (row.owner_kind, row.owner): (row.delivered_lately, row.refunded_lately, row.delivered, row.refunded)
        for row in session.scalars(select(QualityCount))
    }
    changed = [owner for owner in found.keys() | known.keys() if found.get(owner) != known.get(owner)]
    for owner in changed:
        keep(session, owner, found.get(owner))
    if changed:
        page_cache.expire(session, *tags_of(session, changed))


def figures(session: Session, *, by_station: bool) -> dict[Owner, Figures]:
    """By owner: four statements, what was refunded, also by banks and off bills, first, so that it is never more than what
    arrived."""
    kind, owner = ("station", Parcel.station_code) if by_station else ("seller", OrderLine.seller_public_id)
    since = clock.now() - LATELY
    sold = (Parcel.delivered_at.is_not(None), ~Order.is_exchange)
    all_of_it = summed(owner, OrderLine.quantity - OrderLine.missing_quantity, since).join(
        Parcel, Parcel.id == OrderLine.parcel_id
    )
    all_of_it = all_of_it.join(Order, Order.id == Parcel.order_id).where(*sold).group_by(owner)
    back = summed(owner, RefundLine.quantity, since).join(RefundLine, RefundLine.order_line_id == OrderLine.id)
    back = back.join(Refund, Refund.public_id == RefundLine.refund_public_id).join(Parcel, Parcel.id == OrderLine.parcel_id)
    back = back.join(Order, Order.id == Parcel.order_id).where(*sold, Refund.state != RefundState.FAILED)
    back = back.where(*(~Refund.reason_key.startswith(cause) for cause in NEVER_BROUGHT))
    credited = summed(owner, BillCredit.quantity, since).join(BillCredit, BillCredit.order_line_id == OrderLine.id)
    credited = credited.join(Parcel, Parcel.id == OrderLine.parcel_id).where(Parcel.delivered_at.is_not(None))
    credited = credited.where(*(~BillCredit.reason_key.startswith(cause) for cause in NEVER_BROUGHT))
    by_bank = summed(owner, AfterSalesCase.returned_quantity, since)
    by_bank = by_bank.join(AfterSalesCase, AfterSalesCase.order_line_id == OrderLine.id)
    by_bank = by_bank.join(Parcel, Parcel.id == OrderLine.parcel_id).where(AfterSalesCase.is_paid_by_bank)
    if not by_station:
        back = back.where(Refund.public_id.not_in(laid_on_others()))
        by_bank = by_bank.where(AfterSalesCase.id.not_in(laid_on_others(AfterSalesCase.id)))
    refunded: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for row in (row for source in (back, credited, by_bank) for row in session.execute(source.group_by(owner))):
        lately, ever = refunded[row.owner]
        refunded[row.owner] = (lately + int(row.lately), ever + int(row.ever))
    delivered: dict[str, Any] = {row.owner: row for row in session.execute(all_of_it)}
    found: dict[Owner, Figures] = {}
    for whose, row in delivered.items():
        lately, ever = refunded[whose]
        found[kind, whose] = (int(row.lately), min(lately, int(row.lately)), int(row.ever), min(ever, int(row.ever)))
    return found


def summed(owner: Any, quantity: Any, since: Any) -> Any:
    recent: ColumnElement[int] = func.sum(case((Parcel.delivered_at >= since, quantity), else_=0))
    return select(owner.label("owner"), recent.label("lately"), func.sum(quantity).label("ever")).select_from(OrderLine)


def laid_on_others(column: Any = AfterSalesCase.refund_public_id) -> Any:
    """SQL: refunds, or `column` of the cases, that the province had the station or itself bear."""
    laid = select(column).join(CaseAppeal, CaseAppeal.case_id == AfterSalesCase.id)
    return laid.where(CaseAppeal.bearer.in_(OTHERS), column.is_not(None))


def keep(session: Session, owner: Owner, counted: Figures | None) -> None:
    kind, whose = owner
    session.execute(delete(QualityCount).where(QualityCount.owner_kind == kind, QualityCount.owner == whose))
    if counted is not None:
        named = {column.key: number for column, number in zip(FIGURES, counted, strict=True)}
        add_rows(session, QualityCount, {"owner_kind": kind, "owner": whose, **named, "counted_at": clock.now()})


def tags_of(session: Session, owners: list[Owner]) -> set[str]:
    """What pages with these figures were made from."""
    stations = {whose for kind, whose in owners if kind == "station"}
    sellers = [whose for kind, whose in owners if kind == "seller"]
    places = select(Seller.station_code).join(Person, Person.id == Seller.person_id).where(Person.public_id.in_(sellers))
    return {f"station:{code}" for code in stations | set(session.scalars(places))}


def of_listing(session: Session, code: str) -> Quality | None:
    """Of whoever offers it; None where too few packs have arrived to say anything. One statement."""
    seller = select(Person.public_id).join(Listing, Listing.seller_id == Person.id).where(Listing.code == code)
    return of_owner(session, "seller", seller.scalar_subquery())


def of_owner(session: Session, kind: str, owner: Any) -> Quality | None:
    """Of a seller by their public id, of a station by its code."""
    wanted = select(*FIGURES).where(QualityCount.owner_kind == kind, QualityCount.owner == owner)
    row = session.execute(wanted.where(QualityCount.delivered_lately >= LEAST)).first()
    return Quality(*row) if row else None


def beside_sellers(wanted: Columns) -> Columns:
    """A statement about sellers, with the figures of each in its last columns; for `of_figures`."""
    mine = (QualityCount.owner == Person.public_id) & (QualityCount.owner_kind == "seller")
    wanted = wanted.add_columns(*FIGURES).join(Person, Person.id == Seller.person_id)
    return wanted.outerjoin(QualityCount, mine & (QualityCount.delivered_lately >= LEAST))


def of_figures(figures: Sequence[int | None]) -> Quality | None:
    """What `beside_sellers` found."""
    known = [figure for figure in figures if figure is not None]
    return Quality(*known) if known else None
