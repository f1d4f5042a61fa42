"""A shop with one good, somebody who buys, and days that pass."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from listings import offering, stock
from listings.following import keeping, watching
from listings.following.models import Favourite
from listings.models import Listing, Variant
from marketplace.accounts.models import Person
from marketplace.core.db import in_transaction
from marketplace.notifications.models import Message
from tests.factories import make_category, make_listing, make_person, make_station, make_variant, sign_in_as

NOON: datetime = datetime(2026, 10, 5, 4, tzinfo=UTC)  # noon in Shanxi


@dataclass
class Orchard:
    """Apples at ¥39.80, gathered in September and October, and somebody who keeps them in mind."""

    session: Session
    person: Person
    listing: Listing
    variant: Variant
    client: FlaskClient

    @property
    def favourite(self) -> Favourite:
        return self.session.scalars(select(Favourite)).one()

    def save(self) -> None:
        in_transaction(keeping.save, person_id=self.person.id, variant=self.variant.code)

    def ask(self, *, price: bool = False, back: bool = False, wish: int | None = None, language: str = "zh_CN") -> None:
        wanted: dict[str, Any] = {"tells_price": price, "tells_return": back, "wish_fen": wish, "language": language}
        in_transaction(keeping.choose_alerts, person_id=self.person.id, variant=self.variant.code, **wanted)

    def price(self, fen: int) -> None:
        changed: dict[str, Any] = {"price_fen": fen, "on_hand": self.variant.on_hand, "seen_on_hand": self.variant.on_hand}
        in_transaction(offering.change_price_and_stock, code=self.listing.code, person_id=self.listing.seller_id, **changed)

    def count(self, difference: int) -> None:
        in_transaction(stock.count, self.variant.code, difference=difference, reference="test")

    def pause(self) -> None:
        in_transaction(offering.pause, code=self.listing.code, person_id=self.listing.seller_id)

    def resume(self) -> None:
        in_transaction(offering.resume, code=self.listing.code, person_id=self.listing.seller_id)

    def look(self) -> list[str]:
        """What the worker tells now, as the person reads it."""
        before = self.session.query(Message).count()
        while in_transaction(watching.look):
            pass
        return list(self.session.scalars(select(Message.text).order_by(Message.id)))[before:]


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def orchard(session: Session, client: FlaskClient, clock: Any) -> Orchard:
    make_station()
    make_category()
    listing = make_listing(code="G7", harvest_months=[9, 10], title_en="Jixian Fuji apples")
    variant = make_variant(listing, code="G7-1", price_fen=3980, stock_on_hand=20)
    return Orchard(session, make_person(), listing, variant, client)


@pytest.fixture
def signed_in(orchard: Orchard) -> Orchard:
    sign_in_as(orchard.client, orchard.person)
    return orchard


Pass = Callable[[int], None]


@pytest.fixture
def pass_days(clock: Any) -> Pass:
    def go_on(days: int) -> None:
        clock.shift(days * 24 * 3600)

    return go_on
