"""What must be true of goods that were brought: counters, shares by payment, and what went back for what did not come."""

from typing import Final

from marketplace.auditing.checks import Check

SHARED: Final = """(SELECT s.order_line_id AS line_id, s.wanted AS wanted, s.received AS received, s.missing AS missing,
        s.lighter_fen AS lighter, g.id AS arrival_line, g.variant_code AS variant, g.came - g.damaged AS good,
        g.grams AS grams, a.public_id AS arrival, a.seller_public_id AS seller, a.station_code AS station
    FROM allotment s JOIN arrival_line g ON g.id = s.arrival_line_id JOIN arrival a ON a.id = g.arrival_id)"""
"""Every line's part of every arrival."""

LINES: Final = """(SELECT l.id AS id, l.public_id AS name, l.variant_code AS variant, l.seller_public_id AS seller,
        l.unit_price_fen AS price, l.net_weight_grams AS grams, p.station_code AS station, p.public_id AS parcel,
        p.state AS state, CASE WHEN t.order_id IS NULL THEN o.paid_at ELSE o.placed_at END AS paid_at, o.id AS order_id
    FROM order_line l JOIN parcel p ON p.id = l.parcel_id JOIN "order" o ON o.id = p.order_id
    LEFT JOIN account_order t ON t.order_id = o.id)"""
"""Of an order on account, which nobody has paid yet, its turn is counted from when it was placed."""

BACK: Final = """(SELECT r.reason_key AS reason_key, b.order_line_id AS order_line_id, b.quantity AS quantity,
        b.goods_fen AS goods_fen FROM refund r JOIN refund_line b ON b.refund_public_id = r.public_id
    UNION ALL SELECT reason_key, order_line_id, quantity, goods_fen FROM bill_credit)"""
"""What was given back, or taken off a bill that nobody had paid yet, by its cause."""

