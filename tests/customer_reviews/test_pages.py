"""The doors of a review, as people go through them: what was typed is kept, others' reviews do not exist."""

import html
import io
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from listings.customer_reviews import moderating, pictures
from listings.customer_reviews.models import CustomerReview, ReviewPicture
from listings.customer_reviews.states import Reason, ReviewState as R
from listings.customer_reviews.writing import Said
from listings.models import Listing
from marketplace.accounts.models import Person
from marketplace.core.db import db, in_transaction
from marketplace.orders import access
from tests.customer_reviews.conftest import GOOD, HERE, Bought, buy, how_many, review_of
from tests.factories import make_person, sign_in_as, signed_in
from tests.orders.casework import picture
from tests.orders.conftest import OURS, hidden, post

SAID = {"stars": "4", "words": "果子脆，汁多"}


@pytest.fixture
def guest(client: FlaskClient, bought: Bought) -> FlaskClient:
    """Who has the link of the order."""
    client.get(f"/orders/{bought.number}?key={access.link_key(bought.number)}")
    return client


def send(client: FlaskClient, of: Bought, path: str = "", **changed: Any) -> TestResponse:
    address = f"/orders/{of.number}/reviews/{of.line}"
    data = {**SAID, "idempotency_key": hidden(client.get(address), "idempotency_key"), **changed}
    return client.post(f"{address}{path}", data=data, headers=OURS, content_type="multipart/form-data")


def test_from_the_order_to_the_page_of_the_goods(guest: FlaskClient, session: Session, bought: Bought) -> None:
    address = f"/orders/{bought.number}/reviews/{bought.line}"
    goods = f"/listings/{bought.listing}"
    assert "还没有人评价" in guest.get(goods).text and address in guest.get(f"/orders/{bought.number}").text

    answer = send(guest, bought, pictures=[picture()])

    assert answer.status_code == 303, answer.text
    own = guest.get(address).text
    assert "大家都能看到" in own and "等着看" in own
    page = guest.get(goods).text
    assert "果子脆，汁多" in page and "郭**" in page and "4 星（满分 5 星），好" in page and "1 个人评价过" in page
    assert "满三条评价才算平均分" in page and "/reviews" in page and "-320.webp" not in page
    found = re.search(r'src="([^"]+-320\.webp)"', own)
    assert found
    mine = guest.get(found[1])
    assert (mine.status_code, mine.mimetype) == (200, "image/webp") and "private" in mine.headers["Cache-Control"]

    review, shown = session.scalars(select(CustomerReview.public_id)).one(), session.scalars(select(ReviewPicture)).one()
    public = f"/reviews/{review}/pictures/{shown.public_id}-320.webp"
    clerk = guest.application.test_client()
    assert clerk.get(public).status_code == clerk.get(found[1]).status_code == 404
    signed_in(clerk, "station_clerk")
    assert "照片要看" in clerk.get("/station/reviews").text and "要看的照片和举报" in clerk.get("/station").text
    assert clerk.get(f"/station/reviews/{review}/pictures/{shown.public_id}-640.webp").status_code == 200
    desk = f"/station/reviews/{review}/pictures/{shown.public_id}"
    assert post(clerk, f"{desk}/hiding", {}).status_code == 422
    assert post(clerk, f"{desk}/showing", {}).status_code == 303
    assert public in guest.get(goods).text and guest.get(public).status_code == 200
    assert guest.get(public.replace("-320", "-321")).status_code == 404
    assert post(clerk, f"{desk}/hiding", {"reason": "shows_somebody"}).status_code == 303
    assert public not in guest.get(goods).text and guest.get(public).status_code == 404


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"stars": ""}, "选一下几星"),
    ({"stars": "6"}, "请在这几个里选一个"),
    ({"words": "\u3000"}, "写一句话"),
    ({"words": "好" * 1001}, "最多"),
]


def test_what_is_wrong_is_said_and_what_was_typed_is_kept(guest: FlaskClient, session: Session, bought: Bought) -> None:
    for changed, says in WRONG:
        answer = send(guest, bought, **changed)
        page = html.unescape(answer.text)
        assert answer.status_code == 422 and says in page, changed
        assert {**SAID, **changed}["words"].strip() in page
    refused = send(guest, bought, pictures=[(picture()[0], "a.jpg"), (io.BytesIO(b"no picture"), "b.jpg")])
    assert refused.status_code == 422 and "b.jpg" in refused.text and SAID["words"] in refused.text
    assert how_many(session, CustomerReview) == 0


