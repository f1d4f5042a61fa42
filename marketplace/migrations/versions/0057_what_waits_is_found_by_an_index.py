"""What the worker looks for all day, payments and refunds that hang, pictures nobody has seen, parcels that have arrived, is
found by an index over just these: until now it read through all that ever were."""

import sqlalchemy as sa
from alembic import op

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None

WAITING = (
    ("attempt_waiting", "attempt", "next_at", "state IN ('processing', 'requires_action', 'submitting', 'unknown')"),
    ("refund_waiting", "refund", "next_at", "state IN ('pending', 'requested', 'submitting', 'unknown')"),
    ("evidence_unseen", "evidence", "id", "wants_public AND is_picture AND faces IS NULL"),
    ("parcel_arrived", "parcel", "delivered_at", "state IN ('delivered', 'picked_up')"),
)


def upgrade() -> None:
    op.drop_index("ix_parcel_delivered_at", "parcel")
    for name, table, column, rows in WAITING:
        op.create_index(name, table, [column], sqlite_where=sa.text(rows), postgresql_where=sa.text(rows))


def downgrade() -> None:
    for name, table, _column, _rows in WAITING:
        op.drop_index(name, table)
    op.create_index("ix_parcel_delivered_at", "parcel", ["delivered_at"])
