"""What waits in suspense of money that came twice lessens what was lost of it to a bank; and guards of beneficiaries anew.

The guards of the database are put up anew after every migration: whom a payment reached can be entered also where it counts
as proved only because all of it came back."""

import secrets
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None

DISPUTED = "(SELECT attempt_id FROM dispute)"
KEYS = f"""SELECT t.id AS id, k.kind || t.public_id AS key FROM attempt t
        CROSS JOIN (SELECT 'surplus:' AS kind UNION ALL SELECT 'dispute_kept:') k WHERE t.id IN {DISPUTED}
    UNION ALL SELECT r.attempt_id, k.kind || r.public_id FROM refund r
        CROSS JOIN (SELECT 'refund:' AS kind UNION ALL SELECT 'refund_failed:') k
        WHERE r.attempt_id IN {DISPUTED} AND r.remote_payment IS NULL
    UNION ALL SELECT d.attempt_id, k.kind || d.public_id FROM dispute d
        CROSS JOIN (SELECT 'dispute_lost:' AS kind UNION ALL SELECT 'dispute_appealed:') k"""
WAITS = "-SUM(CASE WHEN a.kind = 'suspense' THEN line.amount ELSE 0 END)"
LOST = "SUM(CASE WHEN a.kind = 'chargeback_loss' THEN line.amount ELSE 0 END)"
FOUND = f"""SELECT t.book, t.reference, t.currency, MAX(r.public_id) AS refund, {WAITS} AS waits, {LOST} AS lost,
    MAX(CASE WHEN a.kind = 'suspense' THEN a.id END) AS suspense, MAX(CASE WHEN a.kind = 'chargeback_loss' THEN a.id END) AS loss
    FROM attempt t JOIN ({KEYS}) n ON n.id = t.id JOIN entry ON entry.key = n.key
    JOIN line ON line.entry_id = entry.id AND line.commodity = t.currency JOIN ledger_account a ON a.id = line.account_id
    JOIN refund r ON r.id = (SELECT MAX(q.id) FROM refund q WHERE q.attempt_id = t.id AND q.remote_payment IS NULL
        AND q.state = 'failed')
    WHERE EXISTS (SELECT 1 FROM entry s WHERE s.key = 'surplus:' || t.public_id)
    GROUP BY t.id, t.book, t.reference, t.currency HAVING {WAITS} > 0 AND {LOST} > 0 ORDER BY t.id"""
ENTRY = sa.table("entry", *(sa.column(name) for name in ("id", "key", "kind", "book", "reference")))
ENTRY.append_column(sa.column("at", sa.DateTime(timezone=True)))
LINE = sa.table("line", *(sa.column(name) for name in ("entry_id", "account_id", "commodity", "amount")))


def upgrade() -> None:
    """As `netting` does since: `dispute_kept:<the refund that did not arrive>`."""
    connection, now = op.get_bind(), datetime.now(UTC)
    for row in connection.execute(sa.text(FOUND)).all():
        name, fen = secrets.token_hex(8), int(min(row.waits, row.lost))
        about = {"kind": "dispute_kept", "book": row.book, "reference": row.reference, "at": now}
        op.bulk_insert(ENTRY, [{"id": name, "key": f"dispute_kept:{row.refund}", **about}])
        sides = ((row.suspense, fen), (row.loss, -fen))
        whole = {"entry_id": name, "commodity": row.currency}
        op.bulk_insert(LINE, [{**whole, "account_id": account, "amount": amount} for account, amount in sides])


def downgrade() -> None:
    """What was moved in the books stays: entries are for ever."""
