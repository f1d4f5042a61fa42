"""What must be true of gifts, of the payments made from them, of receipts, and of the rows that everybody reads."""

from typing import Final

from marketplace.auditing.checks import Check
from marketplace.auditing.money import came_to

RESTRICTED: Final = """(SELECT entry.id AS id, entry.key AS key, entry.kind AS kind, entry.reference AS reference,
        a.owner AS owner, a.book AS book, -SUM(line.amount) AS fen FROM entry JOIN line ON line.entry_id = entry.id
        JOIN ledger_account a ON a.id = line.account_id AND a.kind = 'restricted'
    GROUP BY entry.id, entry.key, entry.kind, entry.reference, a.owner, a.book)"""
"""What each entry moved into (or, negative, out of) a campaign's account."""

STAYED: Final = f"(SELECT m.reference AS reference, SUM(m.fen) AS fen FROM {RESTRICTED} m GROUP BY m.reference)"
"""What was given and not sent back, by gift."""

ON_ITS_WAY: Final = "'paying', 'failed'"
PAID: Final = "'paid', 'evidenced'"

LEFT: Final = came_to("'disburse:' || d.public_id", kind="restricted", owner="c.public_id", book="d.book")
UNDONE: Final = came_to("'disburse_undone:' || d.public_id", kind="restricted", owner="c.public_id", book="d.book")
ARRIVED: Final = """(SELECT COALESCE(SUM(line.amount), 0) FROM entry JOIN line ON line.entry_id = entry.id
    JOIN ledger_account a ON a.id = line.account_id AND a.kind = 'gateway_clearing'
    WHERE entry.key = 'disburse_paid:' || d.public_id AND entry.book = d.book)"""

WAS_THERE: Final = f"""COALESCE((SELECT SUM(m.fen) FROM {RESTRICTED} m WHERE m.owner = c.public_id AND m.book = d.book
    AND m.kind NOT IN ('dispute_lost', 'dispute_appealed', 'unmatch')), 0)"""
"""In a campaign's account, had no bank taken anything back."""

