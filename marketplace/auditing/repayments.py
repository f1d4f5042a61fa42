"""What providers paid back: in the books once, of one payment's lines and never more than they were.

That two people let it in is a CHECK of its table."""

import hashlib
import json
from collections.abc import Iterator
from itertools import groupby
from operator import attrgetter
from typing import Final

from sqlalchemy import Connection

from marketplace.auditing.checks import Check, Difference, read
from marketplace.auditing.money import came_to

CAME: Final = came_to("'repaid:' || p.public_id", kind="restricted", owner="c.public_id", book="d.book")
RECEIVED: Final = """(SELECT COALESCE(SUM(line.amount), 0) FROM entry JOIN line ON line.entry_id = entry.id
    JOIN ledger_account a ON a.id = line.account_id AND a.kind = 'gateway_clearing'
    WHERE entry.key = 'repaid:' || p.public_id AND entry.book = d.book)"""
IS_APPROVED: Final = "p.decided_at IS NOT NULL AND p.refused_why = ''"
OWED: Final = f"CASE WHEN {IS_APPROVED} THEN p.fen ELSE 0 END"
GONE: Final = came_to("'repaid_undone:' || p.public_id", kind="restricted", owner="c.public_id", book="d.book")
TAKEN: Final = RECEIVED.replace("'repaid:'", "'repaid_undone:'")
OWED_BACK: Final = "CASE WHEN p.corrected_at IS NULL THEN 0 ELSE -p.fen END"
CORRECTED: Final = """EXISTS (SELECT 1 FROM repayment_correction k WHERE k.repayment_id = p.id AND k.decided_at IS NOT NULL
    AND k.refused_why = '')"""
REPAYMENTS: Final = (
    Check(
        "what providers paid back is booked",
        f"""SELECT p.public_id AS name, p.fen AS owed, {CAME} AS amount FROM repayment p
        JOIN disbursement d ON d.id = p.disbursement_id JOIN campaign c ON c.id = d.campaign_id
        WHERE {CAME} <> {OWED} OR {RECEIVED} <> {OWED}""",
        "repayment {name} of {owed} fen: {amount} came into its campaign's account",
    ),
    Check(
        "entries of repayments have one",
        """SELECT entry.key AS name FROM entry LEFT JOIN repayment p ON entry.key = 'repaid:' || p.public_id
        WHERE entry.kind = 'repaid' AND p.id IS NULL""",
        "{name} is booked, but no provider paid it back",
    ),
    Check(
        "corrections of what came back are booked",
        f"""SELECT p.public_id AS name, p.fen AS owed, -({GONE}) AS amount FROM repayment p
        JOIN disbursement d ON d.id = p.disbursement_id JOIN campaign c ON c.id = d.campaign_id
        WHERE {GONE} <> {OWED_BACK} OR {TAKEN} <> {OWED_BACK}""",
        "repayment {name} of {owed} fen was corrected or not: {amount} left its campaign's account, or by another way",
    ),
    Check(
        "two people correct what came back",
        f"""SELECT p.public_id AS name FROM repayment p
        WHERE (CASE WHEN p.corrected_at IS NULL THEN 0 ELSE 1 END) <> (CASE WHEN {CORRECTED} THEN 1 ELSE 0 END)""",
        "repayment {name} is not corrected as two people said",
    ),
    Check(
        "entries of corrections have one",
        """SELECT entry.key AS name FROM entry LEFT JOIN repayment p ON entry.key = 'repaid_undone:' || p.public_id
        WHERE entry.kind = 'repaid_undone' AND p.id IS NULL""",
        "{name} is booked, but nothing was let in",
    ),
    Check(
        "repayments are the sum of their lines",
        """SELECT p.public_id AS name, p.fen AS owed, COALESCE(SUM(l.fen), 0) AS amount FROM repayment p
        LEFT JOIN repaid_line l ON l.repayment_id = p.id GROUP BY p.id, p.public_id, p.fen
        HAVING COALESCE(SUM(l.fen), 0) <> p.fen""",
        "repayment {name} of {owed} fen: the lines that came back are {amount}",
    ),
    Check(
        "lines come back once, of their own payment",
        """SELECT b.id AS name, b.fen AS owed, SUM(l.fen) AS amount FROM bill_line b
        JOIN repaid_line l ON l.bill_line_id = b.id
        JOIN repayment p ON p.id = l.repayment_id AND p.refused_why = '' AND p.corrected_at IS NULL
        GROUP BY b.id, b.fen, b.disbursement_id
        HAVING SUM(l.fen) > b.fen OR MIN(p.disbursement_id) <> b.disbursement_id
        OR MAX(p.disbursement_id) <> b.disbursement_id""",
        "line {name} of {owed} fen: {amount} came back, or of another payment",
    ),
    Check(
        "only what was paid comes back",
        f"""SELECT p.public_id AS name FROM repayment p JOIN disbursement d ON d.id = p.disbursement_id
        WHERE {IS_APPROVED} AND d.state NOT IN ('paid', 'evidenced')""",
        "repayment {name} came back of what was never paid",
    ),
    Check(
        "what counts as proved has an invoice or came back in full",
        f"""SELECT d.public_id AS name FROM disbursement d WHERE d.state = 'evidenced'
        AND NOT EXISTS (SELECT 1 FROM evidence e WHERE e.disbursement_id = d.id AND e.kind = 'invoice')
        AND d.fen <> (SELECT COALESCE(SUM(p.fen), 0) FROM repayment p
            WHERE p.disbursement_id = d.id AND {IS_APPROVED} AND p.corrected_at IS NULL)""",
        "payment {name} counts as proved, and has no invoice",
    ),
)
NAMED: Final = "repayments are as they were sealed"
ROWS: Final = """SELECT r.id AS id, r.commitment AS commitment, p.public_id AS name, d.public_id AS payment,
    b.position AS position, l.fen AS fen FROM public_row r JOIN repayment p ON r.reference = 'repaid:' || p.public_id
    JOIN disbursement d ON d.id = p.disbursement_id JOIN repaid_line l ON l.repayment_id = p.id
    JOIN bill_line b ON b.id = l.bill_line_id WHERE r.kind = 'repayment' ORDER BY r.id, b.position"""


UNDONE: Final = """SELECT r.reference AS reference, r.commitment AS commitment FROM public_row r
    WHERE r.kind = 'correction' ORDER BY r.id"""


def differences(connection: Connection) -> Iterator[Difference | str]:
    """Each row says of which lines of which payment the money came back, or which such row it corrects."""
    yield NAMED
    for row in read(connection, UNDONE):
        name = row.reference.removeprefix("repaid_undone:")
        written = json.dumps({"kind": "repayment", "reference": f"repaid:{name}"}, sort_keys=True, separators=(",", ":"))
        if hashlib.sha256(written.encode()).hexdigest() != row.commitment:
            yield Difference(NAMED, f"the correction of repayment {name} names another row")
    for _row, found in groupby(read(connection, ROWS), attrgetter("id")):
        lines = list(found)
        content = {"kind": "disbursement", "lines": [[line.position, line.fen] for line in lines]}
        content["reference"] = f"disburse:{lines[0].payment}"
        written = json.dumps(content, sort_keys=True, separators=(",", ":"))
        if hashlib.sha256(written.encode()).hexdigest() != lines[0].commitment:
            yield Difference(NAMED, f"repayment {lines[0].name} was sealed with other lines")
