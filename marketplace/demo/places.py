"""The counties, their stations, the categories, and where parcels go at which price."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from listings.models import Category
from marketplace.demo.tables import add_missing, day, is_true, read
from marketplace.orders.models import Province, ShippingRate
from marketplace.stations.models import County, Station


def load(session: Session) -> None:
    """Everything that stands before anyone sells; rows that are there already stay as they are."""
    add_missing(session, County.code, counties())
    add_missing(session, Station.code, stations())
    add_missing(session, Category.code, categories())
    add_missing(session, Province.code, provinces())
    add_rates(session)


def counties() -> Iterator[dict[str, Any]]:
    for row in read("counties"):
        yield {
            "code": row["code"],
            "name_zh": row["name_zh"],
            "name_en": row["name_en"],
            "prefecture_code": row["prefecture_code"],
            "prefecture_zh": row["prefecture_zh"],
            "prefecture_en": row["prefecture_en"],
            "level": row["level"],
            "is_deep_poverty": is_true(row["deep_poverty"]),
            "contiguous_area": row["contiguous_area"],
            "latitude": float(row["lat"]),
            "longitude": float(row["lon"]),
            "exit_year": int(row["exit_year"]),
        }


def stations() -> Iterator[dict[str, Any]]:
    for row in read("stations"):
        figures = {name: int(row[name]) for name in ("daily_capacity", "free_shipping_from_fen")}
        yield {name: row[name] for name in row if name != "clerk_zh"} | figures | {"is_demo": is_true(row["is_demo"])}


def categories() -> list[dict[str, Any]]:
    """Parents first, since a child names its parent."""
    rows = [
        {
            "code": row["code"],
            "parent_code": row["parent"] or None,
            "name_zh": row["name_zh"],
            "name_en": row["name_en"],
            "position": int(row["sort"]),
            "is_perishable": is_true(row["perishable"]),
            "return_policy": row["return_policy"],
            "is_age_restricted": is_true(row["age_restricted"]),
        }
        for row in read("categories")
    ]
    return sorted(rows, key=lambda row: (row["parent_code"] is not None, row["position"]))


def provinces() -> Iterator[dict[str, Any]]:
    """Shanxi first: most parcels stay there."""
    rows = sorted(read("provinces"), key=lambda row: (row["zone"] != "shanxi", row["code"]))
    for position, row in enumerate(rows, 1):
        yield {name: row[name] for name in ("code", "name_zh", "name_en", "zone")} | {"position": position}


def add_rates(session: Session) -> None:
    """The rate table, unless there is one: an operator's own rates must not be mixed with these."""
    if session.scalar(select(ShippingRate.id).limit(1)) is None:
        session.execute(insert(ShippingRate), list(rates()))


def rates() -> Iterator[dict[str, Any]]:
    for row in read("shipping_rates"):
        figures = {name: int(row[name]) for name in ("up_to_grams", "price_fen", "days")}
        yield figures | {"zone": row["zone"], "valid_from": day(row["valid_from"]), "valid_until": day(row["valid_until"])}
