"""The desk of an organisation: one officer makes a campaign, another approves it, and nobody sees another house's."""

import re
from datetime import date, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from crowdfund.campaigns import drafting, lifecycle
from crowdfund.campaigns.models import Campaign, Organisation
from marketplace.accounts import people
from marketplace.core import clock
from marketplace.core.audit import AuditRecord
from marketplace.core.db import db, in_transaction
from tests import factories
from tests.campaigns.conftest import FOUNDATION, STATION, Fund, get, gift_of, hidden, post
from tests.factories import make_person, sign_in_as, signed_in


def typed(**changes: str) -> dict[str, str]:
    """A form in which nothing is missing."""
    today = clock.today()
    words = {
        "kind": "donation",
        "title_zh": "一架书",
        "station_code": STATION,
        "story_zh": "翻软了",
        "purpose_zh": "添书",
        "beneficiaries_zh": "村小",
        "criteria_zh": "名单",
        "region_zh": "临县",
        "leader_zh": "周予安",
        "bank_account_zh": "尾号 0417",
        "residue_zh": "补书",
        "past_goal": "stretch",
        "goal": "１８,０00",
        "budget": "图书 12,000 元\n书架：3000\n运输 3000.00",
        "starts_on": today.isoformat(),
        "ends_on": (today + timedelta(days=30)).isoformat(),
        "milestones": "采购\n上架",
    }
    return words | changes


def test_the_whole_way_at_the_desk(fund: Fund, officer: FlaskClient, approver: FlaskClient) -> None:
    key = hidden(officer.get("/charity/campaigns/new"), "idempotency_key")
    first, second = (post(officer, "/charity/campaigns", typed(idempotency_key=key)) for _press in range(2))
    assert first.status_code == 303 and first.location == second.location
    address = first.location
    row = db.session.scalars(select(Campaign)).one()
    lines = [(line.name_zh, line.fen) for line in drafting.budget_of(db.session(), row.id)]
    assert lines == [("图书", 1_200_000), ("书架", 300_000), ("运输", 300_000)]
    assert (row.goal_fen, row.milestones_zh, row.state) == (1_800_000, ["采购", "上架"], "draft")

    post(officer, f"{address}/submission", {})
    assert "自己写的，要请另一个人来审" in officer.get(address).text
    assert post(approver, f"{address}/objection", {"why": ""}).status_code == 422
    assert post(approver, f"{address}/approval", {"why": "预算核过"}).status_code == 303
    page = approver.get(address).text
    assert "周予安" in page and "沈若谷" in page and "预算核过" in page
    assert "超出目标的钱，还用在这件事上" in page and "采购<br>上架" in page

    refused = post(officer, f"{address}/opening", {})
    assert refused.status_code == 422 and 'href="#filing_number"' in refused.text and 'href="#filed_on"' in refused.text
    for day in ("9999-12-31", "0001-01-01"):
        assert post(officer, f"{address}/filing", {"number": "DEMO-1", "filed_on": day}).status_code == 422
    late = post(officer, f"{address}/filing", {"number": "DEMO-1", "filed_on": "gestern"})
    assert late.status_code == 422 and 'value="DEMO-1"' in late.text
    filed = (clock.today() - timedelta(days=10)).isoformat()
    post(officer, f"{address}/filing", {"number": "DEMO-1", "filed_on": filed})
    post(officer, f"{address}/opening", {})
    assert get(row.public_id).state == "live"
    page = officer.get(address).text
    assert "预算核过" in page and "handed in" not in page and "opened" not in page  # nobody wrote these
    assert "填了备案" in page and "campaign." not in page
    assert fund.browser().get(f"/campaigns/{row.public_id}").status_code == 200


def test_no_officer_approves_even_their_own_with_both_roles(fund: Fund, officer: FlaskClient) -> None:
    scope: dict[str, Any] = {"scope_kind": "organisation", "scope_id": "test-foundation"}
    in_transaction(people.grant, person_id=fund.officer.id, role="charity_approver", actor="t", **scope)
    campaign = fund.draft()
    in_transaction(lifecycle.submit, campaign=campaign, person=fund.officer.id)

    answer = post(officer, f"/charity/campaigns/{campaign}/approval", {})
    assert answer.status_code == 303 and "自己写的，要请另一个人来审" in officer.get(answer.location).text
    assert get(campaign).state == "submitted"


def test_who_works_for_two_organisations_says_for_which(fund: Fund, officer: FlaskClient) -> None:
    """A draft of the wrong one could not be moved."""
    words = {"code": "another", "name_zh": "晋阳青年基金会", "credit_code": "53140000MJ0123456X", "certificate_number": "7"}
    days = {"certificate_from": date(2020, 1, 1), "certificate_until": date(2099, 1, 1)}
    factories.make(Organisation, words | days, {})
    assert 'name="organisation"' not in officer.get("/charity/campaigns/new").text
    scope = {"scope_kind": "organisation", "scope_id": "another"}
    in_transaction(people.grant, person_id=fund.officer.id, role="charity_officer", actor="t", **scope)
    form = officer.get("/charity/campaigns/new")
    assert "晋阳青年基金会" in form.text and "示例青少年基金会" in form.text
    for wrong in ("", "somebody-elses"):
        sent = typed(idempotency_key=hidden(form, "idempotency_key"), organisation=wrong)
        assert post(officer, "/charity/campaigns", sent).status_code == 422
    assert db.session.scalars(select(Campaign.id)).all() == []
    for code in (FOUNDATION, "another"):
        key = hidden(officer.get("/charity/campaigns/new"), "idempotency_key")
        made = post(officer, "/charity/campaigns", typed(idempotency_key=key, organisation=code))
        assert made.status_code == 303
        assert db.session.scalars(select(Campaign.organisation_code).order_by(Campaign.id.desc())).first() == code
        assert 'name="organisation"' not in officer.get(f"{made.location}/text").text


