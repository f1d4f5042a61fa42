"""What must be true of discounts: of their sums, of who bears them, of budgets, and of the province's money for them."""

from typing import Final

from marketplace.auditing.checks import Check
from marketplace.auditing.institutions import CREDITED
from marketplace.auditing.refunds import BACK, GONE

OFF_LINES: Final = """(SELECT p.id AS parcel_id, p.order_id AS order_id,
        SUM(l.seller_discount_fen + l.platform_discount_fen + l.shipping_discount_fen) AS discount,
        SUM(l.platform_discount_fen + l.shipping_discount_fen) AS province
    FROM parcel p JOIN order_line l ON l.parcel_id = p.id GROUP BY p.id, p.order_id)"""

USED: Final = """(SELECT promotion_id, COUNT(*) AS uses, SUM(discount_fen) AS fen, SUM(platform_fen) AS province,
        SUM(CASE WHEN state = 'spent' THEN discount_fen ELSE 0 END) AS spent
    FROM promotion_use WHERE state <> 'returned' GROUP BY promotion_id)"""

FUNDING: Final = """(SELECT entry.kind AS kind, entry.key AS key, entry.reference AS reference, -line.amount AS fen
    FROM line JOIN ledger_account a ON a.id = line.account_id AND a.kind = 'promotion_funding'
    JOIN entry ON entry.id = line.entry_id)"""
"""Credited to the account that pays for discounts."""

PROVINCES: Final = FUNDING.replace("a.kind = 'promotion_funding'", "a.kind IN ('operating_grant', 'promotion_funding')")
"""As that, and to the province itself: earlier refunds gave back to the account of promotions, and that stays there."""

WAITING: Final = """COALESCE((SELECT SUM(u.platform_fen) FROM promotion_use u JOIN promotion q ON q.id = u.promotion_id
    WHERE u.state = 'reserved' AND q.book = p.book), 0)"""
AS_BEFORE: Final = """COALESCE((SELECT -SUM(line.amount) FROM line JOIN ledger_account a ON a.id = line.account_id
    AND a.kind = 'promotion_funding' AND a.book = p.book JOIN entry ON entry.id = line.entry_id
    WHERE entry.kind IN ('refund', 'refund_failed', 'dispute_kept')), 0)"""
HELD: Final = """COALESCE((SELECT -SUM(line.amount) FROM line JOIN ledger_account a ON a.id = line.account_id
    AND a.kind = 'promotion_funding' AND a.book = p.book), 0)"""

