"""The pages of a monthly gift: chosen in the same three screens, said plainly, stopped with one tap, without an account."""

import re
from datetime import date
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from crowdfund.campaigns import giving, lifecycle
from crowdfund.campaigns.plans.models import Plan
from crowdfund.campaigns.states import PlanState
from marketplace.core.db import db, in_transaction
from marketplace.payments.gateways import Caps
from tests.campaigns.conftest import hidden, latest_gift as newest_gift, post
from tests.campaigns.plans.conftest import Monthly, get_plan, latest_gift, letters, months, noon_of, plan_of
from tests.campaigns.test_pages import SHOP
from tests.factories import make_person, sign_in_as


def send(client: FlaskClient, campaign: str, **typed: str) -> TestResponse:
    """The second screen, sent as it was shown."""
    page = client.get(f"/campaigns/{campaign}/gifts/new?choice=2000")
    assert page.status_code == 200
    form = {"amount": hidden(page, "amount"), "idempotency_key": hidden(page, "idempotency_key"), "anonymity": "masked"}
    return post(client, f"/campaigns/{campaign}/gifts", form | {"how_often": "monthly", "contact": "13835172045"} | typed)


def decide(monthly: Monthly, client: FlaskClient, answer: TestResponse, **pressed: str) -> str:
    """On the cashier's page; the address of the gift's page."""
    path = urlsplit(answer.location).path
    assert "你同意每月从这张卡扣款" in client.get(path).text
    back = post(client, f"{path}/decision", {"outcome": "approve", "later": "succeeds"} | pressed)
    monthly.work()
    return urlsplit(back.location or "").path


def plan_link(page: str) -> str:
    found = re.search(r'href="(/gifts/plans/[0-9a-f]+)"', page)
    assert found
    return found[1]


def test_a_guest_gives_monthly_in_three_screens_and_stops_with_one_tap(monthly: Monthly) -> None:
    campaign, client = monthly.campaign(), monthly.fund.browser()
    form = client.get(f"/campaigns/{campaign}/gifts/new?choice=2000").text
    assert re.findall(r'(checked)? ?[^<>]*name="how_often"[^>]*value="(\w+)"', form)
    assert re.search(r'<input checked id="how_often-0" name="how_often" type="radio" value="once">只捐这一次', form)
    assert "每月都捐：今天 ¥20.00，下次 2月28日，以后每月一次。随时点一下就停。" in form
    panel = client.get(f"/campaigns/{campaign}").text
    assert '<input type="checkbox" name="how_often" value="monthly">' in panel  # off at first, as the one beside it
    assert '<input type="checkbox" name="anonymity" value="anonymous">' in panel
    chosen = client.get(f"/campaigns/{campaign}/gifts/new?choice=2000&how_often=monthly&anonymity=anonymous").text
    assert re.search(r'<input checked[^>]*name="how_often"[^>]*value="monthly"', chosen)
    assert re.search(r'<input checked[^>]*name="anonymity"[^>]*value="anonymous"', chosen)

    address = decide(monthly, client, send(client, campaign))
    page = client.get(address).text
    assert "谢谢，¥20.00 已经进了项目的账" in page
    assert "今天 ¥20.00，下次 2月28日 ¥20.00，以后每月一次。" in page and "从你的卡里自动扣" in page
    with monthly.at(noon_of("2026-02-01")):
        later = client.get(address).text
        assert "今天" not in later and "下次 2月28日 ¥20.00，以后每月一次。" in later
    own = plan_link(page)
    shown = client.get(own)
    assert shown.headers["Cache-Control"] == "no-store" and shown.headers["Referrer-Policy"] == "no-referrer"
    assert "每月捐 ¥20.00" in shown.text and "下次 2月28日 ¥20.00" in shown.text and "2026年1月31日" in shown.text
    assert "13835172045" not in shown.text

    answer = post(client, f"{own}/stop", {})
    assert (answer.status_code, answer.location) == (303, own)
    over = client.get(own).text
    assert "这个月捐已经停了" in over and "以后不再扣钱" in over and "/stop" not in over
    assert letters()[-1].startswith("你给“给临县添一架书”的月捐已经停了")
    assert post(client, f"{own}/stop", {}).status_code == 303
    assert post(client, f"{own}/pause", {}).location == own
    assert "没有可改的" in client.get(own).text


