"""What must be true of sponsored students: a sponsor a place, each term set aside, or released on a proof two people saw."""

from typing import Final

from marketplace.auditing.checks import Check

MONTHS: Final = 6  # of gifts in a term
OF_PLACE: Final = "school_term t JOIN student_place p ON p.id = t.place_id"
PAID: Final = "d.state IN ('paying', 'failed', 'paid', 'evidenced')"
LIVING: Final = "sponsorship s ON s.place_id = p.id AND s.state <> 'ended'"

STUDENTS: Final = (
    Check(
        "places follow their sponsors",
        f"""SELECT p.public_id AS name, p.state AS state, COUNT(s.id) AS amount FROM student_place p LEFT JOIN {LIVING}
        GROUP BY p.id, p.public_id, p.state HAVING COUNT(s.id) <> CASE WHEN p.state IN ('held', 'taken') THEN 1 ELSE 0 END
        UNION ALL SELECT p.public_id, p.state, 0 FROM student_place p JOIN {LIVING}
        WHERE (p.state = 'held' AND s.state <> 'begun') OR (p.state = 'taken' AND s.state <> 'active')""",
        "place {name} is {state} with {amount} sponsors, or one who is not so far",
    ),
    Check(
        "sponsors give for their place",
        """SELECT s.public_id AS name, p.month_fen AS owed, l.fen AS amount FROM sponsorship s
        JOIN student_place p ON p.id = s.place_id JOIN plan l ON l.id = s.plan_id
        WHERE l.campaign_id <> p.campaign_id OR (s.state <> 'ended' AND (l.fen <> p.month_fen OR l.state = 'stopped'))
        OR (s.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM installment i WHERE i.plan_id = l.id AND i.state = 'received'))""",
        "sponsorship {name} of a place of {owed} fen a month has a plan of {amount}, of another campaign or over",
    ),
    Check(
        "one place for a student",
        """SELECT MIN(public_id) AS name, COUNT(*) AS amount FROM student_place WHERE state IN ('offered', 'held', 'taken')
        GROUP BY student HAVING COUNT(*) > 1""",
        "the student of place {name} has {amount} of them",
    ),
    Check(
        "terms cost what their place does",
        f"""SELECT t.public_id AS name, p.month_fen * {MONTHS} AS owed, t.fen AS amount FROM {OF_PLACE}
        WHERE t.fen <> p.month_fen * {MONTHS}""",
        "term {name} costs {amount} fen, its place says {owed}",
    ),
    Check(
        "two people saw each enrolment",
        """SELECT t.public_id AS name, t.state AS state FROM school_term t WHERE t.state IN ('enrolled', 'billed')
        AND NOT EXISTS (SELECT 1 FROM enrolment_proof e WHERE e.term_id = t.id AND e.verdict = 'accepted'
        AND e.seen_by IS NOT NULL AND e.seen_by <> e.added_by)
        UNION ALL SELECT t.public_id, t.state FROM school_term t WHERE (t.state = 'proved')
        <> (EXISTS (SELECT 1 FROM enrolment_proof e WHERE e.term_id = t.id AND e.verdict = ''))""",
        "term {name} is {state}, its proofs of enrolment say otherwise",
    ),
    Check(
        "payments to schools are their terms",
        f"""SELECT d.public_id AS name, d.fen AS owed, SUM(t.fen) AS amount FROM {OF_PLACE}
        JOIN disbursement d ON d.id = t.disbursement_id
        GROUP BY d.id, d.public_id, d.fen, d.campaign_id, d.book, d.state HAVING SUM(t.fen) <> d.fen OR d.state = 'rejected'
        OR MIN(p.campaign_id) <> d.campaign_id OR MAX(p.campaign_id) <> d.campaign_id
        OR MIN(t.book) <> d.book OR MAX(t.book) <> d.book""",
        "payment {name} of {owed} fen releases terms of {amount}, or of another campaign or book",
    ),
    Check(
        "what schools got left the campaign's account",
        f"""SELECT d.public_id AS name, SUM(t.fen) AS owed, (SELECT COALESCE(SUM(line.amount), 0) FROM entry
            JOIN line ON line.entry_id = entry.id JOIN ledger_account a ON a.id = line.account_id
            WHERE entry.key = 'disburse:' || d.public_id AND a.kind = 'restricted' AND a.owner = c.public_id) AS amount
        FROM {OF_PLACE} JOIN disbursement d ON d.id = t.disbursement_id JOIN campaign c ON c.id = p.campaign_id
        WHERE {PAID} GROUP BY d.id, d.public_id, c.public_id
        HAVING SUM(t.fen) <> (SELECT COALESCE(SUM(line.amount), 0) FROM entry
            JOIN line ON line.entry_id = entry.id JOIN ledger_account a ON a.id = line.account_id
            WHERE entry.key = 'disburse:' || d.public_id AND a.kind = 'restricted' AND a.owner = c.public_id)""",
        "payment {name} releases terms of {owed} fen, {amount} left the campaign's account",
    ),
    Check(
        "what is set aside lies in the account",
        """SELECT c.public_id AS name, h.fen AS owed, COALESCE(x.fen, 0) AS amount FROM campaign c
        JOIN (SELECT p.campaign_id AS campaign_id, t.book AS book, SUM(t.fen) AS fen FROM school_term t
            JOIN student_place p ON p.id = t.place_id LEFT JOIN disbursement d ON d.id = t.disbursement_id
            WHERE t.state IN ('opened', 'proved', 'enrolled') OR d.state IN ('requested', 'approved')
            GROUP BY p.campaign_id, t.book) h ON h.campaign_id = c.id
        LEFT JOIN (SELECT a.owner AS owner, a.book AS book, SUM(-line.amount) AS fen FROM line
            JOIN ledger_account a ON a.id = line.account_id AND a.kind = 'restricted' GROUP BY a.owner, a.book) x
        ON x.owner = c.public_id AND x.book = h.book
        WHERE h.fen > COALESCE(x.fen, 0) AND NOT EXISTS (SELECT 1 FROM dispute q JOIN attempt a ON a.id = q.attempt_id
            JOIN contribution g ON g.public_id = a.reference WHERE g.campaign_id = c.id)""",
        "campaign {name} has set aside {owed} fen for terms, {amount} lie in its account and no bank took any",
    ),
)
