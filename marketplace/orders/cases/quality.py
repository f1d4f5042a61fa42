"""How many of the packs that were sold were refunded or replaced, and on whom it fell: of a seller and of a station, for
everybody to read."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from flask_babel import LazyString, gettext as _, lazy_gettext as _l
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from listings.models import Listing
from marketplace.accounts.models import Person
from marketplace.core import clock, page_cache
from marketplace.core.db import Columns, add_rows
from marketplace.core.formats import count as with_commas
from marketplace.core.records import record
from marketplace.orders.cases import blame
from marketplace.orders.cases.blame import Cause
from marketplace.orders.cases.models import QualityCount
from marketplace.stations.models import Seller

LATELY: Final = timedelta(days=180)
LEAST: Final = 20  # packs in LATELY; of fewer a rate says nothing
CAUSES: Final = {
    Cause.SELLER: QualityCount.on_seller,
    Cause.STATION: QualityCount.on_station,
    Cause.PROVINCE: QualityCount.on_province,
    Cause.NOT_SENT: QualityCount.not_sent,
    Cause.CALLED_OFF: QualityCount.called_off,
    Cause.REPLACED: QualityCount.replaced,
    Cause.LIGHTER: QualityCount.lighter,
    Cause.SPOILED: QualityCount.spoiled,
}
FIGURES: Final = (
    *(QualityCount.sold_lately, QualityCount.refunded_lately, QualityCount.sold, QualityCount.refunded),
    *CAUSES.values(),
)
SAID: Final[dict[Cause, LazyString]] = {
    Cause.SELLER: _l("%(packs)s at the grower's cost"),
    Cause.STATION: _l("%(packs)s at the station's cost"),
    Cause.PROVINCE: _l("%(packs)s at the province's cost"),
    Cause.NOT_SENT: _l("%(packs)s could not be brought or sent"),
    Cause.CALLED_OFF: _l("%(packs)s called off before sending or never collected"),
    Cause.REPLACED: _l("%(packs)s replaced"),
    Cause.LIGHTER: _l("%(packs)s weighed less, the difference refunded"),
    Cause.SPOILED: _l("%(packs)s bad in part, refunded in part"),
}

Owner = tuple[str, str]  # "seller" and a public id, or "station" and a code
Figures = tuple[int, ...]  # as FIGURES


@record
class Quality:
    """Packs sold in the last 180 days and ever, how many of each were refunded or replaced, and the causes of the former;
    never of fewer than LEAST."""

    sold_lately: int
    refunded_lately: int
    sold: int
    refunded: int
    causes: Mapping[Cause, int]

    @property
    def words(self) -> str:
        """Whole sentences, no percentage: one figure that counts all, and who bore it."""
        told = {"packs": with_commas(self.sold_lately), "back": with_commas(self.refunded_lately), "causes": self.why}
        if self.refunded_lately:
            lately = str(_("%(packs)s packs sold in the last half year, %(back)s refunded or replaced: %(causes)s.", **told))
        else:
            lately = str(_("%(packs)s packs sold in the last half year, none refunded or replaced.", **told))
        if self.sold == self.sold_lately:
            return lately
        ever = {"packs": with_commas(self.sold), "back": with_commas(self.refunded)}
        return lately + str(_("%(packs)s ever, %(back)s refunded or replaced.", **ever))

    @property
    def why(self) -> str:
        parts = [SAID[cause] % {"packs": with_commas(packs)} for cause, packs in self.causes.items() if packs]
        return str(_(", ")).join(parts)


def counted(session: Session) -> dict[Owner, Figures]:
    """From the orders themselves, outside any writing: it reads through all of them. Two statements.

    A pack counts as sold once it has arrived (delivered or picked up), or once it was refunded before that: what its
    grower could not bring, what was refused, called off, lost or never fetched. Replacements are no sale of their own.
    Refunded is every unit of those that a refund gave back and that did not fail, that came off an institution's bill or
    that a bank paid for goods that came back; replaced is what was exchanged or sent instead. Each unit counts once."""
    return figures(session, by_station=False) | figures(session, by_station=True)


def figures(session: Session, *, by_station: bool) -> dict[Owner, Figures]:
    """By owner: one statement, so that what is refunded is never more than what was sold."""
    kind = "station" if by_station else "seller"
    totals: dict[str, list[int]] = {}
    causes: dict[str, dict[Cause, int]] = {}
    for row in session.execute(blame.sums(by_station=by_station, since=clock.now() - LATELY)):
        total = totals.setdefault(row.owner, [0, 0, 0, 0])
        of_owner = causes.setdefault(row.owner, dict.fromkeys(CAUSES, 0))
        lately, ever = int(row.lately), int(row.ever)
        if row.cause == blame.ARRIVED or not row.has_arrived:
            total[0], total[2] = total[0] + lately, total[2] + ever
        if row.cause != blame.ARRIVED:
            total[1], total[3] = total[1] + lately, total[3] + ever
            of_owner[Cause(row.cause)] += lately
    return {(kind, owner): (*total, *causes[owner].values()) for owner, total in totals.items() if total[2]}


def keep_all(session: Session, *, found: Mapping[Owner, Figures]) -> None:
    """Write down what has changed, and have the pages of stations whose figures these are made anew."""
    rows = session.execute(select(QualityCount.owner_kind, QualityCount.owner, *FIGURES))
    known: dict[Owner, Figures] = {(row.owner_kind, row.owner): tuple(row[2:]) for row in rows}
    changed = [owner for owner in found.keys() | known.keys() if found.get(owner) != known.get(owner)]
    for owner in changed:
        keep(session, owner, found.get(owner))
    if changed:
        page_cache.expire(session, *tags_of(session, changed))


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
    """Of whoever offers it; None where too few packs were sold to say anything. One statement."""
    seller = select(Person.public_id).join(Listing, Listing.seller_id == Person.id).where(Listing.code == code)
    return of_owner(session, "seller", seller.scalar_subquery())


def of_owner(session: Session, kind: str, owner: Any) -> Quality | None:
    """Of a seller by their public id, of a station by its code."""
    wanted = select(*FIGURES).where(QualityCount.owner_kind == kind, QualityCount.owner == owner)
    row = session.execute(wanted.where(QualityCount.sold_lately >= LEAST)).first()
    return of_figures(row) if row else None


def beside_sellers(wanted: Columns) -> Columns:
    """A statement about sellers, with the figures of each in its last columns; for `of_figures`."""
    mine = (QualityCount.owner == Person.public_id) & (QualityCount.owner_kind == "seller")
    wanted = wanted.add_columns(*FIGURES).join(Person, Person.id == Seller.person_id)
    return wanted.outerjoin(QualityCount, mine & (QualityCount.sold_lately >= LEAST))


def of_figures(figures: Sequence[int | None]) -> Quality | None:
    """What `beside_sellers` found."""
    known = [figure for figure in figures if figure is not None]
    if not known:
        return None
    sold_lately, refunded_lately, sold, refunded, *causes = known
    return Quality(sold_lately, refunded_lately, sold, refunded, dict(zip(CAUSES, causes, strict=True)))
