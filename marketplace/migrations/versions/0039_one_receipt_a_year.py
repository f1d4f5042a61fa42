"""One receipt for what somebody gave in a year; what receipts say is the database's own rule."""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0034"
branch_labels = None
depends_on = None

VALID = sa.text("state = 'issued'")


def upgrade() -> None:
    op.create_table(
        "yearly_choice",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_yearly_choice_person_id_person")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_yearly_choice")),
    )
    op.create_table(
        "receipt_year",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("organisation_code", sa.String(), nullable=False),
        sa.Column("book", sa.String(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_code"], ["organisation.code"], name=op.f("fk_receipt_year_organisation_code_organisation")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_receipt_year_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt_year")),
        sa.UniqueConstraint(
            "person_id",
            "organisation_code",
            "book",
            "year",
            name=op.f("uq_receipt_year_person_id_organisation_code_book_year"),
        ),
    )
    with op.batch_alter_table("receipt", schema=None) as batch_op:
        batch_op.add_column(sa.Column("year_id", sa.Integer(), nullable=True))
        batch_op.alter_column("contribution_id", existing_type=sa.Integer(), nullable=True)
        batch_op.create_foreign_key(batch_op.f("fk_receipt_year_id_receipt_year"), "receipt_year", ["year_id"], ["id"])
        batch_op.create_check_constraint(
            batch_op.f("ck_receipt_for_a_gift_or_a_year"), "(contribution_id IS NULL) <> (year_id IS NULL)"
        )
        batch_op.create_index(batch_op.f("ix_receipt_year_id"), ["year_id"], unique=False)
        batch_op.create_index(
            "one_valid_receipt_a_year", ["year_id"], unique=True, sqlite_where=VALID, postgresql_where=VALID
        )
    op.create_table(
        "receipt_gift",
        sa.Column("receipt", sa.String(), nullable=False),
        sa.Column("contribution_id", sa.Integer(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("fen > 0", name=op.f("ck_receipt_gift_is_something")),
        sa.ForeignKeyConstraint(
            ["contribution_id"], ["contribution.id"], name=op.f("fk_receipt_gift_contribution_id_contribution")
        ),
        sa.ForeignKeyConstraint(
            ["receipt"],
            ["receipt.public_id"],
            name=op.f("fk_receipt_gift_receipt_receipt"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("receipt", "contribution_id", name=op.f("pk_receipt_gift")),
    )
    with op.batch_alter_table("receipt_gift", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_receipt_gift_contribution_id"), ["contribution_id"], unique=False)


def downgrade() -> None:
    """Gifts that stand on a year's receipt alone stay without one: the tables of before know no other."""
    op.execute("DELETE FROM receipt_gift")
    op.execute("DELETE FROM receipt WHERE year_id IS NOT NULL")
    op.drop_table("receipt_gift")
    with op.batch_alter_table("receipt", schema=None) as batch_op:
        batch_op.drop_index("one_valid_receipt_a_year", sqlite_where=VALID, postgresql_where=VALID)
        batch_op.drop_index(batch_op.f("ix_receipt_year_id"))
        batch_op.drop_constraint(batch_op.f("ck_receipt_for_a_gift_or_a_year"), type_="check")
        batch_op.drop_constraint(batch_op.f("fk_receipt_year_id_receipt_year"), type_="foreignkey")
        batch_op.alter_column("contribution_id", existing_type=sa.Integer(), nullable=False)
        batch_op.drop_column("year_id")
    op.drop_table("receipt_year")
    op.drop_table("yearly_choice")
