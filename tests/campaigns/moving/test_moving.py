"""An export read into an empty house: every balance, the chain, the roots and every figure are what they were."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text

from crowdfund.campaigns import export, json_lines, ledger_figures, queries
from crowdfund.campaigns.ledger_models import LedgerDay, LedgerTold, SealedRow
from crowdfund.campaigns.models import Campaign, Contribution
from crowdfund.campaigns.moving import folder as folders, reading, writing
from crowdfund.campaigns.moving.folder import MANIFEST, NotAnExport
from crowdfund.campaigns.moving.reading import NotEmpty
from crowdfund.campaigns.receipt_models import Receipt
from crowdfund.campaigns.whereabouts.models import GivenMoney, SpentMoney
from marketplace.accounts.models import Person
from marketplace.auditing import audit
from marketplace.auditing.checks import Difference
from marketplace.core import clock
from marketplace.core.db import Base, db
from marketplace.ledger.models import Entry
from marketplace.payments.gateways import gateways
from tests import cashiers
from tests.auditing.test_giving import named
from tests.campaigns.conftest import Fund, gift_of
from tests.campaigns.moving.conftest import NAMES, Lived, Opens, empty, fund, lived, other, seal, spend
from tests.public_ledger import written

TAMPERING = {
    "another house's giving was read in to its end": "UPDATE giving_import SET done_at = NULL",
    "what came from another house names nobody": "UPDATE contribution SET contact = 'somebody'",
}
__all__ = ["empty", "fund", "lived", "other"]


def quiet(_words: str) -> None:
    pass


def books() -> list[list[Any]]:
    """Every account with what is in it, by the lines themselves."""
    db.session.rollback()
    sql = """SELECT a.kind, a.owner, a.book, l.commodity, SUM(l.amount) AS amount FROM line l
        JOIN ledger_account a ON a.id = l.account_id GROUP BY a.kind, a.owner, a.book, l.commodity"""
    return sorted([*row[:4], int(row[4])] for row in db.session.execute(text(sql)))


def ledger() -> tuple[bytes, bytes]:
    db.session.rollback()
    return b"".join(export.lines(db.session())), b"".join(json_lines.lines(db.session()))


def figures(*campaigns: str) -> list[Any]:
    """What the pages show: of each campaign its card and its figures, its days, and where each fen is."""
    session, shown = db.session(), list[Any]()
    for campaign in campaigns:
        card, row, _organisation = queries.find(session, campaign)
        shown.append((card.state, card.raised_fen, card.spent_fen, card.returned_fen, card.gifts, card.goal_fen))
        sums = ledger_figures.figures(session, "test", row.id)
        shown.append((sums.received_fen, sums.refunded_fen, sums.spent_fen, sums.balance_fen, sums.rows))
    days = select(Campaign.public_id, LedgerDay.day, LedgerDay.received_fen, LedgerDay.refunded_fen, LedgerDay.spent_fen)
    days = days.add_columns(LedgerDay.gifts, LedgerDay.rows).join(Campaign, Campaign.id == LedgerDay.campaign_id)
    shown += [tuple(row) for row in session.execute(days.order_by(LedgerDay.campaign_id, LedgerDay.day))]
    money = select(GivenMoney.number, GivenMoney.reference, GivenMoney.came_fen, GivenMoney.back_fen, GivenMoney.spent_fen)
    shown += [tuple(row) for row in session.execute(money.order_by(GivenMoney.number))]
    spent = select(SpentMoney.number, SpentMoney.bill_line_id, SpentMoney.fen)
    shown += [tuple(row) for row in session.execute(spent.order_by(SpentMoney.number, SpentMoney.bill_line_id))]
    receipts = select(Receipt.public_id, Receipt.state, Receipt.fen, Receipt.check_code).order_by(Receipt.id)
    return shown + [tuple(row) for row in session.execute(receipts)]


def differences(sql: str = "") -> set[str]:
    """By the audit, which takes the guards away and waits for whoever reads."""
    db.session.remove()
    return named(sql)


def moved(lived: Lived, folder: Path, opens: Opens) -> Iterator[Any]:
    """Written by one house, read in by another, in whose context this yields what the first one had."""
    writing.export(folder, quiet)
    had = (books(), ledger(), figures(lived.alive, lived.gone))
    db.session.remove()
    with opens() as app:
        reading.read_in(folder, quiet)
        yield app, had


@pytest.mark.parametrize("where", ["empty", pytest.param("other", marks=pytest.mark.full)])
def test_every_balance_comes_along(lived: Lived, tmp_path: Path, where: str, request: pytest.FixtureRequest) -> None:
    """Also from one kind of database to the other, both ways."""
    assert differences() == set()
    for app, had in moved(lived, tmp_path / "export", request.getfixturevalue(where)):
        assert books() == had[0]
        table, lines = ledger()
        assert (table, lines) == had[1]
        assert written.complaint(table) == "" and written.complaint(lines) == ""
        assert figures(lived.alive, lived.gone) == had[2]
        assert differences() == set()
        assert [check for check, sql in TAMPERING.items() if check not in differences(sql)] == []
        page = app.test_client().get(f"/campaigns/{lived.alive}")
        assert page.status_code == 200
        assert app.test_client().get("/ledger.csv").data == table
        assert db.session.scalar(select(LedgerTold.number)) == db.session.scalar(select(func.max(SealedRow.number)))


def test_the_other_house_goes_on(lived: Lived, tmp_path: Path, empty: Opens) -> None:
    """Its next gift, row, receipt and payment follow those that came, and what is spent is spent out of them."""
    for app, had in moved(lived, tmp_path / "export", empty):
        cashiers.opened(gateways().get("sandbox"))
        cashier: Any = gateways().get("sandbox")
        people = db.session.scalars(select(Person)).all()
        here = Fund(app, cashier, people[0], people[1])
        rows = db.session.scalar(select(func.count()).select_from(SealedRow))
        assert rows and len(had[1][1].splitlines()) > rows
        with clock.at(clock.now() + timedelta(days=5)):
            spend(here, lived.alive, 9, invoice_number="INV9")
            seal()
        assert db.session.scalar(select(func.max(SealedRow.number))) == rows + 1
        assert differences() == set()
        with db.engine.connect() as connection, cashier.storage.connect() as theirs:
            found = [each for each in audit.findings(connection, theirs) if isinstance(each, Difference)]
            assert found == []  # what was paid at the other house's cashier is not asked for at this one
            assert connection.scalar(text("SELECT COUNT(*) FROM giving_import WHERE done_at IS NOT NULL")) == 1
        cashier.storage.dispose()


def test_nobody_who_gave_comes_along(lived: Lived, tmp_path: Path, empty: Opens) -> None:
    folder = tmp_path / "export"
    for _app, _had in moved(lived, folder, empty):
        assert set(db.session.scalars(select(Contribution.person_id))) == {None}
        secret = db.session.execute(select(Contribution.giver, Contribution.contact))
        assert {tuple(row) for row in secret} == {(None, None)}
        assert {person.name for person in db.session.scalars(select(Person))} == {""}
        assert not any(person.is_active for person in db.session.scalars(select(Person)))
    for file in folder.iterdir():
        content = file.read_text("utf-8")
        said = {name for name in (*NAMES, "giver@example.test", "boss@example.test", "加油") if name in content}
        public = {"李红梅", "周予安"}  # shown by her own choice in the ledger; the campaign's leader stands on its page
        assert said <= public, (file.name, said)
    steps = [json.loads(line) for line in (folder / "event.jsonl").read_text("utf-8").splitlines()]
    of_gifts = {step["actor"] for step in steps if step["subject"].startswith(("contribution:", "attempt:", "receipt:"))}
    assert of_gifts <= {"giver", "guest", "system", "sandbox"}


def test_interrupted_it_goes_on(lived: Lived, tmp_path: Path, empty: Opens, monkeypatch: pytest.MonkeyPatch) -> None:
    """After every page of the whole import, as by a kill: each time it goes on, and in the end all is there once."""
    folder = tmp_path / "export"
    writing.export(folder, quiet)
    had = (books(), ledger(), figures(lived.alive, lived.gone))
    db.session.remove()
    monkeypatch.setattr(reading, "PAGE", 3)
    with empty():
        tries, allowed = 0, 1
        while True:
            left = [allowed]
            try:
                reading.read_in(folder, stopping(left))
                break
            except KeyboardInterrupt:
                tries += 1
                db.session.remove()
        assert tries > 20
        assert (books(), ledger(), figures(lived.alive, lived.gone)) == had and differences() == set()
        with pytest.raises(NotEmpty):
            reading.read_in(folder, quiet)


def stopping(left: list[int]) -> Callable[[str], None]:
    def told(words: str) -> None:
        if " of " in words:
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt

    return told


def everything() -> dict[str, int]:
    db.session.rollback()
    return {
        name: db.session.scalar(select(func.count()).select_from(table)) or 0 for name, table in Base.metadata.tables.items()
    }


def test_a_changed_byte_is_refused_before_anything_is_read_in(lived: Lived, tmp_path: Path, empty: Opens) -> None:
    folder = tmp_path / "export"
    writing.export(folder, quiet)
    db.session.remove()
    with empty():
        before = everything()
        for file in sorted(folder.iterdir()):
            original = file.read_bytes()
            for place in {0, len(original) // 2, len(original) - 1} if original else ():
                file.write_bytes(original[:place] + bytes([original[place] ^ 1]) + original[place + 1 :])
                with pytest.raises(NotAnExport):
                    reading.read_in(folder, quiet)
            file.write_bytes(original + b"\n")
            if file.name != MANIFEST:
                with pytest.raises(NotAnExport):
                    reading.read_in(folder, quiet)
            file.unlink()
            with pytest.raises(NotAnExport):
                reading.read_in(folder, quiet)
            file.write_bytes(original)
        assert everything() == before
        assert reading.read_in(folder, quiet) > 0


def test_another_version_is_refused(lived: Lived, tmp_path: Path, empty: Opens, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "export"
    monkeypatch.setattr(folders, "VERSION", 2)
    writing.export(folder, quiet)
    monkeypatch.undo()
    db.session.remove()
    with empty(), pytest.raises(NotAnExport, match="version 2"):
        reading.read_in(folder, quiet)


def test_a_house_with_giving_of_its_own_is_refused(lived: Lived, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    writing.export(folder, quiet)
    before = everything()
    with pytest.raises(NotEmpty):
        reading.read_in(folder, quiet)
    assert everything() == before
    with pytest.raises(NotAnExport, match="already"):
        writing.export(folder, quiet)


def test_an_import_that_was_left_is_named_by_the_audit(lived: Lived, tmp_path: Path, empty: Opens) -> None:
    folder = tmp_path / "export"
    writing.export(folder, quiet)
    db.session.remove()
    with empty():
        with pytest.raises(KeyboardInterrupt):
            reading.read_in(folder, stopping([3]))
        assert "another house's giving was read in to its end" in differences()


def test_a_gift_that_waits_stays_behind(fund: Fund, tmp_path: Path, empty: Opens) -> None:
    campaign = fund.open()
    waits, given = fund.begin(campaign, 5), fund.give(campaign, 7)
    writing.export(tmp_path / "export", quiet)
    assert gift_of(waits)
    db.session.remove()
    with empty():
        reading.read_in(tmp_path / "export", quiet)
        assert db.session.scalars(select(Contribution.public_id)).all() == [given]
        assert db.session.scalar(select(func.count()).select_from(Entry)) == 1