def test_once_is_what_happens_when_nothing_is_chosen(monthly: Monthly) -> None:
    client = monthly.fund.browser()
    answer = send(client, monthly.campaign(), how_often="once", contact="")
    assert answer.status_code == 303
    assert "你同意每月从这张卡扣款" not in client.get(urlsplit(answer.location).path).text
    assert db.session.query(Plan).count() == 0


def test_without_an_address_it_says_so_by_the_field(monthly: Monthly) -> None:
    campaign, client = monthly.campaign(), monthly.fund.browser()
    answer = send(client, campaign, contact="", message="给孩子们")
    assert answer.status_code == 422
    assert "每月都捐，要留一个手机号或邮箱" in answer.text and "给孩子们" in answer.text
    assert re.search(r'<input checked id="how_often-1"[^>]*value="monthly"', answer.text)
    assert db.session.query(Plan).count() == 0
    wrong = send(client, campaign, how_often="weekly")
    assert wrong.status_code == 422 and db.session.query(Plan).count() == 0


def test_a_form_sent_twice_is_one_plan(monthly: Monthly) -> None:
    campaign, client = monthly.campaign(), monthly.fund.browser()
    first, second = (send(client, campaign, idempotency_key="a" * 16) for _press in range(2))
    assert first.location == second.location and db.session.query(Plan).count() == 1


def test_paused_changed_and_gone_on_with(monthly: Monthly, monkeypatch: pytest.MonkeyPatch) -> None:
    campaign, client = monthly.campaign(), monthly.fund.browser()
    own = plan_link(client.get(decide(monthly, client, send(client, campaign))).text)
    plan = plan_of(newest_gift().public_id).public_id

    post(client, f"{own}/pause", {})
    assert "你点继续之前不会扣钱" in client.get(own).text and get_plan(plan).state is PlanState.PAUSED
    post(client, f"{own}/continuation", {})
    assert "下次 2月28日 ¥20.00" in client.get(own).text
    wrong = post(client, f"{own}/amount", {"amount": "0"})
    assert wrong.status_code == 422 and "最少 ¥0.01" in wrong.text and 'value="0"' in wrong.text
    with monkeypatch.context() as stripe_like:
        stripe_like.setattr(type(monthly.cashier), "caps", Caps(recurring=True, least_fen=400))
        small = post(client, f"{own}/amount", {"amount": "1"})
        assert small.status_code == 422 and "支付机构一次最少收 ¥4.00" in small.text and 'value="1"' in small.text
    assert get_plan(plan).fen == 2000
    assert post(client, f"{own}/amount", {"amount": "5.50"}).status_code == 303
    assert "下次 2月28日 ¥5.50" in client.get(own).text and get_plan(plan).fen == 550


def test_a_much_larger_amount_is_asked_about_once(monthly: Monthly) -> None:
    """A point in the wrong place would be charged every month."""
    campaign, client = monthly.campaign(), monthly.fund.browser()
    own = plan_link(client.get(decide(monthly, client, send(client, campaign))).text)
    plan = plan_of(newest_gift().public_id).public_id

    asked = post(client, f"{own}/amount", {"amount": "550"})
    assert asked.status_code == 200 and "每个月 ¥550.00：真的要捐这么多吗" in asked.text
    assert get_plan(plan).fen == 2000
    answer = {"amount": hidden(asked, "amount"), "sure_of": hidden(asked, "sure_of")}
    back = post(client, f"{own}/amount", answer | {"change": "1"})
    assert back.status_code == 200 and 'value="550"' in back.text and get_plan(plan).fen == 2000
    other = post(client, f"{own}/amount", answer | {"amount": "5500"})
    assert other.status_code == 200 and "每个月 ¥5,500.00" in other.text and get_plan(plan).fen == 2000
    assert post(client, f"{own}/amount", answer).status_code == 303
    assert get_plan(plan).fen == 55_000
    assert post(client, f"{own}/amount", {"amount": "500"}).status_code == 303  # less than before: nothing to ask
    assert get_plan(plan).fen == 50_000


