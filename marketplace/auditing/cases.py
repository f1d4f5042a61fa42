"""What must be true of after-sales cases: each has what its end says, asks for what was bought, and stops settling."""

from typing import Final

from marketplace.auditing.checks import Check

SHARES: Final = """(SELECT c.public_id AS name, c.refund_public_id AS refund, a.bearer AS bearer,
        l.seller_public_id AS seller, p.station_code AS station,
        rl.goods_fen - rl.service_fee_fen - rl.seller_discount_fen AS seller_fen,
        rl.service_fee_fen + rl.shipping_fen AS station_fen, r.state AS state
    FROM after_sales_case c JOIN refund r ON r.public_id = c.refund_public_id
    JOIN refund_line rl ON rl.refund_public_id = r.public_id JOIN order_line l ON l.id = rl.order_line_id
    JOIN parcel p ON p.id = l.parcel_id LEFT JOIN case_appeal a ON a.case_id = c.id)"""
"""Whose the money of each case's refund had been, and who was to bear it."""

LOST_EXCHANGE: Final = """EXISTS (SELECT 1 FROM after_sales_case x JOIN "order" o ON o.number = x.exchange_number
    JOIN parcel q ON q.order_id = o.id JOIN event e ON e.subject = 'parcel:' || q.public_id AND e.to_state = 'lost'
    WHERE x.public_id = s.name)"""

BORNE_BY: Final = f"""(SELECT s.name AS name, s.refund AS refund, s.state AS state, s.seller AS seller, s.station AS station,
        COALESCE(s.bearer, CASE WHEN {LOST_EXCHANGE} THEN 'station' ELSE 'each' END) AS bearer, s.seller_fen, s.station_fen
    FROM {SHARES} s)"""

BORNE: Final = f"""(SELECT name, refund, state, 'seller_payable' AS kind, seller AS owner,
        CASE bearer WHEN 'seller' THEN station_fen WHEN 'each' THEN 0 ELSE -seller_fen END AS fen FROM {BORNE_BY} b
    UNION ALL SELECT name, refund, state, 'station_payable', station,
        CASE bearer WHEN 'station' THEN seller_fen WHEN 'each' THEN 0 ELSE -station_fen END FROM {BORNE_BY} b
    UNION ALL SELECT name, refund, state, 'operating_grant', 'province',
        CASE bearer WHEN 'platform' THEN seller_fen + station_fen ELSE 0 END FROM {BORNE_BY} b)"""
"""What the decision of the province moves in each account, debit positive."""

BOOKED: Final = """(SELECT SUBSTR(entry.key, LENGTH(entry.kind) + 2) AS refund, entry.kind AS entry_kind, a.kind AS kind,
        a.owner AS owner, SUM(line.amount) AS fen FROM entry JOIN line ON line.entry_id = entry.id
        JOIN ledger_account a ON a.id = line.account_id WHERE entry.kind IN ('case_borne', 'case_borne_failed')
    GROUP BY entry.key, entry.kind, a.kind, a.owner)"""

BY_BANK: Final = """(SELECT c.public_id AS name, c.returned_quantity AS units, l.unit_price_fen AS price,
        l.shipping_fen AS shipping, l.unit_service_fee_fen AS fee, l.seller_public_id AS seller,
        l.seller_discount_fen AS seller_off, l.platform_discount_fen + l.shipping_discount_fen AS province_off,
        p.station_code AS station, o.number AS number,
        COALESCE(a.bearer, 'each') AS bearer, EXISTS (SELECT 1 FROM refund_line rl WHERE rl.order_line_id = l.id
            AND rl.quantity = 0) AS is_off_price
    FROM after_sales_case c JOIN order_line l ON l.id = c.order_line_id JOIN parcel p ON p.id = l.parcel_id
    JOIN "order" o ON o.id = p.order_id LEFT JOIN case_appeal a ON a.case_id = c.id WHERE c.is_paid_by_bank)"""
"""Cases whose money the buyer's bank has given back, with whose the goods' money was."""

