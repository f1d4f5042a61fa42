"""What must be true of orders, parcels and shelves."""

from typing import Final

from marketplace.auditing.checks import Check
from marketplace.auditing.institutions import CREDITED_SHARES, OFF
from marketplace.auditing.money import WHO
from marketplace.auditing.refunds import BACK, GONE

PARTS: Final = """(SELECT l.parcel_id AS parcel_id, 'seller' AS who, l.seller_public_id AS owner,
        (l.unit_price_fen - l.unit_service_fee_fen) * l.quantity - l.seller_discount_fen AS owed FROM order_line l
    UNION ALL SELECT id, 'station', station_code, service_fee_fen + shipping_fen FROM parcel)"""
"""Whose a parcel's money is, line by line."""

BACK_FROM_HELD: Final = f"""(SELECT g.parcel_id AS parcel_id, {WHO} AS who, a.owner AS owner, line.amount AS fen
    FROM (SELECT DISTINCT parcel_id, refund FROM {BACK} b WHERE state <> 'failed') g
    JOIN entry ON entry.key = 'refund:' || g.refund JOIN line ON line.entry_id = entry.id
    JOIN ledger_account a ON a.id = line.account_id AND a.kind IN ('seller_held', 'station_held'))"""
"""What went back to buyers before their parcel was settled."""

BACK_IN_ALL: Final = f"""(SELECT parcel_id, SUM(goods + shipping - discount) AS fen FROM {GONE} b
    WHERE state <> 'failed' GROUP BY parcel_id)"""

ORDERED: Final = """(SELECT p.order_id AS order_id, p.id AS parcel_id, p.state AS state, l.variant_code AS variant,
    SUM(l.quantity) AS quantity, SUM(l.missing_quantity + l.replaced_quantity) AS missing
    FROM parcel p JOIN order_line l ON l.parcel_id = p.id
    GROUP BY p.order_id, p.id, p.state, l.variant_code)"""

