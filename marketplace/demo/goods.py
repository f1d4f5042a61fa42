"""The demonstration's goods: published listings with their packs, tiers, certificates and stock."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from listings import measures, stock
from listings.models import Certificate, Listing, PriceTier, Review, Variant
from listings.states import ListingState
from marketplace.core import clock
from marketplace.core.transitions import EventRow
from marketplace.demo.people import ids_of, person_id, seller_person
from marketplace.demo.tables import Row, add_missing, is_true, read

COUNTED: Final = "demo"  # the reference of the first count of every pack
NEWEST: Final = timedelta(days=2)  # how long ago the last listing was published
APART: Final = timedelta(hours=11)  # between one publication and the next, so that "newest first" has an order


def load(session: Session) -> None:
    """The listings that are not there yet, with all that belongs to them. Others are left as they are."""
    people = ids_of(session, sorted({seller_person(row["code"]) for row in read("sellers")}))
    moments = publications()
    rows = list(listings(people, moments))
    new = set(add_missing(session, Listing.code, rows))
    ids = {code: key for code, key in session.execute(select(Listing.code, Listing.id)) if code in new}
    if not ids:
        return
    session.execute(insert(EventRow), [event for row in rows if row["code"] in new for event in life(row)])
    session.execute(insert(Review), reviews(session, rows, ids))
    packs = list(variants(ids))
    session.execute(insert(Variant), [{name: pack[name] for name in pack if name != "stock"} for pack in packs])
    for pack in packs:
        stock.count(session, pack["code"], difference=pack["stock"], reference=COUNTED)
    session.execute(insert(PriceTier), tiers(session))
    session.execute(insert(Certificate), certificates(ids))


def publications() -> dict[str, datetime]:
    """When each product was published: the last ones of the table last, some hours apart."""
    products = [row["id"] for row in read("products")]
    shuffled = sorted(products, key=lambda code: person_id(code))  # counties mixed, the same on every machine
    newest = clock.now() - NEWEST
    return {code: newest - APART * age for age, code in enumerate(shuffled)}


def listings(people: dict[str, int], moments: dict[str, datetime]) -> Iterator[dict[str, Any]]:
    more = {row["product_id"]: row for row in read("listings")}
    names = {row["code"]: row["name_zh"] for row in read("sellers")}
    drawings = {row["product_id"]: row["kind"] for row in read("pictures")}
    for row in read("products"):
        details, published = more[row["id"]], moments[row["id"]]
        yield {
            "code": row["id"],
            "state": ListingState.PUBLISHED,
            "seller_id": people[seller_person(details["seller_code"])],
            "station_code": row["county_code"],
            "category_code": row["category"],
            "title_zh": row["title_zh"],
            "title_en": row["title_en"],
            "story_zh": row["description_zh"],
            "story_en": details["story_en"],
            "seller_name": names[details["seller_code"]],
            "origin_village_zh": row["origin_village_zh"],
            "tags": row["tags"].split(";") if row["tags"] else [],
            "harvest_months": months(row["harvest_months"]),
            "shelf_life_days": int(row["shelf_life_days"]) if row["shelf_life_days"] else None,
            "storage_zh": details["storage_zh"],
            "storage_en": details["storage_en"],
            "is_perishable": is_true(row["perishable"]),
            "return_policy": row["return_policy"],
            "drawing": drawings[row["id"]],
            "is_demo": True,
            "created_at": published - timedelta(days=1, hours=5),
            "submitted_at": published - timedelta(hours=19),
            "published_at": published,
        }


def months(text: str) -> list[int]:
    """The months of "9-11", over the new year of "11-2"; none for "1-12", since all year is no season."""
    first, _dash, last = text.partition("-")
    start, end = int(first), int(last or first)
    length = (end - start) % 12 + 1
    return [] if length == 12 else [(start - 1 + step) % 12 + 1 for step in range(length)]


def life(listing: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The trace that a seller and a station would have left."""
    station = listing["station_code"]
    head = f"person:{person_id(f'station.{station}')}"
    steps = (
        ("", ListingState.DRAFT, "created_at", "demo", "begun"),
        (ListingState.DRAFT, ListingState.SUBMITTED, "submitted_at", "demo", "submitted"),
        (ListingState.SUBMITTED, ListingState.PUBLISHED, "published_at", head, "accepted"),
    )
    for before, after, when, actor, why in steps:
        moved = {"from_state": str(before), "to_state": str(after), "actor": actor, "why": why}
        yield {"subject": f"listing:{listing['code']}", "station": station, "at": listing[when], **moved}


def reviews(session: Session, rows: list[dict[str, Any]], ids: dict[str, int]) -> list[dict[str, Any]]:
    heads = ids_of(session, sorted({person_id(f"station.{row['station_code']}") for row in rows}))
    found = {row["product_id"]: findings(row["findings"]) for row in read("checks")}
    return [
        {
            "listing_id": ids[row["code"]],
            "reviewer_id": heads[person_id(f"station.{row['station_code']}")],
            "is_accepted": True,
            "origin_seen": True,
            "goods_seen": True,
            "price_sane": True,
            "findings": found[row["code"]],
            "at": row["published_at"],
        }
        for row in rows
        if row["code"] in ids
    ]


def findings(text: str) -> dict[str, int]:
    """The figures of "altitude_m=1080;sugar_tenths=142"."""
    return {name: int(figure) for name, _equals, figure in (pair.partition("=") for pair in text.split(";"))}


def variants(ids: dict[str, int]) -> Iterator[dict[str, Any]]:
    """The first pack from products.csv, others from variants.csv."""
    first = [row | {"code": f"{row['id']}-1", "product_id": row["id"], "min_quantity": "1"} for row in read("products")]
    for row in [*first, *read("variants")]:
        if row["product_id"] in ids:
            yield variant(row, ids[row["product_id"]])


def variant(row: Row, listing: int) -> dict[str, Any]:
    measure = measures.read(row["unit"])
    return {
        "code": row["code"],
        "listing_id": listing,
        "position": int(row["code"].rpartition("-")[2]),
        "unit_zh": row["unit"],
        "unit_en": measures.in_english(row["unit"]),
        "measure": measure.kind,
        "measure_amount": measure.amount,
        "piece_zh": measure.word,
        "net_weight_grams": int(row["net_weight_g"]),
        "price_fen": int(row["price_fen"]),
        "minimum_quantity": int(row["min_quantity"]),
        "stock": int(row["stock"]),
    }


def tiers(session: Session) -> list[dict[str, Any]]:
    known = set(session.scalars(select(PriceTier.variant_id)))
    ids = {code: key for code, key in session.execute(select(Variant.code, Variant.id)) if key not in known}
    rows = [row for row in read("price_tiers") if row["variant_code"] in ids]
    figures = ("from_quantity", "price_fen")
    return [{"variant_id": ids[row["variant_code"]]} | {name: int(row[name]) for name in figures} for row in rows]


def certificates(ids: dict[str, int]) -> list[dict[str, Any]]:
    kept = ("kind", "name_zh", "name_en", "number", "status")
    rows = [row for row in read("certificates") if row["product_id"] in ids]
    return [{"listing_id": ids[row["product_id"]], "is_demo": True} | {name: row[name] for name in kept} for row in rows]
