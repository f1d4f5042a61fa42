"""What pages show of presales: only the columns shown, a fixed number of statements."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from crowdfund.presales import backing, grace
from crowdfund.presales.models import Backing, Presale, PresaleTier, PresaleUpdate
from crowdfund.presales.states import COUNTED, GOES_AHEAD, PUBLIC, BackingState, PresaleState as P
from listings.cards import Photo
from listings.models import Listing, Media, Variant
from listings.states import FOR_SALE, ListingState
from marketplace.core import clock
from marketplace.core.db import Columns
from marketplace.core.encryption import token_hash
from marketplace.core.errors import NotFound
from marketplace.core.formats import in_language, language, measure_price
from marketplace.core.records import record
from marketplace.core.transitions import EventRow
from marketplace.payments import attempts, refunds
from marketplace.payments.models import Refund
from marketplace.payments.states import AttemptState
from marketplace.stations.badges import StationBadge
from marketplace.stations.models import County, Station

MOST_LISTED: Final = 60
MOST_PLACES: Final = 200
FULL: Final = 1000  # how long a bar of progress is


@record
class Card:
    """A presale in a list."""

    id: str
    state: P
    title: str
    station: StationBadge
    drawing: str
    photo: Photo | None  # of the goods
    listing: str  # their code
    goal_fen: int
    paid_fen: int
    places: int
    closes_on: date
    harvest_on: date
    is_demo: bool
    why: str = ""  # the last word about it, for its seller

    @property
    def url(self) -> str:
        return f"/presales/{self.id}"

    @property
    def percent(self) -> int:
        return self.paid_fen * 100 // self.goal_fen

    @property
    def share(self) -> int:
        return min(FULL, self.paid_fen * FULL // self.goal_fen)

    @property
    def days_left(self) -> int:
        return (self.closes_on - clock.today()).days

    @property
    def is_open(self) -> bool:
        return self.state is P.LIVE and self.days_left >= 0


@record
class Row:
    """One tier as a buyer sees it; `most_now` places can still be had, of the tier and of the field."""

    id: str
    title: str
    unit: str
    packs: int
    grams: int
    fen: int
    shipping_fen: int
    taken: int
    most: int
    most_now: int
    per: str  # what one unit of its measure costs, in words; empty where it has none


@record
class Shown:
    """A presale's page."""

    card: Card
    row: Presale
    listing: str
    is_for_sale: bool  # in the shop, beside this
    is_stopped: bool  # its goods, by the province
    seller: str
    village: str
    tiers: Sequence[Row]
    updates: Sequence[tuple[str, datetime]]

    @property
    def area(self) -> str:
        """In mu."""
        whole, tenth = divmod(self.row.area_tenths, 10)
        return f"{whole}.{tenth}" if tenth else str(whole)

    @property
    def left_grams(self) -> int:
        return self.row.cap_grams - self.row.taken_grams


def board(session: Session) -> tuple[list[Card], list[Card]]:
    """What is open, that which ends first first; and what is over, the latest first. Two statements."""
    over = cards(session, Presale.state.in_(sorted(PUBLIC - {P.LIVE})), Presale.closes_on.desc(), Presale.id.desc())
    return live(session), over


def live(session: Session) -> list[Card]:
    return cards(session, Presale.state == P.LIVE, Presale.closes_on, Presale.id)


def page_of(
    session: Session, *, states: Sequence[str], counties: Sequence[str], page: int, per_page: int
) -> tuple[int, list[Card]]:
    """How many there are, and one page of them, the newest first: for the JSON face."""
    which: list[Any] = [Presale.state.in_(sorted(PUBLIC))]
    which += [Presale.state.in_(states)] if states else []
    which += [Presale.station_code.in_(counties)] if counties else []
    total = session.scalar(select(func.count(Presale.id)).where(*which)) or 0
    rows = columns().where(*which).order_by(Presale.id.desc())
    return total, [card(row) for row in session.execute(rows.limit(per_page).offset((page - 1) * per_page))]


def of_seller(session: Session, person: int) -> list[Card]:
    return cards(session, Presale.seller_id == person, Presale.id.desc())