KEPT: Final = """(SELECT SUBSTR(entry.key, 14) AS name,
        SUM(CASE WHEN a.kind = 'chargeback_loss' THEN -line.amount ELSE 0 END) AS total,
        SUM(CASE WHEN a.kind = 'seller_payable' THEN line.amount ELSE 0 END) AS of_sellers,
        SUM(CASE WHEN a.kind = 'station_payable' THEN line.amount ELSE 0 END) AS of_stations,
        SUM(CASE WHEN a.kind = 'operating_grant' THEN line.amount ELSE 0 END) AS of_province,
        MAX(CASE WHEN a.kind = 'seller_payable' THEN a.owner END) AS seller,
        MAX(CASE WHEN a.kind = 'station_payable' THEN a.owner END) AS station, entry.reference AS number
    FROM entry JOIN line ON line.entry_id = entry.id JOIN ledger_account a ON a.id = line.account_id
    WHERE entry.kind = 'dispute_kept' GROUP BY entry.key, entry.reference)"""
"""What lessened a lost dispute's loss, by the parcel, payment or case that it was kept for."""

CASES: Final = (
    Check(
        "refunded cases have their refund",
        """SELECT c.public_id AS name FROM after_sales_case c LEFT JOIN case_appeal a ON a.case_id = c.id
        LEFT JOIN refund_line rl ON rl.refund_public_id = c.refund_public_id AND rl.order_line_id = c.order_line_id
        AND rl.quantity = CASE WHEN COALESCE(c.spoiled_grams, c.spoiled_pieces) IS NULL
            THEN COALESCE(c.returned_quantity, c.quantity) ELSE 0 END
        WHERE (c.state = 'refunded' OR a.state = 'granted' OR c.refund_public_id IS NOT NULL)
        AND NOT c.is_paid_by_bank AND rl.refund_public_id IS NULL""",
        "case {name} is refunded, but no refund gives its units back",
    ),
    Check(
        "what is bad in part is paid for in part",
        """SELECT c.public_id AS name, COALESCE(c.spoiled_grams, c.spoiled_pieces) AS owed, rl.goods_fen AS amount
        FROM after_sales_case c
        JOIN order_line l ON l.id = c.order_line_id JOIN refund_line rl ON rl.refund_public_id = c.refund_public_id
        WHERE COALESCE(c.spoiled_grams, c.spoiled_pieces) IS NOT NULL AND (rl.shipping_fen <> 0
            OR COALESCE(c.spoiled_grams, c.spoiled_pieces)
                >= CAST(c.quantity AS BIGINT) * COALESCE(c.pieces_of_pack, l.net_weight_grams)
            OR CAST(rl.goods_fen AS BIGINT) * COALESCE(c.pieces_of_pack, l.net_weight_grams)
                > CAST(l.unit_price_fen AS BIGINT) * COALESCE(c.spoiled_grams, c.spoiled_pieces))""",
        "case {name}: {owed} (grams or pieces) were bad, {amount} fen are more than they cost, or its packs hold less",
    ),
    Check(
        "refunds of cases have their case",
        """SELECT r.public_id AS name FROM refund r LEFT JOIN after_sales_case c ON c.refund_public_id = r.public_id
        AND r.reason_key = 'case:' || c.public_id WHERE r.reason_key LIKE 'case:%' AND c.id IS NULL""",
        "refund {name} says that it belongs to a case, but none says so",
    ),
    Check(
        "exchanged cases have their order",
        """SELECT c.public_id AS name FROM after_sales_case c LEFT JOIN "order" o
        ON o.number = c.exchange_number AND o.is_exchange WHERE c.state = 'exchanged' AND o.id IS NULL""",
        "case {name} is exchanged, but there is no order that sends anything",
    ),
    Check(
        "only exchanges are free",
        """SELECT o.number AS name, o.total_fen AS amount FROM "order" o
        LEFT JOIN after_sales_case c ON c.exchange_number = o.number AND c.state = 'exchanged'
        WHERE (o.is_exchange OR o.total_fen = 0) AND (c.id IS NULL OR o.total_fen <> 0 OR NOT o.is_exchange)
        UNION ALL SELECT o.number, l.unit_price_fen FROM order_line l JOIN parcel p ON p.id = l.parcel_id
        JOIN "order" o ON o.id = p.order_id WHERE l.unit_price_fen = 0 AND NOT o.is_exchange""",
        "order {name} costs {amount} fen, and no case was exchanged for it",
    ),
    Check(
        "exchanges send what came back",
        """SELECT c.public_id AS name, COALESCE(c.returned_quantity, 0) AS owed, COALESCE(SUM(n.quantity), 0) AS amount
        FROM after_sales_case c JOIN order_line l ON l.id = c.order_line_id JOIN "order" o ON o.number = c.exchange_number
        LEFT JOIN parcel p ON p.order_id = o.id LEFT JOIN order_line n ON n.parcel_id = p.id
        AND n.variant_code = l.variant_code AND n.seller_public_id = l.seller_public_id
        GROUP BY c.id, c.public_id, c.returned_quantity
        HAVING COALESCE(SUM(n.quantity), 0) <> COALESCE(c.returned_quantity, 0)""",
        "of case {name} {owed} came back, {amount} were sent instead",
    ),
    Check(
        "cases ask for no more than was bought",
        """SELECT l.public_id AS name, l.quantity AS owed,
        SUM(COALESCE(c.returned_quantity, c.quantity)) AS amount FROM after_sales_case c
        JOIN order_line l ON l.id = c.order_line_id WHERE c.refund_public_id IS NULL
        AND (c.state IN ('requested', 'approved', 'goods_returned', 'exchanged') OR c.is_paid_by_bank)
        GROUP BY l.id, l.public_id, l.quantity HAVING SUM(COALESCE(c.returned_quantity, c.quantity)) > l.quantity""",
        "line {name} has {owed} units, open and exchanged cases are about {amount}",
    ),
    Check(
        "cases are about goods of their parcel",
        """SELECT c.public_id AS name FROM after_sales_case c JOIN order_line l ON l.id = c.order_line_id
        JOIN parcel p ON p.id = l.parcel_id WHERE c.parcel_id <> l.parcel_id OR p.delivered_at IS NULL""",
        "case {name} is about a line of another parcel, or of one that never arrived",
    ),
    Check(
        "open cases stop their parcel",
        """SELECT c.public_id AS name, p.public_id AS parcel FROM after_sales_case c JOIN parcel p ON p.id = c.parcel_id
        JOIN event born ON born.subject = 'after_sales_case:' || c.public_id AND born.from_state = ''
        JOIN event settled ON settled.subject = 'parcel:' || p.public_id AND settled.to_state = 'settled'
        WHERE c.state IN ('requested', 'approved', 'goods_returned') AND settled.id > born.id""",
        "case {name} is open, but its parcel {parcel} was settled meanwhile",
    ),
    Check(
        "what banks have refunded is borne as a refund would be",
        f"""SELECT b.name AS name, b.price * b.units AS owed, COALESCE(k.total, 0) AS amount FROM {BY_BANK} b
        LEFT JOIN {KEPT} k ON k.name = b.name AND k.number = b.number
        AND COALESCE(k.seller, b.seller) = b.seller AND COALESCE(k.station, b.station) = b.station
        WHERE k.name IS NULL OR k.total > b.price * b.units + b.shipping
        OR (NOT b.is_off_price AND k.total < b.price * b.units - b.seller_off - b.province_off)
        OR k.total <> k.of_sellers + k.of_stations + k.of_province
        OR (b.bearer = 'platform' AND k.of_province <> k.total)
        OR (b.bearer <> 'platform' AND k.of_province NOT BETWEEN -b.province_off AND 0)
        OR (b.bearer = 'seller' AND k.of_stations <> 0) OR (b.bearer = 'station' AND k.of_sellers <> 0)
        OR (b.bearer = 'each' AND NOT b.is_off_price
            AND k.of_sellers NOT BETWEEN (b.price - b.fee) * b.units - b.seller_off AND (b.price - b.fee) * b.units)""",
        "case {name} was refunded by a bank: at least {owed} fen should lessen the loss, {amount} do, or another bears them",
    ),
    Check(
        "banks have refunded what they say",
        f"""SELECT b.name AS name FROM {BY_BANK} b WHERE NOT EXISTS (SELECT 1 FROM attempt t
            WHERE t.purpose IN ('order', 'statement', 'presale') AND t.reference = COALESCE((SELECT s.public_id
                FROM account_order n JOIN account_statement s ON s.id = n.statement_id
                JOIN "order" o ON o.id = n.order_id WHERE o.number = b.number),
                (SELECT o.backing FROM "order" o WHERE o.number = b.number), b.number)
            AND (EXISTS (SELECT 1 FROM dispute d JOIN entry e ON e.key = 'dispute_lost:' || d.public_id
                    WHERE d.attempt_id = t.id)
                OR EXISTS (SELECT 1 FROM refund r WHERE r.attempt_id = t.id AND r.reason_key LIKE 'elsewhere:%')))
        UNION ALL SELECT k.name FROM {KEPT} k JOIN after_sales_case c ON c.public_id = k.name WHERE NOT c.is_paid_by_bank""",
        "case {name}: that its buyer's bank has paid is said, or booked, without the other",
    ),
    Check(
        "who bears a case is what the province decided",
        f"""SELECT t.name AS name, t.kind AS kind, t.owner AS owner, SUM(t.owed) AS owed, SUM(t.amount) AS amount FROM (
            SELECT name, refund, kind, owner, fen AS owed, 0 AS amount FROM {BORNE} b
            UNION ALL SELECT COALESCE(c.public_id, k.refund), k.refund, k.kind, k.owner, 0, k.fen FROM {BOOKED} k
            LEFT JOIN after_sales_case c ON c.refund_public_id = k.refund WHERE k.entry_kind = 'case_borne') t
        GROUP BY t.name, t.refund, t.kind, t.owner HAVING SUM(t.owed) <> SUM(t.amount)""",
        "case {name}: {owed} fen should move in {kind} of {owner}, the books say {amount}",
    ),
    Check(
        "nobody bears a refund that failed",
        f"""SELECT k.refund AS name, k.kind AS kind, k.owner AS owner, SUM(k.fen) AS amount FROM {BOOKED} k
        JOIN refund r ON r.public_id = k.refund GROUP BY k.refund, k.kind, k.owner, r.state
        HAVING (r.state = 'failed' AND SUM(k.fen) <> 0)
        OR (r.state <> 'failed' AND SUM(CASE WHEN k.entry_kind = 'case_borne_failed' THEN 1 ELSE 0 END) > 0)""",
        "refund {name}: {amount} fen of {kind} of {owner} do not follow from whether it arrived",
    ),
    Check(
        "appeals say who decided what",
        """SELECT a.public_id AS name, a.state AS state FROM case_appeal a JOIN after_sales_case c ON c.id = a.case_id
        WHERE (a.state <> 'asked' AND (a.answer = '' OR a.decided_at IS NULL OR NOT EXISTS (SELECT 1 FROM audit_record r
            WHERE r.subject = 'after_sales_case:' || c.public_id AND r.action = 'case.appeal_' || a.state)))""",
        "appeal {name} is {state}, but nobody said why, or it is not in the audit log",
    ),
    Check(
        "quality counts no more than was sold",
        """SELECT q.owner_kind AS kind, q.owner AS name FROM quality_count q
        WHERE (q.owner_kind = 'seller' AND NOT EXISTS (SELECT 1 FROM order_line l WHERE l.seller_public_id = q.owner))
        OR q.sold > (SELECT COALESCE(SUM(l.quantity), 0) FROM order_line l JOIN parcel p ON p.id = l.parcel_id
            JOIN "order" o ON o.id = p.order_id
            WHERE NOT o.is_exchange AND CASE q.owner_kind WHEN 'seller' THEN l.seller_public_id
            ELSE p.station_code END = q.owner AND (p.delivered_at IS NOT NULL
            OR EXISTS (SELECT 1 FROM refund_line b WHERE b.order_line_id = l.id)
            OR EXISTS (SELECT 1 FROM bill_credit c WHERE c.order_line_id = l.id)))""",
        "{kind} {name} counts more packs than were sold",
    ),
)
