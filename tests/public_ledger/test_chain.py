"""Sealed within a second: numbers, hashes, and the balances that follow them."""

from datetime import UTC, date, datetime

import pytest
import time_machine
from flask import current_app
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError

from crowdfund.campaigns import checking
from crowdfund.campaigns.ledger_models import LedgerCheck, LedgerDay, SealedRow
from crowdfund.campaigns.models import PublicRow
from crowdfund.campaigns.public_ledger import plain
from marketplace import duties
from marketplace.core import sealing, triggers
from marketplace.core.db import db, in_transaction
from marketplace.core.sealing import Seal
from tests.public_ledger.conftest import Giving

EVENING = datetime(2026, 10, 18, 15, 59, tzinfo=UTC)  # one minute before midnight in Shanxi


def test_balances_follow_the_chain(giving: Giving) -> None:
    books, lights = giving.campaign(), giving.campaign()
    giving.gift(books, 2000)
    giving.gift(lights, 660)
    giving.pay_out(books, 815)
    giving.gift(books, 1)
    giving.seal()

    rows = db.session.execute(select(SealedRow).order_by(SealedRow.number)).scalars().all()
    assert [(row.number, row.campaign_id, row.kind, row.campaign_fen, row.book_fen) for row in rows] == [
        (1, books.id, "gift", 2000, 2000),
        (2, lights.id, "gift", 660, 2660),
        (3, books.id, "disbursement", 1185, 1845),
        (4, books.id, "gift", 1186, 1846),
    ]


def test_days_are_those_of_shanxi(giving: Giving) -> None:
    books = giving.campaign()
    with time_machine.travel(EVENING, tick=False) as clock:
        giving.gift(books, 100)
        clock.shift(120)
        giving.gift(books, 7)
        giving.pay_out(books, 50)
        giving.seal()

    days = db.session.scalars(select(LedgerDay).order_by(LedgerDay.day)).all()
    assert [(day.day, day.received_fen, day.refunded_fen, day.spent_fen, day.rows) for day in days] == [
        (date(2026, 10, 18), 100, 0, 0, 1),
        (date(2026, 10, 19), 7, 0, 50, 2),
    ]


def test_sealing_again_changes_nothing(giving: Giving) -> None:
    giving.gift(giving.campaign(), 100)
    giving.seal()
    assert in_transaction(sealing.seal, chain="public", everything=True) == 0
    assert db.session.scalars(select(LedgerDay.received_fen)).all() == [100]


def test_the_worker_seals_it(giving: Giving) -> None:
    giving.gift(giving.campaign(), 100)
    for periodic in duties.compose_worker(current_app).periodic:
        if periodic.seconds == 1:
            periodic.work()
    assert db.session.scalars(select(Seal.number).where(Seal.chain == "public")).all() == [1]


@pytest.mark.parametrize("statement", ["UPDATE public_row SET fen = 1", "DELETE FROM sealed_row", "DELETE FROM public_row"])
def test_the_past_stays(giving: Giving, statement: str) -> None:
    giving.gift(giving.campaign(), 100)
    giving.seal()
    with pytest.raises(IntegrityError, match="append-only"):
        db.session.execute(text(statement))


def test_a_kind_has_its_sign(giving: Giving) -> None:
    campaign = giving.campaign()
    row = {"book": "test", "campaign_id": campaign.id, "who": "", "reference": "x"}
    for kind, fen in (("gift", -1), ("refund", 1), ("disbursement", 1), ("bribe", 1)):
        with pytest.raises(IntegrityError), db.session.begin_nested():
            db.session.execute(insert(PublicRow).values(kind=kind, fen=fen, **row))


def test_what_is_sealed_is_one_line_of_plain_text() -> None:
    assert plain(" 王\n**\u200b\t\u2028x\x00 ") == "王 ** x"


def test_the_worker_reads_it_again_and_says_so(giving: Giving) -> None:
    campaign = giving.campaign()
    for fen in (100, 200, 300):
        giving.gift(campaign, fen)
    giving.seal()
    read_again()
    assert latest() == (3, None)

    triggers.drop_all(db.session.connection())
    db.session.execute(text("UPDATE public_row SET who = '别人' WHERE fen = 200"))
    db.session.commit()
    read_again()
    assert latest() == (1, 2)


def test_a_balance_that_does_not_follow_is_found(giving: Giving) -> None:
    giving.gift(giving.campaign(), 100)
    giving.seal()
    triggers.drop_all(db.session.connection())
    db.session.execute(text("UPDATE sealed_row SET book_fen = 101"))
    db.session.commit()
    read_again()
    assert latest() == (0, 1)


def test_a_long_chain_is_read_a_page_at_a_time_while_it_grows(giving: Giving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "PAGE", 2)
    campaign = giving.campaign()
    for fen in (100, 200, 300, 400, 500):
        giving.gift(campaign, fen)
    giving.seal()
    step = checking.Rereading()
    assert step() is True
    giving.gift(campaign, 600)
    giving.seal()
    assert (step(), step()) == (True, False)
    assert latest() == (5, None)
    assert step() is False  # not before the hour is over
    assert db.session.scalars(select(LedgerCheck.rows)).all() == [5]


def test_the_worker_reads_again_between_its_other_work(giving: Giving) -> None:
    giving.gift(giving.campaign(), 100)
    duties.compose_worker(current_app).run_until_idle()
    assert latest() == (1, None)


def read_again() -> None:
    step = checking.Rereading()
    while step():
        pass


def latest() -> tuple[int, int | None]:
    found = db.session.scalars(select(LedgerCheck).order_by(LedgerCheck.id.desc()).limit(1)).one()
    return found.rows, found.broken_number
