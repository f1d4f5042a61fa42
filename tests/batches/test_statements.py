"""A month's statement says what the books say, to the fen, whatever happened in it."""

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings, strategies as st

from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound, Refusal
from marketplace.ledger import books, queries as ledger_queries
from marketplace.orders.batches import statements
from marketplace.orders.batches.owed import Owner
from marketplace.orders.batches.states import LineState
from tests.batches.conftest import HOUSE, KINDS, Finance, an_order
from tests.batches.test_paying_out import ready
from tests.factories import make_person

OCTOBER = datetime(2026, 10, 18, 4, 0, tzinfo=UTC)
STEPS = ("settle", "refund", "send", "confirm", "return", "wait")


def of(finance: Finance, month: date) -> statements.Statement:
    db.session.rollback()
    return statements.statement(db.session(), finance.feng, month, book="test")


def test_a_month_line_by_line(finance: Finance) -> None:
    with time_machine.travel(OCTOBER, tick=False) as traveller:
        ready(finance)
        batch = finance.sent()
        finance.confirm(batch, finance.feng)
        finance.refund(finance.feng, 1000)
        traveller.move_to(datetime(2026, 10, 31, 16, 0, tzinfo=UTC))  # November in Shanxi
        finance.settle(finance.feng, 5000)
        finance.send_back(finance.sent(), finance.feng)
        october, november = of(finance, date(2026, 10, 1)), of(finance, date(2026, 11, 1))

    assert [(row.kind, row.fen, row.balance_fen) for row in october.rows] == [
        ("settle", 3662, 3662),
        ("payout", -3662, 0),
        ("refund", -1000, -1000),
    ]
    assert (october.opening_fen, october.closing_fen, october.is_over) == (0, -1000, True)
    assert (november.opening_fen, november.closing_fen, november.is_over) == (-1000, 4000, False)
    assert [(row.kind, row.fen) for row in november.rows] == [("settle", 5000), ("payout", -4000), ("payout_failed", 4000)]
    paid, sent = october.rows[1], november.rows[1]
    assert (paid.reference, paid.line_state, paid.said) == (batch, LineState.CONFIRMED, "B-1")
    assert (sent.line_state, sent.said) == (LineState.RETURNED, "户名不符")
    assert october.sum_of("payout", "payout_failed") == -3662


def test_months_go_back_to_the_first_movement(finance: Finance) -> None:
    with time_machine.travel(OCTOBER, tick=False) as traveller:
        assert statements.months(db.session(), finance.feng, "test") == []
        finance.settle(finance.feng, 1)
        traveller.move_to(datetime(2027, 1, 2, tzinfo=UTC))
        assert statements.months(db.session(), finance.feng, "test") == [
            date(2027, 1, 1),
            date(2026, 12, 1),
            date(2026, 11, 1),
            date(2026, 10, 1),
        ]
        traveller.move_to(datetime(2029, 1, 2, tzinfo=UTC))
        found = statements.months(db.session(), finance.feng, "test")
        assert (len(found), found[0], found[-1]) == (24, date(2029, 1, 1), date(2027, 2, 1))


@pytest.mark.parametrize("text", ["2026-1", "2026-13", "2026-00", "2026_10", "x", "2026-10-01", "9999-12", "0000-01"])
def test_what_is_no_month(text: str) -> None:
    with pytest.raises(NotFound):
        statements.month_of(text)


def test_a_month_of_any_length_costs_the_same(
    finance: Finance, count_statements: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    ready(finance)
    finance.send_back(finance.sent(), finance.feng)
    month = clock.today().replace(day=1)
    with count_statements() as few:
        of(finance, month)
    for _each in range(10):
        finance.settle(finance.feng, 100)
        finance.refund(finance.feng, 1)
    with count_statements() as many:
        of(finance, month)
    assert len(few) == len(many) <= 8


@given(steps=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(1, 5000)), min_size=4, max_size=14))
@settings(max_examples=8, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_whatever_happens_the_statements_equal_the_books(finance: Finance, steps: list[tuple[str, int]]) -> None:
    """Months follow each other without a gap, every row is a posting, and the last balance is what the books owe."""
    somebody: Owner = ("seller", make_person("seller").public_id)
    finance = replace(finance, feng=somebody, orders={somebody[1]: in_transaction(an_order, somebody[1])})
    finance.payee(somebody)
    with time_machine.travel(clock.now(), tick=False) as traveller:
        finance.settle(somebody, 1)
        batch = ""
        for step, fen in steps:
            with suppress(Refusal):
                if step == "settle":
                    finance.settle(somebody, fen)
                elif step == "refund":
                    finance.refund(somebody, fen)
                elif step == "send":
                    batch = finance.sent()
                elif step == "wait":
                    traveller.shift(timedelta(days=fen % 40))
                elif batch:
                    (finance.confirm if step == "confirm" else finance.send_back)(batch, somebody)
        months = statements.months(db.session(), somebody, "test")[::-1]
        found = [of(finance, month) for month in months]
        owed = finance.owed(somebody)
        postings = sum(len(each.rows) for each in found)
        theirs = ledger_queries.statement(db.session(), owner_kind="seller", owner=somebody[1], book="test")

    assert (found[0].opening_fen, found[-1].closing_fen, postings) == (0, owed, len(theirs))
    assert [after.opening_fen for after in found[1:]] == [before.closing_fen for before in found[:-1]]
    assert all(each.opening_fen + sum(row.fen for row in each.rows) == each.closing_fen for each in found)


def test_every_row_is_a_line_of_the_ledgers_own_statement(finance: Finance) -> None:
    ready(finance)
    finance.send_back(finance.sent(), finance.feng)
    finance.refund(finance.feng, 700)
    month = of(finance, clock.today().replace(day=1))
    theirs = ledger_queries.statement(db.session(), owner_kind="seller", owner=finance.feng[1], book="test")
    assert [(row.kind, row.fen, row.balance_fen) for row in month.rows] == [
        (line.kind, line.amount, line.balance) for line in theirs if line.account == KINDS["seller"]
    ]
    assert month.closing_fen == -books.balance(db.session(), KINDS["seller"], finance.feng[1], book="test")
    db.session.rollback()
    house = statements.statement(db.session(), HOUSE, clock.today().replace(day=1), book="test")
    assert house.closing_fen == finance.owed(HOUSE)