def at_station(session: Session, station: str) -> list[Card]:
    """What its sellers handed in, the latest first."""
    return cards(session, and_(Presale.station_code == station, Presale.state != P.DRAFT), Presale.id.desc())


def count_submitted(session: Session, station: str) -> int:
    mine = select(func.count(Presale.id)).where(Presale.station_code == station, Presale.state == P.SUBMITTED)
    return int(session.scalar(mine) or 0)


def cards(session: Session, which: ColumnElement[bool], *order: Any) -> list[Card]:
    rows = session.execute(columns().where(which).order_by(*order).limit(MOST_LISTED))
    return [card(row) for row in rows]


def columns() -> Columns:
    paid = select(func.sum(Backing.fen)).where(Backing.presale_id == Presale.id, Backing.state.in_(sorted(COUNTED)))
    places = select(func.count(Backing.id)).where(Backing.presale_id == Presale.id, Backing.state.in_(sorted(COUNTED)))
    last = select(func.max(EventRow.id)).where(EventRow.subject == "presale:" + Presale.public_id)
    why = select(EventRow.why).where(EventRow.id == last.correlate(Presale).scalar_subquery())
    wanted: Columns = select(Presale.public_id, Presale.state, Presale.title_zh, Presale.title_en, Presale.goal_fen)
    wanted = wanted.add_columns(Presale.closes_on, Presale.harvest_on, Presale.is_demo, Presale.station_code)
    wanted = wanted.add_columns(paid.correlate(Presale).scalar_subquery().label("paid"))
    wanted = wanted.add_columns(places.correlate(Presale).scalar_subquery().label("places"))
    wanted = wanted.add_columns(why.correlate(Presale).scalar_subquery().label("why"))
    wanted = wanted.add_columns(Station.name_zh, Station.name_en, County.name_zh.label("county"), County.is_deep_poverty)
    first = select(func.min(Media.id)).where(Media.listing_id == Listing.id, Media.position == 1).correlate(Listing)
    first = first.where(Listing.state != ListingState.SUSPENDED)  # the province keeps it out of sight
    wanted = wanted.add_columns(Listing.code.label("listing"), Listing.drawing)
    wanted = wanted.add_columns(Media.public_id.label("photo"), Media.width, Media.height)
    wanted = wanted.join(Listing, Listing.id == Presale.listing_id).outerjoin(Media, Media.id == first.scalar_subquery())
    wanted = wanted.join(Station, Station.code == Presale.station_code)
    return wanted.join(County, County.code == Station.code)


def card(row: Any) -> Card:
    name = in_language(row.name_zh, row.name_en)
    return Card(
        id=row.public_id,
        state=row.state,
        title=in_language(row.title_zh, row.title_en),
        station=StationBadge(row.station_code, row.county[:1], name, row.is_deep_poverty),
        drawing=row.drawing,
        photo=Photo(row.photo, row.width, row.height) if row.photo else None,
        listing=row.listing,
        goal_fen=row.goal_fen,
        paid_fen=int(row.paid or 0),
        places=int(row.places or 0),
        closes_on=row.closes_on,
        harvest_on=row.harvest_on,
        is_demo=row.is_demo,
        why=row.why or "",
    )


def find(session: Session, presale: str, which: ColumnElement[bool] | None = None) -> Shown:
    """One that everybody may see, or one of `which`. Five statements. Raises NotFound."""
    allowed = Presale.state.in_(sorted(PUBLIC)) if which is None else which
    found = session.execute(columns().where(Presale.public_id == presale, allowed)).first()
    if found is None:
        raise NotFound(presale)
    row = session.scalars(select(Presale).where(Presale.public_id == presale)).one()
    wanted = select(Listing.code, Listing.state, Listing.seller_name, Listing.origin_village_zh)
    goods = session.execute(wanted.where(Listing.id == row.listing_id)).one()
    told = select(PresaleUpdate.text, PresaleUpdate.at).where(PresaleUpdate.presale_id == row.id)
    updates = [(each.text, each.at) for each in session.execute(told.order_by(PresaleUpdate.id.desc()).limit(50))]
    village = goods.origin_village_zh
    tiers = tiers_of(session, row)
    stands = (goods.state in FOR_SALE, goods.state is ListingState.SUSPENDED)
    return Shown(card(found), row, goods.code, *stands, goods.seller_name, village, tiers, updates)


