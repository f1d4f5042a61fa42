"""What must be true of gifts: paid for, in the account of their campaign, and in the public ledger, each once."""

from typing import Final

from marketplace.auditing.checks import Check

GIFTS: Final = (
    Check(
        "received gifts were paid",
        """SELECT c.public_id AS name, c.fen AS owed, COALESCE(SUM(attempt.fen), 0) AS amount FROM contribution c
        LEFT JOIN attempt ON attempt.purpose = 'contribution' AND attempt.reference = c.public_id
        AND attempt.state = 'succeeded' AND NOT attempt.is_surplus AND attempt.book = c.book
        WHERE c.state = 'received' GROUP BY c.id, c.public_id, c.fen HAVING COALESCE(SUM(attempt.fen), 0) <> c.fen""",
        "gift {name} counts as received with {owed} fen, {amount} came",
    ),
    Check(
        "gifts went to their campaign",
        """SELECT c.public_id AS name, c.fen AS owed, COALESCE(-SUM(line.amount), 0) AS amount FROM contribution c
        JOIN campaign ON campaign.id = c.campaign_id
        LEFT JOIN entry ON entry.kind = 'capture' AND entry.reference = c.public_id AND entry.book = c.book
        LEFT JOIN ledger_account a ON a.kind = 'restricted' AND a.owner = campaign.public_id AND a.book = c.book
        LEFT JOIN line ON line.entry_id = entry.id AND line.account_id = a.id
        WHERE c.state = 'received' GROUP BY c.id, c.public_id, c.fen HAVING COALESCE(-SUM(line.amount), 0) <> c.fen""",
        "gift {name} is {owed} fen, its campaign's account got {amount}",
    ),
    Check(
        "restricted money came from gifts",
        """SELECT entry.key AS name FROM entry JOIN line ON line.entry_id = entry.id
        JOIN ledger_account a ON a.id = line.account_id
        LEFT JOIN contribution c ON c.public_id = entry.reference AND c.state = 'received'
        WHERE entry.kind = 'capture' AND a.kind = 'restricted' AND c.id IS NULL""",
        "{name} is in a campaign's account, but no such gift was received",
    ),
    Check(
        "received gifts stand in the public ledger",
        """SELECT c.public_id AS name, c.fen AS owed, COALESCE(SUM(p.fen), 0) AS amount FROM contribution c
        LEFT JOIN attempt ON attempt.purpose = 'contribution' AND attempt.reference = c.public_id
        AND attempt.state = 'succeeded' AND NOT attempt.is_surplus
        LEFT JOIN public_row p ON p.kind = 'gift' AND p.reference = 'capture:' || attempt.public_id
        AND p.campaign_id = c.campaign_id AND p.book = c.book
        WHERE c.state = 'received' GROUP BY c.id, c.public_id, c.fen HAVING COALESCE(SUM(p.fen), 0) <> c.fen""",
        "gift {name} is {owed} fen, the public ledger says {amount}",
    ),
    Check(
        "public refunds are the books'",
        """SELECT p.reference AS name, -p.fen AS owed, COALESCE(SUM(line.amount), 0) AS amount FROM public_row p
        JOIN campaign ON campaign.id = p.campaign_id LEFT JOIN entry ON entry.key = p.reference
        LEFT JOIN ledger_account a ON a.kind = 'restricted' AND a.owner = campaign.public_id
        LEFT JOIN line ON line.entry_id = entry.id AND line.account_id = a.id
        WHERE p.kind IN ('refund', 'return') GROUP BY p.id, p.reference, p.fen
        HAVING COALESCE(SUM(line.amount), 0) <> -p.fen""",
        "the public ledger says {owed} fen for {name}, the books {amount}",
    ),
    Check(
        "refunds of gifts stand in the public ledger",
        """SELECT entry.key AS name FROM entry JOIN line ON line.entry_id = entry.id
        JOIN ledger_account a ON a.id = line.account_id LEFT JOIN public_row p ON p.reference = entry.key
        WHERE entry.kind IN ('refund', 'refund_failed') AND a.kind = 'restricted' AND p.id IS NULL""",
        "{name} moved a campaign's money, the public ledger does not say so",
    ),
)