GIFTS: Final = (
    Check(
        "campaigns' accounts belong to campaigns",
        """SELECT a.owner AS name FROM ledger_account a LEFT JOIN campaign c ON c.public_id = a.owner
        WHERE a.kind = 'restricted' AND c.id IS NULL""",
        "there is no campaign {name}, but it has an account",
    ),
    Check(
        "what moved is shown once",
        # both sides in one heap, added up once: joined, PostgreSQL looks through one of them for each row of the other
        f"""SELECT t.key AS name, SUM(t.moved) AS owed, SUM(t.shown) AS amount, SUM(t.number) AS number FROM (
            SELECT entry.key AS key, a.book AS book, a.owner AS owner, -line.amount AS moved, 0 AS shown, 0 AS number,
            1 AS entries FROM entry CROSS JOIN line CROSS JOIN ledger_account a
            WHERE entry.id BETWEEN :first AND :last AND line.entry_id = entry.id AND a.id = line.account_id
            AND a.kind = 'restricted' AND entry.kind <> 'surplus'
            AND NOT (entry.kind = 'disburse' AND EXISTS (SELECT 1 FROM disbursement d
                WHERE d.public_id = SUBSTR(entry.key, 10) AND d.state IN ({ON_ITS_WAY}, 'rejected')))
            AND entry.kind <> 'disburse_undone'
            AND NOT (entry.kind = 'capture' AND EXISTS (SELECT 1 FROM entry back
                WHERE back.key = 'surplus:' || SUBSTR(entry.key, 9)))
            UNION ALL SELECT r.reference, r.book, c.public_id, 0, r.fen, 1, 0
            FROM entry CROSS JOIN public_row r CROSS JOIN campaign c
            WHERE entry.id BETWEEN :first AND :last AND r.reference = entry.key AND c.id = r.campaign_id) t
        GROUP BY t.key, t.book, t.owner
        HAVING SUM(t.entries) > 0 AND (SUM(t.moved) <> SUM(t.shown) OR SUM(t.number) <> 1)""",
        "{name} moved {owed} fen, {number} public rows show {amount}",
        sliced="entry",
    ),
    Check(
        "what is shown moved",
        """SELECT r.reference AS name, r.fen AS amount FROM public_row r JOIN campaign c ON c.id = r.campaign_id
        WHERE NOT EXISTS (SELECT 1 FROM entry JOIN line ON line.entry_id = entry.id
            JOIN ledger_account a ON a.id = line.account_id WHERE entry.key = r.reference AND a.kind = 'restricted'
            AND a.owner = c.public_id AND a.book = r.book)""",
        "a public row shows {amount} fen of {name}, no campaign's account moved by it",
    ),
    Check(
        "gifts received are captured",
        """SELECT g.public_id AS name, g.fen AS owed, -COALESCE(SUM(CASE WHEN a.id > 0 THEN line.amount END), 0) AS amount
        FROM contribution g JOIN campaign c ON c.id = g.campaign_id
        LEFT JOIN entry ON entry.reference = g.public_id AND entry.kind IN ('capture', 'cash')
        AND NOT EXISTS (SELECT 1 FROM entry back WHERE back.key = 'surplus:' || SUBSTR(entry.key, 9))
        LEFT JOIN line ON line.entry_id = entry.id LEFT JOIN ledger_account a
        ON a.id = line.account_id AND a.kind = 'restricted' AND a.owner = c.public_id AND a.book = g.book
        WHERE g.id BETWEEN :first AND :last GROUP BY g.id, g.public_id, g.fen, g.state
        HAVING -COALESCE(SUM(CASE WHEN a.id > 0 THEN line.amount END), 0)
            <> CASE WHEN g.state = 'received' THEN g.fen ELSE 0 END""",
        "gift {name} of {owed} fen: {amount} came into its campaign's account",
        sliced="contribution",
    ),
    Check(
        "payments out are booked",
        f"""SELECT d.public_id AS name, d.fen AS owed, -{LEFT} - {UNDONE} AS amount FROM disbursement d
        JOIN campaign c ON c.id = d.campaign_id
        WHERE -{LEFT} - {UNDONE} <> CASE WHEN d.state IN ({ON_ITS_WAY}, {PAID}) THEN d.fen ELSE 0 END""",
        "payment {name} of {owed} fen: {amount} left its campaign's account",
    ),
    Check(
        "payments that arrived left the gateway",
        f"""SELECT d.public_id AS name, d.fen AS owed, -{ARRIVED} AS amount FROM disbursement d
        WHERE -{ARRIVED} <> CASE WHEN d.state IN ({PAID}) THEN d.fen ELSE 0 END""",
        "payment {name} of {owed} fen: {amount} left the gateway",
    ),
    Check(
        "entries of payments have one",
        """SELECT entry.key AS name FROM entry LEFT JOIN disbursement d
        ON entry.key IN ('disburse:' || d.public_id, 'disburse_paid:' || d.public_id, 'disburse_undone:' || d.public_id)
        WHERE entry.kind IN ('disburse', 'disburse_paid', 'disburse_undone') AND d.id IS NULL""",
        "{name} is booked, but there is no such payment",
    ),
    Check(
        "payouts in transit are on their way",
        f"""SELECT a.book AS book, -SUM(line.amount) AS amount, (SELECT COALESCE(SUM(d.fen), 0) FROM disbursement d
            WHERE d.book = a.book AND d.state IN ({ON_ITS_WAY})) AS owed
        FROM line JOIN ledger_account a ON a.id = line.account_id JOIN entry ON entry.id = line.entry_id
        WHERE a.kind = 'payout_in_transit' AND entry.kind IN ('disburse', 'disburse_paid', 'disburse_undone') GROUP BY a.book
        HAVING -SUM(line.amount) <> (SELECT COALESCE(SUM(d.fen), 0) FROM disbursement d
            WHERE d.book = a.book AND d.state IN ({ON_ITS_WAY}))""",
        "{owed} fen are on their way to providers in the {book} book, the books say {amount}",
    ),
    Check(
        "no more is promised than is there",
        # what a bank took after the promise is missed when it is to be paid, and then it is not (`disbursing.send`)
        f"""SELECT c.public_id AS name, SUM(d.fen) AS owed, {WAS_THERE} AS amount
        FROM disbursement d JOIN campaign c ON c.id = d.campaign_id WHERE d.state = 'approved'
        GROUP BY c.id, c.public_id, d.book HAVING SUM(d.fen) > {WAS_THERE}""",
        "campaign {name} has promised {owed} fen, {amount} are there",
    ),
    Check(
        "two people paid",
        f"""SELECT d.public_id AS name FROM disbursement d WHERE d.state IN ('approved', {ON_ITS_WAY}, {PAID})
        AND (d.approver_id IS NULL OR d.approver_id = d.requester_id)""",
        "payment {name} was approved by nobody else",
    ),
)

