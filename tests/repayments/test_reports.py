"""What came back stands in the statutory report, and a report from before says nothing of it."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import time_machine
from flask.testing import FlaskClient

from crowdfund.campaigns import disbursing
from crowdfund.campaigns.reports import content, papers, publishing
from crowdfund.campaigns.states import CampaignState as C
from marketplace.core.db import db, in_transaction
from tests.public_ledger.conftest import Giving
from tests.public_ledger.test_disbursing import lay
from tests.repayments.conftest import approve, enter, pay_back
from tests.reports.conftest import opened, report
from tests.reports.test_publishing import state_of

OPENED = datetime(2026, 1, 31, 4, 0, tzinfo=UTC)


def test_figures_payments_and_budget_know_what_came_back(giving: Giving, client: FlaskClient) -> None:
    with time_machine.travel(OPENED, tick=False) as clock:
        campaign = opened(giving, OPENED)
        giving.gift(campaign, 10_000)
        payment = giving.pay_out(campaign, 4815)
        clock.shift(timedelta(days=1))
        before = report(giving, campaign)
        pay_back(giving, payment, {1: 815})
        clock.shift(timedelta(days=1))
        pay_back(giving, payment, {1: 1})  # today: in the next one
        giving.seal()
        after = report(giving, campaign)
        said = content.read(publishing.get(db.session(), after).content)
        assert (said["period"]["repayment"], said["whole"]["repayment"], said["whole"]["disbursement"]) == (815, 815, -4815)
        assert content.balance(said["whole"]) == 6000
        assert [(each["fen"], each["repaid_fen"]) for each in said["payments"]] == [(4815, 815)]
        assert [line["spent_fen"] for line in said["budget"]] == [4000, 0]
        table = list(csv.DictReader(io.StringIO(papers.as_csv(said, "ab").decode("utf-8-sig"))))
        assert [row["amount"] for row in table if row["part"] == "repaid"] == ["8.15"]
        assert "（已退回 ¥8.15）" in json.dumps(papers.as_paper(said, "ab"), ensure_ascii=False)
        page = client.get(f"/ledger/{campaign.public_id}/reports/{after}").text
        assert "其中 ¥8.15 已退回" in page and "收款方退回" in page
        old = content.read(publishing.get(db.session(), before).content)
        assert old["whole"]["repayment"] == 0


def test_a_report_from_before_is_read_as_it_was(giving: Giving) -> None:
    with time_machine.travel(OPENED, tick=False) as clock:
        campaign = opened(giving, OPENED)
        giving.gift(campaign, 500)
        giving.pay_out(campaign, 100)
        clock.shift(timedelta(days=1))
        made = content.of(db.session(), publishing.get(db.session(), report(giving, campaign)))
    for part in ("period", "whole"):
        del made[part]["repayment"]
    for each in made["payments"]:
        del each["repaid_fen"]
    read = content.read(content.canonical(made))
    assert (content.balance(read["whole"]), read["payments"][0]["repaid_fen"]) == (400, 0)


def test_while_money_waits_to_come_back_no_report_ends_the_spending(giving: Giving) -> None:
    with time_machine.travel(OPENED, tick=False) as clock:
        campaign = opened(giving, OPENED, state=C.ENDED, closed_at=OPENED)
        giving.gift(campaign, 1000)
        payment = giving.pay_out(campaign, 1000)
        lay(payment, giving)
        in_transaction(disbursing.complete, disbursement=payment, officer_id=giving.officer)
        made = enter(giving, payment, {1: 10})
        clock.shift(timedelta(days=2))
        report(giving, campaign, "full")
        assert state_of(campaign) is C.DISBURSING
        approve(giving, made)
        clock.shift(timedelta(days=1))
        report(giving, campaign, "full")
        assert state_of(campaign) is C.DISBURSING  # 10 fen are there again
