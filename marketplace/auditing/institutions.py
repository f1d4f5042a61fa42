"""What must be true of orders on account: limits, credits, statements, and that nobody is owed what was not paid."""

from typing import Final

from marketplace.auditing.checks import Check

CREDITED: Final = """(SELECT c.order_line_id AS line_id, l.parcel_id AS parcel_id, p.order_id AS order_id,
        l.seller_public_id AS seller, p.station_code AS station, c.public_id AS credit, c.reason_key AS reason_key,
        c.quantity AS quantity, c.goods_fen AS goods, c.service_fee_fen AS fee, c.shipping_fen AS shipping,
        c.with_shipping AS with_shipping, c.seller_discount_fen AS seller_off,
        c.platform_discount_fen + c.shipping_discount_fen AS province_off,
        c.seller_discount_fen + c.platform_discount_fen + c.shipping_discount_fen AS discount
    FROM bill_credit c JOIN order_line l ON l.id = c.order_line_id JOIN parcel p ON p.id = l.parcel_id)"""
"""What was taken off bills, with whose it would have been."""

CREDITED_SHARES: Final = f"""(SELECT parcel_id, 'seller' AS who, seller AS owner, goods - fee - seller_off AS fen
        FROM {CREDITED} c
    UNION ALL SELECT parcel_id, 'station', station, fee + shipping FROM {CREDITED} c)"""

OFF: Final = f"(SELECT order_id, SUM(goods + shipping - discount) AS fen FROM {CREDITED} c GROUP BY order_id)"

OWED: Final = f"""(SELECT a.institution_id AS institution_id, a.statement_id AS statement_id, o.id AS order_id,
        o.number AS number, o.state AS state, o.book AS book, o.total_fen - COALESCE(f.fen, 0) AS fen
    FROM account_order a JOIN "order" o ON o.id = a.order_id LEFT JOIN {OFF} f ON f.order_id = o.id)"""
"""What each order on account costs after its credits."""

TAKES_OFF: Final = "(c.state = 'agreed' OR COALESCE(c.appeal_is_granted, FALSE))"
"""Of a check: its station or the province agrees with the institution."""

SAID: Final = """(CASE WHEN c.appealed_at IS NULL THEN 0 ELSE 1 END
    + CASE WHEN c.appeal_is_granted IS NULL THEN 0 ELSE 1 END)"""
"""Of a check: how often the province was asked and answered."""

AS_SAID: Final = """(r.action = 'goods_check.appealed' AND c.appealed_at IS NOT NULL AND r.why = c.appeal_words
    OR r.action = CASE WHEN c.appeal_is_granted THEN 'goods_check.granted' ELSE 'goods_check.upheld' END
    AND c.appeal_is_granted IS NOT NULL AND r.why = c.appeal_answer)"""
"""Of a check and a record of the journal: the one says what the other does."""

