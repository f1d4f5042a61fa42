"""What must be true of what everybody is owed: by the frozen lines of their orders, less what went back, and by the books.

Sums go along an index from owner to owner, since SQLite would sort all lines in memory to group them: CROSS JOIN says so."""

from typing import Final

from marketplace.auditing.checks import Check
from marketplace.auditing.escrow import NOT_ORDERED, PLACES, RELEASED
from marketplace.auditing.institutions import CREDITED_SHARES
from marketplace.auditing.money import WHO
from marketplace.auditing.refunds import BORNE

BOOKS: Final = "(SELECT 'test' AS book UNION ALL SELECT 'live')"
COUNTS: Final = f"o.paid_at IS NOT NULL AND (o.backing IS NULL OR o.number IN {RELEASED})"


def by_book(fen: str) -> str:
    """Sums of each book side by side: held, payable, and how many parts there are."""
    held, payable = (
        f"CASE WHEN p.state = 'settled' THEN 0 ELSE {fen} END",
        f"CASE WHEN p.state = 'settled' THEN {fen} ELSE 0 END",
    )
    sums = {"held": held, "payable": payable, "parts": "1"}
    return ", ".join(
        f"SUM(CASE WHEN o.book = '{book}' THEN {what} ELSE 0 END) AS {book}_{name}"
        for book in ("test", "live")
        for name, what in sums.items()
    )


SELLERS: Final = f"""(SELECT 'seller' AS who, l.seller_public_id AS owner,
        {by_book("(l.unit_price_fen - l.unit_service_fee_fen) * l.quantity - l.seller_discount_fen")}
    FROM order_line l CROSS JOIN parcel p CROSS JOIN "order" o
    WHERE p.id = l.parcel_id AND o.id = p.order_id AND {COUNTS} GROUP BY l.seller_public_id)"""

STATIONS: Final = f"""(SELECT 'station' AS who, p.station_code AS owner, {by_book("p.service_fee_fen + p.shipping_fen")}
    FROM parcel p CROSS JOIN "order" o WHERE o.id = p.order_id AND {COUNTS} GROUP BY p.station_code)"""

SOLD: Final = " UNION ALL ".join(
    f"""SELECT k.book AS book, s.who AS who, s.owner AS owner,
        CASE k.book WHEN 'test' THEN s.test_held ELSE s.live_held END AS held,
        CASE k.book WHEN 'test' THEN s.test_payable ELSE s.live_payable END AS payable FROM {whose} s CROSS JOIN {BOOKS} k
    WHERE CASE k.book WHEN 'test' THEN s.test_parts ELSE s.live_parts END > 0"""
    for whose in (SELLERS, STATIONS)
)

WENT_BACK: Final = f"""SELECT o.book AS book, w.who AS who, w.owner AS owner,
        CASE WHEN p.state = 'settled' THEN 0 ELSE -w.fen END AS held,
        CASE WHEN p.state = 'settled' THEN -w.fen ELSE 0 END AS payable
    FROM (SELECT parcel_id, who, owner, fen FROM {BORNE} b WHERE state <> 'failed'
        UNION ALL SELECT parcel_id, who, owner, fen FROM {CREDITED_SHARES} c) w
    JOIN parcel p ON p.id = w.parcel_id JOIN "order" o ON o.id = p.order_id WHERE {COUNTS}"""

EXPECTED: Final = f"""(SELECT x.book AS book, x.who AS who, x.owner AS owner, SUM(x.held) AS held, SUM(x.payable) AS payable
    FROM ({SOLD} UNION ALL {WENT_BACK}
    UNION ALL SELECT book, 'seller', seller, -start_fen, 0 FROM {PLACES} p WHERE released) x
    GROUP BY x.book, x.who, x.owner)"""

BOOKED: Final = f"""(SELECT x.book AS book, x.who AS who, x.owner AS owner,
        SUM(CASE WHEN x.kind IN ('seller_held', 'station_held') THEN x.fen ELSE 0 END) AS held,
        SUM(CASE WHEN x.kind IN ('seller_payable', 'station_payable') THEN x.fen ELSE 0 END) AS payable
    FROM (SELECT a.book AS book, {WHO} AS who, a.owner AS owner, a.kind AS kind, k.fen AS fen
        FROM (SELECT line.account_id AS account_id, -SUM(line.amount) AS fen FROM line CROSS JOIN entry
            WHERE entry.id = line.entry_id AND entry.kind IN ('allocate', 'settle', 'refund', 'refund_failed', 'release')
            AND NOT (entry.kind = 'release' AND entry.reference = SUBSTR(entry.key, 9, 16))
            AND entry.key NOT IN {NOT_ORDERED} GROUP BY line.account_id) k
        JOIN ledger_account a ON a.id = k.account_id
        WHERE a.kind IN ('seller_held', 'seller_payable', 'station_held', 'station_payable')) x
    GROUP BY x.book, x.who, x.owner)"""
"""What orders alone made of the accounts: payouts and the like stand in entries of other kinds. What a presale released at
its start is its own matter (`presales`)."""

OWED: Final = (
    Check(
        "what is owed follows from lines less refunds",
        f"""SELECT e.book AS book, e.who AS who, e.owner AS owner, e.held AS held, e.payable AS payable,
        COALESCE(k.held, 0) AS booked_held, COALESCE(k.payable, 0) AS booked_payable FROM {EXPECTED} e LEFT JOIN {BOOKED} k
        ON k.book = e.book AND k.who = e.who AND k.owner = e.owner
        WHERE COALESCE(k.held, 0) <> e.held OR COALESCE(k.payable, 0) <> e.payable""",
        "{who} {owner} in the {book} book: {held} fen should be held and {payable} payable by the lines, the books say "
        "{booked_held} and {booked_payable}",
    ),
    Check(
        "nobody is owed for nothing",
        f"""SELECT k.who AS who, k.owner AS owner, k.book AS book, k.held + k.payable AS amount FROM {BOOKED} k
        LEFT JOIN {EXPECTED} e ON k.book = e.book AND k.who = e.who AND k.owner = e.owner
        WHERE e.owner IS NULL AND (k.held <> 0 OR k.payable <> 0)""",
        "{who} {owner} in the {book} book is owed {amount} fen, but no line of an order says so",
    ),
)