def tiers_of(session: Session, presale: Presale) -> list[Row]:
    wanted = select(PresaleTier, Variant.unit_zh, Variant.unit_en, Variant.measure, Variant.measure_amount, Variant.piece_zh)
    wanted = wanted.outerjoin(Variant, Variant.code == PresaleTier.variant_code)
    wanted = wanted.where(PresaleTier.presale_id == presale.id).order_by(PresaleTier.id)
    left = presale.cap_grams - presale.taken_grams
    return [tier_row(found, left) for found in session.execute(wanted)]


def tier_row(found: Any, left_grams: int) -> Row:
    tier, unit = found.PresaleTier, in_language(found.unit_zh or "", found.unit_en or "")
    now = min(tier.left, left_grams // tier.grams)
    sums = (tier.fen, tier.shipping_fen, tier.taken, tier.most, now)
    amount = found.measure_amount or 0
    per = measure_price(tier.unit_price_fen, found.measure or "", amount, found.piece_zh or "", language())
    return Row(tier.public_id, tier.title_zh, unit, tier.packs, tier.grams, *sums, per)


@record
class Place:
    """One backing as whoever paid it sees it."""

    id: str
    token: str
    row: Backing
    presale: str
    presale_state: P
    title: str
    tier: str
    tier_id: str
    harvest_on: date
    last_day: date  # of the grace after the harvest

    @property
    def url(self) -> str:
        return f"/presales/{self.presale}/backings/{self.token}"

    @property
    def may_be_paid(self) -> bool:
        return self.row.state is BackingState.HELD and self.row.pay_by > clock.now()

    @property
    def may_be_left(self) -> bool:
        return self.row.state is BackingState.CONFIRMED and self.presale_state is P.LIVE

    @property
    def is_asked(self) -> bool:
        is_asking = self.presale_state in GOES_AHEAD and self.last_day >= clock.today()
        return self.row.state is BackingState.CONFIRMED and is_asking

    @property
    def send_by(self) -> date:
        """The last day on which it leaves its station: of an answer that was given, else of one given now."""
        return grace.send_by(self.last_day, self.row.answered_at or clock.now())


def place(session: Session, presale: str, token: str) -> Place:
    """By its secret link. Raises NotFound, alike for every wrong one."""
    found = places(session, and_(Backing.token_hash == token_hash(token), Presale.public_id == presale))
    if not found:
        raise NotFound(presale)
    return found[0]


def places_of_person(session: Session, person: int) -> list[Place]:
    return places(session, Backing.person_id == person)


def places(session: Session, which: ColumnElement[bool], most: int = MOST_PLACES) -> list[Place]:
    """The latest first."""
    wanted = select(Backing, Presale.public_id, Presale.state, Presale.title_zh, Presale.title_en, Presale.harvest_on)
    wanted = wanted.add_columns(Presale.grace_days, PresaleTier.title_zh.label("tier"))
    wanted = wanted.add_columns(PresaleTier.public_id.label("tier_id")).join(Presale, Presale.id == Backing.presale_id)
    wanted = wanted.join(PresaleTier, PresaleTier.id == Backing.tier_id).where(which)
    return [place_of(row) for row in session.execute(wanted.order_by(Backing.id.desc()).limit(most))]


def place_of(row: Any) -> Place:
    mine, title = row.Backing, in_language(row.title_zh, row.title_en)
    known = (mine.public_id, backing.link_token(mine.public_id), mine, row.public_id, row.state, title)
    return Place(*known, row.tier, row.tier_id, row.harvest_on, grace.last_day(row))


def refunds_of(session: Session, shown: Place) -> Sequence[Refund]:
    return refunds.of(session, purpose=backing.PURPOSE, reference=shown.id)


def payment_of(session: Session, shown: Place) -> AttemptState | None:
    """Where its open attempt stands."""
    current = attempts.current(session, purpose=backing.PURPOSE, reference=shown.id)
    return current.state if current is not None else None
