"""An idempotency key ages from the first time that it was used, not from the wish: a refund may wait for days before."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

TABLES = ("refund", "transfer", "transfer_reversal")


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("first_asked_at", sa.DateTime(timezone=True), nullable=True))
        op.execute(f"UPDATE {table} SET first_asked_at = created_at WHERE state <> 'requested'")


def downgrade() -> None:
    for table in TABLES:
        op.drop_column(table, "first_asked_at")