def test_an_approver_neither_writes_nor_opens(fund: Fund, approver: FlaskClient) -> None:
    campaign = fund.approved()
    assert approver.get("/charity/campaigns/new").status_code == 403
    assert post(approver, f"/charity/campaigns/{campaign}/opening", {}).status_code == 404
    assert post(approver, f"/charity/campaigns/{campaign}/filing", {"number": "1"}).status_code == 403
    assert get(campaign).state == "approved"


def test_another_house_sees_nothing_of_it(fund: Fund) -> None:
    campaign = fund.draft(title_zh="别家的书")
    gift = fund.give(fund.open(), message="一句话")
    stranger, other = fund.browser(), fund.browser()
    person = make_person()
    in_transaction(
        people.grant, person_id=person.id, role="charity_officer", actor="t", scope_kind="organisation", scope_id="other"
    )
    sign_in_as(other, person)

    assert "别家的书" not in other.get("/charity").text
    paths = (f"/charity/campaigns/{campaign}", f"/charity/campaigns/{campaign}/text")
    assert [other.get(path).status_code for path in paths] == [404, 404]
    assert post(other, f"/charity/campaigns/{campaign}/submission", {}).status_code == 404
    assert post(other, f"/charity/messages/{gift}/shown", {}).status_code == 404
    assert gift_of(gift).message_state == "waiting"
    assert stranger.get("/charity").status_code == 302
    signed_in(stranger, "seller")
    assert stranger.get("/charity").status_code == 403


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("title_zh", "", ""),
        ("goal", "很多", "金额用数字写"),
        ("goal", "0", "最少 ¥1.00"),
        ("budget", "图书一万二", "不是一行预算"),
        ("budget", "图书 120,50", "不是一行预算"),
        ("budget", "图书 ,", "不是一行预算"),
        ("ends_on", "2020-01-01", "截止比开始还早"),
        ("starts_on", "明天", ""),
        ("station_code", "999999", ""),
        ("kind", "presale", ""),
    ],
)
def test_what_is_wrong_in_a_draft_stays_typed(fund: Fund, officer: FlaskClient, field: str, text: str, said: str) -> None:
    answer = post(officer, "/charity/campaigns", typed(**{field: text}))
    assert answer.status_code == 422 and said in answer.text and "翻软了" in answer.text
    assert db.session.scalars(select(Campaign.id)).all() == []


def test_changing_the_text_keeps_what_was_there(fund: Fund, officer: FlaskClient) -> None:
    campaign = fund.draft()
    page = officer.get(f"/charity/campaigns/{campaign}/text").text
    assert 'value="18000.00"' in page and "图书 300 册 12000.00" in page and 'value="40.00"' in page
    post(officer, f"/charity/campaigns/{campaign}/text", typed(title_zh="两架书"))
    assert get(campaign).title_zh == "两架书"


def test_steps_twice_and_steps_that_are_none(fund: Fund, officer: FlaskClient) -> None:
    campaign = fund.open()
    pause = f"/charity/campaigns/{campaign}/pause"
    empty = post(officer, pause, {"why": " "})
    assert empty.status_code == 422 and "请写明原因" in empty.text
    for _press in range(2):
        assert post(officer, pause, {"why": "核对名单"}).status_code == 303
    assert get(campaign).state == "paused"
    assert post(officer, f"/charity/campaigns/{campaign}/nothing", {}).status_code == 404
    reasons = db.session.scalars(select(AuditRecord.why).where(AuditRecord.action == "campaign.paused")).all()
    assert reasons == ["核对名单"]


def test_words_of_givers_wait_at_the_desk(fund: Fund, officer: FlaskClient) -> None:
    gift = fund.give(fund.open(), message="替我爸捐的")
    unpaid = fund.begin(fund.open(), message="没付的话")
    page = officer.get("/charity").text
    assert "替我爸捐的" in page and "没付的话" not in page

    assert post(officer, f"/charity/messages/{gift}/shown", {}).status_code == 303
    assert gift_of(gift).message_state == "shown" and gift_of(unpaid).message_state == "waiting"
    assert "替我爸捐的" not in officer.get("/charity").text
    assert post(officer, f"/charity/messages/{gift}/burnt", {}).status_code == 404


def test_nobody_is_led_to_a_page_that_is_not_for_them(fund: Fund, officer: FlaskClient, approver: FlaskClient) -> None:
    campaign = fund.open()
    for person in (officer, approver):
        seen, asked = set[str](), ["/charity", f"/charity/campaigns/{campaign}"]
        while asked:
            place = asked.pop()
            seen.add(place)
            answer = person.get(place)
            assert answer.status_code == 200, place
            asked += {link for link in re.findall(r'href="(/charity[^"]*)"', answer.text) if link not in seen}
        assert ("/charity/campaigns/new" in seen) == (person is officer) and len(seen) > 6
