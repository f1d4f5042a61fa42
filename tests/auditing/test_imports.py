"""Goods by sheet: the audit is silent where they agree with the shelves, and names each tampering."""

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from marketplace.auditing import checks, imports, lives
from marketplace.auditing.checks import Difference
from marketplace.core import triggers
from tests.sheets.conftest import HEADINGS, MILLET, Trader, as_csv, changed, trader

__all__ = ["trader"]

TAMPERING = {
    "stock of imports follows their rows": "UPDATE listing_import_row SET stock_change = 41 WHERE verdict = 'new'",
    "undone imports took back what they gave": "UPDATE stock_movement SET on_hand_change = -4 "
    "WHERE on_hand_change < 0 AND SUBSTR(reference, 1, 14) = 'import-undone:'",
    "imports are done whole": "UPDATE listing_import SET only_good = (1 = 0)",
    "only good rows of confirmed imports are done": "UPDATE listing_import SET applied_at = NULL",
    "new goods of imports are there": "UPDATE listing SET code = code || 'x' WHERE article_number = 'A001'",
}


@pytest.fixture
def imported(trader: Trader) -> Trader:
    """A sheet with a mistake, of which the good rows were done; one that was undone, with an edit among its rows."""
    trader.offer("GA")
    bad = changed(MILLET, number="A003", price="x")
    row = trader.compared(as_csv(HEADINGS, MILLET, bad))
    trader.confirm(row, only_good="1")
    heads = (*HEADINGS, "平台编号")
    sheet = as_csv(heads, (*changed(MILLET, number="A004"), ""), (*changed(MILLET, number="A005", title="小米GA"), ""))
    trader.undo(trader.done(sheet))
    trader.undo(trader.done(as_csv(("code", "库存", "单价"), ("GA", "25", "35.00"))))
    return trader


def said(connection: Connection) -> list[str]:
    found = checks.run(connection, imports.IMPORTS)
    return sorted({each.check for each in found if isinstance(each, Difference)})


def test_the_audit_agrees_and_names_each_tampering(imported: Trader, session: Session) -> None:
    connection = session.connection()
    assert said(connection) == []
    for row in lives.differences(connection):
        assert not isinstance(row, Difference), row
    triggers.drop_all(connection)
    for name, statement in TAMPERING.items():
        with connection.begin_nested() as tampered:
            connection.execute(text(statement))
            assert name in said(connection), name
            tampered.rollback()
    assert said(connection) == []
