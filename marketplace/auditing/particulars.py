"""What stands beside the sums of payments, refunds and disputes: whose it was, and under which number a gateway knows it."""

import json
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import Connection

from marketplace.auditing.checks import Check, Difference, read

PARTICULARS: Final = (
    Check(
        "payments and refunds bear the gateway's number",
        """SELECT m.remote_id AS name, t.remote_id AS ours, m.known_as AS theirs FROM gateway_movement m
        JOIN attempt t ON t.public_id = SUBSTR(m.matched_entry, 9)
        WHERE m.verdict = 'matched' AND m.matched_entry LIKE 'capture:%' AND COALESCE(t.remote_id, '') <> m.known_as
        UNION ALL SELECT m.remote_id, r.remote_id, m.source_id FROM gateway_movement m
        JOIN refund r ON r.public_id = SUBSTR(m.matched_entry, 13)
        WHERE m.verdict = 'matched' AND m.matched_entry LIKE 'refund_done:%' AND COALESCE(r.remote_id, '') <> m.source_id""",
        "movement {name} is of {theirs}, we know that as {ours}",
    ),
    Check(
        "refunds that were made elsewhere say where",
        """SELECT r.public_id AS name FROM refund r WHERE r.reason_key LIKE 'elsewhere:%'
        AND (r.reason_key <> 'elsewhere:' || COALESCE(r.remote_id, '') OR NOT EXISTS (SELECT 1 FROM audit_record a
            WHERE a.subject = 'refund:' || r.public_id AND a.action = 'refund.made_elsewhere'))""",
        "refund {name} was made on the provider's own pages: under which number, or that it was, is not written down",
    ),
    Check(
        "disputes are booked as they are",
        """SELECT d.public_id AS name, d.fen AS owed, d.fee_fen AS fee,
        SUM(CASE WHEN a.kind = 'dispute_receivable' AND line.commodity = d.currency THEN line.amount ELSE 0 END) AS amount
        FROM dispute d JOIN attempt t ON t.id = d.attempt_id JOIN entry e ON e.key = 'dispute:' || d.public_id
        JOIN line ON line.entry_id = e.id JOIN ledger_account a ON a.id = line.account_id
        GROUP BY d.id, d.public_id, d.fen, d.fee_fen, t.reference, e.reference HAVING t.reference <> e.reference
        OR SUM(CASE WHEN a.kind = 'dispute_receivable' AND line.commodity = d.currency THEN line.amount ELSE 0 END) <> d.fen
        OR SUM(CASE WHEN a.kind = 'dispute_fee' AND line.commodity = COALESCE(d.fee_currency, d.currency)
            THEN line.amount ELSE 0 END) <> d.fee_fen""",
        "dispute {name} took {owed} fen and a fee of {fee}, the books say {amount}, another fee, or another payment",
    ),
    Check(
        "what a bank has taken for good is borne",
        """SELECT d.public_id AS name FROM dispute d WHERE d.state = 'lost'
        AND EXISTS (SELECT 1 FROM entry e WHERE e.key = 'dispute:' || d.public_id)
        AND NOT EXISTS (SELECT 1 FROM entry e WHERE e.key IN ('dispute_lost:' || d.public_id, 'dispute_won:' || d.public_id))
        UNION ALL SELECT d.public_id FROM dispute d JOIN entry e ON e.key = 'dispute_lost:' || d.public_id
        WHERE d.state <> 'lost' AND NOT EXISTS (SELECT 1 FROM event v WHERE v.subject = 'dispute:' || d.public_id
            AND v.from_state = 'lost')""",
        "dispute {name}: that it is lost is said, or booked, without the other",
    ),
)

SHARES: Final = "refunds remember whose money they took"
TAKEN: Final = """SELECT r.public_id AS name, r.shares AS shares, a.kind AS kind, a.owner AS owner, line.amount AS amount
    FROM refund r JOIN entry ON entry.key = 'refund:' || r.public_id JOIN line ON line.entry_id = entry.id
    JOIN ledger_account a ON a.id = line.account_id AND a.kind <> 'refund_in_transit' ORDER BY r.id"""
"""If it fails, the same shares go back: they are read from the refund then, not from the entry."""


def differences(connection: Connection) -> Iterator[Difference | str]:
    yield SHARES
    for name, rows in groupby(read(connection, TAKEN), key=attrgetter("name")):
        lines = list(rows)
        taken: Counter[tuple[str, str]] = Counter()
        for line in lines:
            taken[line.kind, line.owner] += line.amount
        if shares_of(lines[0].shares) != {account: fen for account, fen in taken.items() if fen}:
            yield Difference(SHARES, f"refund {name} would give back other shares than it took")


def shares_of(kept: Any) -> dict[tuple[str, str], int]:
    """SQLite gives text, PostgreSQL a list."""
    found = json.loads(kept) if isinstance(kept, str) else kept
    return {(kind, owner): fen for kind, owner, fen in found}
