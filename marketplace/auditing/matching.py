"""What must be true of matching funds: what came in, what gifts got of it and gave back, what is left; and the caps."""

from typing import Final

from marketplace.auditing.checks import Check
from marketplace.auditing.giving import STAYED
from marketplace.auditing.money import LINES, came_to

MOVED: Final = f"""(SELECT entry.key AS key, entry.kind AS kind, a.owner AS owner, a.book AS book, -SUM(line.amount) AS fen
    FROM {LINES} WHERE a.kind = 'matching' GROUP BY entry.id, entry.key, entry.kind, a.owner, a.book)"""
"""What each entry moved into (or, negative, out of) a fund's account."""

MATCHES: Final = """gift_match x JOIN matching_fund f ON f.id = x.fund_id JOIN contribution g ON g.id = x.contribution_id
    JOIN campaign c ON c.id = f.campaign_id"""

BOTH: Final = "'match:' || f.public_id || ':' || g.public_id"
OUT: Final = came_to(BOTH, kind="matching", owner="f.public_id", book="f.book")
IN: Final = came_to(BOTH, kind="restricted", owner="c.public_id", book="f.book")

DISPUTED: Final = """(SELECT a.reference AS reference, SUM(d.fen) AS fen FROM dispute d JOIN attempt a ON a.id = d.attempt_id
    WHERE d.state IN ('needs_response', 'under_review') AND a.state = 'succeeded' AND NOT a.is_surplus
    GROUP BY a.reference)"""

