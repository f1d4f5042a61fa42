"""What must be true of refunds by line: of their sums, and of units."""

from typing import Final

from marketplace.auditing.checks import Check
from marketplace.auditing.institutions import CREDITED
from marketplace.auditing.money import WHO

BACK: Final = """(SELECT rl.order_line_id AS line_id, l.parcel_id AS parcel_id, r.public_id AS refund, r.state AS state,
        l.seller_public_id AS seller, p.station_code AS station, rl.by_station AS by_station, rl.quantity AS quantity,
        rl.goods_fen AS goods, rl.service_fee_fen AS fee, rl.shipping_fen AS shipping, rl.with_shipping AS with_shipping,
        rl.seller_discount_fen AS seller_off, rl.platform_discount_fen + rl.shipping_discount_fen AS province_off,
        rl.seller_discount_fen + rl.platform_discount_fen + rl.shipping_discount_fen AS discount
    FROM refund_line rl JOIN refund r ON r.public_id = rl.refund_public_id
    JOIN order_line l ON l.id = rl.order_line_id JOIN parcel p ON p.id = l.parcel_id)"""
"""What refunds gave back, failed ones too."""

FIGURES: Final = "quantity, goods, fee, shipping, with_shipping, seller_off, province_off, discount"
GONE: Final = f"""(SELECT line_id, parcel_id, state, {FIGURES} FROM {BACK} b
    UNION ALL SELECT line_id, parcel_id, 'credited', {FIGURES} FROM {CREDITED} c)"""
"""That, and what was taken off bills before anybody paid."""

OFF_PRICE: Final = """(SELECT order_line_id AS line_id FROM refund_line WHERE quantity = 0 AND goods_fen > 0
    UNION SELECT order_line_id FROM bill_credit WHERE quantity = 0 AND goods_fen > 0)"""
"""Lines of whose price something went back, since they weighed less: what their units cost then is no whole price."""

BORNE: Final = f"""(SELECT refund, state, parcel_id, 'seller' AS who, seller AS owner, FALSE AS by_station,
        goods - fee - seller_off AS fen FROM {BACK} b WHERE NOT by_station
    UNION ALL SELECT refund, state, parcel_id, 'station', station, FALSE, fee + shipping FROM {BACK} b WHERE NOT by_station
    UNION ALL SELECT refund, state, parcel_id, 'station', station, TRUE, goods + shipping - seller_off
        FROM {BACK} b WHERE by_station)"""
"""Who bears what: price less fee and their own discount the seller, fee and shipping the station; of a lost parcel
everything the station. More than their buyer has back, by what the province had put to it."""

