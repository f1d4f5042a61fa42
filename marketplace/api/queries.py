"""From rows and hits to the answers of the JSON face: a fixed number of statements each."""

from typing import Any
from urllib.parse import urlencode

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from crowdfund.pledges.queries import programmes
from listings.index import index
from listings.models import Category, Listing, PriceTier, Variant
from listings.states import ListingState
from marketplace.api.schemas import (
    FacetValue,
    FacetValues,
    Item,
    ListingAnswer,
    Pack,
    PledgeProgramme,
    SearchAnswer,
    SearchQuery,
    StationItem,
    Suggested,
    Tier,
)
from marketplace.core.errors import NotFound
from marketplace.core.formats import language
from marketplace.stations.models import County, Station
from search_index import IndexUnavailable, Query, Sort


def search(session: Session, asked: SearchQuery) -> SearchAnswer:
    """By the index; while there is none, by the words as they stand in the titles, without facets."""
    query = Query(
        text=asked.q,
        counties=frozenset(asked.county),
        categories=frozenset(asked.category),
        sort=Sort(asked.sort),
        page=asked.page,
        per_page=asked.per_page,
    )
    try:
        found = index().search(query)
    except IndexUnavailable:
        return search_rows(session, asked)
    in_english = language() == "en"

    def facet(values: Any) -> list[FacetValue]:
        return [FacetValue(code=v.code, name=v.name_en if in_english else v.name_zh, count=v.count) for v in values]

    facets = FacetValues(county=facet(found.facets.counties), category=facet(found.facets.categories))
    found_items = items(session, [hit.code for hit in found.hits])
    return SearchAnswer(total=found.total, page=asked.page, items=found_items, facets=facets)


def search_rows(session: Session, asked: SearchQuery) -> SearchAnswer:
    which: list[Any] = [Listing.state == ListingState.PUBLISHED]
    if asked.q:
        which.append(or_(*(column.contains(asked.q, autoescape=True) for column in (Listing.title_zh, Listing.title_en))))
    if asked.county:
        which.append(Listing.station_code.in_(asked.county))
    if asked.category:
        below = select(Category.code).where(Category.parent_code.in_(asked.category))
        which.append(or_(Listing.category_code.in_(asked.category), Listing.category_code.in_(below)))
    total = session.scalar(select(func.count()).select_from(Listing).where(*which)) or 0
    page = select(Listing.code).where(*which).order_by(Listing.published_at.desc(), Listing.id)
    codes = session.scalars(page.limit(asked.per_page).offset((asked.page - 1) * asked.per_page)).all()
    none = FacetValues(county=[], category=[])
    return SearchAnswer(total=total, page=asked.page, items=items(session, list(codes)), facets=none)


def items(session: Session, codes: list[str]) -> list[Item]:
    """In the order of the codes; what is not published any more is left out. One statement."""
    first = select(func.min(Variant.id)).where(Variant.listing_id == Listing.id, Variant.is_offered)
    wanted = (
        select(Listing.code, Listing.title_zh, Listing.title_en, Listing.station_code, Listing.category_code)
        .add_columns(Variant.price_fen)
        .join(Variant, Variant.id == first.correlate(Listing).scalar_subquery())
        .where(Listing.code.in_(codes), Listing.state == ListingState.PUBLISHED)
    )
    rows = {row.code: row for row in session.execute(wanted)}
    return [item(rows[code]) for code in codes if code in rows]


def item(row: Any) -> Item:
    return Item(
        sku=row.code,
        title=in_language(row.title_zh, row.title_en),
        price_fen=row.price_fen,
        county_code=row.station_code,
        category=row.category_code,
        url=f"/listings/{row.code}",
    )


def in_language(chinese: str, english: str) -> str:
    return english if language() == "en" and english else chinese


def listing(session: Session, sku: str) -> ListingAnswer:
    """Three statements. Raises NotFound for what is not published."""
    found = session.scalar(select(Listing).where(Listing.code == sku, Listing.state == ListingState.PUBLISHED))
    if found is None:
        raise NotFound(sku)
    packs = select(Variant).where(Variant.listing_id == found.id, Variant.is_offered).order_by(Variant.position)
    variants = session.scalars(packs).all()
    tiers = select(PriceTier).where(PriceTier.variant_id.in_([variant.id for variant in variants]))
    steps = session.scalars(tiers.order_by(PriceTier.from_quantity)).all()
    return ListingAnswer(
        sku=found.code,
        title=in_language(found.title_zh, found.title_en),
        story=in_language(found.story_zh, found.story_en),
        category=found.category_code,
        county_code=found.station_code,
        seller=found.seller_name,
        origin_village=found.origin_village_zh,
        harvest_months=found.harvest_months,
        return_policy=found.return_policy,
        url=f"/listings/{found.code}",
        packs=[pack(variant, [step for step in steps if step.variant_id == variant.id]) for variant in variants],
    )


def pack(variant: Variant, steps: list[PriceTier]) -> Pack:
    return Pack(
        sku=variant.code,
        unit=in_language(variant.unit_zh, variant.unit_en),
        price_fen=variant.price_fen,
        net_weight_g=variant.net_weight_grams,
        minimum_quantity=variant.minimum_quantity,
        available=variant.on_hand - variant.reserved,
        tiers=[Tier(from_quantity=step.from_quantity, price_fen=step.price_fen) for step in steps],
    )


def stations(session: Session) -> list[StationItem]:
    rows = session.execute(select(Station, County).join(County, County.code == Station.code).order_by(Station.code))
    return [
        StationItem(
            code=station.code,
            name=in_language(station.name_zh, station.name_en),
            county=in_language(county.name_zh, county.name_en),
            prefecture=in_language(county.prefecture_zh, county.prefecture_en),
            is_deep_poverty=county.is_deep_poverty,
            address=in_language(station.address_zh, station.address_en),
            opening_hours=in_language(station.opening_hours_zh, station.opening_hours_en),
            phone=station.phone,
            latitude=county.latitude,
            longitude=county.longitude,
            url=f"/stations/{station.code}",
        )
        for station, county in rows
    ]


def suggestions(prefix: str) -> list[Suggested]:
    """At most eight; none while there is no index."""
    try:
        found = index().suggest(prefix)
    except IndexUnavailable:
        return []
    return [Suggested(text=each.text, pinyin=each.pinyin, url=f"/search?{urlencode({'q': each.text})}") for each in found]


def pledge_programmes(session: Session) -> list[PledgeProgramme]:
    in_english = language() == "en"
    return [
        PledgeProgramme(
            code=each.code,
            name=each.name_en if in_english else each.name_zh,
            partner_code=each.partner_code,
            partner=each.partner_en if in_english else each.partner_zh,
            charity=each.charity_en if in_english else each.charity_zh,
            device_model=each.model_code,
            is_demo=each.is_demo,
            opens_on=each.opens_on,
            closes_on=each.closes_on,
            signed_on=each.signed_on,
            unit_value_fen=each.unit_value_fen,
            quota=each.quota,
            brought=each.brought,
            owed=each.debt,
            directed=each.claimed,
            handed_over=each.handed_over,
            url="/pledges",
        )
        for each in programmes(session)
    ]
