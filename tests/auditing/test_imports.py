"""Goods by sheet: the audit is silent where they agree with the shelves, and names each tampering."""

import pytest
from flask import Flask
from sqlalchemy import text

from marketplace.auditing import checks, imports, lives
from marketplace.auditing.checks import Difference
from marketplace.core import triggers
from marketplace.core.db import db
from tests.sheets.conftest import HEADINGS, MILLET, as_csv, changed, make_categories, make_trader

TAMPERING = {
    "stock of imports follows their rows": "UPDATE listing_import_row SET stock_change = 41 WHERE verdict = 'new'",
    "undone imports took back what they gave": "UPDATE stock_movement SET on_hand_change = -4 "
    "WHERE on_hand_change < 0 AND SUBSTR(reference, 1, 14) = 'import-undone:'",
    "imports are done whole": "UPDATE listing_import SET only_good = (1 = 0)",
    "only good rows of confirmed imports are done": "UPDATE listing_import SET applied_at = NULL",
    "new goods of imports are there": "UPDATE listing SET code = code || 'x' WHERE article_number = 'A001'",
}


@pytest.fixture
def imported(real_app: Flask) -> None:
    """A sheet with a mistake, of which the good rows were done; two that were undone, one of them of goods for sale."""
    make_categories()
    trader = make_trader(real_app)
    trader.offer("GA")
    bad = changed(MILLET, number="A003", price="x")
    row = trader.compared(as_csv(HEADINGS, MILLET, bad))
    trader.confirm(row, only_good="1")
    trader.undo(trader.done(as_csv(HEADINGS, changed(MILLET, number="A004"), changed(MILLET, number="A005"))))
    trader.undo(trader.done(as_csv(("code", "库存", "单价"), ("GA", "25", "35.00"))))
    db.session.remove()


def named(sql: str = "") -> set[str]:
    """The checks that find something after this tampering, which is undone again."""
    with db.engine.connect() as connection, connection.begin() as transaction:
        if sql:
            triggers.drop_all(connection)
            connection.execute(text(sql))
        found = [*checks.run(connection, imports.IMPORTS), *lives.differences(connection)]
        transaction.rollback()
    return {each.check for each in found if isinstance(each, Difference)}


def test_the_audit_agrees_and_names_each_tampering(imported: None) -> None:
    assert named() == set()
    assert [check for check, sql in TAMPERING.items() if check not in named(sql)] == []
    assert lives.CHECK in named("UPDATE listing_import SET state = 'applied' WHERE state = 'undone'")
    assert set(TAMPERING) == {check.name for check in imports.IMPORTS}
