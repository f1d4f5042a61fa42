"""Several packs and papers: of a draft at once, in the order that their seller gives them; never deleted once for sale."""

import io
import re
from itertools import pairwise
from typing import Any

import pytest
from flask import Flask
from hypothesis import given, strategies as st
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from listings.forms import TermsForm
from listings.models import Certificate, PriceTier, StockMovement, Variant
from listings.states import ListingState as L
from marketplace.core.db import db
from tests.listings.selling import CONTENT, House, build, edits, fresh, listing, packs
from tests.listings.test_offering import begin, picture, post

FIRST = {"unit": "5斤袋", "price": "58.00", "stock": "40"}
SECOND = {"unit": "10斤袋", "price": "110", "stock": "7", "minimum": "2"}
LEVELS = {"tier_from": "5", "tier_price": "105", "tier2_from": "10", "tier2_price": "100", "tier3_from": "50"}
LEVELS |= {"tier3_price": "95"}


@pytest.fixture
def house(app: Flask) -> House:
    return build(app)


def draft(house: House) -> str:
    """A draft with its first pack."""
    code = begin(house.seller)
    assert post(house.seller, f"/seller/listings/{code}/details", CONTENT | FIRST).status_code == 303
    return code


def tiers(pack: str) -> list[tuple[int, int]]:
    db.session.rollback()
    wanted = select(PriceTier.from_quantity, PriceTier.price_fen).join(Variant).where(Variant.code == pack)
    return [(row.from_quantity, row.price_fen) for row in db.session.execute(wanted.order_by(PriceTier.from_quantity))]


def send(house: House, code: str, path: str, **data: Any) -> int:
    return post(house.seller, f"/seller/listings/{code}/{path}", data).status_code


def test_a_draft_gets_further_packs_with_their_levels(house: House) -> None:
    code = draft(house)

    assert send(house, code, "packs", **SECOND, **LEVELS) == 303

    assert packs(code) == [(f"{code}-1", "5斤袋", 5800, 40, True), (f"{code}-2", "10斤袋", 11000, 7, True)]
    assert tiers(f"{code}-2") == [(5, 10500), (10, 10000), (50, 9500)]
    preview = house.seller.get(f"/seller/listings/{code}/preview").text
    assert "10斤袋" in preview and "50 份起 ¥95.00" in preview
    assert edits() == []


def test_a_pack_sent_twice_is_there_once(house: House) -> None:
    code = draft(house)
    page = house.seller.get(f"/seller/listings/{code}/packs/new").text
    key = re.search(r'name="idempotency_key" value="([^"]+)"', page)
    assert key
    for _time in range(2):
        assert send(house, code, "packs", idempotency_key=key[1], **SECOND) == 303
    assert len(packs(code)) == 2


def test_packs_are_put_in_order_changed_and_dropped(house: House) -> None:
    code = draft(house)
    send(house, code, "packs", **SECOND)

    send(house, code, f"packs/{code}-2/place")
    assert [row[0] for row in packs(code)] == [f"{code}-2", f"{code}-1"]
    assert send(house, code, f"packs/{code}-2", **SECOND | {"stock": "9", "price": "111"}) == 303
    assert packs(code)[0] == (f"{code}-2", "10斤袋", 11100, 9, True)

    assert send(house, code, f"packs/{code}-1/removal") == 303
    assert [row[0] for row in packs(code)] == [f"{code}-2"]
    assert sum(row.on_hand_change for row in fresh(StockMovement, variant_code=f"{code}-1")) == 0
    send(house, code, f"packs/{code}-2/removal")
    assert len(packs(code)) == 1 and "只剩这一种装法" in house.seller.get("/seller").text


def test_what_was_for_sale_is_only_no_longer_offered(house: House) -> None:
    house.edit()
    send(house, house.millet, "packs", **SECOND)
    house.decide(house.clerk)

    send(house, house.millet, "packs/GMILLET-1/removal")
    assert len(packs(house.millet)) == 2
    assert send(house, house.millet, "packs/GMILLET-1/end") == 303
    assert [row[4] for row in packs(house.millet)] == [False, True]
    page = house.browser().get(f"/listings/{house.millet}").text
    assert "10斤袋" in page and "5斤袋" not in page
    send(house, house.millet, "packs/GMILLET-2/end")
    assert [row[4] for row in packs(house.millet)] == [False, True]
    send(house, house.millet, "packs/GMILLET-1/offer")
    assert [row[4] for row in packs(house.millet)] == [True, True]