ORDERS: Final = (
    Check(
        "orders add up",
        """SELECT o.number AS name, o.goods_fen AS owed, COALESCE(SUM(p.goods_fen), 0) AS amount FROM "order" o
        LEFT JOIN parcel p ON p.order_id = o.id GROUP BY o.id, o.number, o.goods_fen, o.shipping_fen
        HAVING COALESCE(SUM(p.goods_fen), 0) <> o.goods_fen OR COALESCE(SUM(p.shipping_fen), 0) <> o.shipping_fen""",
        "order {name} says {owed} fen of goods, its parcels {amount}; or the shipping differs",
    ),
    Check(
        "parcels add up",
        """SELECT p.public_id AS name, p.goods_fen AS owed, COALESCE(SUM(l.unit_price_fen * l.quantity), 0) AS amount
        FROM parcel p LEFT JOIN order_line l ON l.parcel_id = p.id
        GROUP BY p.id, p.public_id, p.goods_fen, p.service_fee_fen, p.shipping_fen
        HAVING COALESCE(SUM(l.unit_price_fen * l.quantity), 0) <> p.goods_fen
        OR COALESCE(SUM(l.unit_service_fee_fen * l.quantity), 0) <> p.service_fee_fen
        OR COALESCE(SUM(l.shipping_fen), 0) <> p.shipping_fen""",
        "parcel {name} says {owed} fen of goods, its lines {amount}; or the fees or the shipping differ",
    ),
    Check(
        "orders take what was paid",
        """SELECT o.number AS name, o.total_fen AS owed, COALESCE(SUM(attempt.fen), 0) AS amount FROM "order" o
        LEFT JOIN attempt ON attempt.purpose = CASE WHEN o.backing IS NULL THEN 'order' ELSE 'presale' END
        AND attempt.reference = COALESCE(o.backing, o.number)
        AND attempt.state = 'succeeded' AND NOT attempt.is_surplus AND attempt.book = o.book
        WHERE o.paid_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM account_order t WHERE t.order_id = o.id)
        GROUP BY o.id, o.number, o.total_fen HAVING COALESCE(SUM(attempt.fen), 0) <> o.total_fen""",
        "order {name} counts as paid with {owed} fen, {amount} came",
    ),
    Check(
        "paid orders are allocated",
        f"""SELECT o.number AS name, o.total_fen - COALESCE(f.fen, 0) AS owed, COALESCE(SUM(line.amount), 0) AS amount
        FROM "order" o LEFT JOIN {OFF} f ON f.order_id = o.id
        LEFT JOIN entry ON entry.key = 'allocate:' || o.number LEFT JOIN line ON line.entry_id = entry.id AND line.amount > 0
        AND line.account_id IN (SELECT id FROM ledger_account WHERE kind = 'buyer_clearing')
        WHERE o.paid_at IS NOT NULL AND o.backing IS NULL GROUP BY o.id, o.number, o.total_fen, f.fen
        HAVING COALESCE(SUM(line.amount), 0) <> o.total_fen - COALESCE(f.fen, 0)""",
        "order {name} was paid {owed} fen, {amount} were allocated",
    ),
    Check(
        "allocations have paid orders",
        """SELECT entry.key AS name FROM entry LEFT JOIN "order" o
        ON o.number = SUBSTR(entry.key, 10) AND o.paid_at IS NOT NULL WHERE entry.kind = 'allocate' AND o.id IS NULL""",
        "{name} is booked, but no such order was paid",
    ),
    Check(
        "allocations follow the lines",
        # both sides in one heap, added up once: joined, SQLite looks through one of them for each row of the other
        f"""SELECT t.number AS name, t.who AS who, t.owner AS owner, SUM(t.owed) AS owed, SUM(t.amount) AS amount FROM (
            SELECT o.number AS number, s.who AS who, s.owner AS owner, s.owed AS owed, 0 AS amount FROM "order" o
            CROSS JOIN parcel p CROSS JOIN {PARTS} s WHERE o.id BETWEEN :first AND :last AND p.order_id = o.id
            AND s.parcel_id = p.id AND o.paid_at IS NOT NULL AND o.backing IS NULL
            UNION ALL SELECT o.number, c.who, c.owner, -c.fen, 0 FROM {CREDITED_SHARES} c
            JOIN parcel p ON p.id = c.parcel_id JOIN "order" o ON o.id = p.order_id
            WHERE o.id BETWEEN :first AND :last AND o.paid_at IS NOT NULL
            UNION ALL SELECT o.number, {WHO}, a.owner,
            0, -line.amount FROM "order" o CROSS JOIN entry CROSS JOIN line CROSS JOIN ledger_account a
            WHERE o.id BETWEEN :first AND :last AND entry.key = 'allocate:' || o.number AND line.entry_id = entry.id
            AND a.id = line.account_id AND a.kind IN ('seller_held', 'station_held')) t
        GROUP BY t.number, t.who, t.owner HAVING SUM(t.owed) <> SUM(t.amount)""",
        "order {name}: {who} {owner} should have {owed} fen, the books say {amount}",
        sliced='"order"',
    ),
    Check(
        "settled parcels moved from held to payable once",
        f"""SELECT t.name AS name, t.who AS who, t.owner AS owner, SUM(t.owed) AS owed, SUM(t.held) AS held,
        SUM(t.payable) AS amount FROM (
            SELECT p.public_id AS name, s.who AS who, s.owner AS owner, s.owed AS owed, 0 AS held, 0 AS payable,
            1 AS is_share FROM parcel p CROSS JOIN {PARTS} s WHERE p.id BETWEEN :first AND :last AND p.state = 'settled'
            AND s.parcel_id = p.id
            UNION ALL SELECT p.public_id, h.who, h.owner, -h.fen, 0, 0, 0 FROM {BACK_FROM_HELD} h
            JOIN parcel p ON p.id = h.parcel_id WHERE p.id BETWEEN :first AND :last AND p.state = 'settled'
            UNION ALL SELECT p.public_id, c.who, c.owner, -c.fen, 0, 0, 0 FROM {CREDITED_SHARES} c
            JOIN parcel p ON p.id = c.parcel_id WHERE p.id BETWEEN :first AND :last AND p.state = 'settled'
            UNION ALL SELECT p.public_id, {WHO}, a.owner, 0,
            CASE WHEN a.kind IN ('seller_held', 'station_held') THEN line.amount ELSE 0 END,
            CASE WHEN a.kind IN ('seller_payable', 'station_payable') THEN -line.amount ELSE 0 END, 0
            FROM parcel p CROSS JOIN "order" o CROSS JOIN entry CROSS JOIN line CROSS JOIN ledger_account a
            WHERE p.id BETWEEN :first AND :last AND p.state = 'settled' AND o.id = p.order_id AND entry.reference = o.number
            AND entry.kind = 'settle' AND SUBSTR(entry.key, 8, 16) = p.public_id AND line.entry_id = entry.id
            AND a.id = line.account_id) t
        GROUP BY t.name, t.who, t.owner HAVING SUM(t.is_share) > 0
        AND (SUM(t.held) <> SUM(t.owed) OR SUM(t.payable) <> SUM(t.owed))""",
        "parcel {name} is settled: of {who} {owner}'s {owed} fen {held} are no longer held and {amount} are payable",
        sliced="parcel",
    ),
    Check(
        "only settled parcels are payable",
        """SELECT entry.key AS name FROM entry LEFT JOIN parcel p
        ON p.public_id = SUBSTR(entry.key, 8, 16) AND p.state = 'settled'
        WHERE entry.kind = 'settle' AND p.id IS NULL""",
        "{name} is booked, but its parcel is not settled",
    ),
    Check(
        "refused parcels are refunded",
        f"""SELECT p.public_id AS name, p.goods_fen + p.shipping_fen - p.discount_fen AS owed, COALESCE(b.fen, 0) AS amount
        FROM parcel p JOIN "order" o ON o.id = p.order_id LEFT JOIN {BACK_IN_ALL} b ON b.parcel_id = p.id
        WHERE p.state IN ('refused', 'cancelled', 'returned_to_seller') AND o.paid_at IS NOT NULL
        AND COALESCE(b.fen, 0) <> p.goods_fen + p.shipping_fen - p.discount_fen
        AND NOT EXISTS (SELECT 1 FROM entry WHERE entry.key = 'dispute_kept:' || p.public_id)""",
        "parcel {name} was not sent or not fetched: {owed} fen should go back, {amount} do",
    ),
    Check(
        "lost parcels are paid back by their station",
        f"""SELECT p.public_id AS name, p.goods_fen + p.shipping_fen - p.discount_fen AS owed, p.station_code AS station,
        COALESCE(b.fen, 0) AS amount, p.state AS state FROM parcel p
        JOIN event e ON e.subject = 'parcel:' || p.public_id AND e.to_state = 'lost'
        LEFT JOIN {BACK_IN_ALL} b ON b.parcel_id = p.id
        WHERE (COALESCE(b.fen, 0) <> p.goods_fen + p.shipping_fen - p.discount_fen OR p.state <> 'settled')
        AND NOT EXISTS (SELECT 1 FROM entry WHERE entry.key = 'dispute_kept:' || p.public_id)""",
        "parcel {name} was lost and is {state}: with what its station {station} pays {owed} fen should go back, {amount} do",
    ),
    Check(
        "only lost parcels are refunded as lost",
        f"""SELECT b.refund AS name FROM {BACK} b JOIN parcel p ON p.id = b.parcel_id LEFT JOIN event e
        ON e.subject = 'parcel:' || p.public_id AND e.to_state = 'lost'
        WHERE b.by_station AND e.id IS NULL GROUP BY b.refund""",
        "refund {name} is borne by a station alone, but this parcel was not lost",
    ),
)

