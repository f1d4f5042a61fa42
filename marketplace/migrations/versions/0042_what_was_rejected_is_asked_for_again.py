"""No invoice is paid twice; but one whose payment was rejected may be asked for again."""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

ONCE = "uq_disbursement_provider_credit_code_invoice_number"
COLUMNS = ["provider_credit_code", "invoice_number"]
NOT_REJECTED = sa.text("state <> 'rejected'")


def upgrade() -> None:
    with op.batch_alter_table("disbursement", schema=None) as batch_op:
        batch_op.drop_constraint(op.f(ONCE), type_="unique")
        batch_op.create_index(
            "no_invoice_twice", COLUMNS, unique=True, sqlite_where=NOT_REJECTED, postgresql_where=NOT_REJECTED
        )


def downgrade() -> None:
    with op.batch_alter_table("disbursement", schema=None) as batch_op:
        batch_op.drop_index("no_invoice_twice")
        batch_op.create_unique_constraint(op.f(ONCE), COLUMNS)
