"""From a picture to the shop: a seller's three steps, the station's review, found by a stranger."""

import io
import re
import struct
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from listings import indexing, pictures
from listings.models import Listing, Media, Variant
from listings.states import ListingState as L
from marketplace.accounts.models import Person
from marketplace.core import outbox
from marketplace.core.db import db
from marketplace.core.settings import settings
from marketplace.core.transitions import EventRow
from marketplace.stations.models import Seller
from search_index import Query, open_index
from tests import factories

JIXIAN, QINXIAN = "141028", "140430"
OURS = {"Sec-Fetch-Site": "same-origin"}
DETAILS = {
    "title": "沁州黄小米 当年新米",
    "unit": "5斤袋",
    "price": "58.00",
    "stock": "40",
    "village": "次村乡次村",
    "story": "坡地上一年一茬，米油厚，煮粥香。",
    "months": ["9", "10"],
}


@pytest.fixture
def shop(real_app: Flask) -> Iterator[Flask]:
    factories.make_station(JIXIAN)
    factories.make_station(QINXIAN, county_zh="沁县", name_zh="沁县站", name_en="Qinxian Station")
    factories.make_category(code="grain", name_zh="杂粮", name_en="Grain")
    factories.make_category(code="grain-millet", parent_code="grain", name_zh="小米", name_en="Millet")
    yield real_app


def make_seller(client: FlaskClient, station: str = QINXIAN) -> Person:
    person = factories.signed_in(client, "seller")
    words = {
        "name_zh": "次村合作社",
        "name_en": "Cicun Cooperative",
        "village_zh": "次村乡次村",
        "story_zh": "",
        "story_en": "",
    }
    factories.make(Seller, {"person_id": person.id, "station_code": station, "kind": "household", "since": 2018}, words)
    return person


def post(client: FlaskClient, path: str, data: dict[str, Any] | None = None) -> TestResponse:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/account").text)
    return client.post(path, data={**(data or {}), "csrf_token": found[1] if found else ""}, headers=OURS)


def picture(size: tuple[int, int] = (800, 600), kind: str = "JPEG", **how: Any) -> tuple[io.BytesIO, str]:
    buffer = io.BytesIO()
    Image.new("RGB", size, "#C9402A").save(buffer, kind, **how)
    buffer.seek(0)
    return buffer, f"apple.{kind.lower()}"


def begin(client: FlaskClient, *sent: tuple[io.BytesIO, str]) -> str:
    answer = post(client, "/seller/listings", {"category": "grain-millet", "pictures": list(sent)})
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"].split("/")[3]


def state_of(code: str) -> L:
    db.session.rollback()
    return db.session.scalars(select(Listing.state).where(Listing.code == code)).one()


def traces_of(code: str) -> list[str]:
    db.session.rollback()
    states = select(EventRow.to_state).where(EventRow.subject == f"listing:{code}")
    return list(db.session.scalars(states.order_by(EventRow.id)))


def found(text: str) -> list[str]:
    return open_index(settings().search_folder).search(Query(text=text)).codes


def test_three_steps_a_review_and_it_is_found(shop: Flask) -> None:
    seller, clerk, stranger = shop.test_client(), shop.test_client(), shop.test_client()
    make_seller(seller)
    factories.signed_in(clerk, "station_clerk", station=QINXIAN)

    assert (
        "选" in post(seller, "/seller/listings", {"category": "", "idempotency_key": "none"}).text
    )  # none was chosen for them
    code = begin(seller, picture())
    assert post(seller, f"/seller/listings/{code}/details", DETAILS).headers["Location"].endswith("/preview")
    preview = seller.get(f"/seller/listings/{code}/preview").text
    assert (
        "沁州黄小米 当年新米" in preview and "<dd>小米</dd>" in preview and "¥11.60/斤" in preview and "-640.webp" in preview
    )
    assert post(seller, f"/seller/listings/{code}/submission").status_code == 303
    assert state_of(code) is L.SUBMITTED

    assert "沁州黄小米" in clerk.get("/station/listings").text
    unseen = post(clerk, f"/station/listings/{code}/review", {"decision": "accept", "origin_seen": "y"})
    assert unseen.status_code == 422 and state_of(code) is L.SUBMITTED
    seen = {"decision": "accept", "origin_seen": "y", "goods_seen": "y", "price_sane": "y"}
    assert post(clerk, f"/station/listings/{code}/review", seen).status_code == 303
    assert state_of(code) is L.PUBLISHED
    while outbox.deliver():
        pass
    assert found("qinzhou huang xiaomi") == [code]
    assert stranger.get("/api/v1/search?q=小米").get_json()["items"][0]["sku"] == code

    post(seller, f"/seller/listings/{code}/pause")
    while outbox.deliver():
        pass
    assert state_of(code) is L.PAUSED and found("xiaomi") == []
    time.sleep(1.1)  # a process looks for a newer index once a second
    assert stranger.get("/api/v1/search?q=小米").get_json()["total"] == 0


