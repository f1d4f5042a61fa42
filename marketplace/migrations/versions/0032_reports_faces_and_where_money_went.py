"""Statutory reports, evidence that has been looked at, and where each fen of a gift went."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "money_followed",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_money_followed")),
    )
    op.create_table(
        "campaign_report",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("drafted", "published", "withdrawn", name="reportstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("book", sa.String(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("words_zh", sa.String(), nullable=False),
        sa.Column("drafter_id", sa.Integer(), nullable=False),
        sa.Column("drafted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("publisher_id", sa.Integer(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("paper_sha256", sa.String(), nullable=False),
        sa.CheckConstraint(
            "(state = 'published') = (publisher_id IS NOT NULL AND published_at IS NOT NULL AND content <> '' AND sha256 <> '' AND paper_sha256 <> '')",
            name=op.f("ck_campaign_report_published_whole"),
        ),
        sa.CheckConstraint("kind IN ('periodic', 'full')", name=op.f("ck_campaign_report_known_kind")),
        sa.CheckConstraint("publisher_id IS NULL OR publisher_id <> drafter_id", name=op.f("ck_campaign_report_two_people")),
        sa.CheckConstraint("until >= since", name=op.f("ck_campaign_report_dates")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_campaign_report_campaign_id_campaign")),
        sa.ForeignKeyConstraint(["drafter_id"], ["person.id"], name=op.f("fk_campaign_report_drafter_id_person")),
        sa.ForeignKeyConstraint(["publisher_id"], ["person.id"], name=op.f("fk_campaign_report_publisher_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_report")),
        sa.UniqueConstraint("public_id", name=op.f("uq_campaign_report_public_id")),
    )
    with op.batch_alter_table("campaign_report", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_campaign_report_campaign_id_state_until"), ["campaign_id", "state", "until"], unique=False
        )
        batch_op.create_index(
            "one_draft_at_a_time",
            ["campaign_id"],
            unique=True,
            sqlite_where=sa.text("state = 'drafted'"),
            postgresql_where=sa.text("state = 'drafted'"),
        )

    op.create_table(
        "bill_line",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("disbursement_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("what_zh", sa.String(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("fen > 0", name=op.f("ck_bill_line_costs_something")),
        sa.ForeignKeyConstraint(
            ["disbursement_id"], ["disbursement.id"], name=op.f("fk_bill_line_disbursement_id_disbursement")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bill_line")),
        sa.UniqueConstraint("disbursement_id", "position", name=op.f("uq_bill_line_disbursement_id_position")),
    )
    op.create_table(
        "given_money",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("book", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("came_fen", sa.BigInteger(), nullable=False),
        sa.Column("back_fen", sa.BigInteger(), nullable=False),
        sa.Column("spent_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('gift', 'match')", name=op.f("ck_given_money_known_kind")),
        sa.CheckConstraint("back_fen + spent_fen <= came_fen", name=op.f("ck_given_money_no_more_than_came")),
        sa.CheckConstraint("came_fen > 0 AND back_fen >= 0 AND spent_fen >= 0", name=op.f("ck_given_money_sums")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_given_money_campaign_id_campaign")),
        sa.ForeignKeyConstraint(["number"], ["sealed_row.number"], name=op.f("fk_given_money_number_sealed_row")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_given_money")),
        sa.UniqueConstraint("reference", "kind", name=op.f("uq_given_money_reference_kind")),
    )
    with op.batch_alter_table("given_money", schema=None) as batch_op:
        batch_op.create_index(
            "given_money_left",
            ["campaign_id", "book", "number"],
            unique=False,
            sqlite_where=sa.text("back_fen + spent_fen < came_fen"),
            postgresql_where=sa.text("back_fen + spent_fen < came_fen"),
        )
        batch_op.create_index(
            batch_op.f("ix_given_money_campaign_id_book_number"), ["campaign_id", "book", "number"], unique=False
        )

    op.create_table(
        "spent_money",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bill_line_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("fen > 0", name=op.f("ck_spent_money_pays_something")),
        sa.ForeignKeyConstraint(["bill_line_id"], ["bill_line.id"], name=op.f("fk_spent_money_bill_line_id_bill_line")),
        sa.ForeignKeyConstraint(["number"], ["given_money.number"], name=op.f("fk_spent_money_number_given_money")),
        sa.PrimaryKeyConstraint("number", "bill_line_id", name=op.f("pk_spent_money")),
    )
    with op.batch_alter_table("spent_money", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_spent_money_bill_line_id"), ["bill_line_id"], unique=False)

    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.add_column(sa.Column("is_picture", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("wants_public", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("faces", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("overruled_by", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("overruled_why", sa.String(), nullable=False, server_default=""))
    evidence = sa.table("evidence", *(sa.column(name) for name in ("file_name", "is_picture", "wants_public", "is_public")))
    op.execute(evidence.update().values(wants_public=evidence.c.is_public))
    is_picture = evidence.c.file_name.endswith(".webp")
    op.execute(  # they are looked at first, as all that come later
        evidence.update().where(is_picture).values(is_picture=sa.true(), is_public=sa.false())
    )
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        for name, kind in (("is_picture", sa.Boolean()), ("wants_public", sa.Boolean()), ("overruled_why", sa.String())):
            batch_op.alter_column(name, existing_type=kind, existing_nullable=False, server_default=None)
        batch_op.create_foreign_key(batch_op.f("fk_evidence_overruled_by_person"), "person", ["overruled_by"], ["id"])
        batch_op.create_check_constraint(
            batch_op.f("ck_evidence_another_overrules"), "overruled_by IS NULL OR overruled_by <> added_by"
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_evidence_looked_at_first"),
            "NOT (is_public AND is_picture) OR COALESCE(faces, -1) = 0 OR overruled_by IS NOT NULL",
        )

    op.execute(  # what was asked for before is its own only line
        "INSERT INTO bill_line (disbursement_id, position, what_zh, fen) SELECT id, 1, purpose_zh, fen FROM disbursement"
    )


def downgrade() -> None:

    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_evidence_overruled_by_person"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("ck_evidence_looked_at_first"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_evidence_another_overrules"), type_="check")
        batch_op.drop_column("overruled_why")
        batch_op.drop_column("overruled_by")
        batch_op.drop_column("looked_at")
        batch_op.drop_column("faces")
        batch_op.drop_column("wants_public")
        batch_op.drop_column("is_picture")

    with op.batch_alter_table("spent_money", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_spent_money_bill_line_id"))

    op.drop_table("spent_money")
    with op.batch_alter_table("given_money", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_given_money_campaign_id_book_number"))
        batch_op.drop_index(
            "given_money_left",
            sqlite_where=sa.text("back_fen + spent_fen < came_fen"),
            postgresql_where=sa.text("back_fen + spent_fen < came_fen"),
        )

    op.drop_table("given_money")
    op.drop_table("bill_line")
    with op.batch_alter_table("campaign_report", schema=None) as batch_op:
        batch_op.drop_index(
            "one_draft_at_a_time", sqlite_where=sa.text("state = 'drafted'"), postgresql_where=sa.text("state = 'drafted'")
        )
        batch_op.drop_index(batch_op.f("ix_campaign_report_campaign_id_state_until"))

    op.drop_table("campaign_report")
    op.drop_table("money_followed")
