"""What providers pay back: records beside their payments, and a kind of row in the public ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None
BEFORE = "(kind IN ('gift', 'match', 'return') AND fen > 0) OR (kind IN ('unmatch', 'refund', 'disbursement') AND fen < 0)"
SINCE = BEFORE.replace("'return')", "'return', 'repayment')")
STANDS = sa.text("refused_why = ''")


def upgrade() -> None:
    op.create_table(
        "repayment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("disbursement_id", sa.Integer(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.Column("bank_reference", sa.String(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("why_zh", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("officer_id", sa.Integer(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decider_id", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refused_why", sa.String(), nullable=False),
        sa.CheckConstraint("fen > 0", name=op.f("ck_repayment_brings_something")),
        sa.CheckConstraint("(decided_at IS NULL) = (decider_id IS NULL)", name=op.f("ck_repayment_decided_by_somebody")),
        sa.CheckConstraint("decider_id IS NULL OR decider_id <> officer_id", name=op.f("ck_repayment_two_people")),
        sa.CheckConstraint("refused_why = '' OR decided_at IS NOT NULL", name=op.f("ck_repayment_refused_by_somebody")),
        sa.ForeignKeyConstraint(
            ["disbursement_id"], ["disbursement.id"], name=op.f("fk_repayment_disbursement_id_disbursement")
        ),
        sa.ForeignKeyConstraint(["officer_id"], ["person.id"], name=op.f("fk_repayment_officer_id_person")),
        sa.ForeignKeyConstraint(["decider_id"], ["person.id"], name=op.f("fk_repayment_decider_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_repayment")),
        sa.UniqueConstraint("public_id", name=op.f("uq_repayment_public_id")),
    )
    with op.batch_alter_table("repayment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_repayment_disbursement_id"), ["disbursement_id"], unique=False)
        batch_op.create_index(
            "one_credit_of_the_bank", ["bank_reference"], unique=True, sqlite_where=STANDS, postgresql_where=STANDS
        )
    op.create_table(
        "repaid_line",
        sa.Column("repayment_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bill_line_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("fen > 0", name=op.f("ck_repaid_line_brings_something")),
        sa.ForeignKeyConstraint(["repayment_id"], ["repayment.id"], name=op.f("fk_repaid_line_repayment_id_repayment")),
        sa.ForeignKeyConstraint(["bill_line_id"], ["bill_line.id"], name=op.f("fk_repaid_line_bill_line_id_bill_line")),
        sa.PrimaryKeyConstraint("repayment_id", "bill_line_id", name=op.f("pk_repaid_line")),
    )
    with op.batch_alter_table("repaid_line", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_repaid_line_bill_line_id"), ["bill_line_id"], unique=False)
    know_kinds(SINCE)


def know_kinds(kinds: str) -> None:
    with op.batch_alter_table("public_row", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_public_row_known_kind"), type_="check")
        batch_op.create_check_constraint(batch_op.f("ck_public_row_known_kind"), kinds)


def downgrade() -> None:
    know_kinds(BEFORE)
    with op.batch_alter_table("repaid_line", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_repaid_line_bill_line_id"))

    op.drop_table("repaid_line")
    with op.batch_alter_table("repayment", schema=None) as batch_op:
        batch_op.drop_index("one_credit_of_the_bank", sqlite_where=STANDS, postgresql_where=STANDS)
        batch_op.drop_index(batch_op.f("ix_repayment_disbursement_id"))

    op.drop_table("repayment")
