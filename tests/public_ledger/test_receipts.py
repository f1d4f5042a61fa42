"""Receipts: no number is lost, none is valid for more than was given and stayed, and their pages tell strangers no name."""

import re
from datetime import UTC, datetime
from functools import partial

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crowdfund.campaigns import public_ledger, receipts
from crowdfund.campaigns.models import Campaign, Contribution
from crowdfund.campaigns.receipt_models import Receipt
from crowdfund.campaigns.receipt_numbers import series_of
from crowdfund.campaigns.states import ReceiptState as R
from marketplace.core import ids
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound
from marketplace.core.money import Money
from marketplace.payments import refunds
from tests.public_ledger.conftest import Giving, receive
from tests.public_ledger.racing import race

NEW_YEAR = datetime(2027, 12, 31, 15, 59, tzinfo=UTC)


def give(session: Session, campaign: str, *, fen: int = 100, giver: str = "", breaks: bool = False) -> str:
    """A gift with its receipt, in one transaction, as the handler does it."""
    gift = receive(session, campaign, fen=fen, who="", giver=giver, attempt=ids.public_id())
    receipts.issue(session, contribution=gift)
    if breaks:
        raise RuntimeError("the gateway's message was no good after all")
    return gift


def send_back(session: Session, gift: str, fen: int) -> None:
    row = session.execute(
        select(Contribution.campaign_id, Campaign.public_id)
        .join(Campaign, Campaign.id == Contribution.campaign_id)
        .where(Contribution.public_id == gift)
    ).one()
    amount = Money(fen)
    receipts.void(session, contribution=gift)
    refund = refunds.request(
        session,
        purpose="contribution",
        reference=gift,
        reason_key=ids.public_id(),
        amount=amount,
        shares={("restricted", row.public_id): amount},
        reason="asked for it back",
    )
    shown = {"campaign_id": row.campaign_id, "book": "test", "who": "", "reference": f"refund:{refund}", "moves": gift}
    public_ledger.write(session, kind="refund", amount=-amount, **shown)
    receipts.issue(session, contribution=gift)


def of(gift: str) -> list[tuple[str, R, int]]:
    mine = select(Receipt.public_id, Receipt.state, Receipt.fen).join(Contribution).where(Contribution.public_id == gift)
    return [(row.public_id, row.state, row.fen) for row in db.session.execute(mine.order_by(Receipt.id))]


def test_numbers_count_up_and_begin_anew_each_year(giving: Giving) -> None:
    campaign = giving.campaign()
    with time_machine.travel(NEW_YEAR, tick=False) as clock:
        first, second = (in_transaction(give, campaign.public_id) for _each in range(2))
        clock.shift(60)
        third = in_transaction(give, campaign.public_id, fen=7)
    assert [of(gift) for gift in (first, second, third)] == [
        [("T2027-0000001", R.ISSUED, 100)],
        [("T2027-0000002", R.ISSUED, 100)],
        [("T2028-0000001", R.ISSUED, 7)],
    ]
    assert series_of("live", datetime(2028, 1, 1).date()) == "2028"  # noqa: DTZ001


def test_asking_again_gives_the_same_receipt(giving: Giving) -> None:
    gift = in_transaction(give, giving.campaign().public_id)
    number = in_transaction(receipts.issue, contribution=gift)
    assert of(gift) == [(number, R.ISSUED, 100)]
    assert receipts.of(db.session(), contribution=gift) == (number, code_of(number))
    with pytest.raises(NotFound):
        in_transaction(receipts.issue, contribution="nobody")


def code_of(number: str | None) -> str:
    return db.session.scalars(select(Receipt.check_code).where(Receipt.public_id == number)).one()


def test_a_number_that_was_not_used_is_used_next(giving: Giving) -> None:
    campaign = giving.campaign().public_id
    with pytest.raises(RuntimeError):
        in_transaction(give, campaign, breaks=True)
    assert of(in_transaction(give, campaign))[0][0].endswith("-0000001")


def test_a_refund_voids_and_the_rest_gets_its_own(giving: Giving) -> None:
    gift = in_transaction(give, giving.campaign().public_id, fen=1000)
    in_transaction(send_back, gift, 400)
    assert [(state, fen) for _number, state, fen in of(gift)] == [(R.REISSUED, 1000), (R.ISSUED, 600)]
    in_transaction(send_back, gift, 600)
    assert [(state, fen) for _number, state, fen in of(gift)] == [(R.REISSUED, 1000), (R.VOIDED, 600)]
    assert receipts.of(db.session(), contribution=gift) is None


def test_sixty_gifts_at_once_have_sixty_numbers(real_giving: Giving) -> None:
    campaign = real_giving.campaign().public_id
    refused = race([lambda: many(campaign)] * 6)
    assert refused == [None] * 6
    numbers = db.session.scalars(select(Receipt.sequence).order_by(Receipt.sequence)).all()
    assert numbers == list(range(1, 49))


def many(campaign: str) -> None:
    for number in range(10):
        try:
            in_transaction(give, campaign, breaks=number % 5 == 4)
        except RuntimeError:
            continue


