"""A payment beyond its item of the budget says why."""

import sqlalchemy as sa
from alembic import op

revision = "0058"
down_revision = "0054"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("disbursement", schema=None) as batch_op:
        batch_op.add_column(sa.Column("beyond_why", sa.String(), nullable=False, server_default=""))
    with op.batch_alter_table("disbursement", schema=None) as batch_op:
        batch_op.alter_column("beyond_why", existing_type=sa.String(), server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("disbursement", schema=None) as batch_op:
        batch_op.drop_column("beyond_why")