FUNDS: Final = (
    Check(
        "funds' accounts belong to funds",
        """SELECT a.owner AS name, a.book AS book FROM ledger_account a LEFT JOIN matching_fund f
        ON f.public_id = a.owner AND f.book = a.book WHERE a.kind = 'matching' AND f.id IS NULL""",
        "there is no matching fund {name} in the {book} book, but it has an account",
    ),
    Check(
        "funds have what was paid in",
        f"""SELECT f.public_id AS name, f.received_fen AS owed, COALESCE(m.fen, 0) AS amount, COALESCE(p.fen, 0) AS paid
        FROM matching_fund f LEFT JOIN {MOVED} m ON m.key = 'match_in:' || f.public_id AND m.owner = f.public_id
        AND m.book = f.book LEFT JOIN (SELECT reference, book, SUM(fen) AS fen FROM attempt
            WHERE purpose = 'matching_fund' AND state = 'succeeded' AND NOT is_surplus GROUP BY reference, book) p
        ON p.reference = f.public_id AND p.book = f.book
        WHERE f.received_fen <> COALESCE(m.fen, 0) OR (f.received_fen > 0 AND f.received_fen <> COALESCE(p.fen, 0))""",
        "fund {name} says that {owed} fen came in, its sponsor paid {paid}, the books say {amount}",
    ),
    Check(
        "money that came in has a fund",
        f"""SELECT m.key AS name FROM {MOVED} m LEFT JOIN matching_fund f ON m.key = 'match_in:' || f.public_id
        WHERE m.kind = 'match_in' AND f.id IS NULL""",
        "{name} is booked, but there is no such fund",
    ),
    Check(
        "funds' sums are those of the books",
        f"""SELECT f.public_id AS name, f.matched_fen AS matched, f.gone_fen AS gone,
        COALESCE(SUM(CASE WHEN m.kind IN ('match', 'unmatch') THEN -m.fen ELSE 0 END), 0) AS owed,
        COALESCE(SUM(CASE WHEN m.kind IN ('match_in', 'match', 'unmatch') THEN 0 ELSE -m.fen END), 0) AS amount
        FROM matching_fund f LEFT JOIN {MOVED} m ON m.owner = f.public_id AND m.book = f.book
        GROUP BY f.id, f.public_id, f.matched_fen, f.gone_fen
        HAVING COALESCE(SUM(CASE WHEN m.kind IN ('match', 'unmatch') THEN -m.fen ELSE 0 END), 0) <> f.matched_fen
        OR COALESCE(SUM(CASE WHEN m.kind IN ('match_in', 'match', 'unmatch') THEN 0 ELSE -m.fen END), 0) <> f.gone_fen""",
        "fund {name} says that gifts have {matched} fen of it and {gone} are gone, the books say {owed} and {amount}",
    ),
    Check(
        "matches are booked from their fund to its campaign",
        f"""SELECT g.public_id AS name, x.fen AS owed, -{OUT} AS amount, {IN} AS came FROM {MATCHES}
        WHERE -{OUT} <> x.fen OR {IN} <> x.fen""",
        "gift {name} got {owed} fen, {amount} left its fund and {came} came to its campaign",
    ),
    Check(
        "entries of matches have their gift",
        f"""SELECT m.key AS name FROM {MOVED} m LEFT JOIN (SELECT 'match:' || f.public_id || ':' || g.public_id AS key
            FROM {MATCHES}) k ON k.key = m.key WHERE m.kind = 'match' AND k.key IS NULL""",
        "{name} is booked, but no gift got it",
    ),
    Check(
        "matches that came back are booked",
        f"""SELECT t.pair AS name, SUM(t.owed) AS owed, SUM(t.amount) AS amount FROM (
            SELECT f.public_id || ':' || g.public_id AS pair, x.returned_fen AS owed, x.returns AS returns, 0 AS amount,
            0 AS entries FROM {MATCHES}
            UNION ALL SELECT SUBSTR(m.key, 9, 33), 0, 0, m.fen, 1 FROM {MOVED} m WHERE m.kind = 'unmatch') t
        GROUP BY t.pair HAVING SUM(t.owed) <> SUM(t.amount) OR SUM(t.returns) <> SUM(t.entries)""",
        "of the match {name} {owed} fen came back, the books say {amount}; or in other parts",
    ),
    Check(
        "only received gifts of its campaign are matched",
        f"""SELECT g.public_id AS name, f.public_id AS fund, g.state AS state FROM {MATCHES} WHERE g.state <> 'received'
        OR g.campaign_id <> f.campaign_id OR g.book <> f.book OR g.currency <> f.currency""",
        "gift {name} is {state}, of another campaign or of other money, and was matched by {fund}",
    ),
    Check(
        "matches keep the rate and the cap of a gift",
        f"""SELECT g.public_id AS name, x.fen AS amount, g.fen AS gift FROM {MATCHES}
        WHERE x.fen > f.gift_cap_fen OR x.fen * 100 > g.fen * f.rate_percent""",
        "gift {name} of {gift} fen got {amount}, which is more than its fund adds to one",
    ),
    Check(
        "matches keep the cap of a giver",
        """SELECT f.public_id AS name, f.giver_cap_fen AS owed, t.fen AS amount FROM (
            SELECT e.series AS series, e.giver AS giver, SUM(e.fen) AS fen FROM (
                SELECT COALESCE(m.continues_id, m.id) AS series, x.giver AS giver, x.fen - x.returned_fen AS fen
                FROM gift_match x JOIN matching_fund m ON m.id = x.fund_id
                UNION ALL SELECT COALESCE(m.continues_id, m.id), h.giver, h.fen
                FROM held_match h JOIN matching_fund m ON m.id = h.fund_id WHERE h.state IN ('held', 'proposed')) e
            WHERE e.giver <> '' GROUP BY e.series, e.giver) t
        JOIN matching_fund f ON f.id = t.series WHERE t.fen > f.giver_cap_fen""",
        "one giver got {amount} fen of fund {name} and what tops it up, which add at most {owed}",
    ),
    Check(
        "matches are counted for whoever gave",
        f"""SELECT g.public_id AS name, x.giver AS giver FROM {MATCHES} WHERE x.giver NOT LIKE CASE
            WHEN g.person_id IS NOT NULL THEN 'person:' || g.person_id
            WHEN g.contact IS NOT NULL THEN 'contact:%' ELSE '' END
        AND NOT (g.person_id IS NOT NULL AND g.contact IS NOT NULL AND x.giver LIKE 'contact:%')""",
        "the match of gift {name} is counted for {giver}, who did not give it",
    ),
    Check(
        "no fund matches its sponsor",
        f"""SELECT f.public_id AS name, g.public_id AS gift FROM {MATCHES}
        WHERE x.giver = f.contact_key OR g.person_id = f.person_id""",
        "fund {name} matched gift {gift} of its own sponsor",
    ),
    Check(
        "what went back took its match along",
        f"""SELECT g.public_id AS name, x.fen - x.returned_fen AS amount, COALESCE(s.fen, 0) - COALESCE(d.fen, 0) AS stayed
        FROM {MATCHES} LEFT JOIN {STAYED} s ON s.reference = g.public_id LEFT JOIN {DISPUTED} d
        ON d.reference = g.public_id WHERE (x.fen - x.returned_fen - x.spent_fen) * g.fen
        > x.fen * (COALESCE(s.fen, 0) - COALESCE(d.fen, 0))
        AND x.fen > x.returned_fen + x.spent_fen""",
        "of gift {name} {stayed} fen are sure to stay, and it still has {amount} of its match",
    ),
    Check(
        "what is noted as spent was spent",
        """SELECT c.public_id AS name, x.fen AS amount, COALESCE(d.fen, 0) AS owed FROM (
            SELECT f.campaign_id AS campaign_id, f.book AS book, SUM(g.spent_fen) AS fen FROM gift_match g
            JOIN matching_fund f ON f.id = g.fund_id GROUP BY f.campaign_id, f.book) x
        JOIN campaign c ON c.id = x.campaign_id LEFT JOIN (SELECT campaign_id, book, SUM(fen) AS fen FROM disbursement
            WHERE state NOT IN ('requested', 'rejected') GROUP BY campaign_id, book) d
        ON d.campaign_id = x.campaign_id AND d.book = x.book WHERE x.fen > COALESCE(d.fen, 0)""",
        "campaign {name} kept {amount} fen of matches as spent, and has spent {owed}",
    ),
    Check(
        "funds are where their money says",
        """SELECT public_id AS name, state, received_fen AS received,
        received_fen - matched_fen - held_fen - gone_fen AS amount
        FROM matching_fund WHERE NOT CASE state WHEN 'draft' THEN received_fen = 0
            WHEN 'funded' THEN received_fen = total_fen AND matched_fen + held_fen + gone_fen = 0
            WHEN 'active' THEN received_fen = total_fen AND matched_fen + held_fen + gone_fen < received_fen
            WHEN 'exhausted' THEN received_fen = total_fen AND matched_fen + held_fen + gone_fen = received_fen
            ELSE received_fen IN (0, total_fen) END""",
        "fund {name} is {state}, with {received} fen paid in and {amount} left",
    ),
    Check(
        "two people opened each fund",
        """SELECT f.public_id AS name FROM matching_fund f LEFT JOIN event e
        ON e.subject = 'matching_fund:' || f.public_id AND e.from_state = 'funded' AND e.to_state = 'active'
        WHERE (e.id IS NOT NULL OR f.state IN ('active', 'exhausted'))
        AND (f.approver_id IS NULL OR f.approver_id = f.owner_id OR e.actor <> 'person:' || f.approver_id)""",
        "fund {name} was opened by nobody else",
    ),
    Check(
        "rows of matches are those of the books",
        """SELECT r.id AS name, r.kind AS kind FROM public_row r LEFT JOIN entry ON entry.key = r.reference
        LEFT JOIN matching_fund f ON f.public_id = SUBSTR(entry.reference, 1, 16)
        WHERE (r.kind IN ('match', 'unmatch') OR entry.kind IN ('match', 'unmatch'))
        AND (entry.id IS NULL OR entry.kind <> r.kind OR f.id IS NULL OR r.who <> f.sponsor)""",
        "the public row of id {name} is a {kind}, and no fund says so",
    ),
)
