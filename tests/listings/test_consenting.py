"""A clerk lists for a farmer: with their word written down, reviewed by a colleague, and stopped when the farmer objects."""

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from listings import drafting, offering, reviewing
from listings.models import Media
from listings.states import ListingState as L, RevisionState
from marketplace.accounts.models import Grant
from marketplace.core.audit import AuditRecord
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound
from marketplace.core.transitions import EventRow
from marketplace.stations.models import Seller
from tests import factories
from tests.listings.selling import CONTENT, House, build, consents, edits, fresh, listing
from tests.listings.test_offering import JIXIAN, make_seller, picture, post
from tests.listings.test_packs import FIRST

AGREED = {"category": "grain-millet", "way": "by_phone", "has_agreed": "y"}
SEEN = {"decision": "accept", "origin_seen": "y", "goods_seen": "y", "price_sane": "y"}


@pytest.fixture
def house(app: Flask) -> House:
    return build(app)


def begin(house: House, **given: Any) -> str:
    path = f"/station/sellers/{house.person.public_id}/listings"
    answer = post(house.clerk, path, AGREED | given)
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"].split("/")[3]


def finished(house: House) -> str:
    """Listed by the clerk, and with the reviewers."""
    code = begin(house)
    assert post(house.clerk, f"/station/drafts/{code}/details", CONTENT | FIRST).status_code == 303
    assert post(house.clerk, f"/station/drafts/{code}/submission").headers["Location"] == "/station/sellers"
    return code


def review(client: FlaskClient, code: str) -> int:
    return post(client, f"/station/listings/{code}/review", SEEN).status_code


def test_listed_for_a_farmer_in_the_same_three_steps(house: House) -> None:
    assert "次村合作社" in house.clerk.get("/station/sellers?q=次村").text
    assert "次村合作社" not in house.clerk.get("/station/sellers?q=别处").text
    asked = house.clerk.get(f"/station/sellers/{house.person.public_id}/listings/new").text
    words = "我是次村合作社，同意沁县站替我把这件货挂到网上卖。"
    assert words in asked

    code = finished(house)

    (consent,) = consents()
    assert (consent.way, consent.clerk_id, consent.seller_id) == ("by_phone", house.clerk_person.id, house.person.id)
    assert consent.words.startswith(words) and consent.picture_digest is None and consent.withdrawn_at is None
    row = listing(code)
    assert (row.state, row.seller_id, row.title_zh) == (L.SUBMITTED, house.person.id, CONTENT["title"])
    clerk = f"person:{house.clerk_person.id}"
    assert [each.actor for each in fresh(EventRow, subject=f"listing:{code}")] == [clerk, clerk]
    assert [each.action for each in fresh(AuditRecord, subject=f"listing:{code}")] == ["consent.recorded"]
    assert "站里替你上架的" in house.seller.get("/seller").text
    shown = house.seller.get(f"/seller/listings/{code}/consent").text
    assert words in shown and "电话里" in shown


def test_a_colleague_reviews_it_where_there_is_one(house: House) -> None:
    code = finished(house)

    assert review(house.clerk, code) == 403 and listing(code).state is L.SUBMITTED
    assert review(house.colleague, code) == 303 and listing(code).state is L.PUBLISHED


def test_nobody_lets_in_what_they_have_not_seen(house: House) -> None:
    """Taken back, written anew and sent again while the page of the review was open."""
    code = finished(house)
    page = house.colleague.get(f"/station/listings/{code}").text
    for fact in ("小米", "9，10", "365 天", "阴凉干燥", "有 40 份"):  # what it puts on sale, it reads
        assert fact in page
    shown = re.search(r'name="version"[^>]*value="(\d+)"', page)
    assert shown
    post(house.seller, f"/seller/listings/{code}/consent/objection")
    post(house.seller, f"/seller/listings/{code}/details", CONTENT | FIRST | {"title": "沁州黄 乙"})
    post(house.seller, f"/seller/listings/{code}/submission")

    post(house.colleague, f"/station/listings/{code}/review", SEEN | {"version": shown[1]})

    assert (listing(code).state, listing(code).title_zh) == (L.SUBMITTED, "沁州黄 乙")
    again = re.search(r'name="version"[^>]*value="(\d+)"', house.colleague.get(f"/station/listings/{code}").text)
    post(house.colleague, f"/station/listings/{code}/review", SEEN | {"version": again[1] if again else ""})
    assert listing(code).state is L.PUBLISHED