def test_sent_twice_it_is_there_once(guest: FlaskClient, session: Session, bought: Bought) -> None:
    address = f"/orders/{bought.number}/reviews/{bought.line}"
    data = {**SAID, "idempotency_key": hidden(guest.get(address), "idempotency_key")}
    for _twice in range(2):
        assert guest.post(address, data=data, headers=OURS).status_code == 303
    other = guest.post(address, data={**data, "idempotency_key": "other"}, headers=OURS)
    assert other.status_code == 409 and "已经评价过" in other.text
    assert how_many(session, CustomerReview) == 1


def test_it_is_changed_and_taken_away(guest: FlaskClient, session: Session, bought: Bought) -> None:
    send(guest, bought, pictures=[picture()])
    (shown,) = session.scalars(select(ReviewPicture.public_id))

    assert send(guest, bought, "/changes", stars="2", words="放面了", without=[shown, "\0"]).status_code == 303

    page = guest.get(f"/listings/{bought.listing}").text
    assert (
        "放面了" in page and "2 星（满分 5 星），不太好" in page and "改过" in page and how_many(session, ReviewPicture) == 0
    )
    for told in ("你的评价和照片都删掉了。", "这一步已经做过"):
        assert post(guest, f"/orders/{bought.number}/reviews/{bought.line}/withdrawal", {}).status_code == 303
        assert told in guest.get(f"/orders/{bought.number}").text
    assert "放面了" not in guest.get(f"/listings/{bought.listing}").text
    assert guest.get(f"/orders/{bought.number}/reviews/{bought.line}").status_code == 404
    assert "写评价" not in guest.get(f"/orders/{bought.number}").text


def test_others_have_no_door(guest: FlaskClient, bought: Bought, apples: Listing) -> None:
    review, other = bought.write(), buy(apples)
    stranger = guest.application.test_client()
    for path in ("", "/changes", "/withdrawal", "/appeal"):
        assert stranger.post(f"/orders/{bought.number}/reviews/{bought.line}{path}", headers=OURS).status_code == 404
        assert guest.post(f"/orders/{bought.number}/reviews/{other.line}{path}", headers=OURS).status_code == 404
    away, buyer = guest.application.test_client(), guest.application.test_client()
    signed_in(away, "station_clerk", "seller", station="140430")
    signed_in(buyer)
    for client, door, status in (
        (away, "station", 404),
        (away, "seller", 404),
        (away, "operator", 403),
        (buyer, "station", 403),
    ):
        assert client.get(f"/{door}/reviews/{review}").status_code == status
    for path in ("station/reviews/{}/hiding", "station/reviews/{}/showing", "seller/reviews/{}/report"):
        data = {"reason": "advert", "report-reason": "advert"}
        assert post(away, "/" + path.format(review), data).status_code == 404
    assert review_of(review).state is R.SHOWN


def test_a_hidden_one_leaves_a_line_and_the_province_may_bring_it_back(
    guest: FlaskClient, bought: Bought, apples: Listing
) -> None:
    review = bought.write(Said(1, "写手机号 13835172045"))
    clerk, operator, seller = (guest.application.test_client() for _ in range(3))
    signed_in(clerk, "station_manager")
    assert "话要看" in clerk.get("/station/reviews").text
    refused = post(clerk, f"/station/reviews/{review}/hiding", {"reason": "not content"})
    assert refused.status_code == 422
    assert post(clerk, f"/station/reviews/{review}/hiding", {"reason": "names_somebody"}).status_code == 303
    for path in ("", "/reviews"):
        page = guest.get(f"/listings/{bought.listing}{path}").text
        assert "13835172045" not in page and "没有显示：写了人名、电话或住址" in page
    own = f"/orders/{bought.number}/reviews/{bought.line}"
    assert post(guest, f"{own}/appeal", {"appeal-words": " "}).status_code == 422
    assert post(guest, f"{own}/appeal", {"appeal-words": "那是站里的电话"}).status_code == 303
    assert "已经请省里看" in guest.get(own).text
    signed_in(operator, "operator")
    assert "吉县红富士苹果" in operator.get("/operator/reviews").text
    judged = f"/operator/reviews/{review}/judgement"
    assert post(operator, judged, {"decision": "restore", "why": ""}).status_code == 422
    assert post(operator, judged, {"decision": "restore", "why": "是公开电话"}).status_code == 303
    assert "13835172045" in guest.get(f"/listings/{bought.listing}").text

    sign_in_as(seller, db.session.get_one(Person, apples.seller_id))
    assert "没有显示" not in seller.get(f"/seller/reviews/{review}").text
    assert post(seller, f"/seller/reviews/{review}/answer", {"words": "谢谢你提醒"}).status_code == 303
    assert post(seller, f"/seller/reviews/{review}/report", {"report-reason": "advert"}).status_code == 303
    assert "卖家请你看" in clerk.get("/station/reviews").text
    assert post(clerk, f"/station/reviews/{review}/leaving", {}).status_code == 303
    page = guest.get(f"/listings/{bought.listing}/reviews").text
    assert "谢谢你提醒" in page and "卖家回答" in page