GOODS: Final = (
    Check(
        "stock follows its movements",
        """SELECT v.code AS name, v.on_hand AS on_hand, v.reserved AS reserved, COALESCE(m.on_hand, 0) AS moved,
        COALESCE(m.reserved, 0) AS held FROM variant v LEFT JOIN (SELECT variant_code, SUM(on_hand_change) AS on_hand,
        SUM(reserved_change) AS reserved FROM stock_movement GROUP BY variant_code) m ON m.variant_code = v.code
        WHERE v.on_hand <> COALESCE(m.on_hand, 0) OR v.reserved <> COALESCE(m.reserved, 0)""",
        "{name}: {on_hand} on the shelf and {reserved} held, the movements say {moved} and {held}",
    ),
    Check(
        "what is held is ordered",
        f"""SELECT v.code AS name, v.reserved AS amount, COALESCE(w.quantity, 0) + COALESCE(s.packs, 0) AS owed
        FROM variant v
        LEFT JOIN (SELECT variant_code, SUM(packs) AS packs FROM substitute WHERE state = 'offered'
        GROUP BY variant_code) s ON s.variant_code = v.code
        LEFT JOIN (SELECT g.variant AS variant, SUM(g.quantity) AS quantity FROM {ORDERED} g
        JOIN "order" o ON o.id = g.order_id WHERE o.state = 'pending_payment' GROUP BY g.variant) w
        ON w.variant = v.code WHERE v.reserved <> COALESCE(w.quantity, 0) + COALESCE(s.packs, 0)""",
        "{name}: {amount} are held, unpaid orders hold {owed}",
    ),
    Check(
        "what was paid was sold",
        """SELECT t.name AS name, t.variant AS variant, SUM(t.owed) AS owed, SUM(t.sold) AS amount FROM (
            SELECT o.number AS name, l.variant_code AS variant, l.quantity AS owed, 0 AS sold,
            CASE WHEN o.paid_at IS NULL AND t.order_id IS NULL THEN 0 ELSE l.quantity END AS gone
            FROM "order" o CROSS JOIN parcel p CROSS JOIN order_line l LEFT JOIN account_order t ON t.order_id = p.order_id
            WHERE o.id BETWEEN :first AND :last AND p.order_id = o.id AND l.parcel_id = p.id
            UNION ALL SELECT o.number, m.variant_code, 0, -m.on_hand_change, 0 FROM "order" o CROSS JOIN stock_movement m
            WHERE o.id BETWEEN :first AND :last AND m.reference = o.number AND m.kind = 'sold') t
        GROUP BY t.name, t.variant HAVING SUM(t.owed) > 0 AND SUM(t.sold) <> SUM(t.gone)""",
        "order {name}: {owed} of {variant} ordered, {amount} left the shelf",
        sliced='"order"',
    ),
    Check(
        "what was refused is for sale again",
        f"""SELECT o.number AS name, w.variant AS variant, w.quantity AS owed, COALESCE(m.quantity, 0) AS amount
        FROM "order" o JOIN (SELECT g.order_id AS order_id, g.variant AS variant,
            SUM(CASE WHEN g.state IN ('refused', 'cancelled') THEN g.quantity - g.missing ELSE 0 END) AS quantity
            FROM {ORDERED} g GROUP BY g.order_id, g.variant) w ON w.order_id = o.id
        LEFT JOIN (SELECT reference, variant_code, SUM(on_hand_change) AS quantity FROM stock_movement
            WHERE kind = 'put_back' GROUP BY reference, variant_code) m
        ON m.reference = o.number AND m.variant_code = w.variant
        LEFT JOIN account_order t ON t.order_id = o.id
        WHERE (o.paid_at IS NOT NULL OR t.order_id IS NOT NULL) AND COALESCE(m.quantity, 0) <> w.quantity""",
        "order {name}: {owed} of {variant} were refused, {amount} came back",
    ),
)
