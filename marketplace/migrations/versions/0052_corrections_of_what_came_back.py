"""What was let in as paid back by mistake is corrected by two people, and the public ledger knows such rows."""

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None
CAME = "(kind IN ('gift', 'match', 'return', 'repayment') AND fen > 0)"
BEFORE = f"{CAME} OR (kind IN ('unmatch', 'refund', 'disbursement') AND fen < 0)"
SINCE = BEFORE.replace("'disbursement')", "'disbursement', 'correction')")
UNREFUSED = sa.text("refused_why = ''")
STANDS = sa.text("refused_why = '' AND corrected_at IS NULL")
CREDIT = "one_credit_of_the_bank"


def upgrade() -> None:
    op.create_table(
        "repayment_correction",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("repayment_id", sa.Integer(), nullable=False),
        sa.Column("why_zh", sa.String(), nullable=False),
        sa.Column("officer_id", sa.Integer(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decider_id", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refused_why", sa.String(), nullable=False),
        sa.CheckConstraint(
            "(decided_at IS NULL) = (decider_id IS NULL)", name=op.f("ck_repayment_correction_decided_by_somebody")
        ),
        sa.CheckConstraint(
            "decider_id IS NULL OR decider_id <> officer_id", name=op.f("ck_repayment_correction_two_people")
        ),
        sa.CheckConstraint(
            "refused_why = '' OR decided_at IS NOT NULL", name=op.f("ck_repayment_correction_refused_by_somebody")
        ),
        sa.ForeignKeyConstraint(
            ["repayment_id"], ["repayment.id"], name=op.f("fk_repayment_correction_repayment_id_repayment")
        ),
        sa.ForeignKeyConstraint(["officer_id"], ["person.id"], name=op.f("fk_repayment_correction_officer_id_person")),
        sa.ForeignKeyConstraint(["decider_id"], ["person.id"], name=op.f("fk_repayment_correction_decider_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_repayment_correction")),
        sa.UniqueConstraint("public_id", name=op.f("uq_repayment_correction_public_id")),
    )
    with op.batch_alter_table("repayment_correction", schema=None) as batch_op:
        batch_op.create_index(
            "one_correction_of_a_repayment",
            ["repayment_id"],
            unique=True,
            sqlite_where=UNREFUSED,
            postgresql_where=UNREFUSED,
        )
    with op.batch_alter_table("repayment", schema=None) as batch_op:
        batch_op.add_column(sa.Column("corrected_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.drop_index(CREDIT, sqlite_where=UNREFUSED, postgresql_where=UNREFUSED)
        batch_op.create_index(CREDIT, ["bank_reference"], unique=True, sqlite_where=STANDS, postgresql_where=STANDS)
    know_kinds(SINCE)


def know_kinds(kinds: str) -> None:
    with op.batch_alter_table("public_row", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_public_row_known_kind"), type_="check")
        batch_op.create_check_constraint(batch_op.f("ck_public_row_known_kind"), kinds)


def downgrade() -> None:
    know_kinds(BEFORE)
    with op.batch_alter_table("repayment", schema=None) as batch_op:
        batch_op.drop_index(CREDIT, sqlite_where=STANDS, postgresql_where=STANDS)
        batch_op.drop_column("corrected_at")
        batch_op.create_index(CREDIT, ["bank_reference"], unique=True, sqlite_where=UNREFUSED, postgresql_where=UNREFUSED)
    with op.batch_alter_table("repayment_correction", schema=None) as batch_op:
        batch_op.drop_index("one_correction_of_a_repayment", sqlite_where=UNREFUSED, postgresql_where=UNREFUSED)

    op.drop_table("repayment_correction")
