"""A catalogue of many goods: the demonstration's, copied under new codes with prices of their own."""

import random
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from listings.models import Listing, Variant

BATCH = 1000


def fill(session: Session, *, count: int, seed: int = 7) -> None:
    """Until there are `count` listings on sale."""
    chance = random.Random(seed)
    listings = rows(session, Listing)
    variants: dict[int, list[dict[str, Any]]] = {}
    for variant in rows(session, Variant):
        variants.setdefault(variant.pop("listing_id"), []).append(variant)
    next_id = max(row["id"] for row in listings) + 1
    made: list[dict[str, Any]] = []
    packs: list[dict[str, Any]] = []
    for number in range(count - len(listings)):
        original = listings[number % len(listings)]
        code = f"B{number:05}"
        made.append({**original, "id": next_id + number, "code": code, "title_zh": f"{original['title_zh']} {number}号"})
        for place, pack in enumerate(variants.get(original["id"], []), 1):
            price = max(100, pack["price_fen"] + chance.randrange(-500, 500))
            kept = {name: value for name, value in pack.items() if name != "id"}
            packs.append({**kept, "code": f"{code}-{place}", "listing_id": next_id + number, "price_fen": price})
    for table, new in ((Listing, made), (Variant, packs)):
        for start in range(0, len(new), BATCH):
            session.execute(insert(table.__table__), new[start : start + BATCH])  # type: ignore[arg-type]


def rows(session: Session, kind: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in session.execute(select(kind.__table__)).mappings()]