REFUNDS: Final = (
    Check(
        "refund lines add up to refunds",
        f"""SELECT r.public_id AS name, r.fen AS owed, COALESCE(SUM(b.goods + b.shipping - b.discount), 0) AS amount
        FROM refund r JOIN attempt ON attempt.id = r.attempt_id AND attempt.purpose IN ('order', 'statement', 'presale')
        LEFT JOIN {BACK} b ON b.refund = r.public_id
        WHERE r.reason_key NOT LIKE 'surplus%' AND r.reason_key NOT LIKE 'loss:%'
        AND r.reason_key NOT LIKE 'presale:%' AND r.reason_key NOT LIKE 'elsewhere:%' GROUP BY r.id, r.public_id, r.fen
        HAVING COALESCE(SUM(b.goods + b.shipping - b.discount), 0) <> r.fen""",
        "refund {name} is {owed} fen, its lines say {amount}",
    ),
    Check(
        "refunds give back what their buyer bought",
        f"""SELECT r.public_id AS name FROM refund r JOIN attempt ON attempt.id = r.attempt_id
        JOIN {BACK} b ON b.refund = r.public_id JOIN parcel p ON p.id = b.parcel_id JOIN "order" o ON o.id = p.order_id
        LEFT JOIN account_order t ON t.order_id = o.id LEFT JOIN account_statement s ON s.id = t.statement_id
        WHERE attempt.purpose <> CASE WHEN s.id IS NOT NULL THEN 'statement' WHEN o.backing IS NOT NULL THEN 'presale'
            ELSE 'order' END
        OR attempt.reference <> COALESCE(s.public_id, o.backing, o.number)""",
        "refund {name} gives back lines of another order",
    ),
    Check(
        "no more goes back out of the loss than was kept",
        """SELECT SUBSTR(r.reason_key, 6, 16) AS name, SUM(r.fen) AS amount, COALESCE(MAX(k.fen), 0) AS kept FROM refund r
        LEFT JOIN (SELECT entry.key AS key, -SUM(line.amount) AS fen FROM entry JOIN line ON line.entry_id = entry.id
            JOIN ledger_account a ON a.id = line.account_id WHERE entry.kind = 'dispute_kept' AND a.kind = 'chargeback_loss'
            GROUP BY entry.key) k ON k.key = 'dispute_kept:' || SUBSTR(r.reason_key, 6, 16)
        WHERE r.reason_key LIKE 'loss:%' AND r.state <> 'failed' GROUP BY SUBSTR(r.reason_key, 6, 16)
        HAVING SUM(r.fen) > COALESCE(MAX(k.fen), 0)""",
        "of parcel {name} {kept} fen were kept for a lost dispute, {amount} go back",
    ),
    Check(
        "refunded units are counted",
        f"""SELECT l.public_id AS name, l.refunded_quantity AS amount, COALESCE(SUM(b.quantity), 0) AS owed FROM order_line l
        LEFT JOIN {GONE} b ON b.line_id = l.id AND b.state <> 'failed' GROUP BY l.id, l.public_id, l.refunded_quantity
        HAVING COALESCE(SUM(b.quantity), 0) <> l.refunded_quantity OR COALESCE(SUM(b.quantity), 0) > MAX(l.quantity)""",
        "line {name} counts {amount} refunded units, its refunds gave {owed} back",
    ),
    Check(
        "units go back at their price",
        f"""SELECT b.refund AS name, l.public_id AS line FROM {BACK} b JOIN order_line l ON l.id = b.line_id
        LEFT JOIN {OFF_PRICE} off ON off.line_id = l.id WHERE off.line_id IS NULL
        AND (b.goods <> l.unit_price_fen * b.quantity OR b.fee <> l.unit_service_fee_fen * b.quantity)""",
        "refund {name} gives units of line {line} back at another price or fee",
    ),
    Check(
        "no more goes back of a line than was paid for it",
        f"""SELECT l.public_id AS name, l.unit_price_fen * l.quantity AS owed, SUM(b.goods) AS amount FROM {GONE} b
        JOIN order_line l ON l.id = b.line_id WHERE b.state <> 'failed'
        GROUP BY l.id, l.public_id, l.unit_price_fen, l.unit_service_fee_fen, l.quantity, l.refunded_quantity
        HAVING SUM(b.goods) > l.unit_price_fen * l.quantity OR SUM(b.fee) > l.unit_service_fee_fen * l.quantity
        OR (l.refunded_quantity = l.quantity AND l.unit_price_fen * l.quantity > SUM(b.goods) + COALESCE((SELECT SUM(f.goods)
            FROM {GONE} f WHERE f.line_id = l.id AND f.state = 'failed' AND f.quantity = 0), 0))""",
        "line {name} cost {owed} fen, {amount} went back; or the fee differs",
    ),
    Check(
        "nobody's share of what is left of a line is below zero",
        f"""SELECT l.public_id AS name, (l.unit_price_fen - l.unit_service_fee_fen) * l.quantity - l.seller_discount_fen
            - SUM(b.goods - b.fee - b.seller_off) AS sellers, l.unit_price_fen * l.quantity - l.seller_discount_fen
            - l.platform_discount_fen + l.shipping_fen - l.shipping_discount_fen - SUM(b.goods + b.shipping - b.discount)
            AS buyers FROM {GONE} b JOIN order_line l ON l.id = b.line_id WHERE b.state <> 'failed'
        GROUP BY l.id, l.public_id, l.unit_price_fen, l.unit_service_fee_fen, l.quantity, l.seller_discount_fen,
            l.platform_discount_fen, l.shipping_fen, l.shipping_discount_fen
        HAVING (l.unit_price_fen - l.unit_service_fee_fen) * l.quantity - l.seller_discount_fen
            < SUM(b.goods - b.fee - b.seller_off) OR l.unit_price_fen * l.quantity - l.seller_discount_fen
            - l.platform_discount_fen + l.shipping_fen - l.shipping_discount_fen < SUM(b.goods + b.shipping - b.discount)""",
        "line {name}: of what is left of it {sellers} fen are its seller's and {buyers} its buyer's",
    ),
    Check(
        "shipping goes back once",
        f"""SELECT l.public_id AS name, l.shipping_fen AS owed, SUM(b.shipping) AS amount FROM {GONE} b
        JOIN order_line l ON l.id = b.line_id WHERE b.state <> 'failed'
        GROUP BY l.id, l.public_id, l.shipping_fen, l.quantity HAVING SUM(b.shipping) > l.shipping_fen
        OR (SUM(CASE WHEN b.with_shipping THEN b.quantity ELSE 0 END) = l.quantity
            AND l.shipping_fen > SUM(b.shipping) + COALESCE((SELECT SUM(f.shipping) FROM {GONE} f
                WHERE f.line_id = l.id AND f.state = 'failed' AND f.quantity = 0), 0))""",
        "line {name} has {owed} fen of shipping, {amount} went back",
    ),
    Check(
        "refunds are borne by whose the lines are",
        f"""SELECT e.refund AS name, e.who AS who, e.owner AS owner, e.owed AS owed, COALESCE(k.amount, 0) AS amount
        FROM (SELECT refund, who, owner, SUM(fen) AS owed FROM {BORNE} b GROUP BY refund, who, owner) e
        LEFT JOIN (SELECT SUBSTR(entry.key, 8) AS refund, a.owner AS owner, SUM(line.amount) AS amount,
                {WHO} AS who
            FROM entry JOIN line ON line.entry_id = entry.id JOIN ledger_account a ON a.id = line.account_id
            WHERE entry.kind = 'refund' AND a.kind IN ('seller_held', 'seller_payable', 'station_held', 'station_payable')
            GROUP BY SUBSTR(entry.key, 8), a.owner, {WHO}) k
        ON k.refund = e.refund AND k.who = e.who AND k.owner = e.owner WHERE COALESCE(k.amount, 0) <> e.owed""",
        "refund {name}: {owed} fen should come from {who} {owner}, {amount} do",
    ),
)
