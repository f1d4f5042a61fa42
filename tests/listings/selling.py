"""A seller, a clerk and a colleague of one station, each in a browser of their own; what became of what they sent."""

import re
from dataclasses import dataclass
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from listings.models import Consent, Listing, Revision, Variant
from marketplace.accounts.models import Person
from marketplace.core.db import Base, db
from tests import factories
from tests.listings.test_offering import QINXIAN, make_seller, post

CONTENT: dict[str, Any] = {
    "title": "沁州黄小米 当年新米",
    "village": "次村乡次村",
    "story": "坡地上一年一茬，米油厚，煮粥香。",
    "months": ["9", "10"],
    "shelf_life": "365",
    "storage": "阴凉干燥",
}


@dataclass
class House:
    """`millet` is what the seller has for sale, with one pack of ¥39.80 and 10 in stock."""

    app: Flask
    seller: FlaskClient
    person: Person
    clerk: FlaskClient
    clerk_person: Person
    colleague: FlaskClient
    millet: str

    def browser(self) -> FlaskClient:
        return self.app.test_client()

    def edit(self, **changes: Any) -> TestResponse:
        """The seller sends the form of what it is."""
        return post(self.seller, f"/seller/listings/{self.millet}/details", CONTENT | changes)

    def decide(self, who: FlaskClient, decision: str = "accept", **given: Any) -> TestResponse:
        """Somebody at the station decides on the edit as they see it."""
        row = edits()[-1]
        shown = re.search(r'name="version"[^>]*value="(\d+)"', who.get(f"/station/edits/{row.public_id}").text)
        data = {"decision": decision, "version": shown[1] if shown else ""} | given
        return post(who, f"/station/edits/{row.public_id}/review", data)


def build(app: Flask) -> House:
    factories.make_station(QINXIAN, county_zh="沁县", name_zh="沁县站", name_en="Qinxian Station")
    factories.make_category(code="grain", name_zh="杂粮", name_en="Grain")
    factories.make_category(code="grain-millet", parent_code="grain", name_zh="小米", name_en="Millet")
    seller, clerk, colleague = (app.test_client() for _each in range(3))
    person = make_seller(seller)
    clerk_person = factories.signed_in(clerk, "station_clerk", station=QINXIAN)
    factories.signed_in(colleague, "station_manager", station=QINXIAN)
    words = {
        "title_zh": CONTENT["title"],
        "title_en": "",
        "story_zh": CONTENT["story"],
        "origin_village_zh": CONTENT["village"],
    }
    facts = {"harvest_months": [9, 10], "shelf_life_days": 365, "storage_zh": CONTENT["storage"]}
    place = {"category_code": "grain-millet", "station_code": QINXIAN, "seller_id": person.id}
    listing = factories.make_listing(code="GMILLET", **words, **facts, **place)
    factories.make_variant(listing, code="GMILLET-1", stock_on_hand=10, unit_zh="5斤袋")
    return House(app, seller, person, clerk, clerk_person, colleague, listing.code)


def fresh(kind: type[Base], **given: Any) -> list[Any]:
    """The rows of a table as they are now."""
    db.session.rollback()
    return list(db.session.scalars(select(kind).filter_by(**given).order_by(*kind.__table__.primary_key)))


def edits() -> list[Revision]:
    return fresh(Revision)


def listing(code: str) -> Listing:
    found: Listing = fresh(Listing, code=code)[0]
    return found


def packs(code: str) -> list[tuple[str, str, int, int, bool]]:
    """Code, unit, price, stock, whether it is offered; in the order in which they stand."""
    rows = sorted(fresh(Variant, listing_id=listing(code).id), key=lambda row: row.position)
    return [(row.code, row.unit_zh, row.price_fen, row.on_hand, row.is_offered) for row in rows]


def consents() -> list[Consent]:
    return fresh(Consent)