INSTITUTIONS: Final = (
    Check(
        "institutions owe what they ordered and did not pay",
        f"""SELECT i.public_id AS name, i.outstanding_fen AS amount, COALESCE(SUM(o.fen), 0) AS owed FROM institution i
        LEFT JOIN {OWED} o ON o.institution_id = i.id AND o.state = 'placed_on_account'
        GROUP BY i.id, i.public_id, i.outstanding_fen HAVING COALESCE(SUM(o.fen), 0) <> i.outstanding_fen""",
        "institution {name} counts {amount} fen outstanding, its orders say {owed}",
    ),
    Check(
        "orders on account fitted the limit",
        """SELECT o.number AS name, a.outstanding_fen AS amount, a.limit_fen AS owed FROM account_order a
        JOIN "order" o ON o.id = a.order_id WHERE a.outstanding_fen > a.limit_fen OR a.outstanding_fen < o.total_fen
        OR NOT EXISTS (SELECT 1 FROM audit_record r JOIN institution i ON r.subject = 'institution:' || i.public_id
            WHERE i.id = a.institution_id AND r.action = 'institution.terms')""",
        "order {name} brought what was outstanding to {amount} fen, {owed} were allowed; or nobody set a limit",
    ),
    Check(
        "what is on account has an account",
        """SELECT o.number AS name FROM "order" o JOIN event e ON e.subject = 'order:' || o.number
        AND e.to_state = 'placed_on_account' LEFT JOIN account_order a ON a.order_id = o.id WHERE a.order_id IS NULL
        UNION ALL SELECT o.number FROM account_order a JOIN "order" o ON o.id = a.order_id
        WHERE NOT EXISTS (SELECT 1 FROM event e WHERE e.subject = 'order:' || o.number
            AND e.from_state = '' AND e.to_state = 'placed_on_account')""",
        "order {name} is on account and has none, or the other way round",
    ),
    Check(
        "only what is on account is credited",
        f"""SELECT c.credit AS name FROM {CREDITED} c LEFT JOIN account_order a ON a.order_id = c.order_id
        WHERE a.order_id IS NULL""",
        "credit {name} lowers the bill of an order that was paid at once",
    ),
    Check(
        "nothing of an unpaid order is owed to anybody",
        """SELECT entry.key AS name FROM entry JOIN parcel p ON p.public_id = SUBSTR(entry.key, 8, 16)
        JOIN "order" o ON o.id = p.order_id WHERE entry.kind = 'settle' AND o.paid_at IS NULL
        UNION ALL SELECT entry.key FROM entry JOIN "order" o ON o.number = SUBSTR(entry.key, 10)
        WHERE entry.kind = 'allocate' AND o.paid_at IS NULL""",
        "{name} is booked, but its order on account is not paid",
    ),
    Check(
        "statements add up",
        """SELECT s.public_id AS name, s.total_fen AS owed, COALESCE(SUM(l.fen), 0) AS amount FROM account_statement s
        LEFT JOIN statement_line l ON l.statement_id = s.id GROUP BY s.id, s.public_id, s.total_fen
        HAVING COALESCE(SUM(l.fen), 0) <> s.total_fen""",
        "statement {name} asks for {owed} fen, its parcels say {amount}",
    ),
    Check(
        "statements ask for what was ordered less credits",
        f"""SELECT s.public_id AS name, s.total_fen - s.credited_fen AS owed, COALESCE(SUM(o.fen), 0) AS amount
        FROM account_statement s LEFT JOIN {OWED} o ON o.statement_id = s.id
        GROUP BY s.id, s.public_id, s.total_fen, s.credited_fen
        HAVING COALESCE(SUM(o.fen), 0) <> s.total_fen - s.credited_fen""",
        "statement {name} asks for {owed} fen, its orders less their credits for {amount}",
    ),
    Check(
        "statements have the orders of their institution",
        """SELECT s.public_id AS name, o.number AS number FROM account_order a JOIN "order" o ON o.id = a.order_id
        JOIN account_statement s ON s.id = a.statement_id WHERE s.institution_id <> a.institution_id OR s.book <> o.book
        UNION ALL SELECT s.public_id, o.number FROM statement_line l JOIN account_statement s ON s.id = l.statement_id
        JOIN parcel p ON p.id = l.parcel_id JOIN "order" o ON o.id = p.order_id
        LEFT JOIN account_order a ON a.order_id = o.id AND a.statement_id = s.id WHERE a.order_id IS NULL""",
        "statement {name} lists order {number} of somebody else, or one that does not stand on it",
    ),
    Check(
        "statements are paid by one payment",
        """SELECT s.public_id AS name, s.total_fen - s.credited_fen AS owed, COALESCE(SUM(t.fen), 0) AS amount
        FROM account_statement s LEFT JOIN attempt t ON t.purpose = 'statement' AND t.reference = s.public_id
        AND t.state = 'succeeded' AND NOT t.is_surplus AND t.book = s.book
        AND NOT EXISTS (SELECT 1 FROM entry WHERE entry.key = 'surplus:' || t.public_id)
        GROUP BY s.id, s.public_id, s.state, s.total_fen, s.credited_fen
        HAVING COALESCE(SUM(t.fen), 0) <> CASE WHEN s.state = 'paid' THEN s.total_fen - s.credited_fen ELSE 0 END""",
        "statement {name} asks for {owed} fen, {amount} were used; or it is not paid",
    ),
    Check(
        "orders on account are paid with their statement",
        """SELECT o.number AS name, o.state AS state FROM account_order a JOIN "order" o ON o.id = a.order_id
        LEFT JOIN account_statement s ON s.id = a.statement_id
        WHERE (o.paid_at IS NOT NULL) <> (COALESCE(s.state, '') = 'paid') AND o.state <> 'cancelled'""",
        "order {name} is {state}, its statement says otherwise",
    ),
    Check(
        "growers of a lost parcel on account are paid by its station",
        f"""SELECT p.public_id AS name, COALESCE(SUM(c.goods - c.fee - c.seller_off), 0) AS owed,
        COALESCE((SELECT SUM(line.amount) FROM entry JOIN line ON line.entry_id = entry.id AND line.amount > 0
            WHERE entry.key = 'bill_lost:' || p.public_id), 0) AS amount
        FROM {CREDITED} c JOIN parcel p ON p.id = c.parcel_id WHERE c.reason_key = 'lost:' || p.public_id
        GROUP BY p.id, p.public_id HAVING COALESCE(SUM(c.goods - c.fee - c.seller_off), 0)
            <> COALESCE((SELECT SUM(line.amount) FROM entry JOIN line ON line.entry_id = entry.id AND line.amount > 0
            WHERE entry.key = 'bill_lost:' || p.public_id), 0)""",
        "parcel {name} was lost on account: its growers should have {owed} fen of its station, the books say {amount}",
    ),
    Check(
        "checks are about parcels on account that arrived",
        """SELECT c.public_id AS name FROM goods_check c JOIN parcel p ON p.id = c.parcel_id
        LEFT JOIN account_order a ON a.order_id = p.order_id WHERE a.order_id IS NULL OR p.delivered_at IS NULL""",
        "check {name} is about a parcel that is not on account, or never arrived",
    ),
    Check(
        "what the province was asked about a check, and its answer, stand in the journal",
        f"""SELECT c.public_id AS name FROM goods_check c JOIN parcel p ON p.id = c.parcel_id
        LEFT JOIN audit_record r ON r.subject = 'parcel:' || p.public_id
            AND r.action IN ('goods_check.appealed', 'goods_check.granted', 'goods_check.upheld')
        GROUP BY c.id HAVING COUNT(r.id) <> {SAID} OR COALESCE(SUM(CASE WHEN {AS_SAID} THEN 1 ELSE 0 END), 0) <> {SAID}""",
        "check {name}: what the province was asked or answered is not what the journal says",
    ),
    Check(
        "what comes off for a check was agreed to by its station or granted by the province",
        f"""SELECT o.reason_key AS name FROM (SELECT c.reason_key AS reason_key, c.parcel_id AS parcel_id FROM {CREDITED} c
            UNION SELECT f.reason_key, l.parcel_id FROM refund f JOIN refund_line d ON d.refund_public_id = f.public_id
            JOIN order_line l ON l.id = d.order_line_id) o
        LEFT JOIN goods_check c ON c.public_id = SUBSTR(o.reason_key, 7, 16) AND c.parcel_id = o.parcel_id
        WHERE o.reason_key LIKE 'check:%' AND (c.id IS NULL OR NOT {TAKES_OFF})""",
        "{name} came off, and neither station nor province said so of that parcel",
    ),
    Check(
        "what a station agreed to or the province granted came off",
        f"""SELECT DISTINCT c.public_id AS name FROM goods_check c JOIN goods_check_line k ON k.check_id = c.id
        JOIN order_line l ON l.id = k.order_line_id WHERE {TAKES_OFF} AND k.rejected_quantity > 0
        AND l.unit_price_fen * l.quantity - l.seller_discount_fen - l.platform_discount_fen >= l.quantity
        AND NOT EXISTS (SELECT 1 FROM bill_credit b WHERE b.order_line_id = l.id)
        AND NOT EXISTS (SELECT 1 FROM refund_line d WHERE d.order_line_id = l.id)""",
        "check {name} was agreed to or granted, and nothing came off",
    ),
    Check(
        "bank transfers have four eyes",
        """SELECT t.public_id AS name FROM bank_transfer t WHERE t.state = 'confirmed' AND (t.decider_id IS NULL
        OR t.decider_id = t.recorder_id OR NOT EXISTS (SELECT 1 FROM audit_record r
            WHERE r.action = 'bank_transfer.confirmed' AND r.subject = 'bank_transfer:' || t.public_id
            AND r.actor = 'person:' || t.decider_id))""",
        "bank transfer {name} is booked, but nobody beside whoever wrote it down has confirmed it",
    ),
    Check(
        "bank transfers that came are payments",
        """SELECT t.public_id AS name, t.fen AS owed, COALESCE(SUM(a.fen), 0) AS amount FROM bank_transfer t
        LEFT JOIN attempt a ON a.gateway = 'bank' AND a.remote_id = 'bank:' || t.public_id AND a.purpose = t.purpose
        AND a.reference = t.reference AND a.book = t.book AND a.state = 'succeeded' WHERE t.way = 'in'
        GROUP BY t.id, t.public_id, t.fen, t.state
        HAVING COALESCE(SUM(a.fen), 0) <> CASE WHEN t.state = 'confirmed' THEN t.fen ELSE 0 END
        UNION ALL SELECT a.public_id, 0, a.fen FROM attempt a LEFT JOIN bank_transfer t
        ON a.remote_id = 'bank:' || t.public_id AND t.way = 'in' WHERE a.gateway = 'bank' AND t.id IS NULL""",
        "bank transfer {name} brought {owed} fen, {amount} are used",
    ),
    Check(
        "refunds by bank were sent by people",
        """SELECT f.public_id AS name, f.fen AS owed, COALESCE(SUM(t.fen), 0) AS amount FROM refund f
        JOIN attempt a ON a.id = f.attempt_id AND a.gateway = 'bank' LEFT JOIN bank_transfer t
        ON t.way = 'out' AND t.reference = f.public_id AND t.state = 'confirmed' AND f.remote_id = 'bank:' || t.public_id
        GROUP BY f.id, f.public_id, f.fen, f.state
        HAVING COALESCE(SUM(t.fen), 0) <> CASE WHEN f.state = 'succeeded' THEN f.fen ELSE 0 END
        UNION ALL SELECT t.reference, 0, t.fen FROM bank_transfer t LEFT JOIN refund f ON f.public_id = t.reference
        AND f.remote_id = 'bank:' || t.public_id WHERE t.way = 'out' AND t.state = 'confirmed' AND f.id IS NULL""",
        "refund {name} is {owed} fen, {amount} left the bank",
    ),
)