RECEIPTS: Final = (
    Check(
        "receipt numbers have no gap",
        """SELECT s.series AS name, s.last AS owed, COUNT(r.id) AS amount, COALESCE(MAX(r.sequence), 0) AS highest
        FROM receipt_series s LEFT JOIN receipt r ON r.series = s.series GROUP BY s.series, s.last
        HAVING COUNT(r.id) <> s.last OR COALESCE(MAX(r.sequence), 0) <> s.last OR COALESCE(MIN(r.sequence), 1) <> 1""",
        "series {name} gave out {owed} numbers; {amount} receipts are there, the highest is {highest}",
    ),
    Check(
        "receipts belong to a series",
        """SELECT r.public_id AS name FROM receipt r LEFT JOIN receipt_series s ON s.series = r.series
        WHERE s.series IS NULL""",
        "receipt {name} is of no series",
    ),
    Check(
        "gifts received got a receipt",
        """SELECT g.public_id AS name FROM contribution g LEFT JOIN receipt r ON r.contribution_id = g.id
        WHERE g.state = 'received' AND r.id IS NULL""",
        "gift {name} was received, and no receipt was ever made out for it",
    ),
    Check(
        "valid receipts say what stayed",
        f"""SELECT g.public_id AS name, SUM(r.fen) AS owed, COALESCE(s.fen, 0) AS amount FROM receipt r
        JOIN contribution g ON g.id = r.contribution_id LEFT JOIN {STAYED} s ON s.reference = g.public_id
        WHERE r.state = 'issued' GROUP BY g.id, g.public_id, s.fen HAVING SUM(r.fen) > COALESCE(s.fen, 0)""",
        "gift {name} has a valid receipt for {owed} fen, {amount} were given and stayed",
    ),
    Check(
        "gifts on years' receipts stayed",
        f"""SELECT g.public_id AS name, i.fen AS owed, COALESCE(s.fen, 0) AS amount FROM receipt r
        JOIN receipt_gift i ON i.receipt = r.public_id JOIN contribution g ON g.id = i.contribution_id
        LEFT JOIN {STAYED} s ON s.reference = g.public_id WHERE r.state = 'issued' AND i.fen > COALESCE(s.fen, 0)""",
        "a year's valid receipt says {owed} fen of gift {name}, {amount} were given and stayed",
    ),
    Check(
        "years' receipts add up",
        """SELECT r.public_id AS name, r.fen AS owed, COALESCE(SUM(i.fen), 0) AS amount FROM receipt r
        LEFT JOIN receipt_gift i ON i.receipt = r.public_id WHERE r.year_id IS NOT NULL
        GROUP BY r.id, r.public_id, r.fen HAVING COALESCE(SUM(i.fen), 0) <> r.fen""",
        "receipt {name} says {owed} fen, its gifts add up to {amount}",
    ),
    Check(
        "gifts stand on one valid receipt",
        """SELECT g.public_id AS name, COUNT(*) AS amount FROM contribution g JOIN (
            SELECT contribution_id FROM receipt WHERE state = 'issued' AND contribution_id IS NOT NULL
            UNION ALL SELECT i.contribution_id FROM receipt_gift i JOIN receipt r ON r.public_id = i.receipt
            WHERE r.state = 'issued') v ON v.contribution_id = g.id GROUP BY g.id, g.public_id HAVING COUNT(*) > 1""",
        "gift {name} stands on {amount} valid receipts",
    ),
    Check(
        "years' receipts list their giver's gifts",
        """SELECT r.public_id AS name, g.public_id AS gift FROM receipt r JOIN receipt_year y ON y.id = r.year_id
        JOIN receipt_gift i ON i.receipt = r.public_id JOIN contribution g ON g.id = i.contribution_id
        JOIN campaign c ON c.id = g.campaign_id WHERE g.person_id <> y.person_id OR (g.person_id IS NULL
            AND NOT EXISTS (SELECT 1 FROM giving_import m WHERE g.created_at < m.begun_at))
        OR g.book <> y.book OR r.book <> y.book OR c.organisation_code <> y.organisation_code""",
        "receipt {name} lists gift {gift} of another giver, organisation or book",
    ),
)

