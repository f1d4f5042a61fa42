"""What must be true of campaigns that are called off or over: they keep no gift that has to go back."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from sqlalchemy import Connection

from marketplace.auditing.checks import Difference, moment, read
from marketplace.core import clock

GOES_BACK: Final = "campaigns that are over keep no gift"
PATIENCE: Final = timedelta(days=1)
KEPT: Final = """SELECT g.public_id AS name, c.state AS state, -SUM(line.amount) AS amount, MAX(entry.at) AS moved_at,
    MAX(e.at) AS at FROM campaign c JOIN event e ON e.subject = 'campaign:' || c.public_id AND e.to_state = '{since}'
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

CALLED_OFF: Final = KEPT.format(since="cancelled", states="'cancelled'", which="")
OVER: Final = KEPT.format(since="reported", states="'reported', 'closed'", which="AND entry.at >= e.at")
"""All was spent when the report came after which nothing was left: what came since has to go."""


def differences(connection: Connection) -> Iterator[Difference | str]:
    yield GOES_BACK
    for which in (CALLED_OFF, OVER):
        for row in read(connection, which):
            if max(moment(row.moved_at), moment(row.at)) < clock.now() - PATIENCE:
                yield Difference(GOES_BACK, f"{row.amount} fen of gift {row.name} stay, though its campaign is {row.state}")
