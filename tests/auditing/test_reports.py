"""The independent reader of reports: silent where all is well, naming what was tampered with."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import text

from marketplace.auditing import checks, reports
from marketplace.auditing.checks import Difference
from marketplace.core import triggers
from marketplace.core.db import db
from tests.public_ledger.conftest import Giving, make_giving
from tests.reports.conftest import opened, report

__all__ = ["make_giving"]

OPENED = datetime(2026, 1, 31, 4, 0, tzinfo=UTC)
TAMPERING = {
    "two people published": "UPDATE campaign_report SET publisher_id = NULL",
    reports.HASH: "UPDATE campaign_report SET content = REPLACE(content, '10000', '10001')",
    reports.FIGURES: "UPDATE public_row SET fen = fen + 1 WHERE kind = 'gift'",
}


def named() -> set[str]:
    with db.engine.connect() as connection:
        found = [*checks.run(connection, reports.REPORTS), *reports.differences(connection)]
    return {each.check for each in found if isinstance(each, Difference)}


@pytest.mark.parametrize("name", TAMPERING)
def test_what_was_tampered_with_is_named(real_app: Flask, make_giving: Callable[[], Giving], name: str) -> None:
    giving = make_giving()
    with time_machine.travel(OPENED, tick=False) as clock:
        campaign = opened(giving, OPENED)
        giving.gift(campaign, 10_000)
        giving.pay_out(campaign, 4815)
        clock.shift(timedelta(days=10))
        report(giving, campaign)
        assert named() == set()
        with db.engine.begin() as connection:
            triggers.drop_all(connection)
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
            elif name == "two people published":
                connection.execute(text("ALTER TABLE campaign_report DROP CONSTRAINT ck_campaign_report_published_whole"))
            connection.execute(text(TAMPERING[name]))
        assert name in named()
