"""What must be true of the books and of what gateways told us."""

from typing import Final

from marketplace.auditing.checks import Check
from marketplace.ledger.accounts import NEVER_IN_DEBIT

LINES: Final = """entry JOIN line ON line.entry_id = entry.id JOIN ledger_account a ON a.id = line.account_id"""
BALANCES: Final = """(SELECT known.account_id AS account_id, known.commodity AS commodity, (SELECT SUM(line.amount) FROM line
        WHERE line.account_id = known.account_id AND line.commodity = known.commodity) AS amount
    FROM (SELECT DISTINCT account_id, commodity FROM line) known)"""
"""What stands in each account, added up where it lies: SQLite would sort all lines in memory to group them."""
WHO: Final = "CASE WHEN a.kind LIKE 'seller%' THEN 'seller' ELSE 'station' END"  # whose account it is
LIABILITIES: Final = ", ".join(f"'{kind}'" for kind in sorted(NEVER_IN_DEBIT))


def came_to(key: str, *, kind: str, owner: str, book: str) -> str:
    """What the entry of that key moved into an account, looked up: where few ask, joining sums of all entries is dear."""
    return f"""(SELECT COALESCE(-SUM(line.amount), 0) FROM {LINES} WHERE entry.key = {key}
        AND a.kind = '{kind}' AND a.owner = {owner} AND a.book = {book})"""


DISPUTED: Final = """(SELECT p.id AS id, p.public_id AS public_id, p.remote_id AS remote_id FROM attempt p
    WHERE (p.id IN (SELECT d.attempt_id FROM dispute d)
        OR p.id IN (SELECT r.attempt_id FROM refund r WHERE r.reason_key LIKE 'elsewhere:%'))
    AND (p.state = 'quarantine' OR EXISTS (SELECT 1 FROM entry s WHERE s.key = 'surplus:' || p.public_id)))"""
"""Payments that nobody could use, and that a bank disputed, or somebody sent back on the provider's own pages."""

OF_NOBODY: Final = f"""(SELECT t.id AS id, 'surplus:' || t.public_id AS key FROM {DISPUTED} t
    UNION SELECT t.id, 'suspense:' || t.remote_id FROM {DISPUTED} t
    UNION SELECT t.id, 'dispute_kept:' || t.public_id FROM {DISPUTED} t
    UNION SELECT t.id, k.kind || r.public_id FROM {DISPUTED} t JOIN refund r ON r.attempt_id = t.id
        AND (r.remote_payment IS NULL OR r.remote_payment = t.remote_id)
        CROSS JOIN (SELECT 'refund:' AS kind UNION SELECT 'refund_failed:' UNION SELECT 'dispute_kept:') k
    UNION SELECT t.id, k.kind || d.public_id FROM {DISPUTED} t JOIN dispute d ON d.attempt_id = t.id
        CROSS JOIN (SELECT 'dispute_lost:' AS kind UNION SELECT 'dispute_appealed:') k)"""
"""The keys of the entries that moved such a payment through suspense, or through the province's loss."""

WAITS: Final = "-SUM(CASE WHEN a.kind = 'suspense' THEN line.amount ELSE 0 END)"
LOST: Final = "SUM(CASE WHEN a.kind = 'chargeback_loss' THEN line.amount ELSE 0 END)"

BOOKS: Final = (
    Check(
        "trial balance",
        f"""SELECT a.book AS book, b.commodity AS commodity, SUM(b.amount) AS amount FROM {BALANCES} b
        JOIN ledger_account a ON a.id = b.account_id GROUP BY a.book, b.commodity HAVING SUM(b.amount) <> 0""",
        "the {book} book is off by {amount} {commodity}",
    ),
    Check(
        "entries balance",
        """SELECT entry.key AS name, line.commodity AS commodity, SUM(line.amount) AS amount FROM entry
        JOIN line ON line.entry_id = entry.id WHERE EXISTS (SELECT 1 FROM line l WHERE l.entry_id = entry.id
            GROUP BY l.commodity HAVING SUM(l.amount) <> 0)
        GROUP BY entry.id, entry.key, line.commodity HAVING SUM(line.amount) <> 0""",
        "entry {name} is off by {amount} {commodity}",
    ),
    Check(
        "lines have entries",
        "SELECT line.id AS name FROM line LEFT JOIN entry ON entry.id = line.entry_id WHERE entry.id IS NULL",
        "line {name} belongs to no entry",
    ),
    Check(
        "entries have lines",
        "SELECT entry.key AS name FROM entry LEFT JOIN line ON line.entry_id = entry.id WHERE line.id IS NULL",
        "entry {name} moves nothing",
    ),
    Check(
        "books do not mix",
        f"SELECT entry.key AS name FROM {LINES} WHERE a.book <> entry.book",
        "entry {name} mixes test and live money",
    ),
    Check(
        "no account is overdrawn",
        f"""SELECT a.kind AS kind, a.owner AS owner, a.book AS book, b.amount AS amount, b.commodity AS commodity
        FROM {BALANCES} b JOIN ledger_account a ON a.id = b.account_id WHERE a.kind IN ({LIABILITIES}) AND b.amount > 0""",
        "{kind} of {owner} in the {book} book is overdrawn by {amount} {commodity}",
    ),
    Check(
        "nothing is left in clearing",
        """SELECT o.number AS name, SUM(line.amount) AS amount
        FROM "order" o CROSS JOIN entry CROSS JOIN line CROSS JOIN ledger_account a
        WHERE o.id BETWEEN :first AND :last AND entry.reference = o.number AND line.entry_id = entry.id
        AND a.id = line.account_id AND a.kind = 'buyer_clearing'
        AND NOT EXISTS (SELECT 1 FROM account_order t WHERE t.order_id = o.id)
        GROUP BY o.number, a.book, line.commodity HAVING SUM(line.amount) <> 0""",
        "{amount} fen of {name} were neither allocated nor sent back",
        sliced='"order"',
    ),
    Check(
        "nothing is left in clearing",  # of what institutions pay by statement, and of what belongs to no order
        f"""SELECT COALESCE(s.public_id, entry.reference) AS name, SUM(line.amount) AS amount FROM {LINES}
        LEFT JOIN "order" o ON o.number = entry.reference LEFT JOIN account_order t ON t.order_id = o.id
        LEFT JOIN account_statement s ON s.id = t.statement_id
        WHERE a.kind = 'buyer_clearing' AND (o.id IS NULL OR t.order_id IS NOT NULL)
        GROUP BY COALESCE(s.public_id, entry.reference), a.book, line.commodity HAVING SUM(line.amount) <> 0""",
        "{amount} fen of {name} were neither allocated nor sent back",
    ),
)

