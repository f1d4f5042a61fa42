"""A seller says beforehand what they can bring; it moves nothing, the station decides when the goods are there."""

from collections.abc import Mapping

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from marketplace.core import clock
from marketplace.core.db import add_rows
from marketplace.core.errors import Refusal
from marketplace.orders.receiving import owed
from marketplace.orders.receiving.models import Forecast
from marketplace.orders.receiving.owed import Pack


def of_seller(session: Session, seller: str) -> dict[str, Forecast]:
    """By the packs' codes."""
    said = select(Forecast).where(Forecast.seller_public_id == seller)
    return {row.variant_code: row for row in session.scalars(said)}


def sellers_who_said(session: Session, sellers: list[str]) -> set[str]:
    """Those of them who have said something."""
    return set(session.scalars(select(Forecast.seller_public_id).where(Forecast.seller_public_id.in_(sellers))))


class OwesOtherwise(Refusal):
    message = _l("What you have to bring has changed meanwhile. Please look again.")


def expected(said: Forecast | None, pack: Pack) -> int:
    """Packs that are likely to come: a word is about what was ordered when it was given, not what was ordered since."""
    if said is None:
        return pack.wanted
    since = sum(claim.wanted for claim in pack.claims if claim.paid_at > said.at)
    return min(said.packs, pack.wanted - since) + since


def foretell(session: Session, *, seller: str, packs: Mapping[str, tuple[int, int | None]], seen: str) -> None:
    """Packs, and grams of them all, by the packs' codes; what is as ordered needs no word.

    `seen` is the mark of what the seller was shown: all of what was ordered then is too little of what is ordered by now.
    Raises OwesOtherwise, also for a pack that this seller does not owe anybody."""
    delivery = owed.of_seller(session, seller)
    known = {pack.code: pack for pack in delivery.packs} if delivery else {}
    if delivery is None or delivery.mark != seen or packs.keys() - known.keys():
        raise OwesOtherwise(seller)
    session.execute(delete(Forecast).where(Forecast.seller_public_id == seller, Forecast.variant_code.in_(sorted(packs))))
    said = [
        {"seller_public_id": seller, "variant_code": code, "packs": number, "grams": grams, "at": clock.now()}
        for code, (number, grams) in sorted(packs.items())
        if number < known[code].wanted or grams is not None
    ]
    if said:
        add_rows(session, Forecast, *said)