def test_receipts_never_exceed_what_stayed(real_giving: Giving) -> None:
    """While gifts come and go in several threads, a reader looks all the time."""
    campaign = real_giving.campaign().public_id
    gifts = [in_transaction(give, campaign, fen=1000) for _each in range(8)]
    watching = [lambda: watch(campaign)] * 2
    refused = race([*(partial(take_back, gifts[part::2]) for part in range(2)), lambda: many(campaign), *watching])
    assert refused == [None] * 5
    assert excess() <= 0


def take_back(gifts: list[str]) -> None:
    for gift in gifts:
        for fen in (300, 700):
            in_transaction(send_back, gift, fen)


BOTH = text(
    """SELECT (SELECT COALESCE(SUM(fen), 0) FROM receipt WHERE state = 'issued') + (SELECT COALESCE(SUM(line.amount), 0)
    FROM line JOIN ledger_account a ON a.id = line.account_id WHERE a.kind = 'restricted')"""
)


def excess() -> int:
    """Valid receipts less what stayed, in one statement: one moment of the database."""
    return int(db.session.execute(BOTH).scalar_one())


def watch(_campaign: str) -> None:
    for _glance in range(60):
        assert excess() <= 0
        db.session.rollback()


def test_strangers_see_whether_it_is_valid_and_no_name(giving: Giving, client: FlaskClient) -> None:
    campaign = giving.campaign()
    gift = in_transaction(give, campaign.public_id, fen=12760, giver="石榴花")
    number = of(gift)[0][0]
    page = client.get(f"/receipts/{number}").text
    assert "这张收据有效" in page and "¥127.60" in page and campaign.title_zh in page
    assert "石榴花" not in page and code_of(number) not in page

    wrong = client.get(f"/receipts/{number}?code=AAAAAAAA")
    assert wrong.status_code == 422
    assert "这不是这张收据的校验码" in wrong.text and "AAAAAAAA" in wrong.text and "石榴花" not in wrong.text
    assert client.get(f"/receipts/{number}?code=").status_code == 422


def test_the_paper_has_sum_capitals_and_a_code_that_leads_to_itself(giving: Giving, client: FlaskClient) -> None:
    gift = in_transaction(give, giving.campaign().public_id, fen=12760, giver="石榴花")
    number = of(gift)[0][0]
    typed = code_of(number).lower()
    answer = client.get(f"/receipts/{number}?code={typed[:4]}-{typed[4:]}")
    assert answer.status_code == 200
    for words in (
        "石榴花",
        "¥127.60",
        "人民币 壹佰贰拾柒元陆角",
        "测试资金，非公益事业捐赠票据",
        "示例青少年基金会",
        number,
    ):
        assert words in answer.text
    assert re.search(r'<svg[^>]*class="segno"', answer.text)
    assert answer.headers["Cache-Control"] == "no-store" and answer.headers["Referrer-Policy"] == "no-referrer"


def test_a_void_receipt_says_so_and_what_took_its_place(giving: Giving, client: FlaskClient) -> None:
    gift = in_transaction(give, giving.campaign().public_id, fen=1000)
    in_transaction(send_back, gift, 400)
    first, second = (number for number, _state, _fen in of(gift))
    page = client.get(f"/receipts/{first}").text
    assert "这张收据已作废" in page and f"/receipts/{second}" in page
    assert "作废" in client.get(f"/receipts/{first}?code={code_of(first)}").text


def test_looking_for_a_receipt(client: FlaskClient, giving: Giving) -> None:
    number = of(in_transaction(give, giving.campaign().public_id))[0][0]
    assert client.get("/receipts").status_code == 200
    assert client.get(f"/receipts?number=+{number.lower()}+").headers["Location"] == f"/receipts/{number}"
    for wrong in ("", "7", "T2026", "';--", "Ｔ２０２６"):
        answer = client.get("/receipts", query_string={"number": wrong})
        assert answer.status_code == 422, wrong
    bare = number.replace("-", "")
    assert client.get("/receipts", query_string={"number": bare}).headers["Location"] == f"/receipts/{number}"
    unknown = client.get("/receipts", query_string={"number": "T2026-9999999"})
    assert unknown.status_code == 404 and "从来没有开过这个号码的收据" in unknown.text and "T2026-9999999" in unknown.text
    assert client.get("/receipts/T2026-9999999").status_code == 404
    assert client.get("/receipts/nonsense").status_code == 404


def test_full_width_numbers_are_read(client: FlaskClient, giving: Giving) -> None:
    number = of(in_transaction(give, giving.campaign().public_id))[0][0]
    wide = number.translate({ord(letter): ord(letter) + 0xFEE0 for letter in "T0123456789"})
    assert client.get("/receipts", query_string={"number": wide}).headers["Location"] == f"/receipts/{number}"


def test_one_valid_receipt_a_gift_is_the_databases_own_rule(giving: Giving) -> None:
    in_transaction(give, giving.campaign().public_id)
    gift = db.session.scalars(select(Receipt.contribution_id)).one()
    again = {"public_id": "x", "check_code": "x", "series": "x", "sequence": 1, "book": "test", "fen": 100}
    with pytest.raises(IntegrityError), db.session.begin_nested():
        db.session.execute(insert(Receipt).values(contribution_id=gift, state=R.ISSUED, **again))