GATEWAYS: Final = (
    Check(
        "attempts are captured once",
        """SELECT attempt.public_id AS name, attempt.fen AS owed, COALESCE(SUM(line.amount), 0) AS amount FROM attempt
        LEFT JOIN entry ON entry.key = 'capture:' || attempt.public_id AND entry.book = attempt.book
        LEFT JOIN ledger_account a ON a.kind = 'gateway_clearing' AND a.owner = attempt.gateway AND a.book = attempt.book
        LEFT JOIN line ON line.entry_id = entry.id AND line.account_id = a.id AND line.commodity = attempt.currency
        WHERE attempt.state = 'succeeded' GROUP BY attempt.id, attempt.public_id, attempt.fen
        HAVING COALESCE(SUM(line.amount), 0) <> attempt.fen""",
        "attempt {name} took {owed} fen, the books say {amount}",
    ),
    Check(
        "captures have attempts",
        """SELECT entry.key AS name FROM entry LEFT JOIN attempt
        ON attempt.public_id = SUBSTR(entry.key, 9) AND attempt.state = 'succeeded'
        WHERE entry.kind = 'capture' AND attempt.id IS NULL""",
        "{name} is booked, but nobody paid",
    ),
    Check(
        "one payment is used",
        """SELECT attempt.purpose || ' ' || attempt.reference AS name, COUNT(*) AS amount FROM attempt
        WHERE attempt.state = 'succeeded' AND NOT attempt.is_surplus AND EXISTS (SELECT 1 FROM attempt other
            WHERE other.reference = attempt.reference AND other.purpose = attempt.purpose AND other.id <> attempt.id
            AND other.state = 'succeeded' AND NOT other.is_surplus)
        GROUP BY attempt.purpose, attempt.reference""",
        "{name} was paid {amount} times, and none of it is marked as surplus",
    ),
    Check(
        "surplus goes back",
        # where one of its refunds failed the rest is in suspense again: "failed refunds are owed again" looks after that
        """SELECT attempt.public_id AS name, attempt.fen AS owed,
        COALESCE(SUM(refund.fen) FILTER (WHERE refund.state <> 'failed'), 0) AS amount
        FROM attempt LEFT JOIN refund ON refund.attempt_id = attempt.id
        WHERE attempt.state = 'succeeded' AND attempt.is_surplus
            AND NOT EXISTS (SELECT 1 FROM dispute d WHERE d.attempt_id = attempt.id AND d.state = 'lost')
        GROUP BY attempt.id, attempt.public_id, attempt.fen
        HAVING COALESCE(SUM(refund.fen) FILTER (WHERE refund.state <> 'failed'), 0) <> attempt.fen
            AND (COUNT(refund.id) FILTER (WHERE refund.state = 'failed') = 0
                OR SUM(refund.fen) FILTER (WHERE refund.state <> 'failed') > attempt.fen)""",
        "attempt {name} brought {owed} fen too many, {amount} go back",
    ),
    Check(
        "what a bank gave back of nobody's money is borne by what waits of it",
        f"""SELECT t.public_id AS name, {WAITS} AS waits, {LOST} AS lost FROM {OF_NOBODY} n JOIN attempt t ON t.id = n.id
        JOIN entry ON entry.key = n.key JOIN line ON line.entry_id = entry.id AND line.commodity = t.currency
        JOIN ledger_account a ON a.id = line.account_id GROUP BY t.id, t.public_id
        HAVING {WAITS} < 0 OR {LOST} < 0 OR ({WAITS} > 0 AND {LOST} > 0)""",
        "of attempt {name} {waits} fen wait in suspense, and the province lost {lost} of it",
    ),
    Check(
        "no more goes back than came",
        """SELECT attempt.public_id AS name, attempt.fen AS owed, SUM(refund.fen) AS amount FROM refund
        JOIN attempt ON attempt.id = refund.attempt_id WHERE refund.state <> 'failed' AND refund.remote_payment IS NULL
        GROUP BY attempt.id, attempt.public_id, attempt.fen HAVING SUM(refund.fen) > attempt.fen""",
        "attempt {name} took {owed} fen, {amount} go back",
    ),
    Check(
        "refunds are booked",
        """SELECT refund.public_id AS name, refund.fen AS owed, COALESCE(-SUM(line.amount), 0) AS amount FROM refund
        LEFT JOIN entry ON entry.key = 'refund:' || refund.public_id
        LEFT JOIN (line JOIN ledger_account a ON a.id = line.account_id AND a.kind = 'refund_in_transit')
        ON line.entry_id = entry.id AND line.commodity = refund.currency GROUP BY refund.id, refund.public_id, refund.fen
        HAVING COALESCE(-SUM(line.amount), 0) <> refund.fen""",
        "refund {name} is {owed} fen, the books say {amount}",
    ),
    Check(
        "refunds that arrived left the gateway",
        """SELECT refund.public_id AS name, refund.fen AS owed, COALESCE(-SUM(line.amount), 0) AS amount FROM refund
        LEFT JOIN entry ON entry.key = 'refund_done:' || refund.public_id
        LEFT JOIN (line JOIN ledger_account a ON a.id = line.account_id AND a.kind = 'gateway_clearing')
        ON line.entry_id = entry.id WHERE refund.state = 'succeeded' GROUP BY refund.id, refund.public_id, refund.fen
        HAVING COALESCE(-SUM(line.amount), 0) <> refund.fen""",
        "refund {name} of {owed} fen arrived, the books say {amount} left",
    ),
    Check(
        "failed refunds are owed again",
        """SELECT refund.public_id AS name, a.kind AS kind, a.owner AS owner, SUM(line.amount) AS amount FROM refund
        JOIN entry ON entry.key IN ('refund:' || refund.public_id, 'refund_failed:' || refund.public_id)
        JOIN line ON line.entry_id = entry.id JOIN ledger_account a ON a.id = line.account_id
        WHERE refund.state = 'failed' AND a.kind NOT IN ('refund_in_transit', 'gateway_clearing')
        GROUP BY refund.id, refund.public_id, a.kind, a.owner HAVING SUM(line.amount) <> 0""",
        "refund {name} failed, but {amount} fen are missing in {kind} of {owner}",
    ),
    Check(
        "what is in transit is on its way",
        """SELECT r.book AS book, r.owed AS owed, COALESCE(b.amount, 0) AS amount FROM (
            SELECT attempt.book AS book, SUM(CASE WHEN refund.state IN ('succeeded', 'failed') THEN 0 ELSE refund.fen END)
            AS owed FROM refund JOIN attempt ON attempt.id = refund.attempt_id GROUP BY attempt.book) r
        LEFT JOIN (SELECT a.book AS book, -SUM(line.amount) AS amount FROM line
            JOIN ledger_account a ON a.id = line.account_id WHERE a.kind = 'refund_in_transit' GROUP BY a.book) b
        ON b.book = r.book WHERE COALESCE(b.amount, 0) <> r.owed""",
        "{owed} fen of refunds in the {book} book are on their way, the books say {amount}",
    ),
    Check(
        "clearing is what was taken less what went back",
        """SELECT g.gateway AS name, g.owed AS owed, COALESCE(b.amount, 0) AS amount FROM (
            SELECT k.gateway AS gateway, k.book AS book,
            (SELECT COALESCE(SUM(t.fen), 0) FROM attempt t WHERE t.gateway = k.gateway AND t.book = k.book
                AND t.state = 'succeeded')
            - (SELECT COALESCE(SUM(r.fen), 0) FROM refund r JOIN attempt t ON t.id = r.attempt_id
                WHERE t.gateway = k.gateway AND t.book = k.book AND r.state = 'succeeded') AS owed
            FROM (SELECT DISTINCT gateway, book FROM attempt) k) g
        LEFT JOIN (SELECT a.owner AS owner, a.book AS book, SUM(line.amount) AS amount
            FROM ledger_account a CROSS JOIN line CROSS JOIN entry WHERE a.kind = 'gateway_clearing'
            AND line.account_id = a.id AND entry.id = line.entry_id
            AND entry.kind IN ('capture', 'refund_done', 'refund_failed')
            GROUP BY a.kind, a.owner, a.book) b
        ON b.owner = g.gateway AND b.book = g.book WHERE COALESCE(b.amount, 0) <> g.owed""",
        "{owed} fen should be at {name}, the books say {amount}",
    ),
)
