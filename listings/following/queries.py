"""Somebody's favourites as their page shows them: two statements, however many there are."""

from collections.abc import Sequence, Set
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from listings.following import days, goods
from listings.following.goods import Good
from listings.following.models import Favourite
from marketplace.core.db import rows
from marketplace.core.errors import NotFound
from marketplace.core.records import record


@record
class Kept:
    """A favourite and how its pack is now."""

    good: Good
    saved_at: datetime
    saved_price_fen: int
    tells_price: bool
    tells_return: bool
    wish_fen: int | None

    @property
    def cheaper_fen(self) -> int:
        """By so much it is cheaper than when it was saved; below zero it is dearer."""
        return self.saved_price_fen - self.good.price_fen

    @property
    def has_season(self) -> bool:
        return bool(self.good.harvest_months)

    @property
    def is_in_season(self) -> bool:
        return self.good.is_in_season(days.today().month)


def of_person(session: Session, person_id: int) -> list[Kept]:
    """The latest first; a pack that was thrown away for good is left out."""
    wanted = select(Favourite.variant_code, Favourite.saved_at, Favourite.saved_price_fen, Favourite.tells_price)
    wanted = wanted.add_columns(Favourite.tells_return, Favourite.wish_fen).where(Favourite.person_id == person_id)
    session.flush()
    kept = rows(session, wanted.order_by(Favourite.id.desc()))
    found = goods.find(session, [row.variant_code for row in kept])
    return [
        Kept(found[row.variant_code], row.saved_at, row.saved_price_fen, row.tells_price, row.tells_return, row.wish_fen)
        for row in kept
        if row.variant_code in found
    ]


def get(session: Session, person_id: int, variant: str) -> Kept:
    """Raises NotFound for what they do not keep."""
    for kept in of_person(session, person_id):
        if kept.good.variant == variant:
            return kept
    raise NotFound(variant)


def is_kept(session: Session, person_id: int, variant: str) -> bool:
    mine = select(Favourite.id).where(Favourite.person_id == person_id, Favourite.variant_code == variant)
    return bool(rows(session, mine))


def kept_among(session: Session, person_id: int, variants: Sequence[str]) -> Set[str]:
    """Those of these packs that they keep."""
    mine = select(Favourite.variant_code).where(Favourite.person_id == person_id, Favourite.variant_code.in_(variants))
    return {row.variant_code for row in rows(session, mine)} if variants else set()


def get_named(session: Session, favourite: str) -> tuple[Favourite, Good] | None:
    """The one that a signed link names; None where it was removed meanwhile."""
    row = session.scalar(select(Favourite).where(Favourite.public_id == favourite))
    good = goods.find(session, [row.variant_code]).get(row.variant_code) if row else None
    return (row, good) if row and good else None
