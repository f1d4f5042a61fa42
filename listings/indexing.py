"""Published listings as documents of the search: written by the worker alone, from rows read in batches."""

import logging
from collections.abc import Callable, Collection, Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from listings.cards import has_mark
from listings.models import Category, Listing, Variant
from listings.states import ListingState
from marketplace.core import outbox, page_cache, page_versions
from marketplace.core.db import db, in_transaction
from marketplace.core.formats import rounded
from marketplace.core.settings import settings
from marketplace.stations.models import County, Station
from search_index import Writer, open_writer
from search_index.documents import Document, Measure, Place, Term

BATCH: Final = 500
GOODS: Final = "goods"
READERS_LOOK: Final = timedelta(seconds=0.5)
PER: Final = {"weight": 500, "volume": 1000, "piece": 1}

TopCategory = aliased(Category)


def collect(payloads: list[dict[str, Any]]) -> None:
    """The outbox's collector of `listing.changed`: one commit of the index for the whole batch.

    When the index was lost, all goods are written anew: with these alone in it the shop would look almost empty."""
    if mend():
        return
    codes = sorted({payload["code"] for payload in payloads})
    found = in_transaction(read, codes=codes)
    gone = set(codes) - {document.code for document in found}
    writer(settings().search_folder).update(found, gone)
    in_transaction(renew_pages)


def mend() -> bool:
    """Write the index anew if it is missing, not whole, or made with other synonyms; True if it was. Asked now and then."""
    if not (complaint := writer(settings().search_folder).complaint()):
        return False
    logging.getLogger(__name__).info("building the search index anew: %s", complaint)
    rebuild()
    return True


@cache  # it keeps the words of the index, which are long to read
def writer(folder: Path) -> Writer:
    return open_writer(folder)


def renew_pages(session: Session) -> None:
    """Twice: a page that was made just now may have come from a searcher that had not looked for the newer index yet."""
    page_versions.raise_versions(session, tags={GOODS})
    outbox.put(session, page_cache.TOPIC, after=READERS_LOOK, tags=[GOODS])


def rebuild(progress: Callable[[int], None] | None = None) -> int:
    """Write the whole index anew, aside, while the old one serves; returns its generation."""
    generation = writer(settings().search_folder).rebuild(everything(), progress)
    in_transaction(renew_pages)
    return generation


def everything() -> Iterator[Document]:
    """All published listings, a batch of rows at a time: memory stays flat."""
    last = 0
    while True:
        after = select(Listing.id, Listing.code).where(Listing.id > last, Listing.state == ListingState.PUBLISHED)
        rows = db.session.execute(after.order_by(Listing.id).limit(BATCH)).all()
        if not rows:
            return
        last = rows[-1].id
        yield from read(db.session(), codes=[row.code for row in rows])


def read(session: Session, *, codes: Collection[str]) -> list[Document]:
    """The documents of those among the listings that are published: one statement for each 500."""
    return [document(row) for part in parts(list(codes)) for row in session.execute(statement(part))]


def parts(codes: list[str]) -> list[list[str]]:
    return [codes[start : start + BATCH] for start in range(0, len(codes), BATCH)]


def statement(codes: Collection[str]) -> Any:
    first = select(Variant.id).where(Variant.listing_id == Listing.id, Variant.is_offered)
    first = first.order_by(Variant.position, Variant.id).limit(1)
    left = select(func.max(Variant.on_hand - Variant.reserved)).where(Variant.listing_id == Listing.id, Variant.is_offered)
    return (
        select(Listing.code, Listing.title_zh, Listing.title_en, Listing.story_zh, Listing.story_en, Listing.tags)
        .add_columns(Listing.harvest_months, Listing.sold, Listing.published_at, Listing.seller_name)
        .add_columns(Listing.origin_village_zh, has_mark().label("has_mark"))
        .add_columns(Category.code.label("category"), Category.name_zh.label("category_zh"))
        .add_columns(Category.name_en.label("category_en"), TopCategory.code.label("top"))
        .add_columns(TopCategory.name_zh.label("top_zh"), TopCategory.name_en.label("top_en"))
        .add_columns(County.code.label("county"), County.name_zh.label("county_zh"), County.name_en.label("county_en"))
        .add_columns(County.prefecture_zh, County.prefecture_en, County.is_deep_poverty)
        .add_columns(Variant.unit_zh, Variant.price_fen, Variant.measure, Variant.measure_amount)
        .add_columns(left.correlate(Listing).scalar_subquery().label("left"))
        .join(Variant, Variant.id == first.correlate(Listing).scalar_subquery())
        .join(Category, Category.code == Listing.category_code)
        .outerjoin(TopCategory, TopCategory.code == Category.parent_code)
        .join(Station, Station.code == Listing.station_code)
        .join(County, County.code == Station.code)
        .where(Listing.code.in_(codes), Listing.state == ListingState.PUBLISHED)
    )


def document(row: Any) -> Document:
    own = Term(row.category, row.category_zh, row.category_en)
    measured = row.measure in PER and bool(row.measure_amount)
    return Document(
        code=row.code,
        title_zh=row.title_zh,
        title_en=row.title_en,
        description=f"{row.story_zh} {row.story_en}".strip(),
        tags=tuple(row.tags),
        categories=(Term(row.top, row.top_zh, row.top_en), own) if row.top else (own,),
        county=Place(row.county, row.county_zh, row.county_en, row.prefecture_zh, row.prefecture_en),
        unit=row.unit_zh,
        price_fen=row.price_fen,
        measure=Measure(row.measure) if measured else None,
        measure_price_fen=rounded(row.price_fen * PER[row.measure], row.measure_amount) if measured else None,
        harvest_months=frozenset(row.harvest_months),
        has_geographical_indication=row.has_mark,
        is_deep_poverty=row.is_deep_poverty,
        has_pickup=True,
        in_stock=(row.left or 0) > 0,
        sales=row.sold,
        published_at=row.published_at,
        seller=f"{row.seller_name} {row.origin_village_zh}".strip(),
    )
