"""A gift of a called-off campaign that did not reach its giver: listed, and sent once more when a person says why."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from crowdfund.campaigns import giving, lifecycle, returning, stranded
from crowdfund.campaigns.models import PublicRow
from marketplace.core.audit import AuditRecord
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound
from marketplace.core.outbox import OutboxRow
from marketplace.notifications.models import Message
from marketplace.payments.gateways import gateways
from marketplace.payments.models import Refund
from marketplace.payments.states import RefundState
from tests import cashiers
from tests.campaigns.conftest import FOUNDATION, Fund, build_fund, hidden, post
from tests.campaigns.test_receiving import differences
from tests.factories import sign_in_as, signed_in
from tests.public_ledger.racing import race

PAGE = "/charity/returned-gifts"
WHY = "捐款人换了银行卡"


@pytest.fixture
def fund(app: Flask) -> Iterator[Fund]:
    """One whose books are rolled back."""
    yield from opened(app)


@pytest.fixture
def real_fund(real_app: Flask) -> Iterator[Fund]:
    yield from opened(real_app)


def opened(app: Flask) -> Iterator[Fund]:
    cashiers.opened(gateways().get("sandbox"))
    yield (built := build_fund(app))
    built.cashier.storage.dispose()


def called_off(fund: Fund, *gifts: int) -> tuple[str, list[str]]:
    """A campaign that gave these gifts back, none of which arrived; returns it and them."""
    campaign = fund.open()
    given = [fund.give(campaign, fen, name="王芳", anonymity="named") for fen in gifts]
    remotes = [fund.remote_of(gift) for gift in given]
    in_transaction(lifecycle.cancel, campaign=campaign, person=fund.officer.id, why="材料不实")
    fund.work()
    for remote in remotes:
        fund.cashier.fail_refund(fund.cashier.refunds_of(remote)[-1].remote_id)
    fund.work()
    assert fund.balance(campaign) == sum(gifts)
    return campaign, given


def send_again(gift: str, organisations: list[str] | None = None) -> str:
    return in_transaction(stranded.send_again, gift=gift, organisations=organisations, actor="person:1", why=WHY)


def listed(organisations: list[str] | None = None) -> list[str]:
    db.session.rollback()
    return [each.gift for each in stranded.page(db.session(), organisations).rows]


def test_it_is_sent_once_more(fund: Fund) -> None:
    campaign, (gift,) = called_off(fund, 660)
    assert listed() == [gift]

    refund = send_again(gift)

    assert (fund.balance(campaign), listed()) == (0, [])
    with pytest.raises(stranded.NotStranded):
        send_again(gift)
    fund.work()
    rows = db.session.scalars(select(Refund).order_by(Refund.id)).all()
    assert [(row.state, row.reason_key) for row in rows] == [
        (RefundState.FAILED, f"campaign:{campaign}"),
        (rows[1].state, f"campaign:{campaign}:1"),
    ]
    assert rows[1].public_id == refund and rows[1].state is not RefundState.REQUESTED
    public = db.session.scalars(select(PublicRow.kind).order_by(PublicRow.id)).all()
    assert public == ["gift", "refund", "return", "refund"]
    said = select(AuditRecord.actor, AuditRecord.subject, AuditRecord.why)
    said = said.where(AuditRecord.action == "gift.sent_back_again")
    assert list(db.session.execute(said)) == [("person:1", f"contribution:{gift}", WHY)]


def test_what_fails_again_is_listed_again(fund: Fund) -> None:
    _campaign, (gift,) = called_off(fund, 660)
    send_again(gift)
    fund.work()
    fund.cashier.fail_refund(fund.cashier.refunds_of(fund.remote_of(gift))[-1].remote_id)
    fund.work()
    assert listed() == [gift]


def test_its_giver_is_told_that_it_did_not_arrive(fund: Fund) -> None:
    campaign = fund.open()
    gift = fund.give(campaign, 660, name="王芳", anonymity="anonymous", contact="w@example.com")
    in_transaction(lifecycle.cancel, campaign=campaign, person=fund.officer.id, why="材料不实")
    fund.work()
    refund = fund.cashier.refunds_of(fund.remote_of(gift))[-1]
    fund.cashier.fail_refund(refund.remote_id)
    fund.work()
    fund.work()
    told = list(db.session.scalars(select(Message.text).where(Message.fact == f"gift_not_returned:{refund.refund}")))
    link = f"/campaigns/{campaign}/gifts/{giving.link_token(gift)}"
    assert [text.rpartition("http")[0] for text in told] == [
        "“给临县添一架书”退给你的 ¥6.60 没有退到。正在查，查清后再退一次："
    ]
    assert told[0].endswith(link)
    page = fund.app.test_client().get(link).text
    assert "项目撤了，你的 ¥6.60 会退给你" in page and page.count("¥6.60 没退成，正在查。") == 1 and "谢谢" not in page


def test_a_gift_of_a_living_campaign_is_no_concern(fund: Fund) -> None:
    gift = fund.give(fund.open())
    assert listed() == []
    with pytest.raises(stranded.NotStranded):
        send_again(gift)
    with pytest.raises(NotFound):
        send_again("nobody")
    assert db.session.scalars(select(Refund)).all() == []


def test_another_houses_gifts_are_not_there(fund: Fund) -> None:
    campaign, (gift,) = called_off(fund, 660)
    assert listed([FOUNDATION]) == [gift] and listed(["another"]) == listed([]) == []
    for others in (["another"], []):
        with pytest.raises(NotFound):
            send_again(gift, others)
    assert fund.balance(campaign) == 660


def test_two_people_at_once_send_it_once(real_fund: Fund) -> None:
    campaign, (gift,) = called_off(real_fund, 660)
    outcomes = race([lambda: send_again(gift)] * 3)
    assert sorted(type(each).__name__ for each in outcomes if isinstance(each, Exception)) == ["NotStranded"] * 2
    assert real_fund.balance(campaign) == 0


def test_an_officer_sends_it_with_a_reason(fund: Fund) -> None:
    campaign, (gift,) = called_off(fund, 660)
    browser = fund.browser()
    sign_in_as(browser, fund.officer)
    page = browser.get(PAGE)
    assert "王芳" in page.text and "¥6.60" in page.text and PAGE in browser.get("/charity").text
    here = f"{PAGE}/{gift}/refund"
    key = hidden(page, "idempotency_key")
    refused = post(browser, here, {"why": " ", "idempotency_key": key})
    assert refused.status_code == 422 and "请写明原因" in refused.text and fund.balance(campaign) == 660
    for _time in range(2):
        assert post(browser, here, {"why": WHY, "idempotency_key": key}).status_code == 303
    assert fund.balance(campaign) == 0
    assert "没有等着再退的捐款" in browser.get(PAGE).text
    again = browser.get(post(browser, here, {"why": WHY, "idempotency_key": "k2"}).headers["Location"])
    assert "已经在退回的路上" in again.text
    assert post(browser, f"{PAGE}/nobody/refund", {"why": WHY, "idempotency_key": "k3"}).status_code == 404


@pytest.mark.parametrize("role", ["operator", "finance_operator"])
def test_the_province_sends_it_as_well(fund: Fund, client: FlaskClient, role: str) -> None:
    campaign, (gift,) = called_off(fund, 660)
    signed_in(client, role)
    page = client.get(PAGE)
    assert gift in page.text and f'href="{PAGE}"' in client.get("/operator/payments").text
    key = hidden(page, "idempotency_key")
    assert post(client, f"{PAGE}/{gift}/refund", {"why": WHY, "idempotency_key": key}).status_code == 303
    assert fund.balance(campaign) == 0


@pytest.mark.parametrize("role", ["charity_approver", "auditor", "seller", "station_manager"])
def test_others_send_nothing(fund: Fund, client: FlaskClient, role: str) -> None:
    campaign, (gift,) = called_off(fund, 660)
    if role == "charity_approver":
        sign_in_as(client, fund.approver)
    else:
        signed_in(client, role)
    reads = client.get(PAGE)
    assert reads.status_code == (200 if role in {"charity_approver", "auditor"} else 403)
    assert f"{gift}/refund" not in reads.text
    assert post(client, f"{PAGE}/{gift}/refund", {"why": WHY, "idempotency_key": "k"}).status_code == 403
    assert fund.balance(campaign) == 660


def test_a_long_list_goes_on_and_costs_the_same(
    fund: Fund,
    client: FlaskClient,
    monkeypatch: pytest.MonkeyPatch,
    count_statements: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    monkeypatch.setattr(stranded, "PAGE", 2)
    _campaign, gifts = called_off(fund, 100, 200, 300)
    signed_in(client, "operator")
    client.get(PAGE)
    seen, url, costs = [], PAGE, set()
    while url:
        with count_statements() as sent:
            page = client.get(url).text
        costs.add(len(sent))
        seen += re.findall(r"<code>([A-Za-z0-9]+)</code>", page)
        further = re.search(r'rel="next" href="([^"]+)"', page)
        url = further[1] if further else ""
    assert sorted(seen) == sorted(gifts) and len(costs) == 1


def test_the_auditor_finds_nothing_to_say(real_fund: Fund) -> None:
    _campaign, (gift, _other) = called_off(real_fund, 660, 700)
    send_again(gift)
    real_fund.work()
    assert differences(real_fund) == []


def test_each_gift_on_its_way_back_costs_the_same(
    fund: Fund, count_statements: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    costs = []
    for number in (2, 7):
        campaign = fund.open()
        for _each in range(number):
            fund.give(campaign, 660)
        in_transaction(lifecycle.cancel, campaign=campaign, person=fund.officer.id, why="材料不实")
        db.session.rollback()
        with count_statements() as sent:
            returning.return_page(campaign=campaign)
        costs.append(len(sent))
        with count_statements() as again:
            returning.return_page(campaign=campaign)
        assert len(again) < 10  # what is on its way is passed over
        fund.work()
    assert costs[1] - costs[0] <= 5 * 40


def test_two_workers_with_the_same_page_leave_one_note(real_fund: Fund, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(returning, "PAGE", 1)
    campaign = real_fund.open()
    for _each in range(3):
        real_fund.give(campaign, 660)
    in_transaction(lifecycle.cancel, campaign=campaign, person=real_fund.officer.id, why="材料不实")
    refused = race([lambda: returning.return_page(campaign=campaign)] * 3)
    assert refused == [None] * 3
    db.session.rollback()
    notes = select(OutboxRow.payload).where(OutboxRow.topic == lifecycle.CANCELLED, ~OutboxRow.is_done)
    payloads = [tuple(sorted(row.items())) for row in db.session.scalars(notes)]
    assert len(payloads) == len(set(payloads))


def test_how_far_it_is_stands_on_the_officers_page(fund: Fund) -> None:
    campaign, (first, _second) = called_off(fund, 660, 700)
    send_again(first)
    page = fund.browser()
    sign_in_as(page, fund.officer)
    shown = page.get(f"/charity/campaigns/{campaign}").text
    assert "2 笔里已退到 0 笔，¥0.00" in shown and "已发出" in shown and "没有退到" in shown and "¥7.00" in shown
    told = fund.app.test_cli_runner().invoke(args=["campaigns", "refunds", campaign])
    assert told.exit_code == 1
    assert told.output == "0 of 2 gifts are back: 1 sent (¥6.60), 1 failed (¥7.00)\n"
    refused = fund.app.test_cli_runner().invoke(args=["campaigns", "refunds", "nobody"])
    assert refused.exit_code == 1 and "is no campaign that was called off" in refused.output
