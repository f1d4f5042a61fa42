"""What the worker looks for all day is found without reading through what is long done."""

import re
from collections.abc import Callable
from typing import Any, Final

import pytest
from flask import Flask
from sqlalchemy import event, select

from marketplace import duties
from marketplace.core import looking
from marketplace.core.db import db
from marketplace.core.outbox import OutboxRow
from marketplace.orders import settlement

SMALL: Final = {"CONSTANT", "endpoint", "ledger_told", "money_followed", "person"}  # a row each, or one a partner
FULL: Final = re.compile(r"(?:^SCAN|Seq Scan on) (\w+)(?!.* USING INDEX evidence_unseen)")
EXPLAIN: Final = {"sqlite": "EXPLAIN QUERY PLAN", "postgresql": "EXPLAIN"}


def read_through(look: Callable[[], object]) -> set[str]:
    """The tables of which the database would read every row for this, though it had an index for whatever it could."""
    return {found[1] for plan in plans_of(look) if (found := FULL.search(plan))} - SMALL


def plans_of(look: Callable[[], object]) -> list[str]:
    sent: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_rest: Any) -> None:
        if statement.startswith("SELECT"):
            sent.append((statement, values))

    event.listen(db.engine, "before_cursor_execute", note)
    look()
    event.remove(db.engine, "before_cursor_execute", note)
    connection = db.session.connection()
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET enable_seqscan = off")  # of few rows it reads all, index or not
    explain, plans = EXPLAIN[connection.dialect.name], []
    for statement, values in sent:
        plans += [row[-1] for row in connection.exec_driver_sql(f"{explain} {statement}", values)]
    assert plans
    return plans


@pytest.mark.parametrize("step", duties.queues(), ids=lambda step: f"{step.__module__}.{step.__name__}")
def test_a_look_into_a_queue_reads_through_no_table(app: Flask, step: Any) -> None:
    assert read_through(lambda: looking.found_in((duties.queues()[step],))) == set()


def test_nor_does_the_look_for_parcels_that_settle(app: Flask) -> None:
    """Nor through all that have arrived: as many are settled."""
    plans = plans_of(lambda: settlement.first_due(db.session()))
    assert any("parcel_arrived" in plan for plan in plans), plans


def test_what_no_index_leads_to_would_be_seen(app: Flask) -> None:
    assert read_through(lambda: db.session.scalar(select(OutboxRow.id).where(OutboxRow.is_done))) == {"outbox"}
