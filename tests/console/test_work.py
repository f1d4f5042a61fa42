"""What waits for the province stands in one list, for those who may do it, the most urgent first, with the way to it."""

import re
from datetime import timedelta
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from crowdfund.campaigns.models import BudgetLine, Disbursement
from crowdfund.campaigns.organisations.models import OrganisationEntry
from crowdfund.campaigns.states import CampaignState, DisbursementState
from listings.complaints.models import SecondLook
from listings.states import ListingState
from marketplace.accounts.models import Person
from marketplace.orders.batches.models import BatchLine, SettlementBatch
from marketplace.orders.batches.states import BatchState
from marketplace.payments.reconciliation.models import ReconciliationRun
from marketplace.site.console import queues, rail
from marketplace.stations import map as maps
from tests import factories
from tests.console.conftest import HOURS, JIXIAN, NOON, QINXIAN, heard, sold, told
from tests.console.test_figures import a_campaign
from tests.factories import make_person, signed_in

Row = tuple[str, str, str, str]


def listed(client: FlaskClient, path: str = "/operator/work") -> list[Row]:
    """(tag, sentence, note, where the button leads) of each item."""
    page = client.get(path).text
    parts = r'class="tag[^"]*">([^<]+)</span>.*?<strong>([^<]+)</strong>(?:<span>([^<]*)</span>)?.*?href="([^"]+)"'
    lists = re.findall(r'<ul class="work">(.*?)</ul>', page, re.DOTALL)
    return [tuple(found) for part in lists for found in re.findall(parts, part)]


def test_parcels_that_nobody_sends_are_urgent(province: Session, client: FlaskClient) -> None:
    for _number in range(2):
        sold(province, NOON - 49 * HOURS, None, QINXIAN)
    sold(province, NOON - 50 * HOURS, None, JIXIAN)
    heard(province, QINXIAN, NOON - 3 * HOURS)
    signed_in(client, "auditor")
    see = "/operator/parcels?which=late&amp;station="
    assert listed(client) == [
        ("急", "沁县站 2 件超 48 小时没发", "电话 0351-555-0100。最后一次上报 10月18日 09:00。", see + QINXIAN),
        ("急", "吉县站 1 件超 48 小时没发", "电话 0351-555-0100。从没上报过。", see + JIXIAN),
    ]
    assert "2 件" in client.get(f"/operator/parcels?which=late&station={QINXIAN}").text


def test_a_station_with_work_that_is_not_heard_of_for_a_day(province: Session, client: FlaskClient) -> None:
    for station, hours in ((JIXIAN, 25), (QINXIAN, 23)):
        sold(province, NOON - 30 * HOURS, None, station)
        heard(province, station, NOON - hours * HOURS)
    signed_in(client, "operator")
    ((tag, sentence, note, url),) = listed(client)
    assert (tag, sentence, url) == ("查", "吉县站一天没上报", f"/operator/parcels?which=open&amp;station={JIXIAN}")
    assert note == "站里还有 1 件。电话 0351-555-0100。最后一次上报 10月17日 11:00。"


def test_what_others_did_at_a_station_is_not_heard_from_it(province: Session, client: FlaskClient) -> None:
    sold(province, NOON - 30 * HOURS, None, JIXIAN)
    for actor in ("system", "guest", f"person:{make_person().id}"):
        told(province, JIXIAN, NOON - HOURS, actor=actor)
    signed_in(client, "operator")
    assert [row[1:3] for row in listed(client)] == [("吉县站一天没上报", "站里还有 1 件。电话 0351-555-0100。从没上报过。")]
    clerk = make_person("station_manager", station=JIXIAN)
    told(province, JIXIAN, NOON - 2 * HOURS, actor=f"person:{clerk.public_id}")
    assert listed(client) == []


def test_an_order_after_a_quiet_day_raises_no_alarm(province: Session, client: FlaskClient) -> None:
    heard(province, JIXIAN, NOON - 26 * HOURS)
    sold(province, NOON - 24 * HOURS, None, JIXIAN)
    signed_in(client, "operator")
    assert listed(client) == []
    sold(province, NOON - 25 * HOURS, None, JIXIAN)
    assert [row[1] for row in listed(client)] == ["吉县站一天没上报"]