def test_asking_the_station_twice_is_asking_once(shop: Flask) -> None:
    seller, clerk = shop.test_client(), shop.test_client()
    make_seller(seller)
    factories.signed_in(clerk, "station_clerk", station=QINXIAN)
    code = begin(seller)
    post(seller, f"/seller/listings/{code}/details", DETAILS)
    for _time in range(2):
        assert post(seller, f"/seller/listings/{code}/submission").headers["Location"] == "/seller"
        assert "交给站里了，等他们看。" in seller.get("/seller").text
    assert traces_of(code) == [L.DRAFT, L.SUBMITTED]

    seen = {"decision": "accept", "origin_seen": "y", "goods_seen": "y", "price_sane": "y"}
    post(clerk, f"/station/listings/{code}/review", seen)
    assert post(seller, f"/seller/listings/{code}/submission").headers["Location"] == "/seller"
    assert "现在不能改它是什么" in seller.get("/seller").text and state_of(code) is L.PUBLISHED
    assert traces_of(code) == [L.DRAFT, L.SUBMITTED, L.PUBLISHED]


def test_what_is_sent_back_says_why_and_may_come_again(shop: Flask) -> None:
    seller, clerk = shop.test_client(), shop.test_client()
    make_seller(seller)
    factories.signed_in(clerk, "station_manager", station=QINXIAN)
    code = begin(seller)
    post(seller, f"/seller/listings/{code}/details", DETAILS)
    post(seller, f"/seller/listings/{code}/submission")

    asked = clerk.get(f"/station/listings/{code}").text
    assert "退回去时才写" in asked and "可不填" not in asked
    assert post(clerk, f"/station/listings/{code}/review", {"decision": "reject"}).status_code == 422
    everything = dict.fromkeys(("origin_seen", "goods_seen", "price_sane"), "y")
    enter = post(clerk, f"/station/listings/{code}/review", everything | {"decision": "accept", "reason": "照片不清楚"})
    assert enter.status_code == 422 and "你写了不同意的原因" in enter.text
    for neither in ({"reason": "照片看不清"}, {"decision": "perhaps", "reason": "照片看不清"}):
        answer = post(clerk, f"/station/listings/{code}/review", neither)
        assert answer.status_code == 422 and "请在这几个里选一个。" in answer.text and 'value="照片看不清"' in answer.text
    post(clerk, f"/station/listings/{code}/review", {"decision": "reject", "reason": "照片看不清"})
    assert state_of(code) is L.REJECTED
    assert "照片看不清" in seller.get(f"/seller/listings/{code}/details").text

    post(seller, f"/seller/listings/{code}/details", DETAILS | {"price": "56"})
    post(seller, f"/seller/listings/{code}/submission")
    assert state_of(code) is L.SUBMITTED


@pytest.mark.parametrize(
    ("field", "typed", "says"),
    [
        ("title", "", "写上货叫什么"),
        ("title", "米" * 41, "40"),
        ("price", "-1", "39.80"),
        ("price", "0", "0.01"),
        ("price", "1e9", "39.80"),
        ("price", "1.234", "39.80"),
        ("price", "99999999", "100,000"),
        ("price", "十块", "39.80"),
        ("stock", "-1", "1000000"),
        ("stock", "1.5", "整数"),
        ("story", "短", "10"),
        ("unit", "0斤", "5斤箱"),
        ("unit", "礼盒", "重"),
        ("tier_from", "5", "一起"),
        ("months", ["13"], ""),
    ],
)
def test_a_bad_field_is_named_and_nothing_typed_is_lost(shop: Flask, field: str, typed: Any, says: str) -> None:
    client = shop.test_client()
    make_seller(client)
    code = begin(client)

    answer = post(client, f"/seller/listings/{code}/details", DETAILS | {field: typed})

    assert answer.status_code == 422 and says in answer.text
    kept = {name: value for name, value in (DETAILS | {field: typed}).items() if isinstance(value, str)}
    assert [value for value in kept.values() if value not in answer.text] == []
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Variant)) == 0


