"""The pages of presales: a seller drafts, the station opens, buyers pay, are asked where to, and rubbish changes nothing."""

import re
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from crowdfund.presales import backing
from crowdfund.presales.models import Backing, Presale
from listings.models import Listing, Media
from listings.states import ListingState
from marketplace.accounts.models import Person
from marketplace.core import clock, page_cache
from marketplace.core.db import db
from tests import factories
from tests.orders.conftest import RECIPIENT, hidden, post
from tests.presales.conftest import ONE, TWO, Orchard
from tests.statements import gathered

PRESALE = {"title_zh": "吉县红富士预售", "title_en": "", "story_zh": "冯家的果园", "plan_zh": "十月采摘", "goal": "90"}
PRESALE |= {"area": "1", "yield_kg": "100", "grace_days": "15", "start_percent": "30"}
TIER = {"title_zh": "一箱", "packs": "1", "price": "30", "shipping": "", "most": "10"}


def days(**changes: str) -> dict[str, str]:
    today = clock.today()
    return {"closes_on": str(today + timedelta(days=20)), "harvest_on": str(today + timedelta(days=40))} | changes


def seller_of(orchard: Orchard) -> FlaskClient:
    client = orchard.shop.browser()
    factories.sign_in_as(client, db.session.get_one(Person, orchard.seller))
    return client


def station_of(orchard: Orchard) -> FlaskClient:
    client = orchard.shop.browser()
    factories.sign_in_as(client, db.session.get_one(Person, orchard.reviewer.id))
    return client


def filled(client: FlaskClient, url: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"idempotency_key": hidden(client.get(url), "idempotency_key")} | data


def draft(orchard: Orchard, seller: FlaskClient, **changes: str) -> Any:
    code = orchard.shop.apples.rpartition("-")[0]
    data = PRESALE | days() | {"listing": code} | changes
    return post(seller, "/seller/presales", filled(seller, "/seller/presales/new", data))


def test_from_the_draft_to_an_order(orchard: Orchard) -> None:
    seller, station, buyer = seller_of(orchard), station_of(orchard), orchard.shop.browser()
    made = draft(orchard, seller)
    assert made.status_code == 303
    own = made.location
    orchard.presale = own.rpartition("/")[2]
    sent = filled(seller, own, TIER | {"variant": orchard.shop.apples})
    assert [post(seller, f"{own}/tiers", sent).status_code for _ in range(2)] == [303, 303]
    page = seller.get(own)
    assert page.text.count("<strong>¥30.00</strong>") == 1 and "交给站长看" in page.text
    assert buyer.get(f"/presales/{orchard.presale}").status_code == 404
    assert post(seller, f"{own}/submission", {}).status_code == 303

    review = f"/station/presales/{orchard.presale}"
    assert "吉县红富士预售" in station.get("/station/presales").text and "冯家的果园" in station.get(review).text
    assert "预售" in station.get("/station").text
    refused = post(station, f"{review}/review", {"decision": "accept", "field_seen": "y"})
    assert refused.status_code == 422 and "先看地" in refused.text
    assert post(station, f"{review}/review", {"decision": "reject", "reason": ""}).status_code == 422
    enter = {"decision": "accept", "field_seen": "y", "figures_sane": "y", "reason": "地块不对"}
    assert "你写了不同意的原因" in post(station, f"{review}/review", enter).text
    opened = post(station, f"{review}/review", {"decision": "accept", "field_seen": "y", "figures_sane": "y"})
    assert opened.status_code == 303 and orchard.row().state == "live"

    board = buyer.get("/presales").text
    assert "吉县红富士预售" in board and "凑不够，全额退" in board and "捐" not in main_of(board)
    shown = buyer.get(f"/presales/{orchard.presale}").text
    assert "捐" not in main_of(shown) and "/campaigns" not in main_of(shown) and "凑不够，全额退" in shown
    tier = orchard.row().tiers[0].public_id
    form = f"/presales/{orchard.presale}/backings/new?tier={tier}"
    page = buyer.get(form)
    kept = {name: hidden(page, name) for name in ("idempotency_key", "shown_fen")} | {"tier": tier}
    wrong = post(buyer, f"/presales/{orchard.presale}/backings", kept | {"contact": "123"})
    assert wrong.status_code == 422 and 'value="123"' in wrong.text and "不是 11 位手机号" in wrong.text
    placed = [post(buyer, f"/presales/{orchard.presale}/backings", kept | {"contact": "13835172001"}) for _ in range(2)]
    assert [each.status_code for each in placed] == [303, 303]
    assert "/sandbox-cashier/pay/" in placed[0].location and placed[0].location == placed[1].location
    first = db.session.scalars(select(Backing.public_id)).one()
    place = f"/presales/{orchard.presale}/backings/{backing.link_token(first)}"
    assert "去付款 ¥30.00" in buyer.get(place).text or "付款 ¥30.00" in buyer.get(place).text
    back = buyer.get(f"{place}?returned=1")  # the gateway's word may be on its way
    assert "正在向收款方核实，别重复付" in back.text and "还没付？回收银台" in back.text
    assert back.headers["Refresh"] == f"2; url={place}?returned=2"
    orchard.pay(first)
    assert "付好了" in buyer.get(place).text
    orchard.one, orchard.two = tier, tier
    for contact in ("13835172002", "c@example.test"):
        orchard.paid(tier, contact)
    told = filled(seller, own, {"text": "套袋好了"})
    assert post(seller, f"{own}/updates", told).status_code == 303
    assert "套袋好了" in buyer.get(f"/presales/{orchard.presale}").text
    orchard.end()

    page = buyer.get(place)
    assert "寄到哪里" in page.text
    bad = post(buyer, f"{place}/address", RECIPIENT | {"phone": "12", "variant": orchard.shop.apples})
    assert bad.status_code == 422 and 'value="12"' in bad.text
    assert post(buyer, f"{place}/address", RECIPIENT | {"variant": orchard.shop.apples}).status_code == 303
    assert post(seller, f"{own}/harvest", {}).status_code == 303
    orchard.live_through(clock.now())
    number = str(orchard.backing(first).order_number)
    assert number in buyer.get(place).text
    late = post(buyer, f"{place}/address", RECIPIENT | {"variant": orchard.shop.apples, "street": "别处"})
    assert late.status_code == 303 and orchard.backing(first).street == "平阳路 128 号"
    assert post(seller, f"{own}/harvest", {}).status_code == 303 and orchard.row().state == "delivering"


