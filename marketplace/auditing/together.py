"""What must be true of gifts in cash, of teams, and of goals that a campaign stops at."""

from typing import Final

from marketplace.auditing.checks import Check

DRAWERS: Final = """(SELECT a.owner AS station, a.book AS book, SUM(line.amount) AS fen FROM line
        JOIN ledger_account a ON a.id = line.account_id AND a.kind = 'cash_desk' GROUP BY a.owner, a.book)"""

TOGETHER: Final = (
    Check(
        "drawers hold the gifts taken there",
        f"""SELECT t.station AS name, SUM(t.owed) AS owed, SUM(t.amount) AS amount FROM (
            SELECT k.station_code AS station, g.book AS book, g.fen AS owed, 0 AS amount FROM cash_gift k
            JOIN contribution g ON g.public_id = k.gift WHERE k.returned_at IS NULL AND NOT EXISTS (
                SELECT 1 FROM deposited_gift b WHERE b.gift = k.gift AND b.stands AND b.arrived_at IS NULL)
            UNION ALL SELECT d.station, d.book, 0, d.fen FROM {DRAWERS} d) t
        GROUP BY t.station, t.book HAVING SUM(t.owed) <> SUM(t.amount)""",
        "station {name} took gifts of {owed} fen in cash that are still there, its drawer holds {amount} by the books",
    ),
    Check(
        "gifts in cash are booked at their station",
        """SELECT k.gift AS name FROM cash_gift k LEFT JOIN entry ON entry.key = 'cash:' || k.gift
        LEFT JOIN line ON line.entry_id = entry.id LEFT JOIN ledger_account a ON a.id = line.account_id
        AND a.kind = 'cash_desk' AND a.owner = k.station_code GROUP BY k.gift HAVING COUNT(a.id) <> 1
        UNION ALL SELECT entry.key FROM entry LEFT JOIN cash_gift k
        ON entry.key IN ('cash:' || k.gift, 'cash_refund:' || k.gift)
        WHERE entry.kind IN ('cash', 'cash_refund') AND k.gift IS NULL""",
        "{name}: a gift in cash and the drawer of its station do not belong together",
    ),
    Check(
        "what went back over the counter is booked",
        """SELECT k.gift AS name FROM cash_gift k LEFT JOIN entry ON entry.key = 'cash_refund:' || k.gift
        WHERE (k.returned_at IS NULL) <> (entry.id IS NULL)""",
        "gift {name}: it was given back by the station or by the books, not by both",
    ),
    Check(
        "counted drawers had what the ledger said",
        """SELECT n.station_code AS name, n.day AS day, n.ledger_fen AS shown,
        COALESCE(SUM(CASE WHEN entry.id IS NULL THEN 0 ELSE line.amount END), 0) AS amount
        FROM cash_count n JOIN station_day d ON d.station_code = n.station_code AND d.book = n.book AND d.day = n.day
        LEFT JOIN ledger_account a ON a.owner = n.station_code AND a.book = n.book AND a.kind = 'cash_desk'
        LEFT JOIN line ON line.account_id = a.id LEFT JOIN entry ON entry.id = line.entry_id AND entry.at <= d.until
        GROUP BY n.station_code, n.book, n.day, n.ledger_fen
        HAVING COALESCE(SUM(CASE WHEN entry.id IS NULL THEN 0 ELSE line.amount END), 0) <> n.ledger_fen""",
        "station {name}, {day}: {shown} fen were to be counted, {amount} lay there by the ledger",
    ),
    Check(
        "deposits are their gifts",
        """SELECT d.public_id AS name, d.fen AS owed, COALESCE(SUM(g.fen), 0) AS amount FROM cash_deposit d
        LEFT JOIN deposited_gift b ON b.deposit_id = d.id
        LEFT JOIN cash_gift k ON k.gift = b.gift AND k.station_code = d.station_code
        LEFT JOIN contribution g ON g.public_id = k.gift AND g.book = d.book
        GROUP BY d.id, d.public_id, d.fen, d.state
        HAVING COALESCE(SUM(g.fen), 0) <> d.fen
        OR SUM(CASE WHEN b.stands = (d.state = 'withdrawn') THEN 1 ELSE 0 END) > 0""",
        "deposit {name} of {owed} fen consists of gifts of {amount}, or they have left it",
    ),
    Check(
        "cash on its way was paid in",
        """SELECT t.station AS name, SUM(t.owed) AS owed, SUM(t.amount) AS amount FROM (
            SELECT d.station_code AS station, d.book AS book, d.fen AS owed, 0 AS amount FROM cash_deposit d
            WHERE d.state IN ('paid_in', 'differs')
            UNION ALL SELECT a.owner, a.book, 0, line.amount FROM line JOIN ledger_account a ON a.id = line.account_id
            AND a.kind = 'cash_in_transit') t
        GROUP BY t.station, t.book HAVING SUM(t.owed) <> SUM(t.amount)""",
        "station {name} has {owed} fen on their way to the bank, the books say {amount}",
    ),
    Check(
        "cash in the bank was found there",
        """SELECT t.book AS name, SUM(t.owed) AS owed, SUM(t.amount) AS amount FROM (
            SELECT d.book AS book, d.found_fen AS owed, 0 AS amount FROM cash_deposit d WHERE d.state = 'confirmed'
            UNION ALL SELECT g.book, -g.fen, 0 FROM deposited_gift b JOIN contribution g ON g.public_id = b.gift
            WHERE b.arrived_at IS NOT NULL
            UNION ALL SELECT a.book, 0, line.amount FROM line JOIN ledger_account a ON a.id = line.account_id
            AND a.kind = 'bank_account') t
        GROUP BY t.book HAVING SUM(t.owed) <> SUM(t.amount)""",
        "{owed} fen of cash were found at the bank in the {name} book, the books say {amount}",
    ),
    Check(
        "goals that stop are not passed",
        """SELECT c.public_id AS name, c.goal_fen AS owed, SUM(r.fen) AS amount FROM campaign c
        JOIN public_row r ON r.campaign_id = c.id AND r.kind IN ('gift', 'match', 'unmatch', 'refund')
        WHERE c.past_goal = 'stop' GROUP BY c.id, c.public_id, c.goal_fen, r.book HAVING SUM(r.fen) > c.goal_fen""",
        "campaign {name} was to stop at {owed} fen, {amount} were taken",
    ),
    Check(
        "teams have gifts of their campaign alone",
        """SELECT tg.gift AS name FROM team_gift tg JOIN team t ON t.id = tg.team_id
        JOIN contribution g ON g.public_id = tg.gift WHERE g.campaign_id <> t.campaign_id""",
        "gift {name} is in a team of another campaign",
    ),
)
