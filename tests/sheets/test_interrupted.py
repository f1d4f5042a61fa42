"""A worker that dies in the middle: nothing half done stays, and the next one finishes, once."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from listings import stock
from listings.models import Listing, StockMovement
from listings.sheets import applying, dry_run, working, writing
from listings.sheets.models import ListingImport, ListingImportRow
from listings.sheets.states import ImportState as I
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.settings import settings
from tests.sheets.conftest import HEADINGS, MILLET, Trader, as_csv, changed, latest, make_categories, make_trader, work

ROOT = Path(__file__).parents[2]
DIES = """
import sys, time
from pathlib import Path
from listings.sheets import applying, working
from marketplace.core.settings import load_settings
from marketplace.app import create_app
app = create_app(load_settings())

def pause(*_arguments, **_more):
    Path(sys.argv[1]).touch()
    time.sleep(60)

applying.transition = pause  # everything is written by then, nothing committed
with app.app_context():
    working.work()
"""


@pytest.fixture
def real_trader(real_app: Flask) -> Trader:
    make_categories()
    return make_trader(real_app)


def let_the_lease_end() -> None:
    def end(session: object) -> None:
        db.session.execute(update(ListingImport).values(next_at=clock.now() - timedelta(seconds=1)))

    in_transaction(end)


def figures() -> list[int]:
    db.session.rollback()
    done = select(func.count()).select_from(ListingImportRow).where(ListingImportRow.outcome == "applied")
    counted = [select(func.count()).select_from(kind) for kind in (Listing, StockMovement)]
    return [db.session.scalar(statement) or 0 for statement in (*counted, done)]


@pytest.mark.full
def test_killed_while_it_writes_nothing_is_there_and_the_next_one_finishes(real_trader: Trader, tmp_path: Path) -> None:
    row = real_trader.compared(as_csv(HEADINGS, *(changed(MILLET, number=f"A{number}") for number in range(50))))
    real_trader.post(f"/seller/imports/{row.public_id}/confirmation")
    db.session.remove()
    url = db.engine.url.render_as_string(hide_password=False)
    given = {"APP_ENV": "test", "DATABASE_URL": url, "DATA": str(settings().data)}
    began = tmp_path / "began"
    worker = subprocess.Popen([sys.executable, "-c", DIES, str(began)], cwd=ROOT, env={**os.environ, **given})
    try:
        until = time.monotonic() + 60
        while not began.exists() and time.monotonic() < until:
            time.sleep(0.05)
        assert began.exists(), worker.poll()
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait()

    assert figures() == [0, 0, 0] and latest().state is I.APPLYING
    assert not working.work()  # the lease of the dead one
    let_the_lease_end()
    work()
    assert figures() == [50, 50, 50] and latest().state is I.APPLIED
    let_the_lease_end()
    assert not working.work()


def test_what_fails_half_way_leaves_nothing(trader: Trader, monkeypatch: pytest.MonkeyPatch) -> None:
    row = trader.compared(as_csv(HEADINGS, MILLET))
    trader.post(f"/seller/imports/{row.public_id}/confirmation")

    def fail(*_arguments: object, **_more: object) -> None:
        raise OSError("the power is gone")

    with monkeypatch.context() as broken:
        broken.setattr(stock, "count_all", fail)
        with pytest.raises(OSError, match="power"):
            working.work()
    assert figures() == [0, 0, 0] and latest().state is I.APPLYING
    let_the_lease_end()
    work()
    assert figures() == [1, 1, 1]


def test_comparing_goes_on_where_it_stood(trader: Trader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dry_run, "CHUNK", 2)
    trader.send(as_csv(HEADINGS, *(changed(MILLET, number=f"A{number}") for number in range(5))))
    for done in (0, 2, 4):
        assert working.work()
        row = latest()
        assert (row.state, row.done, row.total) == (I.COMPARING, done, 5)
        page = trader.client.get(f"/seller/imports/{row.public_id}")
        assert page.headers["Refresh"].startswith("2;") and f"5 行里对好了 {done} 行" in page.text
    assert working.work() and latest().state is I.READY


def test_a_file_that_always_fails_is_given_up_and_said(trader: Trader, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object) -> None:
        raise RuntimeError("something nobody thought of")

    monkeypatch.setattr(dry_run, "arranged", fail)
    trader.send(as_csv(HEADINGS, MILLET))
    for _time in range(working.MOST_TRIES):
        with pytest.raises(RuntimeError):
            working.work()
        let_the_lease_end()
    work()
    assert latest().state is I.UNREADABLE and "这个文件没读成" in trader.page(latest())


def test_what_always_fails_while_it_is_done_is_put_before_the_seller_again(
    trader: Trader, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object, **_more: object) -> None:
        raise RuntimeError("something nobody thought of")

    row = trader.compared(as_csv(HEADINGS, MILLET))
    for step, part, broken, state in (
        ("confirmation", applying, "add_new", I.READY),
        ("undoing", writing, "rewrite", I.APPLIED),
    ):
        trader.post(f"/seller/imports/{row.public_id}/{step}")
        with monkeypatch.context() as failing:
            failing.setattr(part, broken, fail)
            for _time in range(working.MOST_TRIES):
                with pytest.raises(RuntimeError):
                    working.work()
                let_the_lease_end()
            work()
        assert latest().state is state and "刚才没办成" in trader.page(row)
        if state is I.READY:
            trader.confirm(row)
            assert latest().state is I.APPLIED and "刚才没办成" not in trader.page(row)


def test_a_thousand_rows_take_few_statements(trader: Trader, count_statements: object) -> None:
    """As many for a hundred rows as for ten."""
    taken = []
    for start, count in ((0, 10), (100, 100)):
        row = trader.compared(as_csv(HEADINGS, *(changed(MILLET, number=f"A{start + n}") for n in range(count))))
        trader.post(f"/seller/imports/{row.public_id}/confirmation")
        with count_statements() as sent:  # type: ignore[operator]
            applying.apply(row.id)
        taken.append(len(sent))
    assert taken[0] == taken[1] < 40
