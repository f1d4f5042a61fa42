"""What is for sale changes at once: price, stock, levels of price, which packs are offered, paused and offered again."""

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from listings import packs, revising, stock
from listings.announcing import announce
from listings.models import Listing, Variant
from listings.owning import actor, get_own
from listings.states import FOR_SALE, ListingState as L
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.transitions import transition


class OnlyTheFarmer(Refusal):
    status = 403
    message = _l("What changes at once, only the farmer says: price, stock, whether it is for sale.")


class StockMoved(Refusal):
    """`on_hand` is what there is now."""

    message = _l("Some of these were sold or came back meanwhile; please look at the number again.")

    def __init__(self, code: str, on_hand: int) -> None:
        super().__init__(f"{code}: {on_hand} now")
        self.on_hand = on_hand


class PriceMoved(Refusal):
    """`fen` is what it costs now."""

    message = _l("The price was changed meanwhile; please look at it again.")

    def __init__(self, code: str, fen: int) -> None:
        super().__init__(f"{code}: {fen} now")
        self.fen = fen


def change_price_and_stock(
    session: Session,
    *,
    code: str,
    person_id: int,
    price_fen: int,
    on_hand: int,
    seen_on_hand: int,
    seen_price_fen: int | None = None,
    pack: str = "",
) -> bool:
    """Of a pack of this listing, without `pack` of its first one; whether that changed anything.

    `seen_on_hand` and `seen_price_fen` are what the seller looked at. Where they leave it alone, what was sold meanwhile
    stays sold, and a price that a sheet or another page gave it stays. Raises NotFound, StockMoved and PriceMoved when they
    change what has moved, OutOfStock when fewer are said to be there than are held."""
    listing = get_own(session, code, person_id)
    variant = packs.get(session, listing, pack) if pack else packs.first(session, listing.id)
    if variant is None:
        raise NotFound(code)
    is_counted = on_hand != seen_on_hand
    if is_counted and variant.on_hand not in (seen_on_hand, on_hand):
        raise StockMoved(code, variant.on_hand)
    if seen_price_fen == price_fen:
        price_fen = variant.price_fen
    elif seen_price_fen is not None and variant.price_fen not in (seen_price_fen, price_fen):
        raise PriceMoved(code, variant.price_fen)
    if variant.price_fen == price_fen and not is_counted:
        return False
    variant.price_fen = price_fen
    for tier in packs.tiers_of(session, variant.id):
        if tier.price_fen >= price_fen:  # a tier that is no advantage any more
            session.delete(tier)
    session.flush()
    if is_counted:
        stock.count(session, variant.code, difference=on_hand - variant.on_hand, reference=f"person:{person_id}")
    announce(session, listing)
    return True


def change_terms(
    session: Session,
    *,
    code: str,
    person_id: int,
    pack: str,
    price_fen: int,
    minimum_quantity: int,
    tiers: packs.Tiers,
) -> None:
    """What a pack costs, from how many on it costs less, how many at least. Raises NotFound."""
    listing = get_own(session, code, person_id)
    packs.set_terms(session, packs.get(session, listing, pack), price_fen, minimum_quantity, tiers)
    announce(session, listing)


def offer_pack(session: Session, *, code: str, person_id: int, pack: str, is_offered: bool, by: int | None = None) -> None:
    """Offer a pack or offer it no longer; what was sold of it stays known. Raises NotFound, OnlyTheFarmer, LastPack."""
    listing = get_changeable(session, code, person_id, by)
    variant = packs.get(session, listing, pack)
    others = select(Variant.id).where(Variant.listing_id == listing.id, Variant.is_offered, Variant.id != variant.id)
    if not is_offered and session.scalar(others.limit(1)) is None:
        raise packs.LastPack(pack)
    if variant.is_offered != is_offered:
        variant.is_offered = is_offered
        announce(session, listing)


def move_pack(session: Session, *, code: str, person_id: int, pack: str, by: int | None = None) -> None:
    """One place up. Raises NotFound, OnlyTheFarmer."""
    listing = get_changeable(session, code, person_id, by)
    packs.move_up(session, packs.get(session, listing, pack))
    announce(session, listing)


def set_offered(session: Session, *, code: str, person_id: int, is_offered: bool) -> bool:
    """Offer it again, or pause it; whether that changed anything. Raises NotFound, StaleState, IllegalTransition."""
    listing = get_own(session, code, person_id)
    if listing.state is (L.PUBLISHED if is_offered else L.PAUSED):
        return False
    (resume if is_offered else pause)(session, code=code, person_id=person_id)
    return True


def pause(session: Session, *, code: str, person_id: int) -> None:
    move(session, get_own(session, code, person_id), L.PUBLISHED, L.PAUSED, "paused")


def resume(session: Session, *, code: str, person_id: int) -> None:
    move(session, get_own(session, code, person_id), L.PAUSED, L.PUBLISHED, "offered again")


def archive(session: Session, *, code: str, person_id: int, by: int | None = None) -> None:
    """Take it away for good; an edit that waits goes with it. Raises NotFound, OnlyTheFarmer, IllegalTransition."""
    listing = get_changeable(session, code, person_id, by)
    if row := revising.waiting(session, listing.id):
        revising.take_back(session, row, listing, by=by or person_id)
    move(session, listing, listing.state, L.ARCHIVED, "taken away", by)


def get_changeable(session: Session, code: str, person_id: int, by: int | None) -> Listing:
    """As `get_own`; a clerk writes to a farmer's drafts this way, not to what is for sale. Raises OnlyTheFarmer."""
    listing = get_own(session, code, person_id, by)
    if by is not None and listing.state in FOR_SALE:
        raise OnlyTheFarmer(code)
    return listing


def move(session: Session, listing: Listing, here: L, there: L, why: str, by: int | None = None) -> None:
    who = actor(listing.seller_id, by)
    transition(session, listing, there, expected=here, actor=who, why=why, station=listing.station_code)
    announce(session, listing)
