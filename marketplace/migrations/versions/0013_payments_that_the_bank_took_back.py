"""A payment that was confirmed may be taken back by the bank: its line says when, and why."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("settlement_line", sa.Column("bounced_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("settlement_line", sa.Column("bounced_because", sa.String(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("settlement_line", "bounced_because")
    op.drop_column("settlement_line", "bounced_at")