def test_who_works_alone_reviews_it_and_the_trace_says_so(house: House) -> None:
    code = finished(house)
    db.session.query(Grant).filter(Grant.role == "station_manager").delete()
    db.session.commit()

    assert review(house.clerk, code) == 303

    last = fresh(EventRow, subject=f"listing:{code}")[-1]
    assert last.to_state == L.PUBLISHED and "nobody else" in last.why


def test_an_edit_that_a_clerk_wrote_is_reviewed_by_a_colleague(house: House) -> None:
    code = finished(house)
    review(house.colleague, code)
    assert post(house.clerk, f"/station/drafts/{code}/details", CONTENT | {"title": "沁州黄 甲"}).status_code == 303
    assert edits()[0].author_id == house.clerk_person.id

    assert house.decide(house.clerk).status_code == 403 and edits()[0].state is RevisionState.SUBMITTED
    assert house.decide(house.colleague).status_code == 303 and listing(code).title_zh == "沁州黄 甲"


def test_a_clerk_reviews_no_edit_that_they_wrote_a_part_of(house: House) -> None:
    """Whoever wrote the last word: the farmer, or another clerk."""
    code = finished(house)
    review(house.colleague, code)
    post(house.clerk, f"/station/drafts/{code}/details", CONTENT | {"title": "沁州黄 甲"})
    post(house.seller, f"/seller/listings/{code}/details", CONTENT | {"title": "沁州黄 甲", "storage": "放冰箱"})
    assert [(row.author_id, row.version) for row in edits()] == [(house.person.id, 2)]

    for decision, reason in (("accept", ""), ("reject", "不对")):
        assert house.decide(house.clerk, decision, reason=reason).status_code == 403
    assert edits()[0].state is RevisionState.SUBMITTED

    post(house.colleague, f"/station/drafts/{code}/details", CONTENT | {"title": "沁州黄 乙"})
    post(house.seller, f"/seller/listings/{code}/details", CONTENT | {"title": "沁州黄 丙"})
    assert house.decide(house.colleague).status_code == 403 and listing(code).title_zh == CONTENT["title"]


def test_what_changes_at_once_is_the_farmers_alone(house: House) -> None:
    code = finished(house)
    review(house.colleague, code)
    pack = f"{code}-1"

    for path, data in (
        (f"packs/{pack}", {"price": "1"}),
        (f"packs/{pack}/end", {}),
        (f"packs/{pack}/place", {}),
        ("removal", {}),
    ):
        post(house.clerk, f"/station/drafts/{code}/{path}", data)
    assert "只能由农户自己改" in house.clerk.get("/station/sellers").text
    assert listing(code).state is L.PUBLISHED and listing(code).variants[0].price_fen == 5800
    with pytest.raises(offering.OnlyTheFarmer):
        in_transaction(offering.archive, code=code, person_id=house.person.id, by=house.clerk_person.id)


def test_the_farmer_objects_and_it_is_off_sale(house: House) -> None:
    code = finished(house)
    review(house.colleague, code)
    post(house.clerk, f"/station/drafts/{code}/details", CONTENT | {"title": "沁州黄 甲"})

    too_long = post(house.seller, f"/seller/listings/{code}/consent/objection", {"reason": "不" * 201})
    assert too_long.status_code == 422 and "不" * 201 in too_long.text and consents()[0].withdrawn_at is None
    for _time in range(2):
        answer = post(house.seller, f"/seller/listings/{code}/consent/objection", {"reason": "价钱不是我说的"})
        assert answer.status_code == 303

    assert listing(code).state is L.PAUSED and edits()[0].state is RevisionState.REJECTED
    (consent,) = consents()
    assert consent.withdrawn_at and consent.withdrawn_because == "价钱不是我说的"
    assert [row.action for row in fresh(AuditRecord, subject=f"listing:{code}")] == ["consent.recorded", "consent.withdrawn"]
    for page in ("details", "pictures", "packs", "preview", "consent/paper"):
        assert house.clerk.get(f"/station/drafts/{code}/{page}").status_code == 404, page
    with pytest.raises(NotFound):
        in_transaction(drafting.submit, code=code, person_id=house.person.id, by=house.clerk_person.id)
    assert "农户收回了同意" in house.clerk.get("/station/sellers").text
    post(house.seller, f"/seller/listings/{code}/resumption")
    assert listing(code).state is L.PUBLISHED


