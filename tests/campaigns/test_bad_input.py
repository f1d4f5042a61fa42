"""Whatever people type or press twice: refused by its field with what they typed, or harmless."""

import pytest
from sqlalchemy import func, select

from crowdfund.campaigns import lifecycle
from crowdfund.campaigns.models import Contribution
from marketplace.core.db import db, in_transaction
from marketplace.payments.gateways import Caps
from marketplace.payments.models import Attempt
from tests.campaigns.conftest import Fund, get, hidden, post

WRONG = {
    "0": "最少 ¥0.01",
    "-1": "最少 ¥0.01",
    "0.00": "最少 ¥0.01",
    "0.001": "小数最多两位",
    "1.999": "小数最多两位",
    "50000.01": "一次最多捐 ¥50,000.00",
    "1000000000": "一次最多捐 ¥50,000.00",
    "9999999999999": "一次最多捐 ¥50,000.00",
    "9" * 150: "一次最多捐 ¥50,000.00",
    "1e9": "金额用数字写",
    "+5": "金额用数字写",
    "ten": "金额用数字写",
    "十": "金额用数字写",
    "<b>10</b>": "金额用数字写",
    "¥": "金额用数字写",
    "": "想捐多少",
}
RIGHT = {"10": 1000, "１０": 1000, "0.01": 1, "¥6.60": 660, "￥６．６": 660, "1,200 元": 120_000, "50000": 5_000_000}


def count(kind: type) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(kind)) or 0


@pytest.mark.parametrize("typed", WRONG)
def test_a_wrong_sum_is_said_by_its_field_on_both_screens(fund: Fund, typed: str) -> None:
    campaign = fund.open()
    client = fund.browser()
    page = client.get(f"/campaigns/{campaign}/gifts/new", query_string={"choice": "own", "amount": typed})
    sent = post(client, f"/campaigns/{campaign}/gifts", {"amount": typed, "anonymity": "masked", "name": "王晓雯"})

    for answer in (page, sent):
        assert answer.status_code == 422
        assert WRONG[typed] in answer.text.split('id="amount-note"')[1].split("</p>")[0]
        assert "<b>10</b>" not in answer.text
    assert 'value="王晓雯"' in sent.text
    assert (count(Contribution), count(Attempt)) == (0, 0)


def test_less_than_the_gateway_takes_is_said_before_anything_is_sent(fund: Fund, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(fund.cashier), "caps", Caps(recurring=True, least_fen=400))
    campaign, client = fund.open(unit_fen=50), fund.browser()
    page = client.get(f"/campaigns/{campaign}/gifts/new", query_string={"choice": "own", "amount": "3.99"})
    sent = post(client, f"/campaigns/{campaign}/gifts", {"amount": "3.99", "anonymity": "masked", "name": "王晓雯"})

    for answer in (page, sent):
        assert answer.status_code == 422
        assert "支付机构一次最少收 ¥4.00" in answer.text.split('id="amount-note"')[1].split("</p>")[0]
        assert 'value="3.99"' in answer.text
    assert 'value="王晓雯"' in sent.text
    assert (count(Contribution), count(Attempt)) == (0, 0)
    assert "¥4.00 起捐" in client.get("/campaigns").text
    assert 'value="50"' not in client.get(f"/campaigns/{campaign}").text  # a piece that nobody could give alone
    assert post(client, f"/campaigns/{campaign}/gifts", {"amount": "4", "anonymity": "masked"}).status_code == 303
    assert db.session.scalars(select(Contribution.fen)).all() == [400]


@pytest.mark.parametrize("typed", RIGHT)
def test_sums_as_people_write_them(fund: Fund, typed: str) -> None:
    campaign = fund.open()
    sure = {"sure_of": f"once:{RIGHT[typed]}"}  # where so much is asked about
    answer = post(fund.browser(), f"/campaigns/{campaign}/gifts", {"amount": typed, "anonymity": "masked", **sure})

    assert answer.status_code == 303
    assert db.session.scalars(select(Contribution.fen)).all() == [RIGHT[typed]]


@pytest.mark.parametrize("choice", ["-5", "0", "6.6", "own2", "99999999999", "²"])
def test_a_chip_that_is_none(fund: Fund, choice: str) -> None:
    campaign = fund.open()
    page = fund.browser().get(f"/campaigns/{campaign}/gifts/new", query_string={"choice": choice})
    assert page.status_code in {200, 422}
    if page.status_code == 200:
        assert "捐 ¥6.60" in page.text


def test_nothing_is_wrong_yet_with_a_sum_nobody_has_chosen(fund: Fund) -> None:
    page = fund.browser().get(f"/campaigns/{fund.open()}/gifts/new")
    assert page.status_code == 200 and 'name="amount"' in page.text and "aria-invalid" not in page.text


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("name", "<b>王</b>", "写不进账本"),
        ("name", "13835172045", "写不进账本"),
        ("name", "http://spam.example", "写不进账本"),
        ("name", "www.mai-fang.com", "名字一直公开"),
        ("name", "加我微信maifang", "名字一直公开"),
        ("honoured", "一三八三五一七二零四五", "名字一直公开"),
        ("contact", "12345", "这不是 11 位手机号"),
        ("contact", "wang@", "这不是 11 位手机号"),
        ("anonymity", "secret", ""),
    ],
)
def test_what_is_wrong_about_the_giver_stays_typed(fund: Fund, field: str, typed: str, said: str) -> None:
    campaign = fund.open()
    form = {"amount": "6.60", "anonymity": "masked", "message": "留着的话"} | {field: typed}
    answer = post(fund.browser(), f"/campaigns/{campaign}/gifts", form)

    assert answer.status_code == 422 and said in answer.text and "留着的话" in answer.text
    assert "<b>王" not in answer.text and 'name="amount" value="6.60"' in answer.text
    assert count(Contribution) == 0