def test_evidence_that_is_late(province: Session, client: FlaskClient) -> None:
    campaign = a_campaign(province)
    due: dict[str, Any] = {"evidence_due_on": NOON.date() - timedelta(days=41), "state": DisbursementState.PAID}
    people = {"requester_id": campaign.owner_id, "approver_id": make_person("charity_approver").id}
    province.add(line := BudgetLine(campaign_id=campaign.id, position=1, name_zh="书桌", fen=1_000_000))
    province.flush()
    people["budget_line_id"] = line.id
    province.add(paid := disbursement(campaign.id, 198000, **due, **people))
    province.add(disbursement(campaign.id, 100, **due | {"evidence_due_on": NOON.date()}, **people))
    province.commit()
    signed_in(client, "auditor")
    url = f"/ledger/{campaign.public_id}/disbursements/{paid.public_id}"
    assert listed(client) == [("急", "吉县站拨付凭证逾期 41 天", "¥1,980.00，书桌。已对外公示。", url)]


def disbursement(campaign: int, fen: int, **given: Any) -> Disbursement:
    whom = {"purpose_zh": "书桌", "provider_zh": "木器厂", "provider_credit_code": "x", "invoice_number": f"x{fen}"}
    return Disbursement(campaign_id=campaign, book="test", fen=fen, **whom, **given)


def test_a_batch_shows_both_people(province: Session, client: FlaskClient) -> None:
    first, second = (make_person("operator", "finance_operator", name=name) for name in ("薛明川", "尚静宜"))
    batch = a_batch(province, first)
    url = f"/operator/settlements/{batch.public_id}"
    sentence = f"结算批次 吉县站 {batch.public_id}，¥39.80"
    factories.sign_in_as(client, first)
    assert listed(client) == [("批", sentence, "1 笔，你拟的，等另一个人批", url)]
    factories.sign_in_as(client, second)
    assert listed(client) == [("批", sentence, "1 笔，薛明川 已拟，等第二人", url)]
    batch.state, batch.approver_id = BatchState.APPROVED, second.id
    province.commit()
    assert listed(client) == [("批", sentence, "1 笔，薛明川 拟，尚静宜 批，还没送出", url)]
    signed_in(client, "auditor")
    assert listed(client) == []


def a_batch(session: Session, drafter: Person) -> SettlementBatch:
    session.add(batch := SettlementBatch(station_code=JIXIAN, book="test", gateway="sandbox", drafter_id=drafter.id))
    session.flush()
    owner = {"owner_kind": "station", "owner": JIXIAN, "owner_name": "吉县站", "book": "test"}
    session.add(BatchLine(batch_id=batch.id, fen=3980, **owner))
    session.commit()
    return batch


def test_books_that_are_not_level_come_first(province: Session, client: FlaskClient) -> None:
    told = {"gateway": "sandbox", "actor": "t", "is_whole": True, "is_dry": False, "ended_at": NOON - HOURS}
    province.add(ReconciliationRun(is_red=True, **told))
    province.commit()
    signed_in(client, "operator")
    assert listed(client)[0] == ("急", "三方对账不平", "查清之前，一分钱也不往外付。", "/operator/reconciliation")
    assert '<strong class="tile__urgent">不平</strong>' in client.get("/operator").text


def test_goods_whose_review_takes_over_a_day(province: Session, client: FlaskClient) -> None:
    factories.make_category()
    for hours, title in ((25, "吉县苹果"), (23, "吉县红枣")):
        given = {"state": ListingState.SUBMITTED, "submitted_at": NOON - hours * HOURS, "published_at": None}
        factories.make_listing(title_zh=title, **given)
    signed_in(client, "operator")
    note = "最早的从 10月17日 11:00 等到现在。"
    assert listed(client) == [("查", "1 件商品等站里审核，过了 24 小时", note, "/operator/goods-in-review")]
    page = client.get("/operator/goods-in-review").text
    assert page.index("吉县苹果") < page.index("吉县红枣")


