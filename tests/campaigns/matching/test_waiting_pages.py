"""The desk of matches that wait, and what givers and sponsors see of it: never a word of why."""

import pytest
from flask.testing import FlaskClient

from crowdfund.campaigns import giving
from crowdfund.campaigns.matching import funds
from crowdfund.campaigns.states import HeldState as H
from crowdfund.campaigns.views.devices import NAME
from tests.campaigns.conftest import Fund, hidden, latest_gift, post
from tests.campaigns.matching.conftest import open_fund
from tests.campaigns.matching.test_waiting import split
from tests.campaigns.matching.waiting import codes_of, held_of, held_state, name_of, sums_of
from tests.factories import signed_in

DESK = "/charity/held-matches"


@pytest.fixture
def waiting(fund: Fund) -> tuple[str, str, str]:
    """A campaign, its fund, and a gift whose match waits."""
    campaign = fund.open()
    opened = open_fund(fund, campaign, giver_cap=1000)
    return campaign, opened, split(fund, campaign, 2, card="fp_1")[1]


def test_an_approver_reads_why_and_releases(waiting: tuple[str, str, str], fund: Fund, approver: FlaskClient) -> None:
    _campaign, opened, gift = waiting
    page = f"{DESK}/{name_of(gift)}"
    assert page in approver.get(DESK).text
    shown = approver.get(page).text
    assert "同一张卡" in shown and "¥20" in shown and "s0@example.test" not in shown

    refused = post(approver, f"{page}/release", {"why": " "})
    assert refused.status_code == 422 and 'aria-invalid="true"' in refused.text
    assert sums_of(opened) == (1000, 1000, 8000)
    for _twice in range(2):
        assert post(approver, f"{page}/release", {"why": "两口子，问过了"}).status_code == 303
    assert (held_state(gift), sums_of(opened)) == (H.RELEASED, (2000, 0, 8000))
    assert "两口子，问过了" in approver.get(page).text


def test_officers_look_on_and_strangers_find_nothing(
    waiting: tuple[str, str, str], fund: Fund, officer: FlaskClient, approver: FlaskClient
) -> None:
    _campaign, _opened, gift = waiting
    page = f"{DESK}/{name_of(gift)}"
    assert f"{page}/release" not in officer.get(page).text
    assert post(officer, f"{page}/denial", {"why": "no"}).status_code == 403
    assert fund.browser().get(page).status_code in {302, 303, 404}
    assert approver.get(f"{DESK}/nobody").status_code == 404
    assert held_state(gift) is H.HELD


def test_the_provinces_finance_may_deny(waiting: tuple[str, str, str], fund: Fund) -> None:
    _campaign, opened, gift = waiting
    page = f"{DESK}/{name_of(gift)}"
    finance, operator = fund.browser(), fund.browser()
    signed_in(finance, "finance_operator")
    signed_in(operator, "operator")
    assert page in finance.get(DESK).text
    assert post(finance, f"{page}/denial", {"why": "一人多号"}).status_code == 303
    assert (held_state(gift), sums_of(opened)) == (H.DENIED, (1000, 0, 9000))
    assert operator.get(page).status_code == 200
    assert post(operator, f"{page}/release", {"why": "no"}).status_code == 403


def test_givers_and_sponsors_read_no_accusation(waiting: tuple[str, str, str], fund: Fund) -> None:
    campaign, opened, gift = waiting
    page = fund.browser().get(f"/campaigns/{campaign}/gifts/{giving.link_token(gift)}").text
    assert "可能要几个工作日" in page
    sponsors = fund.browser().get(f"/matching-funds/{funds.link_token(opened)}").text
    assert "留给还在看的捐款" in sponsors
    for word in ("同一张卡", "可疑", "s1@example.test"):
        assert word not in page and word not in sponsors


def test_a_browser_is_known_again_at_the_gift_form_of_a_campaign_with_a_fund_only(fund: Fund) -> None:
    plain, campaign = fund.open(), fund.open()
    open_fund(fund, campaign, giver_cap=1000)
    browser = fund.browser()
    assert "Set-Cookie" not in browser.get(f"/campaigns/{plain}/gifts/new?amount=10").headers
    form = browser.get(f"/campaigns/{campaign}/gifts/new?amount=10")
    (cookie,) = (each for each in form.headers.getlist("Set-Cookie") if each.startswith(NAME))
    assert f"Path=/campaigns/{campaign}/gifts" in cookie and "HttpOnly" in cookie

    gifts = []
    for each in range(2):
        form = browser.get(f"/campaigns/{campaign}/gifts/new?amount=10")
        assert NAME not in "".join(form.headers.getlist("Set-Cookie"))
        asked = {"amount": "10", "contact": f"w{each}@example.test", "idempotency_key": hidden(form, "idempotency_key")}
        answer = post(browser, f"/campaigns/{campaign}/gifts", asked | {"anonymity": "anonymous", "how_often": "once"})
        assert answer.status_code == 303
        gifts.append(latest_gift().public_id)
        fund.cashier.decide(fund.remote_of(gifts[-1]), "succeeded")
        fund.work()
    assert [codes_of(gift) for gift in gifts] == [[], ["tied"]]
    assert held_of(gifts[0]) is None
