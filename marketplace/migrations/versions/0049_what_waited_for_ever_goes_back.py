"""What had no way back goes back now: packed parcels of presales that are over, and what appeals brought to campaigns that are."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0047"
branch_labels = None
depends_on = None

OUTBOX = sa.table(
    "outbox",
    sa.column("topic", sa.String()),
    sa.column("payload", sa.JSON()),
    sa.column("tries", sa.Integer()),
    sa.column("next_at", sa.DateTime(timezone=True)),
    sa.column("is_done", sa.Boolean()),
    sa.column("at", sa.DateTime(timezone=True)),
)
PACKED = """SELECT b.public_id FROM backing b JOIN presale p ON p.id = b.presale_id JOIN "order" o ON o.number = b.order_number
    JOIN parcel r ON r.order_id = o.id WHERE b.state = 'ordered' AND p.state IN ('defaulted', 'closed') AND r.state = 'packed'
    ORDER BY b.id"""
REGAINED = """SELECT DISTINCT g.public_id FROM contribution g JOIN campaign c ON c.id = g.campaign_id
    JOIN entry e ON e.reference = g.public_id AND e.kind = 'dispute_appealed'
    WHERE c.state IN ('cancelled', 'reported', 'closed') ORDER BY g.public_id"""


def upgrade() -> None:
    """The worker looks at each, and does nothing where nothing is due."""
    connection, now = op.get_bind(), datetime.now(UTC)
    whole = {"tries": 0, "next_at": now, "is_done": False, "at": now}
    for topic, name, which in (("backing.returns", "backing_id", PACKED), ("gift.regained", "gift", REGAINED)):
        found = connection.execute(sa.text(which)).scalars().all()
        if found:
            op.bulk_insert(OUTBOX, [{**whole, "topic": topic, "payload": {name: each}} for each in found])


def downgrade() -> None:
    """Nothing to undo: what is on its way stays on it."""
