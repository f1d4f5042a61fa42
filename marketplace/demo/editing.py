"""What waits at one station of the demonstration: an edit of a product, and a product that its clerk listed for a farmer."""

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from listings import revising
from listings.models import Consent, Listing, Revision
from marketplace.core import clock
from marketplace.demo.people import ids_of, person_id

EDITED: Final = "P0076"
CHANGES: Final[dict[str, Any]] = {
    "title_zh": "沁州黄小米 经典盒 当年新米",
    "storage_zh": "阴凉干燥处存放，开袋后装进密封罐，三个月内吃完",
    "new_packs": [
        {"unit": "10斤箱", "net_weight_grams": 5000, "price_fen": 16800, "stock": 60, "minimum_quantity": 1}
        | {"tiers": [[5, 16200], [20, 15500]]}
    ],
}
LISTED_FOR: Final = "P0081"
CLERK: Final = person_id("clerk.140430")
WORDS: Final = "我是段柳村的，同意沁县站替我把这件货挂到网上卖。价钱和数量照我说的写。我随时能看，也随时能反悔。"


def load(session: Session) -> None:
    """Both, unless they are there already."""
    edit(session)
    agree(session)


def edit(session: Session) -> None:
    listing = session.scalars(select(Listing).where(Listing.code == EDITED)).one()
    if session.scalar(select(Revision.id).where(Revision.listing_id == listing.id).limit(1)) is None:
        revising.propose(session, code=EDITED, person_id=listing.seller_id, changes=CHANGES)


def agree(session: Session) -> None:
    listing = session.scalars(select(Listing).where(Listing.code == LISTED_FOR)).one()
    if session.get(Consent, listing.id) is None:
        clerk = ids_of(session, [CLERK])[CLERK]
        given: dict[str, Any] = {"way": "by_phone", "words": WORDS, "at": clock.now() - timedelta(days=30)}
        session.add(Consent(listing_id=listing.id, seller_id=listing.seller_id, clerk_id=clerk, **given))
