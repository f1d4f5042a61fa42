"""The worker's part: whose favourite has changed, or has not been looked at today, is looked at, and its person is told.

Which listings have changed the database itself writes down (`ListingChange`), so that no more is read than has changed. What
is told comes of how things stand, compared with what was seen last: nothing is told twice, whatever fails in between."""

import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Select, delete, or_, select
from sqlalchemy.orm import Session

from listings.following import days, goods, telling
from listings.following.goods import Good
from listings.following.models import Favourite, ListingChange
from listings.following.telling import News
from listings.models import Listing, Variant
from marketplace.accounts.models import Person
from marketplace.core.db import in_transaction
from marketplace.notifications import messages
from marketplace.notifications.preferences import MessageKind

BATCH: Final = 50
CHANGES: Final = 200  # of listings, at once
PAUSE: Final = 30.0  # seconds


@dataclass(eq=False)
class Looking:
    """The worker's step: some at a time while any are due, so that nothing else waits long; then not for half a minute."""

    due: float = 0.0

    def __call__(self) -> bool:
        if time.monotonic() < self.due:
            return False
        if in_transaction(look):
            return True
        self.due = time.monotonic() + PAUSE
        return False


def look(session: Session) -> bool:
    """Look at some that are due; True if there were any. Of two workers each takes others. A fixed number of statements."""
    noted = session.execute(
        select(ListingChange.id, ListingChange.listing_id)
        .order_by(ListingChange.id)
        .limit(CHANGES)
        .with_for_update(skip_locked=True)
    ).all()
    due = list(session.execute(changed({row.listing_id for row in noted}).limit(BATCH))) if noted else []
    if noted and len(due) < BATCH:  # else their listings have more favourites, for the next turn
        session.execute(delete(ListingChange).where(ListingChange.id.in_([row.id for row in noted])))
    if not noted:
        due = list(session.execute(not_looked_at_today().limit(BATCH)))
    found = goods.find(session, {row.Favourite.variant_code for row in due})
    for row in due:
        if good := found.get(row.Favourite.variant_code):
            look_at(session, row.Favourite, row.Person, good)
        else:  # it was thrown away
            row.Favourite.looked_on = days.today()
    return bool(noted or due)


def changed(listings: Collection[int]) -> Select[Favourite, Person]:
    """Favourites of these listings that were seen otherwise. Another worker may be looking at them, at what was before:
    it is waited for."""
    wanted = watched().join(Variant, Variant.code == Favourite.variant_code).join(Listing, Listing.id == Variant.listing_id)
    wanted = wanted.where(Listing.id.in_(listings), Favourite.seen_version != Listing.version)
    return wanted.order_by(Favourite.id).with_for_update(of=Favourite)


def not_looked_at_today() -> Select[Favourite, Person]:
    """Each once a day, for what the calendar changes."""
    wanted = watched().where(Favourite.looked_on < days.today()).order_by(Favourite.looked_on)
    return wanted.with_for_update(of=Favourite, skip_locked=True)


def watched() -> Select[Favourite, Person]:
    told = select(Favourite, Person).join(Person, Person.id == Favourite.person_id)
    return told.where(or_(Favourite.tells_price, Favourite.tells_return))


def look_at(session: Session, row: Favourite, person: Person, good: Good) -> None:
    """Tell what is new, at most once a day; what cannot be told today stays new."""
    row.was_away |= not good.is_available
    row.was_out_of_season |= not good.is_in_season(days.today().month)
    news = news_of(row, good)
    if news and person.is_active and row.told_on != days.today():
        tell(session, row, person, good, news)
        row.told_on = days.today()
        row.was_away, row.was_out_of_season = not good.is_available, not good.is_in_season(days.today().month)
        if is_cheaper(row, good):
            row.told_price_fen = good.price_fen
    row.seen_version, row.looked_on = good.version, days.today()


def news_of(row: Favourite, good: Good) -> News | None:
    if not good.is_for_sale:
        return None
    if row.tells_return and row.was_away and good.is_available:
        return News.BACK
    if row.tells_return and row.was_out_of_season and good.is_in_season(days.today().month):
        return News.SEASON
    return News.CHEAPER if row.tells_price and is_cheaper(row, good) else None


def is_cheaper(row: Favourite, good: Good) -> bool:
    """It can be had at a price they wait for, lower than any they were told."""
    is_news = row.told_price_fen is None or good.price_fen < row.told_price_fen
    return good.is_available and good.price_fen <= row.bound_fen and is_news


def tell(session: Session, row: Favourite, person: Person, good: Good, news: News) -> None:
    address = person.email or person.phone
    if address is None:
        return
    fact = f"favourite:{row.public_id}:{days.today().isoformat()}"
    text = telling.words(row, good, news)
    messages.send(session, fact=fact, address=address, text=text, person_id=person.id, kind=MessageKind.FAVOURITES)
