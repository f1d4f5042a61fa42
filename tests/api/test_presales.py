"""Presales for programs: what their pages say, to the fen, and nothing of those who paid."""

from typing import Any

from flask.testing import FlaskClient

from crowdfund.presales import updating
from marketplace.api.openapi import document
from marketplace.core.db import db, in_transaction
from tests.presales.conftest import ONE, TWO, Orchard, orchard

__all__ = ["orchard"]


def says(client: FlaskClient, address: str) -> Any:
    db.session.rollback()
    answer = client.get(f"/api/v1{address}")
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def test_a_presale_is_what_its_page_says(orchard: Orchard) -> None:
    orchard.open(most=2)
    orchard.paid()
    orchard.paid(orchard.two, "b@example.test")
    orchard.begin()  # held, not paid
    news: Any = {"presale": orchard.presale, "seller": orchard.seller, "text": "开花了"}
    in_transaction(updating.tell, **news)
    client, row = orchard.shop.app.test_client(), orchard.row()

    item = says(client, "/presales?state=live&county=141028")["items"][0]
    assert item == {
        "id": orchard.presale,
        "state": "live",
        "title": "吉县红富士预售",
        "county_code": "141028",
        "goal_fen": 9000,
        "paid_fen": ONE + TWO,
        "places": 2,
        "closes_on": row.closes_on.isoformat(),
        "harvest_on": row.harvest_on.isoformat(),
        "is_demo": False,
        "url": f"/presales/{orchard.presale}",
    }
    whole = says(client, f"/presales/{orchard.presale}")
    assert item.items() <= whole.items()
    assert (whole["cap_grams"], whole["left_grams"], whole["grace_days"]) == (100_000, 90_000, 15)
    places = [(tier["title"], tier["fen"], tier["shipping_fen"], tier["taken"], tier["left"]) for tier in whole["tiers"]]
    assert places == [("一箱", ONE, 0, 2, 0), ("两箱", TWO, 600, 1, 1)]
    assert [each["text"] for each in whole["updates"]] == ["开花了"]
    assert "b@example.test" not in str(whole)


def test_what_nobody_may_see_is_not_there_and_rubbish_is_named(orchard: Orchard) -> None:
    drafted, client = orchard.draft(), orchard.shop.app.test_client()
    assert says(client, "/presales") == {"total": 0, "page": 1, "items": []}
    assert client.get(f"/api/v1/presales/{drafted}").status_code == 404
    for wrong in ("state=draft", "county=晋", "page=0", "per_page=101"):
        answer = client.get(f"/api/v1/presales?{wrong}")
        assert answer.status_code == 422 and answer.get_json()["errors"][0]["pointer"].startswith("?")
    orchard.open()
    assert says(client, "/presales?state=failed")["total"] == 0 and says(client, "/presales?page=2")["items"] == []
    assert {"/presales", "/presales/{presale}"} <= document()["paths"].keys()
