"""A statement as a file for a table program and as a paper, in the reader's language."""

from collections.abc import Sequence
from datetime import datetime
from itertools import accumulate
from typing import Any

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from marketplace.core import clock, csv_rows
from marketplace.core.formats import in_language, language, short_date, yuan
from marketplace.orders.batches.typesetting import Paper
from marketplace.orders.institutions import queries
from marketplace.orders.institutions.models import AccountStatement, Institution


def heads() -> tuple[str, ...]:
    return (_("Arrived"), _("Parcel"), _("Station"), _("Ordered on"), _("Amount (yuan)"), _("Sum (yuan)"))


def rows_of(session: Session, statement: AccountStatement) -> list[tuple[str, str, str, str, int, int]]:
    lines: Sequence[Any] = queries.lines_of_statement(session, statement.id)
    sums = accumulate(line.fen for line in lines)
    return [row_of(line, total) for line, total in zip(lines, sums, strict=True)]


def row_of(line: Any, total: int) -> tuple[str, str, str, str, int, int]:
    label, station = f"{line.order}-{line.number}", in_language(line.name_zh, line.name_en)
    return day(line.delivered_at), label, station, day(line.placed_at), line.fen, total


def day(at: datetime | None) -> str:
    return clock.local(at).date().isoformat() if at else ""


def as_csv(session: Session, institution: Institution, statement: AccountStatement) -> bytes:
    """Days are those of Shanxi; the last lines say what was credited since and what is due."""
    rows: list[tuple[str, ...]] = [(_("Statement"), statement.public_id, institution.name, test_word(statement)), heads()]
    rows += [(*row[:4], csv_rows.yuan(row[4]), csv_rows.yuan(row[5])) for row in rows_of(session, statement)]
    rows += [
        ("", "", "", _("Credited since"), csv_rows.yuan(-statement.credited_fen), ""),
        ("", "", "", _("To be paid by %(day)s", day=statement.due_on.isoformat()), csv_rows.yuan(statement.due_fen), ""),
        (_("Invoice title"), institution.invoice_title, _("Tax number"), institution.credit_code, "", ""),
    ]
    return ("\ufeff" + "".join(csv_rows.row(cells) for cells in rows)).encode()


def as_paper(session: Session, institution: Institution, statement: AccountStatement) -> Paper:
    rows = [[*row[:4], yuan(row[4]), yuan(row[5])] for row in rows_of(session, statement)]
    rows.append(["", "", "", _("Credited since"), yuan(-statement.credited_fen), yuan(statement.due_fen)])
    told = {"day": short_date(statement.due_on, language()), "title": institution.invoice_title}
    return {
        "language": language(),
        "title": _("Statement %(number)s", number=statement.public_id),
        "name": institution.name,
        "band": _("Test money: you are not really charged") if statement.book == "test" else "",
        "heads": list(heads()),
        "rows": rows,
        "note": _("To be paid by %(day)s. Invoice: %(title)s, tax number %(code)s.", **told, code=institution.credit_code),
        "page": _("Page"),
    }


def test_word(statement: AccountStatement) -> str:
    return _("test money") if statement.book == "test" else ""
