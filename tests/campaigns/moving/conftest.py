"""A house that has lived through everything that giving knows, and empty houses on either database."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from crowdfund.campaigns import disbursing, lifecycle
from crowdfund.campaigns.disbursing import Bill
from crowdfund.campaigns.evidence import Kept, add
from crowdfund.campaigns.matching import funds
from crowdfund.campaigns.reports import content, publishing
from crowdfund.campaigns.reports.models import CampaignReport
from crowdfund.campaigns.teams import joining
from crowdfund.campaigns.whereabouts import following
from marketplace.core import clock, sealing
from marketplace.core.db import db, in_transaction
from marketplace.core.money import Money
from tests import factories, peers
from tests.campaigns.conftest import Fund, fund
from tests.campaigns.matching.conftest import open_fund
from tests.campaigns.test_cash import back, take
from tests.conftest import make
from tests.databases import PostgresServer, SQLiteFiles, close, fill
from tests.public_ledger.conftest import Giving
from tests.repayments.conftest import correct, pay_back

__all__ = ["fund"]
NAMES = ("王小明", "李红梅", "周予安", "沈若谷", "晋先生", "=1+1")


@dataclass
class Lived:
    """`alive` has a payment with evidence and a report; `gone` was called off."""

    fund: Fund
    alive: str
    gone: str


def spend(fund: Fund, campaign: str, fen: int, **given: Any) -> str:
    words: Any = {"provider": "临汾新华书店", "provider_credit_code": "91140000MA0K2X7Q3P", "invoice_number": "INV1"}
    bill = Bill(amount=Money(fen), purpose="图书", **words | given)
    asked: Any = {"campaign": campaign, "budget_line": 1, "bill": bill, "requester_id": fund.officer.id}
    made = in_transaction(disbursing.request, **asked)
    in_transaction(disbursing.approve, disbursement=made, approver_id=fund.approver.id)
    in_transaction(disbursing.send, disbursement=made, officer_id=fund.officer.id)
    in_transaction(disbursing.confirm, disbursement=made, officer_id=fund.officer.id, bank_reference="B-1")
    return str(made)


def seal() -> None:
    while in_transaction(sealing.seal, chain="public"):
        pass
    while following.follow():
        pass


def settle(fund: Fund) -> None:
    """Until every refund has arrived."""
    fund.work()
    with clock.at(clock.now() + timedelta(minutes=10)):
        fund.cashier.finish_refunds()
        fund.work()
    seal()


@pytest.fixture
def lived(fund: Fund) -> Lived:
    """Every kind of row of the public ledger, over three days."""
    alive, gone = fund.open(), fund.open()
    giver = factories.make_person()
    team = in_transaction(joining.open_team, campaign=alive, leader_id=giver.id, name="三班", shown_as="", words="")
    matched = open_fund(fund, alive, 500)
    fund.give(
        alive, 1000, name="王小明", anonymity="masked", contact="giver@example.test", message="加油", person_id=giver.id
    )
    fund.give(alive, 1, name="=1+1", team=team)
    fund.give(gone, 300, name="李红梅", anonymity="named")
    kept, given_back = take(alive, 5000, name="李红梅"), take(alive, 70)
    assert kept
    back(given_back)
    seal()
    in_transaction(funds.close, fund=matched, person=fund.officer.id, why="够了")
    in_transaction(lifecycle.cancel, campaign=gone, person=fund.officer.id, why="不办了")
    settle(fund)
    with clock.at(clock.now() + timedelta(days=1)):
        payment = spend(fund, alive, 700)
        bought = spend(fund, alive, 100, invoice_number="INV2")
        officers = Giving(fund.officer.id, fund.approver.id)
        pay_back(officers, bought, {1: 30})
        correct(officers, pay_back(officers, bought, {1: 10}))
        proof: dict[str, Any] = {"kind": "invoice", "words": "发票", "kept": Kept("a.pdf", "ab" * 32), "is_public": True}
        in_transaction(add, disbursement=payment, officer_id=fund.officer.id, **proof)
        in_transaction(lifecycle.end, campaign=alive, person=fund.officer.id, why="到期")
        seal()
        in_transaction(sealing.close_days, chain="public")
    with clock.at(clock.now() + timedelta(days=3)):
        report(fund, alive)
        seal()
        in_transaction(sealing.close_days, chain="public")
    return Lived(fund, alive, gone)


def report(fund: Fund, campaign: str) -> None:
    made = in_transaction(publishing.draft, campaign=campaign, kind="full", words="到了", officer_id=fund.officer.id)
    row = db.session.scalars(select(CampaignReport).where(CampaignReport.public_id == made)).one()
    seen = content.hash_of(content.canonical(content.of(db.session(), row)))
    told: dict[str, Any] = {"publisher_id": fund.approver.id, "seen": seen, "paper_sha256": "cd" * 32}
    in_transaction(publishing.publish, report=made, **told)


Opens = Callable[[], Any]


@contextmanager
def house(databases: SQLiteFiles | PostgresServer, template: str) -> Iterator[Flask]:
    """An empty one, with an application of its own."""
    app = make(url := databases.create(template))
    try:
        with app.app_context():
            yield app
    finally:
        close(app)
        databases.drop(url)


@pytest.fixture
def empty(databases: SQLiteFiles | PostgresServer, template: str) -> Opens:
    """An empty house on the same kind of database."""
    return lambda: house(databases, template)


@pytest.fixture
def other(databases: SQLiteFiles | PostgresServer, tmp_path: Path) -> Opens:
    """An empty house on the other kind."""

    @contextmanager
    def opened() -> Iterator[Flask]:
        is_sqlite = isinstance(databases, SQLiteFiles)
        there: SQLiteFiles | PostgresServer = PostgresServer(peers.postgresql()) if is_sqlite else SQLiteFiles(tmp_path)
        template = fill(make, there.create())
        try:
            with house(there, template) as app:
                yield app
        finally:
            there.drop(template)

    return opened
