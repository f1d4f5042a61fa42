"""A seller with a station and categories, and sheets to send."""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import xlsxwriter
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from listings.models import Listing, Variant
from listings.sheets import reading, working
from listings.sheets.models import ListingImport, ListingImportRow
from listings.states import ListingState
from marketplace.accounts.models import Person
from marketplace.core import ids
from marketplace.core.db import db
from marketplace.stations.models import Seller
from tests import factories

OURS = {"Sec-Fetch-Site": "same-origin"}
HEADINGS = ("货号", "类别", "品名", "包装", "单价（元）", "库存", "产地村镇", "介绍")
STORY = "坡地上一年一茬，米油厚，煮粥香。"
MILLET = ("A001", "小米", "沁州黄小米", "5斤袋", "58.00", "40", "次村乡次村", STORY)


@dataclass
class Trader:
    """A seller at their browser, and the worker beside them."""

    app: Flask
    client: FlaskClient
    person: Person

    def post(self, path: str, data: dict[str, Any] | None = None) -> TestResponse:
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.client.get("/account").text)
        return self.client.post(path, data={**(data or {}), "csrf_token": found[1] if found else ""}, headers=OURS)

    def send(self, sheet: bytes, name: str = "货.csv", pictures: bytes = b"", **typed: str) -> TestResponse:
        data: dict[str, Any] = {"sheet": (io.BytesIO(sheet), name), "then": "draft", "idempotency_key": ids.public_id()}
        if pictures:
            data["pictures"] = (io.BytesIO(pictures), "照片.zip")
        return self.post("/seller/imports", data | typed)

    def compared(self, sheet: bytes, name: str = "货.csv", pictures: bytes = b"", **typed: str) -> ListingImport:
        """Sent, and looked at by the worker."""
        answer = self.send(sheet, name, pictures, **typed)
        assert answer.status_code == 303, answer.text
        work()
        return latest()

    def done(self, sheet: bytes, pictures: bytes = b"", **typed: str) -> ListingImport:
        """Sent, and everything of it done."""
        row = self.compared(sheet, pictures=pictures, **typed)
        self.confirm(row)
        return latest()

    def confirm(self, row: ListingImport, **typed: str) -> None:
        shown = re.search(r'name="again" value="(\d+)"', self.page(row))
        data = ({"again": shown[1]} if shown else {}) | typed
        assert self.post(f"/seller/imports/{row.public_id}/confirmation", data).status_code == 303
        work()

    def undo(self, row: ListingImport) -> None:
        assert self.post(f"/seller/imports/{row.public_id}/undoing").status_code == 303
        work()

    def page(self, row: ListingImport, query: str = "") -> str:
        answer = self.client.get(f"/seller/imports/{row.public_id}{query}")
        assert answer.status_code == 200
        return answer.text

    def offer(self, code: str, **given: Any) -> Variant:
        """Goods for sale: ten packs at ¥39.80."""
        about = {"seller_id": self.person.id, "code": code, "title_zh": f"小米{code}", "category_code": "grain-millet"}
        tiers, pack = given.pop("tiers", ()), given.pop("pack", {})
        listing = factories.make_listing(**about, story_zh=STORY, origin_village_zh="次村", **given)
        return factories.make_variant(listing, code=f"{code}-1", stock_on_hand=10, tiers=tiers, **pack)


def work() -> None:
    while working.work():
        pass
    db.session.rollback()


def latest() -> ListingImport:
    db.session.expire_all()
    return db.session.scalars(select(ListingImport).order_by(ListingImport.id.desc())).first()  # type: ignore[return-value]


def rows(session: Session) -> list[ListingImportRow]:
    session.expire_all()
    newest = select(ListingImportRow).where(ListingImportRow.import_id == latest().id)
    return list(session.scalars(newest.order_by(ListingImportRow.number)))


def wrong(session: Session) -> list[tuple[int, str, str]]:
    """Row, column, code of everything that is refused."""
    return [(row.number, each["column"], each["code"]) for row in rows(session) for each in row.problems]


def listed(session: Session, *states: ListingState) -> list[Listing]:
    session.expire_all()
    found = select(Listing).order_by(Listing.id)
    return [row for row in session.scalars(found) if not states or row.state in states]


def as_csv(*lines: Sequence[str], encoding: str = "utf-8") -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows(lines)
    return buffer.getvalue().encode(encoding)


def as_xlsx(*lines: Sequence[Any]) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        sheet = book.add_worksheet()
        for place, line in enumerate(lines):
            sheet.write_row(place, 0, line)
    return buffer.getvalue()


def changed(line: Sequence[str], **cells: str) -> tuple[str, ...]:
    """A line of HEADINGS with other cells: number, category, title, unit, price, stock, village, story."""
    names = ("number", "category", "title", "unit", "price", "stock", "village", "story")
    return tuple(cells.get(name, cell) for name, cell in zip(names, line, strict=True))


READ_APART = working.read_apart


@pytest.fixture
def trader(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Trader:
    """Their sheets are read in this process, which is quicker; see `apart`."""
    monkeypatch.setattr(working, "read_apart", lambda path: reading.answer(path.read_bytes()))
    make_categories()
    return make_trader(app)


@pytest.fixture
def apart(trader: Trader, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sheets are read as in earnest, in a process of its own."""
    monkeypatch.setattr(working, "read_apart", READ_APART)


def make_categories() -> None:
    factories.make_station()
    factories.make_category(code="grain", name_zh="杂粮", name_en="Grain")
    factories.make_category(code="grain-millet", parent_code="grain", name_zh="小米", name_en="Millet")
    factories.make_category(code="meat-egg", parent_code="grain", name_zh="鸡蛋", name_en="Eggs")


def make_trader(app: Flask) -> Trader:
    client = app.test_client()
    person = factories.signed_in(client, "seller")
    words = {"name_zh": "次村合作社", "name_en": "Cicun", "village_zh": "次村", "story_zh": "", "story_en": ""}
    factories.make(
        Seller, {"person_id": person.id, "station_code": factories.STATION, "kind": "household", "since": 2018}, words
    )
    return Trader(app, client, person)
