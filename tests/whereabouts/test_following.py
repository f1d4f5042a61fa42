"""A stranger follows ¥5 from a gift to the line of an invoice; the sum is the gift, whatever goes back or is spent."""

import csv
import io
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from crowdfund.campaigns import disbursing
from crowdfund.campaigns.giving import link_token
from crowdfund.campaigns.models import Contribution
from crowdfund.campaigns.whereabouts import queries, spent_file
from marketplace.core.db import db, in_transaction
from marketplace.core.encryption import token_hash
from tests.public_ledger.conftest import Giving
from tests.public_ledger.test_receipts import give, of, send_back
from tests.whereabouts.conftest import follow, refuse_any_difference

LINES = {"lines": (("绘本 100 册", 400), ("借阅卡", 100))}


def parts(gift: str) -> list[tuple[str, int]]:
    """What it paid, what is left and what is back."""
    db.session.expire_all()
    found = queries.of_gift(db.session(), gift)
    assert found
    spent = [(part.what, part.fen) for part in found.parts]
    return [*spent, ("left", found.left_fen), ("back", found.back_fen)]


def test_what_came_first_is_spent_first_line_by_line(giving: Giving) -> None:
    campaign = giving.campaign()
    first, second = giving.gift(campaign, 300), giving.gift(campaign, 500)
    follow(giving)
    assert parts(first) == [("left", 300), ("back", 0)]
    giving.pay_out(campaign, 500, **LINES)
    follow(giving)
    assert parts(first) == [("绘本 100 册", 300), ("left", 0), ("back", 0)]
    assert parts(second) == [("绘本 100 册", 100), ("借阅卡", 100), ("left", 300), ("back", 0)]
    giving.pay_out(campaign, 300, purpose="书架")
    follow(giving)
    assert parts(second) == [("绘本 100 册", 100), ("借阅卡", 100), ("书架", 300), ("left", 0), ("back", 0)]
    refuse_any_difference(campaign)


def test_of_one_campaign_nothing_pays_for_another(giving: Giving) -> None:
    one, other = giving.campaign(), giving.campaign()
    mine, theirs = giving.gift(one, 100), giving.gift(other, 100)
    giving.pay_out(other, 100)
    follow(giving)
    assert parts(mine) == [("left", 100), ("back", 0)]
    assert parts(theirs)[-2:] == [("left", 0), ("back", 0)]


def test_what_goes_back_after_it_was_spent_is_taken_over_by_others(giving: Giving) -> None:
    campaign = giving.campaign()
    first, second = (in_transaction(give, campaign.public_id, fen=300) for _each in range(2))
    giving.pay_out(campaign, 350, purpose="书")
    follow(giving)
    in_transaction(send_back, first, 250)
    follow(giving)
    assert parts(first) == [("书", 50), ("left", 0), ("back", 250)]
    assert parts(second) == [("书", 300), ("left", 0), ("back", 0)]
    refuse_any_difference(campaign)


def test_following_again_changes_nothing(giving: Giving) -> None:
    campaign = giving.campaign()
    gift = giving.gift(campaign, 300)
    giving.pay_out(campaign, 100)
    for _again in range(3):
        follow(giving)
        assert parts(gift)[-2:] == [("left", 200), ("back", 0)]


def test_lines_that_do_not_add_up_are_no_bill(giving: Giving) -> None:
    campaign = giving.campaign()
    giving.gift(campaign, 1000)
    with pytest.raises(ValueError, match="add up"):
        giving.request(campaign, 501, **LINES)
    assert disbursing.free_fen(db.session(), campaign, "test") == 1000


def test_a_stranger_with_a_receipt_and_the_giver_read_where_it_is(app: Flask, giving: Giving) -> None:
    campaign = giving.campaign()
    gift = in_transaction(give, campaign.public_id, fen=500, giver="石榴花")
    made = giving.pay_out(campaign, 300, invoice_number="FP-7", lines=(("绘本", 200), ("书签", 100)))
    follow(giving)
    row = db.session.scalars(select(Contribution).where(Contribution.public_id == gift)).one()
    row.token_hash = token_hash(link_token(gift))
    db.session.commit()
    stranger = app.test_client()
    for place in (f"/receipts/{of(gift)[0][0]}", f"/campaigns/{campaign.public_id}/gifts/{link_token(gift)}"):
        page = stranger.get(place).text
        assert all(words in page for words in ("绘本", "书签", "发票 FP-7", "还没花", "¥2.00", "¥5.00")), place
    assert "石榴花" not in stranger.get(f"/receipts/{of(gift)[0][0]}").text
    paid = stranger.get(f"/ledger/{campaign.public_id}/disbursements/{made}").text
    assert "1 笔捐款付了 ¥2.00" in paid


def test_the_file_adds_up_to_every_gift(app: Flask, giving: Giving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spent_file, "PAGE", 2)
    campaign = giving.campaign()
    for fen in (300, 200, 50):
        giving.gift(campaign, fen)
    gone = in_transaction(give, campaign.public_id, fen=70)
    made = giving.pay_out(campaign, 500, **LINES, provider="=书店")
    in_transaction(send_back, gone, 20)
    follow(giving)
    table = app.test_client().get(f"/ledger/{campaign.public_id}/spent.csv").data.decode("utf-8-sig")
    rows: list[dict[str, Any]] = list(csv.DictReader(io.StringIO(table[: table.index("end,")])))
    assert [(row["gift_row"], row["status"], row["yuan"], row["line"]) for row in rows] == [
        ("1", "spent", "3.00", "1"),
        ("2", "spent", "1.00", "1"),
        ("2", "spent", "1.00", "2"),
        ("3", "not_spent", "0.50", ""),
        ("4", "not_spent", "0.50", ""),
        ("4", "sent_back", "0.20", ""),
    ]
    assert {(row["payment_row"], row["payment"], row["provider"]) for row in rows[:3]} == {("5", made, "'=书店")}
