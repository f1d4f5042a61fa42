"""A report is drafted by one person, published by another as it was read, and then stays as it is."""

import csv
import hashlib
import io
import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from werkzeug.test import TestResponse

from crowdfund.campaigns import disbursing, lifecycle
from crowdfund.campaigns.models import Campaign
from crowdfund.campaigns.reports import content, papers, publishing
from crowdfund.campaigns.reports.models import CampaignReport
from crowdfund.campaigns.states import CampaignState as C
from marketplace.accounts.models import Person
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import StaleState
from tests.factories import sign_in_as
from tests.orders.conftest import token_of
from tests.public_ledger.conftest import Giving
from tests.public_ledger.test_disbursing import lay
from tests.reports.conftest import draft, opened, publish, report

OPENED = datetime(2026, 1, 31, 4, 0, tzinfo=UTC)


def state_of(campaign: Campaign) -> C:
    db.session.expire_all()
    return db.session.scalars(select(Campaign.state).where(Campaign.id == campaign.id)).one()


def test_figures_are_the_ledgers_up_to_yesterday(giving: Giving) -> None:
    with time_machine.travel(OPENED, tick=False) as clock:
        campaign = opened(giving, OPENED)
        giving.gift(campaign, 10_000)
        made = giving.pay_out(campaign, 4815)
        clock.shift(timedelta(days=10))
        first = report(giving, campaign)
        giving.gift(campaign, 77)  # on the day of the report: in the next one
        clock.shift(timedelta(days=1))
        giving.seal()
        second = draft(giving, campaign)
        row = publishing.get(db.session(), first)
        said = content.read(row.content)
        assert (said["since"], said["until"]) == ("2026-01-31", "2026-02-09")
        assert said["period"] == said["whole"]
        assert (said["whole"]["gift"], said["whole"]["disbursement"], said["whole"]["gifts"]) == (10_000, -4815, 1)
        (payment,) = said["payments"]
        assert (payment["payment"], payment["fen"], payment["is_proved"]) == (made, 4815, False)
        assert [line["spent_fen"] for line in said["budget"]] == [4815, 0]
        later = content.of(db.session(), publishing.get(db.session(), second))
        assert (later["since"], later["until"]) == ("2026-02-10", "2026-02-10")
        assert (later["period"]["gift"], later["whole"]["gift"], content.balance(later["whole"])) == (77, 10_077, 5262)
        assert later["chain"]["number"] == 3


def test_two_people_and_what_was_read(giving: Giving) -> None:
    with time_machine.travel(OPENED, tick=False) as clock:
        campaign = opened(giving, OPENED)
        giving.gift(campaign, 10_000)
        made = giving.pay_out(campaign, 4815)
        clock.shift(timedelta(days=10))
        waiting = draft(giving, campaign)
        with pytest.raises(publishing.DraftWaits):
            draft(giving, campaign)
        seen = content.hash_of(content.canonical(content.of(db.session(), publishing.get(db.session(), waiting))))
        told = {"report": waiting, "seen": seen, "paper_sha256": "ab"}
        with pytest.raises(publishing.OwnReport):
            in_transaction(publishing.publish, publisher_id=giving.officer, **told)
        lay(made, giving)
        with pytest.raises(publishing.Changed):
            in_transaction(publishing.publish, publisher_id=giving.approver, **told)
        assert publishing.get(db.session(), waiting).content == ""
        publish(giving, waiting)
        with pytest.raises(StaleState):
            publish(giving, waiting)
        with pytest.raises(StaleState):
            in_transaction(publishing.withdraw, report=waiting, person_id=giving.officer, reason="改")
        with pytest.raises(publishing.ToldAlready):
            draft(giving, campaign)


def test_what_was_published_is_never_changed(giving: Giving) -> None:
    with time_machine.travel(OPENED, tick=False) as clock:
        campaign = opened(giving, OPENED)
        clock.shift(timedelta(days=10))
        made = report(giving, campaign)
        kept = publishing.get(db.session(), made).content
        for deed in (update(CampaignReport).values(words_zh="别的"), delete(CampaignReport)):
            with pytest.raises(IntegrityError), db.session.begin_nested():
                db.session.execute(deed)
        db.session.rollback()
        assert publishing.get(db.session(), made).content == kept


def test_sent_back_another_is_made(giving: Giving) -> None:
    with time_machine.travel(OPENED, tick=False) as clock:
        campaign = opened(giving, OPENED)
        clock.shift(timedelta(days=10))
        made = draft(giving, campaign)
        with pytest.raises(lifecycle.NoReason):
            in_transaction(publishing.withdraw, report=made, person_id=giving.approver, reason=" ")
        in_transaction(publishing.withdraw, report=made, person_id=giving.approver, reason="没写清楚")
        report(giving, campaign, words="写清楚了。")


def test_a_full_report_ends_the_spending_once_nothing_is_left(giving: Giving) -> None:
    with time_machine.travel(OPENED, tick=False) as clock:
        campaign = opened(giving, OPENED, state=C.ENDED, closed_at=OPENED)
        giving.gift(campaign, 1000)
        clock.shift(timedelta(days=1))
        with pytest.raises(publishing.NotOver):
            draft(giving, campaign, "full")
        clock.shift(timedelta(days=1))
        report(giving, campaign, "full")
        assert state_of(campaign) is C.DISBURSING
        made = giving.pay_out(campaign, 1000)
        lay(made, giving)
        clock.shift(timedelta(days=1))
        report(giving, campaign, "full")
        assert state_of(campaign) is C.DISBURSING  # the invoice is there, nobody has said that it is all
        in_transaction(disbursing.complete, disbursement=made, officer_id=giving.officer)
        clock.shift(timedelta(days=1))
        report(giving, campaign, "full")
        assert state_of(campaign) is C.REPORTED
        in_transaction(lifecycle.close, campaign=campaign.public_id, person=giving.approver, why="结项")
        assert state_of(campaign) is C.CLOSED


