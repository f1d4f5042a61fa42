"""From rows and hits to the answers of the JSON face: a fixed number of statements each."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crowdfund.pledges.queries import programmes
from listings.finding import Question, readable
from listings.found import without_index
from listings.index import index
from listings.models import Listing, PriceTier, Variant
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
    SuggestAnswer,
    Suggested,
    Tier,
)
from marketplace.core import clock
from marketplace.core.errors import NotFound
from marketplace.core.formats import in_language, language
from marketplace.stations.models import County, Station
from search_index import Facet, IndexUnavailable, Sort


def search(session: Session, asked: SearchQuery) -> SearchAnswer:
    """By the index; while there is none, the same question by the database, as the pages answer it too."""
    question = Question(
        text=readable(asked.q),
        categories=tuple(dict.fromkeys(asked.category)),
        counties=tuple(dict.fromkeys(asked.county)),
        sort=Sort(asked.sort),
        page=asked.page,
        per_page=asked.per_page,
    )
    today = clock.today()
    try:
        answer, is_degraded = index().search(question.query(today)), False
        codes = answer.codes
    except IndexUnavailable:
        result = without_index(session, question, today)
        answer, is_degraded = result.answer, True
        codes = [card.code for card in result.goods]
    facets = FacetValues(county=facet_values(answer.facets.counties), category=facet_values(answer.facets.categories))
    shown = items(session, codes)
    return SearchAnswer(total=answer.total, page=asked.page, degraded=is_degraded, items=shown, facets=facets)


def facet_values(values: Iterable[Facet]) -> list[FacetValue]:
    return [FacetValue(code=each.code, name=in_language(each.name_zh, each.name_en), count=each.count) for each in values]


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


def suggestions(prefix: str) -> SuggestAnswer:
    """At most eight; none while there is no index."""
    try:
        found = index().suggest(readable(prefix))
    except IndexUnavailable:
        return SuggestAnswer(degraded=True, suggestions=[])
    words = [Suggested(text=each.text, pinyin=each.pinyin, url=f"/search?{urlencode({'q': each.text})}") for each in found]
    return SuggestAnswer(degraded=False, suggestions=words)


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
