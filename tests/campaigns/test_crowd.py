"""Many give at once through the pages, while the sealer works: not a fen is lost, and a stranger can check all of it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import pytest
from sqlalchemy import select

from crowdfund.campaigns.ledger_models import LedgerDay, SealedRow
from crowdfund.campaigns.models import Contribution
from crowdfund.campaigns.receipt_models import Receipt
from marketplace.auditing import audit
from marketplace.auditing.checks import Difference
from marketplace.core import sealing
from marketplace.core.db import db, in_transaction
from tests.campaigns.conftest import Fund, post, public_rows
from tests.public_ledger import written

CLIENTS = 8


def give_as_strangers(fund: Fund, campaign: str, number: int) -> None:
    """Each gift from a browser of its own, several at once: the form, the cashier, its webhook; 1, 2, 3 … fen."""

    def one(fen: int) -> None:
        with fund.app.app_context():
            form = {
                "amount": f"{fen / 100:.2f}",
                "anonymity": "named",
                "name": "甲" * (fen % 3),
                "idempotency_key": f"k{fen}",
            }
            assert post(fund.browser(), f"/campaigns/{campaign}/gifts", form).status_code == 303
            mine = select(Contribution.public_id).where(Contribution.fen == fen)
            gift = db.session.scalars(mine).one()
            fund.cashier.decide(fund.remote_of(gift), "succeeded")
            fund.arrive(gift)
            db.session.remove()

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(one, range(1, number + 1)))


@contextmanager
def sealing_meanwhile(fund: Fund) -> Iterator[None]:
    """As the worker does, only more often; what is left is sealed at the end."""
    stop = Event()

    def seal() -> None:
        with fund.app.app_context():
            while not stop.wait(0.02):
                in_transaction(sealing.seal, chain="public")
            while in_transaction(sealing.seal, chain="public"):
                pass
            db.session.remove()

    with ThreadPoolExecutor(1) as pool:
        sealer = pool.submit(seal)
        try:
            yield
        finally:
            stop.set()
            sealer.result()


@pytest.mark.parametrize(
    "number", [40, pytest.param(300, marks=pytest.mark.full), pytest.param(1000, marks=pytest.mark.nightly)]
)
def test_not_a_fen_is_lost_however_many_give_at_once(fund: Fund, number: int) -> None:
    campaign, total = fund.open(), number * (number + 1) // 2
    with sealing_meanwhile(fund):
        give_as_strangers(fund, campaign, number)

    assert fund.balance(campaign) == total
    assert sorted(fen for _kind, fen, _who in public_rows(campaign)) == list(range(1, number + 1))
    assert db.session.scalars(select(Receipt.sequence).order_by(Receipt.sequence)).all() == list(range(1, number + 1))
    sealed = select(SealedRow.number, SealedRow.campaign_fen, SealedRow.book_fen).order_by(SealedRow.number.desc())
    assert tuple(db.session.execute(sealed.limit(1)).one()) == (number, total, total)
    days = db.session.execute(select(LedgerDay.received_fen, LedgerDay.gifts, LedgerDay.rows)).all()
    assert [sum(column) for column in zip(*days, strict=True)] == [total, number, number]

    ledger = fund.browser().get("/ledger.csv").data
    assert ledger.count(b"\n") == number + 2 and written.complaint(ledger) == ""
    with db.engine.connect() as connection, fund.cashier.storage.connect() as cashier:
        found = [each for each in audit.findings(connection, cashier) if isinstance(each, Difference)]
    assert found == []
