"""What must be true of what gateways were asked to pay and to take back: against lines of batches and against the books."""

from typing import Final

from marketplace.auditing.checks import Check
from marketplace.auditing.money import LINES

MOVED: Final = f"""(SELECT entry.key AS key, entry.book AS book, entry.reference AS reference, a.kind AS kind,
        a.owner AS owner, SUM(line.amount) AS amount
    FROM {LINES} WHERE entry.kind = 'reversal' GROUP BY entry.key, entry.book, entry.reference, a.kind, a.owner)"""


def came_back(account: str, sign: str) -> str:
    """Reversals whose entry did not move their sum in `account`: all of it once they succeeded, and nothing before."""
    return f"""SELECT r.public_id AS name, r.state AS state, r.fen AS fen, COALESCE(SUM({sign}m.amount), 0) AS amount
        FROM transfer_reversal r JOIN transfer t ON t.id = r.transfer_id JOIN gateway_payee p ON p.id = t.payee_id
        LEFT JOIN {MOVED} m ON m.key = 'reversal:' || r.public_id AND m.book = p.book AND m.reference = t.booked_under
        AND {account} GROUP BY r.id, r.public_id, r.state, r.fen
        HAVING COALESCE(SUM({sign}m.amount), 0) <> CASE WHEN r.state = 'succeeded' THEN r.fen ELSE 0 END"""


TRANSFERS: Final = (
    Check(
        "transfers are lines of batches",
        """SELECT t.public_id AS name, t.fen AS fen, l.public_id AS line FROM transfer t
        JOIN gateway_payee p ON p.id = t.payee_id LEFT JOIN settlement_line l ON l.public_id = t.reference
        LEFT JOIN settlement_batch b ON b.id = l.batch_id AND b.public_id = t.booked_under
        WHERE b.id IS NULL OR b.way <> 'transfer' OR b.gateway <> p.gateway OR l.book <> p.book OR l.fen <> t.fen
        OR l.owner_kind <> p.owner_kind OR l.owner <> p.owner OR l.currency <> t.currency""",
        "transfer {name} of {fen} fen is not what line {line} pays",
    ),
    Check(
        "transfers and their lines go together",
        """SELECT t.public_id AS name, t.state AS state, l.state AS line_state FROM transfer t
        JOIN settlement_line l ON l.public_id = t.reference WHERE l.state <> CASE t.state
            WHEN 'succeeded' THEN 'confirmed' WHEN 'failed' THEN 'returned' ELSE 'sent' END""",
        "transfer {name} is {state}, its line is {line_state}",
    ),
    Check(
        "what has moved is known by the gateway's id",
        """SELECT public_id AS name, state FROM transfer WHERE (state = 'succeeded') <> (remote_id IS NOT NULL)
        UNION ALL SELECT public_id, state FROM transfer_reversal WHERE (state = 'succeeded') <> (remote_id IS NOT NULL)""",
        "{name} is {state}, which does not go with the gateway's id of it",
    ),
    Check(
        "no more is taken back than was sent",
        """SELECT t.public_id AS name, t.fen AS fen, t.state AS state, SUM(r.fen) AS amount FROM transfer t
        JOIN transfer_reversal r ON r.transfer_id = t.id AND r.state <> 'failed'
        GROUP BY t.id, t.public_id, t.fen, t.state HAVING SUM(r.fen) > t.fen OR t.state <> 'succeeded'""",
        "{amount} fen are taken back of transfer {name} of {fen}, which is {state}",
    ),
    Check(
        "what was taken back is at the gateway again",
        came_back("m.kind = 'gateway_clearing' AND m.owner = p.gateway", ""),
        "reversal {name} of {fen} fen is {state}: {amount} came to the gateway",
    ),
    Check(
        "what was taken back is owed no more",
        came_back("m.kind = p.owner_kind || '_payable' AND m.owner = p.owner", "-"),
        "reversal {name} of {fen} fen is {state}: {amount} came to its owner's account",
    ),
    Check(
        "entries of reversals have their reversal",
        """SELECT entry.key AS name FROM entry LEFT JOIN transfer_reversal r ON entry.key = 'reversal:' || r.public_id
        WHERE entry.kind = 'reversal' AND r.id IS NULL""",
        "{name} is booked, but nothing was taken back",
    ),
    Check(
        "reversals have a refund or a late answer",
        """SELECT r.public_id AS name, r.cause AS cause FROM transfer_reversal r
        LEFT JOIN refund ON r.cause = 'refund:' || refund.public_id
        LEFT JOIN transfer t ON r.cause = 'transfer:' || t.public_id WHERE refund.id IS NULL AND t.id IS NULL""",
        "reversal {name} was asked for because of {cause}, which is not there",
    ),
)
