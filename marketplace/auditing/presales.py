"""What must be true of presales: places and fields, escrow and what was released of it, orders, and who decided."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from sqlalchemy import Connection

from marketplace.auditing.checks import Check, Difference, moment, read
from marketplace.auditing.escrow import PLACES, STAYED
from marketplace.auditing.money import LINES
from marketplace.core import clock

PATIENCE: Final = timedelta(hours=1)
FOR_THE_COURIER: Final = timedelta(days=3)  # of what is packed
DAYS_OF_PATIENCE: Final = timedelta(days=2)
SEEN_TO: Final = "places of presales that are over are seen to"
TOO_LATE: Final = "what of a presale was not sent in time has gone back"
UNSENT: Final = """SELECT b.order_number AS number, b.answered_at AS answered_at, p.harvest_on AS harvest_on,
    p.grace_days AS grace_days, r.state AS state FROM backing b JOIN presale p ON p.id = b.presale_id
    JOIN "order" o ON o.number = b.order_number
    JOIN parcel r ON r.order_id = o.id AND r.state IN ('awaiting_acceptance', 'accepted', 'collecting', 'packed')
    WHERE p.state IN ('delivering', 'defaulted', 'closed') AND NOT EXISTS (SELECT 1 FROM attempt t
        JOIN dispute d ON d.attempt_id = t.id WHERE t.purpose = 'presale' AND t.reference = b.public_id
        AND d.state IN ('needs_response', 'under_review'))"""

TAKEN: Final = """(SELECT t.id AS id, t.presale_id AS presale_id, t.grams AS grams, t.taken AS taken,
        (SELECT COUNT(*) FROM backing b WHERE b.tier_id = t.id AND (b.state IN ('held', 'confirmed', 'ordered')
            OR (b.state = 'refunded' AND NOT EXISTS (SELECT 1 FROM event e WHERE e.subject = 'backing:' || b.public_id
                AND e.to_state = 'refunded' AND e.why = 'left')))) AS counted FROM presale_tier t)"""
"""By tier, the places that nobody else could have."""

DECIDED: Final = """(SELECT p.public_id AS name, p.state AS state, p.goal_fen AS goal,
        COALESCE((SELECT SUM(b.fen) FROM backing b
        WHERE b.presale_id = p.id AND (b.state IN ('confirmed', 'ordered') OR (b.state = 'refunded' AND EXISTS (
            SELECT 1 FROM event e JOIN event d ON d.subject = 'presale:' || p.public_id
            AND d.from_state = 'waiting_funds' WHERE e.subject = 'backing:' || b.public_id
            AND e.to_state = 'refunded' AND e.id > d.id)))), 0) AS fen
    FROM presale p WHERE p.state IN ('successful', 'failed', 'delivering', 'closed', 'defaulted'))"""
"""What each had when it was decided about."""

PRESALES: Final = (
    Check(
        "tiers count their places",
        f"""SELECT t.id AS name, t.taken AS amount, t.counted AS owed FROM {TAKEN} t WHERE t.taken <> t.counted""",
        "the tier of id {name} counts {amount} places, {owed} are taken",
    ),
    Check(
        "fields bear what is sold of them",
        f"""SELECT p.public_id AS name, p.taken_grams AS amount, SUM(t.taken * t.grams) AS owed, p.cap_grams AS cap
        FROM presale p JOIN {TAKEN} t ON t.presale_id = p.id GROUP BY p.id, p.public_id, p.taken_grams, p.cap_grams
        HAVING SUM(t.taken * t.grams) <> p.taken_grams OR p.taken_grams > p.cap_grams""",
        "presale {name} has sold {amount} g, its tiers {owed}, its field bears {cap}",
    ),
    Check(
        "places cost what their tier says",
        """SELECT b.public_id AS name, b.fen AS amount, t.unit_price_fen * t.packs + t.shipping_fen AS owed FROM backing b
        JOIN presale_tier t ON t.id = b.tier_id WHERE t.presale_id <> b.presale_id
        OR b.fen <> t.unit_price_fen * t.packs + t.shipping_fen""",
        "place {name} cost {amount} fen, its tier says {owed}; or it is of another presale",
    ),
    Check(
        "paid places were paid",
        """SELECT b.public_id AS name, b.state AS state, COALESCE(SUM(t.fen), 0) AS amount FROM backing b
        LEFT JOIN attempt t ON t.purpose = 'presale' AND t.reference = b.public_id AND t.state = 'succeeded'
        AND NOT t.is_surplus AND t.book = b.book WHERE b.state IN ('confirmed', 'ordered', 'refunded')
        GROUP BY b.id, b.public_id, b.state, b.fen HAVING COALESCE(SUM(t.fen), 0) <> b.fen""",
        "place {name} is {state}, {amount} fen came",
    ),
    Check(
        "escrow is what places paid and nobody has yet",
        f"""SELECT x.presale AS name, SUM(x.owed) AS owed, SUM(x.amount) AS amount FROM (
            SELECT presale, book, fen - start_fen AS owed, 0 AS amount FROM {STAYED} s
            UNION ALL SELECT a.owner, a.book, 0, -line.amount FROM {LINES} WHERE a.kind = 'presale_escrow') x
        GROUP BY x.presale, x.book HAVING SUM(x.owed) <> SUM(x.amount)""",
        "of presale {name} {owed} fen should be held, the books say {amount}",
    ),
    Check(
        "what was released at the start is that of its places",
        f"""SELECT x.presale AS name, SUM(x.owed) AS owed, SUM(x.amount) AS amount FROM (
            SELECT presale, start_fen AS owed, 0 AS amount FROM {PLACES} s
            UNION ALL SELECT SUBSTR(entry.key, 9, 16), 0, -line.amount FROM {LINES}
            WHERE entry.kind = 'release' AND entry.reference = SUBSTR(entry.key, 9, 16) AND a.kind = 'seller_held') x
        GROUP BY x.presale HAVING SUM(x.owed) <> SUM(x.amount)""",
        "of presale {name} {owed} fen were released at the start, the books say {amount}",
    ),
    Check(
        "at most thirty per cent are released at the start",
        """SELECT b.public_id AS name, b.start_fen AS amount, b.fen AS owed FROM backing b
        JOIN presale p ON p.id = b.presale_id WHERE b.start_fen * 100 > b.fen * p.start_percent OR p.start_percent > 30""",
        "of place {name} over {owed} fen {amount} were released at the start",
    ),
    Check(
        "orders of presales are their places",
        """SELECT b.public_id AS name, b.state AS state, COALESCE(o.number, 'nothing') AS number FROM backing b
        LEFT JOIN "order" o ON o.number = b.order_number WHERE b.state = 'ordered' AND (o.id IS NULL
            OR COALESCE(o.backing, '') <> b.public_id OR o.total_fen <> b.fen OR o.book <> b.book OR o.paid_at IS NULL)
        UNION ALL SELECT o.backing, 'nothing', o.number FROM "order" o LEFT JOIN backing b ON b.public_id = o.backing
        AND b.order_number = o.number WHERE o.backing IS NOT NULL AND b.id IS NULL""",
        "place {name} is {state}, but its order {number} is not it",
    ),
    Check(
        "orders of presales have their money when they are sent",
        f"""SELECT s.number AS name, MAX(p.state) AS state FROM {PLACES} s JOIN "order" o ON o.number = s.number
        JOIN parcel p ON p.order_id = o.id WHERE NOT s.released AND (p.dispatched_at IS NOT NULL
            OR p.state IN ('refused', 'cancelled', 'shipped', 'ready_for_pickup', 'returned_to_seller', 'settled'))
        GROUP BY s.number""",
        "the parcel of order {name} is {state}, but its money is in escrow",
    ),
    Check(
        "money leaves escrow for what is sent or refunded",
        f"""SELECT s.number AS name FROM {PLACES} s JOIN "order" o ON o.number = s.number
        JOIN parcel p ON p.order_id = o.id WHERE s.released AND p.dispatched_at IS NULL
        AND NOT EXISTS (SELECT 1 FROM refund_line rl JOIN order_line l ON l.id = rl.order_line_id WHERE l.parcel_id = p.id)
        AND NOT EXISTS (SELECT 1 FROM entry WHERE entry.key = 'dispute_kept:' || p.public_id)""",
        "the money of order {name} left escrow, though nothing was sent or refunded",
    ),
    Check(
        "presales are what they reached",
        f"""SELECT d.name AS name, d.state AS state, d.fen AS amount, d.goal AS owed FROM {DECIDED} d
        WHERE (d.state = 'failed') <> (d.fen < d.goal)""",
        "presale {name} is {state} with {amount} fen of {owed}",
    ),
    Check(
        "somebody else than the seller opened each presale",
        """SELECT p.public_id AS name FROM presale p LEFT JOIN event e ON e.subject = 'presale:' || p.public_id
        AND e.from_state = 'submitted' WHERE (e.id IS NOT NULL OR p.state NOT IN ('draft', 'submitted'))
        AND (p.reviewer_id IS NULL OR p.reviewer_id = p.seller_id OR COALESCE(e.actor, '') <> 'person:' || p.reviewer_id)""",
        "presale {name} was opened by nobody else",
    ),
)


def differences(connection: Connection) -> Iterator[Difference | str]:
    """Whoever paid for what does not come has their money on its way back soon after."""
    yield SEEN_TO
    waiting = """SELECT b.public_id AS name, p.state AS state, MAX(e.at) AS at FROM backing b
        JOIN presale p ON p.id = b.presale_id AND p.state IN ('failed', 'defaulted', 'closed')
        JOIN event e ON e.subject = 'presale:' || p.public_id AND e.to_state = p.state
        WHERE b.state = 'confirmed' AND NOT EXISTS (SELECT 1 FROM attempt t JOIN dispute d ON d.attempt_id = t.id
            WHERE t.purpose = 'presale' AND t.reference = b.public_id AND d.state IN ('needs_response', 'under_review'))
        GROUP BY b.id, b.public_id, p.state"""
    for row in read(connection, waiting):
        if moment(row.at) < clock.now() - PATIENCE:
            yield Difference(SEEN_TO, f"place {row.name} is paid, though its presale is {row.state} since long")
    yield TOO_LATE
    for row in read(connection, UNSENT):
        said = clock.local(moment(row.answered_at)).date() + timedelta(days=7)
        last = max(date.fromisoformat(str(row.harvest_on)) + timedelta(days=row.grace_days), said)
        last += FOR_THE_COURIER if row.state == "packed" else timedelta()
        if last + DAYS_OF_PATIENCE < clock.today():
            yield Difference(TOO_LATE, f"order {row.number} of a presale should have left by {last}, and is {row.state}")