def test_too_many_words(fund: Fund) -> None:
    campaign = fund.open()
    form = {"amount": "1", "anonymity": "masked", "message": "话" * 101}
    assert post(fund.browser(), f"/campaigns/{campaign}/gifts", form).status_code == 422


def test_html_in_words_is_shown_as_it_was_typed(fund: Fund) -> None:
    campaign = fund.open()
    page = post(
        fund.browser(), f"/campaigns/{campaign}/gifts", {"amount": "0", "anonymity": "masked", "message": "<i>好</i>"}
    )
    assert "&lt;i&gt;好&lt;/i&gt;" in page.text and "<i>好" not in page.text


def test_a_form_sent_twice_is_one_gift(fund: Fund) -> None:
    campaign = fund.open()
    client = fund.browser()
    key = hidden(client.get(f"/campaigns/{campaign}/gifts/new?choice=660"), "idempotency_key")
    form = {"amount": "6.60", "anonymity": "masked", "idempotency_key": key}
    first, second = (post(client, f"/campaigns/{campaign}/gifts", form) for _press in range(2))

    assert first.status_code == second.status_code == 303 and first.location == second.location
    assert (count(Contribution), count(Attempt)) == (1, 1)


def test_back_and_another_sum_asks_before_a_second_gift(fund: Fund) -> None:
    campaign = fund.open()
    client = fund.browser()
    form = {"amount": "6.60", "anonymity": "masked", "idempotency_key": "k1"}
    post(client, f"/campaigns/{campaign}/gifts", form)
    again = post(client, f"/campaigns/{campaign}/gifts", form | {"amount": "7"})
    assert again.status_code == 409 and "再捐一笔" in again.text and count(Contribution) == 1

    fresh = form | {"amount": "7", "idempotency_key": hidden(again, "idempotency_key")}
    assert post(client, f"/campaigns/{campaign}/gifts", fresh).status_code == 303
    assert count(Contribution) == 2


def test_the_same_form_after_it_was_paid_shows_the_gift(fund: Fund) -> None:
    campaign = fund.open()
    client = fund.browser()
    form = {"amount": "6.60", "anonymity": "masked", "idempotency_key": "k1"}
    post(client, f"/campaigns/{campaign}/gifts", form)
    gift = db.session.scalars(select(Contribution.public_id)).one()
    fund.cashier.decide(fund.remote_of(gift), "succeeded")
    fund.work()

    back = post(client, f"/campaigns/{campaign}/gifts", form)
    assert f"/campaigns/{campaign}/gifts/" in back.location and "谢谢" in client.get(back.location).text
    assert fund.balance(campaign) == 660


@pytest.mark.parametrize("state", ["paused", "ended", "cancelled"])
def test_what_is_closed_takes_nothing(fund: Fund, state: str) -> None:
    campaign = fund.open()
    close = {"paused": lifecycle.pause, "ended": lifecycle.end, "cancelled": lifecycle.cancel}[state]
    in_transaction(close, campaign=campaign, person=fund.officer.id, why="查一下")
    client = fund.browser()

    assert 'name="choice"' not in client.get(f"/campaigns/{campaign}").text
    for answer in (
        client.get(f"/campaigns/{campaign}/gifts/new?choice=660"),
        post(client, f"/campaigns/{campaign}/gifts", {"amount": "1", "anonymity": "masked"}),
    ):
        assert answer.status_code == 409 and "没有扣钱" in answer.text
    assert count(Contribution) == 0 and get(campaign).state == state


def test_an_unknown_campaign_is_not_found(fund: Fund) -> None:
    client = fund.browser()
    paths = ("/campaigns/nowhere", "/campaigns/nowhere/gifts/new?choice=660", "/campaigns/nowhere/gifts/token")
    assert [client.get(path).status_code for path in paths] == [404, 404, 404]
    assert post(client, "/campaigns/nowhere/gifts", {"amount": "1", "anonymity": "masked"}).status_code == 404


def test_a_goal_that_was_reached_meanwhile_is_said(fund: Fund) -> None:
    campaign = fund.open(past_goal="stop")
    fund.give(campaign, 1_800_000)
    client = fund.browser()
    answer = post(client, f"/campaigns/{campaign}/gifts", {"amount": "1", "anonymity": "masked"})
    assert answer.status_code == 409 and "这个项目的钱已经够了" in answer.text
    page = client.get(f"/campaigns/{campaign}").text
    assert "到目标了" in page and 'name="choice"' not in page
    assert client.get(f"/campaigns/{campaign}/gifts/new?choice=660").status_code == 409
