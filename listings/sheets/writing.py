"""What the values of a sheet become in the tables of goods: a few statements, however many rows there are."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session

from listings import certificates, measures
from listings.drawings import drawing_of
from listings.forms import grams_of
from listings.models import Listing, Media, PriceTier, Variant
from listings.sheets import goods
from listings.sheets.goods import Pack
from listings.sheets.parsing import MOST_PICTURES
from marketplace.core.db import Base, add_rows, rows

Categories = Mapping[str, tuple[bool, str]]  # is it perishable, how it may be returned


OF_LISTING: Final = {
    "number": "article_number",
    "title": "title_zh",
    "village": "origin_village_zh",
    "story": "story_zh",
    "months": "harvest_months",
    "shelf_life": "shelf_life_days",
    "storage": "storage_zh",
}


def listing_columns(values: Mapping[str, Any], categories: Categories) -> dict[str, Any]:
    own = {column: values[key] for key, column in OF_LISTING.items()}
    return own | category_columns(values["category"], categories) | {"article_number": values["number"] or None}


def category_columns(category: str, categories: Categories) -> dict[str, Any]:
    """What a kind of goods brings with it, as for one that is begun by hand (drafting.begin)."""
    perishable, policy = categories[category]
    drawn = {"category_code": category, "drawing": drawing_of(category)}
    return drawn | {"is_perishable": perishable, "return_policy": policy}


def pack_columns(values: Mapping[str, Any]) -> dict[str, Any]:
    """As the seller's form writes a pack (drafting.describe), without its stock."""
    measure = measures.read(values["unit"])
    return {
        "unit_zh": values["unit"],
        "unit_en": measures.in_english(values["unit"]),
        "measure": measure.kind,
        "measure_amount": measure.amount,
        "piece_zh": measure.word,
        "net_weight_grams": values["weight"] or grams_of(values["unit"]) or 0,
        "price_fen": values["price"],
        "minimum_quantity": values.get("minimum", 1),
    }


def ids_of(session: Session, kind: type[Listing] | type[Variant], codes: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in goods.parts(codes):
        found |= {row.code: row.id for row in rows(session, select(kind.code, kind.id).where(kind.code.in_(part)))}
    return found


def add_tiers(session: Session, tiers: Mapping[int, list[list[int]]]) -> None:
    wanted = [
        {"variant_id": variant, "from_quantity": least, "price_fen": fen}
        for variant, all_ in tiers.items()
        for least, fen in all_
    ]
    if wanted:
        add_rows(session, PriceTier, *wanted)


def add_media(session: Session, uploader_id: int, pictures: Mapping[int, tuple[int, list[dict[str, Any]]]]) -> None:
    """`pictures`: listing: how many it has, and those behind them."""
    wanted = []
    for listing, (have, added) in pictures.items():
        for place, made in enumerate(added, start=have + 1):
            about = {key: made[key] for key in ("digest", "width", "height")}
            wanted.append({"listing_id": listing, "uploader_id": uploader_id, "position": place, **about})
    if wanted:
        add_rows(session, Media, *wanted)


def add_media_to(session: Session, uploader_id: int, changes: Sequence[tuple[Pack, Mapping[str, Any]]]) -> None:
    """Behind the pictures that these listings have."""
    have = goods.pictures_of(session, [pack.listing_id for pack, _entry in changes])
    added = {}
    for pack, entry in changes:
        known = have.get(pack.listing_id, [])
        new = [made for made in entry["pictures"] if made["digest"] not in known]
        added[pack.listing_id] = (len(known), new[: MOST_PICTURES - len(known)])
    add_media(session, uploader_id, added)


def rewrite(session: Session, changes: Sequence[tuple[Pack, Mapping[str, Any]]], categories: Categories) -> None:
    """Of each pack the columns that its entry names, a statement for each kind of them; stock is counted elsewhere."""
    changed = [(pack, {**pack.values, **entry}, entry.keys()) for pack, entry in changes]
    terms = [
        {"row": pack.variant_id, "price_fen": values["price"], "minimum_quantity": values["minimum"]}
        for pack, values, keys in changed
        if keys & {"price", "minimum"}
    ]
    packs = [{"row": pack.variant_id, **pack_columns(values)} for pack, values, keys in changed if keys & {"unit", "weight"}]
    listings = [
        {"row": pack.listing_id, **{column: values[key] for key, column in OF_LISTING.items()}}
        for pack, values, keys in changed
        if keys & OF_LISTING.keys()
    ]
    kinds = [
        {"row": pack.listing_id, **category_columns(values["category"], categories)}
        for pack, values, keys in changed
        if "category" in keys
    ]
    for kind, written in ((Variant, terms), (Variant, packs), (Listing, listings), (Listing, kinds)):
        update_each(session, kind, written)
    papers = {pack.listing_id: entry["certificates"] for pack, entry in changes if "certificates" in entry}
    arrange_papers(session, papers)
    tiers = {pack.variant_id: entry["tiers"] for pack, entry in changes if "tiers" in entry}
    for part in goods.parts(list(tiers)):
        session.execute(delete(PriceTier).where(PriceTier.variant_id.in_(part)))
    add_tiers(session, tiers)
    for part in goods.parts(sorted({pack.listing_id for pack, _entry in changes})):
        session.execute(update(Listing).where(Listing.id.in_(part)).values(version=Listing.version + 1))


def arrange_papers(session: Session, papers: Mapping[int, list[dict[str, Any]]]) -> None:
    """`papers`: listing: all that it has from now on."""
    for part in goods.parts(list(papers)):
        certificates.arrange_all(session, {listing: papers[listing] for listing in part})


def update_each(session: Session, kind: type[Base], written: Sequence[Mapping[str, Any]]) -> None:
    """The same columns of many rows, each with values of its own; `row` is the id."""
    if not written:
        return
    table: Any = kind.__table__
    columns = {name: bindparam(name, type_=table.c[name].type) for name in written[0] if name != "row"}
    session.connection().execute(update(table).where(table.c.id == bindparam("row")).values(columns), written)
