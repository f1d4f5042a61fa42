"""What must be true of payments to sellers and stations: batches, their lines, and the entries that moved the money."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Connection, Row

from marketplace.auditing.checks import Check, Difference, moment, read

PAYABLE: Final = "('seller_payable', 'station_payable')"
EXPLAINED: Final = (
    "('settle', 'refund', 'refund_failed', 'case_borne', 'case_borne_failed', 'dispute_kept', "
    "'payout', 'payout_failed', 'payout_bounced', 'reversal', 'bill_lost')"
)
POSTED: Final = """(SELECT entry.key AS key, entry.book AS book, entry.reference AS reference, a.kind AS kind,
        a.owner AS owner, SUM(line.amount) AS amount FROM entry JOIN line ON line.entry_id = entry.id
        JOIN ledger_account a ON a.id = line.account_id
    WHERE entry.kind IN ('payout', 'payout_paid', 'payout_failed', 'payout_bounced')
    GROUP BY entry.key, entry.book, entry.reference, a.kind, a.owner)"""
"""What each entry of a payment moved, by account."""


def moved(key: str, account: str, sign: str, when: str) -> str:
    """Lines whose entry `key` did not move their sum in `account`: all of it where `when` holds, and else nothing."""
    return f"""SELECT l.public_id AS name, l.state AS state, l.fen AS owed, COALESCE(SUM({sign}p.amount), 0) AS amount
        FROM settlement_line l JOIN settlement_batch b ON b.id = l.batch_id
        LEFT JOIN {POSTED} p ON p.key = '{key}:' || l.public_id AND {account}
        AND p.book = l.book AND p.reference = b.public_id
        GROUP BY l.id, l.public_id, l.state, l.fen, l.bounced_at
        HAVING COALESCE(SUM({sign}p.amount), 0) <> CASE WHEN {when} THEN l.fen ELSE 0 END"""


OWN: Final = "p.kind = l.owner_kind || '_payable' AND p.owner = l.owner"
WAS_SENT: Final = """EXISTS (SELECT 1 FROM event e
    WHERE e.subject = 'settlement_batch:' || b.public_id AND e.to_state = 'sent'
    AND e.why = CASE WHEN b.way = '' THEN 'nothing left to pay' ELSE b.way END)"""
CLEARING: Final = "p.kind = 'gateway_clearing' AND p.owner = b.gateway"

PAYOUTS: Final = (
    Check(
        "payments that were sent left their owner's account",
        moved("payout", OWN, "", "l.state IN ('sent', 'confirmed', 'returned')"),
        "line {name} of {owed} fen is {state}: {amount} left its owner's account",
    ),
    Check(
        "payments that were confirmed left the gateway",
        moved("payout_paid", CLEARING, "-", "l.state = 'confirmed'"),
        "line {name} of {owed} fen is {state}: {amount} left the gateway",
    ),
    Check(
        "payments that came back are owed again",
        moved("payout_failed", OWN, "-", "l.state = 'returned'"),
        "line {name} of {owed} fen is {state}: {amount} came back to its owner's account",
    ),
    Check(
        "payments that the bank took back are owed again",
        moved("payout_bounced", OWN, "-", "l.bounced_at IS NOT NULL"),
        "line {name} of {owed} fen is {state}: of what the bank took back {amount} is owed again",
    ),
    Check(
        "payments that the bank took back are ours again",
        moved("payout_bounced", CLEARING, "", "l.bounced_at IS NOT NULL"),
        "line {name} of {owed} fen is {state}: of what the bank took back {amount} came to the gateway",
    ),
    Check(
        "only confirmed payments are taken back",
        """SELECT l.public_id AS name, l.state AS state FROM settlement_line l
        WHERE l.bounced_at IS NOT NULL AND (l.state <> 'confirmed' OR l.bounced_because = '')""",
        "line {name} is {state} and was taken back, or nobody said why",
    ),
    Check(
        "entries of payouts have their line",
        """SELECT entry.key AS name FROM entry LEFT JOIN settlement_line l
        ON l.public_id = SUBSTR(entry.key, LENGTH(entry.kind) + 2) AND l.book = entry.book AND l.left_out = ''
        AND l.state IN ('sent', 'confirmed', 'returned')
        WHERE entry.kind IN ('payout', 'payout_paid', 'payout_failed', 'payout_bounced') AND l.id IS NULL""",
        "{name} is booked, but no line of a batch pays that",
    ),
    Check(
        "settlements in transit are on their way",
        """SELECT a.book AS book, -SUM(line.amount) AS amount, (SELECT COALESCE(SUM(l.fen), 0) FROM settlement_line l
            WHERE l.book = a.book AND l.state = 'sent') AS owed
        FROM line JOIN ledger_account a ON a.id = line.account_id JOIN entry ON entry.id = line.entry_id
        WHERE a.kind = 'payout_in_transit' AND entry.kind IN ('payout', 'payout_paid', 'payout_failed') GROUP BY a.book
        HAVING -SUM(line.amount) <> (SELECT COALESCE(SUM(l.fen), 0) FROM settlement_line l
            WHERE l.book = a.book AND l.state = 'sent')""",
        "{owed} fen are on their way to payees in the {book} book, the books say {amount}",
    ),
    Check(
        "nobody waits for two payments",
        """SELECT l.owner_kind || ' ' || l.owner AS name, COUNT(*) AS amount FROM settlement_line l
        WHERE l.left_out = '' AND l.state IN ('due', 'sent') GROUP BY l.owner_kind, l.owner, l.book HAVING COUNT(*) > 1""",
        "{name} waits for {amount} payments at once",
    ),
    Check(
        "two people pay out",
        """SELECT b.public_id AS name, b.state AS state FROM settlement_batch b
        LEFT JOIN event drafted ON drafted.subject = 'settlement_batch:' || b.public_id AND drafted.to_state = 'drafted'
        LEFT JOIN event approved ON approved.subject = 'settlement_batch:' || b.public_id AND approved.to_state = 'approved'
        WHERE b.state <> 'drafted' AND (b.approver_id IS NULL OR b.approver_id = b.drafter_id OR drafted.id IS NULL
        OR approved.id IS NULL OR approved.actor = drafted.actor OR drafted.actor <> 'person:' || b.drafter_id
        OR approved.actor <> 'person:' || b.approver_id)""",
        "batch {name} is {state}, and no second person approved it",
    ),
    Check(
        "batches and their lines go together",
        """SELECT b.public_id AS name, b.state AS state, l.public_id AS line, l.state AS line_state FROM settlement_line l
        JOIN settlement_batch b ON b.id = l.batch_id WHERE l.left_out = '' AND NOT (
            (b.state IN ('drafted', 'approved') AND l.state = 'due')
            OR (b.state = 'sent' AND l.state IN ('sent', 'confirmed', 'returned'))
            OR (b.state = 'closed' AND l.state IN ('confirmed', 'returned')))""",
        "batch {name} is {state}, its line {line} is {line_state}",
    ),
    Check(
        "batches that were sent say when and how",
        f"""SELECT b.public_id AS name, b.state AS state FROM settlement_batch b WHERE {WAS_SENT} <> (b.sent_at IS NOT NULL)
        OR (b.way = '' AND EXISTS (SELECT 1 FROM settlement_line l WHERE l.batch_id = b.id AND l.state <> 'due'))
        OR (b.way = 'file' AND LENGTH(b.file_sha256) <> 64)""",
        "batch {name} is {state}: when, how or with which file it was sent is not written down",
    ),
    Check(
        "batches pay their own station",
        """SELECT b.public_id AS name, l.owner AS owner, b.station_code AS station FROM settlement_line l
        JOIN settlement_batch b ON b.id = l.batch_id WHERE l.book <> b.book
        OR (l.owner_kind = 'station' AND l.owner <> b.station_code)""",
        "batch {name} of station {station} pays {owner}, or money of another book",
    ),
    Check(
        "payments are answered on a day",
        """SELECT l.public_id AS name, l.state AS state FROM settlement_line l
        WHERE (l.state IN ('confirmed', 'returned')) <> (l.answered_at IS NOT NULL)""",
        "line {name} is {state}, but when the bank said so is not written down, or it is said of one without an answer",
    ),
    Check(
        "statements explain whatever moved",
        f"""SELECT DISTINCT entry.key AS name, a.owner AS owner FROM entry JOIN line ON line.entry_id = entry.id
        JOIN ledger_account a ON a.id = line.account_id WHERE a.kind IN {PAYABLE} AND entry.kind NOT IN {EXPLAINED}""",
        "{name} moved what {owner} is owed, and no statement says what it was",
    ),
)

CHECK: Final = "nobody is paid more than they were owed"
AT_ONCE: Final = timedelta(minutes=1)  # a refund may be booked in the moment in which a payment is
ACCOUNTS: Final = f"""SELECT a.id AS id, a.kind AS kind, a.owner AS owner, entry.kind AS what, entry.key AS name,
        entry.at AS at, line.amount AS amount
    FROM line JOIN ledger_account a ON a.id = line.account_id JOIN entry ON entry.id = line.entry_id
    WHERE a.kind IN {PAYABLE} AND line.commodity = 'CNY' ORDER BY a.id, line.id"""  # clocks may go back, ids do not


@dataclass
class Owed:
    """What one owner was owed, while their account is read from its first line on."""

    fen: int = 0
    refunds: list[tuple[datetime, int]] = field(default_factory=list)

    def just_taken(self, at: datetime) -> int:
        """Fen that were taken so shortly before that the payment may not have seen it."""
        return sum(fen for when, fen in self.refunds if at - when <= AT_ONCE)


def differences(connection: Connection) -> Iterator[Difference | str]:
    """Each payment against what had settled until then, less refunds and earlier payments."""
    yield CHECK
    for _account, rows in groupby(read(connection, ACCOUNTS), key=itemgetter(0)):
        yield from (Difference(CHECK, words) for words in paid_too_much(rows))


def paid_too_much(rows: Iterator[Row[Any]]) -> Iterator[str]:
    owed = Owed()
    for row in rows:
        at, fen = moment(row.at), int(row.amount)
        if row.what == "payout" and owed.fen + owed.just_taken(at) < fen:
            yield f"{row.name} paid {fen} fen to {row.owner}, who was owed {owed.fen}"
        if row.what == "refund":
            owed.refunds = [(when, taken) for when, taken in owed.refunds if at - when <= AT_ONCE] + [(at, fen)]
        owed.fen -= fen