ARRIVALS: Final = (
    Check(
        "what came is counted",
        """SELECT l.public_id AS name, l.received_quantity AS received, l.missing_quantity AS missing,
        l.replaced_quantity AS replaced, COALESCE(s.received, 0) AS came,
        COALESCE(s.missing, 0) + COALESCE(n.gone, 0) AS gone, COALESCE(n.offered, 0) AS offered FROM order_line l
        LEFT JOIN (SELECT order_line_id, SUM(received) AS received, SUM(missing) AS missing FROM allotment
            GROUP BY order_line_id) s ON s.order_line_id = l.id
        LEFT JOIN (SELECT order_line_id, SUM(CASE WHEN state IN ('declined', 'lapsed') THEN packs ELSE 0 END) AS gone,
            SUM(CASE WHEN state IN ('offered', 'accepted') THEN packs ELSE 0 END) AS offered FROM substitute
            GROUP BY order_line_id) n ON n.order_line_id = l.id
        WHERE l.received_quantity <> COALESCE(s.received, 0) OR l.replaced_quantity <> COALESCE(n.offered, 0)
        OR l.missing_quantity <> COALESCE(s.missing, 0) + COALESCE(n.gone, 0)""",
        "line {name} counts {received} packs brought, {missing} missing and {replaced} replaced; "
        "its arrivals {came}, {gone} and {offered}",
    ),
    Check(
        "arrivals are shared out",
        """SELECT a.public_id AS name, g.variant_code AS variant, g.expected AS owed, g.came - g.damaged AS good,
        SUM(s.wanted) AS wanted, SUM(s.received) AS received, SUM(s.missing) AS missing
        FROM arrival_line g JOIN arrival a ON a.id = g.arrival_id JOIN allotment s ON s.arrival_line_id = g.id
        GROUP BY g.id, a.public_id, g.variant_code, g.expected, g.came, g.damaged, g.rest
        HAVING SUM(s.wanted) <> g.expected OR SUM(s.received) <> CASE WHEN g.came - g.damaged < g.expected
            THEN g.came - g.damaged ELSE g.expected END
        OR SUM(s.missing + s.offered) <> CASE WHEN g.rest = 'later' THEN 0 ELSE g.expected - SUM(s.received) END""",
        "arrival {name}: of {variant} {owed} were owed and {good} came, {wanted} are shared out: {received} and {missing}",
    ),
    Check(
        "arrivals are for those who ordered it there",
        f"""SELECT s.arrival AS name, l.name AS line FROM {SHARED} s JOIN {LINES} l ON l.id = s.line_id
        WHERE l.variant <> s.variant OR l.seller <> s.seller OR l.station <> s.station""",
        "arrival {name} serves line {line}, which is another seller's, pack's or station's",
    ),
    Check(
        "who paid first is served first",
        f"""SELECT early.arrival AS name, e.name AS line, l.name AS later FROM {SHARED} early
        JOIN {LINES} e ON e.id = early.line_id
        JOIN {SHARED} late ON late.arrival_line = early.arrival_line AND late.received > 0
        JOIN {LINES} l ON l.id = late.line_id WHERE early.received < early.wanted AND (e.paid_at < l.paid_at
        OR (e.paid_at = l.paid_at AND (e.order_id < l.order_id OR (e.order_id = l.order_id AND e.id < l.id))))""",
        "arrival {name}: line {line} was paid earlier and lacks packs that line {later} got",
    ),
    Check(
        "what never came is refunded",
        f"""SELECT s.arrival AS name, l.name AS line, s.missing AS missing FROM {SHARED} s
        JOIN {LINES} l ON l.id = s.line_id
        LEFT JOIN {BACK} b ON b.reason_key = 'short:' || s.arrival || ':' || l.parcel AND b.order_line_id = l.id
        WHERE s.missing > 0 AND l.state <> 'refused' AND COALESCE(b.quantity, 0) <> s.missing""",
        "arrival {name}: {missing} packs of line {line} never came, their buyer did not get so many back",
    ),
    Check(
        "lighter goods cost less",
        f"""SELECT s.arrival AS name, l.name AS line, s.lighter AS amount FROM {SHARED} s JOIN {LINES} l ON l.id = s.line_id
        LEFT JOIN {BACK} b ON b.reason_key = 'lighter:' || s.arrival || ':' || l.parcel
        AND b.order_line_id = l.id AND b.quantity = 0
        WHERE COALESCE(b.goods_fen, 0) <> s.lighter OR s.lighter > CASE WHEN s.grams IS NULL OR s.good = 0 OR l.grams = 0
            OR s.grams >= l.grams * s.good THEN 0 ELSE CAST(l.price AS BIGINT) * s.received
            - CAST(l.price AS BIGINT) * s.received * s.grams / (CAST(l.grams AS BIGINT) * s.good) END""",
        "arrival {name}: {amount} fen came off line {line}, by its weight it is another sum",
    ),
    Check(
        "what comes instead costs no more than was paid",
        f"""SELECT n.public_id AS name, n.packs * (l.unit_price_fen - n.unit_price_fen) AS owed,
        COALESCE(SUM(b.goods_fen), 0) AS amount FROM substitute n JOIN order_line l ON l.id = n.order_line_id
        LEFT JOIN {BACK} b ON b.reason_key = 'cheaper:' || n.public_id AND b.order_line_id = l.id
        GROUP BY n.id, n.public_id, n.packs, n.unit_price_fen, n.state, l.unit_price_fen
        HAVING n.unit_price_fen > l.unit_price_fen
        OR COALESCE(SUM(b.goods_fen), 0) > n.packs * (l.unit_price_fen - n.unit_price_fen)
        OR (n.state <> 'accepted' AND COALESCE(SUM(b.goods_fen), 0) > 0)""",
        "substitute {name}: {owed} fen should go back since it costs less, {amount} do",
    ),
    Check(
        "shortages and weights have arrivals",
        """SELECT r.public_id AS name FROM refund r LEFT JOIN arrival a
        ON a.public_id = SUBSTR(r.reason_key, CASE WHEN r.reason_key LIKE 'short:%' THEN 7 ELSE 9 END, 16)
        WHERE (r.reason_key LIKE 'short:%' OR r.reason_key LIKE 'lighter:%') AND a.id IS NULL""",
        "refund {name} says that goods did not come or weighed less, but no arrival does",
    ),
)
