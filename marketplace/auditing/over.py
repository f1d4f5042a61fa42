"""What must be true of campaigns that are called off or over: they keep no gift that has to go back."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from sqlalchemy import Connection

from marketplace.auditing.checks import Difference, moment, read
from marketplace.core import clock

GOES_BACK: Final = "campaigns that are over keep no gift"
PATIENCE: Final = timedelta(days=1)
BY_APPEAL: Final = """AND g.public_id IN (SELECT won.reference FROM entry won WHERE won.kind = 'dispute_appealed')
    AND (entry.kind = 'dispute_appealed' OR (entry.kind IN ('refund', 'refund_failed') AND EXISTS (SELECT 1 FROM refund r
        JOIN attempt t ON t.id = r.attempt_id WHERE t.reference = g.public_id AND r.reason_key LIKE 'campaign:%:appeal:%'
        AND entry.key IN ('refund:' || r.public_id, 'refund_failed:' || r.public_id))))"""
"""Only what a bank gave back to a campaign, and its way to the giver."""

KEPT: Final = """SELECT g.public_id AS name, c.state AS state, -SUM(line.amount) AS amount, MAX(entry.at) AS moved_at,
    MAX(e.at) AS at FROM campaign c JOIN event e ON e.subject = 'campaign:' || c.public_id AND e.to_state = c.state
    JOIN contribution g ON g.campaign_id = c.id JOIN entry ON entry.reference = g.public_id
    JOIN line ON line.entry_id = entry.id
    JOIN ledger_account a ON a.id = line.account_id AND a.kind = 'restricted' AND a.owner = c.public_id
    WHERE c.state IN ({states}) {which}
    AND NOT EXISTS (SELECT 1 FROM cash_gift k WHERE k.gift = g.public_id)
    AND NOT EXISTS (SELECT 1 FROM attempt t JOIN refund r ON r.attempt_id = t.id
        WHERE t.reference = g.public_id AND r.state = 'failed')
    AND NOT EXISTS (SELECT 1 FROM attempt t JOIN dispute d ON d.attempt_id = t.id
        WHERE t.reference = g.public_id AND d.state IN ('needs_response', 'under_review'))
    GROUP BY g.public_id, c.state HAVING SUM(line.amount) < 0"""
"""Cash waits in its drawer, what a refund did not bring waits for a person, what a bank disputes for the bank."""

CALLED_OFF: Final = KEPT.format(states="'cancelled'", which="")
OVER: Final = KEPT.format(states="'reported', 'closed'", which=BY_APPEAL)


def differences(connection: Connection) -> Iterator[Difference | str]:
    yield GOES_BACK
    for which in (CALLED_OFF, OVER):
        for row in read(connection, which):
            if max(moment(row.moved_at), moment(row.at)) < clock.now() - PATIENCE:
                yield Difference(GOES_BACK, f"{row.amount} fen of gift {row.name} stay, though its campaign is {row.state}")
