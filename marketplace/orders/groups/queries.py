"""Groups as pages show them: how far each is, who is in it without their names, and what a seller offers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from listings.models import Consent, Listing, Variant
from listings.states import ListingState
from marketplace.core import clock
from marketplace.core.db import Columns
from marketplace.core.errors import NotFound
from marketplace.core.formats import in_language, mask_name
from marketplace.core.records import record
from marketplace.orders.groups import telling
from marketplace.orders.groups.models import GroupBuy, GroupMember, GroupOffer
from marketplace.orders.groups.states import COUNTED, GATHERING, JOINABLE, TAKING_ROOM, GroupState
from marketplace.orders.models import Order

MOST_SHOWN: Final = 6  # open groups beside a product
MOST_MEMBERS: Final = 200


@record
class Group:
    """One group and its figures, in packs."""

    public_id: str
    listing: str
    variant: str
    state: GroupState
    price_fen: int
    alone_fen: int
    threshold: int
    enough: int
    most: int
    most_per_member: int
    prolong_days: int
    closes_at: datetime
    title_zh: str
    title_en: str
    unit_zh: str
    unit_en: str
    station_code: str
    drawing: str
    is_for_sale: bool
    paid: int
    taken: int

    @property
    def title(self) -> str:
        return in_language(self.title_zh, self.title_en or self.title_zh)

    @property
    def unit(self) -> str:
        return in_language(self.unit_zh, self.unit_en or self.unit_zh)

    @property
    def left(self) -> int:
        """Places that nobody has."""
        return max(0, self.most - self.taken)

    @property
    def share(self) -> int:
        """How far it is to its threshold, of 1000."""
        return min(1000, 1000 * self.paid // self.threshold)

    @property
    def can_be_joined(self) -> bool:
        return self.state in JOINABLE and self.closes_at > clock.now() and self.left > 0 and self.is_for_sale

    @property
    def is_gathering(self) -> bool:
        return self.state in GATHERING

    @property
    def sentence(self) -> str:
        return telling.standing(self.state, self.paid, self.threshold)

    @property
    def deadline(self) -> str:
        return telling.deadline(self.closes_at)

    @property
    def time_left(self) -> str:
        return telling.time_left(self.closes_at)


@record
class Offered:
    """What a seller offers to groups."""

    public_id: str
    listing: str
    variant: str
    price_fen: int
    alone_fen: int
    threshold: int
    most: int
    most_per_member: int
    days: int
    tolerance_percent: int
    prolong_days: int
    ended_at: datetime | None
    title_zh: str
    title_en: str
    unit_zh: str
    unit_en: str
    station_code: str
    drawing: str
    is_for_sale: bool

    title, unit = Group.title, Group.unit


@record
class Member:
    """Somebody in a group: the first character of a name, and how many packs."""

    name: str
    packs: int
    is_paid: bool


PACK: Final = (
    *(Variant.price_fen.label("alone_fen"), Listing.title_zh, Listing.title_en, Variant.unit_zh, Variant.unit_en),
    *(Listing.station_code, Listing.drawing, Listing.state.label("listing_state"), Variant.is_offered),
)


def groups() -> Columns:
    counted = select(
        GroupMember.group_id,
        func.sum(case((GroupMember.state.in_(COUNTED), GroupMember.packs), else_=0)).label("paid"),
        func.sum(case((GroupMember.state.in_(TAKING_ROOM), GroupMember.packs), else_=0)).label("taken"),
    )
    sums = counted.group_by(GroupMember.group_id).subquery()
    wanted: Columns = select(GroupBuy, *PACK, sums.c.paid, sums.c.taken)
    wanted = wanted.join(Listing, Listing.code == GroupBuy.listing_code).join(Variant, Variant.code == GroupBuy.variant_code)
    return wanted.outerjoin(sums, sums.c.group_id == GroupBuy.id)


def shown(row: Any) -> Group:
    group: GroupBuy = row.GroupBuy
    return Group(
        public_id=group.public_id,
        listing=group.listing_code,
        variant=group.variant_code,
        state=group.state,
        price_fen=group.price_fen,
        alone_fen=row.alone_fen,
        threshold=group.threshold_packs,
        enough=group.enough_packs,
        most=group.most_packs,
        most_per_member=group.most_per_member,
        prolong_days=group.prolong_days,
        closes_at=group.closes_at,
        paid=int(row.paid or 0),
        taken=int(row.taken or 0),
        **pack_of(row),
    )


def pack_of(row: Any) -> dict[str, Any]:
    names = ("title_zh", "title_en", "unit_zh", "unit_en", "station_code", "drawing")
    is_for_sale = row.listing_state is ListingState.PUBLISHED and row.is_offered
    return {"is_for_sale": is_for_sale, **{name: getattr(row, name) for name in names}}


def find(session: Session, group: str) -> Group:
    """One statement. Raises NotFound."""
    row = session.execute(groups().where(GroupBuy.public_id == group)).first()
    if row is None:
        raise NotFound(group)
    return shown(row)


def get_row(session: Session, group: str) -> GroupBuy:
    """Raises NotFound."""
    found = session.scalar(select(GroupBuy).where(GroupBuy.public_id == group))
    if found is None:
        raise NotFound(group)
    return found


def of_order(session: Session, order: int) -> Group | None:
    """The group that an order has a place in: one statement."""
    mine = select(GroupMember.group_id).where(GroupMember.order_id == order).scalar_subquery()
    row = session.execute(groups().where(GroupBuy.id == mine)).first()
    return shown(row) if row else None


def open_ones(session: Session, listing: str) -> list[Group]:
    """Groups of a listing that can be joined and that somebody has paid for, the nearest to its goal first: one query."""
    wanted = groups().where(GroupBuy.listing_code == listing, GroupBuy.state.in_(JOINABLE), GroupBuy.closes_at > clock.now())
    found = [shown(row) for row in session.execute(wanted.order_by(GroupBuy.closes_at, GroupBuy.id).limit(MOST_MEMBERS))]
    known = [group for group in found if group.paid and group.can_be_joined]
    return sorted(known, key=lambda group: (not group.is_gathering, group.threshold - group.paid))[:MOST_SHOWN]


def members(session: Session, group: str) -> list[Member]:
    """Who is in it, in the order of coming: one statement."""
    wanted = select(Order.recipient, GroupMember.packs, GroupMember.state).join(
        GroupMember, GroupMember.order_id == Order.id
    )
    wanted = wanted.join(GroupBuy, GroupBuy.id == GroupMember.group_id)
    wanted = wanted.where(GroupBuy.public_id == group, GroupMember.state.in_(TAKING_ROOM))
    rows = session.execute(wanted.order_by(GroupMember.id).limit(MOST_MEMBERS))
    return [Member(mask_name(row.recipient), row.packs, row.state in COUNTED) for row in rows]


def places(terms: GroupBuy | GroupOffer) -> ColumnElement[bool]:
    """Of all orders those that are places in this group, or in any that was opened by this offer."""
    theirs = GroupBuy.id == terms.id if isinstance(terms, GroupBuy) else GroupBuy.offer_id == terms.id
    joined = select(GroupMember.order_id).join(GroupBuy, GroupBuy.id == GroupMember.group_id)
    return Order.id.in_(joined.where(theirs))


def offers() -> Columns:
    wanted: Columns = select(GroupOffer, *PACK).join(Listing, Listing.code == GroupOffer.listing_code)
    return wanted.join(Variant, Variant.code == GroupOffer.variant_code)


def shown_offer(row: Any) -> Offered:
    offer: GroupOffer = row.GroupOffer
    return Offered(
        public_id=offer.public_id,
        listing=offer.listing_code,
        variant=offer.variant_code,
        price_fen=offer.price_fen,
        alone_fen=row.alone_fen,
        threshold=offer.threshold_packs,
        most=offer.most_packs,
        most_per_member=offer.most_per_member,
        days=offer.days,
        tolerance_percent=offer.tolerance_percent,
        prolong_days=offer.prolong_days,
        ended_at=offer.ended_at,
        **pack_of(row),
    )


def find_offer(session: Session, offer: str) -> tuple[GroupOffer, Offered]:
    """One that still stands, for goods that are for sale. Raises NotFound."""
    row = session.execute(offers().where(GroupOffer.public_id == offer, GroupOffer.ended_at.is_(None))).first()
    if row is None or not (found := shown_offer(row)).is_for_sale:
        raise NotFound(offer)
    return row.GroupOffer, found


def offers_of(session: Session, listing: str) -> list[Offered]:
    """What stands of a listing's offers to groups: one statement."""
    wanted = offers().where(GroupOffer.listing_code == listing, GroupOffer.ended_at.is_(None))
    return [each for each in map(shown_offer, session.execute(wanted.order_by(GroupOffer.id))) if each.is_for_sale]


