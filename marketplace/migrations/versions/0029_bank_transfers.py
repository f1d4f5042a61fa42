"""Bank transfers are written down by one person and confirmed by another."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bank_transfer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("recorded", "confirmed", "withdrawn", name="banktransferstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("way", sa.Enum("in", "out", name="way", native_enum=False, length=40), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("book", sa.String(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("bank_reference", sa.String(), nullable=False),
        sa.Column("moved_on", sa.Date(), nullable=False),
        sa.Column("recorder_id", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decider_id", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'recorded') = (decided_at IS NULL)", name=op.f("ck_bank_transfer_decided_once")),
        sa.CheckConstraint("state <> 'confirmed' OR decider_id <> recorder_id", name=op.f("ck_bank_transfer_two_people")),
        sa.CheckConstraint("(decided_at IS NULL) = (decider_id IS NULL)", name=op.f("ck_bank_transfer_decided_by_somebody")),
        sa.CheckConstraint("fen > 0", name=op.f("ck_bank_transfer_moves_something")),
        sa.ForeignKeyConstraint(["decider_id"], ["person.id"], name=op.f("fk_bank_transfer_decider_id_person")),
        sa.ForeignKeyConstraint(["recorder_id"], ["person.id"], name=op.f("fk_bank_transfer_recorder_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_transfer")),
        sa.UniqueConstraint("public_id", name=op.f("uq_bank_transfer_public_id")),
    )
    with op.batch_alter_table("bank_transfer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_bank_transfer_purpose_reference"), ["purpose", "reference"], unique=False)
        batch_op.create_index(
            "one_line_of_the_bank",
            ["way", "bank_reference"],
            unique=True,
            sqlite_where=sa.text("state <> 'withdrawn'"),
            postgresql_where=sa.text("state <> 'withdrawn'"),
        )


def downgrade() -> None:
    op.drop_table("bank_transfer")
