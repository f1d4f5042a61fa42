"""A payment beyond its item of the budget says why, and so does a picture of an update that is not shown any more."""

import sqlalchemy as sa
from alembic import op

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None


REASONS = (("disbursement", "beyond_why"), ("update_picture", "taken_back_why"))


def upgrade() -> None:
    for table, column in REASONS:
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(sa.Column(column, sa.String(), nullable=False, server_default=""))
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.alter_column(column, existing_type=sa.String(), server_default=None)


def downgrade() -> None:
    """A picture that was taken back is not shown again: it goes."""
    op.execute(sa.text("DELETE FROM update_picture WHERE taken_back_why <> ''"))
    for table, column in REASONS:
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_column(column)
