"""What was settled in another currency, and when a kept card ends"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

NEW = {  # nothing of before was converted, and no card's last day is known
    "gateway_movement": (("presented", sa.BigInteger), ("presented_currency", sa.String), ("rate", sa.String)),
    "dispute": (("fee_currency", sa.String),),
    "plan": (("card_ends_on", sa.Date), ("card_end_told_on", sa.Date)),
}


def upgrade() -> None:
    for table, columns in NEW.items():
        for name, kind in columns:
            op.add_column(table, sa.Column(name, kind(), nullable=True))


def downgrade() -> None:
    for table, columns in NEW.items():
        with op.batch_alter_table(table, schema=None) as batch_op:
            for name, _kind in columns:
                batch_op.drop_column(name)
