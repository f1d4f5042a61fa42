"""One receipt a year: it takes the place of the gifts' own when the year ends in Shanxi, and follows them afterwards."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import IntegrityError

from crowdfund.campaigns import receipts
from crowdfund.campaigns.giving import link_token
from crowdfund.campaigns.models import Campaign, Contribution
from crowdfund.campaigns.receipt_models import Receipt
from crowdfund.campaigns.states import ReceiptState as R
from crowdfund.campaigns.yearly import choosing, closing, queries
from crowdfund.campaigns.yearly.models import ReceiptGift, ReceiptYear
from marketplace.core import outbox
from marketplace.core.db import db, in_transaction
from marketplace.core.encryption import token_hash
from marketplace.core.transitions import EventRow
from marketplace.notifications.models import Message
from tests.campaigns.conftest import post
from tests.factories import make_person, sign_in_as
from tests.public_ledger.conftest import Giving
from tests.public_ledger.racing import race
from tests.public_ledger.test_receipts import excess, give, send_back, watch

YEAR_END = datetime(2027, 12, 31, 15, 0, tzinfo=UTC)  # 23:00 in Shanxi
HOUR = 3600


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel(YEAR_END, tick=False) as traveller:
        yield traveller


def given_by(person: int, campaign: Campaign, *sums: int, giver: str = "") -> list[str]:
    """Gifts of somebody with an account, each with its receipt."""
    gifts = [in_transaction(give, campaign.public_id, fen=fen, giver=giver) for fen in sums]
    db.session.execute(update(Contribution).where(Contribution.public_id.in_(gifts)).values(person_id=person))
    db.session.commit()
    return gifts


def close_all() -> int:
    closed = 0
    while in_transaction(closing.close_one_due):
        closed += 1
    return closed


def all_receipts() -> list[tuple[str, R, int, bool]]:
    """(number, state, fen, is for a year)."""
    db.session.rollback()
    wanted = select(Receipt.public_id, Receipt.state, Receipt.fen, Receipt.year_id).order_by(Receipt.id)
    return [(row.public_id, row.state, row.fen, row.year_id is not None) for row in db.session.execute(wanted)]


def items(number: str) -> list[int]:
    wanted = select(ReceiptGift.fen).where(ReceiptGift.receipt == number).order_by(ReceiptGift.contribution_id)
    return list(db.session.scalars(wanted))


def yearly_giver(since: int = 2027, **given: Any) -> int:
    person = make_person(**given).id
    in_transaction(choosing.choose, person_id=person, year=since)
    return person


def test_the_year_takes_the_place_of_its_gifts_when_it_is_over_in_shanxi(giving: Giving, clock: Any) -> None:
    campaign, person = giving.campaign(), yearly_giver(email="g@example.test")
    given_by(person, campaign, 100, 250)
    clock.shift(HOUR + 599)  # the last seconds of the year may still be on their way
    assert close_all() == 0
    clock.shift(2)
    late = given_by(person, campaign, 7)
    assert close_all() == 1 and close_all() == 0

    assert all_receipts() == [
        ("T2027-0000001", R.REISSUED, 100, False),
        ("T2027-0000002", R.REISSUED, 250, False),
        ("T2028-0000001", R.ISSUED, 7, False),
        ("T2028-0000002", R.ISSUED, 350, True),
    ]
    assert items("T2028-0000002") == [100, 250] and excess() == 0
    assert receipts.of(db.session(), contribution=late[0]) is not None
    letters = db.session.scalars(select(Message)).all()
    assert len(letters) == 1 and "2027" in letters[0].text and "T2028-0000002" in letters[0].text
    years = db.session.execute(select(ReceiptYear.person_id, ReceiptYear.year, ReceiptYear.book)).all()
    assert [tuple(row) for row in years] == [(person, 2027, "test")]


def test_a_gift_of_the_first_second_is_the_next_years(giving: Giving, clock: Any) -> None:
    campaign, person = giving.campaign(), yearly_giver()
    clock.shift(HOUR - 1)
    given_by(person, campaign, 1)
    clock.shift(1)
    given_by(person, campaign, 2)
    clock.shift(HOUR)
    assert close_all() == 1
    assert [(state, fen, year) for _number, state, fen, year in all_receipts()] == [
        (R.REISSUED, 1, False),
        (R.ISSUED, 2, False),
        (R.ISSUED, 1, True),
    ]


def test_who_did_not_choose_keeps_one_a_gift_and_so_do_years_before(giving: Giving, clock: Any) -> None:
    campaign = giving.campaign()
    before = yearly_giver(since=2026)
    in_transaction(choosing.choose_single, person_id=before)
    others = make_person().id, before
    for person in others:
        given_by(person, campaign, 5)
    in_transaction(give, campaign.public_id, fen=9)  # a guest
    clock.shift(2 * HOUR)
    in_transaction(choosing.choose, person_id=others[0], year=2028)
    assert close_all() == 0
    in_transaction(choosing.choose, person_id=others[0], year=2027)  # January, for the year that is over
    assert close_all() == 1
    with pytest.raises(choosing.NoSuchYear):
        in_transaction(choosing.choose, person_id=others[0], year=2026)
    assert [row[1] for row in all_receipts()] == [R.REISSUED, R.ISSUED, R.ISSUED, R.ISSUED]


def test_a_refund_voids_the_year_and_the_rest_gets_its_own(giving: Giving, clock: Any) -> None:
    campaign, person = giving.campaign(), yearly_giver(email="g@example.test")
    first, second = given_by(person, campaign, 1000, 300, giver="石榴花")
    clock.shift(2 * HOUR)
    close_all()
    in_transaction(send_back, first, 400)
    in_transaction(send_back, second, 300)
    while outbox.deliver():
        pass
    assert all_receipts()[2:] == [
        ("T2028-0000001", R.REISSUED, 1300, True),
        ("T2028-0000002", R.REISSUED, 900, True),
        ("T2028-0000003", R.ISSUED, 600, True),
    ]
    assert items("T2028-0000002") == [600, 300] and items("T2028-0000003") == [600]
    number = receipts.of(db.session(), contribution=first)
    assert number is not None and number[0] == "T2028-0000003"
    told = db.session.scalars(select(Message.text).where(Message.fact.like("receipt_replaced:%"))).all()
    assert len(told) == 1 and "2027 年的年度收据 T2028-0000002 已作废，换开为 T2028-0000003，金额 ¥6.00" in told[0]
    assert told[0].endswith("/account/gifts/years/2027") and "石榴花" not in told[0]
    assert receipts.of(db.session(), contribution=second) is None
    in_transaction(send_back, first, 600)
    assert all_receipts()[-1][1] is R.VOIDED and excess() == 0
    assert in_transaction(receipts.issue, contribution=first) is None


def test_a_gift_claimed_later_joins_its_year(giving: Giving, clock: Any) -> None:
    campaign, person = giving.campaign(), yearly_giver()
    given_by(person, campaign, 10)
    guest = in_transaction(give, campaign.public_id, fen=3)
    clock.shift(2 * HOUR)
    close_all()
    db.session.execute(update(Contribution).where(Contribution.public_id == guest).values(person_id=person))
    db.session.commit()
    assert close_all() == 1
    assert all_receipts()[2:] == [("T2028-0000001", R.REISSUED, 10, True), ("T2028-0000002", R.ISSUED, 13, True)]


def test_what_was_given_up_stays_given_up(app: Flask, giving: Giving, clock: Any) -> None:
    campaign, person = giving.campaign(), yearly_giver()
    kept, waived = given_by(person, campaign, 10, 20)
    in_transaction(receipts.waive, contribution=waived)
    with pytest.raises(receipts.NothingToWaive):
        in_transaction(receipts.waive, contribution=waived)
    clock.shift(2 * HOUR)
    close_all()
    assert [(state, fen) for _number, state, fen, _year in all_receipts()] == [
        (R.REISSUED, 10),
        (R.WAIVED, 20),
        (R.ISSUED, 10),
    ]
    with pytest.raises(receipts.NothingToWaive):
        in_transaction(receipts.waive, contribution=kept)  # the year's stands for other gifts too
    mine = update(Contribution).where(Contribution.public_id == kept)
    db.session.execute(mine.values(token_hash=token_hash(link_token(kept))))
    db.session.commit()
    page = app.test_client().get(f"/campaigns/{campaign.public_id}/gifts/{link_token(kept)}").text
    assert "T2028-0000001" in page and "/waiver" not in page
    in_transaction(send_back, waived, 5)
    assert len(all_receipts()) == 3 and receipts.is_waived(db.session(), contribution=waived)


REFUSED = {
    "another receipt of a gift on a year's": (
        "INSERT INTO receipt (public_id, check_code, series, sequence, contribution_id, state, book, fen, issued_at) "
        "SELECT 'x', 'x', 'x', 1, contribution_id, 'issued', book, fen, issued_at FROM receipt WHERE sequence = 1"
    ),
    "a gift added to a closed receipt": (
        "INSERT INTO receipt_gift (receipt, contribution_id, fen) SELECT 'T2028-0000001', MAX(id), 1 FROM contribution"
    ),
    "more on it than was written": "UPDATE receipt SET fen = fen + 1",
    "a void one that is valid again": "UPDATE receipt SET state = 'issued' WHERE state = 'reissued'",
    "a receipt that disappears": "DELETE FROM receipt",
    "a list that changes": "UPDATE receipt_gift SET fen = 1",
}


@pytest.mark.parametrize("what", REFUSED)
def test_the_databases_own_rules(giving: Giving, clock: Any, what: str) -> None:
    campaign, person = giving.campaign(), yearly_giver()
    given_by(person, campaign, 10, 20)
    clock.shift(2 * HOUR)
    close_all()
    given_by(person, campaign, 1)
    db.session.rollback()
    with pytest.raises(IntegrityError), db.session.begin_nested():
        db.session.execute(text(REFUSED[what]))


def test_money_does_not_leave_while_a_receipt_says_it_stayed(giving: Giving, monkeypatch: pytest.MonkeyPatch) -> None:
    campaign = giving.campaign()
    gift = in_transaction(give, campaign.public_id, fen=100)
    monkeypatch.setattr(receipts, "void", lambda *_args, **_named: None)
    with pytest.raises(IntegrityError, match="its receipt is valid"):
        in_transaction(send_back, gift, 1)
    assert excess() == 0


def test_no_receipt_for_more_than_stayed(giving: Giving) -> None:
    campaign = giving.campaign()
    gift = in_transaction(give, campaign.public_id, fen=100)
    in_transaction(send_back, gift, 40)
    mine = db.session.execute(select(Contribution.id, Contribution.book).where(Contribution.public_id == gift)).one()
    in_transaction(receipts.void, contribution=gift)
    for fen in (61, 101):
        with pytest.raises(IntegrityError, match="once"):
            in_transaction(receipts.issue_for, gift=mine.id, book=mine.book, fen=fen)
    assert excess() < 0
    other = {"public_id": "x", "check_code": "x", "series": "x", "sequence": 1, "book": "test", "fen": 1}
    with pytest.raises(IntegrityError, match="once"), db.session.begin_nested():
        db.session.execute(insert(Receipt).values(**other))


def test_refunds_while_the_year_closes(real_giving: Giving) -> None:
    """Gifts go back in several threads as the year is closed by several workers, and a reader looks all the time."""
    with time_machine.travel(YEAR_END, tick=True) as traveller:
        campaign, person = real_giving.campaign(), yearly_giver()
        gifts = given_by(person, campaign, *range(100, 108))
        traveller.shift(2 * HOUR)
        back = [partial(in_transaction, send_back, gift, 60) for gift in gifts[:6]]
        refused = race([*back, close_all, close_all, lambda: watch(""), lambda: watch("")])
        assert [error for error in refused if error is not None] == []
        close_all()
    assert excess() == 0
    valid = [row for row in all_receipts() if row[1] is R.ISSUED]
    assert len(valid) == 1 and valid[0][3] and items(valid[0][0]) == [40, 41, 42, 43, 44, 45, 106, 107]
    numbers = db.session.scalars(select(Receipt.sequence).where(Receipt.series == "T2028").order_by(Receipt.sequence)).all()
    assert numbers == list(range(1, len(numbers) + 1))


def test_gifts_on_one_receipt_go_back_at_once(real_giving: Giving, caplog: pytest.LogCaptureFixture) -> None:
    """Each waits for the year, while its receipt is made anew with the gifts of all others: none waits for the other."""
    with time_machine.travel(YEAR_END, tick=True) as traveller:
        campaign, person = real_giving.campaign(), yearly_giver()
        gifts = given_by(person, campaign, *range(100, 106))
        traveller.shift(2 * HOUR)
        close_all()
        with caplog.at_level("INFO", "marketplace.core.db"):
            refused = race([partial(in_transaction, send_back, gift, 60) for gift in gifts])
    assert [error for error in refused if error is not None] == [] and caplog.messages == []
    assert [(fen, items(number)) for number, state, fen, _year in all_receipts() if state is R.ISSUED] == [
        (255, [40, 41, 42, 43, 44, 45])
    ]


def signed_in_giver(client: FlaskClient) -> int:
    person = make_person()
    sign_in_as(client, person)
    return person.id


def test_choosing_on_the_page(giving: Giving, client: FlaskClient, clock: Any) -> None:
    person = signed_in_giver(client)
    page = client.get("/account/gifts/years").text
    assert "每笔一张" in page and 'value="2027"' in page and 'value="2026"' in page
    refused = post(client, "/account/gifts/years", {"receipts": "2025"})
    assert refused.status_code == 422 and "请选一项" in refused.text
    assert choosing.chosen_since(db.session(), person) is None
    assert post(client, "/account/gifts/years", {"receipts": "2026"}).status_code == 303
    assert choosing.chosen_since(db.session(), person) == 2026
    assert post(client, "/account/gifts/years", {"receipts": "single"}).status_code == 303
    assert choosing.chosen_since(db.session(), person) is None


def test_a_years_gifts_as_page_csv_and_pdf(giving: Giving, client: FlaskClient, clock: Any) -> None:
    campaign, person = giving.campaign(), signed_in_giver(client)
    first, _second = given_by(person, campaign, 12760, 300)
    in_transaction(send_back, first, 760)
    page = client.get("/account/gifts/years/2027").text
    assert "¥130.60" in page and "¥7.60" in page and "¥123.00" in page and "T2027-0000003" in page
    table = list(csv.DictReader(io.StringIO(client.get("/account/gifts/years/2027/gifts.csv").data.decode("utf-8-sig"))))
    assert [(row["given"], row["went_back"], row["stayed"], row["receipt"], row["book"]) for row in table] == [
        ("127.60", "7.60", "120.00", "T2027-0000003", "test"),
        ("3.00", "0.00", "3.00", "T2027-0000002", "test"),
    ]
    pdf = client.get("/account/gifts/years/2027/gifts.pdf")
    assert pdf.data.startswith(b"%PDF") and pdf.headers["Cache-Control"] == "no-store"
    assert client.get("/account/gifts/years/2026").status_code == 404
    assert queries.years_of(db.session(), person) == [2027]


def test_strangers_learn_nothing_that_puts_a_years_gifts_together(giving: Giving, client: FlaskClient, clock: Any) -> None:
    campaign, person = giving.campaign(), yearly_giver()
    given_by(person, campaign, 12760, 300, giver="石榴花")
    clock.shift(2 * HOUR)
    close_all()
    for single in ("T2027-0000001", "T2027-0000002"):
        page = client.get(f"/receipts/{single}").text
        assert "已由一张年度收据替代" in page and "T2028-" not in page and "石榴花" not in page
    page = client.get("/receipts/T2028-0000001").text
    assert "这张收据有效" in page and "2027" in page and "示例青少年基金会" in page
    for secret in ("石榴花", "130.60", "127.60", campaign.title_zh, "/ledger?q="):
        assert secret not in page, secret
    assert "127.60" not in client.get("/ledger?q=T2028-0000001").text
    assert client.get("/receipts/T2028-0000001/receipt.pdf?code=AAAAAAAA").status_code == 404
    assert client.get("/receipts/T2028-0000001/receipt.pdf").status_code == 404

    code = db.session.scalars(select(Receipt.check_code).where(Receipt.public_id == "T2028-0000001")).one()
    paper = client.get(f"/receipts/T2028-0000001?code={code}").text
    for words in ("石榴花", "¥130.60", "¥127.60", campaign.title_zh, "壹佰叁拾元陆角", "捐赠年度"):
        assert words in paper, words
    pdf = client.get(f"/receipts/T2028-0000001/receipt.pdf?code={code.lower()}")
    assert pdf.data.startswith(b"%PDF") and pdf.headers["Cache-Control"] == "no-store"


def test_a_gifts_own_receipt_as_pdf(giving: Giving, client: FlaskClient) -> None:
    in_transaction(give, giving.campaign().public_id, fen=660, giver="石榴花")
    receipt = db.session.scalars(select(Receipt)).one()
    pdf = client.get(f"/receipts/{receipt.public_id}/receipt.pdf?code={receipt.check_code}")
    assert pdf.data.startswith(b"%PDF") and f"{receipt.public_id}.pdf" in pdf.headers["Content-Disposition"]


def test_traces_of_a_year(giving: Giving, clock: Any) -> None:
    campaign, person = giving.campaign(), yearly_giver()
    given_by(person, campaign, 10)
    clock.shift(2 * HOUR)
    close_all()
    said = select(EventRow.to_state, EventRow.why).where(EventRow.subject == "receipt:T2027-0000001").order_by(EventRow.id)
    assert [tuple(row) for row in db.session.execute(said)] == [
        ("issued", "received"),
        ("voided", "for the whole year"),
        ("reissued", "for the whole year"),
    ]
