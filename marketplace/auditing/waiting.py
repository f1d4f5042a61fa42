"""What must be true of matches that wait for a person: they move no money, keep what they keep, and are decided by the right
people."""

from typing import Final

from marketplace.auditing.checks import Check

HELD: Final = """held_match h JOIN matching_fund f ON f.id = h.fund_id JOIN contribution g ON g.id = h.contribution_id"""
OPEN: Final = "('held', 'proposed')"

WAITING: Final = (
    Check(
        "funds keep what waits",
        f"""SELECT f.public_id AS name, f.held_fen AS owed, COALESCE(SUM(h.fen), 0) AS amount FROM matching_fund f
        LEFT JOIN held_match h ON h.fund_id = f.id AND h.state IN {OPEN} GROUP BY f.id, f.public_id, f.held_fen
        HAVING f.held_fen <> COALESCE(SUM(h.fen), 0)""",
        "fund {name} keeps {owed} fen for matches that wait, and {amount} wait",
    ),
    Check(
        "a match was made or waits",
        f"""SELECT h.public_id AS name, h.state AS state, h.released_fen AS owed, COALESCE(x.fen, 0) AS amount FROM {HELD}
        LEFT JOIN gift_match x ON x.contribution_id = h.contribution_id
        WHERE COALESCE(x.fen, 0) <> CASE h.state WHEN 'released' THEN h.released_fen ELSE 0 END
        OR (x.id IS NOT NULL AND (x.fund_id <> h.fund_id OR x.giver <> h.giver))""",
        "the match {name} is {state} with {owed} fen released, and its gift got {amount}",
    ),
    Check(
        "what waits keeps the rate and the cap of a gift",
        f"""SELECT h.public_id AS name, h.fen AS amount, g.fen AS gift FROM {HELD} WHERE h.fen > f.gift_cap_fen
        OR h.fen * 100 > g.fen * f.rate_percent OR g.state <> 'received' OR g.campaign_id <> f.campaign_id
        OR g.book <> f.book OR g.currency <> f.currency""",
        "the match {name} of {amount} fen waits for a gift of {gift} fen that may not have it",
    ),
    Check(
        "matches that waited were decided by people",
        f"""SELECT h.public_id AS name, h.state AS state FROM {HELD} LEFT JOIN event e
        ON e.subject = 'held_match:' || h.public_id AND e.to_state = h.state
        LEFT JOIN event p ON p.subject = e.subject AND p.to_state = 'proposed' AND p.id = (SELECT MAX(q.id) FROM event q
            WHERE q.subject = e.subject AND q.to_state = 'proposed')
        WHERE h.state IN ('released', 'denied') AND (e.id IS NULL OR e.actor <> 'person:' || h.decider_id
            OR h.decider_id = g.person_id OR h.decider_id = f.person_id OR h.proposer_id = g.person_id
            OR (h.proposer_id IS NOT NULL AND (p.id IS NULL OR p.actor <> 'person:' || h.proposer_id
                OR h.proposal <> h.state)))""",
        "the match {name} is {state}, and the right people did not decide that",
    ),
    Check(
        "top-ups go on with the terms of their fund",
        """SELECT t.public_id AS name, f.public_id AS fund FROM matching_fund t JOIN matching_fund f ON f.id = t.continues_id
        WHERE f.continues_id IS NOT NULL OR t.campaign_id <> f.campaign_id OR t.book <> f.book
        OR t.currency <> f.currency OR t.rate_percent <> f.rate_percent OR t.gift_cap_fen <> f.gift_cap_fen
        OR t.giver_cap_fen <> f.giver_cap_fen OR t.contact_key <> f.contact_key OR t.id <= f.id""",
        "fund {name} tops up {fund} on other terms",
    ),
)
