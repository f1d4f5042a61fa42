"""The demonstration's goods as documents, straight from its CSV files."""

import csv
import re
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from search_index import Document, Measure, Place, Term

DEMO = Path(__file__).parents[2] / "marketplace/demo"
OPENING = datetime(2026, 9, 1, tzinfo=UTC)


def rows(name: str) -> list[dict[str, str]]:
    with (DEMO / name).open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


@cache
def documents() -> tuple[Document, ...]:
    categories = {row["code"]: row for row in rows("categories.csv")}
    counties = {row["code"]: row for row in rows("counties.csv")}
    return tuple(
        document(number, row, categories, counties[row["county_code"]]) for number, row in enumerate(rows("products.csv"))
    )


def document(number: int, row: dict[str, str], categories: dict[str, dict[str, str]], county: dict[str, str]) -> Document:
    leaf = categories[row["category"]]
    path = [categories[leaf["parent"]], leaf] if leaf["parent"] else [leaf]
    grams = int(row["net_weight_g"])
    is_liquid = "ml" in row["unit"] or "L" in row["unit"]
    return Document(
        code=row["id"],
        title_zh=row["title_zh"],
        title_en=row["title_en"],
        description=row["description_zh"],
        tags=tuple(filter(None, row["tags"].split(";"))),
        categories=tuple(Term(term["code"], term["name_zh"], term["name_en"]) for term in path),
        county=Place(
            *(county[name] for name in ("code", "name_zh", "name_en", "prefecture_zh", "prefecture_en")),
        ),
        unit=row["unit"],
        price_fen=int(row["price_fen"]),
        measure=Measure.VOLUME if is_liquid else Measure.WEIGHT,
        measure_price_fen=int(row["price_fen"]) * (1000 if is_liquid else 500) // grams,
        harvest_months=months(row["harvest_months"]),
        has_geographical_indication="GI地理标志" in row["tags"],
        is_deep_poverty=county["deep_poverty"] == "true",
        has_pickup=number % 2 == 0,
        in_stock=int(row["stock"]) > 0,
        published_at=OPENING + timedelta(minutes=number),
        seller=row["origin_village_zh"],
    )


def months(text: str) -> frozenset[int]:
    """The months of `9-11`, `11-2` (over the turn of the year) or `7`."""
    numbers = [int(number) for number in re.findall(r"\d+", text)]
    first, last = numbers[0], numbers[-1]
    return frozenset((first - 1 + step) % 12 + 1 for step in range((last - first) % 12 + 1))
