"""A campaign is called off, and all its gifts go back: over a gateway of which five in a hundred requests go wrong, with
every callback twice, by two workers at once that are killed as they go. None is lost, none goes back twice.

REFUND_SEED=… repeats the choices of a run that failed (the moments are the machine's), REFUND_GIFTS=… asks for another
number of gifts."""

import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Any

import pytest
from flask import current_app
from sqlalchemy import func, select

from crowdfund.campaigns import going_back, lifecycle
from crowdfund.campaigns.models import Contribution
from crowdfund.campaigns.receipt_models import Receipt, ReceiptSeries
from crowdfund.campaigns.states import ReceiptState
from marketplace.core.db import db, in_transaction
from marketplace.payments.models import Attempt, Refund
from marketplace.payments.sandbox import storage
from marketplace.payments.states import RefundState
from tests.campaigns.conftest import Fund, get, opened, public_rows
from tests.campaigns.test_receiving import differences
from tests.conftest import DATA
from tests.houses import ROOT
from tests.public_ledger.test_receipts import BOTH

HOUR = 4000  # beyond the longest wait for another try
NUMBER = os.environ.get("REFUND_GIFTS", "")
SIZES = [
    pytest.param(60, marks=pytest.mark.full),
    pytest.param(10_000, marks=pytest.mark.nightly),
    *([int(NUMBER)] if NUMBER else []),
]
KILLED = {60: 2}  # rounds of workers that end by force


@pytest.fixture
def fund(own_app: Any) -> Iterator[Fund]:
    yield from opened(own_app)


def give_many(fund: Fund, campaign: str, number: int) -> None:
    """1, 2, 3 … fen; every tenth giver left an address."""
    for fen in range(1, number + 1):
        contact = {"contact": f"g{fen}@example.test"} if fen % 10 == 0 else {}
        gift = fund.begin(campaign, fen, **contact)
        fund.pay(gift)
        fund.arrive(gift)


def worker(seed: int, later: int) -> subprocess.Popen[bytes]:
    url = str(current_app.config["SQLALCHEMY_DATABASE_URI"])
    command = [sys.executable, "-m", "tests.faults.refunding", url, str(DATA[-1]), str(seed), str(later)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


@contextmanager
def watched(fund: Fund) -> Iterator[Counter[str]]:
    """Meanwhile somebody looks all the time whether valid receipts say more than what stayed."""
    stop, seen = Event(), Counter[str]()

    def look() -> None:
        with fund.app.app_context():
            while not stop.is_set():
                seen["too much"] += int(db.session.execute(BOTH).scalar_one()) > 0
                seen["looks"] += 1
                db.session.remove()
                stop.wait(0.05)

    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(look)
        try:
            yield seen
        finally:
            stop.set()
            looking.result()


def send_all_back(campaign: str, chance: random.Random, killed: int) -> int:
    """Two workers a round, of which the first `killed` end by force; returns the rounds it took."""
    for number in range(40):
        pair = [worker(chance.randrange(2**32), number * HOUR) for _each in range(2)]
        if number < killed:
            time.sleep(chance.uniform(2.5, 5))
            for process in pair:
                process.kill()
        for process in pair:
            _out, error = process.communicate()
            assert number < killed or process.returncode == 0, error.decode()[-2000:]
        if number >= killed and progress(campaign).is_over:
            return number
    raise AssertionError(progress(campaign))


def progress(campaign: str) -> going_back.Progress:
    return going_back.of(db.session(), get(campaign).id, book="test")


@pytest.mark.parametrize("number", SIZES)
def test_all_gifts_of_a_campaign_go_back_once(fund: Fund, number: int) -> None:
    seed = int(os.environ.get("REFUND_SEED") or random.randrange(2**32))
    print(f"REFUND_SEED={seed}")  # noqa: T201
    campaign, total = fund.open(), number * (number + 1) // 2
    began = time.monotonic()
    give_many(fund, campaign, number)
    given = time.monotonic()
    assert fund.balance(campaign) == total
    in_transaction(lifecycle.cancel, campaign=campaign, person=fund.officer.id, why="材料不实")
    assert progress(campaign).waiting == going_back.Part(number, total)

    with watched(fund) as seen:
        rounds = send_all_back(campaign, random.Random(seed), KILLED.get(number, 4))
    print(f"given {given - began:.0f} s, back {time.monotonic() - given:.0f} s in {rounds} rounds, {seen}")  # noqa: T201

    assert progress(campaign).arrived == going_back.Part(number, total) and fund.balance(campaign) == 0
    assert seen["looks"] > 10 and not seen["too much"]
    each_once(number, fund)
    rows = Counter((kind, abs(fen)) for kind, fen, _who in public_rows(campaign))
    assert rows == Counter((kind, fen) for kind in ("gift", "refund") for fen in range(1, number + 1))
    valid = select(func.count()).select_from(Receipt).where(Receipt.state == ReceiptState.ISSUED)
    assert db.session.scalar(valid) == 0 and db.session.scalar(select(ReceiptSeries.last)) == number
    assert differences(fund) == []


def each_once(number: int, fund: Fund) -> None:
    """By our refunds, and by what the gateway has sent."""
    ours = select(Attempt.reference, Refund.fen, Refund.state).join(Attempt, Attempt.id == Refund.attempt_id)
    found = db.session.execute(ours).all()
    assert len({row.reference for row in found}) == len(found) == number
    assert {row.state for row in found} == {RefundState.SUCCEEDED}
    gifts = {row.public_id: row.fen for row in db.session.execute(select(Contribution.public_id, Contribution.fen))}
    assert {row.reference: row.fen for row in found} == gifts
    with fund.cashier.storage.connect() as connection:
        theirs = connection.execute(select(storage.refund.c.payment_id, storage.refund.c.amount)).all()
    assert len({row.payment_id for row in theirs}) == len(theirs) == number
    assert sorted(row.amount for row in theirs) == list(range(1, number + 1))
