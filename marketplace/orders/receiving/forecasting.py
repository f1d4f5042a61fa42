"""A seller says beforehand what they can bring; it moves nothing, the station decides when the goods are there."""

from collections.abc import Mapping

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from marketplace.core import clock
from marketplace.core.db import add_rows
from marketplace.core.errors import NotFound
from marketplace.orders.receiving import owed
from marketplace.orders.receiving.models import Forecast


def of_seller(session: Session, seller: str) -> dict[str, Forecast]:
    """By the packs' codes."""
    said = select(Forecast).where(Forecast.seller_public_id == seller)
    return {row.variant_code: row for row in session.scalars(said)}


def sellers_who_said(session: Session, sellers: list[str]) -> set[str]:
    """Those of them who have said something."""
    return set(session.scalars(select(Forecast.seller_public_id).where(Forecast.seller_public_id.in_(sellers))))


def foretell(session: Session, *, seller: str, packs: Mapping[str, tuple[int, int | None]]) -> None:
    """Packs, and grams of them all, by the packs' codes; what is as ordered needs no word. Raises NotFound for a pack that
    this seller does not owe anybody."""
    delivery = owed.of_seller(session, seller)
    known = {pack.code: pack for pack in delivery.packs} if delivery else {}
    if packs.keys() - known.keys():
        raise NotFound(seller)
    session.execute(delete(Forecast).where(Forecast.seller_public_id == seller, Forecast.variant_code.in_(sorted(packs))))
    said = [
        {"seller_public_id": seller, "variant_code": code, "packs": number, "grams": grams, "at": clock.now()}
        for code, (number, grams) in sorted(packs.items())
        if number < known[code].wanted or grams is not None
    ]
    if said:
        add_rows(session, Forecast, *said)
