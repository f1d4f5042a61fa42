"""What must be true of groups: their figures follow from their members, their members from orders, parcels and money."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from sqlalchemy import Connection

from marketplace.auditing.checks import Check, Difference, moment, read
from marketplace.core import clock

PATIENCE: Final = timedelta(hours=1)
SEEN_TO: Final = "members of failed groups are seen to"

PAID: Final = """(SELECT g.id AS id,
        COALESCE(SUM(CASE WHEN m.state IN ('paid', 'ordered') THEN m.packs ELSE 0 END), 0) AS paid,
        COALESCE(SUM(CASE WHEN m.state IN ('held', 'paid', 'ordered') THEN m.packs ELSE 0 END), 0) AS taken
    FROM group_buy g LEFT JOIN group_member m ON m.group_id = g.id GROUP BY g.id)"""
"""By group: packs that are paid for, and packs that nobody else can have."""

GROUPS: Final = (
    Check(
        "complete groups had enough paid packs",
        f"""SELECT g.public_id AS name, g.state AS state, p.paid AS amount, g.threshold_packs AS owed FROM group_buy g
        JOIN {PAID} p ON p.id = g.id WHERE g.state IN ('reached', 'ordered')
        AND (p.paid * 100 < g.threshold_packs * (100 - g.tolerance_percent) OR g.reached_at IS NULL)""",
        "group {name} is {state}, but {amount} packs of {owed} are paid for, or nobody knows since when",
    ),
    Check(
        "groups with enough paid packs are complete",
        f"""SELECT g.public_id AS name, g.state AS state, p.paid AS amount, g.threshold_packs AS owed FROM group_buy g
        JOIN {PAID} p ON p.id = g.id WHERE (g.state IN ('open', 'prolonged') AND p.paid >= g.threshold_packs)
        OR (g.state NOT IN ('reached', 'ordered') AND g.reached_at IS NOT NULL)""",
        "group {name} is {state}, though {amount} packs of {owed} are paid for",
    ),
    Check(
        "groups take no more than their limit",
        f"""SELECT g.public_id AS name, p.taken AS amount, g.most_packs AS owed FROM group_buy g
        JOIN {PAID} p ON p.id = g.id WHERE p.taken > g.most_packs""",
        "group {name} has {amount} packs, its limit is {owed}",
    ),
    Check(
        "nobody has more of a group than one may",
        """SELECT g.public_id AS name, SUM(m.packs) AS amount, g.most_per_member AS owed FROM group_member m
        JOIN group_buy g ON g.id = m.group_id JOIN "order" o ON o.id = m.order_id
        WHERE m.state IN ('held', 'paid', 'ordered') GROUP BY g.id, g.public_id, g.most_per_member, o.phone_fingerprint
        HAVING SUM(m.packs) > g.most_per_member""",
        "one mobile number has {amount} packs of group {name}, {owed} are allowed",
    ),
    Check(
        "members stand where their orders are",
        """SELECT m.public_id AS name, m.state AS state, o.state AS other FROM group_member m
        JOIN "order" o ON o.id = m.order_id WHERE (m.state = 'held' AND o.state <> 'pending_payment')
        OR (m.state = 'lapsed' AND (o.state NOT IN ('expired', 'cancelled') OR o.paid_at IS NOT NULL))
        OR (m.state = 'paid' AND o.state <> 'paid') OR (m.state = 'ordered' AND o.paid_at IS NULL)
        OR (m.state = 'refunded' AND (o.state <> 'cancelled' OR o.paid_at IS NULL))""",
        "member {name} is {state}, but its order is {other}",
    ),
    Check(
        "members are ordered when their group is complete",
        """SELECT m.public_id AS name, m.state AS state, g.state AS other FROM group_member m
        JOIN group_buy g ON g.id = m.group_id WHERE (m.state = 'ordered' AND g.state NOT IN ('reached', 'ordered'))
        OR (m.state = 'paid' AND g.state IN ('reached', 'ordered'))""",
        "member {name} is {state}, but its group is {other}",
    ),
    Check(
        "no station has a parcel of a group that is not complete",
        """SELECT p.public_id AS name, p.state AS state, COALESCE(m.state, 'nobody') AS other FROM parcel p
        LEFT JOIN group_member m ON m.order_id = p.order_id
        WHERE (p.state = 'awaiting_group' AND (m.id IS NULL OR m.state IN ('ordered', 'refunded')))
        OR (p.state NOT IN ('awaiting_group', 'cancelled') AND m.state IS NOT NULL AND m.state <> 'ordered')""",
        "parcel {name} is {state}, but its member is {other}",
    ),
    Check(
        "members buy what their group is for",
        """SELECT m.public_id AS name, m.packs AS owed, COALESCE(SUM(l.quantity), 0) AS amount FROM group_member m
        JOIN group_buy g ON g.id = m.group_id LEFT JOIN parcel p ON p.order_id = m.order_id
        LEFT JOIN order_line l ON l.parcel_id = p.id AND l.variant_code = g.variant_code AND l.unit_price_fen = g.price_fen
        GROUP BY m.id, m.public_id, m.packs, m.order_id HAVING COALESCE(SUM(l.quantity), 0) <> m.packs
        OR (SELECT COUNT(DISTINCT x.variant_code) FROM order_line x JOIN parcel y ON y.id = x.parcel_id
            WHERE y.order_id = m.order_id) <> 1""",
        "member {name} has {owed} packs, their order {amount} at the group's price, or something else besides",
    ),
    Check(
        "no money of a member who left is kept",
        """SELECT m.public_id AS name, o.number AS number, COALESCE(SUM(CASE WHEN a.kind IN ('seller_held', 'station_held',
            'seller_payable', 'station_payable') THEN line.amount ELSE 0 END), 0) AS amount FROM group_member m
        JOIN "order" o ON o.id = m.order_id JOIN entry ON entry.reference = o.number JOIN line ON line.entry_id = entry.id
        JOIN ledger_account a ON a.id = line.account_id WHERE m.state = 'refunded'
        AND NOT EXISTS (SELECT 1 FROM refund r JOIN attempt t ON t.id = r.attempt_id
            WHERE t.purpose = 'order' AND t.reference = o.number AND r.state = 'failed')
        GROUP BY m.id, m.public_id, o.number HAVING SUM(CASE WHEN a.kind IN ('seller_held', 'station_held',
            'seller_payable', 'station_payable') THEN line.amount ELSE 0 END) <> 0""",
        "member {name} was refunded, but {amount} fen of order {number} are still owed to others",
    ),
)


def differences(connection: Connection) -> Iterator[Difference | str]:
    """Each member of a group that failed has their money on its way back soon after."""
    yield SEEN_TO
    waiting = """SELECT m.public_id AS name, m.state AS state, MAX(e.at) AS at FROM group_member m
        JOIN group_buy g ON g.id = m.group_id AND g.state = 'failed'
        JOIN event e ON e.subject = 'group_buy:' || g.public_id AND e.to_state = 'failed'
        WHERE m.state IN ('held', 'paid') GROUP BY m.id, m.public_id, m.state"""
    for row in read(connection, waiting):
        if moment(row.at) < clock.now() - PATIENCE:
            yield Difference(SEEN_TO, f"member {row.name} is {row.state}, though the group failed long ago")