def test_what_waits_for_review_does_not_get_through_any_more(house: House) -> None:
    code = finished(house)
    post(house.seller, f"/seller/listings/{code}/consent/objection")

    assert listing(code).state is L.REJECTED
    assert review(house.colleague, code) == 303 and listing(code).state is L.REJECTED


def test_what_was_objected_to_while_suspended_is_not_for_sale_once_cleared(house: House) -> None:
    code = finished(house)
    review(house.colleague, code)
    in_transaction(reviewing.suspend, code=code, actor="test", reason="test")
    post(house.seller, f"/seller/listings/{code}/consent/objection")
    assert listing(code).state is L.SUSPENDED

    in_transaction(reviewing.clear, code=code, actor="test", reason="test")

    assert listing(code).state is L.PAUSED


def test_a_signed_paper_is_seen_by_farmer_and_station_only(house: House) -> None:
    path = f"/station/sellers/{house.person.public_id}/listings"
    without = post(house.clerk, path, AGREED | {"way": "on_paper"})
    assert without.status_code == 422 and "要拍一张照片" in without.text and consents() == []

    code = begin(house, way="on_paper", paper=picture((60, 80)), pictures=[picture((40, 30))])

    (consent,) = consents()
    assert consent.picture_digest and [row.digest for row in fresh(Media)] != [consent.picture_digest]
    assert len(fresh(Media)) == 1
    paper = house.seller.get(f"/seller/listings/{code}/consent/paper")
    assert (paper.status_code, paper.mimetype, paper.headers["Cache-Control"]) == (200, "image/webp", "no-store")
    assert house.clerk.get(f"/station/listings/{code}/consent/paper").status_code == 200
    assert house.clerk.get(f"/station/drafts/{code}/consent/paper").status_code == 200
    elsewhere, other, buyer = (house.browser() for _each in range(3))
    factories.make_station(JIXIAN)
    factories.signed_in(elsewhere, "station_clerk", station=JIXIAN)
    make_seller(other)
    factories.signed_in(buyer)
    assert elsewhere.get(f"/station/listings/{code}/consent/paper").status_code == 404
    assert other.get(f"/seller/listings/{code}/consent/paper").status_code == 404
    assert buyer.get(f"/seller/listings/{code}/consent/paper").status_code == 403


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"has_agreed": ""}, "要等本人同意以后"),
        ({"has_agreed": "false"}, "要等本人同意以后"),
        ({"way": ""}, "怎么同意的"),
        ({"way": "dream"}, ""),
        ({"category": "grain"}, ""),
        ({"way": "on_paper", "paper": "x"}, "要拍一张照片"),
    ],
)
def test_without_their_word_nothing_begins(house: House, given: dict[str, str], says: str) -> None:
    data = {name: value for name, value in (AGREED | given).items() if value}
    answer = post(house.clerk, f"/station/sellers/{house.person.public_id}/listings", data)
    assert answer.status_code == 422 and says in answer.text and consents() == []


def test_a_form_sent_twice_begins_one(house: House) -> None:
    page = house.clerk.get(f"/station/sellers/{house.person.public_id}/listings/new").text
    key = re.search(r'name="idempotency_key" value="([^"]+)"', page)
    assert key and begin(house, idempotency_key=key[1]) == begin(house, idempotency_key=key[1])
    assert len(consents()) == 1


def test_farmers_of_other_stations_and_own_goods_are_refused(house: House) -> None:
    factories.make_station(JIXIAN)
    stranger, both = house.browser(), house.browser()
    elsewhere = make_seller(stranger, station=JIXIAN)
    assert house.clerk.get(f"/station/sellers/{elsewhere.public_id}/listings/new").status_code == 404
    assert post(house.clerk, f"/station/sellers/{elsewhere.public_id}/listings", AGREED).status_code == 404
    person = factories.signed_in(both, "seller", "station_clerk", station=JIXIAN)
    words = {"name_zh": "自家", "name_en": "", "village_zh": "村", "story_zh": "", "story_en": ""}
    facts = {"person_id": person.id, "station_code": JIXIAN, "kind": "household", "since": 2018}
    factories.make(Seller, facts, words)
    assert post(both, f"/station/sellers/{person.public_id}/listings", AGREED).status_code == 403
    for path in ("/station/sellers", f"/station/drafts/{house.millet}/details"):
        assert house.seller.get(path).status_code == 403
    assert house.clerk.get(f"/station/drafts/{house.millet}/details").status_code == 404
    assert consents() == []