def test_a_link_in_a_letter_is_one_tap_from_the_cashier(monthly: Monthly) -> None:
    campaign, client = monthly.campaign(), monthly.fund.browser()
    page = client.get(decide(monthly, client, send(client, campaign), later="kept_by_nobody")).text
    assert "到那天我们发一个链接给你，点一下就捐" in page
    monthly.day("2026-02-28")
    link = re.search(r"点一下就捐：http://[^/]+(\S+)", letters()[-1])
    assert link
    with monthly.at(noon_of("2026-02-28")):
        waiting = client.get(link[1]).text
        assert "¥20.00 还没付" in waiting and "用银行卡付，以后每月自动从这张卡扣" in waiting
        answer = post(client, f"{link[1]}/payment", {})
        decide(monthly, client, answer)
        assert "谢谢，¥20.00 已经进了项目的账" in client.get(link[1]).text
        assert "从你的卡里自动扣" in client.get(plan_link(page)).text  # this time it was a card


def test_a_month_that_waits_stands_on_the_plans_page_until_the_campaign_is_over(monthly: Monthly) -> None:
    campaign, client = monthly.campaign(), monthly.fund.browser()
    own = plan_link(client.get(decide(monthly, client, send(client, campaign), later="kept_by_nobody")).text)
    monthly.day("2026-02-28")
    assert "还没付" in client.get(own).text
    gift = latest_gift(plan_of(newest_gift().public_id).public_id)
    with monthly.at(noon_of("2026-03-01")):
        in_transaction(lifecycle.end, campaign=campaign, person=monthly.fund.officer.id, why="够了")
    monthly.day("2026-03-01")
    assert "这个项目不再收捐款了" in client.get(own).text
    page = f"/campaigns/{campaign}/gifts/{giving.link_token(gift)}"
    assert post(client, f"{page}/payment", {}).location == page


def test_a_person_finds_their_plans_in_their_account(monthly: Monthly) -> None:
    campaign, client, other = monthly.campaign(), monthly.fund.browser(), monthly.fund.browser()
    sign_in_as(client, make_person(name="王晓雯"))
    own = plan_link(client.get(decide(monthly, client, send(client, campaign, contact=""))).text)

    mine = client.get("/account/gifts").text
    assert own in mine and "每月 ¥20.00" in mine and "下次 2月28日" in mine
    assert "暂停、改金额、停掉" in client.get("/account").text
    sign_in_as(other, make_person())
    assert own not in other.get("/account/gifts").text
    post(client, f"{own}/stop", {})
    assert "已经停了" in client.get("/account/gifts").text


def test_a_wrong_link_is_nothing_and_no_page_leads_into_the_shop(monthly: Monthly) -> None:
    campaign, client = monthly.campaign(), monthly.fund.browser()
    own = plan_link(client.get(decide(monthly, client, send(client, campaign))).text)
    wrong = f"/gifts/plans/{'0' * 64}"
    assert client.get(wrong).status_code == 404
    for what in ("stop", "pause", "continuation", "amount"):
        assert post(client, f"{wrong}/{what}", {"amount": "1"}).status_code == 404
        assert client.post(f"{own}/{what}", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
        assert client.get(f"{own}/{what}").status_code == 405
    page = client.get(own).text
    links = {urlsplit(link).path for link in re.findall(r'(?:href|action)="([^"#]*)"', page)}
    assert not [link for link in links if link.startswith(SHOP)]
    assert 'class="tabs"' not in page and 'role="search"' not in page


@pytest.mark.parametrize("later", ["free", ""])
def test_the_cashier_takes_only_what_it_offers(monthly: Monthly, later: str) -> None:
    client = monthly.fund.browser()
    path = urlsplit(send(client, monthly.campaign()).location).path
    assert post(client, f"{path}/decision", {"outcome": "approve", "later": later}).status_code == 422
    assert months(plan_of(newest_gift().public_id).public_id) == [("2026-01-31", "due", 0, "pending")]


def test_a_campaign_that_ends_soon_offers_no_months(monthly: Monthly) -> None:
    short, client = monthly.campaign(ends_on=date(2026, 2, 27)), monthly.fund.browser()
    page = client.get(f"/campaigns/{short}/gifts/new?choice=2000").text
    assert 'name="how_often"' not in page and "月捐" not in page and "用来寄收据，别人看不到" in page
    answer = send(client, short)
    assert answer.status_code == 409 and "不到一个月就结束了" in answer.text
    lasting = monthly.campaign(ends_on=date(2026, 3, 30))
    own = plan_link(client.get(decide(monthly, client, send(client, lasting))).text)
    monthly.day("2026-02-28")
    assert "这个项目 3月30日 结束，下个月不用再捐了" in client.get(own).text
