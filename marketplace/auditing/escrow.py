"""Where the money of each place in a presale lies: the pieces of SQL of which checks of presales and of orders are made."""

from typing import Final

PLACES: Final = """(SELECT b.id AS id, b.public_id AS name, b.presale_id AS presale_id, p.public_id AS presale,
        b.state AS state, b.book AS book, b.fen AS fen, b.start_fen AS start_fen, b.order_number AS number,
        s.public_id AS seller, p.station_code AS station, rel.id IS NOT NULL AS released
    FROM backing b JOIN presale p ON p.id = b.presale_id JOIN person s ON s.id = p.seller_id
    LEFT JOIN entry rel ON rel.key = 'release:' || p.public_id || ':' || b.order_number)"""
"""Each place; `released`: its order was sent or refunded, so that its money is held as of any order."""

RELEASED: Final = f"(SELECT number FROM {PLACES} r WHERE released)"

NOT_ORDERED: Final = """(SELECT k.kind || r.public_id FROM refund r
    CROSS JOIN (SELECT 'refund:' AS kind UNION ALL SELECT 'refund_failed:') k
    WHERE r.reason_key LIKE 'presale:%' OR r.reason_key LIKE 'elsewhere:%')"""
"""Entries of refunds of places that never became orders."""

WENT: Final = """(SELECT t.reference AS name FROM attempt t JOIN refund r ON r.attempt_id = t.id AND r.state <> 'failed'
        WHERE t.purpose = 'presale' AND r.reason_key LIKE 'presale:%'
    UNION SELECT t.reference FROM attempt t JOIN refund r ON r.attempt_id = t.id AND r.state <> 'failed' AND r.fen = t.fen
        WHERE t.purpose = 'presale' AND r.reason_key LIKE 'elsewhere:%'
    UNION SELECT SUBSTR(e.key, 14) FROM entry e WHERE e.kind = 'dispute_kept'
    UNION SELECT t.reference FROM attempt t JOIN dispute d ON d.attempt_id = t.id AND d.state = 'lost'
        WHERE t.purpose = 'presale')"""
"""Places whose money is on its way back, with their payer or their payer's bank."""

STAYED: Final = f"""(SELECT * FROM {PLACES} a WHERE a.state = 'confirmed' OR (a.state = 'ordered' AND NOT a.released)
    OR (a.state = 'refunded' AND a.name NOT IN {WENT}))"""
"""Places whose money lies in escrow, but for what was released at the start."""