def test_page_pdf_and_table_say_the_same(app: Flask, giving: Giving) -> None:
    with time_machine.travel(OPENED, tick=False) as clock:
        campaign = opened(giving, OPENED)
        giving.gift(campaign, 10_000)
        giving.pay_out(campaign, 4815, purpose="=1+1 图书", provider="<b>书店</b>")
        giving.seal()
        clock.shift(timedelta(days=10))
        made = draft(giving, campaign, words="# 不是标题\n*买书* #sys.inputs")
        row = publishing.get(db.session(), made)
        said = content.of(db.session(), row)
        sha256 = content.hash_of(content.canonical(said))
        publish(giving, made, papers.set_paper(said, sha256))
        place = f"/ledger/{campaign.public_id}/reports/{made}"
        page = app.test_client().get(place)
        assert page.status_code == 200 and sha256 in page.text and "¥48.15" in page.text and "&lt;b&gt;" in page.text
        pdf = app.test_client().get(f"{place}/report.pdf")
        assert pdf.data.startswith(b"%PDF-") and hashlib.sha256(pdf.data).hexdigest() == row.paper_sha256
        kept = app.test_client().get(f"{place}/report.json").data
        assert hashlib.sha256(kept).hexdigest() == sha256
        table = app.test_client().get(f"{place}/report.csv").data.decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(table)))
        assert [each["amount"] for each in rows if (each["part"], each["name"]) == ("whole", "balance")] == ["51.85"]
        assert [each["name"] for each in rows if each["part"] == "payment"] == ["'=1+1 图书"]
        assert rows[-1]["name"] == sha256
        other = giving.campaign()
        assert app.test_client().get(f"/ledger/{other.public_id}/reports/{made}").status_code == 404


def test_a_draft_is_not_public(app: Flask, giving: Giving) -> None:
    with time_machine.travel(OPENED, tick=False) as clock:
        campaign = opened(giving, OPENED)
        clock.shift(timedelta(days=10))
        place = f"/ledger/{campaign.public_id}/reports/{draft(giving, campaign)}"
        for ending in ("", "/report.csv", "/report.pdf", "/report.json"):
            assert app.test_client().get(place + ending).status_code == 404


def test_at_the_desk_by_the_wrong_person_twice_and_with_rubbish(
    app: Flask, giving: Giving, monkeypatch: pytest.MonkeyPatch
) -> None:
    with time_machine.travel(OPENED, tick=False) as clock:
        campaign = opened(giving, OPENED)
        giving.gift(campaign, 10_000)
        clock.shift(timedelta(days=10))
        officer, approver = browser(app, giving.officer), browser(app, giving.approver)
        place = f"/charity/reports/new/{campaign.public_id}/periodic"
        assert post(officer, place.replace("periodic", "nonsense"), words="x").status_code == 404
        assert post(approver, place, words="x").status_code == 403
        assert post(officer, place, words=" ", idempotency_key="k").status_code == 422
        long = post(officer, place, words="字" * 6001, idempotency_key="k")
        assert long.status_code == 422 and "字" * 6001 in long.text
        twice = [post(officer, place, words="做了。", idempotency_key="k").headers["Location"] for _twice in range(2)]
        assert twice[0] == twice[1] != ""
        waits = post(officer, place, words="又做了。", idempotency_key="k2")
        assert waits.status_code == 409 and "又做了。" in waits.text and "草稿还没处理" in waits.text

        draft_page = twice[0]
        seen = re.findall(r'name="seen" value="([0-9a-f]{64})"', approver.get(draft_page).text)[0]
        assert 'name="seen"' not in officer.get(draft_page).text
        assert post(officer, f"{draft_page}/publication", seen=seen).status_code == 403
        post(approver, f"{draft_page}/publication", seen="rubbish")
        assert "请再读一遍" in approver.get(draft_page).text
        with monkeypatch.context() as broken:
            broken.setattr(papers, "SHEET", papers.SHEET.with_name("nowhere.typ"))
            post(approver, f"{draft_page}/publication", seen=seen)
            assert "PDF 没做成" in approver.get(draft_page).text
        assert db.session.scalars(select(CampaignReport.content)).all() == [""]
        assert post(approver, f"{draft_page}/return", reason="").status_code == 422
        for _twice in range(2):
            assert post(approver, f"{draft_page}/publication", seen=seen).status_code == 303
        assert post(approver, f"{draft_page}/return", reason="晚了").status_code == 303
        db.session.expire_all()
        (kept,) = db.session.scalars(select(CampaignReport)).all()
        assert (kept.state, kept.sha256, kept.publisher_id) == ("published", seen, giving.approver)


def browser(app: Flask, person: int) -> FlaskClient:
    client = app.test_client()
    sign_in_as(client, db.session.get_one(Person, person))
    return client


def post(client: FlaskClient, place: str, **typed: str) -> TestResponse:
    return client.post(place, data=typed | {"csrf_token": token_of(client)}, headers={"Sec-Fetch-Site": "same-origin"})
