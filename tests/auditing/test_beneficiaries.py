"""The independent reader of beneficiaries: silent where all is well, naming what was tampered with."""

import pytest
from sqlalchemy import text

from marketplace.auditing import checks
from marketplace.auditing.beneficiaries import BENEFICIARIES
from marketplace.auditing.checks import Difference
from marketplace.core import triggers
from marketplace.core.db import db
from tests.campaigns.conftest import Fund, fund
from tests.campaigns.test_criteria import LINXIAN, add, opened, paid

__all__ = ["fund"]

OUTSIDE, TOO_MANY, TOO_MUCH = (check.name for check in BENEFICIARIES)
TAMPERING = {
    OUTSIDE: ("UPDATE campaign_criteria SET each_fen = 3999", "UPDATE beneficiary SET fen = 4001 WHERE fen = 4000"),
    TOO_MANY: ("UPDATE campaign_criteria SET most = 1",),
    TOO_MUCH: (
        "UPDATE disbursement SET fen = 4000",
        "UPDATE disbursement SET state = 'failed'",
    ),
}


def named() -> set[str]:
    with db.engine.connect() as connection:
        return {each.check for each in checks.run(connection, BENEFICIARIES) if isinstance(each, Difference)}


@pytest.mark.parametrize(("name", "sql"), [(name, sql) for name, several in TAMPERING.items() for sql in several])
def test_what_was_tampered_with_is_named(fund: Fund, name: str, sql: str) -> None:
    add(fund, paid(fund, opened(fund)), LINXIAN("玉坪小学", fen=4000), LINXIAN("2 号农户", fen=100))
    assert named() == set()
    with db.engine.begin() as connection:
        triggers.drop_all(connection)
        connection.execute(text(sql))
    assert name in named()
