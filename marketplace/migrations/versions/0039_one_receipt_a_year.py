"""One receipt for what somebody gave in a year; limits of who may benefit; PDFs that a second person looks at first."""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

VALID = sa.text("state = 'issued'")
LOOKED_AT_FIRST = "NOT is_public OR file_name = '' OR (is_picture AND COALESCE(faces, -1) = 0) OR overruled_by IS NOT NULL"
PICTURES_LOOKED_AT_FIRST = "NOT (is_public AND is_picture) OR COALESCE(faces, -1) = 0 OR overruled_by IS NOT NULL"


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

    op.create_table(
        "campaign_criteria",
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("most", sa.Integer(), nullable=False),
        sa.Column("each_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("most > 0 AND each_fen > 0", name=op.f("ck_campaign_criteria_allows_something")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_campaign_criteria_campaign_id_campaign")),
        sa.PrimaryKeyConstraint("campaign_id", name=op.f("pk_campaign_criteria")),
    )
    op.create_table(
        "criteria_county",
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("county_code", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["campaign_criteria.campaign_id"],
            name=op.f("fk_criteria_county_campaign_id_campaign_criteria"),
        ),
        sa.ForeignKeyConstraint(["county_code"], ["county.code"], name=op.f("fk_criteria_county_county_code_county")),
        sa.PrimaryKeyConstraint("campaign_id", "county_code", name=op.f("pk_criteria_county")),
    )
    op.create_table(
        "beneficiary",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("disbursement_id", sa.Integer(), nullable=False),
        sa.Column("county_code", sa.String(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.Column("added_by", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("fen > 0", name=op.f("ck_beneficiary_gets_something")),
        sa.ForeignKeyConstraint(["added_by"], ["person.id"], name=op.f("fk_beneficiary_added_by_person")),
        sa.ForeignKeyConstraint(
            ["campaign_id", "county_code"],
            ["criteria_county.campaign_id", "criteria_county.county_code"],
            name=op.f("fk_beneficiary_campaign_id_criteria_county"),
        ),
        sa.ForeignKeyConstraint(
            ["disbursement_id"], ["disbursement.id"], name=op.f("fk_beneficiary_disbursement_id_disbursement")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_beneficiary")),
        sa.UniqueConstraint("campaign_id", "key", name=op.f("uq_beneficiary_campaign_id_key")),
        sa.UniqueConstraint("public_id", name=op.f("uq_beneficiary_public_id")),
    )
    with op.batch_alter_table("beneficiary", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_beneficiary_disbursement_id"), ["disbursement_id"], unique=False)
    op.execute(
        "UPDATE evidence SET is_public = FALSE, wants_public = TRUE, faces = -1, looked_at = at "
        "WHERE is_public AND NOT is_picture AND file_name <> ''"  # nobody but its own officer has looked into it
    )
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_evidence_looked_at_first"), type_="check")
        batch_op.create_check_constraint(batch_op.f("ck_evidence_looked_at_first"), LOOKED_AT_FIRST)


def downgrade() -> None:
    """Gifts that stand on a year's receipt alone stay without one: the tables of before know no other."""
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_evidence_looked_at_first"), type_="check")
        batch_op.create_check_constraint(batch_op.f("ck_evidence_looked_at_first"), PICTURES_LOOKED_AT_FIRST)
    for table in ("beneficiary", "criteria_county", "campaign_criteria"):
        op.drop_table(table)
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