def test_from_three_on_there_is_an_average(client: FlaskClient, apples: Listing) -> None:
    for stars in (5, 4, 4):
        assert "平均" in client.get(f"/listings/{apples.code}/reviews").text or stars == 5
        buy(apples).write(Said(stars, "好"))

    page = client.get(f"/listings/{apples.code}").text
    assert "<strong" in page and "4.3" in page and "3 个人评价过" in page


def test_search_engines_read_what_people_do(client: FlaskClient, apples: Listing) -> None:
    def read() -> dict[str, str]:
        page = client.get(f"/listings/{apples.code}").text
        assert "ld+json" not in page and "<script" not in page.partition("<main")[2]
        return dict(re.findall(r'itemprop="(\w+)" (?:content|href)="([^"]*)"', page))

    for stars in (5, 4):
        buy(apples).write(Said(stars, "好"))
    found = read()
    assert found["name"] == apples.title_zh and found["sku"].startswith(f"{apples.code}-")
    assert (found["price"], found["priceCurrency"]) == ("39.80", "CNY")
    assert found["availability"] == "https://schema.org/InStock" and found["url"].startswith("http")
    assert "ratingValue" not in found

    buy(apples).write(Said(4, "好"))
    found = read()
    assert (found["ratingValue"], found["reviewCount"], found["bestRating"]) == ("4.3", "3", "5")


def test_pages_of_reviews_lead_on(client: FlaskClient, apples: Listing) -> None:
    for number in range(22):
        buy(apples).write(Said(5, f"第{number}条。"))

    first = client.get(f"/listings/{apples.code}/reviews").text
    onward = re.search(r'rel="next" href="([^"]+)"', first)
    assert onward and "第21条。" in first and "第2条。" in first and "第1条。" not in first
    second = client.get(html.unescape(onward[1])).text
    assert "第1条。" in second and "第0条。" in second and "第2条。" not in second
    assert client.get("/listings/nothing/reviews").status_code == 404
    assert "第21条。" in client.get(f"/listings/{apples.code}/reviews?before=nobody").text


def test_a_product_page_costs_one_statement_more_where_people_have_spoken(
    client: FlaskClient, apples: Listing, count_statements: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    def cost() -> int:
        with count_statements() as sent:
            assert client.get(f"/listings/{apples.code}").status_code == 200
        return len(sent)

    silent = cost()
    for number in range(5):
        buy(apples).write(Said(5, f"第{number}条。"))
    assert cost() == silent + 1


def test_pictures_that_nobody_keeps_are_swept(
    app: Flask, bought: Bought, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(pictures, "folder", lambda: tmp_path)
    monkeypatch.setattr("listings.pictures.A_DAY", -60)
    kept, gone = "0" * 64, "f" * 64
    for digest in (kept, gone):
        (tmp_path / digest[:2] / digest).mkdir(parents=True)
    bought.write(Said(5, GOOD.words, [{"digest": kept, "width": 4, "height": 3}]))

    pictures.sweep()

    assert [place.name for place in tmp_path.glob("*/*")] == [kept]


def test_a_clerk_who_sells_is_told_to_leave_it(client: FlaskClient, apples: Listing) -> None:
    review = buy(apples).write()
    sign_in_as(client, clerk := make_person("station_clerk"))
    apples_of_hers = db.session.get_one(CustomerReview, review_of(review).id)
    apples_of_hers.seller_id = clerk.id
    db.session.commit()

    answer = post(client, f"/station/reviews/{review}/hiding", {"reason": "insult"})

    assert answer.status_code == 303 and "自己的货" in client.get("/station/reviews").text
    with pytest.raises(moderating.NotYourOwn):
        in_transaction(moderating.hide, review=review, reach=HERE, reason=Reason.INSULT, person_id=clerk.id)
    assert review_of(review).state is R.SHOWN