def test_a_draft_begun_in_the_wrong_category_is_put_into_another(shop: Flask) -> None:
    """With what that category brings along: apples may not be sent back, their drawing is an apple."""
    factories.make_category(code="fruit", name_zh="水果", name_en="Fruit")
    factories.make_category(parent_code="fruit")
    client = shop.test_client()
    make_seller(client)
    code = begin(client)
    here = f"/seller/listings/{code}/details"

    def kind() -> tuple[str, bool, str, str]:
        db.session.rollback()
        row = db.session.scalars(select(Listing).where(Listing.code == code)).one()
        return row.category_code, row.is_perishable, row.return_policy, row.drawing

    millet, apple = kind(), ("fruit-apple", True, "fresh_excluded", "apple")
    assert re.findall(r'<option selected value="([\w-]+)"', client.get(here).text) == ["grain-millet"]

    for rubbish in ("fruit", "fruit-none", "'"):
        answer = post(client, here, DETAILS | {"category": rubbish})
        assert answer.status_code == 422 and 'href="#category"' in answer.text
        assert kind() == millet
    assert post(client, here, {"category": "fruit", "title": "沁州黄", "later": "y"}).status_code == 303
    assert kind() == millet
    assert post(client, here, {"category": "fruit-apple", "title": "沁州黄", "later": "y"}).status_code == 303
    assert kind() == apple
    assert post(client, here, DETAILS | {"category": "grain-millet"}).status_code == 303
    assert kind() == millet
    assert post(client, here, DETAILS | {"category": "fruit-apple"}).status_code == 303
    assert post(client, here, DETAILS | {"category": ""}).status_code == 303
    assert post(client, here, DETAILS).status_code == 303
    assert kind() == apple

    again = post(client, here, DETAILS | {"title": ""})  # of a page that did not ask: what comes back chooses no other
    assert again.status_code == 422 and re.findall(r'<option selected value="([\w-]+)"', again.text) == ["fruit-apple"]

    post(client, f"/seller/listings/{code}/submission")
    assert post(client, here, DETAILS | {"category": "grain-millet"}).status_code == 409
    assert kind() == apple


def test_another_sellers_listing_does_not_exist(shop: Flask) -> None:
    mine, theirs = shop.test_client(), shop.test_client()
    make_seller(mine)
    make_seller(theirs)
    code = begin(mine)

    for path in ("pictures", "details", "preview"):
        assert theirs.get(f"/seller/listings/{code}/{path}").status_code == 404
    assert post(theirs, f"/seller/listings/{code}/removal").status_code == 404
    assert state_of(code) is L.DRAFT


def test_roles_and_stations_are_kept_apart(shop: Flask) -> None:
    seller, buyer, clerk = shop.test_client(), shop.test_client(), shop.test_client()
    make_seller(seller)
    factories.signed_in(buyer)
    factories.signed_in(clerk, "station_clerk", station=JIXIAN)
    code = begin(seller)
    post(seller, f"/seller/listings/{code}/details", DETAILS)
    post(seller, f"/seller/listings/{code}/submission")

    refused = buyer.get("/seller")
    assert refused.status_code == 403 and "这是卖家管货的地方" in refused.text
    assert 'href="/sign-in?next=/seller&amp;another=1"' in refused.text and 'href="/help#selling"' in refused.text
    assert "这是站点工作人员的工作台" in buyer.get("/station").text
    assert seller.get("/station/listings").status_code == 403
    assert clerk.get(f"/station/listings/{code}").status_code == 404
    assert shop.test_client().get("/seller").status_code == 302


def test_nobody_reviews_their_own_goods(shop: Flask) -> None:
    client = shop.test_client()
    person = factories.signed_in(client, "seller", "station_clerk", station=QINXIAN)
    listing = factories.make_listing(
        seller_id=person.id, category_code="grain-millet", station_code=QINXIAN, state=L.SUBMITTED
    )
    factories.make_variant(listing)

    seen = {"decision": "accept", "origin_seen": "y", "goods_seen": "y", "price_sane": "y"}
    assert post(client, f"/station/listings/{listing.code}/review", seen).status_code == 403
    assert state_of(listing.code) is L.SUBMITTED


def media() -> list[Media]:
    db.session.rollback()
    return list(db.session.scalars(select(Media).order_by(Media.position)))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_comes_back_small_and_without_what_was_in_it(shop: Flask, kind: str) -> None:
    client = shop.test_client()
    make_seller(client)
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x8298] = "secret place"
    begin(client, picture((2000, 1000), kind, exif=exif))

    (row,) = media()
    assert (row.width, row.height) == (1000, 2000)
    for width in (320, 640, 1280):
        answer = client.get(f"/media/{row.public_id}-{width}.webp")
        assert answer.status_code == 200 and answer.mimetype == "image/webp"
        shown = Image.open(io.BytesIO(answer.data))
        assert shown.width == min(width, 1000) and shown.height == 2 * shown.width
        assert not shown.getexif() and b"secret place" not in answer.data
    assert "immutable" in answer.headers["Cache-Control"]
    assert client.get(f"/media/{row.public_id}-9999.webp").status_code == 404


