"""How far partners' machines were told of the public ledger, and how far another house's giving was read in."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "giving_import",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("manifest_sha256", sa.String(), nullable=False),
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_giving_import_only_one")),
        sa.CheckConstraint("lines >= 0", name=op.f("ck_giving_import_counts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_giving_import")),
    )
    op.create_table(
        "ledger_told",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_told")),
    )
    # what was sealed before is no news
    op.execute("INSERT INTO ledger_told (id, number) SELECT 1, MAX(number) FROM sealed_row HAVING MAX(number) IS NOT NULL")


def downgrade() -> None:
    op.drop_table("ledger_told")
    op.drop_table("giving_import")