def main_of(page: str) -> str:
    return page.partition("<main")[2].partition("</main>")[0]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"goal": "很多"}, "整元"),
        ({"goal": "0"}, "¥1"),
        ({"area": "-3"}, "亩"),
        ({"area": "1.25"}, "亩"),
        ({"area": "1.23"}, "亩"),  # no 3.3 mu
        ({"area": "1.01"}, "亩"),
        ({"area": "1000", "yield_kg": "2001"}, "2,000 吨"),
        ({"area": "10000", "yield_kg": "20000"}, "2,000 吨"),
        ({"yield_kg": "x"}, "请填整数"),
        ({"closes_on": "2020-01-01"}, "明天"),
        ({"closes_on": "不知道"}, "2026-10-09"),
        ({"harvest_on": "2020-01-01"}, "最后一天"),
        ({"start_percent": "31"}, "0 到 30"),
        ({"grace_days": "0"}, "7 到 60"),
        ({"title_zh": " "}, "标题"),
        ({"listing": "P9999"}, "请在这几个里选一个"),
    ],
)
def test_rubbish_is_said_by_its_field_and_nothing_typed_is_lost(
    orchard: Orchard, changes: dict[str, str], says: str
) -> None:
    answer = draft(orchard, seller_of(orchard), **changes)
    assert answer.status_code == 422 and says in answer.text and "冯家的果园" in answer.text
    assert db.session.scalar(select(func.count()).select_from(Presale)) == 0


def test_the_largest_field_can_be_declared_and_is_what_was_typed(orchard: Orchard) -> None:
    """On PostgreSQL too, where area times yield has to fit."""
    for area, yield_kg, grams in (("1000", "2000", 2_000_000_000), ("12.3", "100", 1_230_000)):
        assert draft(orchard, seller_of(orchard), area=area, yield_kg=yield_kg).status_code == 303
        made = db.session.scalars(select(Presale).order_by(Presale.id.desc())).first()
        assert made and made.cap_grams == grams


def test_what_is_another_s_is_not_there(orchard: Orchard) -> None:
    orchard.open()
    first = orchard.paid()
    other, elsewhere, buyer = orchard.shop.browser(), orchard.shop.browser(), orchard.shop.browser()
    factories.signed_in(other, "seller")
    factories.signed_in(elsewhere, "station_manager", station="140430")
    for path in ("", "/terms"):
        assert other.get(f"/seller/presales/{orchard.presale}{path}").status_code == 404
    for path in ("submission", "harvest"):
        assert post(other, f"/seller/presales/{orchard.presale}/{path}", {}).status_code == 404
    assert elsewhere.get(f"/station/presales/{orchard.presale}").status_code == 404
    assert buyer.get(f"/presales/{orchard.presale}/backings/{first}").status_code == 404
    orchard.draft()
    token = backing.link_token(first)
    assert buyer.get(f"/presales/{orchard.presale}/backings/{token}").status_code == 404


def test_taken_back_by_a_press_twice(orchard: Orchard) -> None:
    orchard.open()
    first = orchard.paid(orchard.two)
    buyer = orchard.shop.browser()
    place = f"/presales/{orchard.presale}/backings/{backing.link_token(first)}"
    assert "¥66.00" in buyer.get(place).text
    for _ in range(2):
        assert post(buyer, f"{place}/end", {}).status_code == 303
    assert orchard.states(first) == ["refunded"] and orchard.escrow() == 0
    assert "钱正在退回" in buyer.get(place).text
    orchard.live_through(clock.now())
    assert "钱已退回" in buyer.get(place).text


