"""Campaigns as JSON: the figures of their pages, filters, pages, and one document that says so."""

from typing import Any

from flask.testing import FlaskClient

from crowdfund.campaigns import lifecycle
from marketplace.api.schemas import CampaignAnswer, CampaignsAnswer
from marketplace.core.db import in_transaction
from tests.campaigns.conftest import STATION, Fund


def read(client: FlaskClient, address: str) -> Any:
    answer = client.get(f"/api/v1/campaigns{address}")
    assert answer.status_code == 200
    return answer.json


def test_campaigns_with_filters_and_pages(fund: Fund) -> None:
    gifts = fund.open()
    aid = fund.open(kind="student_aid")
    over = fund.open()
    fund.draft()
    fund.give(gifts, 12345)
    in_transaction(lifecycle.end, campaign=over, person=fund.officer.id, why="够了")
    client = fund.browser()

    def ids(query: str = "") -> set[str]:
        answer = read(client, query)
        CampaignsAnswer.model_validate(answer)
        assert answer["total"] >= len(answer["items"])
        return {item["id"] for item in answer["items"]}

    assert ids() == {gifts, aid, over}
    assert ids("?kind=student_aid") == {aid}
    assert ids("?state=live&kind=donation") == {gifts}
    assert ids("?state=ended&state=live") == {gifts, aid, over}
    assert ids(f"?county={STATION}") == {gifts, aid, over} and ids("?county=140430") == set()
    assert len(ids("?per_page=2")) == 2 and len(ids("?per_page=2&page=2")) == 1
    item = next(each for each in read(client, "")["items"] if each["id"] == gifts)
    assert (item["raised_fen"], item["goal_fen"], item["gifts"], item["state"]) == (12345, 1_800_000, 1, "live")
    for wrong in ("?kind=presale", "?state=draft", "?page=0", "?county=abc"):
        assert client.get(f"/api/v1/campaigns{wrong}").status_code == 422


def test_one_campaign(fund: Fund) -> None:
    campaign = fund.open()
    fund.give(campaign, 100)
    answer = read(fund.browser(), f"/{campaign}")

    CampaignAnswer.model_validate(answer)
    assert answer["filing_number"] == "DEMO-0417" and answer["raised_fen"] == 100
    assert answer["budget"][0] == {"name": "图书 300 册", "fen": 1_200_000}
    assert fund.browser().get("/api/v1/campaigns/nowhere").status_code == 404
