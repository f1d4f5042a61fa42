"""What must be true of monthly gifts: each month once, nothing after the stop, few tries, and one gift for each received."""

from typing import Final

from marketplace.auditing.checks import Check

MOST_TRIES: Final = 4
OF_ITS_PLAN: Final = """installment i JOIN plan p ON p.id = i.plan_id JOIN contribution g ON g.id = i.contribution_id"""

PLANS: Final = (
    Check(
        "a month is asked for once",
        """SELECT p.public_id AS name, SUBSTR(CAST(i.period AS TEXT), 1, 7) AS period, COUNT(*) AS amount
        FROM installment i JOIN plan p ON p.id = i.plan_id GROUP BY p.id, p.public_id, SUBSTR(CAST(i.period AS TEXT), 1, 7)
        HAVING COUNT(*) > 1""",
        "plan {name} was asked {amount} times in {period}",
    ),
    Check(
        "months follow the first gift",
        f"""SELECT i.public_id AS name, p.public_id AS plan FROM {OF_ITS_PLAN} WHERE i.period < p.first_on
        OR (CAST(p.next_on AS TEXT) <= CAST(i.period AS TEXT) AND p.state = 'active')""",
        "installment {name} of plan {plan} lies before its first day or after its next one",
    ),
    Check(
        "nothing follows the stop",
        f"""SELECT i.public_id AS name, p.public_id AS plan FROM {OF_ITS_PLAN}
        LEFT JOIN attempt a ON a.purpose = 'installment' AND a.reference = g.public_id AND a.created_at > p.stopped_at
        WHERE p.state = 'stopped' AND i.period > p.first_on AND (i.created_at > p.stopped_at OR a.id IS NOT NULL)""",
        "installment {name} was asked for after plan {plan} had been stopped",
    ),
    Check(
        "a card's end is that of a card",
        """SELECT public_id AS name, state FROM plan
        WHERE (card_ends_on IS NOT NULL AND mandate IS NULL) OR (card_end_told_on IS NOT NULL AND card_ends_on IS NULL)""",
        "plan {name} is {state} and keeps no card, but knows when one ends",
    ),
    Check(
        "few tries",
        f"""SELECT i.public_id AS name, i.charges AS owed, COUNT(e.id) AS amount FROM installment i
        LEFT JOIN event e ON e.subject = 'installment:' || i.public_id AND e.to_state = 'charging' AND e.why LIKE 'try %'
        GROUP BY i.id, i.public_id, i.charges HAVING COUNT(e.id) <> i.charges OR i.charges > {MOST_TRIES}""",
        "installment {name} counts {owed} tries, its events {amount}",
    ),
    Check(
        "one try at a time",
        f"""SELECT later.public_id AS name, i.public_id AS installment FROM {OF_ITS_PLAN}
        JOIN attempt a ON a.purpose = 'installment' AND a.reference = g.public_id
        JOIN attempt later ON later.purpose = 'installment' AND later.reference = g.public_id AND later.id > a.id
        JOIN event e ON e.subject = 'attempt:' || a.public_id AND e.to_state IN ('failed', 'cancelled', 'expired')
        GROUP BY later.id, later.public_id, i.public_id, later.created_at HAVING MAX(e.at) > later.created_at""",
        "installment {installment} was tried again by {name} before the former try had failed",
    ),
    Check(
        "received months are received gifts",
        f"""SELECT i.public_id AS name, i.state AS state, g.state AS gift FROM {OF_ITS_PLAN}
        WHERE (i.state = 'received') <> (g.state = 'received')""",
        "installment {name} is {state}, its gift {gift}",
    ),
    Check(
        "months give to their plan's campaign",
        f"""SELECT i.public_id AS name FROM {OF_ITS_PLAN} WHERE g.campaign_id <> p.campaign_id OR g.book <> p.book
        OR COALESCE(g.person_id, 0) <> COALESCE(p.person_id, 0)""",
        "installment {name} is another campaign's, book's or person's gift",
    ),
    Check(
        "money of a month is a month's",
        """SELECT a.public_id AS name, a.reference AS reference FROM attempt a
        LEFT JOIN contribution g ON g.public_id = a.reference LEFT JOIN installment i ON i.contribution_id = g.id
        WHERE (a.purpose = 'installment' AND i.id IS NULL) OR (a.purpose = 'contribution' AND i.id IS NOT NULL)""",
        "attempt {name} pays {reference}, which is no month of a plan; or it is one, and the attempt says otherwise",
    ),
)