def kept_by(session: Session, whose: ColumnElement[bool]) -> tuple[list[Offered], list[Group]]:
    """A seller's offers, or those of a station's farmers, the latest first, and the groups of the last of them."""
    found = session.execute(offers().where(whose).order_by(GroupOffer.id.desc()).limit(60))
    running = session.execute(groups().where(whose).order_by(GroupBuy.id.desc()).limit(60))
    return [shown_offer(row) for row in found], [shown(row) for row in running]


def packs_of(session: Session, whose: ColumnElement[bool], *, or_code: str = "") -> Sequence[Any]:
    """Packs that could be offered to groups now, or have this code: code, price, title and unit."""
    taken = select(GroupOffer.variant_code).where(GroupOffer.ended_at.is_(None))
    wanted: Columns = select(
        Variant.code, Variant.price_fen, Listing.title_zh, Listing.title_en, Variant.unit_zh, Variant.unit_en
    )
    wanted = wanted.join(Listing, Listing.id == Variant.listing_id).where(whose, Listing.state == ListingState.PUBLISHED)
    wanted = wanted.where(Variant.is_offered, Variant.code.not_in(taken) | (Variant.code == or_code))
    return session.execute(wanted.order_by(Listing.id, Variant.position, Variant.id).limit(300)).all()


def by_word_of_farmers(station: str) -> ColumnElement[bool]:
    """Listings that a clerk of this station may write to."""
    agreed = select(Consent.listing_id).where(Consent.withdrawn_at.is_(None))
    return (Listing.station_code == station) & Listing.id.in_(agreed)
