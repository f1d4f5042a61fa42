"""Where the money of gifts is: every fen once, every line of an invoice in full, as far as the worker has followed."""

import hashlib
import json
from collections.abc import Iterator
from itertools import groupby
from operator import attrgetter
from typing import Final

from sqlalchemy import Connection

from marketplace.auditing.checks import Check, Difference, read

FOLLOWED: Final = "(SELECT COALESCE(MAX(f.number), 0) FROM money_followed f)"
BACK: Final = f"""(SELECT COALESCE(SUM(CASE w.kind WHEN 'correction' THEN -l.fen ELSE l.fen END), 0)
    FROM repaid_line l JOIN repayment q ON q.id = l.repayment_id
    JOIN public_row w ON w.reference IN ('repaid:' || q.public_id, 'repaid_undone:' || q.public_id)
    JOIN sealed_row t ON t.row_id = w.id AND t.number <= {FOLLOWED}
    WHERE l.bill_line_id = b.id)"""
"""What a provider paid back of a line, less what was corrected, as far as the worker has followed."""
SEALED: Final = "invoices are as they were sealed"
INVOICES: Final = """SELECT r.id AS id, r.commitment AS commitment, d.public_id AS name, d.invoice_number AS invoice,
    b.what_zh AS what, b.fen AS fen FROM public_row r JOIN disbursement d ON r.reference = 'disburse:' || d.public_id
    JOIN bill_line b ON b.disbursement_id = d.id
    WHERE r.kind = 'disbursement' AND r.commitment <> '' ORDER BY r.id, b.position"""  # nothing: from before ADR 45
WHEREABOUTS: Final = (
    Check(
        "lines of invoices add up",
        """SELECT d.public_id AS name, d.fen AS owed, COALESCE(SUM(b.fen), 0) AS amount FROM disbursement d
        LEFT JOIN bill_line b ON b.disbursement_id = d.id GROUP BY d.id, d.public_id, d.fen
        HAVING COALESCE(SUM(b.fen), 0) <> d.fen""",
        "payment {name} of {owed} fen: the lines of its invoice are {amount}",
    ),
    Check(
        "money came as the rows say",
        f"""SELECT s.number AS name, r.fen AS owed, COALESCE(g.came_fen, 0) AS amount FROM sealed_row s
        JOIN public_row r ON r.id = s.row_id LEFT JOIN given_money g ON g.number = s.number AND g.kind = r.kind
        AND g.campaign_id = r.campaign_id AND g.book = r.book
        WHERE r.kind IN ('gift', 'match') AND s.number <= {FOLLOWED} AND COALESCE(g.came_fen, 0) <> r.fen
        UNION ALL SELECT g.number, 0, g.came_fen FROM given_money g WHERE g.number > {FOLLOWED}""",
        "row {name} brought {owed} fen, {amount} are followed",
    ),
    Check(
        "money is spent as it is said",
        """SELECT g.number AS name, g.spent_fen AS owed, COALESCE(SUM(p.fen), 0) AS amount FROM given_money g
        LEFT JOIN spent_money p ON p.number = g.number GROUP BY g.number, g.spent_fen
        HAVING COALESCE(SUM(p.fen), 0) <> g.spent_fen""",
        "of row {name} {owed} fen are spent, the lines that it paid say {amount}",
    ),
    Check(
        "lines are paid in full",
        f"""SELECT b.id AS name, b.fen - {BACK} AS owed, COALESCE(SUM(p.fen), 0) AS amount FROM bill_line b
        JOIN disbursement d ON d.id = b.disbursement_id LEFT JOIN spent_money p ON p.bill_line_id = b.id
        LEFT JOIN public_row r ON r.kind = 'disbursement' AND r.reference = 'disburse:' || d.public_id
        LEFT JOIN sealed_row s ON s.row_id = r.id AND s.number <= {FOLLOWED}
        GROUP BY b.id, b.fen, s.number
        HAVING COALESCE(SUM(p.fen), 0) <> CASE WHEN s.number IS NULL THEN 0 ELSE b.fen - {BACK} END""",
        "line {name} of an invoice of {owed} fen that stayed paid: gifts paid {amount}",
    ),
    Check(
        "lines are paid by their campaign",
        """SELECT b.id AS name FROM spent_money p JOIN given_money g ON g.number = p.number
        JOIN bill_line b ON b.id = p.bill_line_id JOIN disbursement d ON d.id = b.disbursement_id
        WHERE d.campaign_id <> g.campaign_id OR d.book <> g.book""",
        "line {name} of an invoice was paid by another campaign's money",
    ),
    Check(
        "what is left is what the rows leave",
        f"""SELECT c.public_id AS name, t.owed AS owed, t.amount AS amount FROM (
            SELECT x.campaign_id AS campaign_id, x.book AS book, SUM(x.owed) AS owed, SUM(x.amount) AS amount FROM (
                SELECT r.campaign_id AS campaign_id, r.book AS book, r.fen AS owed, 0 AS amount FROM sealed_row s
                JOIN public_row r ON r.id = s.row_id WHERE s.number <= {FOLLOWED}
                UNION ALL SELECT g.campaign_id, g.book, 0, g.came_fen - g.back_fen - g.spent_fen FROM given_money g) x
            GROUP BY x.campaign_id, x.book) t JOIN campaign c ON c.id = t.campaign_id WHERE t.owed <> t.amount""",
        "campaign {name} has {owed} fen by its rows, {amount} of its gifts are said not to be spent",
    ),
)


NAMED: Final = "what goes back names what came"
MOVED: Final = """SELECT r.id AS id, r.kind AS kind, r.commitment AS commitment, g.kind AS came, g.reference AS reference
    FROM public_row r JOIN entry e ON e.key = r.reference
    LEFT JOIN entry f ON f.reference = e.reference AND f.kind IN ('capture', 'cash', 'match')
    LEFT JOIN public_row g ON g.reference = f.key AND g.campaign_id = r.campaign_id AND g.book = r.book
        AND g.kind = CASE WHEN r.kind = 'unmatch' THEN 'match' ELSE 'gift' END
    WHERE r.kind IN ('refund', 'unmatch', 'return') AND r.commitment <> ''
    ORDER BY r.id"""  # nothing: from before ADR 50


def nameless(connection: Connection) -> Iterator[Difference | str]:
    """Each refund's row names the row of the gift that it is of, and no other."""
    yield NAMED
    for number, found in groupby(read(connection, MOVED), attrgetter("id")):
        rows = list(found)
        names = (json.dumps({"kind": row.came, "reference": row.reference}, separators=(",", ":")) for row in rows)
        if rows[0].commitment not in {hashlib.sha256(name.encode()).hexdigest() for name in names}:
            yield Difference(NAMED, f"public row {number}, {rows[0].kind}, names another row than its gift's")


def differences(connection: Connection) -> Iterator[Difference | str]:
    """Each invoice is what its payment's public row was sealed with, and what goes back names what came."""
    yield from nameless(connection)
    yield SEALED
    for _row, found in groupby(read(connection, INVOICES), attrgetter("id")):
        lines = list(found)
        content = {"invoice": " ".join(lines[0].invoice.split()), "lines": [[line.what, line.fen] for line in lines]}
        written = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        if hashlib.sha256(written.encode()).hexdigest() != lines[0].commitment:
            yield Difference(SEALED, f"payment {lines[0].name} was sealed with another invoice")
