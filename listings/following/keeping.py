"""Commands: keep a pack in mind, forget it, choose what to be told of it. Each may be sent twice."""

from collections.abc import Mapping
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from listings.following import days, goods
from listings.following.goods import Good
from listings.following.models import Favourite, ListingChange
from listings.models import Variant
from marketplace.accounts.models import Person
from marketplace.core import clock, ids
from marketplace.core.db import insert_or_ignore
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.languages import DEFAULT

MOST: Final = 100
CHOSEN: Final = ("saved_at", "saved_price_fen", "tells_price", "tells_return", "wish_fen", "told_price_fen", "language")


class TooManyFavourites(Refusal):
    message = _l("You have a hundred favourites already. Remove one that you do not need any more.")


class AlreadyThatCheap(Refusal):
    """The price that somebody waits for is there already."""

    status = 422
    message = _l("It costs no more than that already. Enter a lower price.")


def save(session: Session, *, person_id: int, variant: str, as_before: Mapping[str, Any] | None = None) -> bool:
    """Keep this pack in mind; whether it is new there. What is kept already stays as it is, with the price of its day.

    `as_before`: what `remove` returned, where somebody takes that back.
    Raises NotFound for what has no page, TooManyFavourites."""
    good = goods.find(session, [variant]).get(variant)
    if good is None or not (good.is_for_sale or as_before):
        raise NotFound(variant)
    session.execute(select(Person.id).where(Person.id == person_id).with_for_update())  # two presses, one after the other
    kept = session.scalars(select(Favourite.variant_code).where(Favourite.person_id == person_id)).all()
    if variant not in kept and len(kept) >= MOST:
        raise TooManyFavourites(str(person_id))
    seen = {"was_away": not good.is_available, "was_out_of_season": not good.is_in_season(days.today().month)}
    new = {"public_id": ids.public_id(), "person_id": person_id, "variant_code": variant, "saved_at": clock.now()}
    new |= {"saved_price_fen": good.price_fen, "tells_price": False, "tells_return": False, "language": DEFAULT}
    new |= {**seen, "seen_version": good.version, "looked_on": days.today()}
    return insert_or_ignore(session, Favourite, new | dict(as_before or {}))


def remove(session: Session, *, person_id: int, variant: str) -> dict[str, Any] | None:
    """Forget it; returns how it was kept, for `save` to bring it back as it was. None where it was not kept."""
    mine = delete(Favourite).where(Favourite.person_id == person_id, Favourite.variant_code == variant)
    row = session.execute(mine.returning(*(getattr(Favourite, name) for name in CHOSEN))).first()
    return dict(row._mapping) if row else None


def choose_alerts(
    session: Session,
    *,
    person_id: int,
    variant: str,
    tells_price: bool,
    tells_return: bool,
    wish_fen: int | None = None,
    language: str = DEFAULT,
) -> None:
    """What to be told of it from now on: how things stand at this moment is no news.

    `wish_fen`: at or below which price; None: below the price it had when it was saved.
    Raises NotFound, AlreadyThatCheap."""
    mine = select(Favourite).where(Favourite.person_id == person_id, Favourite.variant_code == variant)
    row = session.scalar(mine.with_for_update())
    good = goods.find(session, [variant]).get(variant)
    if row is None or good is None:
        raise NotFound(variant)
    wish_fen = wish_fen if tells_price else None
    if wish_fen is not None and wish_fen != row.wish_fen and good.is_available and good.price_fen <= wish_fen:
        raise AlreadyThatCheap(variant)
    row.tells_price, row.tells_return, row.wish_fen, row.language = tells_price, tells_return, wish_fen, language
    take_as_known(row, good)
    whose = select(Variant.listing_id).where(Variant.code == variant)
    session.execute(insert(ListingChange).from_select(["listing_id"], whose))  # it may be changing at this very moment


def take_as_known(row: Favourite, good: Good) -> None:
    """The person looks at it now; only what changes after this is news."""
    row.was_away, row.was_out_of_season = not good.is_available, not good.is_in_season(days.today().month)
    row.told_price_fen = good.price_fen if good.is_available and good.price_fen <= row.bound_fen else None
    row.seen_version, row.looked_on = good.version, days.today()


def silence(session: Session, *, favourite: str) -> None:
    """No more messages about this one; it stays a favourite. Raises NotFound."""
    quiet = update(Favourite).where(Favourite.public_id == favourite).values(tells_price=False, tells_return=False)
    if session.scalar(quiet.returning(Favourite.id)) is None:
        raise NotFound(favourite)


def silence_all(session: Session, *, favourite: str) -> None:
    """No more messages about any of this person's favourites. Raises NotFound."""
    person = session.scalar(select(Favourite.person_id).where(Favourite.public_id == favourite))
    if person is None:
        raise NotFound(favourite)
    session.execute(update(Favourite).where(Favourite.person_id == person).values(tells_price=False, tells_return=False))


def count(session: Session, person_id: int) -> int:
    return session.scalar(select(func.count()).select_from(Favourite).where(Favourite.person_id == person_id)) or 0