PROMOTIONS: Final = (
    Check(
        "discounts add up",
        f"""SELECT o.number AS name, o.discount_fen AS owed, COALESCE(SUM(f.discount), 0) AS amount,
        COALESCE((SELECT SUM(u.discount_fen) FROM promotion_use u WHERE u.order_number = o.number), 0) AS used
        FROM "order" o LEFT JOIN {OFF_LINES} f ON f.order_id = o.id GROUP BY o.id, o.number, o.discount_fen
        HAVING COALESCE(SUM(f.discount), 0) <> o.discount_fen OR COALESCE((SELECT SUM(u.discount_fen)
            FROM promotion_use u WHERE u.order_number = o.number), 0) <> o.discount_fen""",
        "order {name} says {owed} fen came off, its lines {amount}, its promotions {used}",
    ),
    Check(
        "parcels have the discount of their lines",
        f"""SELECT p.public_id AS name, p.discount_fen AS owed, COALESCE(f.discount, 0) AS amount FROM parcel p
        LEFT JOIN {OFF_LINES} f ON f.parcel_id = p.id WHERE COALESCE(f.discount, 0) <> p.discount_fen""",
        "parcel {name} says {owed} fen came off, its lines {amount}",
    ),
    Check(
        "the province bears its part of discounts",
        f"""SELECT o.number AS name, COALESCE(SUM(f.province), 0) AS owed, COALESCE((SELECT SUM(u.platform_fen)
            FROM promotion_use u WHERE u.order_number = o.number), 0) AS used,
        COALESCE((SELECT -SUM(k.fen) FROM {FUNDING} k WHERE k.key = 'allocate:' || o.number), 0) AS amount
        FROM "order" o LEFT JOIN {OFF_LINES} f ON f.order_id = o.id WHERE o.discount_fen > 0
        GROUP BY o.id, o.number, o.paid_at HAVING COALESCE(SUM(f.province), 0) <> COALESCE((SELECT SUM(u.platform_fen)
            FROM promotion_use u WHERE u.order_number = o.number), 0) OR COALESCE((SELECT -SUM(k.fen) FROM {FUNDING} k
            WHERE k.key = 'allocate:' || o.number), 0) <> CASE WHEN o.paid_at IS NULL THEN 0
            ELSE COALESCE(SUM(f.province), 0) END""",
        "order {name}: {owed} fen of discounts are the province's by its lines, {used} by its promotions, {amount} booked",
    ),
    Check(
        "discounts follow what became of their orders",
        """SELECT u.public_id AS name, u.state AS state, o.state AS there FROM promotion_use u
        JOIN "order" o ON o.number = u.order_number WHERE u.state <> CASE WHEN o.paid_at IS NOT NULL THEN 'spent'
        WHEN o.state IN ('pending_payment', 'placed_on_account') THEN 'reserved' ELSE 'returned' END""",
        "use {name} of a promotion is {state}, its order {there}",
    ),
    Check(
        "budgets count their uses",
        f"""SELECT p.public_id AS name, p.used_fen AS amount, COALESCE(u.fen, 0) AS owed, p.budget_fen AS budget
        FROM promotion p LEFT JOIN {USED} u ON u.promotion_id = p.id WHERE p.used_fen <> COALESCE(u.fen, 0)
        OR p.spent_fen <> COALESCE(u.spent, 0) OR p.uses <> COALESCE(u.uses, 0) OR p.used_fen > p.budget_fen
        OR p.platform_used_fen <> COALESCE(u.province, 0) OR p.uses > COALESCE(p.uses_most, p.uses)""",
        "promotion {name} counts {amount} fen of {budget}, its uses {owed}; or their number or the province's part differs",
    ),
    Check(
        "nobody uses a promotion more often than they may",
        """SELECT p.public_id AS name, MIN(o.number) AS first, COUNT(*) AS amount FROM promotion_use u
        JOIN promotion p ON p.id = u.promotion_id JOIN "order" o ON o.number = u.order_number
        LEFT JOIN account_order t ON t.order_id = o.id WHERE u.state <> 'returned' AND p.uses_each IS NOT NULL
        GROUP BY p.id, p.public_id, p.uses_each, t.institution_id,
            CASE WHEN t.institution_id IS NULL THEN o.phone_fingerprint END HAVING COUNT(*) > MAX(p.uses_each)""",
        "promotion {name} was used {amount} times with one phone number, or on one account: by order {first} and others",
    ),
    Check(
        "promotions of the province have four eyes",
        """SELECT public_id AS name FROM promotion WHERE state IN ('live', 'paused', 'ended') AND seller_public_id = ''
        AND (approved_by IS NULL OR approved_by = made_by)""",
        "promotion {name} is live, but nobody beside its maker has approved it",
    ),
    Check(
        "promotions are funded",
        f"""SELECT p.public_id AS name, CASE WHEN p.state IN ('live', 'paused', 'ended')
            THEN p.budget_fen * p.platform_bps / 10000 ELSE 0 END AS owed,
        COALESCE((SELECT SUM(k.fen) FROM {FUNDING} k WHERE k.key = 'promotion_in:' || p.public_id), 0) AS amount,
        COALESCE((SELECT -SUM(k.fen) FROM {FUNDING} k WHERE k.kind = 'promotion_out' AND k.reference = p.public_id), 0)
            AS gone, CASE WHEN p.state = 'ended' THEN p.budget_fen * p.platform_bps / 10000 - p.platform_used_fen
            ELSE 0 END AS rest
        FROM promotion p WHERE COALESCE((SELECT SUM(k.fen) FROM {FUNDING} k WHERE k.key = 'promotion_in:' || p.public_id), 0)
            <> CASE WHEN p.state IN ('live', 'paused', 'ended') THEN p.budget_fen * p.platform_bps / 10000 ELSE 0 END
        OR COALESCE((SELECT -SUM(k.fen) FROM {FUNDING} k WHERE k.kind = 'promotion_out' AND k.reference = p.public_id), 0)
            <> CASE WHEN p.state = 'ended' THEN p.budget_fen * p.platform_bps / 10000 - p.platform_used_fen ELSE 0 END""",
        "promotion {name}: the province should have put up {owed} fen and have {rest} back, booked are {amount} and {gone}",
    ),
    Check(
        "the account of promotions holds what runs and what waits",
        f"""SELECT p.book AS name, SUM(CASE WHEN p.state IN ('live', 'paused')
            THEN p.budget_fen * p.platform_bps / 10000 - p.platform_used_fen ELSE 0 END) + {WAITING} + {AS_BEFORE} AS owed,
        {HELD} AS amount FROM promotion p GROUP BY p.book
        HAVING SUM(CASE WHEN p.state IN ('live', 'paused')
            THEN p.budget_fen * p.platform_bps / 10000 - p.platform_used_fen ELSE 0 END) + {WAITING} + {AS_BEFORE}
            <> {HELD}""",
        "promotions of the {name} book may still give {owed} fen, {amount} are there",
    ),
    Check(
        "refunds give the province back its part",
        f"""SELECT b.refund AS name, SUM(b.province_off) AS owed, COALESCE((SELECT SUM(k.fen) FROM {PROVINCES} k
            WHERE k.key = 'refund:' || b.refund), 0) AS amount FROM {BACK} b GROUP BY b.refund
        HAVING SUM(b.province_off) <> COALESCE((SELECT SUM(k.fen) FROM {PROVINCES} k
            WHERE k.key = 'refund:' || b.refund), 0)""",
        "refund {name}: the province should have {owed} fen back, {amount} are booked",
    ),
    Check(
        "the province keeps its part of what was credited",
        f"""SELECT o.number AS name, COALESCE(SUM(c.province_off), 0) AS owed, COALESCE((SELECT SUM(k.fen) FROM {PROVINCES} k
            WHERE k.key = 'allocate:' || o.number), 0) + o_off.province AS amount
        FROM account_order a JOIN "order" o ON o.id = a.order_id AND o.paid_at IS NOT NULL
        JOIN (SELECT order_id, SUM(province) AS province FROM {OFF_LINES} f GROUP BY order_id) o_off ON o_off.order_id = o.id
        LEFT JOIN {CREDITED} c ON c.order_id = o.id GROUP BY o.id, o.number, o_off.province
        HAVING COALESCE(SUM(c.province_off), 0) <> COALESCE((SELECT SUM(k.fen) FROM {PROVINCES} k
            WHERE k.key = 'allocate:' || o.number), 0) + o_off.province""",
        "order {name}: of its credits {owed} fen are the province's again, {amount} are booked",
    ),
    Check(
        "no more of a discount goes back than there was",
        f"""SELECT l.public_id AS name, l.seller_discount_fen + l.platform_discount_fen + l.shipping_discount_fen AS owed,
        SUM(b.discount) AS amount FROM {GONE} b JOIN order_line l ON l.id = b.line_id WHERE b.state <> 'failed'
        GROUP BY l.id, l.public_id, l.seller_discount_fen, l.platform_discount_fen, l.shipping_discount_fen,
            l.quantity, l.refunded_quantity, l.unit_price_fen
        HAVING SUM(b.seller_off) > l.seller_discount_fen
        OR SUM(b.province_off) > l.platform_discount_fen + l.shipping_discount_fen
        OR (SUM(b.goods) = l.unit_price_fen * l.quantity AND SUM(b.seller_off) <> l.seller_discount_fen)""",
        "line {name}: {owed} fen came off, {amount} went back to who bore them",
    ),
)