def test_reports_that_are_late_stop_a_campaigns_money(province: Session, client: FlaskClient) -> None:
    campaign, reviewer = a_campaign(province), make_person().id
    campaign.reviewer_id, campaign.filing_number, campaign.filed_on = reviewer, "x", NOON.date()
    campaign.state, campaign.opened_at = CampaignState.LIVE, NOON - timedelta(days=100)  # on 10 July: due on 10 October
    province.commit()
    signed_in(client, "auditor")
    url = f"/campaigns/{campaign.public_id}"
    assert listed(client) == [("急", "公益项目报告逾期 8 天", "书桌：报告交上来之前不再拨付。", url)]


def test_a_second_look_is_asked_of_goods_off_sale(province: Session, client: FlaskClient) -> None:
    factories.make_category()
    goods = [factories.make_listing(state=state).id for state in (ListingState.SUSPENDED, ListingState.PUBLISHED)]
    asked = {"asked_by": make_person("seller").id, "asked_at": NOON - HOURS, "words": "换了新图"}
    province.add_all(SecondLook(listing_id=listing, **asked) for listing in goods)
    province.commit()
    signed_in(client, "operator")
    note = "最早的从 10月18日 11:00 等到现在。"
    assert listed(client) == [("审", "1 个卖家改好了，请复看", note, "/operator/complaints")]


def test_what_waits_for_a_second_person_names_the_first(province: Session, client: FlaskClient) -> None:
    writer = make_person("operator", name="薛明川")
    facts = {"code": "house", "name_zh": "某基金会", "credit_code": "x", "certificate_number": "x"}
    dates = {"certificate_from": NOON.date(), "certificate_until": NOON.date() + timedelta(days=900)}
    province.add(OrganisationEntry(**facts, **dates, writer_id=writer.id, written_at=NOON - HOURS))
    province.commit()
    signed_in(client, "operator")
    note = "薛明川 提的。最早的从 10月18日 11:00 等到现在。"
    assert listed(client) == [("批", "1 个慈善组织等第二人", note, "/operator/organisations")]
    assert re.search(r'href="/operator/organisations">.*?<strong>1</strong></a>', client.get("/operator/payments").text)
    signed_in(client, "finance_operator")
    assert listed(client) == []


def test_the_urgent_stands_first_and_the_rest_behind_a_link(province: Session, client: FlaskClient) -> None:
    writer = make_person("operator")
    a_batch(province, writer)
    for code in sorted(maps.province().shapes)[:7]:
        factories.make_station(code, county_zh=f"县{code}", name_zh=f"县{code}站", name_en=f"Station {code}")
        sold(province, NOON - 49 * HOURS, None, code)
    signed_in(client, "auditor")
    assert [row[0] for row in listed(client)] == ["急"] * 7
    factories.sign_in_as(client, writer)
    assert [row[0] for row in listed(client)] == [*["急"] * 7, "批"]
    assert len(listed(client, "/operator")) == 6 and "全部 8 件" in client.get("/operator").text


def test_every_queue_has_a_link_in_the_rail() -> None:
    codes = {code for _title, links in rail.SECTIONS for code, *_rest in links}
    assert {rail.OF_QUEUES.get(queue.code, queue.code) for queue in queues.QUEUES} <= codes


def test_every_link_of_the_rail_and_of_the_work_opens(province: Session, client: FlaskClient) -> None:
    """Also an auditor's, who sees fewer."""
    signed_in(client, "operator", "finance_operator")
    everything = rail_of(client)
    assert everything == {path for _title, links in rail.SECTIONS for _code, path, *_rest in links}
    for path in sorted(everything | {queue.url for queue in queues.QUEUES}):
        page = client.get(path)
        assert page.status_code == 200 and (path in {"/stations", "/account"} or 'aria-current="page"' in page.text), path
    signed_in(client, "auditor")
    fewer = rail_of(client)
    assert everything - fewer == {
        *("/operator/listings", "/operator/complaints", "/operator/reviews", "/operator/questions"),
        *("/operator/shipping-rates", "/operator/payees"),
    }
    assert {client.get(path).status_code for path in sorted(fewer)} == {200}


def rail_of(client: FlaskClient) -> set[str]:
    found = re.findall(r'<nav class="desk__rail".*?</nav>', client.get("/operator").text, re.DOTALL)[0]
    return set(re.findall(r'<a href="([^"]+)"', found))