def test_what_is_in_a_pack_for_sale_stays_as_it_is(house: House) -> None:
    page = house.seller.get(f"/seller/listings/{house.millet}/packs/GMILLET-1").text
    assert 'name="unit"' not in page and 'name="stock"' not in page

    send(house, house.millet, "packs/GMILLET-1", price="44", unit="1斤袋", stock="99", tier_from="3", tier_price="40")

    assert packs(house.millet) == [("GMILLET-1", "5斤袋", 4400, 10, True)] and tiers("GMILLET-1") == [(3, 4000)]
    assert edits() == []


@pytest.mark.parametrize(
    ("typed", "field", "says"),
    [
        ({"tier_from": "5"}, "tier_price", "一起填"),
        ({"tier_price": "5"}, "tier_price", "一起填"),
        ({"tier_from": "5", "tier_price": "110"}, "tier_price", "更便宜"),
        ({"tier_from": "2", "tier_price": "100"}, "tier_from", "要比前面的份数多"),
        ({"tier_from": "9", "tier_price": "100", "tier2_from": "9", "tier2_price": "90"}, "tier2_from", "要比前面"),
        ({"tier_from": "9", "tier_price": "90", "tier2_from": "10", "tier2_price": "90"}, "tier2_price", "更便宜"),
        ({"minimum": "0"}, "minimum", "1 到 1000"),
        ({"unit": "礼盒"}, "weight", "多重"),
        ({"price": "十块"}, "price", "39.80"),
        ({"stock": ""}, "stock", "有多少份"),
    ],
)
def test_a_wrong_pack_is_said_at_the_field_and_kept_as_typed(
    house: House, typed: dict[str, str], field: str, says: str
) -> None:
    code = draft(house)
    answer = post(house.seller, f"/seller/listings/{code}/packs", SECOND | typed)

    assert answer.status_code == 422 and says in answer.text
    assert re.search(rf'id="{field}"[^>]*aria-invalid="true"|aria-invalid="true"[^>]*id="{field}"', answer.text)
    assert all(f'value="{value}"' in answer.text for value in typed.values() if value)
    assert len(packs(code)) == 1


@pytest.mark.full
def test_twelve_packs_are_enough(house: House) -> None:
    code = draft(house)
    for number in range(11):
        assert send(house, code, "packs", **SECOND | {"unit": f"{number + 1}斤袋"}) == 303
    answer = post(house.seller, f"/seller/listings/{code}/packs", SECOND)
    assert answer.status_code == 422 and "十二种" in answer.text and len(packs(code)) == 12


@given(
    price=st.integers(2, 10_000),
    levels=st.lists(st.tuples(st.integers(2, 40), st.integers(1, 9_999)), max_size=3, unique_by=lambda level: level[0]),
)
def test_levels_are_taken_when_each_is_for_more_and_cheaper(price: int, levels: list[tuple[int, int]]) -> None:
    typed = [("price", f"{price / 100:.2f}")]
    for name, (least, fen) in zip(("tier", "tier2", "tier3"), levels, strict=False):
        typed += [(f"{name}_from", str(least)), (f"{name}_price", f"{fen / 100:.2f}")]
    form = TermsForm(MultiDict(typed))
    steps = [(1, price), *levels]
    falls = all(more > less and cheaper < dearer for (less, dearer), (more, cheaper) in pairwise(steps))

    assert form.validate() is falls
    assert not falls or form.tiers == tuple(levels)


def test_what_is_half_filled_in_is_kept_for_later(house: House) -> None:
    code = begin(house.seller)
    half = {"title": "沁州黄小米", "months": ["9"], "unit": "5斤袋", "price": "十块", "story": "短", "later": "y"}

    answer = post(house.seller, f"/seller/listings/{code}/details", half)

    assert answer.status_code == 303 and answer.headers["Location"] == "/seller"
    told = house.seller.get("/seller").text
    assert "先存着了" in told and "一份多少元" in told and "用你自己的话说说" in told
    row = listing(code)
    assert (row.title_zh, row.harvest_months, row.story_zh, row.state) == ("沁州黄小米", [9], "", L.DRAFT)
    assert packs(code) == []
    assert 'value="沁州黄小米"' in house.seller.get(f"/seller/listings/{code}/details").text
    post(house.seller, f"/seller/listings/{code}/packs", SECOND)
    assert post(house.seller, f"/seller/listings/{code}/submission").status_code == 422
    assert listing(code).state is L.DRAFT