def huge_png() -> bytes:
    """A few bytes that say they are 50,000 by 50,000 pixels."""
    small, _name = picture((1, 1), "PNG")
    raw = bytearray(small.getvalue())
    raw[16:24] = struct.pack(">II", 50_000, 50_000)
    raw[29:33] = struct.pack(">I", zlib.crc32(raw[12:29]))
    return bytes(raw)


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "JPEG"),
        (b"no picture", "JPEG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "JPEG"),
        (b"PK\x03\x04" + b"\0" * 100, "JPEG"),
        (b"GIF89a" + b"\0" * 100, "JPEG"),
        (huge_png(), "4000"),
        (picture()[0].getvalue()[:2000], "JPEG"),
    ],
)
def test_what_is_no_picture_is_refused_clearly(shop: Flask, raw: bytes, says: str) -> None:
    client = shop.test_client()
    make_seller(client)
    sent = {"category": "grain-millet", "pictures": (io.BytesIO(raw), "x.jpg")}

    answer = post(client, "/seller/listings", sent)

    assert answer.status_code == 422 and says in answer.text and "x.jpg" in answer.text
    assert media() == []
    assert not list(Path(settings().media_folder).rglob(".*.draft"))


def test_a_form_sent_twice_begins_one_listing_with_each_picture_once(shop: Flask) -> None:
    client = shop.test_client()
    make_seller(client)
    page = client.get("/seller/listings/new").text
    key = re.search(r'name="idempotency_key" value="([^"]+)"', page)
    assert key

    def send() -> str:
        sent = [picture((40, 30)), picture((50, 30))]
        data = {"category": "grain-millet", "idempotency_key": key[1], "pictures": sent}
        return post(client, "/seller/listings", data).headers["Location"]

    assert send() == send()
    assert db.session.scalar(select(func.count()).select_from(Listing)) == 1
    assert [row.width for row in media()] == [40, 50]


def test_more_pictures_sent_twice_are_there_once(shop: Flask) -> None:
    client = shop.test_client()
    make_seller(client)
    code = begin(client)
    key = re.search(r'name="idempotency_key" value="([^"]+)"', client.get(f"/seller/listings/{code}/pictures").text)
    assert key
    for _time in range(2):
        data = {"idempotency_key": key[1], "pictures": [picture((40, 30))]}
        assert post(client, f"/seller/listings/{code}/pictures", data).status_code == 303
    post(client, f"/seller/listings/{code}/pictures", {"pictures": [picture((40, 30))]})
    assert len(media()) == 2


@pytest.mark.parametrize("width", ["9" * 5000, "²", "６４０", "-1", ""])
def test_a_width_that_is_none_is_not_found(shop: Flask, width: str) -> None:
    assert shop.test_client().get(f"/media/abc-{width}.webp").status_code == 404


def test_a_shop_without_goods_answers_a_search(shop: Flask) -> None:
    indexing.rebuild()
    time.sleep(1.1)  # a process looks for a newer index once a second
    for asked in ("x", "小米"):
        assert shop.test_client().get("/search", query_string={"q": asked}).status_code == 200


def test_eleven_megabytes_are_too_many(shop: Flask) -> None:
    with pytest.raises(pictures.PictureTooLarge):
        pictures.reencode(b"\xff" * (pictures.LARGEST + 1))


def test_six_pictures_are_enough(shop: Flask) -> None:
    client = shop.test_client()
    make_seller(client)
    code = begin(client)
    sent = [picture((40 + number, 30)) for number in range(7)]

    answer = post(client, f"/seller/listings/{code}/pictures", {"pictures": sent})

    assert answer.status_code == 422 and len(media()) == 6
    post(client, f"/seller/listings/{code}/pictures/{media()[0].public_id}/removal")
    assert [row.position for row in media()] == [1, 2, 3, 4, 5]


def test_rebuilding_finds_what_is_published_and_nothing_else(shop: Flask) -> None:
    for title, state in (("沁州黄小米", L.PUBLISHED), ("沁州黑小米", L.PAUSED), ("沁州白小米", L.DRAFT)):
        listing = factories.make_listing(title_zh=title, category_code="grain-millet", station_code=QINXIAN, state=state)
        factories.make_variant(listing)

    assert indexing.rebuild() == 1 or found("小米")
    assert len(found("小米")) == 1