def test_full_and_gone_are_said_where_somebody_wanted_it(orchard: Orchard) -> None:
    orchard.open(most=1)
    buyer = orchard.shop.browser()
    url = f"/presales/{orchard.presale}/backings"
    page = buyer.get(f"{url}/new?tier={orchard.one}")
    kept = {name: hidden(page, name) for name in ("idempotency_key", "shown_fen")}
    first = {"idempotency_key": "0" * 16, "tier": orchard.two, "contact": "13835172009", "shown_fen": ""}
    unseen = post(buyer, url, first)  # no tier was chosen before: now they see what it costs
    assert unseen.status_code == 200 and "价格变了" not in unseen.text and hidden(unseen, "shown_fen") == str(TWO)
    other = post(buyer, url, first | {"tier": orchard.two, "shown_fen": str(ONE), "shown_tier": orchard.one})
    assert other.status_code == 200 and "价格变了" not in other.text and "付款 ¥66.00" in other.text
    assert db.session.scalar(select(Backing.id)) is None
    orchard.paid()
    full = post(buyer, url, kept | {"tier": orchard.one, "contact": "13835172009"})
    assert full.status_code == 409 and "满了" in full.text and 'value="13835172009"' in full.text
    dearer = post(buyer, url, kept | {"tier": orchard.two, "contact": "13835172009", "shown_fen": "1"})
    assert dearer.status_code == 409 and "价格变了" in dearer.text
    shown = re.search(r'name="shown_fen" value="(\d+)"', dearer.text)
    assert shown and int(shown[1]) == TWO
    orchard.end()
    assert post(buyer, url, kept | {"tier": orchard.two, "contact": "13835172009"}).status_code in {303, 409}
    assert buyer.get(f"{url}/new").status_code == 303 and orchard.backing(first_of()).fen == ONE


def first_of() -> str:
    return db.session.scalars(select(Backing.public_id).order_by(Backing.id)).first() or ""


def test_lists_cost_the_same_statements_however_many_there_are(orchard: Orchard) -> None:
    orchard.open()
    buyer = orchard.shop.browser()
    with gathered() as few:
        assert buyer.get("/presales?n=1").status_code == 200
    for _ in range(3):
        orchard.open()
        orchard.paid()
    with gathered() as many:
        assert buyer.get("/presales?n=2").status_code == 200
    assert len(many) == len(few)


def test_who_is_signed_in_finds_their_own_places_and_nobody_else_s(orchard: Orchard) -> None:
    orchard.open()
    orchard.paid(orchard.two)
    mine = orchard.shop.browser()
    person = factories.signed_in(mine)
    assert "还没有预订" in mine.get("/account/presales").text
    url = f"/presales/{orchard.presale}/backings"
    page = mine.get(f"{url}/new?tier={orchard.one}")
    kept = {name: hidden(page, name) for name in ("idempotency_key", "shown_fen")}
    placed = post(mine, url, kept | {"tier": orchard.one, "contact": "13835172009"})
    assert placed.status_code == 303 and placed.location.startswith("http")
    shown = mine.get("/account/presales").text
    assert "一箱 · ¥30.00" in shown and "两箱" not in shown and "/account/presales" in mine.get("/account").text
    assert db.session.scalars(select(Backing.person_id).where(Backing.person_id.is_not(None))).all() == [person.id]


def test_goods_are_in_jin_and_packs_compare(orchard: Orchard) -> None:
    orchard.open()
    stranger = orchard.shop.browser()
    page = stranger.get(f"/presales/{orchard.presale}").text
    assert "1 亩地约产 200斤，不会多卖。还剩 200斤。" in page
    assert "5斤，" in page and "10斤，" in page and page.count("¥6.00/斤") == 2
    english = stranger.get(f"/presales/{orchard.presale}?lang=en", follow_redirects=True).text
    assert "1 mu bear about 100 kg; more is not sold. 100 kg are left." in english and "¥6.00 per 500 g" in english


def test_the_goods_are_seen_as_a_photo_or_else_as_a_drawing(orchard: Orchard, monkeypatch: pytest.MonkeyPatch) -> None:
    made_from: list[str] = []
    monkeypatch.setattr(page_cache, "tags", lambda *names: made_from.extend(names))
    orchard.open()
    urls, seller = ("/presales", f"/presales/{orchard.presale}"), seller_of(orchard)
    listing = db.session.get_one(Listing, orchard.row().listing_id)
    listing.drawing = "apple"
    db.session.commit()
    pages = [seller.get(url).text for url in urls]
    assert made_from.count(f"listing:{listing.code}") == 2  # another picture makes both anew
    assert all("/static/produce/" in page for page in pages) and "插画，非实物照片" in pages[1]
    drawn = {"uploader_id": orchard.seller, "width": 1280, "height": 960, "digest": "0" * 64}
    name = f"/media/{factories.make(Media, {'listing_id': listing.id}, drawn).public_id}-640.webp"
    pages = [seller.get(url).text for url in urls]
    assert all(name in page for page in pages) and "插画，非实物照片" not in pages[1]
    listing.state = ListingState.SUSPENDED
    db.session.commit()
    assert all(name not in seller.get(url).text for url in urls)