PAPER = {"kind": "geographical_indication", "name": "沁州黄小米", "number": "AGI2008-01"}


def papers(code: str) -> list[tuple[str, str, str, bool]]:
    rows = fresh(Certificate, listing_id=listing(code).id)
    return [(row.name_zh, row.number, row.status, row.media_public_id is not None) for row in rows]


def test_a_paper_is_stated_until_the_station_has_seen_it(house: House) -> None:
    code = draft(house)
    assert send(house, code, "certificates", **PAPER, picture=picture((60, 80))) == 303
    assert papers(code) == [("沁州黄小米", "AGI2008-01", "stated", True)]
    post(house.seller, f"/seller/listings/{code}/submission")
    (row,) = fresh(Certificate)
    assert f'name="papers" value="{row.id}"' in house.clerk.get(f"/station/listings/{code}").text
    seen = {"decision": "accept", "origin_seen": "y", "goods_seen": "y", "price_sane": "y"}

    post(house.clerk, f"/station/listings/{code}/review", seen)
    assert papers(code)[0][2] == "stated"
    assert (
        post(house.clerk, f"/station/listings/{code}/papers", {"papers": ["x", "-1", "9" * 30, "9" * 5000]}).status_code
        == 303
    )
    assert papers(code)[0][2] == "stated"
    post(house.clerk, f"/station/listings/{code}/papers", {"papers": [str(row.id)]})

    assert papers(code)[0][2] == "verified"
    assert (fresh(Certificate)[0].verified_by, listing(code).state) == (house.clerk_person.id, L.PUBLISHED)


def test_a_statement_alone_makes_no_geographical_indication(house: House) -> None:
    send(house, house.millet, "certificates", **PAPER)
    assert papers(house.millet) == [] and edits()[0].after["certificates"][0]["number"] == "AGI2008-01"
    house.decide(house.clerk)

    assert papers(house.millet) == [("沁州黄小米", "AGI2008-01", "stated", False)]
    shop = house.browser()
    assert CONTENT["title"] not in shop.get("/categories/grain?gi=1").text
    post(house.clerk, f"/station/listings/{house.millet}/papers", {"papers": [str(fresh(Certificate)[0].id)]})
    assert CONTENT["title"] in shop.get("/categories/grain?gi=1").text

    page = house.seller.get(f"/seller/listings/{house.millet}/certificates").text
    found = re.search(r"certificates/(\w{16})/removal", page)
    assert found and send(house, house.millet, f"certificates/{found[1]}/removal") == 303
    assert send(house, house.millet, f"certificates/{found[1]}/removal") == 404
    assert len(papers(house.millet)) == 1
    house.decide(house.clerk)
    assert papers(house.millet) == []


def test_a_verified_paper_stays_verified_when_another_comes(house: House) -> None:
    send(house, house.millet, "certificates", **PAPER)
    house.decide(house.clerk)
    post(house.clerk, f"/station/listings/{house.millet}/papers", {"papers": [str(fresh(Certificate)[0].id)]})
    send(house, house.millet, "certificates", **PAPER | {"kind": "test_report", "number": "T-1"})
    house.decide(house.clerk)

    assert [(row[1], row[2]) for row in papers(house.millet)] == [("AGI2008-01", "verified"), ("T-1", "stated")]


@pytest.mark.parametrize(
    "wrong", [{"number": ""}, {"name": " "}, {"kind": "diploma"}, {"picture": (b"no picture", "x.jpg")}]
)
def test_a_wrong_paper_is_none(house: House, wrong: dict[str, Any]) -> None:
    code = draft(house)
    data = PAPER | wrong
    if "picture" in data:
        data["picture"] = (io.BytesIO(b"no picture"), "x.jpg")
    answer = post(house.seller, f"/seller/listings/{code}/certificates", data)
    assert answer.status_code == 422 and 'aria-invalid="true"' in answer.text and papers(code) == []
