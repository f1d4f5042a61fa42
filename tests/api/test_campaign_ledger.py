"""The public ledger of a campaign as JSON."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from openapi_spec_validator import validate
from sqlalchemy import select

from marketplace.core.db import db
from marketplace.core.sealing import Seal
from tests.public_ledger.conftest import Giving, giving, make_giving

__all__ = ["giving", "make_giving"]


def get(client: FlaskClient, place: str) -> Any:
    answer = client.get(f"/api/v1/campaigns/{place}")
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def test_an_answer_has_exactly_this_shape(giving: Giving, client: FlaskClient) -> None:
    campaign, other = giving.campaign(), giving.campaign()
    with time_machine.travel(datetime(2026, 10, 18, 4, 0, 1, 500, UTC), tick=False):
        giving.gift(other, 99)
        giving.gift(campaign, 2000, who="小杏子")
        giving.pay_out(campaign, 815)
        giving.seal()
    giving.gift(campaign, 1)  # not sealed yet: no hash, so no row
    first, second = db.session.scalars(select(Seal.hash).where(Seal.number > 1).order_by(Seal.number)).all()
    at = "2026-10-18T04:00:01.000500Z"
    payment = {"kind": "disbursement", "who": "临汾新华书店", "what": "玉坪乡图书 214 册", "fen": -815, "balance_fen": 1185}
    gift = {"kind": "gift", "who": "小杏子", "what": "", "fen": 2000, "balance_fen": 2000}
    assert get(client, f"{campaign.public_id}/ledger") == {
        "campaign": campaign.public_id,
        "book": "test",
        "balance_fen": 1185,
        "rows": [{"number": 3, "at": at, "hash": second} | payment, {"number": 2, "at": at, "hash": first} | gift],
        "next_before": None,
        "url": f"/ledger/{campaign.public_id}",
    }


def test_pages_lead_to_the_first_row(giving: Giving, client: FlaskClient) -> None:
    campaign = giving.campaign()
    for _each in range(5):
        giving.gift(campaign, 1)
    giving.seal()
    seen, before = list[int](), 0
    while before is not None:
        page = get(client, f"{campaign.public_id}/ledger?per_page=2&before={before}")
        seen += [row["number"] for row in page["rows"]]
        before = page["next_before"]
    assert seen == [5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    "wrong", ["before=-1", "before=x", "per_page=0", "per_page=101", "before=1e9", "before=" + "9" * 30]
)
def test_a_wrong_parameter_is_a_problem_that_names_it(giving: Giving, client: FlaskClient, wrong: str) -> None:
    answer = client.get(f"/api/v1/campaigns/{giving.campaign().public_id}/ledger?{wrong}")
    assert answer.status_code == 422 and answer.content_type == "application/problem+json"
    assert answer.get_json()["errors"][0]["pointer"] == f"?{wrong.partition('=')[0]}"


def test_a_campaign_that_nobody_knows(app: Flask, client: FlaskClient) -> None:
    assert client.get("/api/v1/campaigns/nobody/ledger").status_code == 404


def test_it_stands_in_the_document(client: FlaskClient, make_giving: Callable[[], Giving]) -> None:
    document: Any = client.get("/api/v1/openapi.json").get_json()
    validate(document)
    assert document["paths"]["/campaigns/{campaign}/ledger"]["get"]["operationId"] == "campaign_ledger"
