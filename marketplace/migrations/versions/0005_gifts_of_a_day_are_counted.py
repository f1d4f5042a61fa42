"""gifts of a day are counted"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

DAY_IN_SHANXI = {"sqlite": "date(at, '+8 hours')", "postgresql": "(at AT TIME ZONE 'Asia/Shanghai')::date"}


def upgrade() -> None:
    with op.batch_alter_table("ledger_day", schema=None) as batch_op:
        batch_op.add_column(sa.Column("gifts", sa.Integer(), nullable=False, server_default="0"))
    op.execute(
        f"""UPDATE ledger_day SET gifts = counted.gifts FROM (
            SELECT book, campaign_id, {DAY_IN_SHANXI[op.get_bind().dialect.name]} AS day, COUNT(*) AS gifts
            FROM sealed_row WHERE kind = 'gift' GROUP BY 1, 2, 3) AS counted
        WHERE counted.book = ledger_day.book AND counted.campaign_id = ledger_day.campaign_id
        AND counted.day = ledger_day.day"""
    )
    with op.batch_alter_table("ledger_day", schema=None) as batch_op:
        batch_op.alter_column("gifts", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("ledger_day", schema=None) as batch_op:
        batch_op.drop_column("gifts")