PUBLIC: Final = (
    Check(
        "balances follow the chain",
        """SELECT t.number AS name, t.campaign_fen AS shown, t.campaign AS amount, t.book_fen AS all_shown,
        t.together AS owed FROM (SELECT s.number AS number, s.campaign_fen AS campaign_fen, s.book_fen AS book_fen,
            SUM(r.fen) OVER (PARTITION BY r.book, r.campaign_id ORDER BY s.number) AS campaign,
            SUM(r.fen) OVER (PARTITION BY r.book ORDER BY s.number) AS together
            FROM sealed_row s JOIN public_row r ON r.id = s.row_id) t
        WHERE t.campaign_fen <> t.campaign OR t.book_fen <> t.together""",
        "public row {name} shows balances of {shown} and {all_shown} fen, the rows before it add up to {amount} and {owed}",
    ),
    Check(
        "sealed rows are those of the chain",
        """SELECT COALESCE(seal.number, s.number) AS name FROM seal LEFT JOIN sealed_row s
        ON s.number = seal.number AND s.row_id = seal.record_id WHERE seal.chain = 'public' AND s.number IS NULL
        UNION ALL SELECT s.number FROM sealed_row s JOIN public_row r ON r.id = s.row_id
        WHERE s.kind <> r.kind OR s.book <> r.book OR s.campaign_id <> r.campaign_id OR s.at <> r.at""",
        "public row {name} stands otherwise beside the chain than in it",
    ),
    Check(
        "days add up",
        """SELECT c.public_id AS name, s.rows AS owed, COALESCE(d.rows, 0) AS amount FROM (
            SELECT r.campaign_id AS campaign_id, r.book AS book, COUNT(*) AS rows, SUM(r.fen) AS fen,
            SUM(CASE WHEN r.kind = 'gift' THEN 1 ELSE 0 END) AS gifts,
            SUM(CASE WHEN r.kind IN ('gift', 'match', 'unmatch') THEN r.fen ELSE 0 END) AS received,
            -SUM(CASE WHEN r.kind IN ('disbursement', 'repayment', 'correction') THEN r.fen ELSE 0 END) AS spent
            FROM sealed_row s JOIN public_row r ON r.id = s.row_id GROUP BY r.campaign_id, r.book) s
        JOIN campaign c ON c.id = s.campaign_id LEFT JOIN (
            SELECT campaign_id, book, SUM(rows) AS rows, SUM(gifts) AS gifts, SUM(received_fen) AS received,
            SUM(spent_fen) AS spent, SUM(received_fen - refunded_fen - spent_fen) AS fen FROM ledger_day
            GROUP BY campaign_id, book) d ON d.campaign_id = s.campaign_id AND d.book = s.book
        WHERE COALESCE(d.rows, 0) <> s.rows OR d.gifts <> s.gifts OR d.fen <> s.fen OR d.received <> s.received
        OR d.spent <> s.spent""",
        "campaign {name} has {owed} sealed rows, its days count {amount}; or their sums differ",
    ),
)
