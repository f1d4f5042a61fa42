"""Saver and guardian are compared by their identity documents too."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0013"
branch_labels = None
depends_on = None

GONE = (
    "(destroyed_at IS NULL AND data_key IS NOT NULL AND sealed IS NOT NULL AND identity_hash IS NOT NULL)"
    " OR (destroyed_at IS NOT NULL AND data_key IS NULL AND sealed IS NULL AND identity_hash IS NULL"
    " AND guardian_phone_hash IS NULL"
)


def upgrade() -> None:
    with op.batch_alter_table("voucher", schema=None) as batch_op:
        batch_op.add_column(sa.Column("saver_identity_hash", sa.String(), nullable=True))
    with op.batch_alter_table("child_vault", schema=None) as batch_op:
        batch_op.add_column(sa.Column("guardian_identity_hash", sa.String(), nullable=True))
        batch_op.drop_constraint(batch_op.f("ck_child_vault_whole_or_gone"), type_="check")
        batch_op.create_check_constraint(
            batch_op.f("ck_child_vault_whole_or_gone"), f"{GONE} AND guardian_identity_hash IS NULL)"
        )


def downgrade() -> None:
    with op.batch_alter_table("child_vault", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_child_vault_whole_or_gone"), type_="check")
        batch_op.create_check_constraint(batch_op.f("ck_child_vault_whole_or_gone"), f"{GONE})")
        batch_op.drop_column("guardian_identity_hash")
    with op.batch_alter_table("voucher", schema=None) as batch_op:
        batch_op.drop_column("saver_identity_hash")
